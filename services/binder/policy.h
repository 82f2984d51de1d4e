#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "signature/public_key.h"

#include <jansson.h>

/* Which images of a cluster must be signed, and by whom: "docker_signatures" of its entry in
 * clusters.json.
 *
 *     [{ "images": "registry.example.org/team/", "keys": ["/etc/eos/keys/team.pub"] }]
 *
 * `images` is a host, a repository with its host, a prefix that ends in "/", or "*" for all there are.
 * The longest rule that matches an image counts, and any one of its keys suffices; without keys nothing
 * of it may be bound. */
struct policy_rule {
    const char *images; /* as it was written */
    const char *prefix; /* what an image's name is compared with */
    struct public_keys keys;
};

struct policy {
    const struct policy_rule *rules;
    size_t count;
};

#define POLICY_MAX_RULES 1000u
#define POLICY_MAX_KEYS  32u /* of one rule */

/* Reads a file with a key, or remembers it; borrowed for as long as the policy lives. */
typedef struct public_key *policy_key_fn(void *user, const char *path, struct error *err);

/* `value` may be NULL: no rules.  All but the keys is in `arena`.  INVALID_ARGUMENT names the entry. */
bool policy_parse(const json_t *value, policy_key_fn *read_key, void *user, struct arena *arena,
                  struct policy *ret_policy, struct error *err) MUST_CHECK;

/* The rule for an image, or NULL: it may be unsigned.  All of Docker's names for its registry are
 * "docker.io", a standard port is none, and case and a dot at the end of a host make no difference, so
 * that another way to write a name is no way around a rule. */
const struct policy_rule *policy_find(const struct policy *policy, const char *base_url,
                                      const char *repository);

/* "a.pub", "a.pub or b.pub", "one of a.pub, b.pub, c.pub": the keys that are expected. */
char *policy_expected(const struct public_keys *keys, struct arena *arena);
