#include "launcher/task_plan.h"

#include "unit/test.h"

typedef Eos__Executor__V1__TaskPlan task_plan;

/* -- a task to make plans of ---------------------------------------------------------------------- */

struct fixture {
    struct arena *arena;
    Eos__Job__V1__AssignedTask assigned;
    Eos__Job__V1__TaskConfig config;
    Eos__Job__V1__JobKey key;
    Eos__Job__V1__AssignedPort port, *ports[1];
    struct account account;
    struct error err;
    task_plan *plan;
    bool ok;
};

static void make(struct fixture *f, const char *executor_data)
{
    *f = (struct fixture){ .arena = arena_new() };
    eos__job__v1__assigned_task__init(&f->assigned);
    eos__job__v1__task_config__init(&f->config);
    eos__job__v1__job_key__init(&f->key);
    eos__job__v1__assigned_port__init(&f->port);
    f->key.role = "www-data";
    f->config.job = &f->key;
    f->config.executor_data = (char *)executor_data;
    f->port.name = "http";
    f->port.port = 31000;
    f->ports[0] = &f->port;
    f->assigned.task_id = "task-1";
    f->assigned.hostname = "h1.example.org";
    f->assigned.instance_id = 3;
    f->assigned.task = &f->config;
    f->assigned.assigned_ports = f->ports;
    f->assigned.n_assigned_ports = 1;
    f->account = (struct account){ .name = "www-data", .home = "/var/www", .uid = 33, .gid = 33 };
    struct task_plan_input input = {
        .task = &f->assigned,
        .cluster = "devcluster",
        .run_directory = "/state/tasks/task-1",
        .sandbox = "/sandbox",
        .account = &f->account,
        .path = "/bin",
        .kill_grace_ms = 5000,
    };
    f->ok = task_plan_make(&input, f->arena, &f->plan, &f->err);
}

static const char *variable(const task_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_environment; i++)
        if (strcmp(plan->environment[i]->name, name) == 0)
            return plan->environment[i]->value;
    return NULL;
}

#define JOB(task)     "{\"role\": \"www-data\", \"task\": {" task "}}"
#define PROCESS(more) JOB("\"processes\": [{\"name\": \"p\", \"cmdline\": \"true\"" more "}]")
#define COMMAND(text) JOB("\"processes\": [{\"name\": \"p\", \"cmdline\": \"" text "\"}]")

/* -- command lines -------------------------------------------------------------------------------- */

static const struct command_case {
    const char *name, *executor_data, *cmdline;
} commands[] = {
    { "instance", COMMAND("{{mesos.instance}}"), "3" },
    { "host name", COMMAND("{{mesos.hostname}}"), "h1.example.org" },
    { "role and cluster", COMMAND("{{mesos.role}}@{{mesos.cluster}}"), "www-data@devcluster" },
    { "task id", COMMAND("{{thermos.task_id}}"), "task-1" },
    { "user", COMMAND("{{thermos.user}}"), "www-data" },
    { "port", COMMAND("{{thermos.ports[http]}}"), "31000" },
    { "port by another name",
      "{\"announce\": {\"portmap\": {\"aurora\": \"http\"}}, \"task\": {\"processes\": [{\"name\": "
      "\"p\", \"cmdline\": \"{{thermos.ports[aurora]}}\"}]}}",
      "31000" },
    { "text beyond ASCII", COMMAND("\\u00e4"), "\xc3\xa4" },
    { "an instance instead of a job",
      "{\"instance\": 0, \"task\": {\"processes\": [{\"name\": \"p\", \"cmdline\": \"x\"}]}}",
      "x" },
};

static void fills_command_lines(void **state)
{
    const struct command_case *c = *state;
    struct fixture f;
    make(&f, c->executor_data);
    assert_string_equal(f.err.message, "");
    assert_true(f.ok);
    assert_string_equal(f.plan->processes[0]->cmdline, c->cmdline);
    arena_free(f.arena);
}

/* -- what is wrong -------------------------------------------------------------------------------- */

static const struct wrong_case {
    const char *name, *executor_data, *message;
} wrong[] = {
    { "nothing", "", "Task did not have a thermos config!" },
    { "not JSON", "{", "Could not deserialize thermos config: " },
    { "not an object", "[]", "field task: expected an object" },
    { "no task", "{}", "field task: expected an object" },
    { "no processes", JOB("\"processes\": []"), "the task has no processes" },
    { "processes are no list", JOB("\"processes\": {}"), "field processes: expected a list" },
    { "no name", JOB("\"processes\": [{\"cmdline\": \"x\"}]"), "field name: expected a text" },
    { "a slash in a name", JOB("\"processes\": [{\"name\": \"a/b\", \"cmdline\": \"x\"}]"),
      "field name: " },
    { "a dot first in a name", JOB("\"processes\": [{\"name\": \".a\", \"cmdline\": \"x\"}]"),
      "field name: " },
    { "a number as command line", JOB("\"processes\": [{\"name\": \"p\", \"cmdline\": 1}]"),
      "process \"p\": field cmdline: expected a text" },
    { "a reference without value", COMMAND("{{thermos.ports[admin]}}"),
      "process \"p\": field cmdline: Failed to interpolate task, missing: thermos.ports[admin]" },
    { "a negative number of failures", PROCESS(", \"max_failures\": -1"),
      "field max_failures: expected a number from 0 to 1000000" },
    { "half a failure", PROCESS(", \"max_failures\": 0.5"),
      "field max_failures: expected a whole number" },
    { "a text that is no switch", PROCESS(", \"daemon\": \"maybe\""),
      "field daemon: expected true or false" },
    { "an unknown destination", PROCESS(", \"logger\": {\"destination\": \"mars\"}"),
      "field logger: field destination: expected file, console, both or none" },
    { "no room for the log",
      PROCESS(", \"logger\": {\"mode\": \"rotate\", \"rotate\": {\"log_size\": 0}}"),
      "Log size cannot be less than one byte." },
    { "no backups", PROCESS(", \"logger\": {\"mode\": \"rotate\", \"rotate\": {\"backups\": 0}}"),
      "Log backups cannot be less than one." },
    { "a circle of ports",
      "{\"announce\": {\"portmap\": {\"a\": \"a\"}}, \"task\": {\"processes\": []}}",
      "Found cycle in portmap!" },
    { "an order of numbers",
      JOB("\"processes\": [{\"name\": \"p\", \"cmdline\": \"x\"}], \"constraints\": [{\"order\": "
          "[1]}]"),
      "field constraints: field order: expected texts" },
};

