#pragma once

/* How much the plan of a task may hold: the executor checks it, and the launcher makes none that is over. */

#define PLAN_MAX_PROCESSES 1000u
#define PLAN_MAX_LAYERS    500u /* what the kernel stacks in one overlay */
