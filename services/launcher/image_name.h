#pragma once

#include "launcher/image_aci_name.h"
#include "launcher/image_store.h"
#include "registry/reference.h"

/* What a request names.  Results live in `arena`; INVALID_ARGUMENT tells what is wrong with it. */

/* "repository" and "tag" or "sha256:…" as one reference; no tag is "latest". */
bool image_reference_of(const struct image_request *request, struct arena *arena,
                        struct image_reference *ret_reference, struct error *err) MUST_CHECK;

/* The name and labels of an AppC image, and the form of its id. */
bool image_aci_name_of(const struct image_request *request, struct arena *arena,
                       struct image_aci_name *ret_name, struct error *err) MUST_CHECK;
