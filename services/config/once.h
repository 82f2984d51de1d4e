#pragma once

#include "base/error.h"

/* `--once`: a CompileRequest on standard input, the CompileResponse on standard output. */
bool once_run(struct error *err) MUST_CHECK;
