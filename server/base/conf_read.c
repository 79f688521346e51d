/* inih splits the file into sections, keys and values; the table below says what each means. Lines
 * reach inih through conf_line(), which counts them for messages and refuses what inih would
 * silently cut: lines longer than its buffer and NUL bytes. */
#include "conf_read.h"

#include "day.h"
#include "text.h"

#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

#define YEAR 31536000 /* seconds */

#define LIST(section, key, take)                                                                   \
    {                                                                                              \
        section, key, take, true, 0, 0, 0                                                          \
    }
#define ONE(section, key, take)                                                                    \
    {                                                                                              \
        section, key, take, false, 0, 0, 0                                                         \
    }
#define NUMBER(section, key, member, least, most)                                                  \
    {                                                                                              \
        section, key, conf_take_number, false, offsetof(struct conf, member), least, most          \
    }

#define PATH(section, key, member)                                                                 \
    {                                                                                              \
        section, key, conf_take_path, false, offsetof(struct conf, member), 0, 0                   \
    }

/* Addresses and networks. */
#define NETS(section, key, member)                                                                 \
    {                                                                                              \
        section, key, conf_take_proxy, true, offsetof(struct conf, member), 0, 0                   \
    }

#define FLAG(section, key, member)                                                                 \
    {                                                                                              \
        section, key, conf_take_flag, false, offsetof(struct conf, member), 0, 0                   \
    }

#define TEXT(section, key, member)                                                                 \
    {                                                                                              \
        section, key, conf_take_text, false, offsetof(struct conf, member), 0, 0                   \
    }

