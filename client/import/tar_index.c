#include "client/import/tar_index.h"

#include "base/map.h"
#include "base/text.h"

#include <stddef.h>

#define BLOCK 512

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
    char type;
    char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
    char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

struct entry {
    struct tar_file file;
    const char *link; /* path; NULL: a file of its own */
};

struct tar_index {
    struct map *by_path;
};

struct reader {
    tar_read_fn *read;
    void *user;
    int64_t size, offset;
    struct arena *arena;
    struct tar_index *index;
    size_t count;

    /* what extended headers said of the next entry; NULL and -1: nothing */
    const char *path, *link;
    int64_t file_size;
};

/* -- fields --------------------------------------------------------------------------------------- */

static struct slice field(const char *bytes, size_t size)
{
    return (struct slice){ bytes, strnlen(bytes, size) };
}

/* Octal, between spaces and NULs, or base 256 when the first bit is set. */
static bool read_number(const char *bytes, size_t size, int64_t *ret_number)
{
    uint64_t number = 0;
    size_t i = 0;
    if ((unsigned char)bytes[0] & 0x80) {
        number = (unsigned char)bytes[0] & 0x3f;
        for (i = 1; i < size; i++) {
            if (number >> 54)
                return false;
            number = number << 8 | (unsigned char)bytes[i];
        }
        *ret_number = (int64_t)number;
        return !((unsigned char)bytes[0] & 0x40); /* negative */
    }
    while (i < size && bytes[i] == ' ')
        i++;
    for (; i < size && bytes[i] >= '0' && bytes[i] <= '7'; i++)
        number = number << 3 | (uint64_t)(bytes[i] - '0');
    *ret_number = (int64_t)number;
    return i == size || bytes[i] == ' ' || bytes[i] == '\0';
}

static bool has_checksum(const struct header *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    int64_t expected, sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool is_own = i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);
        sum += is_own ? ' ' : bytes[i];
    }
    return read_number(header->checksum, sizeof header->checksum, &expected) && expected == sum;
}

static bool is_empty(const struct header *header)
{
    static const struct header empty;
    return memcmp(header, &empty, sizeof empty) == 0;
}

/* -- paths ---------------------------------------------------------------------------------------- */

/* Without ".", ".." and empty parts; ".." does not leave the top. */
static const char *clean(struct slice path, struct arena *arena)
{
    cleanup_text struct text out = TEXT_INIT;
    while (path.ptr) {
        struct slice part = slice_split(&path, '/');
        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (slice_is(part, "..")) {
            while (out.len > 0 && out.ptr[--out.len] != '/')
                ;
            continue;
        }
        if (out.len > 0)
            text_add_char(&out, '/');
        text_add_slice(&out, part);
    }
    return arena_memdup0(arena, out.ptr ? out.ptr : "", out.len);
}

/* A symbolic link is read from its directory on. */
static const char *link_target(const char *path, const char *link, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (!slash || *link == '/')
        return clean(slice_of(link), arena);
    return clean(slice_of(arena_printf(arena, "%.*s/%s", (int)(slash - path), path, link)), arena);
}

static const char *name_of(const struct reader *reader, const struct header *header)
{
    struct slice name = field(header->name, sizeof header->name);
    struct slice prefix = field(header->prefix, sizeof header->prefix);
    if (reader->path)
        return clean(slice_of(reader->path), reader->arena);
    if (memcmp(header->magic, "ustar", 6) != 0 || prefix.len == 0)
        return clean(name, reader->arena);
    return clean(slice_of(
                     arena_printf(reader->arena, "%.*s/%.*s", SLICE_ARG(prefix), SLICE_ARG(name))),
                 reader->arena);
}

/* -- extended headers ----------------------------------------------------------------------------- */

static bool damaged(const struct reader *reader, struct error *err)
{
    return error_set(err, ERROR_INVALID_ARGUMENT, "the tar archive is damaged at byte %lld",
                     (long long)reader->offset);
}

static bool read_content(const struct reader *reader, int64_t size, int64_t max,
                         struct slice *ret_bytes, struct error *err)
{
    if (size > max)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "a header of the tar archive has %lld bytes, more than %lld",
                         (long long)size, (long long)max);
    char *bytes = arena_alloc(reader->arena, (size_t)size + 1);
    if (!reader->read(reader->user, reader->offset + BLOCK, bytes, (size_t)size, err))
        return false;
    *ret_bytes = (struct slice){ bytes, (size_t)size };
    return true;
}

static bool read_long_name(const struct reader *reader, int64_t size, const char **ret_name,
                           struct error *err)
{
    struct slice bytes = { 0 };
    if (!read_content(reader, size, TAR_MAX_NAME_BYTES, &bytes, err))
        return false;
    *ret_name = bytes.ptr; /* the arena has put a NUL behind it */
    return true;
}

static bool take_record(struct reader *reader, struct slice name, struct slice value)
{
    uint64_t size;
    if (slice_is(name, "path") && value.len <= TAR_MAX_NAME_BYTES)
        reader->path = arena_memdup0(reader->arena, value.ptr, value.len);
    else if (slice_is(name, "linkpath") && value.len <= TAR_MAX_NAME_BYTES)
        reader->link = arena_memdup0(reader->arena, value.ptr, value.len);
    else if (slice_is(name, "path") || slice_is(name, "linkpath"))
        return false;
    else if (slice_is(name, "size") && !slice_to_u64(value, INT64_MAX, &size))
        return false;
    else if (slice_is(name, "size"))
        reader->file_size = (int64_t)size;
    return true;
}

