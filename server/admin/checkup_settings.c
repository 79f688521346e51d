/* Settings that are allowed and weaker than they should be. */
#include "checkup.h"

#include "addr.h"
#include "day.h"

#include <stdio.h>

#define LEAST 12
#define FAILURES_MOST 50
#define FACTOR_MOST 14400
#define HOLDS_MOST 300 /* seconds */

static unsigned weak(struct checkup *check, const char *key, const char *mend, const char *words)
{
    checkup_say(check, CHECKUP_WARNING, "setting", mend, "%s: %s", key, words);
    return 1;
}

/* Wider than a private network: everything, or half of it. */
static bool allows_everything(const struct conf *conf)
{
    static const char *const anywhere[] = {"1.1.1.1", "203.0.113.1"};
    struct addr address;
    for (size_t i = 0; i < sizeof(anywhere) / sizeof(*anywhere); i++) {
        for (size_t j = 0; j < conf->dial_allow_count; j++) {
            if (addr_parse(&address, anywhere[i]) && addr_in(&address, &conf->dial_allow[j]))
                return true;
        }
    }
    return false;
}

static unsigned people(struct checkup *check)
{
    const struct conf *conf = &check->conf;
    unsigned found = 0;
    if (conf->password_least < LEAST)
        found += weak(check, "[password] least", "12 or more",
                      "short passwords can be guessed by whoever gets hold of the database");
    if (conf->login_user_failures > FAILURES_MOST ||
        conf->login_address_failures > 10 * FAILURES_MOST)
        found += weak(check, "[login] user_failures, address_failures",
                      "leave them at their defaults", "guessing is hardly slowed down");
    if (conf->login_window_seconds < 60)
        found += weak(check, "[login] window_seconds", "leave it at 900",
                      "failures are forgotten at once, so guessing is hardly slowed down");
    if (conf->session_absolute_seconds > 7 * DAY_SECONDS ||
        conf->session_idle_seconds > DAY_SECONDS)
        found += weak(check, "[session]", "a day at most",
                      "a session that was left open stays good for very long");
    if (conf->admin_factor_seconds > FACTOR_MOST)
        found += weak(check, "[admin] factor_seconds", "900",
                      "administrators' browsers may change things hours after the code");
    if (conf->rdg_passwords)
        found += weak(check, "[rdg] passwords", "no, unless clients cannot open .rdp files",
                      "gateway passwords go by NTLM and Basic, which are weaker than tickets");
    return found;
}

static unsigned machine(struct checkup *check)
{
    const struct conf *conf = &check->conf;
    unsigned found = 0;
    if (allows_everything(conf))
        found += weak(check, "[dial] allow", "name the networks of your desktops",
                      "desktops may be anywhere in the internet");
    if (conf->dial_metadata)
        found += weak(check, "[dial] allow", "take metadata out",
                      "the cloud's metadata service may be dialled, which gives keys away");
    if (conf->metrics_any)
        found += weak(check, "[metrics] any", "no, and let Prometheus come by loopback",
                      "whoever reaches the port reads the numbers");
    if (conf->handshake_seconds > HOLDS_MOST / 5 || conf->request_seconds > HOLDS_MOST / 2)
        found += weak(check, "[server] handshake_seconds, request_seconds", "the defaults",
                      "slow strangers hold connections for long");
    if (!conf->alert_rules)
        found += weak(check, "[alerts] rules", "all", "nobody is told of what goes wrong");
    return found;
}

void checkup_settings(struct checkup *check)
{
    if (people(check) + machine(check) == 0)
        checkup_say(check, CHECKUP_OK, "setting", "", "none is weaker than the defaults");
}
