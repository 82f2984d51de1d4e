/* unpack_archive docker|appc ARCHIVE DIRECTORY [LIMIT=VALUE]…
 *
 * Unpacks ARCHIVE into DIRECTORY/root with the image store's own code, as the store does it: on
 * success it prints the digest of the uncompressed archive; on failure the error, with exit status 1,
 * and DIRECTORY/root and DIRECTORY/trash are swept. */
#include "base/cleanup.h"
#include "launcher/image_tree.h"
#include "launcher/image_unpack.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

struct file_source {
    struct image_source source;
    FILE *file;
    char bytes[4096];
};

static bool read_file(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct file_source *file = (struct file_source *)source;
    *ret_len = fread(file->bytes, 1, sizeof file->bytes, file->file);
    *ret_bytes = file->bytes;
    return !ferror(file->file) || error_set(err, ERROR_INTERNAL, "could not read the archive");
}

static const struct {
    const char *name;
    size_t offset;
} limit_names[] = {
    { "bytes", offsetof(struct image_limits, bytes) },
    { "entries", offsetof(struct image_limits, entries) },
    { "header_bytes", offsetof(struct image_limits, header_bytes) },
    { "directory_bytes", offsetof(struct image_limits, directory_bytes) },
    { "ratio", offsetof(struct image_limits, ratio) },
    { "ratio_free_bytes", offsetof(struct image_limits, ratio_free_bytes) },
};

static void set_limit(struct image_limits *limits, const char *argument)
{
    struct slice value = slice_of(argument), name = slice_split(&value, '=');
    for (size_t i = 0; i < sizeof limit_names / sizeof limit_names[0]; i++)
        if (slice_is(name, limit_names[i].name) &&
            slice_to_i64(value, (int64_t *)((char *)limits + limit_names[i].offset)))
            return;
    fprintf(stderr, "unpack_archive: no such limit: %s\n", argument);
    exit(2);
}

static int open_made(int parent, const char *name)
{
    mkdirat(parent, name, 0700);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        perror(name);
        exit(2);
    }
    return fd;
}

int main(int argc, char **argv)
{
    struct image_limits limits = IMAGE_LIMITS;
    struct file_source source = { .source.read = read_file };
    struct error err = { 0 };
    char digest[IMAGE_DIGEST_BYTES];
    cleanup_text struct text manifest = TEXT_INIT;
    if (argc < 4 || !(source.file = fopen(argv[2], "rbe")))
        return 2;
    for (int i = 4; i < argc; i++)
        set_limit(&limits, argv[i]);

    cleanup_close int directory = open_made(AT_FDCWD, argv[3]);
    cleanup_close int root = open_made(directory, "root");
    cleanup_close int trash = open_made(directory, "trash");
    struct image_unpack unpack = { slice_is(slice_of(argv[1]), "appc") ? IMAGE_APPC : IMAGE_DOCKER,
                                   &source.source, &limits, root, trash };
    bool ok = image_unpack(&unpack, digest, &manifest, &err);
    fclose(source.file);
    if (ok) {
        puts(digest);
        return 0;
    }
    puts(err.message);
    struct error swept;
    if (!image_tree_sweep(root, &swept) || !image_tree_sweep(trash, &swept)) {
        puts(swept.message);
        return 3;
    }
    return 1;
}
