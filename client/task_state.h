#pragma once

#include "client/output.h"

#include "eos/job/v1/job.pb-c.h"

/* The sets of task states that commands speak of. */
bool task_state_is_active(Eos__Job__V1__ScheduleStatus status);
bool task_state_is_live(Eos__Job__V1__ScheduleStatus status);

const char *task_state_name(Eos__Job__V1__ScheduleStatus status);
enum colour task_state_colour(Eos__Job__V1__ScheduleStatus status);