static const struct conf_key keys[] = {
    LIST("server", "listen", conf_take_listen),
    LIST("server", "http_listen", conf_take_http_listen),
    ONE("server", "name", conf_take_name),
    ONE("server", "public_port", conf_take_port),
    ONE("server", "user", conf_take_user),
    PATH("server", "acme_folder", acme_folder),
    ONE("server", "cage", conf_take_cage),
    NUMBER("server", "threads", threads, 0, 256),
    NUMBER("server", "connections", connections, 16, 1000000),
    NUMBER("server", "connections_per_address", connections_per_address, 1, 1000000),
    NUMBER("server", "strangers_percent", strangers_percent, 1, 100),
    NUMBER("server", "handshakes_percent", handshakes_percent, 1, 100),
    NUMBER("server", "handshakes_per_address", handshakes_per_address, 1, 1000000),
    NUMBER("server", "handshake_seconds", handshake_seconds, 1, 300),
    NUMBER("server", "request_seconds", request_seconds, 1, 300),
    NUMBER("server", "keepalive_seconds", keepalive_seconds, 1, 3600),
    NUMBER("server", "drain_seconds", drain_seconds, 0, YEAR),
    NETS("server", "proxy_protocol", proxy_protocol),
    NETS("server", "trusted_proxies", trusted_proxies),
    ONE("server", "proxy_header", conf_take_proxy_header),
    LIST("tls", "certificate", conf_take_certificate),
    LIST("tls", "key", conf_take_tls_key),
    NUMBER("login", "workers", login_workers, 1, 64),
    NUMBER("login", "queue", login_queue, 1, 4096),
    NUMBER("login", "deadline_seconds", login_deadline_seconds, 1, 120),
    NUMBER("login", "user_failures", login_user_failures, 1, 1000),
    NUMBER("login", "address_failures", login_address_failures, 1, 100000),
    NUMBER("login", "window_seconds", login_window_seconds, 1, DAY_SECONDS),
    ONE("password", "profile", conf_take_profile),
    NUMBER("password", "least", password_least, 8, 128),
    NUMBER("password", "history", password_history, 0, CONF_HISTORY_MOST),
    NUMBER("password", "max_days", password_max_days, 0, 3650),
    NUMBER("password", "warn_days", password_warn_days, 0, 365),
    NUMBER("session", "idle_seconds", session_idle_seconds, 1, YEAR),
    NUMBER("session", "absolute_seconds", session_absolute_seconds, 1, YEAR),
    ONE("policy", "time_zone", conf_take_zone),
    NUMBER("admin", "factor_seconds", admin_factor_seconds, 30, DAY_SECONDS),
    NUMBER("tunnel", "idle_seconds", tunnel_idle_seconds, 0, YEAR),
    NUMBER("tunnel", "absolute_seconds", tunnel_absolute_seconds, 0, YEAR),
    NUMBER("tunnel", "ping_seconds", tunnel_ping_seconds, 1, 3600),
    LIST("dial", "allow", conf_take_allow),
    LIST("dial", "deny", conf_take_deny),
    NUMBER("dial", "seconds", dial_seconds, 1, 120),
    NUMBER("dial", "lost_seconds", dial_lost_seconds, 1, 3600),
    NUMBER("dial", "wake_seconds", wake_seconds, 0, 600),
    LIST("dial", "wake_broadcast", conf_take_wake_broadcast),
    PATH("desktops", "authorities", authorities),
    FLAG("rdg", "legacy", rdg_legacy),
    FLAG("rdg", "passwords", rdg_passwords),
    FLAG("rdg", "bind_address", rdg_bind_address),
    NUMBER("rdg", "reauth_seconds", rdg_reauth_seconds, 0, YEAR),
    TEXT("rdg", "consent", rdg_consent),
    TEXT("rdg", "message", rdg_message),
    LIST("metrics", "listen", conf_take_metrics_listen),
    FLAG("metrics", "any", metrics_any),
    LIST("alerts", "rules", conf_take_rule),
    NUMBER("alerts", "user_failures", alert_user_failures, 2, 100000),
    NUMBER("alerts", "address_failures", alert_address_failures, 2, 100000),
    NUMBER("alerts", "after_failures", alert_after_failures, 1, 100000),
    NUMBER("alerts", "window_seconds", alert_window_seconds, 10, DAY_SECONDS),
    NUMBER("alerts", "certificate_days", alert_certificate_days, 0, 365),
    NUMBER("alerts", "repeat_seconds", alert_repeat_seconds, 0, YEAR),
    NUMBER("alerts", "per_hour", alert_per_hour, 1, 10000),
    PATH("alerts", "command", alert_command),
    {"alerts", "webhook", conf_take_webhook, false, offsetof(struct conf, alert_webhook), 0, 0},
    PATH("alerts", "authorities", alert_authorities),
    NUMBER("audit", "keep_days", audit_keep_days, 0, 36500),
    ONE("audit", "syslog", conf_take_syslog),
    PATH("audit", "authorities", audit_authorities),
    PATH("rdp", "certificate", rdp_certificate),
    PATH("rdp", "key", rdp_key),
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

_Static_assert(KEYS <= CONF_KEYS_MAX, "a line number for each key");

/* KEYS: there is none of this name. */
static size_t conf_find(const char *section, const char *name)
{
    size_t i = 0;
    while (i < KEYS && (strcmp(keys[i].section, section) != 0 || strcmp(keys[i].name, name) != 0))
        i++;
    return i;
}

/* Only the first fault is told: later ones often follow from it. */
static int conf_fault(struct conf_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int conf_fault(struct conf_file *file, const char *format, ...)
{
    if (file->fault_line == 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(file->fault, sizeof(file->fault), format, arguments);
        va_end(arguments);
        file->fault_line = file->line;
    }
    return 0; /* inih: an error */
}

/* For inih what follows " ;" is a comment, and it would cut a value there without a word. So that
 * semicolon is another byte on its way through inih. */
#define HIDDEN '\x1f'

static void conf_hide(char *line)
{
    size_t at = strspn(line, " \t") + 1; /* one at the beginning is a comment */
    for (size_t length = strlen(line); at < length; at++) {
        if (line[at] == ';' && isspace((unsigned char)line[at - 1]))
            line[at] = HIDDEN;
    }
}

/* The text again, for messages as for values. */
static const char *conf_unhide(const char *text, char to[INI_MAX_LINE])
{
    text_copy(to, INI_MAX_LINE, text);
    for (char *c = to; (c = strchr(c, HIDDEN)) != NULL;)
        *c = ';';
    return to;
}

static bool conf_is_commented(const char *value)
{
    return value[0] == ';' || strstr(value, " ;") || strstr(value, "\t;");
}

/* Like fgets(). inih asks once per line. */
static char *conf_line(char *to, int size, void *owner)
{
    struct conf_file *file = owner;
    int length = 0, c;

    if (file->fault_line)
        return NULL;
    file->line++;
    while ((c = getc(file->in)) != EOF && c != '\n') {
        if (c == '\0' || c == HIDDEN || length + 2 >= size) {
            conf_fault(file,
                       c == '\0'     ? "a NUL byte; this is not a text file"
                       : c == HIDDEN ? "a control character"
                                     : "longer than %d bytes; only a list or a text may be "
                                       "continued on the next line, indented, and all else must "
                                       "be shorter",
                       size - 2);
            return NULL;
        }
        to[length++] = (char)c;
    }
    if (c == EOF && length == 0)
        return NULL;
    to[length++] = '\n';
    to[length] = '\0';
    file->indented = to[0] == ' ' || to[0] == '\t';
    conf_hide(to);
    return to;
}

static void conf_append(char *to, size_t size, const char *text)
{
    size_t length = strlen(to);
    snprintf(to + length, size - length, "%s", text);
}

/* Names what would have been right: the key's own section, or all keys of this one. */
static int conf_unknown(struct conf_file *file, const char *section, const char *name)
{
    char known[512] = "", sections[128] = "";

    for (size_t i = 0; i < KEYS; i++) {
        bool here = strcmp(keys[i].section, section) == 0;
        if (here) {
            conf_append(known, sizeof(known), *known ? ", " : "");
            conf_append(known, sizeof(known), keys[i].name);
        } else if (i == 0 || strcmp(keys[i].section, keys[i - 1].section) != 0) {
            conf_append(sections, sizeof(sections), *sections ? ", " : "");
            conf_append(sections, sizeof(sections), keys[i].section);
        }
    }
    if (*section == '\0')
        return conf_fault(file, "'%s' stands before any section; there are %s", name, sections);
    if (*known == '\0')
        return conf_fault(file, "there is no section [%s]; there are %s", section, sections);
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return conf_fault(file, "'%s' belongs in section [%s]; [%s] has %s", name,
                              keys[i].section, section, known);
    }
    return conf_fault(file, "there is no key '%s'; [%s] has %s", name, section, known);
}

static char *conf_trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
    return text;
}

