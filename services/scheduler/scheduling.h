#pragma once

#include "scheduler/state.h"

/* Places pending tasks on hosts, first fit, until all that fit are placed or about `budget` hosts have
 * been looked at.  True when there may be more to place. */
bool scheduling_round(struct state *state, size_t budget, int64_t now_ms);
