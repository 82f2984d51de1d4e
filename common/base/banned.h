#pragma once

/* Included in every first-party file by the build.  Each of these has a better form: text_printf()
 * or snprintf() for output, slice_to_u64() for numbers, slice_split() for parts, the arena for
 * memory on the stack whose size is not constant. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison sprintf vsprintf strcpy strncpy strcat strncat strtok atoi atol atoll gets
#undef alloca
#pragma GCC poison alloca
