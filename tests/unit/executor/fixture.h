#pragma once

#include "base/arena.h"

#include <eos/executor/v1/executor.pb-c.h>

/* A plan from a line of text: processes, each with its attributes, and orders, separated by "; ":
 *
 *     "a max=2; b daemon; c final min=5; order a b; failures=1; concurrency=2; wait=30; grace=1000"
 *
 * The defaults are those of the job language, with min=0.  It lives in `arena`. */
Eos__Executor__V1__TaskPlan *fixture_plan(struct arena *arena, const char *text);
