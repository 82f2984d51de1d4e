#include "base/alloc.h"
#include "base/cleanup.h"
#include "client.h"
#include "peer.h"
#include "unit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* eos-gateway as a program, over real sockets on both sides. */

static char folder[64], url[96], token_path[128];
static struct peer *peer;
static struct process gateway;
static int port;

#define HEAD(method, target) method " " target " HTTP/1.1\r\nHost: localhost\r\n"
#define END                  "Connection: close\r\n\r\n"
#define JSON(length)         "Content-Type: application/json\r\nContent-Length: " #length "\r\n"
#define DEEP                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define BODY(json)           JSON(@) END json /* the length is put in when it is sent */

/* -- one request, one answer ---------------------------------------------------------------------- */

static const struct answer_case {
    const char *name, *request;
    const char *status; /* of the answer */
    const char *parts[4];
} answers[] = {
    { "version",
      HEAD("GET", "/v1/version") END,
      "200 OK",
      { "Content-Type: application/json\r\n", "\"cluster\":\"testcluster\"" } },
    { "head has no body",
      HEAD("HEAD", "/v1/version") END,
      "200 OK",
      { "Content-Length: ", "\r\n\r\n" } },
    { "healthy", HEAD("GET", "/healthz") END, "200 OK", { "text/plain", "ok\n" } },
    { "metrics of all",
      HEAD("GET", "/metrics") END,
      "200 OK",
      { "service=\"gateway\"", "eos_up{service=\"scheduler\"} 1", "# TYPE eos_up gauge" } },

    { "list jobs", HEAD("GET", "/v1/jobs?role=a") END, "200 OK", { "\"jobs\":[]" } },
    { "get a job", HEAD("GET", "/v1/jobs/role/prod/n") END, "200 OK", { "\"instanceCount\":2" } },
    { "get no job",
      HEAD("GET", "/v1/jobs/role/prod/nothing") END,
      "404 Not Found",
      { "application/problem+json", "\"code\":\"NOT_FOUND\"", "there is no job \\\"nothing\\\"" } },
    { "kill without a body",
      HEAD("POST", "/v1/jobs/role/prod/n:kill") "Content-Length: 0\r\n" END,
      "200 OK",
      { "\"taskIds\":[\"task-0\"]" } },
    { "kill what is not there",
      HEAD("POST", "/v1/jobs/role/prod/x:kill") BODY("{}"),
      "404 Not Found",
      { "NOT_FOUND" } },
    { "list tasks", HEAD("GET", "/v1/tasks?taskIds=t") END, "200 OK", { "\"taskId\":\"t\"" } },
    { "pending", HEAD("GET", "/v1/pending") END, "200 OK", { "\"reasons\":[]" } },
    { "hosts", HEAD("GET", "/v1/hosts") END, "200 OK", { "\"hostId\":\"host-1\"" } },
    { "describe a task", HEAD("GET", "/v1/tasks/t-1") END, "200 OK", { "\"taskId\":\"t-1\"" } },
    { "logs of a task",
      HEAD("GET", "/v1/tasks/t-1/logs") END,
      "200 OK",
      { "\"process\":\"main\"" } },
    { "no such task",
      HEAD("GET", "/v1/tasks/nothing") END,
      "404 Not Found",
      { "there is no such task" } },
    { "a task without a host",
      HEAD("GET", "/v1/tasks/pending/log") END,
      "409 Conflict",
      { "FAILED_PRECONDITION", "not on a host yet" } },
    { "a task whose host is away",
      HEAD("GET", "/v1/tasks/away") END,
      "503 Service Unavailable",
      { "Retry-After: 1\r\n", "host-2 is not connected" } },
    { "a task whose host has died",
      HEAD("GET", "/v1/tasks/dead") END,
      "503 Service Unavailable",
      { "Retry-After: 1\r\n", "the launcher of the task does not answer" } },
    { "the log of a task whose host has died",
      HEAD("GET", "/v1/tasks/dead/log") END,
      "503 Service Unavailable",
      { "the launcher of the task does not answer" } },
    { "compile", HEAD("POST", "/v1/compile") BODY("{}"), "200 OK", { "\"printed\":" } },
    { "resolve",
      HEAD("POST", "/v1/images:resolve") BODY("{\"reference\":\"a\"}"),
      "200 OK",
      { "\"digest\":\"sha256:abc\"" } },
    { "resolve nothing",
      HEAD("POST", "/v1/images:resolve") BODY("{\"reference\":\"none\"}"),
      "404 Not Found",
      { "no such image" } },
    { "inspect",
      HEAD("POST", "/v1/images:inspect") BODY("{\"reference\":\"a\",\"platform\":\"linux/arm64\"}"),
      "200 OK",
      { "\"digest\":\"sha256:abc\"" } },
    { "verify",
      HEAD("POST", "/v1/images:verify")
          BODY("{\"reference\":\"a\",\"keys\":[{\"name\":\"k\",\"pem\":\"p\"}]}"),
      "200 OK",
      { "\"algorithm\":\"k\"" } },
    { "verify what is not signed",
      HEAD("POST", "/v1/images:verify") BODY("{\"reference\":\"a\"}"),
      "409 Conflict",
      { "FAILED_PRECONDITION", "must be signed by team.pub" } },

    { "the images of all hosts",
      HEAD("GET", "/v1/images") END,
      "200 OK",
      { "\"host\":\"host-1\",\"hostId\":\"host-1\",\"response\":{", "\"totalBytes\":\"4711\"",
        "host-2 is not connected", "launcher of the host does not answer" } },
    { "the images of one host",
      HEAD("GET", "/v1/hosts/host-1/images") END,
      "200 OK",
      { "{\"images\":[],\"totalBytes\":\"4711\"" } },
    { "the images of no host",
      HEAD("GET", "/v1/hosts/host-9/images") END,
      "404 Not Found",
      { "there is no host of that name or id" } },
    { "the images of a host that is away",
      HEAD("GET", "/v1/hosts/host-2/images") END,
      "503 Service Unavailable",
      { "host-2 is not connected" } },
    { "prune on one host",
      HEAD("POST", "/v1/hosts/host-1/images:prune") BODY("{\"keepBytes\":\"42\"}"),
      "200 OK",
      { "\"freedBytes\":\"42\"" } },
    { "prune on a host that cannot",
      HEAD("POST", "/v1/hosts/host-1/images:prune") BODY("{\"keepBytes\":1}"),
      "429 Too Many Requests",
      { "too many wait" } },
    { "prune on all hosts, one of which cannot",
      HEAD("POST", "/v1/images:prune") BODY("{\"keepBytes\":1}"),
      "200 OK",
      { "\"error\":{\"code\":\"RESOURCE_EXHAUSTED\",\"message\":\"too many wait\"}" } },
    { "the host is no field of a request",
      HEAD("POST", "/v1/hosts/host-1/images:prune") BODY("{\"host\":\"host-1\"}"),
      "400 Bad Request",
      { "host" } },
    { "upload a chunk",
      HEAD("POST", "/v1/hosts/host-1/images:upload") BODY("{\"offset\":3,\"data\":\"YWJj\"}"),
      "200 OK",
      { "\"offset\":\"6\"" } },
    { "commit",
      HEAD("POST", "/v1/hosts/host-1/images:commit") BODY("{\"name\":\"a:1\"}"),
      "200 OK",
      { "\"name\":\"a:1\"" } },
    { "pull on one host",
      HEAD("POST", "/v1/hosts/host-1/images:pull") BODY("{\"reference\":\"a\"}"),
      "200 OK",
      { "text/event-stream", "event: progress\ndata: {\"host\":\"host-1\"",
        "event: done\ndata: {\"host\":\"host-1\"", "event: end\n" } },
    { "pull on all hosts",
      HEAD("POST", "/v1/images:pull") BODY("{\"reference\":\"a\"}"),
      "200 OK",
      { "event: done\ndata: {\"host\":\"host-1\"", "event: error\ndata: {\"host\":\"host-2\"",
        "event: error\ndata: {\"host\":\"host-3\"", "event: end\n" } },

    { "create a compiled job",
      HEAD("POST", "/v1/jobs") BODY("{\"source\":{\"files\":[{\"path\":\"right.aurora\"}]}}"),
      "200 OK",
      { "\"key\":\"testcluster/role/prod/compiled\"", "\"instanceCount\":2",
        "\"digest\":\"sha256:abc\"", "\"printed\":\"hello from the file\\n\"" } },
    { "create a job that is there",
      HEAD("POST", "/v1/jobs")
          BODY("{\"job\":{\"key\":{\"role\":\"r\",\"environment\":\"e\",\"name\":\"twice\"}}}"),
      "409 Conflict",
      { "\"code\":\"ALREADY_EXISTS\"", "job already exists" } },
    { "create a job while the scheduler goes down",
      HEAD("POST", "/v1/jobs")
          BODY("{\"job\":{\"key\":{\"role\":\"r\",\"environment\":\"e\",\"name\":\"down\"}}}"),
      "503 Service Unavailable",
      { "Retry-After: 1\r\n", "\"detail\":\"going down\"" } },
    { "a mistake in the configuration",
      HEAD("POST", "/v1/jobs") BODY("{\"source\":{\"files\":[{\"path\":\"wrong.aurora\"}]}}"),
      "400 Bad Request",
      { "\"detail\":\"wrong.aurora:2:5: name 'Jobb' is not defined\"", "\"diagnostics\":[{",
        "\"line\":2,\"column\":5", "\"code\":\"INVALID_ARGUMENT\"" } },
    { "files are needed",
      HEAD("POST", "/v1/jobs") BODY("{\"source\":{\"files\":[{\"path\":\"including.aurora\"}]}}"),
      "200 OK",
      { "\"neededFiles\":[\"base.aurora\"]", "\"instanceCount\":0" } },
    { "a job of another cluster",
      HEAD("POST", "/v1/jobs") BODY("{\"source\":{\"files\":[{\"path\":\"elsewhere.aurora\"}]}}"),
      "400 Bad Request",
      { "the job is for the cluster \\\"elsewhere\\\"" } },
    { "another cluster is meant",
      HEAD("POST", "/v1/jobs") BODY("{\"cluster\":\"other\"}"),
      "400 Bad Request",
      { "serves the cluster \\\"testcluster\\\" and no other" } },
    { "nothing to create",
      HEAD("POST", "/v1/jobs") BODY("{}"),
      "400 Bad Request",
      { "expected \\\"source\\\" or \\\"job\\\"" } },

    { "an unknown field",
      HEAD("POST", "/v1/jobs") BODY("{\"job\":{\"taskConfig\":{\"resourcess\":[]}}}"),
      "400 Bad Request",
      { "job.taskConfig.resourcess: unknown field, did you mean \\\"resources\\\"?" } },
    { "not JSON",
      HEAD("POST", "/v1/jobs") BODY("{\"job\":"),
      "400 Bad Request",
      { "ends too early" } },
    { "another type",
      HEAD("POST", "/v1/jobs") "Content-Type: text/plain\r\nContent-Length: 2\r\n" END "{}",
      "415 Unsupported Media Type",
      { "application/json" } },
    { "a body over the limit",
      HEAD("POST", "/v1/jobs") JSON(100000) END,
      "413 Payload Too Large",
      { "RESOURCE_EXHAUSTED", "Connection: close\r\n" } },
    { "chunks over the limit",
      HEAD("POST",
           "/v1/jobs") "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n" END
                       "fffff\r\n{",
      "413 Payload",
      { "RESOURCE_EXHAUSTED" } },
    { "a body in chunks",
      HEAD("POST",
           "/v1/compile") "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n" END
                          "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
      "200 OK",
      { "\"jobs\":" } },
    { "no such path", HEAD("GET", "/v1/jab") END, "404 Not Found", { "\"code\":\"NOT_FOUND\"" } },
    { "another method",
      HEAD("DELETE", "/v1/jobs") END,
      "405 Method Not Allowed",
      { "Allow: POST, GET, HEAD\r\n", "UNIMPLEMENTED" } },
    { "another host",
      "GET /v1/jobs HTTP/1.1\r\nHost: evil.example\r\n" END,
      "421 Misdirected Request",
      { "PERMISSION_DENIED" } },
    { "a page of another site",
      HEAD("POST", "/v1/jobs/role/prod/n:kill") "Origin: http://evil.example\r\n"
                                                "Content-Length: 0\r\n" END,
      "403 Forbidden",
      { "PERMISSION_DENIED", "a page of another site" } },
    { "a page without a site",
      HEAD("POST", "/v1/jobs/role/prod/n:kill") "Origin: null\r\nContent-Length: 0\r\n" END,
      "403 Forbidden",
      { "PERMISSION_DENIED" } },
    { "a page of our own",
      HEAD("POST", "/v1/jobs/role/prod/n:kill") "Origin: http://localhost\r\n"
                                                "Content-Length: 0\r\n" END,
      "200 OK",
      { "task-0" } },
    { "a compressed body",
      HEAD("POST", "/v1/compile") "Content-Encoding: gzip\r\n" BODY("{}"),
      "415 Unsupported Media Type",
      { "may not be compressed" } },
    { "a body that is nested too deep",
      HEAD("POST", "/v1/compile") BODY("{\"files\":" DEEP "}"),
      "400 Bad Request",
      { "nested more than 32 levels" } },
    { "length and chunks",
      HEAD("POST", "/v1/compile") JSON(2) "Transfer-Encoding: chunked\r\n\r\n{}",
      "400 Bad Request",
      { "Connection: close\r\n" } },
    { "bare line feeds",
      "GET /v1/jobs HTTP/1.1\nHost: localhost\n\n",
      "400 Bad Request",
      { "CR LF" } },
    { "the old version",
      "GET /v1/version HTTP/1.0\r\nHost: localhost\r\n\r\n",
      "200 OK",
      { "Connection: close\r\n" } },
    { "a trace goes through",
      HEAD("GET", "/v1/jobs") "traceparent: "
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" END,
      "200 OK",
      { "\"nextPageToken\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"" } },
    { "a trace is made",
      HEAD("GET", "/v1/jobs") "traceparent: junk\r\n" END,
      "200 OK",
      { "\"nextPageToken\":\"00-" } },

    { "a log",
      HEAD("GET", "/v1/tasks/t/log?process=main") END,
      "200 OK",
      { "Content-Type: text/plain; charset=utf-8\r\n",
        "first line\nsecond \xc3\xa4\nthird\n\r\n0\r\n\r\n" } },
    { "a log as bytes",
      HEAD("GET", "/v1/tasks/t/log") "Accept: application/octet-stream\r\n" END,
      "200 OK",
      { "Content-Type: application/octet-stream\r\n", "Eos-Log-Offset: 0\r\n" } },
    { "a part of a log",
      HEAD("GET", "/v1/tasks/t/log?offset=11") END,
      "200 OK",
      { "Eos-Log-Offset: 11\r\n", "\r\nsecond \xc3\xa4\nthird\n" } },
    { "a log of no process",
      HEAD("GET", "/v1/tasks/t/log?process=none&follow=true") END,
      "404 Not Found",
      { "application/problem+json", "no process \\\"none\\\"" } },
    { "a log to the end",
      HEAD("GET", "/v1/tasks/t/log?follow=true") END,
      "200 OK",
      { "Content-Type: text/event-stream",
        "id: 0:27\ndata: first line\ndata: second \xc3\xa4\ndata: third\ndata: \n\n",
        "event: end\n" } },
    { "a log from where it was left",
      HEAD("GET", "/v1/tasks/t/log?follow=true") "Last-Event-ID: 21\r\n" END,
      "200 OK",
      { "id: 0:27\ndata: third\ndata: \n\n", "event: end\n" } },
    { "a log from where it was left in its run",
      HEAD("GET", "/v1/tasks/t/log?follow=true") "Last-Event-ID: 0:21\r\n" END,
      "200 OK",
      { "id: 0:27\ndata: third\ndata: \n\n", "event: end\n" } },
    { "a log from where it was left in an earlier run",
      HEAD("GET", "/v1/tasks/rerun/log?follow=true") "Last-Event-ID: 0:21\r\n" END,
      "200 OK",
      { "id: 0:27\ndata: third\ndata: \n\n", "id: 1:27\ndata: first line\n",
        "id: 3:27\ndata: first line\n", "event: end\n" } },
    { "a place that is none",
      HEAD("GET", "/v1/tasks/t/log?follow=true") "Last-Event-ID: x\r\n" END,
      "400 Bad Request",
      { "Last-Event-ID" } },
};

/* The request with the length of its body in the place of '@'. */
static char *request_of(const struct answer_case *c)
{
    const char *length = strchr(c->request, '@'), *body = strstr(c->request, "\r\n\r\n") + 4;
    if (!length)
        return xstrdup(c->request);
    return xasprintf("%.*s%zu%s", (int)(length - c->request), c->request, strlen(body), length + 1);
}

static void is_answered(void **state)
{
    const struct answer_case *c = *state;
    cleanup_text struct text answer = TEXT_INIT;
    cleanup_free char *request = request_of(c);
    assert_true(client_ask(port, request, &answer));
    cleanup_free char *status = xasprintf("HTTP/1.1 %s", c->status);
    if (strncmp(text_string(&answer), status, strlen(status)) != 0)
        assert_string_equal(text_string(&answer), status);
    for (size_t i = 0; i < 4 && c->parts[i]; i++)
        if (!strstr(text_string(&answer), c->parts[i]))
            assert_string_equal(text_string(&answer), c->parts[i]);
}

/* -- connections ---------------------------------------------------------------------------------- */

static void requests_in_one_piece_are_answered_in_order(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(port,
                           HEAD("GET", "/v1/jobs?role=slow") "\r\n" HEAD(
                               "GET", "/v1/version") "\r\n" HEAD("GET", "/v1/jab") END,
                           &answer));
    const char *slow = strstr(text_string(&answer), "\"late\"");
    const char *version = strstr(text_string(&answer), "testcluster");
    const char *last = strstr(text_string(&answer), "404 Not Found");
    assert_true(slow && version && last && slow < version && version < last);
}

static void a_body_waits_for_the_go_ahead(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    cleanup_close int fd = client_connect(port);
    client_send(fd, HEAD("POST", "/v1/compile") JSON(2) "Expect: 100-continue\r\n" END);
    assert_true(client_read(fd, "HTTP/1.1 100 Continue\r\n\r\n", &answer));
    client_send(fd, "{}");
    assert_true(client_read(fd, "HTTP/1.1 200 OK", &answer));
}

static void a_body_that_is_refused_gets_no_go_ahead(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(port,
                           HEAD("POST", "/v1/compile") JSON(99999) "Expect: 100-continue\r\n" END,
                           &answer));
    assert_null(strstr(text_string(&answer), "100 Continue"));
    assert_non_null(strstr(text_string(&answer), "413 Payload"));
}

