#include "client_wire.h"

#include "client_dial.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* What every deskgate speaks: TLS 1.2 and 1.3, ephemeral keys, AEAD; the ciphers that processors
 * accelerate first. */
#define PRIORITY                                                                                   \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"                  \
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

static int fail_wait(int error, struct client_failure *failure)
{
    if (error == -ECANCELED)
        return client_fail(failure, CLIENT_FAULT_CANCELLED, "interrupted");
    if (error == -ETIMEDOUT)
        return client_fail(failure, CLIENT_FAULT_NETWORK, "the gateway does not answer in time");
    return client_fail(failure, CLIENT_FAULT_NETWORK, "the connection to the gateway failed: %s",
                       strerror(-error));
}

static int fail_tls(gnutls_session_t session, int error, struct client_failure *failure)
{
    switch (error) {
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET:
    case GNUTLS_E_RECORD_OVERFLOW:
        return client_fail(failure, CLIENT_FAULT_TLS,
                           "what answers there does not speak TLS; is the port right?");
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return client_fail(failure, CLIENT_FAULT_NETWORK,
                           "the connection broke off (the gateway, a firewall or a proxy closed "
                           "it)");
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        return client_fail(failure, CLIENT_FAULT_TLS, "the gateway refused our TLS: %s",
                           gnutls_alert_get_name(gnutls_alert_get(session)));
    default:
        return client_fail(failure, CLIENT_FAULT_TLS, "TLS failed: %s", gnutls_strerror(error));
    }
}

/* After GNUTLS_E_AGAIN: waits for what the session wants. 0 or -1. */
static int wait_again(const struct client_wire *wire, const struct client_wait *wait,
                      struct client_failure *failure)
{
    short events = gnutls_record_get_direction(wire->session) ? POLLOUT : POLLIN;
    int error = client_wait_fd(wait, wire->fd, events);
    return error ? fail_wait(error, failure) : 0;
}

static bool is_again(ssize_t result)
{
    return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ||
           result == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

static int prepare(struct client_wire *wire, const struct client_gateway *gateway)
{
    static const unsigned char http[] = "http/1.1";
    gnutls_datum_t protocol = {.data = (unsigned char *)(uintptr_t)http, .size = sizeof(http) - 1};
    const char *host = gateway->url.host;
    int error = gnutls_init(&wire->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (error < 0)
        return error;
    error = gnutls_priority_set_direct(wire->session, PRIORITY, NULL);
    if (error >= 0)
        error = gnutls_credentials_set(wire->session, GNUTLS_CRD_CERTIFICATE,
                                       gateway->trust.credentials);
    if (error >= 0 && !gateway->url.numeric) /* RFC 6066 section 3: no addresses */
        error = gnutls_server_name_set(wire->session, GNUTLS_NAME_DNS, host, strlen(host));
    if (error >= 0)
        error = gnutls_alpn_set_protocols(wire->session, &protocol, 1, 0);
    gnutls_transport_set_int(wire->session, wire->fd);
    return error;
}

static int shake_hands(struct client_wire *wire, const struct client_wait *wait,
                       struct client_failure *failure)
{
    for (;;) {
        int error = gnutls_handshake(wire->session);
        if (error == 0)
            return 0;
        if (!is_again(error))
            return fail_tls(wire->session, error, failure);
        if (wait_again(wire, wait, failure))
            return -1;
    }
}

int client_wire_open(struct client_wire *wire, const struct client_gateway *gateway,
                     const struct client_wait *wait, struct client_failure *failure)
{
    *wire = (struct client_wire){.fd = client_dial(&gateway->url, wait, failure)};
    if (wire->fd < 0)
        return -1;
    int error = prepare(wire, gateway);
    if (error < 0)
        client_fail(failure, CLIENT_FAULT_SYSTEM, "TLS is not available: %s",
                    gnutls_strerror(error));
    else if (!shake_hands(wire, wait, failure) &&
             !client_trust_check(&gateway->trust, wire->session, gateway->url.host, failure))
        return 0;
    client_wire_close(wire);
    fd_close(&wire->fd);
    return -1;
}

void client_wire_close(struct client_wire *wire)
{
    if (!wire->session)
        return;
    gnutls_bye(wire->session, GNUTLS_SHUT_WR); /* non-blocking: if it fits, politely */
    gnutls_deinit(wire->session);
    wire->session = NULL;
    fd_close(&wire->fd);
}

int client_wire_send(struct client_wire *wire, const void *data, size_t size,
                     const struct client_wait *wait, struct client_failure *failure)
{
    const uint8_t *at = data;
    while (size) {
        ssize_t sent = gnutls_record_send(wire->session, at, size);
        if (is_again(sent)) {
            if (wait_again(wire, wait, failure))
                return -1;
            continue;
        }
        if (sent < 0)
            return fail_tls(wire->session, (int)sent, failure);
        at += sent;
        size -= (size_t)sent;
    }
    return 0;
}

ssize_t client_wire_receive(struct client_wire *wire, void *to, size_t size,
                            const struct client_wait *wait, struct client_failure *failure)
{
    for (;;) {
        ssize_t got = gnutls_record_recv(wire->session, to, size);
        if (got >= 0)
            return got;
        if (!is_again(got))
            return fail_tls(wire->session, (int)got, failure);
        if (wait_again(wire, wait, failure))
            return -1;
    }
}
