#include "client/dev/address.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <time.h>

#define TRIES    20
#define PAUSE_MS 100

static bool fail(struct error *err)
{
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "flag --http: expected ADDRESS:PORT with a numeric address, such as "
                     "127.0.0.1:8081 or [::1]:8081");
}

static bool parse_host(struct slice host, uint16_t port, struct sockaddr_storage *ret_address)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_storage address = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    bool is_v6 = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_v6) {
        host.ptr++;
        host.len -= 2;
    }
    if (host.len >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(host));
    address.ss_family = is_v6 ? AF_INET6 : AF_INET;
    if (is_v6)
        v6->sin6_port = htons(port);
    else
        v4->sin_port = htons(port);
    if (inet_pton(address.ss_family, text, is_v6 ? (void *)&v6->sin6_addr : &v4->sin_addr) != 1)
        return false;
    *ret_address = address;
    return true;
}

bool address_parse(const char *text, struct sockaddr_storage *ret_address, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !slice_to_u64(slice_of(colon + 1), UINT16_MAX, &port) ||
        !parse_host((struct slice){ text, (size_t)(colon - text) }, (uint16_t)port, ret_address))
        return fail(err);
    return true;
}

bool address_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

static bool try_listen(const struct sockaddr_storage *address, uint16_t *ret_port)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    int on = 1;
    cleanup_close int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return false;
    *ret_port = port_of(&bound);
    return true;
}

bool address_reserve(const char *text, struct arena *arena, const char **ret_text,
                     struct error *err)
{
    struct sockaddr_storage address;
    struct timespec pause = { 0, PAUSE_MS * 1000000L };
    uint16_t port;
    if (!address_parse(text, &address, err))
        return false;
    for (int i = 0; i < TRIES; i++) {
        if (try_listen(&address, &port)) {
            *ret_text =
                arena_printf(arena, "%.*s:%u", (int)(strrchr(text, ':') - text), text, port);
            return true;
        }
        if (errno != EADDRINUSE)
            return error_set_errno(err, errno, "could not listen at %.60s", text);
        nanosleep(&pause, NULL);
    }
    return error_set(err, ERROR_FAILED_PRECONDITION,
                     "%.60s is in use by another program, choose another address with --http",
                     text);
}
