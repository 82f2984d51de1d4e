#include "client/import/tar_index.h"

#include "base/text.h"
#include "unit/test.h"

#include <string.h>

#define BLOCK 512

/* An archive in the making. */
static struct text archive;

static bool read_memory(void *user, int64_t offset, void *bytes, size_t len, struct error *err)
{
    const struct text *text = user;
    (void)err;
    assert_true(offset >= 0 && (uint64_t)offset + len <= text->len);
    memcpy(bytes, text->ptr + offset, len);
    return true;
}

static void pad(void)
{
    while (archive.len % BLOCK != 0)
        text_add_char(&archive, '\0');
}

static void sign(char *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
}

/* With `size` in the header, whatever `content` has. */
static void add(char type, const char *name, const char *link, const char *content,
                const char *size)
{
    char header[BLOCK] = { 0 };
    snprintf(header, 100, "%s", name);
    snprintf(header + 124, 12, "%s", size);
    header[156] = type;
    snprintf(header + 157, 100, "%s", link);
    memcpy(header + 257, "ustar\00000", 8);
    sign(header);
    text_add_bytes(&archive, header, sizeof header);
    text_add(&archive, content);
    pad();
}

static void add_sized(char type, const char *name, const char *content)
{
    char size[12];
    snprintf(size, sizeof size, "%011o", (unsigned)strlen(content));
    add(type, name, "", content, size);
}

static void end(void)
{
    char empty[2 * BLOCK] = { 0 };
    text_add_bytes(&archive, empty, sizeof empty);
}

/* What each case is made of. */
static void plain(void)
{
    add_sized('5', "d/", "");
    add_sized('0', "./d/f", "content");
    add_sized('\0', "old", "o");
    end();
}
static void last_wins(void)
{
    add_sized('0', "f", "first");
    add_sized('0', "f", "second");
    end();
}
static void links(void)
{
    add_sized('0', "a/layer.tar", "content");
    add('2', "b/layer.tar", "../a/layer.tar", "", "0");
    add('1', "c/layer.tar", "a/layer.tar", "", "0");
    add('2', "d", "c/layer.tar", "", "0");
    add('2', "out", "../../../etc/passwd", "", "0");
    add('2', "round", "round", "", "0");
    end();
}
static void long_names(void)
{
    add_sized('L', "././@LongLink", "gnu/long/name");
    add_sized('0', "gnu/lo", "g");
    add_sized('x', "pax", "16 path=pax/one\n16 mtime=12.500\n");
    add_sized('0', "short", "p");
    add_sized('0', "plain", "x");
    end();
}
static void pax_size(void)
{
    add_sized('x', "pax", "9 size=5\n");
    add('0', "f", "", "12345", "0");
    add_sized('0', "g", "x");
    end();
}
static void big_number(void)
{
    char header[BLOCK] = "f";
    header[124] = (char)0x80;
    header[135] = 3;
    header[156] = '0';
    sign(header);
    text_add_bytes(&archive, header, sizeof header);
    text_add(&archive, "abc");
    pad();
    end();
}
static void without_end(void)
{
    add_sized('0', "f", "x");
}
static void odd_kinds(void)
{
    add_sized('3', "device", "");
    add_sized('g', "global", "9 path=x\n");
    add_sized('S', "sparse", "xyz");
    add_sized('0', "f", "x");
    end();
}
static void too_early(void)
{
    add('0', "f", "", "x", "7777");
}
static void huge(void)
{
    add('0', "f", "", "x", "77777777777");
}
static void garbage(void)
{
    for (int i = 0; i < 3 * BLOCK; i++)
        text_add_char(&archive, (char)(i * 7 + 1));
}
static void damaged_later(void)
{
    add_sized('0', "f", "x");
    garbage();
}
static void pax_lies(void)
{
    add_sized('x', "pax", "999 path=x\n");
    end();
}
static void pax_negative(void)
{
    add_sized('x', "pax", "10 size=-5\n");
    add_sized('0', "f", "x");
    end();
}
static void pax_huge(void)
{
    add('x', "pax", "", "x", "4000001");
    for (int i = 0; i < 3000; i++)
        text_add(
            &archive,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    pad();
}
static void nothing(void) {}

static const struct tar_case {
    const char *name;
    void (*make)(void);
    const char *path, *content; /* NULL: not found; path NULL: refused */
    const char *message;
} cases[] = {
    { "a file", plain, "d/f", "content", NULL },
    { "of an old archive", plain, "old", "o", NULL },
    { "a directory is no file", plain, "d", NULL, NULL },
    { "not there", plain, "x", NULL, NULL },
    { "the last one wins", last_wins, "f", "second", NULL },
    { "through a symbolic link", links, "b/layer.tar", "content", NULL },
    { "through a hard link", links, "c/layer.tar", "content", NULL },
    { "through both", links, "d", "content", NULL },
    { "a link that leads out leads nowhere", links, "out", NULL, NULL },
    { "a link to itself", links, "round", NULL, NULL },
    { "GNU's long name", long_names, "gnu/long/name", "g", NULL },
    { "PAX's path", long_names, "pax/one", "p", NULL },
    { "counts for one entry", long_names, "plain", "x", NULL },
    { "PAX's size", pax_size, "f", "12345", NULL },
    { "and goes on behind it", pax_size, "g", "x", NULL },
    { "a number in base 256", big_number, "f", "abc", NULL },
    { "no end is an end", without_end, "f", "x", NULL },
    { "other kinds are passed over", odd_kinds, "f", "x", NULL },
    { "it ends too early", too_early, NULL, NULL, "ends too early" },
    { "a size beyond everything", huge, NULL, NULL, "ends too early" },
    { "no tar at all", garbage, NULL, NULL, "no tar archive" },
    { "empty", nothing, NULL, NULL, "no tar archive" },
    { "damaged later", damaged_later, NULL, NULL, "damaged at byte 1024" },
    { "PAX lies about its length", pax_lies, NULL, NULL, "damaged" },
    { "a negative size", pax_negative, NULL, NULL, "damaged" },
    { "a header that is too long", pax_huge, NULL, NULL, "more than 1048576" },
};

static void finds_files(void **state)
{
    const struct tar_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    struct tar_file file;
    text_clear(&archive);
    c->make();

    struct tar_index *index =
        tar_index_read(read_memory, &archive, (int64_t)archive.len, arena, &err);

    assert_int_equal(index != NULL, c->path != NULL);
    if (!index) {
        assert_non_null(strstr(err.message, c->message));
    } else {
        bool is_found = tar_index_find(index, c->path, &file);
        assert_int_equal(is_found, c->content != NULL);
        if (is_found) {
            assert_int_equal(file.size, strlen(c->content));
            assert_memory_equal(archive.ptr + file.offset, c->content, (size_t)file.size);
        }
    }
    tar_index_done(index);
    arena_free(arena);
}

int main(void)
{
    int failed = RUN_CASES(cases, finds_files);
    text_done(&archive);
    return failed;
}
