#include "client_state.h"

#include "fd.h"
#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define OPENING_MOST 32 /* tunnels that open at once; each has a thread. The rest wait in line */
#define PAUSE_MS 1000
#define TICK_MS 1000
#define KILL_MS 5000 /* for the RDP client between SIGTERM and SIGKILL */
/* Once the RDP client has handed over: to hear that its last connection has ended (to a gateway
 * that does not answer, the goodbye is given up after 2 s, relay_end.c), for the first one, and for
 * another after one. */
#define SETTLE_MS 3000
#define FIRST_MINUTES 5
#define NEXT_SECONDS 20

/* ---- the state line ---- */

static void on_tick(struct loop_timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, tick);
    const struct client_tunnels *tunnels = &client->tunnels;
    char text[256], up[CLIENT_STATUS_BYTES_SIZE], down[CLIENT_STATUS_BYTES_SIZE];
    uint64_t sent, received;
    client_tunnel_counts(tunnels, &sent, &received);
    client_status_bytes(up, sent);
    client_status_bytes(down, received);
    const char *state = client->ending         ? "ending"
                        : tunnels->opening_now ? "connecting"
                        : tunnels->open        ? "connected"
                                               : "waiting for the RDP client";
    snprintf(text, sizeof(text), "%s at %s | %s | %u open | sent %s | received %s",
             client->options->desktop, client->address, state, tunnels->open, up, down);
    client_status_show(&client->status, text);
    loop_timer_set(client->loop, &client->tick, TICK_MS);
}

/* ---- connections ---- */

static void adjust_listening(struct client *client)
{
    bool take = client->tunnels.opening_now < OPENING_MOST && !client->pause.place;
    if (client->on_connection.added)
        loop_modify(client->loop, &client->on_connection, take ? EPOLLIN : 0);
}

static void on_pause_over(struct loop_timer *timer)
{
    adjust_listening(OWNER_OF(timer, struct client, pause));
}

static void on_connection(struct loop_source *source, uint32_t events)
{
    struct client *client = OWNER_OF(source, struct client, on_connection);
    (void)events;
    while (client->tunnels.opening_now < OPENING_MOST) {
        int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            fd_nodelay(fd);
            client_tunnel_start(&client->tunnels, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            client_status_say(&client->status, "no more connections for now: %s", strerror(errno));
            loop_timer_set(client->loop, &client->pause, PAUSE_MS);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            break;
    }
    adjust_listening(client);
}

static void stdio_over(struct client *client)
{
    if (client->stdio_drained && client->stdio_gone)
        client_end(client, client->code);
}

/* Of a client that has handed over: the last connection there was has ended. */
static void handed_is_alone(struct client *client)
{
    if (!client->handed_told) {
        client_end(client, EX_OK); /* it had not: they ended together */
        return;
    }
    client_status_say(&client->status,
                      "the connection has ended; this ends in %d s, unless there is another",
                      NEXT_SECONDS);
    loop_timer_set(client->loop, &client->handed_over, NEXT_SECONDS * 1000);
}

static void on_gone(struct client_tunnels *tunnels, enum client_fault fault)
{
    struct client *client = OWNER_OF(tunnels, struct client, tunnels);
    if (client->options->stdio && !client->ending) {
        client->code = client_failure_exit(fault);
        client->stdio_gone = true;
        stdio_over(client);
    } else if (fault == CLIENT_FAULT_INPUT) {
        client_end(client, client_failure_exit(fault)); /* no sign-in will ever succeed again */
    } else if (client->handed && !client->ending && !tunnels->first) {
        handed_is_alone(client);
    }
    if (client->ending)
        client_end_goes_on(client);
    else
        adjust_listening(client);
}

static void on_drained(struct loop_task *task)
{
    struct client *client = OWNER_OF(task, struct client, drained);
    client->stdio_drained = true;
    if (!client->ending)
        stdio_over(client);
}

/* ---- beginning ---- */

/* At the address that was wished; else at the desktop's own port, or any when others have that. */
static int begin_listening(struct client *client)
{
    const struct client_options *options = client->options;
    struct client_listen listen = options->listen;
    if (options->listen_given)
        return client_listen(&listen, client->address, &client->failure);
    char usual[CLIENT_LISTEN_TEXT];
    listen.port = client_listen_port(&options->gateway, options->desktop);
    int fd = client_listen(&listen, client->address, &client->failure);
    if (fd >= 0)
        return fd;
    memcpy(usual, client->address, sizeof(usual));
    client->failure = (struct client_failure){0};
    listen.port = 0;
    fd = client_listen(&listen, client->address, &client->failure);
    if (fd >= 0)
        client_status_say(&client->status,
                          "%s, the address of %s, is in use, perhaps by another 'deskgate connect' "
                          "that still waits; it is %s this time, and the RDP client may ask about "
                          "the desktop's certificate anew",
                          usual, options->desktop, client->address);
    return fd;
}

int client_serve_prepare(struct client *client)
{
    const struct client_options *options = client->options;
    client->pause.fire = on_pause_over;
    client->tick.fire = on_tick;
    client->drained.run = on_drained;
    client->tunnels = (struct client_tunnels){
        .loop = client->loop,
        .scratch = client->scratch,
        .opening = {.gateway = &client->gateway,
                    .session = &client->session,
                    .status = &client->status,
                    .desktop = options->desktop,
                    .cancel = client->cancel,
                    .retry_ms = options->retry_ms},
        .gone = on_gone,
    };
    if (options->stdio)
        return 0;
    client->listener = begin_listening(client);
    return client->listener < 0 ? -1 : 0;
}

static void begin_stdio(struct client *client)
{
    int near = client_stdio_start(&client->stdio, client->loop, &client->drained, client->cancel);
    if (near >= 0) {
        client_tunnel_start(&client->tunnels, near);
        return;
    }
    client_status_say(&client->status, "standard input and output cannot be used: %s",
                      strerror(-near));
    client_end(client, EX_OSERR);
}

static void tell_ready(struct client *client)
{
    const struct client_options *options = client->options;
    char line[CLIENT_LISTEN_TEXT + 1];
    bool command = options->exec || options->words;
    client_status_say(&client->status, "%s is at %s%s", options->desktop, client->address,
                      command ? "" : "; connect your RDP client to it, Ctrl-C ends");
    int size = snprintf(line, sizeof(line), "%s\n", client->address);
    if (options->ready_fd < 0)
        return;
    if (write(options->ready_fd, line, (size_t)size) != size)
        client_status_say(&client->status, "--ready-fd: %s", strerror(errno));
    if (options->ready_fd > STDERR_FILENO)
        close(options->ready_fd);
}

static void begin_child(struct client *client)
{
    const struct client_options *options = client->options;
    if (!options->exec && !options->words)
        return;
    pid_t pid = client_exec_start(options->exec, options->words, client->address,
                                  options->credentials_fd, &client->failure);
    if (pid > 0) {
        client->child = pid;
        return;
    }
    client_status_say(&client->status, "%s", client->failure.words);
    client_end(client, client_failure_exit(client->failure.fault));
}

/* ---- an RDP client that hands over ---- */

static void tell_handed(struct client *client)
{
    client->handed_told = true;
    client_status_say(&client->status,
                      "the RDP client has handed over to one that runs already, and ended; this "
                      "ends when its connection does%s, or with Ctrl-C",
                      client->tunnels.first ? "" : ", after some minutes without one");
}

static void on_handed_over(struct loop_timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, handed_over);
    if (!client->tunnels.first)
        client_end(client, EX_OK);
    else if (!client->handed_told)
        tell_handed(client);
}

