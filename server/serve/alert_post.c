#include "alert_post.h"

#include "cli.h"
#include "fd.h"
#include "log.h"
#include "sealed.h"
#include "text.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define ALERT_MOST 8192
#define TRIES 3
#define TRY_SECONDS 7L   /* all tries together stay below the supervisor's limit */
#define PAUSE_SECONDS 2U /* after the first; doubles */

struct alert_post_target {
    char url[CONF_PATH_SIZE];
    char authorities[CONF_PATH_SIZE]; /* "": the system's */
};

/* ---- in the supervisor ---- */

/* The first line of a file. */
static int read_url(const char *path, char url[CONF_PATH_SIZE], char *why, size_t size)
{
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, url, CONF_PATH_SIZE - 1);
    if (got < 0) {
        int error = errno;
        snprintf(why, size, "%s: %s", path, strerror(error));
        return -error;
    }
    url[got] = '\0';
    url[strcspn(url, "\r\n")] = '\0';
    return 0;
}

static int check_url(const char *url, char *why, size_t size)
{
    bool good = strncmp(url, "https://", 8) == 0 && url[8];
    for (const char *c = url; *c; c++)
        good = good && *c > ' ' && *c < 0x7f;
    if (!good)
        snprintf(why, size, "the address does not begin with https://, or holds what none may");
    return good ? 0 : -EINVAL;
}

int alert_post_target(const struct conf *conf, char *why, size_t size)
{
    struct alert_post_target target = {0};
    int error = 0;
    text_copy(target.url, sizeof(target.url), conf->alert_webhook);
    text_copy(target.authorities, sizeof(target.authorities), conf->alert_authorities);
    if (conf->alert_webhook[0] == '/')
        error = read_url(conf->alert_webhook, target.url, why, size);
    if (!error)
        error = check_url(target.url, why, size);
    if (error)
        return error;
    int fd = sealed_new("deskgate-webhook", &target, sizeof(target));
    explicit_bzero(&target, sizeof(target));
    if (fd < 0)
        snprintf(why, size, "%s", strerror(-fd));
    return fd;
}

/* ---- in the process that posts ---- */

static size_t swallow(char *data, size_t size, size_t count, void *owner)
{
    (void)data;
    (void)owner;
    return size * count; /* what it says beyond its status is not our concern */
}

static CURL *prepare(const struct alert_post_target *target, const char *alert,
                     struct curl_slist *headers)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    bool good = curl_easy_setopt(curl, CURLOPT_URL, target->url) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, alert) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, 1L << 20) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_TIMEOUT, TRY_SECONDS) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                (!target->authorities[0] ||
                 curl_easy_setopt(curl, CURLOPT_CAINFO, target->authorities) == CURLE_OK);
    if (good)
        return curl;
    curl_easy_cleanup(curl);
    return NULL;
}

/* Whether it was taken; `*again` when another try may help. The address is in no message. */
static bool post_once(CURL *curl, bool *again)
{
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *again =
        code != CURLE_PEER_FAILED_VERIFICATION && (status == 0 || status == 429 || status >= 500);
    if (status >= 200 && status < 300)
        return true;
    LOG_WARNING("alert.post",
                code == CURLE_OK ? "the webhook refused an alert"
                                 : "the webhook could not be reached",
                LOG_TEXT("error", code == CURLE_OK ? "" : curl_easy_strerror(code)),
                LOG_NUMBER("status", status));
    return false;
}

static int post(const struct alert_post_target *target, const char *alert)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *curl = headers ? prepare(target, alert, headers) : NULL;
    bool done = false, again = curl != NULL;
    for (unsigned i = 0; !done && again && i < TRIES; i++) {
        if (i)
            sleep(PAUSE_SECONDS << (i - 1));
        done = post_once(curl, &again);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return done ? EX_OK : EX_UNAVAILABLE;
}

static bool read_target(struct alert_post_target *target)
{
    struct stat st;
    return fstat(ALERT_POST_TARGET_FD, &st) == 0 && st.st_size == (off_t)sizeof(*target) &&
           pread(ALERT_POST_TARGET_FD, target, sizeof(*target), 0) == (ssize_t)sizeof(*target) &&
           memchr(target->url, '\0', sizeof(target->url)) &&
           memchr(target->authorities, '\0', sizeof(target->authorities));
}

int alert_post_verb(struct cli *cli, int argc, char **argv)
{
    struct alert_post_target target;
    char alert[ALERT_MOST + 1];
    (void)cli;
    if (argc != 1 || !read_target(&target))
        return cli_fail(EX_USAGE, "'%s' is started by 'deskgate serve', not by hand", argv[0]);
    prctl(PR_SET_NAME, "deskgate-alert");
    log_init("alert", LOG_LEVEL_INFO);
    ssize_t got = read(STDIN_FILENO, alert, ALERT_MOST);
    if (got <= 0)
        return EX_DATAERR;
    alert[got] = '\0';
    return post(&target, alert);
}
