#pragma once

#include "base/arena.h"
#include "base/text.h"

#include "eos/job/v1/job.pb-c.h"

/* Which images the tasks of a job run, and whether their tags still name them. */
enum image_state {
    IMAGE_CURRENT,  /* its tag still names what runs */
    IMAGE_MOVED,    /* its tag names something else now */
    IMAGE_GONE,     /* there is no such tag any more */
    IMAGE_FIXED,    /* the job names a digest: there is no tag that could move */
    IMAGE_UNPINNED, /* the job names a tag: nobody knows what runs */
    IMAGE_STATE_COUNT
};

struct image_use {
    const Eos__Job__V1__ImageBinding *binding; /* NULL when unpinned */
    const char *reference;                     /* as the job wrote it */
    size_t instances;                          /* that run it */
    enum image_state state;
    const char *now; /* the digest that the tag names; "" when it names none */
};

/* Every record of `bindings` that at least one of the tasks runs, in their order, and then the tags that
 * containers name.  Those with a tag are IMAGE_CURRENT until somebody has asked.  In `arena`. */
struct image_use *image_uses(Eos__Job__V1__ImageBinding *const *bindings, size_t binding_count,
                             Eos__Job__V1__ScheduledTask *const *tasks, size_t task_count,
                             struct arena *arena, size_t *ret_count);

/* The reference by which the registry of a record is asked for its tag again, whatever the cluster's
 * registry is: "host:port/repository:tag". */
char *image_tag_reference(const Eos__Job__V1__ImageBinding *binding, struct arena *arena);

bool image_is_outdated(const struct image_use *use);

/* One paragraph per image that is outdated, for people; all of them as a JSON list. */
void image_uses_add(struct text *out, const struct image_use *uses, size_t count);
void image_uses_add_json(struct text *out, const struct image_use *uses, size_t count);
