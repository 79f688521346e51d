/* libcurl brings names, happy eyeballs (RFC 8305) and proxies. It is told to make a bare tunnel to
 * an http:// address, so that TLS stays ours: the pinning rules and the relay's session. */
#include "client_dial.h"

#include "client_proxy.h"
#include "fd.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dial {
    const struct client_url *gateway;
    const char *proxy; /* NULL: none; may hold a password, so it is never printed */
    CURL *easy;
    CURLM *multi;
    bool added;
};

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
    CURL *easy = dial->easy;
    /* Empty texts keep libcurl from looking into the environment. */
    return curl_easy_setopt(easy, CURLOPT_PROXY, dial->proxy ? dial->proxy : "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
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

/* ---- proxies ---- */

static int fail_form(struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_PROXY,
                       "the proxy in https_proxy or all_proxy cannot be used: it is not of the "
                       "form http://HOST:PORT or socks5://HOST:PORT (a proxy reached by https:// "
                       "is not supported)");
}

/* It does as it should, but the way behind it is broken, as ours may be: that passes. */
static int fail_behind(const struct dial *dial, const char *why, struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_NETWORK, "the proxy cannot reach the gateway %s (%s)",
                       dial->gateway->authority, why);
}

static int fail_refused(const struct dial *dial, const char *why, struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_PROXY,
                       "the proxy refuses to connect to %s (%s); ask whoever runs it, or name the "
                       "gateway in no_proxy",
                       dial->gateway->authority, why);
}

static int fail_gateway_name(const struct dial *dial, struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_NAME,
                       "the gateway's name %s is not known here; is it spelled right, and are you "
                       "online?",
                       dial->gateway->host);
}

/* RFC 9110 section 15.6: 502, 503 and 504 are about what is behind the proxy. */
static int fail_http_proxy(const struct dial *dial, long code, struct client_failure *failure)
{
    char why[32];
    snprintf(why, sizeof(why), "it answered %ld", code);
    if (code == 407)
        return client_fail(failure, CLIENT_FAULT_PROXY,
                           "the proxy wants a sign-in of its own, or refused yours (407): set "
                           "https_proxy=http://USER:PASSWORD@PROXY:PORT");
    return code >= 502 && code <= 504 ? fail_behind(dial, why, failure)
                                      : fail_refused(dial, why, failure);
}

/* RFC 1928 section 6, and SOCKS 4, which has one answer for all that fails. */
static int fail_socks_proxy(const struct dial *dial, struct client_failure *failure)
{
    long error = CURLPX_OK;
    curl_easy_getinfo(dial->easy, CURLINFO_PROXY_ERROR, &error);
    switch (error) {
    case CURLPX_RESOLVE_HOST:
        return fail_gateway_name(dial, failure);
    case CURLPX_REPLY_HOST_UNREACHABLE:
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
    case CURLPX_REPLY_TTL_EXPIRED:
        return fail_behind(dial, "there is no way to it", failure);
    case CURLPX_REPLY_CONNECTION_REFUSED:
        return fail_behind(dial, "the connection was refused", failure);
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
    case CURLPX_REQUEST_FAILED:
        return fail_behind(dial, "it does not say why", failure);
    case CURLPX_CLOSED:
    case CURLPX_RECV_ADDRESS:
    case CURLPX_RECV_AUTH:
    case CURLPX_RECV_CONNECT:
    case CURLPX_RECV_REQACK:
    case CURLPX_SEND_AUTH:
    case CURLPX_SEND_CONNECT:
    case CURLPX_SEND_REQUEST:
        return fail_behind(dial, "its connection broke off", failure);
    case CURLPX_REPLY_NOT_ALLOWED:
        return fail_refused(dial, "its rules are against it", failure);
    case CURLPX_NO_AUTH:
    case CURLPX_USER_REJECTED:
        return client_fail(failure, CLIENT_FAULT_PROXY,
                           "the proxy wants a sign-in of its own, or refused yours: set "
                           "https_proxy=socks5h://USER:PASSWORD@PROXY:PORT");
    default:
        return fail_refused(dial, "it speaks another SOCKS, or none", failure);
    }
}

static int fail_proxy_name(struct client_failure *failure)
{
    return client_fail(failure, CLIENT_FAULT_NAME,
                       "the name of the proxy in https_proxy or all_proxy is not known here; is it "
                       "spelled right, and are you online?");
}

/* ---- connecting ---- */

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
        return fail_http_proxy(dial, connect_code, failure);
    switch (verdict) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail_gateway_name(dial, failure);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return fail_proxy_name(failure);
    case CURLE_PROXY:
        return fail_socks_proxy(dial, failure);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return fail_form(failure);
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
    struct dial dial = {.gateway = gateway, .proxy = client_proxy_for(gateway)};
    int fd = -1;
    if (dial.proxy && !client_proxy_usable(dial.proxy))
        return fail_form(failure);
    if (dial_init(&dial)) {
        int verdict = dial_perform(&dial, wait);
        fd = verdict == CURLE_OK ? take_socket(&dial, failure)
                                 : dial_failed(&dial, verdict, failure);
    } else {
        client_fail(failure, CLIENT_FAULT_SYSTEM, "the connection could not be prepared");
    }
    dial_deinit(&dial);
    return fd;
}
