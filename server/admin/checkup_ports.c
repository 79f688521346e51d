#include "addr.h"
#include "cage.h"
#include "certificate.h"
#include "checkup.h"
#include "fd.h"
#include "folder_lock.h"
#include "loop.h"
#include "memory.h"
#include "proxy2.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_MS 2000
#define FOLDER_MS 300 /* others look at the lock, too, for a moment */
#define PLAIN_MOST 4096

static void where_text(const struct conf_listen *listen, char *to, size_t size)
{
    char address[ADDR_TEXT_SIZE];
    bool v4 = addr_is_v4(&listen->address);
    addr_text(&listen->address, address);
    snprintf(to, size, "%s%s%s:%u", v4 ? "" : "[", address, v4 ? "" : "]", (unsigned)listen->port);
}

/* 0 when the address is free, else a negative errno. */
static int try_bind(const struct conf_listen *listen_on)
{
    struct sockaddr_storage address;
    socklen_t size = addr_to_sockaddr(&listen_on->address, listen_on->port, &address);
    int on = 1;
    FD_AUTO int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return bind(fd, (const struct sockaddr *)&address, size) < 0 ? -errno : 0;
}

/* Whether the gateway takes this machine for a balancer, and waits for a PROXY header from it. */
static bool is_balancer(const struct conf *conf, int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof(own);
    struct addr address;
    return getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
           addr_from_sockaddr(&address, (const struct sockaddr *)&own) &&
           addr_in_any(&address, conf->proxy_protocol.nets, conf->proxy_protocol.count);
}

/* As a balancer does that looks whether the gateway is well. */
static bool introduce(const struct conf *conf, const struct conf_listen *listen_on, int fd)
{
    return listen_on->metrics || !is_balancer(conf, fd) ||
           send(fd, PROXY2_LOCAL, PROXY2_FIXED, MSG_NOSIGNAL) == PROXY2_FIXED;
}

static int probe_connect(const struct conf *conf, const struct conf_listen *listen_on)
{
    struct sockaddr_storage address;
    struct timeval patience = {.tv_sec = PROBE_MS / 1000};
    /* Connecting to a wildcard address means this machine. */
    socklen_t size = addr_to_sockaddr(&listen_on->address, listen_on->port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, size) < 0 || !introduce(conf, listen_on, fd))
        fd_close(&fd);
    return fd;
}

enum probe { PROBE_NOTHING, PROBE_REFUSED /* in TLS */, PROBE_SHOWN };

/* The SHA-256 of the certificate that the other side shows; who it is, is what we want to know, so
 * nothing is verified. */
static enum probe probe(const struct conf *conf, const struct conf_listen *listen_on,
                        unsigned char hash[32])
{
    bool refused = false;
    gnutls_session_t session = NULL;
    gnutls_certificate_credentials_t credentials = NULL;
    unsigned count = 0;
    size_t size = 32;
    FD_AUTO int fd = probe_connect(conf, listen_on);

    if (fd < 0)
        return PROBE_NOTHING;
    bool good = gnutls_certificate_allocate_credentials(&credentials) >= 0 &&
                gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) >= 0 &&
                gnutls_set_default_priority(session) >= 0 &&
                gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) >= 0;
    if (good) {
        gnutls_transport_set_int(session, fd);
        gnutls_handshake_set_timeout(session, PROBE_MS);
        int code;
        do
            code = gnutls_handshake(session);
        while (code < 0 && code != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(code));
        refused = code == GNUTLS_E_FATAL_ALERT_RECEIVED;
        const gnutls_datum_t *peer =
            code < 0 ? NULL : gnutls_certificate_get_peers(session, &count);
        good = peer && count > 0 && gnutls_fingerprint(GNUTLS_DIG_SHA256, peer, hash, &size) >= 0;
    }
    if (session)
        gnutls_deinit(session);
    if (credentials)
        gnutls_certificate_free_credentials(credentials);
    return good ? PROBE_SHOWN : refused ? PROBE_REFUSED : PROBE_NOTHING;
}