/* Remmina, while it runs, is told by the second one what to open, which ends at once and well. So
 * an end without a connection, or before that of the connection, is none. */
static bool has_handed_over(struct client *client, int code)
{
    if (code || (client->tunnels.numbered && !client->tunnels.first))
        return false;
    bool waits = !client->tunnels.first;
    client->handed = true;
    client->handed_over.fire = on_handed_over;
    if (loop_timer_set(client->loop, &client->handed_over,
                       waits ? FIRST_MINUTES * 60 * 1000 : SETTLE_MS))
        return false;
    if (waits)
        tell_handed(client);
    return true;
}

void client_serve_begin(struct client *client)
{
    client->ready = true;
    if (client->options->stdio) {
        begin_stdio(client);
        return;
    }
    client->on_connection.ready = on_connection;
    if (loop_add(client->loop, &client->on_connection, client->listener, EPOLLIN)) {
        client_end(client, EX_OSERR);
        return;
    }
    tell_ready(client);
    begin_child(client);
    if (client->status.live)
        on_tick(&client->tick);
}

/* ---- ending ---- */

static void on_kill(struct loop_timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, kill);
    if (client->child)
        kill(client->child, SIGKILL);
}

void client_serve_stop(struct client *client)
{
    loop_remove(client->loop, &client->on_connection);
    loop_timer_cancel(client->loop, &client->pause);
    loop_timer_cancel(client->loop, &client->handed_over);
    fd_close(&client->listener);
    client->kill.fire = on_kill;
    if (!client->child)
        return;
    kill(client->child, SIGTERM);
    if (loop_timer_set(client->loop, &client->kill, KILL_MS))
        kill(client->child, SIGKILL);
}

void client_serve_reap(struct client *client)
{
    int code;
    if (!client->child || !client_exec_ended(client->child, &code))
        return;
    client->child = 0;
    client->code = code;
    if (client->ending)
        client_end_goes_on(client);
    else if (!has_handed_over(client, code))
        client_end(client, code);
}
