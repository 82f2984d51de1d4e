#pragma once

#include "client/verb.h"

verb_fn host_list;
