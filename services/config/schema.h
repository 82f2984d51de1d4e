#pragma once

#include "config/template.h"

/* Thermos's and Aurora's objects, as tables. */

#define SCHEMA_TYPES(X)                                                                            \
    X(Logger)                                                                                      \
    X(RotatePolicy)                                                                                \
    X(Resources)                                                                                   \
    X(Constraint)                                                                                  \
    X(Process)                                                                                     \
    X(Task)                                                                                        \
    X(UpdateConfig)                                                                                \
    X(QueueUpdateStrategy)                                                                         \
    X(BatchUpdateStrategy)                                                                         \
    X(VariableBatchUpdateStrategy)                                                                 \
    X(HttpHealthChecker)                                                                           \
    X(ShellHealthChecker)                                                                          \
    X(HealthCheckerConfig)                                                                         \
    X(HealthCheckConfig)                                                                           \
    X(HttpLifecycleConfig)                                                                         \
    X(LifecycleConfig)                                                                             \
    X(Announcer)                                                                                   \
    X(Metadata)                                                                                    \
    X(Parameter)                                                                                   \
    X(Docker)                                                                                      \
    X(Volume)                                                                                      \
    X(AppcImage)                                                                                   \
    X(DockerImage)                                                                                 \
    X(Mesos)                                                                                       \
    X(Container)                                                                                   \
    X(PartitionPolicy)                                                                             \
    X(CountSlaPolicy)                                                                              \
    X(PercentageSlaPolicy)                                                                         \
    X(CoordinatorSlaPolicy)                                                                        \
    X(ExecutorConfig) X(MesosContext) X(ThermosContext) X(MesosTaskInstance) X(MesosJob)

#define SCHEMA_DECLARE(name) extern const struct type type_##name;
SCHEMA_TYPES(SCHEMA_DECLARE)
#undef SCHEMA_DECLARE

/* The default of a field, or NULL; made once per compilation. */
bool schema_fallback(struct vm *vm, const struct type *type, size_t index,
                     const struct object **ret);

/* A name that configurations find without an import; K_UNBOUND when it is none of the schema's. */
bool schema_name(struct vm *vm, struct string *name, struct value *ret);

/* Names for suggestions; NULL at the end. */
const char *schema_name_at(size_t index);

struct object_builder;
bool schema_struct(struct vm *vm, const struct type *type, const char *field, struct value v,
                   const struct object **ret);

extern const struct native helper_natives[]; /* SimpleTask, order, ... */
extern const struct native processes_natives[], tasks_natives[], options_natives[], units_natives[];
