#include "executor/identity.h"

#include "unit/test.h"

static const struct identity_case {
    const char *name, *contents;
    const char *lines;   /* what is appended */
    const char *message; /* NULL unless the image has another */
} passwd_cases[] = {
    { "no file", "", "joe:x:1000:100::/home/joe:/bin/sh\n", NULL },
    { "others", "root:x:0:0:root:/root:/bin/sh\n", "joe:x:1000:100::/home/joe:/bin/sh\n", NULL },
    { "no line end", "root:x:0:0:root:/root:/bin/sh", "\njoe:x:1000:100::/home/joe:/bin/sh\n",
      NULL },
    { "there", "joe:x:1000:5:::\n", "", NULL },
    { "there, last and without line end", "a:x:1:1:::\njoe:x:1000:5:::", "", NULL },
    { "the uid under another name", "jim:x:1000:5:::\n", "joe:x:1000:100::/home/joe:/bin/sh\n",
      NULL },
    { "a longer name", "joey:x:1:1:::\n", "joe:x:1000:100::/home/joe:/bin/sh\n", NULL },
    { "garbage", "\n:::\njoe\njoe:\n#:x\n", "joe:x:1000:100::/home/joe:/bin/sh\n", NULL },
    { "another uid", "joe:x:82:82:::\n", "",
      "the image has a user \"joe\" with uid 82, but on this host it is 1000" },
    { "a uid that is no number", "joe:x:abc:82:::\n", "", "uid -1" },
    { "a uid that is too large", "joe:x:4294967296:82:::\n", "", "uid -1" },
};

static const Eos__Executor__V1__UserPlan *joe(void)
{
    static Eos__Executor__V1__UserPlan user = EOS__EXECUTOR__V1__USER_PLAN__INIT;
    user.name = "joe";
    user.home = "/home/joe";
    user.uid = 1000;
    user.gid = 100;
    return &user;
}

static void passwd_is_completed(void **state)
{
    const struct identity_case *c = *state;
    struct error err = { 0 };
    struct text lines = TEXT_INIT;
    bool ok = identity_passwd(slice_of(c->contents), joe(), &lines, &err);
    assert_int_equal(ok, c->message == NULL);
    assert_string_equal(text_string(&lines), c->lines);
    if (c->message)
        assert_non_null(strstr(err.message, c->message));
    text_done(&lines);
}

static const struct identity_case group_cases[] = {
    { "no file", "", "joe:x:100:\n", NULL },
    { "others", "root:x:0:\n", "joe:x:100:\n", NULL },
    { "no line end", "root:x:0:", "\njoe:x:100:\n", NULL },
    { "the gid", "users:x:100:\n", "", NULL },
    { "the name", "joe:x:5:\n", "", NULL },
};

static void group_is_completed(void **state)
{
    const struct identity_case *c = *state;
    struct text lines = TEXT_INIT;
    identity_group(slice_of(c->contents), joe(), &lines);
    assert_string_equal(text_string(&lines), c->lines);
    text_done(&lines);
}

int main(void)
{
    return RUN_CASES(passwd_cases, passwd_is_completed) +
           RUN_CASES(group_cases, group_is_completed);
}
