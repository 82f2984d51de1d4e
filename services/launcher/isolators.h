#pragma once

#include "launcher/isolator.h"

/* The isolators of this launcher, in the order of its flag. */

#define ISOLATORS_MAX 64u

/* clang-format off */
#define ISOLATORS_DEFAULT \
    "filesystem/linux,docker/runtime,appc/runtime," \
    "cgroups/cpu,cgroups/mem,cgroups/pids," \
    "namespaces/pid,namespaces/ipc,namespaces/uts,namespaces/cgroup," \
    "linux/capabilities,linux/nnp,linux/seccomp,linux/devices,volume/host_path"
/* clang-format on */

struct isolators {
    const struct isolator *list[ISOLATORS_MAX];
    size_t count;
};

/* `names` are separated by commas.  INVALID_ARGUMENT for an unknown name, or one that is there twice. */
bool isolators_choose(const char *names, struct isolators *ret_isolators,
                      struct error *err) MUST_CHECK;

/* Makes the container of the plan: each isolator's part, in order, and the sandbox. */
bool isolators_prepare(const struct isolators *isolators, const struct container *container,
                       Eos__Executor__V1__TaskPlan *plan, struct error *err) MUST_CHECK;

/* All are called; the first failure is told. */
bool isolators_isolate(const struct isolators *isolators, const char *task_id, pid_t pid,
                       struct error *err) MUST_CHECK;
bool isolators_recover(const struct isolators *isolators, const char *task_id, pid_t pid,
                       struct error *err) MUST_CHECK;

/* Adds up what a task uses. */
void isolators_usage(const struct isolators *isolators, const char *task_id,
                     struct isolator_usage *usage);

/* The first that has a sentence to say wins. */
bool isolators_watch(const struct isolators *isolators, const char *task_id, struct error *err);

/* In reverse order; all are tried, and the first failure is told. */
bool isolators_cleanup(const struct isolators *isolators, const char *task_id,
                       const char *directory, struct error *err) MUST_CHECK;

/* One per file isolator_*.c. */
extern const struct isolator isolator_filesystem_linux, isolator_docker_runtime,
    isolator_appc_runtime, isolator_cgroups_cpu, isolator_cgroups_mem, isolator_cgroups_pids,
    isolator_namespaces_pid, isolator_namespaces_ipc, isolator_namespaces_uts,
    isolator_namespaces_cgroup, isolator_linux_capabilities, isolator_linux_nnp,
    isolator_linux_seccomp, isolator_linux_devices, isolator_volume_host_path;
