/* Inflates a gzip file with what the image store uses, and does nothing with what comes out: how long the
 * least part of unpacking a layer takes.
 *
 *     bench_inflate FILE */
#include "launcher/image_decoder.h"

#include <stdio.h>

struct file_source {
    struct image_source source;
    FILE *file;
    char bytes[256 << 10];
};

static bool read_file(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct file_source *file = (struct file_source *)source;
    *ret_len = fread(file->bytes, 1, sizeof file->bytes, file->file);
    *ret_bytes = file->bytes;
    return !ferror(file->file) || error_set(err, ERROR_INTERNAL, "could not read the file");
}

int main(int argc, char **argv)
{
    static struct file_source file = { .source = { read_file, NULL } };
    static char bytes[256 << 10];
    struct error err = { 0 };
    size_t len = 1;
    bool ok = true;
    file.file = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!file.file) {
        fprintf(stderr, "usage: bench_inflate FILE\n");
        return 2;
    }
    struct image_decoder *decoder = image_gzip_open(&file.source);
    while (ok && len > 0)
        ok = decoder->fill(decoder, bytes, sizeof bytes, &len, &err);
    decoder->close(decoder);
    fclose(file.file);
    if (!ok)
        fprintf(stderr, "bench_inflate: %s\n", err.message);
    return !ok;
}
