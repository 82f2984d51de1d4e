#include "launcher/image_sizes.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "launcher/image_limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define FILE_NAME      "sizes"
#define FILE_MAX_BYTES (16u << 20)
#define BLOCK_BYTES    512

struct size {
    int64_t bytes;
    bool is_wanted;
};

struct image_sizes {
    const struct image_directory *directory;
    struct arena *arena;
    struct map *by_name;
    bool has_changed;
};

static void put(struct image_sizes *sizes, struct slice name, int64_t bytes, bool is_wanted)
{
    struct size *size = arena_alloc(sizes->arena, sizeof *size);
    *size = (struct size){ bytes, is_wanted };
    map_put(sizes->by_name, name, size);
}

/* A line is "layers/sha256-… 1234". */
static void read_lines(struct image_sizes *sizes, struct slice rest)
{
    uint64_t bytes;
    while (rest.ptr) {
        struct slice line = slice_split(&rest, '\n'), name = slice_split(&line, ' ');
        if (line.ptr && slice_to_u64(line, INT64_MAX, &bytes))
            put(sizes, name, (int64_t)bytes, false);
        else if (rest.ptr)
            sizes->has_changed = true;
    }
}

struct image_sizes *image_sizes_open(const struct image_directory *directory)
{
    struct error ignored;
    cleanup_text struct text bytes = TEXT_INIT;
    struct image_sizes *sizes = xcalloc(1, sizeof *sizes);
    sizes->directory = directory;
    sizes->arena = arena_new();
    sizes->by_name = map_new();
    if (image_directory_read(directory, IMAGE_FOLDER_TOP, FILE_NAME, FILE_MAX_BYTES, &bytes,
                             &ignored))
        read_lines(sizes, text_slice(&bytes));
    return sizes;
}

static void write_lines(const struct image_sizes *sizes)
{
    struct error ignored;
    cleanup_text struct text out = TEXT_INIT;
    size_t cursor = 0;
    struct slice name;
    void *value;
    while (map_next(sizes->by_name, &cursor, &name, &value)) {
        const struct size *size = value;
        if (size->is_wanted)
            text_printf(&out, "%.*s %" PRId64 "\n", SLICE_ARG(name), size->bytes);
    }
    /* It saves work later, and nothing is lost without it. */
    (void)!image_directory_write(sizes->directory, IMAGE_FOLDER_TOP, FILE_NAME, text_slice(&out),
                                 &ignored);
}

void image_sizes_close(struct image_sizes *sizes)
{
    if (sizes->has_changed)
        write_lines(sizes);
    map_free(sizes->by_name);
    arena_free(sizes->arena);
    free(sizes);
}

static void close_listing(DIR **listing)
{
    if (*listing)
        closedir(*listing);
}

static int64_t measure(int parent_fd, const char *name, unsigned depth);

/* A file with several names counts once. */
static int64_t measure_entry(int fd, const char *name, unsigned depth)
{
    struct stat status;
    if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    int64_t bytes = status.st_blocks * BLOCK_BYTES;
    if (S_ISDIR(status.st_mode))
        return bytes + (depth > 0 ? measure(fd, name, depth - 1) : 0);
    return bytes / (int64_t)(status.st_nlink > 0 ? status.st_nlink : 1);
}

/* The depth of a layer's tree is limited when it is unpacked. */
static int64_t measure(int parent_fd, const char *name, unsigned depth)
{
    int64_t bytes = 0;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(close_listing) DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (!listing) {
        close_fd(&fd);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(listing));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            bytes += measure_entry(fd, entry->d_name, depth);
    return bytes;
}

int64_t image_sizes_get(struct image_sizes *sizes, enum image_folder folder, const char *name)
{
    const char *folder_name = folder == IMAGE_FOLDER_APPC ? "appc" : "layers";
    const char *key = arena_printf(sizes->arena, "%s/%s", folder_name, name);
    struct size *size = map_get(sizes->by_name, slice_of(key));
    if (!image_directory_has(sizes->directory, folder, name))
        return 0;
    if (size) {
        size->is_wanted = true;
        return size->bytes;
    }
    int64_t bytes = measure(sizes->directory->folder_fds[folder], name, IMAGE_MAX_PATH_DEPTH);
    put(sizes, slice_of(key), bytes, true);
    sizes->has_changed = true;
    return bytes;
}
