#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

/* What the Docker engine answers.  Everything lives in the arena. */

#define DOCKER_LABEL_TASK "org.eos.task-id"
#define DOCKER_LABEL_HOST "org.eos.host-id"

/* A status that is not as wanted, with the engine's own words: always false. */
bool docker_reply_refuse(unsigned status, struct slice body, struct error *err);

/* `{"Id": "…"}` of a container that has been created. */
bool docker_reply_created(struct slice body, struct arena *arena, const char **ret_id,
                          struct error *err) MUST_CHECK;

struct docker_container_state {
    const char *id;
    const char *task_id, *host_id; /* of its labels; "" when it has none */
    bool is_created;               /* and never started yet */
    bool is_running, is_out_of_memory;
    int pid, exit_code;
    const char *error;
};
bool docker_reply_container(struct slice body, struct arena *arena,
                            struct docker_container_state *ret_state, struct error *err) MUST_CHECK;

struct docker_image_facts {
    const char *digest, *user;
    const char **environment;
    size_t environment_count;
};

/* `reference` is what was asked for: its repository's digest is looked for. */
bool docker_reply_image(struct slice body, const char *reference, struct arena *arena,
                        struct docker_image_facts *ret_facts, struct error *err) MUST_CHECK;

/* One line of the progress of a pull: false when it tells of a failure. */
bool docker_reply_pull_line(struct slice line, struct error *err) MUST_CHECK;

/* "host:5000/a/b:1.0" is "host:5000/a/b" and "1.0"; without a tag "latest"; of a digest the whole and
 * "". */
void docker_reference_split(const char *reference, struct arena *arena, const char **ret_name,
                            const char **ret_tag);

/* The registry of a reference, "docker.io" when it names none. */
const char *docker_reference_registry(const char *reference, struct arena *arena);
