#include "base/cleanup.h"
#include "launcher/image_tree.h"
#include "launcher/image_unpack.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

/* An archive that a stranger made is unpacked for real, beside a file that must not change: in a thread
 * whose "/" is that place, so that what gets out of the layer is seen there and hurts nothing else.  The
 * first byte chooses between a layer and an AppC image.  Needs root for owners, whiteouts and chroot. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory_source {
    struct image_source source;
    const uint8_t *data;
    size_t size;
};

static char top[] = "/dev/shm/eos-fuzz-XXXXXX";
static int top_fd = -1, layer_fd, root_fd, trash_fd;

static bool read_memory(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                        struct error *err)
{
    struct memory_source *memory = (struct memory_source *)source;
    (void)err;
    *ret_len = memory->size < 1000 ? memory->size : 1000;
    *ret_bytes = (const char *)memory->data;
    memory->data += *ret_len;
    memory->size -= *ret_len;
    return true;
}

static int make(int parent, const char *name)
{
    int status = mkdirat(parent, name, 0700);
    assert(status == 0);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(fd >= 0);
    return fd;
}

static void clean_up(void)
{
    struct error err;
    if (image_tree_sweep(top_fd, &err))
        rmdir(top);
}

/* top/secret and top/layer/{root,trash}: "../../secret" and links would lead to it. */
static void set_up(void)
{
    if (!mkdtemp(top))
        abort();
    top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int secret = openat(top_fd, "secret", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert(secret >= 0);
    close(secret);
    layer_fd = make(top_fd, "layer");
    root_fd = make(layer_fd, "root");
    trash_fd = make(layer_fd, "trash");
    atexit(clean_up);
}

static int count_entries(int fd)
{
    int count = 0;
    DIR *directory = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    assert(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void check_outside(void)
{
    struct stat st;
    int status = fstatat(top_fd, "secret", &st, AT_SYMLINK_NOFOLLOW);
    assert(status == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 1);
    assert((st.st_mode & 07777) == 0600 && st.st_uid == 0);
    assert(count_entries(top_fd) == 4 && count_entries(layer_fd) == 4);
}

struct run {
    const struct image_unpack *unpack;
    bool ok;
};

static void *run_in_cage(void *user)
{
    struct run *run = user;
    struct error err;
    char digest[IMAGE_DIGEST_BYTES];
    cleanup_text struct text manifest = TEXT_INIT;
    if (unshare(CLONE_FS) < 0 || chroot(top) < 0 || chdir("/") < 0)
        abort();
    run->ok = image_unpack(run->unpack, digest, &manifest, &err);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct image_limits limits = { .bytes = 1 << 20,
                                                .entries = 200,
                                                .header_bytes = 1 << 18,
                                                .directory_bytes = 1 << 16,
                                                .ratio = 100,
                                                .ratio_free_bytes = 1 << 18 };
    struct error err;
    pthread_t thread;
    if (top_fd < 0)
        set_up();
    if (size == 0)
        return 0;

    struct memory_source memory = { { read_memory, NULL }, data + 1, size - 1 };
    struct image_unpack unpack = { data[0] % 2 ? IMAGE_APPC : IMAGE_DOCKER, &memory.source, &limits,
                                   root_fd, trash_fd };
    struct run run = { .unpack = &unpack };
    if (pthread_create(&thread, NULL, run_in_cage, &run) != 0 || pthread_join(thread, NULL) != 0)
        abort();
    assert(!run.ok || memory.size == 0);
    check_outside();
    bool swept = image_tree_sweep(root_fd, &err) && image_tree_sweep(trash_fd, &err);
    assert(swept && count_entries(root_fd) == 2);
    return 0;
}