static void slow_headers_are_given_up(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(port, HEAD("GET", "/v1/version") "X: ", &answer));
    assert_non_null(strstr(text_string(&answer), "408 Request Timeout"));
}

static void slow_bodies_are_given_up(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(port, HEAD("POST", "/v1/compile") JSON(10) END "{", &answer));
    assert_non_null(strstr(text_string(&answer), "408 Request Timeout"));
}

static void silent_connections_are_closed(void **state)
{
    (void)state;
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(port, "", &answer));
    assert_int_equal(answer.len, 0);
}

/* -- streams -------------------------------------------------------------------------------------- */

static bool rises_above(atomic_uint *count, unsigned before)
{
    for (int i = 0; i < CLIENT_DEADLINE_MS / 10; i++, poll(NULL, 0, 10))
        if (atomic_load(count) > before)
            return true;
    return false;
}

static void a_client_that_goes_ends_the_call(void **state)
{
    (void)state;
    unsigned before = atomic_load(&peer_counts(peer)->cancelled);
    cleanup_text struct text answer = TEXT_INIT;
    int fd = client_connect(port);
    client_send(fd, HEAD("GET", "/v1/tasks/endless/log?follow=true") "\r\n");
    assert_true(client_read(fd, ": heartbeat\n\n", &answer));
    assert_non_null(strstr(text_string(&answer), "data: third\n"));
    close(fd);
    assert_true(rises_above(&peer_counts(peer)->cancelled, before));
}

