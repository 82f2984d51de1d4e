#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* An AppC image as somebody asks for it: a name and the labels that the image has to have. */
struct image_label {
    const char *name, *value;
};

struct image_aci_name {
    const char *name; /* "example.org/hello" */
    const struct image_label *labels;
    size_t label_count;
};

/* "NAME[:VERSION][,LABEL=VALUE]…", AppC's own way to write it.  INVALID_ARGUMENT tells what is wrong. */
bool image_aci_name_parse(struct slice text, struct arena *arena, struct image_aci_name *ret_name,
                          struct error *err) MUST_CHECK;

/* Runs of lower-case letters and digits with one of "-._~/" between; `what` begins the message. */
bool image_aci_check_identifier(const char *text, const char *what, struct error *err) MUST_CHECK;

/* Labels of a list are named once, and none is "name". */
bool image_aci_check_labels(const struct image_label *labels, size_t count,
                            struct error *err) MUST_CHECK;

/* The label's value; for what nobody said "latest", "linux" and this host's processor, else NULL. */
const char *image_aci_value(const struct image_aci_name *name, struct slice label);

/* The value that was asked for, or NULL. */
const char *image_label_find(const struct image_label *labels, size_t count, struct slice name);

/* The same text for the same name and labels, in whatever order they were given. */
const char *image_aci_name_format(const struct image_aci_name *name, struct arena *arena);

struct image_aci_name image_aci_name_copy(const struct image_aci_name *name, struct arena *arena);
