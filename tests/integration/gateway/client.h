#pragma once

#include "base/text.h"

#include <stdint.h>

/* A program that is started and stopped by a test, and an HTTP client that sends exactly the bytes it
 * is told to. */

#define CLIENT_DEADLINE_MS 10000

int64_t client_now_ms(void);

struct process {
    int pid;
    char log_path[160]; /* its stderr */
};

/* Starts `program` out of $EOS_BIN; `flags` ends with NULL. */
void process_start(struct process *process, const char *folder, const char *program,
                   const char *const *flags);

/* Waits until its stderr holds `pattern` and gives the text from there on; NULL after the deadline. */
char *process_wait_for(const struct process *process, const char *pattern);

/* The port that the gateway says it listens on; 0: none within the deadline. */
int process_port(const struct process *process);

/* Waits for its end and gives the exit status, or -1 for a signal or the deadline (then killed). */
int process_wait(const struct process *process);

/* Kills what a test that failed has left running. */
void process_stop_all(void);

void process_signal(const struct process *process, int signal);

/* Connects to 127.0.0.1; -1 when refused. */
int client_connect(int port);
void client_send(int fd, const char *bytes);

/* Reads until what has come holds `pattern` (NULL: until the end), and adds it to `out`.  False after
 * the deadline, or when the connection ended without it. */
bool client_read(int fd, const char *pattern, struct text *out);

/* Sends the bytes on a connection of its own and reads to the end. */
bool client_ask(int port, const char *bytes, struct text *out);
