#pragma once

#include "base/error.h"

#include <curl/curl.h>

/* libcurl, loaded when it is first needed: it and what it brings along take longer to load than
 * `eos config compile` takes as a whole.  See docs/decisions. */
struct curl_library {
#define CURL_FUNCTION(name) __typeof__(curl_##name) *name;
#include "client/curl_functions.def"
#undef CURL_FUNCTION
};

/* Stays loaded until the process ends.  NULL with FAILED_PRECONDITION when it is not installed. */
const struct curl_library *curl_library_load(struct error *err) MUST_CHECK;