static void explains(void **state)
{
    const struct wrong_case *c = *state;
    struct fixture f;
    make(&f, c->executor_data);
    assert_false(f.ok);
    assert_int_equal(f.err.code, ERROR_INVALID_ARGUMENT);
    assert_non_null(strstr(f.err.message, c->message));
    arena_free(f.arena);
}

/* -- the rest ------------------------------------------------------------------------------------- */

static void defaults_are_auroras(void **state)
{
    struct fixture f;
    (void)state;
    make(&f, PROCESS(""));
    assert_true(f.ok);
    assert_int_equal(f.plan->max_failures, 1);
    assert_int_equal(f.plan->max_concurrency, 0);
    assert_int_equal(f.plan->finalization_wait_secs, 30);
    assert_int_equal(f.plan->processes[0]->max_failures, 1);
    assert_int_equal(f.plan->processes[0]->min_duration_secs, 5);
    assert_false(f.plan->processes[0]->daemon || f.plan->processes[0]->ephemeral ||
                 f.plan->processes[0]->final);
    assert_null(f.plan->processes[0]->logger);
    arena_free(f.arena);
}

static void all_fields_are_read(void **state)
{
    struct fixture f;
    (void)state;
    make(&f,
         JOB("\"processes\": [{\"name\": \"a{{mesos.instance}}\", \"cmdline\": \"x\", "
             "\"max_failures\": \"{{mesos.instance}}\", \"min_duration\": 7.0, \"daemon\": true, "
             "\"ephemeral\": \"true\", \"final\": true, \"logger\": {\"destination\": \"both\", "
             "\"mode\": \"rotate\", \"rotate\": {\"log_size\": 4096, \"backups\": 2}}}], "
             "\"constraints\": [{\"order\": [\"a{{mesos.instance}}\"]}], \"max_failures\": 2, "
             "\"max_concurrency\": 4, \"finalization_wait\": 61"));
    assert_string_equal(f.err.message, "");
    assert_true(f.ok);
    const Eos__Executor__V1__ProcessPlan *process = f.plan->processes[0];
    assert_string_equal(process->name, "a3");
    assert_int_equal(process->max_failures, 3);
    assert_int_equal(process->min_duration_secs, 7);
    assert_true(process->daemon && process->ephemeral && process->final);
    assert_int_equal(process->logger->destination,
                     EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__BOTH);
    assert_int_equal(process->logger->rotate_bytes, 4096);
    assert_int_equal(process->logger->rotate_backups, 2);
    assert_string_equal(f.plan->constraints[0]->names[0], "a3");
    assert_int_equal(f.plan->max_failures, 2);
    assert_int_equal(f.plan->max_concurrency, 4);
    assert_int_equal(f.plan->finalization_wait_secs, 61);
    arena_free(f.arena);
}

static void surroundings_are_the_users(void **state)
{
    struct fixture f;
    (void)state;
    make(&f, PROCESS(""));
    assert_string_equal(variable(f.plan, "HOME"), "/sandbox");
    assert_string_equal(variable(f.plan, "USER"), "www-data");
    assert_string_equal(variable(f.plan, "LOGNAME"), "www-data");
    assert_string_equal(variable(f.plan, "PATH"), "/bin");
    assert_string_equal(f.plan->log_directory, "/sandbox/.logs");
    assert_string_equal(f.plan->run_directory, "/state/tasks/task-1");
    assert_int_equal(f.plan->user->uid, 33);
    assert_int_equal(f.plan->kill_grace_ms, 5000);
    arena_free(f.arena);
}

static void an_image_adds_to_the_environment(void **state)
{
    static const char *const environment[] = {
        "PATH=/opt/bin:/bin", "LANG=C", "HOME=/root", "USER=root", "A=1=2",
        "nonsense",           "=x",     "EMPTY="
    };
    struct fixture f;
    (void)state;
    make(&f, PROCESS(""));
    task_plan_add_environment(f.plan, environment, 8, f.arena);
    assert_string_equal(variable(f.plan, "PATH"), "/opt/bin:/bin");
    assert_string_equal(variable(f.plan, "LANG"), "C");
    assert_string_equal(variable(f.plan, "A"), "1=2");
    assert_string_equal(variable(f.plan, "EMPTY"), "");
    assert_string_equal(variable(f.plan, "HOME"), "/sandbox");
    assert_string_equal(variable(f.plan, "USER"), "www-data");
    assert_int_equal(f.plan->n_environment, 7);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(defaults_are_auroras),
        cmocka_unit_test(all_fields_are_read),
        cmocka_unit_test(surroundings_are_the_users),
        cmocka_unit_test(an_image_adds_to_the_environment),
    };
    return RUN_CASES(commands, fills_command_lines) + RUN_CASES(wrong, explains) +
           cmocka_run_group_tests(others, NULL, NULL);
}
