#include "io/rpc_socket.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "unit/test.h"

#include <nanomsg/nn.h>
#include <string.h>

#define DEADLINE_MS 5000u

/* A server and a client in one loop; what they see is noted and judged after uv_run(). */
struct pair {
    uv_loop_t loop;
    uv_timer_t deadline, send;
    struct rpc_socket *server, *client;
    struct rpc_route route;
    char answer[16];
    bool is_late;
};

static void send_bytes(struct rpc_socket *socket, const struct rpc_route *route, const char *bytes)
{
    char *message = rpc_message_new(strlen(bytes) + 1);
    memcpy(message, bytes, strlen(bytes) + 1);
    if (!rpc_socket_send(socket, route, message))
        rpc_message_free(message);
}

static void end(struct pair *pair)
{
    rpc_socket_close(pair->server);
    rpc_socket_close(pair->client);
    uv_close((uv_handle_t *)&pair->deadline, NULL);
    uv_close((uv_handle_t *)&pair->send, NULL);
}

static void on_deadline(uv_timer_t *timer)
{
    struct pair *pair = timer->data;
    pair->is_late = true;
    end(pair);
}

static void on_request(void *user, const struct rpc_route *route, char *bytes, size_t len)
{
    struct pair *pair = user;
    (void)bytes, (void)len;
    pair->route = *route;
    send_bytes(pair->server, route, "answer");
}

static void on_answer(void *user, const struct rpc_route *route, char *bytes, size_t len)
{
    struct pair *pair = user;
    (void)route;
    snprintf(pair->answer, sizeof pair->answer, "%.*s", (int)len, bytes);
    end(pair);
}

static void on_send(uv_timer_t *timer)
{
    struct pair *pair = timer->data;
    send_bytes(pair->client, NULL, "question");
}

static void on_writable(void *user)
{
    struct pair *pair = user;
    uv_timer_start(&pair->send, on_send, 0, 0);
}

static void open_pair(struct pair *pair, const char *text)
{
    struct rpc_socket_events server = { .on_message = on_request, .user = pair };
    struct rpc_socket_events client = { on_answer, on_writable, pair };
    struct rpc_url url;
    struct error err;
    *pair = (struct pair){ 0 };
    uv_loop_init(&pair->loop);
    uv_timer_init(&pair->loop, &pair->deadline);
    uv_timer_init(&pair->loop, &pair->send);
    pair->deadline.data = pair->send.data = pair;
    uv_timer_start(&pair->deadline, on_deadline, DEADLINE_MS, 0);
    uv_timer_start(&pair->send, on_send, 0, 0);
    assert_true(rpc_url_parse(text, &url, &err));
    pair->server = rpc_socket_open(&pair->loop, RPC_SOCKET_SERVER, 4096, &server, &err);
    assert_non_null(pair->server);
    assert_true(rpc_socket_bind(pair->server, &url, &err));
    pair->client = rpc_socket_open(&pair->loop, RPC_SOCKET_CLIENT, 4096, &client, &err);
    assert_non_null(pair->client);
    assert_true(rpc_socket_connect(pair->client, &url, &err));
}

/* What the buffer of a message's header holds behind the header. */
static const struct rest_case {
    const char *name;
    int byte;
} rests[] = {
    { "zeros behind the route", 0 },
    { "ones behind the route", 0xff },
    { "small numbers behind the route", 1 },
};
static int rest_byte;

int __real_nn_recvmsg(int fd, struct nn_msghdr *header, int flags);
int __wrap_nn_recvmsg(int fd, struct nn_msghdr *header, int flags);

int __wrap_nn_recvmsg(int fd, struct nn_msghdr *header, int flags)
{
    int len = __real_nn_recvmsg(fd, header, flags);
    const struct nn_cmsghdr *first = header->msg_control;
    if (len < 0 || first->cmsg_len >= header->msg_controllen)
        return len;
    size_t used = NN_CMSG_ALIGN_(first->cmsg_len);
    memset((char *)header->msg_control + used, rest_byte, header->msg_controllen - used);
    return len;
}

/* nanomsg writes one control message and does not say where it ends: a walk goes on over whatever was
 * in the buffer, for ever when that is a length of zero. */
static void only_the_route_is_read(void **state)
{
    const struct rest_case *c = *state;
    struct pair pair;
    cleanup_free char *url = xasprintf("ipc:///tmp/eos-test-rpc-socket.%d", getpid());
    rest_byte = c->byte;
    open_pair(&pair, url);
    uv_run(&pair.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&pair.loop), 0);
    assert_false(pair.is_late);
    assert_string_equal(pair.answer, "answer");
    assert_int_not_equal(rpc_route_connection(&pair.route), 0);
}

int main(void)
{
    return RUN_CASES(rests, only_the_route_is_read);
}
