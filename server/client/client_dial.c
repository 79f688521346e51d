/* libcurl brings names, happy eyeballs (RFC 8305) and proxies. It is told to make a bare tunnel to
 * an http:// address, so that TLS stays ours: the pinning rules and the relay's session. */
#include "client_dial.h"

#include "fd.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct dial {
    const struct client_url *gateway;
    const char *proxy; /* NULL: none; may hold a password, so it is never printed */
    CURL *easy;
    CURLM *multi;
    bool added;
};

static const char *environment(const char *lower, const char *upper)
{
    const char *value = getenv(lower);
    if (!value || !*value)
        value = getenv(upper);
    return value && *value ? value : NULL;
}

/* A proxy that is itself reached by TLS would leave libcurl holding that session. */
static bool is_usable(const char *proxy)
{
    static const char *const schemes[] = {"http://", "socks4://", "socks4a://", "socks5://",
                                          "socks5h://"};
    if (!proxy || !strstr(proxy, "://"))
        return true;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        if (strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
            return true;
    }
    return false;
}

static void dial_deinit(struct dial *dial)
{
    if (dial->added)
        curl_multi_remove_handle(dial->multi, dial->easy);
    if (dial->easy)
        curl_easy_cleanup(dial->easy);
    if (dial->multi)
        curl_multi_cleanup(dial->multi);
}

static bool set_proxy(struct dial *dial)
{
    const char *none = environment("no_proxy", "NO_PROXY");
    dial->proxy = environment("https_proxy", "HTTPS_PROXY");
    if (!dial->proxy)
        dial->proxy = environment("all_proxy", "ALL_PROXY");
    CURL *easy = dial->easy;
    /* An empty text keeps libcurl from looking at http_proxy. */
    return curl_easy_setopt(easy, CURLOPT_PROXY, dial->proxy ? dial->proxy : "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, none ? none : "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK;
}

static bool dial_init(struct dial *dial)
{
    char url[CLIENT_URL_HOST_SIZE + 32];
    bool v6 = strchr(dial->gateway->host, ':') != NULL;
    snprintf(url, sizeof(url), v6 ? "http://[%s]:%u/" : "http://%s:%u/", dial->gateway->host,
             dial->gateway->port);
    dial->easy = curl_easy_init();
    dial->multi = curl_multi_init();
    if (!dial->easy || !dial->multi)
        return false;
    CURL *easy = dial->easy;
    bool good =
        curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "deskgate/" DESKGATE_VERSION) == CURLE_OK &&
        set_proxy(dial);
    dial->added = good && curl_multi_add_handle(dial->multi, easy) == CURLM_OK;
    return dial->added;
}

/* libcurl's verdict, or -ETIMEDOUT, -ECANCELED, -EIO as a negative number. */
static int dial_perform(struct dial *dial, const struct client_wait *wait)
{
    for (;;) {
        int running = 0, left = 0;
        struct curl_waitfd cancel = {.fd = wait->cancel, .events = CURL_WAIT_POLLIN};
        if (curl_multi_perform(dial->multi, &running) != CURLM_OK)
            return -EIO;
        const CURLMsg *message = curl_multi_info_read(dial->multi, &left);
        if (message && message->msg == CURLMSG_DONE)
            return (int)message->data.result;
        uint64_t now = client_wait_now();
        if (now >= wait->until_ms)
            return -ETIMEDOUT;
        int ms = wait->until_ms - now > 1000 ? 1000 : (int)(wait->until_ms - now);
        if (curl_multi_poll(dial->multi, &cancel, 1, ms, NULL) != CURLM_OK)
            return -EIO;
        if (cancel.revents)
            return -ECANCELED;
    }
}

static int fail_proxy(const struct dial *dial, long code, struct client_failure *failure)
{
    if (code == 407)
        return client_fail(failure, CLIENT_FAULT_PROXY,
                           "the proxy wants a sign-in of its own, or refused yours (407): set "
                           "https_proxy=http://USER:PASSWORD@PROXY:PORT");
    if (code)
        return client_fail(failure, CLIENT_FAULT_PROXY,
                           "the proxy refuses to connect to %s (it answered %ld); ask whoever "
                           "runs it, or name the gateway in no_proxy",
                           dial->gateway->authority, code);
    return client_fail(
        failure, CLIENT_FAULT_PROXY,
        "the proxy in https_proxy or all_proxy cannot be used: its name does not "
        "resolve, or it is not of the form http://HOST:PORT or socks5://HOST:PORT (a "
        "proxy reached by https:// is not supported)");
}

static int fail_network(const struct dial *dial, int verdict, struct client_failure *failure)
{
    long error = 0;
    curl_easy_getinfo(dial->easy, CURLINFO_OS_ERRNO, &error);
    const char *why = curl_easy_strerror((CURLcode)verdict);
    if (verdict == -ETIMEDOUT || verdict == CURLE_OPERATION_TIMEDOUT)
        why = "no answer in time";
    else if (verdict == CURLE_COULDNT_CONNECT && error)
        why = strerror((int)error);
    return client_fail(failure, CLIENT_FAULT_NETWORK, "cannot reach the gateway %s%s: %s",
                       dial->gateway->authority, dial->proxy ? " (a proxy is set)" : "", why);
}

static int dial_failed(const struct dial *dial, int verdict, struct client_failure *failure)
{
    long connect_code = 0;
    curl_easy_getinfo(dial->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
    if (verdict == -ECANCELED)
        return client_fail(failure, CLIENT_FAULT_CANCELLED, "interrupted");
    if (connect_code >= 300)
        return fail_proxy(dial, connect_code, failure);
    switch (verdict) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return client_fail(failure, CLIENT_FAULT_NAME,
                           "the gateway's name %s is not known here; is it spelled right, and are "
                           "you online?",
                           dial->gateway->host);
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return fail_proxy(dial, 0, failure);
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    default:
        return fail_network(dial, verdict, failure);
    }
}

static int take_socket(const struct dial *dial, struct client_failure *failure)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    /* Our own copy: libcurl closes its one with the handle, which does not end the connection. */
    int fd = curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK &&
                     socket != CURL_SOCKET_BAD
                 ? fcntl(socket, F_DUPFD_CLOEXEC, 3)
                 : -1;
    if (fd < 0)
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "no descriptor for the connection");
    if (fd_nonblocking(fd) < 0) {
        close(fd);
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "the connection cannot be set up");
    }
    fd_nodelay(fd);
    return fd;
}

int client_dial(const struct client_url *gateway, const struct client_wait *wait,
                struct client_failure *failure)
{
    struct dial dial = {.gateway = gateway};
    int fd = -1;
    if (!dial_init(&dial)) {
        dial_deinit(&dial);
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "the connection could not be prepared");
    }
    if (!is_usable(dial.proxy)) {
        fail_proxy(&dial, 0, failure);
    } else {
        int verdict = dial_perform(&dial, wait);
        fd = verdict == CURLE_OK ? take_socket(&dial, failure)
                                 : dial_failed(&dial, verdict, failure);
    }
    dial_deinit(&dial);
    return fd;
}
