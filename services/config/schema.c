#include "config/schema.h"

#include "config/class.h"

/* clang-format off */
#define KB ((double)1024)
#define MB (KB * 1024)
#define GB (MB * 1024)
#define TB (GB * 1024)

#define LIST_OF(T)           static const struct type type_##T##List = { .kind = TYPE_LIST, .name = #T "List", .item = &type_##T };
#define OPTIONAL(n, T)       { .name = n, .type = &type_##T }
#define REQUIRED(n, T)       { .name = n, .type = &type_##T, .is_required = true }
#define TEXT(n, v)           { .name = n, .type = &type_String, .fallback = FALLBACK_TEXT, .text = v }
#define INTEGER(n, v)        { .name = n, .type = &type_Integer, .fallback = FALLBACK_INTEGER, .number = v }
#define FLOAT(n, v)          { .name = n, .type = &type_Float, .fallback = FALLBACK_FLOAT, .number = v }
#define BOOLEAN(n, v)        { .name = n, .type = &type_Boolean, .fallback = FALLBACK_BOOLEAN, .number = v }
#define WITH(n, T, kind)     { .name = n, .type = &type_##T, .fallback = FALLBACK_##kind }
#define ENUMERATED(n, T, v)  { .name = n, .type = &type_##T, .fallback = FALLBACK_TEXT, .text = v }

enum { ID_NONE,
#define ID(name) ID_##name,
    SCHEMA_TYPES(ID)
#undef ID
    ID_COUNT };

#define STRUCT(T, ...)                                                                             \
    static const struct field fields_##T[] = { __VA_ARGS__ };                                     \
    const struct type type_##T = { .kind = TYPE_STRUCT, .name = #T, .fields = fields_##T,         \
                                   .field_count = sizeof fields_##T / sizeof *fields_##T,         \
                                   .id = ID_##T };
#define ENUM(T, N, ...)                                                                            \
    static const char *const names_##T[] = { __VA_ARGS__ };                                       \
    static const struct type type_##T = { .kind = TYPE_ENUM, .name = N, .names = names_##T,       \
                                          .name_count = sizeof names_##T / sizeof *names_##T };
#define CHOICE(T, N, ...)                                                                          \
    static const struct type *const choices_##T[] = { __VA_ARGS__ };                              \
    static const struct type type_##T = { .kind = TYPE_CHOICE, .name = N, .choices = choices_##T, \
                                          .choice_count = sizeof choices_##T / sizeof *choices_##T };

LIST_OF(String)
LIST_OF(Integer)
static const struct type type_StringStringMap = { .kind = TYPE_MAP, .name = "StringStringMap", .key = &type_String, .item = &type_String };
static const struct type type_StringIntegerMap = { .kind = TYPE_MAP, .name = "StringIntegerMap", .key = &type_String, .item = &type_Integer };

ENUM(LoggerDestination, "Enum_file_console_both_none", "file", "console", "both", "none")
ENUM(LoggerMode, "Enum_standard_rotate", "standard", "rotate")
ENUM(Mode, "Enum_RO_RW", "RO", "RW")

/* Thermos */

STRUCT(RotatePolicy,
    INTEGER("log_size", 100 * MB),
    INTEGER("backups", 5))

STRUCT(Logger,
    ENUMERATED("destination", LoggerDestination, "file"),
    ENUMERATED("mode", LoggerMode, "standard"),
    OPTIONAL("rotate", RotatePolicy))

STRUCT(Resources,
    REQUIRED("cpu", Float),
    REQUIRED("ram", Integer),
    REQUIRED("disk", Integer),
    INTEGER("gpu", 0))

STRUCT(Constraint,
    OPTIONAL("order", StringList))

STRUCT(Process,
    REQUIRED("cmdline", String),
    REQUIRED("name", String),
    OPTIONAL("resources", Resources),
    INTEGER("max_failures", 1),
    BOOLEAN("daemon", false),
    BOOLEAN("ephemeral", false),
    INTEGER("min_duration", 5),
    BOOLEAN("final", false),
    OPTIONAL("logger", Logger))

LIST_OF(Process)
LIST_OF(Constraint)

STRUCT(Task,
    TEXT("name", "{{processes[0].name}}"),
    OPTIONAL("processes", ProcessList),
    WITH("constraints", ConstraintList, LIST),
    OPTIONAL("resources", Resources),
    INTEGER("max_failures", 1),
    INTEGER("max_concurrency", 0),
    INTEGER("finalization_wait", 30),
    OPTIONAL("user", String))