/* An empty list is an empty list; one comma may end a line that is continued. */
static bool conf_list(struct conf_reading *reading, const struct conf_key *key, const char *value)
{
    char items[INI_MAX_LINE], *rest = items;
    text_copy(items, sizeof(items), value);
    while (rest) {
        char *item = conf_trim(strsep(&rest, ","));
        if (*item == '\0' && !rest)
            return true;
        if (*item == '\0') {
            snprintf(reading->why, sizeof(reading->why), "nothing stands before a comma in '%s'",
                     value);
            return false;
        }
        if (!key->take(reading, key, item))
            return false;
    }
    return true;
}

/* "message = …" below a text: meant as the next key, and not as its next line. */
static bool conf_is_setting(const char *section, const char *value)
{
    char name[INI_MAX_LINE];
    const char *equals = strchr(value, '=');
    if (!equals)
        return false;
    text_copy(name, sizeof(name), value);
    name[equals - value] = '\0';
    return conf_find(section, conf_trim(name)) < KEYS;
}

static int conf_value(void *owner, const char *section, const char *name, const char *value)
{
    struct conf_file *file = owner;
    char plain[3][INI_MAX_LINE];

    section = conf_unhide(section, plain[0]);
    name = conf_unhide(name, plain[1]);
    value = conf_unhide(value, plain[2]);
    size_t i = conf_find(section, name);
    if (i == KEYS)
        return conf_unknown(file, section, name);
    const struct conf_key *key = &keys[i];
    bool text = key->take == conf_take_text;
    file->reading.continued = file->seen[i] && file->indented;
    if (file->reading.continued && !key->list && (!text || conf_is_setting(section, value)))
        return conf_fault(file,
                          "an indented line continues the one above ('%s'); begin it at the "
                          "margin",
                          name);
    if (file->seen[i] && !file->reading.continued)
        return conf_fault(file, "'%s' is given twice, first in line %u", name, file->seen[i]);
    if (!file->seen[i])
        file->seen[i] = file->line;
    if (!text && conf_is_commented(value))
        return conf_fault(
            file, "%s: a comment is a line of its own; take ' ;' and what follows out", name);
    bool good =
        key->list ? conf_list(&file->reading, key, value) : key->take(&file->reading, key, value);
    if (good && file->given)
        file->given(file->owner, section, name, value, file->line);
    return good ? 1 : conf_fault(file, "%s: %s", name, file->reading.why);
}

bool conf_read_key(const char *section, const char *name, const char **own_section,
                   const char **own_name)
{
    size_t i = conf_find(section, name);
    if (i == KEYS)
        return false;
    *own_section = keys[i].section;
    *own_name = keys[i].name;
    return true;
}

bool conf_read_is_list(const char *section, const char *name)
{
    size_t i = conf_find(section, name);
    return i < KEYS && keys[i].list;
}

bool conf_read_seen(const struct conf_file *file, const char *section, const char *name)
{
    size_t i = conf_find(section, name);
    return i < KEYS && file->seen[i] != 0;
}

bool conf_read(struct conf_file *file)
{
    int bad = ini_parse_stream(conf_line, file, conf_value, file);

    if (file->fault_line == 0 && bad > 0) {
        file->line = (unsigned)bad;
        conf_fault(file, "neither a [section] nor a key = value");
    }
    return file->fault_line == 0;
}
