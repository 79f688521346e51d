#include "conf.h"

#include "conf_read.h"
#include "conf_value.h"
#include "fd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_FILE_MOST (1 << 20) /* bytes */

/* False when a default address is already taken by http_listen. */
static bool conf_defaults_lists(struct conf *conf, bool listen, bool pairs, bool allow)
{
    struct conf_reading reading = {.conf = conf};
    bool free = !listen || (conf_take_listen(&reading, NULL, "0.0.0.0:443") &&
                            conf_take_listen(&reading, NULL, "[::]:443"));
    if (pairs) {
        conf_take_certificate(&reading, NULL, "tls/cert.pem");
        conf_take_tls_key(&reading, NULL, "tls/key.pem");
        conf->pair_count = 1;
    }
    if (allow)
        conf_take_allow(&reading, NULL, "private");
    return free;
}

/* The state folder may not exist yet, so realpath() alone will not do. */
static void conf_absolute(char to[CONF_PATH_SIZE], const char *path)
{
    char here[PATH_MAX];
    if (realpath(path, to))
        return;
    if (path[0] == '/' || !getcwd(here, sizeof(here)))
        text_copy(to, CONF_PATH_SIZE, path);
    else if (snprintf(to, CONF_PATH_SIZE, "%s/%s", here, path) >= CONF_PATH_SIZE)
        to[CONF_PATH_SIZE - 1] = '\0';
}

static void conf_defaults_plain(struct conf *conf, const char *state)
{
    char host[256] = "", absolute[CONF_PATH_SIZE];
    conf_absolute(absolute, state); /* which may lie in *conf */
    *conf = (struct conf){
        .user = "deskgate",
        .cage = CONF_CAGE_PREFER,
        .connections = 8192,
        .connections_per_address = 256,
        .strangers_percent = 75,
        .handshakes_percent = 25,
        .handshakes_per_address = 64,
        .handshake_seconds = 10,
        .request_seconds = 20,
        .keepalive_seconds = 60,
        .drain_seconds = 43200,
        .login_workers = 2,
        .login_queue = 64,
        .login_deadline_seconds = 10,
        .login_user_failures = 5,
        .login_address_failures = 20,
        .login_window_seconds = 900,
        .password_profile = CONF_PASSWORD_MODERN,
        .password_least = 12,
        .password_history = 5,
        .password_max_days = 90,
        .password_warn_days = 14,
        .session_idle_seconds = 3600,
        .session_absolute_seconds = 43200,
        .admin_factor_seconds = 900,
        .tunnel_idle_seconds = 3600,
        .tunnel_ping_seconds = 30,
        .dial_seconds = 8,
        .dial_lost_seconds = 90,
        .wake_seconds = 60,
        .rdg_legacy = true,
        .alert_rules = (1U << ALERT_RULES) - 1,
        .alert_user_failures = 10,
        .alert_address_failures = 30,
        .alert_after_failures = 5,
        .alert_window_seconds = 900,
        .alert_certificate_days = 14,
        .alert_repeat_seconds = 3600,
        .alert_per_hour = 60,
    };
    text_copy(conf->state, sizeof(conf->state), absolute);
    if (gethostname(host, sizeof(host) - 1) != 0 ||
        !conf_name(conf->name, sizeof(conf->name), host))
        text_copy(conf->name, sizeof(conf->name), "localhost");
}

bool conf_public_port(struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        if (!conf->listen[i].tls)
            continue;
        if (!conf->public_port_given)
            conf->public_port = conf->listen[i].port;
        return true;
    }
    return false;
}

void conf_defaults(struct conf *conf, const char *state)
{
    conf_defaults_plain(conf, state);
    conf_defaults_lists(conf, true, true, true);
    conf_public_port(conf);
}

void conf_path(const struct conf *conf, const char *name, char *path)
{
    /* A path cut short would be another file's. */
    if (snprintf(path, CONF_PATH_SIZE, "%s/%s", conf->state, name) >= CONF_PATH_SIZE)
        path[0] = '\0';
}

const char *conf_listen_key(const struct conf_listen *listen_on)
{
    return listen_on->tls       ? "[server] listen"
           : listen_on->metrics ? "[metrics] listen"
                                : "[server] http_listen";
}