STRUCT(ThermosContext,
    OPTIONAL("ports", StringIntegerMap),
    OPTIONAL("task_id", String),
    OPTIONAL("user", String))

/* Aurora */

STRUCT(MesosContext,
    REQUIRED("instance", Integer),
    REQUIRED("hostname", String))

STRUCT(QueueUpdateStrategy,
    INTEGER("batch_size", 1))

STRUCT(BatchUpdateStrategy,
    INTEGER("batch_size", 1),
    BOOLEAN("autopause_after_batch", false))

STRUCT(VariableBatchUpdateStrategy,
    REQUIRED("batch_sizes", IntegerList),
    BOOLEAN("autopause_after_batch", false))

CHOICE(UpdateStrategy, "Choice_QueueUpdateStrategy_BatchUpdateStrategy_VariableBatchUpdateStrategy",
    &type_QueueUpdateStrategy, &type_BatchUpdateStrategy, &type_VariableBatchUpdateStrategy)

STRUCT(UpdateConfig,
    INTEGER("batch_size", 1),
    INTEGER("watch_secs", 45),
    INTEGER("max_per_shard_failures", 0),
    INTEGER("max_total_failures", 0),
    BOOLEAN("rollback_on_failure", true),
    BOOLEAN("wait_for_batch_completion", false),
    OPTIONAL("pulse_interval_secs", Integer),
    BOOLEAN("sla_aware", false),
    OPTIONAL("update_strategy", UpdateStrategy))

STRUCT(HttpHealthChecker,
    TEXT("endpoint", "/health"),
    TEXT("expected_response", "ok"),
    INTEGER("expected_response_code", 0))

STRUCT(ShellHealthChecker,
    REQUIRED("shell_command", String))

STRUCT(HealthCheckerConfig,
    OPTIONAL("http", HttpHealthChecker),
    OPTIONAL("shell", ShellHealthChecker))

STRUCT(HealthCheckConfig,
    WITH("health_checker", HealthCheckerConfig, HTTP),
    FLOAT("initial_interval_secs", 15.0),
    FLOAT("interval_secs", 10.0),
    INTEGER("max_consecutive_failures", 0),
    INTEGER("min_consecutive_successes", 1),
    FLOAT("timeout_secs", 1.0))

STRUCT(HttpLifecycleConfig,
    TEXT("port", "health"),
    TEXT("graceful_shutdown_endpoint", "/quitquitquit"),
    TEXT("shutdown_endpoint", "/abortabortabort"),
    INTEGER("graceful_shutdown_wait_secs", 5),
    INTEGER("shutdown_wait_secs", 5))

STRUCT(LifecycleConfig,
    OPTIONAL("http", HttpLifecycleConfig))

STRUCT(Announcer,
    TEXT("primary_port", "http"),
    WITH("portmap", StringStringMap, PORTMAP),
    OPTIONAL("zk_path", String))

STRUCT(Metadata,
    REQUIRED("key", String),
    REQUIRED("value", String))

STRUCT(Parameter,
    REQUIRED("name", String),
    REQUIRED("value", String))

LIST_OF(Metadata)
LIST_OF(Parameter)

STRUCT(Docker,
    REQUIRED("image", String),
    WITH("parameters", ParameterList, LIST))

STRUCT(AppcImage,
    REQUIRED("name", String),
    REQUIRED("image_id", String))

STRUCT(DockerImage,
    REQUIRED("name", String),
    REQUIRED("tag", String))

STRUCT(Volume,
    REQUIRED("container_path", String),
    REQUIRED("host_path", String),
    REQUIRED("mode", Mode))

LIST_OF(Volume)

CHOICE(Image, "Choice_AppcImage_DockerImage", &type_AppcImage, &type_DockerImage)

STRUCT(Mesos,
    OPTIONAL("image", Image),
    WITH("volumes", VolumeList, LIST))

STRUCT(Container,
    OPTIONAL("docker", Docker))

CHOICE(AnyContainer, "Choice_Container_Docker_Mesos", &type_Container, &type_Docker, &type_Mesos)

STRUCT(PartitionPolicy,
    BOOLEAN("reschedule", true),
    INTEGER("delay_secs", 0))

STRUCT(CountSlaPolicy,
    REQUIRED("count", Integer),
    REQUIRED("duration_secs", Integer))

