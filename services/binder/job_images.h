#pragma once

#include "binder/image.h"

#include "eos/binder/v1/binder.pb-c.h"

/* The images of one job. */
#define JOB_MAX_IMAGES    64u
#define JOB_MAX_TEMPLATES 10000u /* places where they stand */

struct job_images {
    struct image *items; /* each reference once, in the order in which they stand in the job */
    size_t count;
};

enum job_pinning { JOB_TEMPLATES_ONLY, JOB_PIN_TAGS };

/* Collects what has to be asked for: every template in any string of the job; with JOB_PIN_TAGS also
 * the container's own image when it is a plain tag, and in any case when a rule asks for its signature,
 * which says something of a digest only.  Everything is in `arena`.
 * INVALID_ARGUMENT names the reference that is wrong, or the limit. */
bool job_images_collect(const struct image_context *context, Eos__Job__V1__JobConfiguration *job,
                        enum job_pinning pinning, struct arena *arena,
                        struct job_images *ret_images, struct error *err) MUST_CHECK;

/* Puts the digests into the job, which is changed: all findings are known.  A Mesos container, whose image
 * has separate fields, gets the digest as its tag.  New strings are in `arena`. */
void job_images_apply(const struct job_images *images, Eos__Job__V1__JobConfiguration *job,
                      struct arena *arena);

/* The record of one image, in `arena`. */
Eos__Job__V1__ImageBinding *image_binding(const struct image *image, struct arena *arena)
    __attribute__((returns_nonnull));

/* A deep copy, in `arena`. */
Eos__Job__V1__JobConfiguration *job_copy(const Eos__Job__V1__JobConfiguration *job,
                                         struct arena *arena) __attribute__((returns_nonnull));
