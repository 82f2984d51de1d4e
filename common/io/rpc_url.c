#include "io/rpc_url.h"

#include "base/slice.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static bool is_name(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && c != '-' && c != '.' && c != '_')
            return false;
    }
    return host.len > 0;
}

static bool parse_path(struct slice path, struct rpc_url *url, struct error *err)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%s\": expected an absolute path behind ipc://", url->text);
    if (path.len > PATH_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\": the path is longer than %zu bytes",
                         url->text, PATH_MAX_BYTES);
    memcpy(url->path, path.ptr, path.len);
    return true;
}

static bool is_loopback(const struct rpc_url *url)
{
    struct in_addr four;
    struct in6_addr six;
    if (url->is_ipv6)
        return inet_pton(AF_INET6, url->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
    if (inet_pton(AF_INET, url->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(url->host, "localhost") == 0;
}

static bool parse_host(struct slice host, struct rpc_url *url, struct error *err)
{
    struct in6_addr six;
    url->is_ipv6 = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (url->is_ipv6)
        host = (struct slice){ host.ptr + 1, host.len - 2 };
    memcpy(url->host, host.ptr, host.len);
    bool is_valid = url->is_ipv6 ? inet_pton(AF_INET6, url->host, &six) == 1
                                 : is_name(host) || slice_is(host, "*");
    if (!is_valid)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%s\": expected a host name or an address behind tcp://", url->text);
    return true;
}

static bool parse_tcp(struct slice rest, struct rpc_url *url, struct error *err)
{
    uint64_t port;
    const char *colon = memrchr(rest.ptr, ':', rest.len);
    size_t len = colon ? (size_t)(colon - rest.ptr) : 0;
    url->is_tcp = true;
    if (!colon || !slice_to_u64((struct slice){ colon + 1, rest.len - len - 1 }, UINT16_MAX, &port))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%s\": expected tcp://HOST:PORT with a port up to 65535", url->text);
    url->port = (uint16_t)port;
    if (!parse_host((struct slice){ rest.ptr, len }, url, err))
        return false;
    url->is_loopback = is_loopback(url);
    return true;
}

bool rpc_url_parse(const char *text, struct rpc_url *ret_url, struct error *err)
{
    struct rpc_url url = { 0 };
    struct slice whole = slice_of(text);
    if (whole.len > RPC_URL_MAX || !is_printable(whole))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "url is longer than %u bytes or has characters that are not printable",
                         RPC_URL_MAX);
    memcpy(url.text, text, whole.len);

    bool ok;
    struct slice rest = { text + strlen("ipc://"), whole.len - strlen("ipc://") };
    if (slice_starts_with(whole, SLICE("ipc://")))
        ok = parse_path(rest, &url, err);
    else if (slice_starts_with(whole, SLICE("tcp://")))
        ok = parse_tcp(rest, &url, err);
    else
        ok = error_set(err, ERROR_INVALID_ARGUMENT,
                       "\"%s\": expected ipc:///PATH or tcp://HOST:PORT", url.text);
    if (ok)
        *ret_url = url;
    return ok;
}
