#include "launcher/task_plan.h"

#include "base/cleanup.h"
#include "base/slice.h"

/* executor_data as any client of the job API may send it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    Eos__Job__V1__AssignedTask task = EOS__JOB__V1__ASSIGNED_TASK__INIT;
    Eos__Job__V1__TaskConfig config = EOS__JOB__V1__TASK_CONFIG__INIT;
    Eos__Job__V1__JobKey key = EOS__JOB__V1__JOB_KEY__INIT;
    Eos__Job__V1__AssignedPort port = EOS__JOB__V1__ASSIGNED_PORT__INIT, *ports[] = { &port };
    Eos__Executor__V1__TaskPlan *plan;
    struct error err;

    key.role = "role";
    port.name = "http";
    port.port = 31000;
    config.job = &key;
    config.executor_data = arena_memdup0(arena, data, size);
    task.task = &config;
    task.task_id = "task";
    task.hostname = "host";
    task.assigned_ports = ports;
    task.n_assigned_ports = 1;
    struct task_plan_input input = { .task = &task,
                                     .cluster = "c",
                                     .run_directory = "/run",
                                     .sandbox = "/sandbox",
                                     .path = "/bin" };
    if (task_plan_make(&input, arena, &plan, &err))
        (void)eos__executor__v1__task_plan__get_packed_size(plan);
    arena_free(arena);
    return 0;
}
