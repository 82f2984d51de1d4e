#include "client/task_state.h"

enum { IS_ACTIVE = 1, IS_LIVE = 2 };

static const struct {
    Eos__Job__V1__ScheduleStatus status;
    unsigned sets;
    enum colour colour;
} states[] = {
    // clang-format off
    { EOS__JOB__V1__SCHEDULE_STATUS__INIT,        0,                   COLOUR_NONE },
    { EOS__JOB__V1__SCHEDULE_STATUS__PENDING,     IS_ACTIVE,           COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__THROTTLED,   IS_ACTIVE,           COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__ASSIGNED,    IS_ACTIVE,           COLOUR_CYAN },
    { EOS__JOB__V1__SCHEDULE_STATUS__STARTING,    IS_ACTIVE,           COLOUR_CYAN },
    { EOS__JOB__V1__SCHEDULE_STATUS__RUNNING,     IS_ACTIVE | IS_LIVE, COLOUR_GREEN },
    { EOS__JOB__V1__SCHEDULE_STATUS__PARTITIONED, IS_ACTIVE | IS_LIVE, COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__DRAINING,    IS_ACTIVE | IS_LIVE, COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__KILLING,     IS_ACTIVE | IS_LIVE, COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__PREEMPTING,  IS_ACTIVE | IS_LIVE, COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__RESTARTING,  IS_ACTIVE | IS_LIVE, COLOUR_YELLOW },
    { EOS__JOB__V1__SCHEDULE_STATUS__FINISHED,    0,                   COLOUR_DIM },
    { EOS__JOB__V1__SCHEDULE_STATUS__KILLED,      0,                   COLOUR_DIM },
    { EOS__JOB__V1__SCHEDULE_STATUS__FAILED,      0,                   COLOUR_RED },
    { EOS__JOB__V1__SCHEDULE_STATUS__LOST,        0,                   COLOUR_RED },
    // clang-format on
};

static size_t find(Eos__Job__V1__ScheduleStatus status)
{
    for (size_t i = 1; i < sizeof states / sizeof states[0]; i++)
        if (states[i].status == status)
            return i;
    return 0;
}

bool task_state_is_active(Eos__Job__V1__ScheduleStatus status)
{
    return states[find(status)].sets & IS_ACTIVE;
}

bool task_state_is_live(Eos__Job__V1__ScheduleStatus status)
{
    return states[find(status)].sets & IS_LIVE;
}

enum colour task_state_colour(Eos__Job__V1__ScheduleStatus status)
{
    return states[find(status)].colour;
}

const char *task_state_name(Eos__Job__V1__ScheduleStatus status)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&eos__job__v1__schedule_status__descriptor,
                                             (int)status);
    return value ? value->name : "UNKNOWN";
}
