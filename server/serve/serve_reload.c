#include "serve_reload.h"

#include "conf_memory.h"
#include "conf_settings.h"
#include "control.h"
#include "fd.h"
#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- which keys have changed ---- */

static uint64_t fingerprint(const char *text)
{
    uint64_t value = 0xcbf29ce484222325ULL; /* FNV-1a, public domain */
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 0x100000001b3ULL;
    return value;
}

static int take_one(void *owner, const struct conf_setting *setting)
{
    struct serve_settings *settings = owner;
    if (settings->count == SERVE_SETTINGS_MOST)
        return 1;
    settings->all[settings->count].section = setting->section;
    settings->all[settings->count].key = setting->key;
    settings->all[settings->count++].value = fingerprint(setting->value);
    return 0;
}

void serve_settings_take(struct serve_settings *settings, const char *state)
{
    char why[256];
    settings->count = 0;
    if (conf_settings(state, take_one, settings, why, sizeof(why)) != 0)
        settings->count = 0;
}

enum takes { TAKES_NOTHING, TAKES_UPGRADE, TAKES_RESTART };

/* What is bound, or made once when a process starts. */
static enum takes takes_of(const char *section, const char *key)
{
    static const struct {
        const char *section, *key;
        enum takes takes;
    } table[] = {
        {"server", "listen", TAKES_RESTART},      {"server", "http_listen", TAKES_RESTART},
        {"server", "user", TAKES_RESTART},        {"metrics", "listen", TAKES_RESTART},
        {"metrics", "any", TAKES_RESTART},        {"server", "name", TAKES_UPGRADE},
        {"server", "public_port", TAKES_UPGRADE}, {"server", "cage", TAKES_UPGRADE},
        {"server", "threads", TAKES_UPGRADE},     {"server", "connections", TAKES_UPGRADE},
        {"login", "workers", TAKES_UPGRADE},      {"login", "queue", TAKES_UPGRADE},
        {"policy", "time_zone", TAKES_UPGRADE},   {"alerts", "webhook", TAKES_UPGRADE},
        {"alerts", "authorities", TAKES_UPGRADE}, {"audit", "syslog", TAKES_UPGRADE},
        {"audit", "authorities", TAKES_UPGRADE},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (strcmp(table[i].section, section) == 0 && strcmp(table[i].key, key) == 0)
            return table[i].takes;
    }
    return TAKES_NOTHING;
}

#define KEEP(member) memcpy(&now->member, &running->member, sizeof(now->member))

/* What is in the table stays as it is, so that a child that is started again fits the others. */
static void keep_running(struct conf *now, const struct conf *running)
{
    KEEP(listen);
    KEEP(listen_count);
    KEEP(user);
    KEEP(metrics_any);
    KEEP(name);
    KEEP(public_port);
    KEEP(public_port_given);
    KEEP(cage);
    KEEP(threads);
    KEEP(connections);
    KEEP(login_workers);
    KEEP(login_queue);
    KEEP(time_zone);
    KEEP(alert_webhook);
    KEEP(alert_authorities);
    KEEP(audit_syslog);
    KEEP(audit_syslog_path);
    KEEP(audit_syslog_host);
    KEEP(audit_syslog_port);
    KEEP(audit_authorities);
}

static void append(char *list, size_t size, const char *section, const char *key)
{
    size_t length = strlen(list);
    snprintf(list + length, size - length, "%s[%s] %s", length ? ", " : "", section, key);
}

/* Those that take more are told again at each reload, until they have got it. */
static void tell(struct serve_settings *before, const struct serve_settings *now)
{
    char lists[3][1024] = {"", "", ""};
    for (size_t i = 0; i < now->count; i++) {
        bool same = i < before->count && before->all[i].value == now->all[i].value;
        enum takes takes = takes_of(now->all[i].section, now->all[i].key);
        if (same)
            continue;
        append(lists[takes], sizeof(lists[takes]), now->all[i].section, now->all[i].key);
        if (takes == TAKES_NOTHING && i < before->count)
            before->all[i].value = now->all[i].value;
    }
    LOG_INFO("conf.reload", "the configuration has been read again",
             LOG_TEXT("changed", *lists[TAKES_NOTHING] ? lists[TAKES_NOTHING] : "nothing"));
    if (*lists[TAKES_UPGRADE])
        LOG_WARNING("conf.reload", "what was changed here takes effect with 'deskgate upgrade'",
                    LOG_TEXT("keys", lists[TAKES_UPGRADE]));
    if (*lists[TAKES_RESTART])
        LOG_WARNING("conf.reload", "what was changed here takes effect with a restart",
                    LOG_TEXT("keys", lists[TAKES_RESTART]));
}

/* ---- handing it over ---- */

static void send_conf(int control, int fd, const char *child)
{
    int error = control < 0 ? 0 : control_send(control, CONTROL_CONF, &fd, 1);
    if (error)
        LOG_ERROR("conf.reload", "the new configuration could not be handed over",
                  LOG_TEXT("child", child), LOG_TEXT("error", strerror(-error)));
}

static int refuse(const char *why)
{
    LOG_ERROR("conf.reload", "the new configuration is not usable; the old one stays in use",
              LOG_TEXT("why", why));
    return -EINVAL;
}

int serve_reload(const struct serve_reload *reload)
{
    struct conf now;
    struct serve_settings settings;
    char why[CONF_PATH_SIZE + 256];

    if (conf_load(&now, reload->conf->state, why, sizeof(why)) != 0)
        return refuse(why);
    keep_running(&now, reload->conf);
    FD_AUTO int fd = conf_memory_new(&now);
    if (fd < 0)
        return refuse(strerror(-fd));
    if (serve_pems_load(reload->pems, &now, why, sizeof(why)) != 0) {
        LOG_ERROR("tls.reload",
                  "the certificate files are not usable; the old ones stay in use, and the "
                  "configuration with them",
                  LOG_TEXT("why", why));
        return -EINVAL;
    }
    *reload->conf = now;
    serve_settings_take(&settings, now.state);
    tell(reload->settings, &settings);
    send_conf(reload->keeper, fd, "keeper");
    send_conf(reload->gate, fd, "gate");
    int error = reload->gate < 0 ? 0 : serve_pems_send(reload->pems, reload->gate);
    if (error)
        LOG_ERROR("tls.reload", "the gate did not take the new certificates",
                  LOG_TEXT("error", strerror(-error)));
    fd_close(reload->conf_fd);
    *reload->conf_fd = fd;
    fd = -1; /* kept */
    return 0;
}
