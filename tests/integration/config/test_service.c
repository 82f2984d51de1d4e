#include "config/service.h"
#include "io/rpc_client.h"
#include "unit/test.h"

#include "eos/config/v1/config.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The compiler behind its socket: a slow compilation holds up nobody. */

#define SLOW "x = 0\nwhile True:\n  x += 1\n"
#define FAST "print('fast')\njobs = []\n"

struct exchange {
    uv_loop_t loop;
    char directory[32], url[64];
    void *service;
    struct rpc_client *client;
    char order[4]; /* of the answers: s and f */
    size_t answers, wanted;
};

struct call {
    struct exchange *exchange;
    char name;
};

static void on_reply(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct call *call = user;
    struct exchange *exchange = call->exchange;
    const Eos__Config__V1__CompileResponse *response = (const void *)message;
    bool is_right =
        !err && response->error &&
        strcmp(response->error->class_, call->name == 's' ? "limit_exceeded" : "no_such_job") == 0;
    exchange->order[exchange->answers++] = is_right ? call->name : '?';
    if (exchange->answers == exchange->wanted) {
        rpc_client_close(exchange->client);
        service_close(exchange->service);
    }
}

static void open_all(struct exchange *exchange)
{
    struct error err;
    uv_loop_init(&exchange->loop);
    snprintf(exchange->directory, sizeof exchange->directory, "/tmp/eos-config-XXXXXX");
    assert_non_null(mkdtemp(exchange->directory));
    snprintf(exchange->url, sizeof exchange->url, "ipc://%s/c.sock", exchange->directory);
    struct service_options options = { .listen = exchange->url };
    struct rpc_client_options client = { .url = exchange->url, .caller = "test" };
    assert_true(service_open(&exchange->loop, &options, &exchange->service, &err));
    exchange->client = rpc_client_open(&exchange->loop, &client, &err);
    assert_non_null(exchange->client);
}

static void start(struct call *call, const char *text)
{
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT, *files[] = { &file };
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct error err;
    file.path = (char *)(uintptr_t) "test.aurora";
    file.content = (ProtobufCBinaryData){ strlen(text), (uint8_t *)(uintptr_t)text };
    request.files = files;
    request.n_files = 1;
    request.user = (char *)(uintptr_t) "tester";
    assert_non_null(rpc_call(call->exchange->client, &eos__config__v1__config__descriptor,
                             "Compile", &request.base, NULL, on_reply, call, &err));
    call->exchange->wanted++;
}

static void fast_overtakes_slow(void **state)
{
    (void)state;
    struct exchange exchange = { 0 };
    struct call slow = { &exchange, 's' }, fast = { &exchange, 'f' };
    open_all(&exchange);
    start(&slow, SLOW);
    start(&fast, FAST);
    uv_run(&exchange.loop, UV_RUN_DEFAULT);
    assert_string_equal(exchange.order, "fs");
    assert_int_equal(uv_loop_close(&exchange.loop), 0);
    rmdir(exchange.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fast_overtakes_slow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
