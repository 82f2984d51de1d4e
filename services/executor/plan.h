#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "plan/limits.h"

#include <eos/executor/v1/executor.pb-c.h>

/* The launcher's plan, decoded and checked.  A plan is trusted to be what the launcher meant, but
 * not to be well formed: a file cut short or written by hand gets a sentence, never a crash. */

#define PLAN_MAX_BYTES     (16u << 20)
#define PLAN_MAX_NAME      255u
#define PLAN_MAX_ORDERED   10000u             /* names in all constraints together */
#define PLAN_MAX_ARGUMENT  ((128u << 10) - 1) /* the kernel's MAX_ARG_STRLEN without the NUL */
#define PLAN_MAX_VARIABLES 4096u
#define PLAN_MAX_MOUNTS    1024u
#define PLAN_MAX_PATHS     1024u

/* The caller owns the plan, which is not checked yet, and releases it with plan_free(). */
bool plan_decode(struct slice bytes, Eos__Executor__V1__TaskPlan **ret_plan,
                 struct error *err) MUST_CHECK;
void plan_free(Eos__Executor__V1__TaskPlan *plan); /* NULL is a no-op */

/* INVALID_ARGUMENT names the field. */
bool plan_check(const Eos__Executor__V1__TaskPlan *plan, struct error *err) MUST_CHECK;
