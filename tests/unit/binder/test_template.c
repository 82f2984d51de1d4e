#include "binder/template.h"
#include "unit/test.h"

static const struct template_case {
    const char *name;        /* the text */
    size_t count;            /* of templates */
    const char *image, *tag; /* of the first */
    bool is_whole;
} cases[] = {
    { "{{docker.image[a][1]}}", 1, "a", "1", true },
    { "{{docker.image[some/name][some.tag]}}", 1, "some/name", "some.tag", true },
    { "{{.docker.image[a][1]}}", 1, "a", "1", true },
    { "{{docker.image[A_b-c./d][x_y-z.]}}", 1, "A_b-c./d", "x_y-z.", true },
    { "x{{docker.image[a][1]}}", 1, "a", "1", false },
    { "{{docker.image[a][1]}} ", 1, "a", "1", false },
    { "{{docker.image[a][1]}}{{docker.image[b][2]}}", 2, "a", "1", false },
    { "{{{docker.image[a][1]}}}", 1, "a", "1", false },
    { "{{x}}{{docker.image[a][1]}}", 1, "a", "1", false },
    { "{{docker.image[a{{docker.image[b][2]}}", 1, "b", "2", false },

    { "", 0, "", "", false },
    { "{{", 0, "", "", false },
    { "{{docker.image[a]}}", 0, "", "", false },
    { "{{docker.image[a][1][2]}}", 0, "", "", false },
    { "{{docker.image[a][]}}", 0, "", "", false },
    { "{{docker.image[][1]}}", 0, "", "", false },
    { "{{docker.image[a][1]}", 0, "", "", false },
    { "{{docker.image[a][1]", 0, "", "", false },
    { "{docker.image[a][1]}", 0, "", "", false },
    { "{{ docker.image[a][1]}}", 0, "", "", false },
    { "{{docker.image[a] [1]}}", 0, "", "", false },
    { "{{docker.image[a:5][1]}}", 0, "", "", false },
    { "{{docker.images[a][1]}}", 0, "", "", false },
    { "{{mydocker.image[a][1]}}", 0, "", "", false },
    { "{{docker.image[{{x}}][1]}}", 0, "", "", false },
    { "{{&docker.image[a][1]}}", 0, "", "", false },
};

static void templates_are_found(void **state)
{
    const struct template_case *c = *state;
    struct image_template template, first = { 0 };
    size_t at = 0, count = 0;
    while (template_next(slice_of(c->name), &at, &template)) {
        if (count++ == 0)
            first = template;
        assert_in_range(at, 1, strlen(c->name));
    }
    assert_int_equal(count, c->count);
    if (count > 0) {
        assert_true(slice_is(first.name, c->image));
        assert_true(slice_is(first.tag, c->tag));
    }
    assert_int_equal(template_is(slice_of(c->name), &template), c->is_whole);
}

int main(void)
{
    return RUN_CASES(cases, templates_are_found);
}
