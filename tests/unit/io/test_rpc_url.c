#include "io/rpc_url.h"

#include "unit/test.h"

#define LONG                                                                                       \
    "ipc:///0123456789012345678901234567890123456789012345678901234567890123456789"                \
    "01234567890123456789012345678901234567"

static const struct url_case {
    const char *name, *text;
    const char *message; /* NULL: it is good */
    const char *host;
    unsigned port;
    bool is_loopback;
} cases[] = {
    { "ipc", "ipc:///run/eos/x.sock", NULL, "", 0, false },
    { "loopback", "tcp://127.0.0.1:80", NULL, "127.0.0.1", 80, true },
    { "all of 127", "tcp://127.9.8.7:80", NULL, "127.9.8.7", 80, true },
    { "localhost", "tcp://localhost:0", NULL, "localhost", 0, true },
    { "ipv6 loopback", "tcp://[::1]:65535", NULL, "::1", 65535, true },
    { "ipv6", "tcp://[fe80::1]:1", NULL, "fe80::1", 1, false },
    { "any address", "tcp://0.0.0.0:1", NULL, "0.0.0.0", 1, false },
    { "a name", "tcp://scheduler.example.org:1", NULL, "scheduler.example.org", 1, false },
    { "a star", "tcp://*:1", NULL, "*", 1, false },
    { "a name that begins like loopback", "tcp://127.0.0.1.example.org:1", NULL,
      "127.0.0.1.example.org", 1, false },
    { "empty", "", "expected ipc:///PATH or tcp://HOST:PORT", "", 0, false },
    { "http", "http://x:1", "expected ipc:///PATH or tcp://HOST:PORT", "", 0, false },
    { "a relative path", "ipc://x", "absolute path", "", 0, false },
    { "no path", "ipc://", "absolute path", "", 0, false },
    { "a path over the kernel's limit", LONG, "longer than 107 bytes", "", 0, false },
    { "no port", "tcp://host", "HOST:PORT", "", 0, false },
    { "a port over the limit", "tcp://host:65536", "65535", "", 0, false },
    { "a port with a sign", "tcp://host:+1", "HOST:PORT", "", 0, false },
    { "no host", "tcp://:1", "host name", "", 0, false },
    { "a bad host", "tcp://a/b:1", "host name", "", 0, false },
    { "bad ipv6", "tcp://[::g]:1", "host name", "", 0, false },
    { "a space", "tcp://a b:1", "printable", "", 0, false },
    { "an escape", "tcp://\033[2J:1", "printable", "", 0, false },
};

static void parses_or_explains(void **state)
{
    const struct url_case *c = *state;
    struct rpc_url url;
    struct error err = { 0 };
    assert_int_equal(rpc_url_parse(c->text, &url, &err), c->message == NULL);
    if (c->message) {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
        return;
    }
    assert_string_equal(url.host, c->host);
    assert_int_equal(url.port, c->port);
    assert_int_equal(url.is_loopback, c->is_loopback);
    assert_int_equal(url.is_tcp, c->host[0] != 0);
}

int main(void)
{
    return RUN_CASES(cases, parses_or_explains);
}
