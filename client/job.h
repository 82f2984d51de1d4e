#pragma once

#include "client/gateway.h"
#include "client/job_key.h"
#include "client/verb.h"

verb_fn job_list, job_status, job_create, job_inspect, job_kill, job_killall;

/* "CLUSTER/ROLE/ENV/NAME" */
const char *job_key_text(const struct job_key *key, struct arena *arena);

/* Between two looks at tasks that are waited for: grows from 50 ms to 1 s. */
void job_pause(int *pause_ms);
int64_t job_now_ms(void);
