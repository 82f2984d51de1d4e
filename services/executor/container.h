#pragma once

#include "executor/cgroup.h"

/* Sets up the container around its first process, which has been made in the namespaces already. */

/* The CLONE_NEW* flags to make the first process with. */
uint64_t container_clone_flags(const Eos__Executor__V1__ContainerPlan *plan);

/* Cgroup, host name, root, mounts, devices, masks, privileges; at the end this process sees and may
 * what the container allows its first process. */
bool container_enter(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                     struct error *err) MUST_CHECK;
