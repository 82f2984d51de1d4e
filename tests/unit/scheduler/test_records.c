#include "fixture.h"

#include "unit/test.h"

#define KEY "r/prod/a"

typedef Eos__Scheduler__V1__StoredTask stored_task;

/* One task that has a past, ports and a host. */
static struct fixture populated(void)
{
    struct fixture f = fixture_make();
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, KEY, 2);
    request->job->task_config->is_service = true;
    fixture_add_port(&f, request, "http");
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    fixture_report(&f, fixture_task(&f, KEY, 0), TASK_FAILED);
    fixture_report(&f, fixture_task(&f, KEY, 0), TASK_RUNNING);
    return f;
}

static void everything_comes_back(void **state)
{
    struct fixture f = populated();
    (void)state;
    struct task *task = fixture_task(&f, KEY, 0);
    char *id = arena_strdup(f.arena, task->id),
         *ancestor = arena_strdup(f.arena, task->ancestor_id);
    int32_t port = task->ports[0];
    struct resources used = state_find_host(f.state, "h1")->used;
    uint64_t serial = f.state->next_serial;

    fixture_restart(&f);
    task = fixture_task(&f, KEY, 0);
    assert_string_equal(task->id, id);
    assert_string_equal(task->ancestor_id, ancestor);
    assert_int_equal(task->status, TASK_RUNNING);
    assert_int_equal(task->failure_count, 1);
    assert_int_equal(task->ports[0], port);
    assert_int_equal(task->event_count, 3);
    assert_string_equal(task->events[0].message, "Rescheduled");
    assert_int_equal(task->events[2].at_ms, f.now_ms);
    struct host *host = state_find_host(f.state, "h1");
    assert_ptr_equal(task->host, host);
    assert_memory_equal(&host->used, &used, sizeof used);
    assert_true(host_port_is_used(host, port));
    assert_int_equal(host->task_count, 2);
    assert_int_equal(host->references, 3);
    assert_int_equal(f.state->next_serial, serial);
    assert_int_equal(f.state->job_count, 1);
    assert_int_equal(task->config->uses, 4);
    assert_ptr_equal(task->config, fixture_find(&f, KEY)->config);
    assert_int_equal(f.state->changes.count, 0); /* loading changes nothing */
    fixture_done(&f);
}

static void what_is_due_is_due_again(void **state)
{
    struct fixture f = fixture_make();
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, KEY, 1);
    (void)state;
    request->job->task_config->is_service = true;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    for (int i = 0; i < 2; i++) {
        fixture_place(&f);
        fixture_report(&f, fixture_task(&f, KEY, 0), TASK_FAILED);
    }
    assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_THROTTLED);
    fixture_restart(&f);
    fixture_pass(&f, 29000);
    assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_THROTTLED);
    fixture_pass(&f, 120000);
    assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_PENDING);
    fixture_restart(&f);
    assert_int_equal(fixture_task(&f, KEY, 0)->config->pending_count, 1);
    fixture_done(&f);
}

static void changes_are_collected_once(void **state)
{
    struct fixture f = fixture_make();
    size_t tasks = 0, deleted = 0, all = 0;
    struct error err;
    struct entity *entity;
    (void)state;

    fixture_create(&f, fixture_job(&f, KEY, 3));
    fixture_create(&f, fixture_job(&f, "r/prod/b", 2));
    assert_true(fixture_kill(&f, "r/prod/b", &err));
    while ((entity = change_list_take(&f.state->changes))) {
        struct record record = record_of(entity, f.arena);
        all++;
        tasks += entity->kind == ENTITY_TASK && record.value.ptr;
        deleted += !record.value.ptr;
        if (entity->is_deleted)
            entity_free(entity);
    }
    assert_int_equal(tasks, 3);
    assert_int_equal(deleted, 4); /* two tasks, a job, a configuration */
    assert_int_equal(all, 3 + 4 + 2);
    fixture_done(&f);
}

/* -- damage --------------------------------------------------------------------------------------- */

static void no_config(stored_task *task)
{
    task->config_id = 99;
}

static void no_host(stored_task *task)
{
    task->host_id = "h9";
}

static void running_nowhere(stored_task *task)
{
    task->host_id = "";
}

static void no_id(stored_task *task)
{
    task->task_id = "";
}

static void wrong_ports(stored_task *task)
{
    task->n_ports = 0;
}

static void wrong_status(stored_task *task)
{
    task->status = 8;
}

static void other_status_than_the_history(stored_task *task)
{
    task->status = EOS__JOB__V1__SCHEDULE_STATUS__STARTING;
}

static void no_history(stored_task *task)
{
    task->n_events = 0;
}

static const struct damage_case {
    const char *name;
    void (*damage)(stored_task *task);
} damage_cases[] = {
    { "no configuration", no_config },
    { "no host", no_host },
    { "running nowhere", running_nowhere },
    { "no id", no_id },
    { "wrong number of ports", wrong_ports },
    { "unknown status", wrong_status },
    { "a status that the history does not have", other_status_than_the_history },
    { "no history", no_history },
};

static void damaged_tasks_are_refused(void **state)
{
    const struct damage_case *c = *state;
    struct fixture f = populated();
    struct error err;
    struct task *task = fixture_task(&f, KEY, 0);
    struct record record = record_of(&task->entity, f.arena);
    stored_task *message =
        message_unpack(&eos__scheduler__v1__stored_task__descriptor, record.value);
    stored_task changed = *message;

    changed.task_id = "another";
    changed.serial = 1000;
    struct slice good = message_pack(&changed.base, f.arena);
    assert_true(record_load(f.state, ENTITY_TASK, good, &err));
    changed.task_id = "yet another";
    c->damage(&changed);
    struct slice bad = message_pack(&changed.base, f.arena);
    assert_false(record_load(f.state, ENTITY_TASK, bad, &err));
    assert_int_equal(err.code, ERROR_DATA_LOSS);
    message_free(message);
    fixture_done(&f);
}

static void garbage_is_refused(void **state)
{
    struct fixture f = fixture_make();
    struct error err;
    (void)state;
    for (enum entity_kind kind = 0; kind <= ENTITY_KIND_COUNT; kind++) {
        assert_false(record_load(f.state, kind, SLICE("\xff\xff\xff"), &err));
        assert_int_equal(err.code, ERROR_DATA_LOSS);
    }
    for (enum entity_kind kind = ENTITY_CONFIG; kind <= ENTITY_TASK; kind++) {
        assert_false(record_load(f.state, kind, SLICE(""), &err));
        assert_int_equal(err.code, ERROR_DATA_LOSS);
    }
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(what_is_due_is_due_again),
        cmocka_unit_test(changes_are_collected_once),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_CASES(damage_cases, damaged_tasks_are_refused);
}