static void a_client_that_goes_ends_a_pull(void **state)
{
    (void)state;
    unsigned before = atomic_load(&peer_counts(peer)->cancelled);
    cleanup_text struct text answer = TEXT_INIT;
    int fd = client_connect(port);
    client_send(fd, HEAD("POST", "/v1/images:pull") JSON(23) "\r\n{\"reference\":\"endless\"}");
    assert_true(client_read(fd, "\"layers\":3", &answer));
    close(fd);
    assert_true(rises_above(&peer_counts(peer)->cancelled, before));
}

/* The launcher has to wait for a client that does not read, and in the end nothing is lost. */
static void a_client_that_stops_reading_stops_the_launcher(void **state)
{
    (void)state;
    unsigned before = atomic_load(&peer_counts(peer)->blocked);
    cleanup_text struct text answer = TEXT_INIT;
    cleanup_close int fd = client_connect(port);
    client_send(fd, "GET /v1/tasks/flood/log HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_true(rises_above(&peer_counts(peer)->blocked, before));
    assert_true(client_read(fd, NULL, &answer));
    const char *body = strstr(text_string(&answer), "\r\n\r\n") + 4;
    assert_int_equal(answer.len - (size_t)(body - answer.ptr), PEER_FLOOD_SIZE);
}

/* -- programs of their own ------------------------------------------------------------------------ */

#define COMMON_FLAGS                                                                               \
    "--config", url, "--binder", url, "--scheduler", url, "--cluster", "testcluster",              \
        "--log-format", "json"

static void starts_only_when_all_is_right(const char *const *flags, const char *sentence)
{
    struct process process;
    process_start(&process, folder, "eos-gateway", flags);
    assert_int_equal(process_wait(&process), 1);
    cleanup_free char *found = process_wait_for(&process, sentence);
    assert_non_null(found);
}

static void public_addresses_need_tokens(void **state)
{
    (void)state;
    const char *const flags[] = { "--http", "0.0.0.0:0", COMMON_FLAGS, NULL };
    starts_only_when_all_is_right(flags, "without --token-file");
}

static void write_tokens(const char *tokens, mode_t mode)
{
    cleanup_close int fd = open(token_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, tokens, strlen(tokens)), strlen(tokens));
    assert_int_equal(fchmod(fd, mode), 0);
}

