#pragma once

#include <stdint.h>

/* The protocol of sd_notify(3), for programs that systemd starts; without $NOTIFY_SOCKET a no-op. */
void sd_notify_send(const char *state);

/* $WATCHDOG_USEC when it is meant for this process, in milliseconds; otherwise 0. */
uint64_t sd_notify_watchdog_ms(void);
