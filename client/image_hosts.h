#pragma once

#include "client/gateway.h"

#include "eos/gateway/v1/gateway.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

/* What the verbs about images on hosts share. */

/* "/v1/images:pull" or "/v1/hosts/H/images:pull"; `action` is ":pull" or "". */
void image_hosts_add_path(struct text *path, const char *host, const char *action);

/* "eos: host H: sentence" on stderr; notes the first host's status. */
void image_hosts_complain(const char *host, enum error_code code, const char *message,
                          enum exit_status *status);

/* The connected hosts that are meant: --host's, or all.  Complains of the others. */
bool image_hosts_find(const struct invocation *invocation, struct gateway *gateway,
                      Eos__Scheduler__V1__Host ***ret_hosts, size_t *ret_count,
                      enum exit_status *status);
