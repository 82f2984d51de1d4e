#pragma once

#include "executor/cgroup.h"

/* Sets up the container around its first process, which has been made in the namespaces already. */

/* The CLONE_NEW* flags to make the first process with. */
uint64_t container_clone_flags(const Eos__Executor__V1__ContainerPlan *plan);

/* Host name, root, mounts, devices, masks; at the end this process sees the container only. */
bool container_enter(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                     struct error *err) MUST_CHECK;

/* What must wait until this process is in its cgroup: the cgroup namespace and the capabilities. */
bool container_seal(const Eos__Executor__V1__ContainerPlan *plan, struct error *err) MUST_CHECK;
