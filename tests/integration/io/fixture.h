#pragma once

#include "echo.h"

#include "io/rpc_client.h"
#include "unit/test.h"

#include <stdbool.h>
#include <sys/types.h>

/* One loop with a server and a client on it, in a directory of its own. */
struct fixture {
    uv_loop_t loop;
    char directory[64];
    char url[128];
    struct echo echo;
    struct rpc_client *client;
};

int fixture_open(void **state);
int fixture_close(void **state);

/* Opens the server of the fixture at `url` (NULL: a socket in the directory), or a client to it. */
void fixture_serve(struct fixture *f, const char *url, const struct cluster_key *key);
struct rpc_client *fixture_dial(struct fixture *f, const struct cluster_key *key);

/* Runs the loop until `*flag`, and fails the test after `limit_ms`. */
void run_until(struct fixture *f, const bool *flag, uint64_t limit_ms);
/* The same for any condition. */
#define EVENTUALLY(f, condition)                                                                   \
    do {                                                                                           \
        uint64_t until_ = uv_hrtime() + 10000000000u;                                              \
        while (!(condition) && uv_hrtime() < until_)                                               \
            run_for(f, 2);                                                                         \
        assert_true(condition);                                                                    \
    } while (0)
/* Runs the loop for so long; only where nothing is supposed to happen. */
void run_for(struct fixture *f, uint64_t ms);

/* What came of a call. */
struct outcome {
    bool is_done, is_unanswered;
    enum error_code code;
    char message[256];
    size_t len;      /* of the answer's text */
    uint64_t number; /* and its value */
    unsigned *left;  /* counted down when done; may be NULL */
    bool *all_done;  /* set when `*left` is 0 */
    uint64_t ended_ms;
    uv_loop_t *loop;
};

/* Calls Compile with `user` and a file of `bytes`.  False when the client refused. */
bool call_echo(struct fixture *f, struct rpc_client *client, const char *user, size_t bytes,
               uint32_t deadline_ms, struct outcome *outcome, struct error *err);

/* The same with a callback of one's own, which may ask what the answer holds. */
bool call_message(struct fixture *f, struct rpc_client *client, const char *user, size_t bytes,
                  uint32_t deadline_ms, rpc_reply_fn *reply, void *reply_user, struct error *err);
uint64_t answer_number(const ProtobufCMessage *message);
size_t answer_len(const ProtobufCMessage *message);

/* This program again, as "--serve URL [KEY-FILE]"; returns when it listens. */
pid_t serve_process(const char *url, const char *key_file);
void kill_process(pid_t pid, int signal);

struct cluster_key *make_key(struct fixture *f, const char *name, char digit);

double metric_of(const char *line);
