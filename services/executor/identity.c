#include "executor/identity.h"

struct entry {
    struct slice name;
    uint64_t id; /* UINT64_MAX: none */
};

/* "name:x:id:…"; lines that are none are passed over. */
static bool next_entry(struct slice *rest, struct entry *ret_entry)
{
    while (rest->ptr) {
        struct slice line = slice_split(rest, '\n');
        struct entry entry = { .id = UINT64_MAX };
        entry.name = slice_split(&line, ':');
        if (!line.ptr || entry.name.len == 0)
            continue;
        slice_split(&line, ':');
        if (!line.ptr)
            continue;
        (void)slice_to_u64(slice_split(&line, ':'), UINT32_MAX, &entry.id);
        *ret_entry = entry;
        return true;
    }
    return false;
}

static void begin_line(struct slice contents, struct text *lines)
{
    if (contents.len && contents.ptr[contents.len - 1] != '\n')
        text_add_char(lines, '\n');
}

bool identity_passwd(struct slice contents, const Eos__Executor__V1__UserPlan *user,
                     struct text *ret_lines, struct error *err)
{
    struct entry entry;
    for (struct slice rest = contents; next_entry(&rest, &entry);) {
        if (!slice_is(entry.name, user->name))
            continue;
        if (entry.id == user->uid)
            return true;
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the image has a user \"%s\" with uid %lld, but on this host it is %u",
                         user->name, entry.id == UINT64_MAX ? -1ll : (long long)entry.id,
                         user->uid);
    }
    begin_line(contents, ret_lines);
    text_printf(ret_lines, "%s:x:%u:%u::%s:/bin/sh\n", user->name, user->uid, user->gid,
                user->home[0] ? user->home : "/");
    return true;
}

void identity_group(struct slice contents, const Eos__Executor__V1__UserPlan *user,
                    struct text *ret_lines)
{
    struct entry entry;
    for (struct slice rest = contents; next_entry(&rest, &entry);)
        if (slice_is(entry.name, user->name) || entry.id == user->gid)
            return;
    begin_line(contents, ret_lines);
    text_printf(ret_lines, "%s:x:%u:\n", user->name, user->gid);
}
