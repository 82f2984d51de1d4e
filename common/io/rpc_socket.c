#include "io/rpc_socket.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "io/uv_error.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BATCH            128       /* messages per wake-up: others want the loop too */
#define BUFFER_BYTES     (4 << 20) /* the kernel gives what net.core.[rw]mem_max allows */
#define RECONNECT_MS     100
#define RECONNECT_MAX_MS 500
#define BACKLOG          4096
#define PORT_TRIES       16

struct rpc_socket {
    int fd; /* nanomsg's number, not a descriptor */
    int endpoint;
    struct rpc_url url;
    struct rpc_socket_events events;
    uv_poll_t readable, writable;
    unsigned open_handles;
    uint64_t old_errors;
    bool is_client;
    bool is_closed;
};

uint32_t rpc_route_connection(const struct rpc_route *route)
{
    uint32_t connection = 0;
    for (size_t i = 0; i < sizeof connection && i < route->len; i++)
        connection = connection << 8 | route->bytes[i];
    return connection;
}

char *rpc_message_new(size_t len)
{
    char *message = nn_allocmsg(len, 0);
    if (!message)
        abort(); /* out of memory */
    return message;
}

void rpc_message_free(char *message)
{
    if (message)
        nn_freemsg(message);
}

/* -- receiving ------------------------------------------------------------------------------------ */

/* nanomsg hands out its header as the first control message: a size_t and so many bytes.  It does not
 * say how much of the buffer it has written: what stands behind, and all of it when the header did not
 * fit, is what the caller put there. */
static void take_route(struct nn_msghdr *header, struct rpc_route *ret_route)
{
    struct nn_cmsghdr *part = NN_CMSG_FIRSTHDR(header);
    size_t len;
    ret_route->len = 0;
    if (!part || part->cmsg_level != PROTO_SP || part->cmsg_type != SP_HDR)
        return;
    memcpy(&len, NN_CMSG_DATA(part), sizeof len);
    if (len > sizeof ret_route->bytes)
        return;
    memcpy(ret_route->bytes, NN_CMSG_DATA(part) + sizeof len, len);
    ret_route->len = (uint8_t)len;
}

static bool receive(struct rpc_socket *socket)
{
    union {
        char bytes[NN_CMSG_SPACE(sizeof(size_t) + sizeof(struct rpc_route))];
        struct nn_cmsghdr header;
    } control = { 0 };
    char *bytes = NULL;
    struct rpc_route route;
    struct nn_iovec part = { .iov_base = &bytes, .iov_len = NN_MSG };
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    int len = nn_recvmsg(socket->fd, &header, NN_DONTWAIT);
    if (len < 0)
        return false;
    take_route(&header, &route);
    socket->events.on_message(socket->events.user, &route, bytes, (size_t)len);
    nn_freemsg(bytes);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct rpc_socket *socket = poll->data;
    (void)status, (void)events;
    for (unsigned i = 0; i < BATCH && !socket->is_closed; i++)
        if (!receive(socket))
            return;
}

/* -- sending -------------------------------------------------------------------------------------- */

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct rpc_socket *socket = poll->data;
    (void)status, (void)events;
    uv_poll_stop(poll);
    socket->events.on_writable(socket->events.user);
}

/* A request's header is an id with the top bit set, which nanomsg wants and we do not use. */
static const struct rpc_route request_route = { .bytes = { 0x80, 0, 0, 1 }, .len = 4 };

