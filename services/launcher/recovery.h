#pragma once

#include <stdbool.h>

/* What becomes of a task that a launcher finds on its disk when it starts. */

struct recovery_facts {
    bool is_clean;    /* the checkpoint: nothing of it is left but sandbox and logs */
    bool has_ended;   /* the checkpoint: the end has been recorded */
    bool is_alive;    /* its executor is there */
    bool has_exit;    /* the executor has written down how the task ended */
    bool has_begun;   /* the executor has written a record, so a second launch may run them twice */
    bool was_started; /* the checkpoint names an executor */
};

enum recovery {
    RECOVER_DEAD,      /* nothing is to be done */
    RECOVER_CLEAN,     /* remove what it left behind */
    RECOVER_LEAVE,     /* let its executor go */
    RECOVER_CONNECT,   /* go on with it */
    RECOVER_READ_EXIT, /* it ended meanwhile */
    RECOVER_LOST,      /* its executor died without a word */
    RECOVER_LAUNCH,    /* nothing has been started yet: begin again */
    RECOVERY_COUNT
};

enum recovery recovery_decide(const struct recovery_facts *facts);
