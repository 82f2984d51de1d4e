#pragma once

/* What both ends of a call keep to. */
#define RPC_MAX_PAYLOAD_BYTES (16u << 20) /* of one request or response; larger is an error */
#define RPC_MAX_IN_FLIGHT     4096u       /* calls of one client */
#define RPC_STREAM_WINDOW     16u         /* messages of a stream that may be on their way */