bool rpc_socket_send(struct rpc_socket *socket, const struct rpc_route *route, char *message)
{
    union {
        char bytes[NN_CMSG_SPACE(sizeof(size_t) + sizeof route->bytes)];
        struct nn_cmsghdr header;
    } control = { 0 };
    if (!route)
        route = &request_route;
    size_t len = route->len;
    control.header.cmsg_len = NN_CMSG_LEN(sizeof len + len);
    control.header.cmsg_level = PROTO_SP;
    control.header.cmsg_type = SP_HDR;
    memcpy(NN_CMSG_DATA(&control.header), &len, sizeof len);
    memcpy(NN_CMSG_DATA(&control.header) + sizeof len, route->bytes, len);

    struct nn_iovec part = { .iov_base = &message, .iov_len = NN_MSG };
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = NN_CMSG_SPACE(sizeof len + len),
    };
    if (nn_sendmsg(socket->fd, &header, NN_DONTWAIT) >= 0)
        return true;
    if (!socket->is_client) { /* cannot happen: a server's socket drops instead */
        nn_freemsg(message);
        return true;
    }
    uv_poll_start(&socket->writable, UV_READABLE, on_writable);
    return false;
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool set_options(struct rpc_socket *socket, size_t largest_message, struct error *err)
{
    const struct {
        int level, name, value;
    } rows[] = {
        { NN_SOL_SOCKET, NN_SNDBUF, BUFFER_BYTES },
        { NN_SOL_SOCKET, NN_RCVBUF, BUFFER_BYTES },
        { NN_SOL_SOCKET, NN_RCVMAXSIZE, (int)largest_message },
        { NN_SOL_SOCKET, NN_RECONNECT_IVL, RECONNECT_MS },
        { NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, RECONNECT_MAX_MS },
        { NN_TCP, NN_TCP_NODELAY, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (nn_setsockopt(socket->fd, rows[i].level, rows[i].name, &rows[i].value,
                          sizeof rows[i].value) < 0)
            return error_set_errno(err, nn_errno(), "could not prepare a socket");
    return true;
}

static bool poll_event(struct rpc_socket *socket, uv_loop_t *loop, uv_poll_t *poll, int option,
                       struct error *err)
{
    int fd;
    size_t size = sizeof fd;
    if (nn_getsockopt(socket->fd, NN_SOL_SOCKET, option, &fd, &size) < 0)
        return error_set_errno(err, nn_errno(), "could not prepare a socket");
    int status = uv_poll_init(loop, poll, fd);
    if (status < 0)
        return error_set_uv(err, status, "could not watch a socket");
    poll->data = socket;
    socket->open_handles++;
    return true;
}

static bool watch(struct rpc_socket *socket, uv_loop_t *loop, struct error *err)
{
    if (!poll_event(socket, loop, &socket->readable, NN_RCVFD, err))
        return false;
    uv_poll_start(&socket->readable, UV_READABLE, on_readable);
    return !socket->is_client || poll_event(socket, loop, &socket->writable, NN_SNDFD, err);
}

struct rpc_socket *rpc_socket_open(uv_loop_t *loop, enum rpc_socket_type type,
                                   size_t largest_message, const struct rpc_socket_events *events,
                                   struct error *err)
{
    struct rpc_socket *socket = xcalloc(1, sizeof *socket);
    socket->events = *events;
    socket->endpoint = -1;
    socket->is_client = type == RPC_SOCKET_CLIENT;
    socket->fd = nn_socket(AF_SP_RAW, socket->is_client ? NN_REQ : NN_REP);
    if (socket->fd < 0) {
        error_set_errno(err, nn_errno(), "could not open a socket");
        if (nn_errno() == EMFILE)
            err->code = ERROR_RESOURCE_EXHAUSTED;
        free(socket);
        return NULL;
    }
    if (!set_options(socket, largest_message, err) || !watch(socket, loop, err)) {
        rpc_socket_close(socket);
        return NULL;
    }
    return socket;
}

/* -- binding -------------------------------------------------------------------------------------- */

static bool is_our_listener(int fd, const struct rpc_url *url)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    int is_listening = 0;
    socklen_t flag_len = sizeof is_listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &flag_len) < 0 || !is_listening ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return false;
    if (!url->is_tcp)
        return address.ss_family == AF_UNIX &&
               strcmp(((struct sockaddr_un *)&address)->sun_path, url->path) == 0;
    /* The port stands at the same place for both families. */
    return (address.ss_family == AF_INET || address.ss_family == AF_INET6) &&
           ntohs(((struct sockaddr_in *)&address)->sin_port) == url->port;
}

/* nanomsg listens with a backlog of 10 or 100: when a server of thousands comes back, most of their
 * connections would be turned away, again and again.  Calling listen() again only changes that. */
static void widen_backlog(const struct rpc_url *url)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        uint64_t fd;
        if (slice_to_u64(slice_of(entry->d_name), INT32_MAX, &fd) && is_our_listener((int)fd, url))
            listen((int)fd, BACKLOG);
    }
    closedir(folder);
}

/* A socket file without a listener is left over and may go. */
static bool clear_path(const struct rpc_url *url, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;
    if (lstat(url->path, &status) < 0)
        return errno == ENOENT ||
               error_set_errno(err, errno, "could not examine \"%s\"", url->path);
    if (!S_ISSOCK(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" exists and is not a socket",
                         url->path);
    memcpy(address.sun_path, url->path, strlen(url->path));
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open a socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN)
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" is in use by another program",
                         url->path);
    if (unlink(url->path) < 0)
        return error_set_errno(err, errno, "could not remove \"%s\"", url->path);
    return true;
}

