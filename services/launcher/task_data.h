#pragma once

#include "launcher/template.h"

#include <jansson.h>

#include <stdint.h>

/* Reads the values of executor_data.  Every text in it may hold template references, numbers and
 * switches too: those are texts then, and are filled in before they are converted.
 *
 * The error names the field, not its value. */
struct task_data {
    template_lookup_fn *lookup;
    void *user;
    struct arena *arena;
};

/* The value of `name` in `object`, or `fallback` when it is not there.  A missing text without a
 * fallback (NULL), a value of another type and a number out of [min, max] are INVALID_ARGUMENT. */
bool task_data_text(const struct task_data *data, const json_t *object, const char *name,
                    const char *fallback, const char **ret_text, struct error *err) MUST_CHECK;
bool task_data_integer(const struct task_data *data, const json_t *object, const char *name,
                       int64_t fallback, int64_t min, int64_t max, int64_t *ret_value,
                       struct error *err) MUST_CHECK;
bool task_data_switch(const struct task_data *data, const json_t *object, const char *name,
                      bool fallback, bool *ret_value, struct error *err) MUST_CHECK;

/* A list of at most `most` elements; an absent one is NULL, which jansson takes for an empty one. */
bool task_data_list(const json_t *object, const char *name, size_t most, const json_t **ret_list,
                    struct error *err) MUST_CHECK;