STRUCT(PercentageSlaPolicy,
    REQUIRED("percentage", Float),
    REQUIRED("duration_secs", Integer))

STRUCT(CoordinatorSlaPolicy,
    REQUIRED("coordinator_url", String),
    TEXT("status_key", "drain"))

CHOICE(SlaPolicy, "Choice_CoordinatorSlaPolicy_CountSlaPolicy_PercentageSlaPolicy",
    &type_CoordinatorSlaPolicy, &type_CountSlaPolicy, &type_PercentageSlaPolicy)

STRUCT(ExecutorConfig,
    TEXT("name", "AuroraExecutor"),
    TEXT("data", ""))

STRUCT(MesosTaskInstance,
    REQUIRED("task", Task),
    REQUIRED("instance", Integer),
    REQUIRED("role", String),
    OPTIONAL("announce", Announcer),
    REQUIRED("environment", String),
    WITH("health_check_config", HealthCheckConfig, STRUCT),
    OPTIONAL("lifecycle", LifecycleConfig))

STRUCT(MesosJob,
    TEXT("name", "{{task.name}}"),
    REQUIRED("role", String),
    OPTIONAL("contact", String),
    REQUIRED("cluster", String),
    REQUIRED("environment", String),
    INTEGER("instances", 1),
    REQUIRED("task", Task),
    OPTIONAL("announce", Announcer),
    OPTIONAL("tier", String),
    OPTIONAL("cron_schedule", String),
    TEXT("cron_collision_policy", "KILL_EXISTING"),
    WITH("update_config", UpdateConfig, STRUCT),
    OPTIONAL("constraints", StringStringMap),
    WITH("metadata", MetadataList, LIST),
    BOOLEAN("service", false),
    INTEGER("max_task_failures", 1),
    BOOLEAN("production", false),
    INTEGER("priority", 0),
    WITH("health_check_config", HealthCheckConfig, STRUCT),
    WITH("lifecycle", LifecycleConfig, HTTP),
    OPTIONAL("task_links", StringStringMap),
    WITH("executor_config", ExecutorConfig, STRUCT),
    BOOLEAN("enable_hooks", false),
    OPTIONAL("partition_policy", PartitionPolicy),
    OPTIONAL("sla_policy", SlaPolicy),
    OPTIONAL("container", AnyContainer))
/* clang-format on */

struct schema {
    const struct object **fallbacks[ID_COUNT];
};

/* --- defaults --- */

bool schema_struct(struct vm *vm, const struct type *type, const char *field, struct value v,
                   const struct object **ret)
{
    const struct keyword keyword = { field ? string_from(vm->arena, field) : NULL, v };
    const struct args args = { .keywords = &keyword, .keyword_count = field ? 1 : 0 };
    return type_construct(vm, type, &args, ret);
}

static bool make_http(struct vm *vm, const struct type *type, const struct object **ret)
{
    const struct object *http;
    size_t index;
    const struct field *field = type_field(type, SLICE("http"), &index);
    return schema_struct(vm, field->type, NULL, V_NONE, &http) &&
           schema_struct(vm, type, "http", object_value(http), ret);
}

static bool make_portmap(struct vm *vm, const struct type *type, const struct object **ret)
{
    struct value map = dict_value(vm->arena, K_DICT);
    dict_set_text(vm->arena, map.dict, string_from(vm->arena, "aurora"),
                  value_text(vm->arena, "{{primary_port}}"));
    return type_construct1(vm, type, map, ret);
}

static bool make_fallback(struct vm *vm, const struct field *field, const struct object **ret)
{
    switch (field->fallback) {
    case FALLBACK_TEXT:
        *ret = simple_new(vm, field->type, value_text(vm->arena, field->text));
        return true;
    case FALLBACK_INTEGER:
        *ret = simple_new(vm, field->type, V_INT((int64_t)field->number));
        return true;
    case FALLBACK_FLOAT:
        *ret = simple_new(vm, field->type, V_FLOAT(field->number));
        return true;
    case FALLBACK_BOOLEAN:
        *ret = simple_new(vm, field->type, V_BOOL(field->number != 0));
        return true;
    case FALLBACK_LIST:
        return type_construct1(vm, field->type, list_new(vm->arena, K_LIST, 0), ret);
    case FALLBACK_STRUCT:
        return schema_struct(vm, field->type, NULL, V_NONE, ret);
    case FALLBACK_HTTP:
        return make_http(vm, field->type, ret);
    case FALLBACK_PORTMAP:
        return make_portmap(vm, field->type, ret);
    default:
        *ret = field->object;
        return true;
    }
}

