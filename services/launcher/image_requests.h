#pragma once

#include "io/rpc_server.h"

/* The methods of eos.launcher.v1.Launcher that are about images; `ctx` is the struct service. */
rpc_start_fn image_requests_list;
rpc_start_fn image_requests_pull;
rpc_start_fn image_requests_prune;
rpc_start_fn image_requests_check;
rpc_start_fn image_requests_upload;
rpc_start_fn image_requests_commit;