static void token_files_are_checked(void **state)
{
    (void)state;
    const char *const flags[] = { "--http",   "127.0.0.1:0", "--token-file",
                                  token_path, COMMON_FLAGS,  NULL };
    write_tokens("0123456789abcdef\n", 0644);
    starts_only_when_all_is_right(flags, "expected mode 0600");
    write_tokens("short\n", 0600);
    starts_only_when_all_is_right(flags, "line 1: expected a token of 16");
    unlink(token_path);
    starts_only_when_all_is_right(flags, "could not open the token file");
}

static void addresses_are_checked(void **state)
{
    (void)state;
    const char *const flags[] = { "--http", "example.org:80", COMMON_FLAGS, NULL };
    starts_only_when_all_is_right(flags, "expected ADDRESS:PORT");
}

static void names_of_clusters_are_checked(void **state)
{
    (void)state;
    const char *const none[] = { "--http", "127.0.0.1:0", NULL };
    const char *const wrong[] = { "--http", "127.0.0.1:0", "--cluster", "a/b", NULL };
    starts_only_when_all_is_right(none, "flag --cluster is missing");
    starts_only_when_all_is_right(wrong, "flag --cluster: expected 1 to 255 letters");
}

/* What is sent to another host would otherwise be readable and forgeable. */
static void other_hosts_need_a_cluster_key(void **state)
{
    (void)state;
    const char *const flags[] = { "--http",      "127.0.0.1:0",       COMMON_FLAGS,
                                  "--scheduler", "tcp://192.0.2.1:1", NULL };
    starts_only_when_all_is_right(flags, "a cluster key is needed");
}