/* The numbers are nobody else's business unless somebody says so. */
static bool conf_metrics_stay_here(const struct conf *conf)
{
    struct addr_net v4, v6;
    if (!addr_net_parse(&v4, "127.0.0.0/8") || !addr_net_parse(&v6, "::1/128"))
        return false;
    for (size_t i = 0; i < conf->listen_count; i++) {
        const struct conf_listen *listen_on = &conf->listen[i];
        if (listen_on->metrics && !addr_in(&listen_on->address, &v4) &&
            !addr_in(&listen_on->address, &v6))
            return false;
    }
    return true;
}

/* What no single line can tell. */
static const char *conf_whole(struct conf_file *file)
{
    struct conf *conf = file->reading.conf;
    bool pairs = conf_read_seen(file, "tls", "certificate") || conf_read_seen(file, "tls", "key");

    if (!conf_defaults_lists(conf, !conf_read_seen(file, "server", "listen"), !pairs,
                             !conf_read_seen(file, "dial", "allow")))
        return "[server] http_listen has the address of the default listen; give listen as well";
    if (conf_read_seen(file, "alerts", "rules"))
        conf->alert_rules = file->reading.alert_rules;
    if (pairs && file->reading.certificates != file->reading.keys)
        return "[tls] needs as many keys as certificates, in the same order";
    if (pairs && file->reading.keys == 0)
        return "[tls] needs a certificate and its key";
    if (pairs)
        conf->pair_count = file->reading.keys;
    if (!*conf->rdp_certificate != !*conf->rdp_key)
        return "[rdp] needs both, a certificate and its key";
    if (!conf->metrics_any && !conf_metrics_stay_here(conf))
        return "[metrics] listen is an address that others can reach; give one of loopback's, such "
               "as 127.0.0.1:9090, or say any = yes as well";
    return conf_public_port(conf) ? NULL : "[server] listen needs at least one address";
}

static int conf_judge(struct conf_file *file, char *why, size_t size)
{
    if (!conf_read(file)) {
        snprintf(why, size, CONF_FILE " line %u: %s", file->fault_line, file->fault);
        return -EINVAL;
    }
    const char *words = ferror(file->in) ? "it could not be read to its end" : conf_whole(file);
    if (words)
        snprintf(why, size, CONF_FILE ": %s", words);
    return words ? -EINVAL : 0;
}

int conf_load_text(struct conf *conf, const char *state, const char *text, size_t length, char *why,
                   size_t size)
{
    conf_defaults_plain(conf, state);
    struct conf_file file = {.reading = {.conf = conf},
                             .in = fmemopen((void *)(uintptr_t)text, length, "r")};
    if (!file.in) {
        snprintf(why, size, "%s", strerror(errno));
        return -EINVAL;
    }
    int result = conf_judge(&file, why, size);
    fclose(file.in);
    return result;
}

int conf_load(struct conf *conf, const char *state, char *why, size_t size)
{
    return conf_load_telling(conf, state, NULL, NULL, why, size);
}

int conf_load_telling(struct conf *conf, const char *state,
                      void (*given)(void *owner, const char *section, const char *key,
                                    const char *value, unsigned line),
                      void *owner, char *why, size_t size)
{
    char path[CONF_PATH_SIZE];
    struct stat st;

    conf_defaults_plain(conf, state);
    conf_path(conf, CONF_FILE, path);
    int fd FD_AUTO = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int error = errno;
        snprintf(why, size, "%s: %s", path, strerror(error));
        return error == ENOENT || error == EACCES ? -error : -EINVAL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > CONF_FILE_MOST) {
        snprintf(why, size, "%s is not a text file of at most 1 MiB", path);
        return -EINVAL;
    }
    struct conf_file file = {
        .reading = {.conf = conf}, .in = fdopen(fd, "r"), .given = given, .owner = owner};
    if (!file.in) {
        snprintf(why, size, "%s: %s", path, strerror(errno));
        return -EINVAL;
    }
    fd = -1; /* the stream's */
    int result = conf_judge(&file, why, size);
    fclose(file.in);
    return result;
}
