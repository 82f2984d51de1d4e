#pragma once

#include "client/verb.h"

verb_fn config_compile;
