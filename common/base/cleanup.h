#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Scope-bound ownership.  Declare at initialisation, release by leaving the scope, hand over with
 * TAKE() or TAKE_FD(): there is exactly one owner at any line of a function. */
#define CLEANUP(fn)   __attribute__((cleanup(fn)))
#define cleanup_free  CLEANUP(free_ptr)
#define cleanup_close CLEANUP(close_fd)
#define cleanup_file  CLEANUP(close_file)

#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __auto_type take_ = (p);                                                                   \
        (p) = NULL;                                                                                \
        take_;                                                                                     \
    })

#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int take_ = (fd);                                                                          \
        (fd) = -1;                                                                                 \
        take_;                                                                                     \
    })

/* Defines the function `name(type *pp)` for CLEANUP(): calls `fn` unless NULL. */
#define DEFINE_CLEANUP(name, type, fn)                                                             \
    static inline void name(type *pp)                                                              \
    {                                                                                              \
        if (*pp)                                                                                   \
            fn(*pp);                                                                               \
    }

static inline void free_ptr(void *pp)
{
    free(*(void **)pp);
}

static inline void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}
