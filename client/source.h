#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "client/flags.h"
#include "client/job_key.h"

#include "eos/config/v1/config.pb-c.h"

/* A configuration with the files that it reaches, as the compiler takes it.  The compiler reads no
 * file: it says which it needs, and they are read here. */
struct source {
    struct arena *arena;
    Eos__Config__V1__CompileRequest request;
    const struct flags *flags;
    size_t bytes, capacity, missing;
    const char *only_below; /* include() of other files is refused; NULL: any */
};

#define SOURCE_MAX_FILE_BYTES (4u << 20)
#define SOURCE_MAX_BYTES      (11u << 20) /* of all files: base64 keeps it below the gateway's limit */
#define SOURCE_MAX_FILES      1000u
#define SOURCE_MAX_MISSING    100u /* files that cannot be read */

/* Takes user, environment, bindings and so on from the flags; fails when one is not well formed.
 * `select` may be NULL. */
bool source_init(struct source *source, struct arena *arena, const struct flags *flags,
                 const struct job_key *select, struct error *err) MUST_CHECK;

/* Reads the configuration itself; "-" is stdin. */
bool source_read(struct source *source, const char *path, struct error *err) MUST_CHECK;

/* Who asks decides what is read: a compiler on this machine may see every file, but a gateway may
 * ask for none that is not below the folder of the configuration or one given with --allow-read. */
bool source_restrict(struct source *source, struct error *err) MUST_CHECK;

/* Adds what the compiler asked for; a file that cannot be read is sent as missing, with the reason.
 * FAILED_PRECONDITION when all of them have been sent before. */
bool source_add(struct source *source, char *const *paths, size_t count,
                struct error *err) MUST_CHECK;

/* Adds what a file holds, at most SOURCE_MAX_FILE_BYTES; "-" is stdin.  Messages name the file. */
bool source_read_file(const char *path, struct text *ret_bytes, struct error *err) MUST_CHECK;