static bool bind_path(struct rpc_socket *socket, const struct rpc_url *url, struct error *err)
{
    if (!clear_path(url, err))
        return false;
    /* The socket is made by nanomsg, so only the mask can keep others out from the first moment. */
    mode_t mask = umask(0177);
    socket->endpoint = nn_bind(socket->fd, url->text);
    umask(mask);
    if (socket->endpoint < 0)
        return error_set_errno(err, nn_errno(), "could not listen at \"%s\"", url->text);
    return true;
}

/* nanomsg takes no port 0, so the kernel is asked for a port first; another program may take it in
 * between, then another one is tried. */
static bool free_port(const struct rpc_url *url, uint16_t *ret_port, struct error *err)
{
    struct sockaddr_storage address = { 0 };
    struct sockaddr_in *four = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    socklen_t len = url->is_ipv6 ? sizeof *six : sizeof *four;

    address.ss_family = url->is_ipv6 ? AF_INET6 : AF_INET;
    if (url->is_ipv6)
        inet_pton(AF_INET6, url->host, &six->sin6_addr);
    else
        inet_pton(AF_INET, url->host, &four->sin_addr);
    cleanup_close int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return error_set_errno(err, errno, "could not find a free port for \"%s\"", url->text);
    *ret_port = ntohs(four->sin_port);
    return true;
}

static void set_port(struct rpc_url *url, uint16_t port)
{
    url->port = port;
    snprintf(url->text, sizeof url->text, url->is_ipv6 ? "tcp://[%.100s]:%u" : "tcp://%.100s:%u",
             url->host, port);
}

static bool bind_tcp(struct rpc_socket *socket, struct rpc_url *url, struct error *err)
{
    bool any_port = url->port == 0;
    for (unsigned i = 0; i < (any_port ? PORT_TRIES : 1); i++) {
        uint16_t port = 0;
        if (any_port && !free_port(url, &port, err))
            return false;
        if (any_port)
            set_port(url, port);
        socket->endpoint = nn_bind(socket->fd, url->text);
        if (socket->endpoint >= 0)
            return true;
    }
    return error_set_errno(err, nn_errno(), "could not listen at \"%s\"", url->text);
}

/* Only for an IPv6 address: with it, nanomsg 1.1 aborts when it connects to an IPv4 one. */
static void allow_ipv6(struct rpc_socket *socket, const struct rpc_url *url)
{
    int is_only_four = 0;
    if (url->is_ipv6)
        nn_setsockopt(socket->fd, NN_SOL_SOCKET, NN_IPV4ONLY, &is_only_four, sizeof is_only_four);
}

bool rpc_socket_bind(struct rpc_socket *socket, struct rpc_url *url, struct error *err)
{
    allow_ipv6(socket, url);
    bool ok = url->is_tcp ? bind_tcp(socket, url, err) : bind_path(socket, url, err);
    if (ok)
        widen_backlog(url);
    return ok;
}

bool rpc_socket_connect(struct rpc_socket *socket, const struct rpc_url *url, struct error *err)
{
    socket->url = *url;
    allow_ipv6(socket, url);
    socket->endpoint = nn_connect(socket->fd, url->text);
    if (socket->endpoint < 0)
        return error_set_errno(err, nn_errno(), "could not connect to \"%s\"", url->text);
    return true;
}

/* An endpoint that is given up while it has an error leaves it in nanomsg's count for ever. */
static void forget_errors(struct rpc_socket *socket)
{
    socket->old_errors = nn_get_statistic(socket->fd, NN_STAT_CURRENT_EP_ERRORS);
}

bool rpc_socket_is_refused(struct rpc_socket *socket)
{
    if (nn_get_statistic(socket->fd, NN_STAT_CURRENT_CONNECTIONS) > 0)
        forget_errors(socket);
    return nn_get_statistic(socket->fd, NN_STAT_CURRENT_EP_ERRORS) > socket->old_errors;
}

void rpc_socket_reconnect(struct rpc_socket *socket)
{
    if (socket->endpoint >= 0)
        nn_shutdown(socket->fd, socket->endpoint);
    forget_errors(socket);
    socket->endpoint = nn_connect(socket->fd, socket->url.text); /* tried again by the next call */
}

/* -- closing -------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct rpc_socket *socket = handle->data;
    if (--socket->open_handles == 0)
        free(socket);
}

void rpc_socket_close(struct rpc_socket *socket)
{
    if (!socket || socket->is_closed)
        return;
    unsigned handles = socket->open_handles;
    socket->is_closed = true;
    if (handles > 0)
        uv_close((uv_handle_t *)&socket->readable, on_handle_closed);
    if (handles > 1)
        uv_close((uv_handle_t *)&socket->writable, on_handle_closed);
    nn_close(socket->fd);
    if (handles == 0)
        free(socket);
}
