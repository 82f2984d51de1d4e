#pragma once

#include "client/verb.h"

/* `eos image import` is a program of its own, eos-import, which links what digests and gzip need: its
 * row of the table of commands stands here for both. */
#define IMPORT_VERB                                                                                \
    .noun = "image", .name = "import", .arguments = "PATH [NAME:TAG]", .min_arguments = 1,         \
    .max_arguments = 2, .complete = { ARGUMENT_FILE, ARGUMENT_FREE },                              \
    .summary = "bring images from a file or directory to the hosts",                               \
    .details =                                                                                     \
        "PATH is an OCI layout, as a directory or tar archive, or what `docker save` writes; an "  \
        "archive may\nbe in gzip.  Without NAME:TAG all images of it that have names.",            \
    .flags = F(VERBOSE) | F(GATEWAY) | F(TOKEN_FILE) | F(CA_FILE) | F(OUTPUT) | F(WRITE_JSON) |    \
             F(ON_CLUSTER) | F(ON_HOST)

verb_fn import_exec, import_run;
