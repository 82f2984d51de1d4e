#pragma once

#include "launcher/image_aci_name.h"
#include "launcher/image_store.h"
#include "registry/reference.h"

/* What a request names.  Results live in `arena`; INVALID_ARGUMENT tells what is wrong with it. */

/* "repository" and "tag" or "sha256:…" as one reference; no tag is "latest". */
bool image_reference_of(const struct image_request *request, struct arena *arena,
                        struct image_reference *ret_reference, struct error *err) MUST_CHECK;

/* What the store's index calls it: "eos/hello:1.0", "quay.io/a/b@sha256:…".  The host is left out when it
 * is that of `registry_url` (NULL: Docker's), where names without a host are looked for. */
const char *image_local_name(const struct image_reference *reference, const char *registry_url,
                             struct arena *arena);

/* The name and labels of an AppC image, and the form of its id. */
bool image_aci_name_of(const struct image_request *request, struct arena *arena,
                       struct image_aci_name *ret_name, struct error *err) MUST_CHECK;
