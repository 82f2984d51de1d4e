#pragma once

#include "client/dev_verb.h"

/* A whole cluster on this machine, until it is told to stop. */
verb_fn dev_run;
