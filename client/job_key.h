#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* The grammars of what names jobs and instances on the command line.  Messages say what was expected
 * and are fit to be shown; all strings live in the arena. */

#define JOB_KEY_FORM    "CLUSTER/ROLE/ENV/NAME"
#define INSTANCES_MAX   1000 /* as many as one request may name */
#define INSTANCE_ID_MAX 999999

struct job_key {
    const char *cluster, *role, *environment, *name;
};

/* Sorted, without duplicates; none: all. */
struct instance_list {
    int32_t *ids;
    size_t count;
};

/* CLUSTER/ROLE/ENV/NAME */
bool job_key_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                   struct error *err) MUST_CHECK;

/* CLUSTER/ROLE/ENV/NAME[/INSTANCES] */
bool instance_spec_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                         struct instance_list *ret_instances, struct error *err) MUST_CHECK;

/* CLUSTER/ROLE/ENV/NAME/INSTANCE */
bool task_instance_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                         int32_t *ret_instance, struct error *err) MUST_CHECK;

/* "0,2-5": numbers and inclusive ranges. */
bool instances_parse(struct slice text, struct arena *arena, struct instance_list *ret_instances,
                     struct error *err) MUST_CHECK;

/* CLUSTER[/ROLE[/ENV[/NAME]]]; what is missing becomes "*".  Each part may hold `*`, `?` and `[…]`,
 * the cluster only as a whole "*". */
bool job_pattern_parse(const char *text, struct arena *arena, struct job_key *ret_pattern,
                       struct error *err) MUST_CHECK;

/* CLUSTER/ROLE/ENV/NAME with parts that may be empty, for all. */
bool job_selector_parse(const char *text, struct arena *arena, struct job_key *ret_selector,
                        struct error *err) MUST_CHECK;

bool job_part_has_wildcard(const char *part);

/* Whether role, environment and name fit; the cluster is not looked at. */
bool job_pattern_matches(const struct job_key *pattern, const char *role, const char *environment,
                         const char *name);

/* "[0, 2-5]" */
const char *instances_text(const struct instance_list *instances, struct arena *arena);
