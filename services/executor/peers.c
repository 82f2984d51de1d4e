#include "executor/peers.h"

#include "base/cleanup.h"

#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX_BYTES (64u << 10) /* of a ToExecutor */

static void tell(const struct peers *peers, struct peer *peer)
{
    cleanup_text struct text frame = TEXT_INIT;
    Eos__Executor__V1__FromExecutor from = EOS__EXECUTOR__V1__FROM_EXECUTOR__INIT;
    from.message_case = EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE_STATE;
    from.state = (Eos__Executor__V1__State *)peers->state;
    frame_add(&frame, &from.base);
    link_send(&peer->link, text_slice(&frame));
}

void peers_tell(struct peers *peers)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (link_is_open(&peers->items[i].link) && peers->items[i].wants_state)
            tell(peers, &peers->items[i]);
}

static bool take(struct peers *peers, struct peer *peer, const Eos__Executor__V1__ToExecutor *to)
{
    switch (to->message_case) {
    case EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_HELLO:
        peer->wants_state = true;
        tell(peers, peer);
        return true;
    case EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_KILL:
        peers->killed(peers->user, to->kill->message);
        return true;
    case EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_ACKNOWLEDGE:
        peers->acknowledged(peers->user);
        return true;
    default:
        return false;
    }
}

static bool on_message(void *user, struct link *link, struct slice message)
{
    Eos__Executor__V1__ToExecutor *to =
        eos__executor__v1__to_executor__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    if (!to)
        return false;
    bool is_good = take(user, (struct peer *)link, to); /* the link is its first member */
    eos__executor__v1__to_executor__free_unpacked(to, NULL);
    return is_good;
}

static void on_closed(void *user, struct link *link)
{
    (void)user;
    link_close(link);
}

/* A place that is free, or that of the oldest connection: a launcher that hangs does not keep out
 * the one that replaces it. */
static struct peer *find_place(struct peers *peers)
{
    struct peer *oldest = &peers->items[0];
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (!link_is_open(&peers->items[i].link))
            return &peers->items[i];
        if (peers->items[i].age < oldest->age)
            oldest = &peers->items[i];
    }
    link_close(&oldest->link);
    return oldest;
}

static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void on_connection(void *user, uint32_t events)
{
    struct peers *peers = user;
    struct error err;
    (void)events;
    cleanup_close int fd = accept4(peers->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || !is_trusted(fd))
        return;
    struct peer *peer = find_place(peers);
    *peer = (struct peer){ .age = ++peers->connections };
    peer->link.user = peers;
    peer->link.received = on_message;
    peer->link.closed = on_closed;
    (void)!link_open(&peer->link, peers->loop, TAKE_FD(fd), MESSAGE_MAX_BYTES, &err);
}

bool peers_open(struct peers *peers, struct loop *loop, int fd, struct error *err)
{
    peers->loop = loop;
    peers->listener = (struct source){ fd, on_connection, peers };
    return loop_add(loop, &peers->listener, EPOLLIN, err);
}

void peers_close(struct peers *peers)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        link_close(&peers->items[i].link);
    if (peers->listener.fd >= 0)
        close(peers->listener.fd);
    peers->listener.fd = -1;
}
