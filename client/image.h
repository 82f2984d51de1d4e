#pragma once

#include "client/verb.h"

verb_fn image_list, image_pull, image_prune;
verb_fn image_resolve, image_inspect, image_verify, image_outdated;
