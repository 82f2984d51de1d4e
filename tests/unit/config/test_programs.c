#include "base/alloc.h"
#include "base/text.h"
#include "unit/config/fixture.h"
#include "unit/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs every program of the files in programs/.  There, `### name` begins a program; lines `#= text` at
 * its end are what it prints, and `#! text` is how it fails, both as fixture_outcome() says them.  What the
 * programs print is what Python 3.11 prints, except those in the files deviations-*.txt. */

#define LINE_BYTES 4096

struct program {
    char *name, *text, *expected;
};

struct programs {
    struct program *items;
    size_t count;
};

static void programs_add(struct programs *list, const char *file, const char *title,
                         struct text *text, struct text *expected)
{
    list->items = xreallocarray(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct program){ .name = xasprintf("%s: %s", file, title),
                                                   .text = text_take(text),
                                                   .expected = text_take(expected) };
}

static void read_programs(struct programs *list, const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name), line[LINE_BYTES], title[LINE_BYTES] = "";
    struct text text = TEXT_INIT, expected = TEXT_INIT;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "### ", 4) == 0) {
            if (title[0])
                programs_add(list, name, title, &text, &expected);
            line[strcspn(line, "\n")] = '\0';
            snprintf(title, sizeof title, "%s", line + 4);
        } else if (strncmp(line, "#= ", 3) == 0) {
            text_add(&expected, line + 3);
        } else if (strncmp(line, "#! ", 3) == 0) {
            line[strcspn(line, "\n")] = '\0';
            text_add(&expected, line + 3);
        } else {
            text_add(&text, line);
        }
    }
    assert_true(title[0]);
    programs_add(list, name, title, &text, &expected);
    (void)fclose(file);
    free(path);
}

static void read_folder(struct programs *list, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            read_programs(list, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* A program that fails has printed, too: both stand there, the error last. */
static char *outcome(struct fixture *fixture)
{
    struct text text = TEXT_INIT;
    const char *last = fixture_outcome(fixture);
    if (last != fixture->response->printed)
        text_add(&text, fixture->response->printed);
    text_add(&text, last);
    return text_take(&text);
}

static void prints(void **state)
{
    const struct program *program = *state;
    struct fixture fixture;
    fixture_init(&fixture, program->text);
    fixture_run(&fixture);
    char *found = outcome(&fixture);
    assert_string_equal(found, program->expected);
    free(found);
    fixture_done(&fixture);
}

int main(void)
{
    struct programs list = { 0 };
    read_folder(&list, CONFIG_PROGRAMS);
    struct CMUnitTest *tests = xcalloc(list.count, sizeof *tests);
    for (size_t i = 0; i < list.count; i++)
        tests[i] = (struct CMUnitTest){ .name = list.items[i].name,
                                        .test_func = prints,
                                        .initial_state = &list.items[i] };
    int failed = _cmocka_run_group_tests("programs", tests, list.count, NULL, NULL);
    for (size_t i = 0; i < list.count; i++) {
        free(list.items[i].name);
        free(list.items[i].text);
        free(list.items[i].expected);
    }
    free(list.items);
    free(tests);
    return failed;
}
