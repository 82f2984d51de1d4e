#pragma once

#include "client/verb.h"

verb_fn version_show;
