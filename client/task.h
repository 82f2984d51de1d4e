#pragma once

#include "client/verb.h"

verb_fn task_logs;
