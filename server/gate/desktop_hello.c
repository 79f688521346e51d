#include "desktop_hello.h"

#include "desktop_tls.h"
#include "owner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static void finish(struct desktop_hello *hello, enum desktop_hello_end end)
{
    loop_remove(hello->loop, &hello->source);
    loop_timer_cancel(hello->loop, &hello->timer);
    hello->done(hello, end);
}

static void on_late(struct loop_timer *timer)
{
    struct desktop_hello *hello = OWNER_OF(timer, struct desktop_hello, timer);
    hello->tls_code = GNUTLS_E_TIMEDOUT;
    finish(hello, hello->tls ? DESKTOP_HELLO_TLS : DESKTOP_HELLO_LATE);
}

/* ---- TLS ---- */

/* The alert that says it best: theirs, or the one that we sent; 0: it went without one. */
static int alert_of(gnutls_session_t session, int code, int error)
{
    int level;
    if (error == -ECONNRESET)
        return 0;
    if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
        return (int)gnutls_alert_get(session);
    return gnutls_error_to_alert(code, &level);
}

static void on_tls(struct loop_source *source, uint32_t events)
{
    struct desktop_hello *hello = OWNER_OF(source, struct desktop_hello, source);
    int error = stream_tls_handshake(hello->tls, &hello->tls_code);
    (void)events;
    if (error == -EAGAIN) {
        loop_modify(hello->loop, source, stream_tls_wants(hello->tls));
        return;
    }
    if (!error) {
        finish(hello, DESKTOP_HELLO_OK);
        return;
    }
    /* Also where it hangs up: Windows has no other word for keys or ciphers that do not fit. */
    hello->alert = alert_of(hello->tls->session, hello->tls_code, error);
    finish(hello, DESKTOP_HELLO_TLS);
}

static void begin_tls(struct desktop_hello *hello)
{
    gnutls_session_t session;
    hello->tls = malloc(sizeof(*hello->tls));
    if (!hello->tls || desktop_tls_session(hello->desktop_tls, hello->host, &session)) {
        free(hello->tls);
        hello->tls = NULL;
        finish(hello, DESKTOP_HELLO_LOST);
        return;
    }
    stream_tls_init(hello->tls, hello->fd, session, hello->scratch);
    hello->source.ready = on_tls;
    on_tls(&hello->source, EPOLLIN);
}

/* ---- X.224 ---- */

/* Only security protocols with TLS: [MS-RDPBCGR] section 2.2.1.2.1. */
static bool has_tls(const struct x224_confirm *confirm)
{
    return confirm->negotiated && !confirm->failure &&
           (confirm->protocol == X224_PROTOCOL_TLS || confirm->protocol == X224_PROTOCOL_HYBRID ||
            confirm->protocol == X224_PROTOCOL_HYBRID_EX);
}

static void on_confirm(struct loop_source *source, uint32_t events)
{
    struct desktop_hello *hello = OWNER_OF(source, struct desktop_hello, source);
    struct x224_confirm confirm;
    (void)events;
    ssize_t got = recv(hello->fd, hello->confirm + hello->confirm_size,
                       sizeof(hello->confirm) - hello->confirm_size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        finish(hello, DESKTOP_HELLO_LOST);
        return;
    }
    hello->confirm_size += (size_t)got;
    int size = x224_confirm_read(hello->confirm, hello->confirm_size, &confirm);
    if (size == 0)
        return;
    hello->failure = confirm.reason;
    /* It has nothing to say between the confirm and our TLS hello. */
    if (size < 0 || (size_t)size != hello->confirm_size)
        finish(hello, DESKTOP_HELLO_FOREIGN);
    else if (!has_tls(&confirm))
        finish(hello, DESKTOP_HELLO_REFUSED);
    else
        begin_tls(hello);
}

int desktop_hello_begin(struct desktop_hello *hello, const uint8_t *request, size_t size,
                        uint32_t ms)
{
    hello->source.ready = on_confirm;
    hello->timer.fire = on_late;
    /* A socket that has not sent a byte yet takes these few. A desktop that is gone already is
     * heard of by reading. */
    if (send(hello->fd, request, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size &&
        errno == EAGAIN)
        return -EAGAIN;
    int error = loop_add(hello->loop, &hello->source, hello->fd, EPOLLIN);
    return error ? error : loop_timer_set(hello->loop, &hello->timer, ms);
}

void desktop_hello_stop(struct desktop_hello *hello)
{
    if (!hello->loop)
        return;
    loop_remove(hello->loop, &hello->source);
    loop_timer_cancel(hello->loop, &hello->timer);
    if (hello->tls)
        stream_deinit(&hello->tls->stream);
    free(hello->tls);
    hello->tls = NULL;
}