/* Made in the arena that stays, whatever is being worked on. */
static bool keep_fallback(struct vm *vm, const struct field *field, const struct object **ret)
{
    struct arena *arena = vm->arena;
    vm->arena = vm->home;
    bool is_done = make_fallback(vm, field, ret);
    vm->arena = arena;
    return is_done;
}

bool schema_fallback(struct vm *vm, const struct type *type, size_t index,
                     const struct object **ret)
{
    const struct field *field = &type->fields[index];
    *ret = field->object;
    if (field->fallback <= FALLBACK_OBJECT)
        return true;
    if (!vm->schema)
        vm->schema = arena_alloc(vm->home, sizeof *vm->schema);
    const struct object ***kept = &vm->schema->fallbacks[type->id];
    if (!*kept)
        *kept = arena_array(vm->home, type->field_count, sizeof **kept);
    if (!(*kept)[index] && !keep_fallback(vm, field, &(*kept)[index]))
        return false;
    *ret = (*kept)[index];
    return true;
}

/* --- names --- */

static const struct {
    const char *name;
    const struct type *type;
} TYPES[] = {
#define NAMED(name) { #name, &type_##name },
    SCHEMA_TYPES(NAMED)
#undef NAMED
        { "Job", &type_MesosJob },
    { "String", &type_String },
    { "Integer", &type_Integer },
    { "Float", &type_Float },
    { "Boolean", &type_Boolean },
    { "Struct", &type_Struct },
    { "LoggerDestination", &type_LoggerDestination },
    { "LoggerMode", &type_LoggerMode },
    { "Mode", &type_Mode },
};

static const struct {
    const char *name;
    double number;
} UNITS[] = {
    { "BYTES", 1 }, { "KB", KB }, { "MB", MB }, { "GB", GB }, { "TB", TB },
};

static bool made_service(struct vm *vm, const struct object **ret)
{
    return schema_struct(vm, &type_MesosJob, "service", V_BOOL(true), ret);
}

static bool made_health_checker(struct vm *vm, const struct object **ret)
{
    return make_http(vm, &type_HealthCheckerConfig, ret);
}

static bool made_lifecycle(struct vm *vm, const struct object **ret)
{
    return make_http(vm, &type_LifecycleConfig, ret);
}

static bool made_no_lifecycle(struct vm *vm, const struct object **ret)
{
    return schema_struct(vm, &type_LifecycleConfig, NULL, V_NONE, ret);
}

static const struct {
    const char *name;
    bool (*make)(struct vm *vm, const struct object **ret);
} VALUES[] = {
    { "Service", made_service },
    { "DefaultHealthChecker", made_health_checker },
    { "DefaultLifecycleConfig", made_lifecycle },
    { "DisableLifecycle", made_no_lifecycle },
};

#define COUNT(table) (sizeof table / sizeof *table)

static bool named_value(struct vm *vm, size_t index, struct value *ret)
{
    const struct object *object;
    if (!VALUES[index].make(vm, &object))
        return false;
    *ret = object_value(object);
    return true;
}

bool schema_name(struct vm *vm, struct string *name, struct value *ret)
{
    *ret = V_UNBOUND;
    for (size_t i = 0; i < COUNT(TYPES); i++)
        if (string_is(name, TYPES[i].name)) {
            *ret = type_value(TYPES[i].type);
            return true;
        }
    for (size_t i = 0; i < COUNT(UNITS); i++)
        if (string_is(name, UNITS[i].name)) {
            *ret = V_INT((int64_t)UNITS[i].number);
            return true;
        }
    for (size_t i = 0; i < COUNT(VALUES); i++)
        if (string_is(name, VALUES[i].name))
            return named_value(vm, i, ret);
    if (string_is(name, "Empty"))
        *ret = V_EMPTY;
    else if (string_is(name, "AURORA_EXECUTOR_NAME"))
        *ret = value_text(vm->arena, "AuroraExecutor");
    return true;
}

const char *schema_name_at(size_t index)
{
    if (index < COUNT(TYPES))
        return TYPES[index].name;
    index -= COUNT(TYPES);
    if (index < COUNT(UNITS))
        return UNITS[index].name;
    index -= COUNT(UNITS);
    return index < COUNT(VALUES) ? VALUES[index].name : NULL;
}
