#include "executor/environment.h"

#include "base/text.h"

#include "fixture.h"
#include "unit/test.h"

static const struct environment_case {
    const char *name;
    const char *user, *path;
    bool has_profile;
    const char *variables[4][2];
    const char *made;
} cases[] = {
    { "defaults", "joe", "/bin", false, { { 0 } }, "HOME=/sandbox LOGNAME=joe USER=joe PATH=/bin" },
    { "nobody in particular", NULL, "/bin", false, { { 0 } }, "HOME=/sandbox PATH=/bin" },
    { "a profile",
      "joe",
      "/bin",
      true,
      { { 0 } },
      "HOME=/sandbox LOGNAME=joe USER=joe PATH=/bin BASH_ENV=/sandbox/.thermos_profile" },
    { "the plan's own",
      "joe",
      "/bin",
      false,
      { { "A", "1" }, { "B", "" } },
      "HOME=/sandbox LOGNAME=joe USER=joe PATH=/bin A=1 B=" },
    { "the plan wins",
      "joe",
      "/bin",
      true,
      { { "PATH", "/usr/bin" }, { "HOME", "/root" }, { "BASH_ENV", "x" } },
      "LOGNAME=joe USER=joe PATH=/usr/bin HOME=/root BASH_ENV=x" },
    { "the last of a name wins",
      NULL,
      "",
      false,
      { { "A", "1" }, { "B", "2" }, { "A", "3" } },
      "HOME=/sandbox B=2 A=3" },
};

static void add_variables(struct arena *arena, Eos__Executor__V1__TaskPlan *plan,
                          const char *const variables[4][2])
{
    plan->environment = arena_array(arena, 4, sizeof *plan->environment);
    for (size_t i = 0; i < 4 && variables[i][0]; i++) {
        Eos__Executor__V1__Variable *variable = arena_alloc(arena, sizeof *variable);
        eos__executor__v1__variable__init(variable);
        variable->name = (char *)variables[i][0];
        variable->value = (char *)variables[i][1];
        plan->environment[plan->n_environment++] = variable;
    }
}

static void is_made(void **state)
{
    const struct environment_case *c = *state;
    struct arena *arena = arena_new();
    Eos__Executor__V1__TaskPlan *plan = fixture_plan(arena, "a");
    Eos__Executor__V1__UserPlan user = EOS__EXECUTOR__V1__USER_PLAN__INIT;
    user.name = (char *)c->user;
    plan->user = c->user ? &user : NULL;
    add_variables(arena, plan, c->variables);

    char **made = environment_make(plan, c->path, c->has_profile, arena);

    struct text line = TEXT_INIT;
    for (size_t i = 0; made[i]; i++)
        text_printf(&line, "%s%s", i ? " " : "", made[i]);
    assert_string_equal(text_string(&line), c->made);
    text_done(&line);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, is_made);
}
