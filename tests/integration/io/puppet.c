#include "puppet.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define HEAD_BYTES 13 /* type, length, id */

static void fill_address(const char *url, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address->sun_path, sizeof address->sun_path, "%s", url + strlen("ipc://"));
}

int puppet_connect_raw(const char *url)
{
    struct sockaddr_un address;
    fill_address(url, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static struct puppet *puppet_new(int listener, int fd)
{
    struct puppet *puppet = xcalloc(1, sizeof *puppet);
    puppet->listener = listener;
    puppet->fd = fd;
    memcpy(puppet->id, (unsigned char[]){ 0x80, 0, 0, 7 }, sizeof puppet->id);
    return puppet;
}

static bool greet(int fd, char protocol)
{
    const char hello[8] = { 0, 'S', 'P', 0, 0, protocol, 0, 0 };
    char theirs[8];
    return send(fd, hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello &&
           recv(fd, theirs, sizeof theirs, MSG_WAITALL) == sizeof theirs;
}

int puppet_connect(const char *url)
{
    int fd = puppet_connect_raw(url);
    assert_true(greet(fd, 0x30));
    return fd;
}

struct puppet *puppet_dial(struct fixture *f)
{
    return puppet_new(-1, puppet_connect(f->url));
}

struct puppet *puppet_listen(struct fixture *f)
{
    struct sockaddr_un address;
    fill_address(f->url, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    return puppet_new(fd, -1);
}

void puppet_accept(struct fixture *f, struct puppet *puppet)
{
    uint64_t until = uv_hrtime() + 10000000000u;
    puppet->used = 0;
    do {
        while ((puppet->fd = accept(puppet->listener, NULL, NULL)) < 0 && uv_hrtime() < until)
            run_for(f, 5);
        assert_true(puppet->fd >= 0);
    } while (!greet(puppet->fd, 0x31) && close(puppet->fd) == 0);
}

/* On a busy machine a client loses its patience and comes again. */
static void take_next(struct fixture *f, struct puppet *puppet)
{
    if (puppet->listener < 0)
        return;
    close(puppet->fd);
    puppet_accept(f, puppet);
}

void puppet_free(struct puppet *puppet)
{
    if (puppet->fd >= 0)
        close(puppet->fd);
    if (puppet->listener >= 0)
        close(puppet->listener);
    free(puppet);
}

/* -- sending -------------------------------------------------------------------------------------- */

static void put_head(char *to, const unsigned char *id, uint64_t claimed)
{
    to[0] = 1;
    for (unsigned i = 0; i < 8; i++)
        to[1 + i] = (char)(claimed >> (56 - 8 * i));
    memcpy(to + 9, id, 4);
}

void puppet_send_frame(int fd, uint64_t claimed, const void *body, size_t len)
{
    static const unsigned char id[4] = { 0x80, 0, 0, 7 };
    char head[HEAD_BYTES];
    put_head(head, id, claimed);
    if (write(fd, head, sizeof head) < 0 || (len > 0 && write(fd, body, len) < 0))
        return; /* the server may have hung up by now */
}

/* The other end is in this very thread: it has to run while we wait for it to read. */
static void send_all(struct fixture *f, int fd, const char *bytes, size_t len)
{
    uint64_t until = uv_hrtime() + 20000000000u;
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, bytes + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (sent < 0 && errno != EAGAIN)
            return; /* it has gone: to be seen when reading */
        assert_true(uv_hrtime() < until);
    }
}

static void send_message(struct fixture *f, struct puppet *puppet, char *bytes, size_t head_len,
                         struct slice payload)
{
    if (payload.len > 0)
        memcpy(bytes + head_len, payload.ptr, payload.len);
    size_t len = head_len - HEAD_BYTES + payload.len;
    put_head(bytes, puppet->id, len + 4);
    send_all(f, puppet->fd, bytes, len + HEAD_BYTES);
}

void puppet_send_call(struct fixture *f, struct puppet *puppet, const struct rpc_wire_call *call)
{
    static char bytes[RPC_MESSAGE_BYTES];
    size_t head = HEAD_BYTES + rpc_wire_encode_call(call, bytes + HEAD_BYTES);
    send_message(f, puppet, bytes, head, call->payload);
}

void puppet_send_reply(struct fixture *f, struct puppet *puppet, const struct rpc_wire_reply *reply)
{
    static char bytes[RPC_MESSAGE_BYTES];
    size_t head = HEAD_BYTES + rpc_wire_encode_reply(reply, bytes + HEAD_BYTES);
    send_message(f, puppet, bytes, head, reply->payload);
}

size_t puppet_cost(const struct rpc_wire_reply *reply)
{
    char head[1024];
    return rpc_wire_encode_reply(reply, head) + reply->payload.len + RPC_MESSAGE_COST;
}

/* -- reading -------------------------------------------------------------------------------------- */

static uint64_t frame_len(const char *head)
{
    uint64_t len = 0;
    for (unsigned i = 0; i < 8; i++)
        len = len << 8 | (unsigned char)head[1 + i];
    return len;
}

static bool has_frame(const struct puppet *puppet)
{
    return puppet->used >= HEAD_BYTES && puppet->used >= frame_len(puppet->bytes) + 9;
}

/* The message is moved to `body`, so that what is behind it can be read. */
static bool read_frame(struct fixture *f, struct puppet *puppet, uint64_t limit_ms,
                       struct slice *ret_body)
{
    static char body[RPC_MESSAGE_BYTES];
    uint64_t until = uv_hrtime() + limit_ms * 1000000;
    while (!has_frame(puppet)) {
        ssize_t got = recv(puppet->fd, puppet->bytes + puppet->used,
                           sizeof puppet->bytes - puppet->used, MSG_DONTWAIT);
        puppet->used += got > 0 ? (size_t)got : 0;
        if (got == 0)
            take_next(f, puppet);
        if (got > 0)
            continue;
        if (uv_hrtime() > until)
            return false;
        run_for(f, 1);
    }
    size_t whole = frame_len(puppet->bytes) + 9, len = whole - HEAD_BYTES;
    assert_true(len <= sizeof body);
    memcpy(puppet->id, puppet->bytes + 9, sizeof puppet->id);
    memcpy(body, puppet->bytes + HEAD_BYTES, len);
    puppet->used -= whole;
    memmove(puppet->bytes, puppet->bytes + whole, puppet->used);
    *ret_body = (struct slice){ body, len };
    return true;
}

bool puppet_read_call(struct fixture *f, struct puppet *puppet, uint64_t limit_ms,
                      struct rpc_wire_call *ret_call)
{
    struct slice body;
    struct error err;
    if (!read_frame(f, puppet, limit_ms, &body))
        return false;
    assert_true(rpc_wire_decode_call(body, ret_call, &err));
    return true;
}

bool puppet_read_reply(struct fixture *f, struct puppet *puppet, uint64_t limit_ms,
                       struct rpc_wire_reply *ret_reply, size_t *ret_len)
{
    struct slice body;
    struct error err;
    if (!read_frame(f, puppet, limit_ms, &body))
        return false;
    assert_true(rpc_wire_decode_reply(body, ret_reply, &err));
    *ret_len = body.len;
    return true;
}

bool puppet_await(struct fixture *f, struct puppet *puppet, enum rpc_call_kind kind,
                  const struct rpc_wire_reply *heartbeat, uint64_t limit_ms,
                  struct rpc_wire_call *ret_call)
{
    uint64_t until = uv_hrtime() + limit_ms * 1000000;
    while (uv_hrtime() < until) {
        if (!puppet_read_call(f, puppet, 20, ret_call))
            continue;
        if (ret_call->kind == RPC_HEARTBEAT) {
            struct rpc_wire_reply reply = *heartbeat;
            reply.call_id = ret_call->call_id;
            puppet_send_reply(f, puppet, &reply);
        }
        if (ret_call->kind == kind)
            return true;
    }
    return false;
}