static void stop(struct process *process)
{
    process_signal(process, SIGTERM);
    assert_int_equal(process_wait(process), 0);
}

static void tokens_open_the_door(void **state)
{
    (void)state;
    cleanup_text struct text none = TEXT_INIT, wrong = TEXT_INIT, right = TEXT_INIT,
                             health = TEXT_INIT, unknown = TEXT_INIT;
    struct process process;
    const char *const flags[] = { "--http",   "0.0.0.0:0",  "--token-file",
                                  token_path, COMMON_FLAGS, NULL };
    write_tokens("# one\n0123456789abcdef\n", 0600);
    process_start(&process, folder, "eos-gateway", flags);
    int its_port = process_port(&process);

    assert_true(client_ask(its_port, HEAD("GET", "/v1/version") END, &none));
    assert_non_null(strstr(text_string(&none), "401 Unauthorized"));
    assert_non_null(strstr(text_string(&none), "WWW-Authenticate: Bearer\r\n"));
    assert_non_null(strstr(text_string(&none), "\"code\":\"UNAUTHENTICATED\""));
    assert_true(
        client_ask(its_port,
                   HEAD("GET", "/v1/version") "Authorization: Bearer 0123456789abcdeX\r\n" END,
                   &wrong));
    assert_non_null(strstr(text_string(&wrong), "401 Unauthorized"));
    assert_true(client_ask(its_port, HEAD("GET", "/v1/nothing") END, &unknown));
    assert_non_null(strstr(text_string(&unknown), "401 Unauthorized"));
    assert_true(client_ask(its_port,
                           "GET /v1/version HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer "
                           "0123456789abcdef\r\n" END,
                           &right));
    assert_non_null(strstr(text_string(&right), "200 OK"));
    assert_true(client_ask(its_port, HEAD("GET", "/healthz") END, &health));
    assert_non_null(strstr(text_string(&health), "200 OK"));
    stop(&process);
}

