#include "folder.h"

#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>

struct folder folder_make(void)
{
    struct folder folder = { "/tmp/eos-launcher-test.XXXXXX" };
    char *made = mkdtemp(folder.path);
    assert(made);
    return folder;
}

void folder_remove(struct folder *folder)
{
    struct error err;
    bool ok = host_tree_remove(folder->path, &err);
    assert(ok);
}

void folder_add_file(const struct folder *folder, const char *path, const char *content)
{
    cleanup_free char *full = xasprintf("%s/%s", folder->path, path);
    char *slash = strrchr(full, '/');
    struct error err;
    *slash = 0;
    bool ok = host_directory_make(full, 0755, &err);
    *slash = '/';
    ok = ok && host_file_write(full, slice_of(content), &err);
    assert(ok);
}
