#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>

/* Reading what a stranger wrote: every member may be absent or null, and a member of another type than
 * expected is INVALID_ARGUMENT that names it. */
DEFINE_CLEANUP(json_decref_ptr, json_t *, json_decref)
#define cleanup_json CLEANUP(json_decref_ptr)

/* An object of at most `max_bytes` of text; release with json_decref(). */
bool image_json_parse(struct slice text, size_t max_bytes, json_t **ret_object,
                      struct error *err) MUST_CHECK;

/* "" when absent. */
bool image_json_string(const json_t *object, const char *name, const char **ret_value,
                       struct error *err) MUST_CHECK;

/* NULL when absent. */
bool image_json_array(const json_t *object, const char *name, const json_t **ret_array,
                      struct error *err) MUST_CHECK;
bool image_json_object(const json_t *object, const char *name, const json_t **ret_object,
                       struct error *err) MUST_CHECK;