/* "LENGTH NAME=VALUE\n", where the length counts all of it. */
static bool read_pax(struct reader *reader, int64_t size, struct error *err)
{
    struct slice rest = { 0 };
    if (!read_content(reader, size, TAR_MAX_HEADER_BYTES, &rest, err))
        return false;
    while (rest.len > 0) {
        struct slice line = rest, digits = slice_split(&line, ' ');
        uint64_t len;
        if (!line.ptr || !slice_to_u64(digits, rest.len, &len) || len <= digits.len + 1 ||
            rest.ptr[len - 1] != '\n')
            return damaged(reader, err);
        struct slice value = { line.ptr, len - digits.len - 2 };
        struct slice name = slice_split(&value, '=');
        if (!value.ptr || !take_record(reader, name, value))
            return damaged(reader, err);
        rest.ptr += len;
        rest.len -= len;
    }
    return true;
}

/* -- entries -------------------------------------------------------------------------------------- */

static bool add_entry(struct reader *reader, const struct header *header, int64_t size,
                      struct error *err)
{
    bool is_symbolic = header->type == '2', is_link = is_symbolic || header->type == '1';
    if (++reader->count > TAR_MAX_ENTRIES)
        return error_set(err, ERROR_OUT_OF_RANGE, "the tar archive has more than %u entries",
                         TAR_MAX_ENTRIES);
    if (!is_link && !strchr("07", header->type)) /* '\0' counts as '0' */
        return true;
    const char *path = name_of(reader, header);
    struct slice own = field(header->link, sizeof header->link);
    const char *link = reader->link ? reader->link : arena_memdup0(reader->arena, own.ptr, own.len);
    struct entry *entry = arena_alloc(reader->arena, sizeof *entry);
    entry->file = (struct tar_file){ reader->offset + BLOCK, size };
    if (is_link)
        entry->link = is_symbolic ? link_target(path, link, reader->arena)
                                  : clean(slice_of(link), reader->arena);
    map_put(reader->index->by_path, slice_of(path), entry);
    return true;
}

static bool take_entry(struct reader *reader, const struct header *header, int64_t size,
                       struct error *err)
{
    switch (header->type) {
    case 'L':
        return read_long_name(reader, size, &reader->path, err);
    case 'K':
        return read_long_name(reader, size, &reader->link, err);
    case 'x':
        return read_pax(reader, size, err);
    case 'g':
        return true; /* of all entries, and what it may say does not matter here */
    default:
        break;
    }
    bool ok = add_entry(reader, header, size, err);
    reader->path = reader->link = NULL;
    reader->file_size = -1;
    return ok;
}

static bool has_content(char type)
{
    return !strchr("12346", type) || type == '\0';
}

static bool step(struct reader *reader, const struct header *header, struct error *err)
{
    int64_t size;
    if (!has_checksum(header))
        return reader->offset == 0 ? error_set(err, ERROR_INVALID_ARGUMENT, "it is no tar archive")
                                   : damaged(reader, err);
    if (!read_number(header->size, sizeof header->size, &size))
        return damaged(reader, err);
    if (reader->file_size >= 0 && strchr("07", header->type))
        size = reader->file_size;
    if (!has_content(header->type))
        size = 0;
    if (size < 0 || size > reader->size - reader->offset - BLOCK)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the tar archive ends too early");
    if (!take_entry(reader, header, size, err))
        return false;
    reader->offset += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    return true;
}

static bool read_all(struct reader *reader, struct error *err)
{
    struct header header;
    while (reader->size - reader->offset >= BLOCK) {
        if (!reader->read(reader->user, reader->offset, &header, sizeof header, err))
            return false;
        if (is_empty(&header))
            return true;
        if (!step(reader, &header, err))
            return false;
    }
    return reader->offset > 0 || error_set(err, ERROR_INVALID_ARGUMENT, "it is no tar archive");
}

struct tar_index *tar_index_read(tar_read_fn *read, void *user, int64_t size, struct arena *arena,
                                 struct error *err)
{
    struct tar_index *index = arena_alloc(arena, sizeof *index);
    struct reader reader = {
        .read = read, .user = user, .size = size, .arena = arena, .index = index, .file_size = -1
    };
    index->by_path = map_new();
    if (read_all(&reader, err))
        return index;
    tar_index_done(index);
    return NULL;
}

void tar_index_done(struct tar_index *index)
{
    if (index)
        map_free(index->by_path);
}

bool tar_index_find(const struct tar_index *index, const char *path, struct tar_file *ret_file)
{
    for (int i = 0; i <= TAR_MAX_LINKS; i++) {
        const struct entry *entry = map_get(index->by_path, slice_of(path));
        if (!entry)
            return false;
        if (!entry->link) {
            *ret_file = entry->file;
            return true;
        }
        path = entry->link;
    }
    return false;
}
