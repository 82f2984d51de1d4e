#pragma once

#include "client/verb.h"

verb_fn image_resolve;