static void services_that_are_down_are_named(void **state)
{
    (void)state;
    cleanup_text struct text hosts = TEXT_INIT, health = TEXT_INIT;
    cleanup_free char *nowhere = xasprintf("ipc://%s/nobody.sock", folder);
    struct process process;
    const char *const flags[] = { "--http",      "127.0.0.1:0", COMMON_FLAGS,
                                  "--scheduler", nowhere,       NULL };
    process_start(&process, folder, "eos-gateway", flags);
    int its_port = process_port(&process);
    assert_true(client_ask(its_port, HEAD("GET", "/v1/hosts") END, &hosts));
    assert_non_null(strstr(text_string(&hosts), "503 Service Unavailable"));
    assert_non_null(strstr(text_string(&hosts), "Retry-After: 1\r\n"));
    assert_non_null(strstr(text_string(&hosts), "the scheduler does not answer"));
    assert_true(client_ask(its_port, HEAD("GET", "/healthz") END, &health));
    assert_non_null(strstr(text_string(&health), "503 Service Unavailable"));
    assert_non_null(strstr(text_string(&health), "scheduler: "));
    stop(&process);
}

/* -- a scheduler that goes and comes back --------------------------------------------------------- */

struct cluster {
    struct process scheduler, gateway;
    char listen[128], listen_cluster[128], state[128];
    int port;
};

