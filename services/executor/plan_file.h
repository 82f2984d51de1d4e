#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>

/* Reads and decodes a plan, which is not checked yet; the caller releases it with plan_free(). */
bool plan_read(const char *path, Eos__Executor__V1__TaskPlan **ret_plan,
               struct error *err) MUST_CHECK;