/* What an HTTP server without TLS says first; false: nothing. */
static bool ask_plain(const struct checkup *check, const struct conf_listen *listen_on,
                      char answer[PLAIN_MOST])
{
    char request[512];
    size_t size = 0;
    ssize_t got = 1;
    uint64_t until = loop_clock_ms() + PROBE_MS; /* however slowly it says it */
    FD_AUTO int fd = probe_connect(&check->conf, listen_on);
    int length = snprintf(request, sizeof(request),
                          "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                          listen_on->metrics ? "metrics" : "", check->conf.name);

    if (fd < 0 || send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        return false;
    while (got > 0 && size < PLAIN_MOST - 1 && loop_clock_ms() < until) {
        got = recv(fd, answer + size, PLAIN_MOST - 1 - size, 0);
        size += got > 0 ? (size_t)got : 0;
    }
    answer[size] = '\0';
    return size > 0;
}

enum plain { PLAIN_OTHER, PLAIN_OURS, PLAIN_RENAMED };

/* It tells our numbers, or sends to our name; or to another one, as this gateway does until it is
 * told of its new name. */
static enum plain whose_plain(const struct checkup *check, const struct conf_listen *listen_on)
{
    char answer[PLAIN_MOST], sign[300];

    snprintf(sign, sizeof(sign), "\r\nLocation: https://%s", check->conf.name);
    if (!ask_plain(check, listen_on, answer))
        return PLAIN_OTHER;
    if (strstr(answer, listen_on->metrics ? "\ndeskgate_" : sign) != NULL)
        return PLAIN_OURS;
    bool moves = !listen_on->metrics && strstr(answer, "\r\nLocation: https://") != NULL;
    return moves && check->runs ? PLAIN_RENAMED : PLAIN_OTHER;
}

static bool is_ours(const struct checkup *check, const unsigned char hash[32])
{
    char text[CERTIFICATE_FINGERPRINT_SIZE], why[CONF_PATH_SIZE + 256];
    struct certificate found;

    certificate_fingerprint_text(hash, text);
    for (size_t i = 0; i < check->conf.pair_count; i++) {
        if (certificate_look(&check->conf.pairs[i], check->conf.name, &found, why, sizeof(why)) ==
                0 &&
            strcmp(found.fingerprint, text) == 0)
            return true;
    }
    return false;
}

static void checkup_taken(struct checkup *check, const struct conf_listen *listen_on,
                          const char *where)
{
    unsigned char hash[32];
    char mend[128];
    enum probe found = PROBE_NOTHING;

    snprintf(mend, sizeof(mend), "stop the other program ('ss -ltnp' shows it), or change %s",
             conf_listen_key(listen_on));
    enum plain plain = listen_on->tls ? PLAIN_OTHER : whose_plain(check, listen_on);
    if (plain == PLAIN_OURS)
        checkup_say(check, CHECKUP_OK, "port", "", "%s is in use, as it is when the gateway runs",
                    where);
    else if (plain == PLAIN_RENAMED)
        checkup_say(check, CHECKUP_WARNING, "port",
                    "'deskgate upgrade' takes up a name that was changed; else stop the other "
                    "program ('ss -ltnp' shows it)",
                    "%s sends to another name than [server] name, perhaps the one before", where);
    else if (!listen_on->tls)
        checkup_say(check, CHECKUP_PROBLEM, "port", mend, "%s is in use, and not by this gateway",
                    where);
    else if ((found = probe(&check->conf, listen_on, hash)) == PROBE_REFUSED)
        checkup_say(check, CHECKUP_PROBLEM, "port",
                    "mend what is said of the certificate, and restart the gateway; where it does "
                    "not run, stop the other program ('ss -ltnp' shows it)",
                    "%s speaks TLS, but refuses to go on: nobody can connect", where);
    else if (found == PROBE_NOTHING)
        checkup_say(check, CHECKUP_PROBLEM, "port", mend, "%s is in use, and not by a gateway",
                    where);
    else if (is_ours(check, hash))
        checkup_say(check, CHECKUP_OK, "port", "", "this gateway answers at %s", where);
    else
        checkup_say(
            check, CHECKUP_WARNING, "port",
            "send SIGHUP when the certificate is new; else stop the other program ('ss -ltnp' "
            "shows it), or change [server] listen",
            "%s answers with another certificate", where);
}

static void checkup_port(struct checkup *check, const struct conf_listen *listen_on)
{
    char where[ADDR_TEXT_SIZE + 16];
    char mend[64];
    int error = try_bind(listen_on);

    snprintf(mend, sizeof(mend), "change %s", conf_listen_key(listen_on));
    where_text(listen_on, where, sizeof(where));
    switch (-error) {
    case 0:
        if (check->runs && listen_on->port)
            checkup_say(check, CHECKUP_WARNING, "port",
                        "restart the gateway, which takes up addresses that were changed; where "
                        "systemd holds the ports, its .socket units say which, and this is not "
                        "used",
                        "%s is free, though the gateway runs: it listens elsewhere", where);
        else
            checkup_say(check, CHECKUP_OK, "port", "", "%s is free", where);
        break;
    case EADDRINUSE:
        checkup_taken(check, listen_on, where);
        break;
    case EACCES:
        checkup_say(check, CHECKUP_WARNING, "port",
                    "start the gateway as root (it is dropped after binding) or by deskgate.socket",
                    "%s cannot be tried without root", where);
        break;
    default:
        checkup_say(check, CHECKUP_PROBLEM, "port", mend, "%s: %s", where, strerror(-error));
    }
}

void checkup_ports(struct checkup *check)
{
    int lock = folder_lock_within(check->conf.state, FOLDER_MS);

    check->runs = lock == -EBUSY;
    fd_close(&lock);
    for (size_t i = 0; i < check->conf.listen_count; i++)
        checkup_port(check, &check->conf.listen[i]);
}

/* Tried on a child, since there is no way back. */
void checkup_cage(struct checkup *check)
{
    bool required = check->conf.cage == CONF_CAGE_REQUIRE;
    int status = 0;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct cage_report report = {0};
        cage_gate_files(&report);
        cage_gate_calls(&report);
        _exit((report.seccomp ? 1 : 0) | (report.landlock ? 2 : 0));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        status = 0;
    int has = WEXITSTATUS(status);
    if (has == 3)
        checkup_say(check, CHECKUP_OK, "cage", "", "this kernel can lock the gate in");
    else
        checkup_say(check, required ? CHECKUP_PROBLEM : CHECKUP_WARNING, "cage",
                    "use a kernel with seccomp and Landlock (5.13 or later, lsm=…,landlock)",
                    "this kernel lacks %s%s%s", has & 1 ? "" : "seccomp", has == 0 ? " and " : "",
                    has & 2 ? "" : "Landlock");
}

void checkup_memory(struct checkup *check)
{
    if (memory_may_lock())
        checkup_say(check, CHECKUP_OK, "memory", "",
                    "it can be locked, so no secret is swapped out");
    else
        checkup_say(check, CHECKUP_WARNING, "memory",
                    "raise the limit of locked memory to unlimited (LimitMEMLOCK=infinity in the "
                    "service's unit, 'ulimit -l unlimited'), or start the gateway as root",
                    "a gateway started by this user may not lock its memory: secrets may reach a "
                    "swap device");
}