static void start_scheduler(struct cluster *cluster)
{
    const char *const flags[] = {
        "--listen",    cluster->listen, "--listen-cluster", cluster->listen_cluster,
        "--state-dir", cluster->state,  "--cluster",        "testcluster",
        NULL
    };
    process_start(&cluster->scheduler, folder, "eos-scheduler", flags);
    cleanup_free char *ready = process_wait_for(&cluster->scheduler, "ready");
    assert_non_null(ready);
}

static void start_cluster(struct cluster *cluster)
{
    const char *const flags[] = { "--http",      "127.0.0.1:0",   COMMON_FLAGS,
                                  "--scheduler", cluster->listen, NULL };
    snprintf(cluster->listen, sizeof cluster->listen, "ipc://%s/scheduler.sock", folder);
    snprintf(cluster->listen_cluster, sizeof cluster->listen_cluster, "ipc://%s/cluster.sock",
             folder);
    snprintf(cluster->state, sizeof cluster->state, "%s/state", folder);
    start_scheduler(cluster);
    process_start(&cluster->gateway, folder, "eos-gateway", flags);
    cluster->port = process_port(&cluster->gateway);
}

static bool hosts_are_answered(const struct cluster *cluster, const char *status)
{
    cleanup_text struct text answer = TEXT_INIT;
    assert_true(client_ask(cluster->port, HEAD("GET", "/v1/hosts") END, &answer));
    return strstr(text_string(&answer), status) != NULL;
}

static void is_there_again(const struct cluster *cluster)
{
    int tries = 100;
    while (!hosts_are_answered(cluster, "200 OK") && --tries > 0)
        poll(NULL, 0, 50);
    assert_true(tries > 0);
}

/* The deadline of the call is 10 s; nobody has to wait for that. */
static void is_missed_soon(const struct cluster *cluster)
{
    int64_t start = client_now_ms();
    assert_true(hosts_are_answered(cluster, "503 Service Unavailable"));
    assert_in_range(client_now_ms() - start, 0, 3000);
    start = client_now_ms();
    assert_true(hosts_are_answered(cluster, "503 Service Unavailable"));
    assert_in_range(client_now_ms() - start, 0, 1000); /* by now it is known */
}

static void a_scheduler_that_is_gone_is_missed_soon(void **state)
{
    (void)state;
    struct cluster cluster;
    start_cluster(&cluster);
    is_there_again(&cluster);
    process_signal(&cluster.scheduler, SIGKILL);
    assert_int_equal(process_wait(&cluster.scheduler), -1);
    is_missed_soon(&cluster);
    start_scheduler(&cluster);
    is_there_again(&cluster);
    stop(&cluster.gateway);
    stop(&cluster.scheduler);
}

/* For longer than its heartbeats may be late. */
static void a_scheduler_that_is_busy_is_waited_for(void **state)
{
    (void)state;
    struct cluster cluster;
    cleanup_text struct text answer = TEXT_INIT;
    start_cluster(&cluster);
    is_there_again(&cluster);
    process_signal(&cluster.scheduler, SIGSTOP);
    cleanup_close int fd = client_connect(cluster.port);
    client_send(fd, HEAD("GET", "/v1/hosts") END);
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&poller, 1, 3500), 0);
    process_signal(&cluster.scheduler, SIGCONT);
    assert_true(client_read(fd, NULL, &answer));
    assert_non_null(strstr(text_string(&answer), "200 OK"));
    stop(&cluster.gateway);
    stop(&cluster.scheduler);
}

static void connections_are_bounded(void **state)
{
    (void)state;
    cleanup_text struct text first = TEXT_INIT, third = TEXT_INIT;
    struct process process;
    const char *const flags[] = { "--http", "127.0.0.1:0", COMMON_FLAGS, "--max-connections",
                                  "2",      NULL };
    process_start(&process, folder, "eos-gateway", flags);
    int its_port = process_port(&process);
    cleanup_close int one = client_connect(its_port), two = client_connect(its_port);
    client_send(one, HEAD("GET", "/v1/version") "\r\n");
    assert_true(client_read(one, "200 OK", &first));
    client_send(two, HEAD("GET", "/v1/version") "\r\n");
    assert_true(client_read(two, "200 OK", &first));
    assert_true(client_ask(its_port, "", &third));
    assert_non_null(strstr(text_string(&third), "503 Service Unavailable"));
    assert_non_null(strstr(text_string(&third), "Retry-After: 1\r\n"));
    stop(&process);
}

