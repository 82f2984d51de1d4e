#pragma once

#include <sys/types.h>

/* The processes below this one.  It has to be their reaper: the first of a pid namespace, or a
 * subreaper, so that an orphan below it becomes its child. */

/* Calls `visit` for each child, zombies included.  Does nothing where /proc is not of this process's
 * pid namespace. */
void descendants_visit_children(void (*visit)(void *user, pid_t pid), void *user);

/* Kills all of them and reaps them, at most for some seconds.  SIGCHLD is blocked. */
void descendants_kill(void);
