#include "conf_settings.h"

#include "conf_read.h"
#include "conf_template.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    size_t count;
    struct conf_setting all[CONF_KEYS_MAX];
};

static struct conf_setting *find(struct settings *settings, const char *section, const char *key)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->all[i].section, section) == 0 &&
            strcmp(settings->all[i].key, key) == 0)
            return &settings->all[i];
    }
    return NULL;
}

static void take_default(void *owner, const char *section, const char *key, const char *value)
{
    struct settings *settings = owner;
    struct conf_setting *setting = &settings->all[settings->count];
    if (settings->count == CONF_KEYS_MAX ||
        !conf_read_key(section, key, &setting->section, &setting->key))
        return;
    text_copy(setting->value, sizeof(setting->value), value);
    settings->count++;
}

/* More than once for what goes on over several lines. */
static void take_given(void *owner, const char *section, const char *key, const char *value,
                       unsigned line)
{
    struct conf_setting *setting = find(owner, section, key);
    if (!setting)
        return;
    if (!setting->line)
        setting->value[0] = '\0';
    size_t used = strlen(setting->value);
    bool comma = used && setting->value[used - 1] != ',' && conf_read_is_list(section, key);
    snprintf(setting->value + used, sizeof(setting->value) - used, "%s%s%s", comma ? "," : "",
             used ? " " : "", value);
    setting->line = setting->line ? setting->line : line;
}

/* What the file's text alone does not say, and what it says too much. */
static void fill_in(struct settings *settings, const struct conf *conf)
{
    struct conf_setting *name = find(settings, "server", "name");
    struct conf_setting *port = find(settings, "server", "public_port");
    struct conf_setting *webhook = find(settings, "alerts", "webhook");
    if (name && !name->line)
        text_copy(name->value, sizeof(name->value), conf->name);
    if (port && !port->line)
        snprintf(port->value, sizeof(port->value), "%u", (unsigned)conf->public_port);
    if (webhook && strstr(webhook->value, "://")) /* its path or query may be a secret */
        text_copy(webhook->value, sizeof(webhook->value), "(set)");
}

int conf_settings(const char *state, int (*each)(void *owner, const struct conf_setting *setting),
                  void *owner, char *why, size_t size)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    struct conf conf;
    if (!settings) {
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    conf_template_defaults(take_default, settings);
    int error = conf_load_telling(&conf, state, take_given, settings, why, size);
    if (!error)
        fill_in(settings, &conf);
    for (size_t i = 0; i < settings->count && !error; i++) {
        if (each(owner, &settings->all[i]) != 0)
            break;
    }
    explicit_bzero(settings, sizeof(*settings));
    free(settings);
    return error;
}