static void draining_finishes_what_is_under_way(void **state)
{
    (void)state;
    cleanup_text struct text followed = TEXT_INIT, slow = TEXT_INIT, idle = TEXT_INIT;
    struct process process;
    const char *const flags[] = { "--http", "127.0.0.1:0", COMMON_FLAGS, NULL };
    process_start(&process, folder, "eos-gateway", flags);
    int its_port = process_port(&process);
    cleanup_close int follower = client_connect(its_port), asker = client_connect(its_port),
                      idler = client_connect(its_port);

    client_send(follower, HEAD("GET", "/v1/tasks/endless/log?follow=true") "\r\n");
    assert_true(client_read(follower, "data: third\n", &followed));
    client_send(idler, HEAD("GET", "/v1/version") "\r\n");
    assert_true(client_read(idler, "testcluster", &idle));
    client_send(asker, HEAD("GET", "/v1/jobs?role=slow") "\r\n" HEAD("GET", "/v1/version") "\r\n");
    client_send(idler, HEAD("GET", "/v1/version") "\r\n"); /* comes behind the slow one's start */
    assert_true(client_read(idler, "testcluster\"}\nHTTP/1.1 200 OK", &idle));
    process_signal(&process, SIGTERM);

    assert_true(client_read(follower, "event: drain\n", &followed));
    assert_true(client_read(follower, NULL, &followed));
    assert_true(client_read(asker, NULL, &slow));
    assert_non_null(strstr(text_string(&slow), "\"late\""));
    assert_non_null(strstr(text_string(&slow), "Connection: close\r\n"));
    assert_null(strstr(text_string(&slow), "testcluster"));
    assert_int_equal(process_wait(&process), 0);
    assert_int_equal(client_connect(its_port), -1);
}

/* -- all of them ---------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/eos-gateway.XXXXXX");
    setenv("EOS_DIE_WITH_PARENT", "1", 1);
    if (!mkdtemp(folder))
        return -1;
    snprintf(url, sizeof url, "ipc://%s/peer.sock", folder);
    snprintf(token_path, sizeof token_path, "%s/tokens", folder);
    const char *const flags[] = { "--http",     "127.0.0.1:0",
                                  COMMON_FLAGS, "--max-body-bytes",
                                  "64K",        "--header-timeout",
                                  "300ms",      "--body-timeout",
                                  "300ms",      "--idle-timeout",
                                  "1s",         "--heartbeat",
                                  "100ms",      NULL };
    process_start(&gateway, folder, "eos-gateway", flags); /* before this process has threads */
    peer = peer_start(url);
    port = process_port(&gateway);
    return port > 0 ? 0 : -1;
}

static int take_down(void **state)
{
    (void)state;
    process_signal(&gateway, SIGTERM);
    int status = process_wait(&gateway);
    process_stop_all();
    peer_stop(peer);
    /* What is no log line is a sanitizer's report. */
    cleanup_free char *command = xasprintf("%s '%s'/*.log >&2; rm -rf '%s'",
                                           status == 0 ? ":" : "grep -hv '^{'", folder, folder);
    return system(command) == 0 && status == 0 ? 0 : -1;
}

int main(void)
{
    enum { COUNT = sizeof answers / sizeof answers[0] };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(requests_in_one_piece_are_answered_in_order),
        cmocka_unit_test(a_body_waits_for_the_go_ahead),
        cmocka_unit_test(a_body_that_is_refused_gets_no_go_ahead),
        cmocka_unit_test(slow_headers_are_given_up),
        cmocka_unit_test(slow_bodies_are_given_up),
        cmocka_unit_test(silent_connections_are_closed),
        cmocka_unit_test(a_client_that_goes_ends_the_call),
        cmocka_unit_test(a_client_that_goes_ends_a_pull),
        cmocka_unit_test(a_client_that_stops_reading_stops_the_launcher),
        cmocka_unit_test(public_addresses_need_tokens),
        cmocka_unit_test(token_files_are_checked),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(names_of_clusters_are_checked),
        cmocka_unit_test(other_hosts_need_a_cluster_key),
        cmocka_unit_test(tokens_open_the_door),
        cmocka_unit_test(services_that_are_down_are_named),
        cmocka_unit_test(a_scheduler_that_is_gone_is_missed_soon),
        cmocka_unit_test(a_scheduler_that_is_busy_is_waited_for),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(draining_finishes_what_is_under_way),
    };
    struct CMUnitTest tests[COUNT + sizeof others / sizeof others[0]];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){ .name = answers[i].name,
                                        .test_func = is_answered,
                                        .initial_state = (void *)&answers[i] };
    memcpy(tests + COUNT, others, sizeof others);
    return cmocka_run_group_tests_name("gateway", tests, set_up, take_down);
}
