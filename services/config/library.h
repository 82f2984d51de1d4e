#pragma once

#include "config/vm.h"

/* The parts of Python's modules that are written in the configuration language itself.  They run
 * once, when a name is asked for that the native part of the module does not have. */

/* NULL: all of the module is native. */
const char *library_text(const char *module_name);
/* Runs `text`; `attributes` of the module are its globals. */
bool library_run(struct vm *vm, const char *module_name, const char *text, struct dict *attributes);
