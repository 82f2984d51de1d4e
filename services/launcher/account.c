#include "launcher/account.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#define ENTRY_MAX_BYTES (1u << 20)
#define GROUPS_MAX      65536 /* the kernel's NGROUPS_MAX */

/* The buffer grows until the entry fits.  0 with a NULL entry: no such user. */
static int find_entry(const char *name, struct passwd *entry, char **ret_buffer,
                      struct passwd **ret_entry)
{
    for (size_t size = 4096;; size *= 2) {
        char *buffer = xcalloc(1, size);
        int status = getpwnam_r(name, entry, buffer, size, ret_entry);
        if (status != ERANGE || size >= ENTRY_MAX_BYTES) {
            *ret_buffer = buffer;
            return status;
        }
        free(buffer);
    }
}

static void find_groups(struct account *account)
{
    int count = 64;
    gid_t *groups = NULL;
    do {
        groups = xreallocarray(groups, (size_t)count, sizeof *groups);
    } while (getgrouplist(account->name, account->gid, groups, &count) < 0 && count <= GROUPS_MAX);
    account->groups = xcalloc((size_t)count, sizeof *account->groups);
    for (int i = 0; i < count; i++)
        if (groups[i] != account->gid)
            account->groups[account->group_count++] = groups[i];
    free(groups);
}

struct account *account_find(const char *role, struct error *err)
{
    struct passwd entry, *found = NULL;
    cleanup_free char *buffer = NULL;
    int status = find_entry(role, &entry, &buffer, &found);

    if (!found && status != 0 && status != ENOENT && status != ESRCH) {
        error_set_errno(err, status, "could not look up the role \"%s\"", role);
        return NULL;
    }
    if (!found) {
        error_set(err, ERROR_NOT_FOUND,
                  "Could not create sandbox because user does not exist: role \"%s\" is not a user "
                  "of the host",
                  role);
        return NULL;
    }
    struct account *account = xcalloc(1, sizeof *account);
    account->name = xstrdup(found->pw_name);
    account->home = xstrdup(found->pw_dir);
    account->uid = found->pw_uid;
    account->gid = found->pw_gid;
    find_groups(account);
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    free(account->name);
    free(account->home);
    free(account->groups);
    free(account);
}
