#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Whom the processes of a task run as: a user of the host. */
struct account {
    char *name, *home;
    uint32_t uid, gid;
    uint32_t *groups; /* supplementary ones, as the host's database has them */
    size_t group_count;
};

/* Looks `role` up; may block.  NOT_FOUND in a sentence for the job's owner when there is no such user.
 * Release with account_free(). */
struct account *account_find(const char *role, struct error *err) MUST_CHECK;
void account_free(struct account *account);
