/* deskgate.conf: good and bad lines as tables, and the template against the defaults. */
#include "conf.h"
#include "conf_settings.h"
#include "conf_template.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS 71 /* that there are */

static char state[] = "/tmp/deskgate-conf-XXXXXX";
static char file[64];
static struct conf conf;
static char why[2048];

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(state));
    snprintf(file, sizeof(file), "%s/%s", state, CONF_FILE);
}

static void teardown(void)
{
    unlink(file);
    rmdir(state);
}

static int load_bytes(const char *text, size_t size)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(text, 1, size, out), size);
    ck_assert_int_eq(fclose(out), 0);
    why[0] = '\0';
    return conf_load(&conf, state, why, sizeof(why));
}

static int load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static const struct {
    const char *text, *words;
} bad[] = {
    {"[server]\nthreads = many\n", "line 2: threads: 'many' is not a whole number from 0 to 256"},
    {"[server]\nthreads = 257\n", "line 2: threads: '257'"},
    {"[server]\nthreads = -1\n", "line 2: threads: '-1'"},
    {"[server]\nthreads = 4 # four\n", "line 2: threads: '4 # four'"},
    {"[server]\nthreads =\n", "line 2: threads: ''"},
    {"[server]\nthreads = 18446744073709551617\n", "line 2: threads:"},
    {"[server]\nconnections = 0\n", "line 2: connections: '0' is not a whole number from 16"},
    {"[server]\nstrangers_percent = 101\n", "line 2: strangers_percent: '101'"},
    {"[server]\nhandshakes_per_address = 0\n", "line 2: handshakes_per_address: '0'"},
    {"[server]\nproxy_protocol = balancer.example\n",
     "line 2: proxy_protocol: 'balancer.example' is neither an address"},
    {"[server]\nproxy_protocol = 0.0.0.0/0\n", "'0.0.0.0/0' is everybody"},
    {"[server]\ntrusted_proxies = 192.0.2.1, ::/0\n",
     "line 2: trusted_proxies: '::/0' is everybody"},
    {"[server]\ntrusted_proxies = any\n", "'any' is neither an address"},
    {"[server]\nproxy_header = X-Real-IP\n",
     "'X-Real-IP' is neither X-Forwarded-For nor Forwarded"},
    {"[server]\nlisten = 0.0.0.0:99999\n",
     "line 2: listen: '0.0.0.0:99999' is not an address and port"},
    {"[server]\nlisten = localhost:443\n", "line 2: listen: 'localhost:443' is not"},
    {"[server]\nlisten = 443\n", "line 2: listen: '443' is not"},
    {"[server]\nlisten = :443\n", "line 2: listen: ':443' is not"},
    {"[server]\nlisten = ::1:443\n", "line 2: listen: '::1:443' is not"},
    {"[server]\nlisten = [127.0.0.1]:443\n", "line 2: listen: '[127.0.0.1]:443' is not"},
    {"[server]\nlisten = [::1]443\n", "line 2: listen: '[::1]443' is not"},
    {"[server]\nlisten = 127.0.0.1:443, 127.0.0.1:443\n", "'127.0.0.1:443' is there twice"},
    {"[server]\nlisten = 127.0.0.1:443,, 127.0.0.1:444\n", "nothing stands before a comma"},
    {"[server]\nlisten = 127.0.0.1:443\nhttp_listen = 127.0.0.1:443\n", "line 3: http_listen:"},
    {"[server]\nlisten =\n", "listen needs at least one address"},
    {"[server]\nhttp_listen = 0.0.0.0:443\n", "the address of the default listen"},
    {"[server]\nname = https://gate.example\n", "line 2: name: 'https://gate.example' is not"},
    {"[server]\nname = gate_way.example\n", "line 2: name:"},
    {"[server]\nname = gate..example\n", "line 2: name:"},
    {"[server]\nname = -gate.example\n", "line 2: name:"},
    {"[server]\nname = gate.example:443\n", "line 2: name:"},
    {"[server]\npublic_port = 0\n", "line 2: public_port: '0' is not a port"},
    {"[server]\nuser = a b\n", "line 2: user: 'a b' is not the name of a system user"},
    {"[server]\ncage = no\n", "line 2: cage: 'no' is neither prefer nor require"},
    {"[server]\nlistne = 127.0.0.1:1\n", "line 2: there is no key 'listne'; [server] has listen, "},
    {"[server]\nallow = any\n", "line 2: 'allow' belongs in section [dial]"},
    {"[servre]\nname = a\n", "line 2: there is no section [servre]; there are server, tls, "},
    {"name = a\n", "line 1: 'name' stands before any section"},
    {"[server]\nname = a\n\nname = b\n", "line 4: 'name' is given twice, first in line 2"},
    {"[server]\nname = a\n  threads = 2\n", "line 3: an indented line continues the one above"},
    {"[rdg]\nconsent = I agree\n  legacy = no\n",
     "line 3: an indented line continues the one above"},
    {"[server]\nrubbish\n", "line 2: neither a [section] nor a key = value"},
    {"[server\n", "line 1: neither a [section]"},
    {"[tls]\ncertificate = a.pem, b.pem\nkey = a.key\n", "as many keys as certificates"},
    {"[tls]\ncertificate = a.pem\n", "as many keys as certificates"},
    {"[rdg]\nlegacy = 1\n", "line 2: legacy: '1' is neither yes nor no"},
    {"[rdg]\nlegacy =\n", "line 2: legacy: '' is neither yes nor no"},
    {"[rdg]\nconsent = a\tb\n", "line 2: consent: the text has a control character"},
    {"[rdg]\nconsent = a\n  b\tc\n", "line 3: consent: the text has a control character"},
    {"[rdg]\nconsent = a\nconsent = b\n", "line 3: 'consent' is given twice, first in line 2"},
    {"[rdg]\nconsent = a \x1f b\n", "line 2: a control character"},
    {"[server]\nthreads = 4 ; four\n", "line 2: threads: a comment is a line of its own"},
    {"[alerts]\ncommand = /bin/x ; y\n", "line 2: command: a comment is a line of its own"},
    {"[server]\nlisten = 127.0.0.1:1,\n  127.0.0.1:2 ; two\n", "line 3: listen: a comment is"},
    {"[server]\nna ;me = a\n", "line 2: there is no key 'na ;me'"},
    {"[rdp]\nkey = a.key\n", "[rdp] needs both"},
    {"[alerts]\nrules = all, sunspots\n", "line 2: rules: 'sunspots' is no rule"},
    {"[alerts]\nwebhook = http://a/\n", "line 2: webhook: 'http://a/' does not begin with"},
    {"[metrics]\nlisten = 192.0.2.1:9090\n", "[metrics] listen is an address that others can"},
    {"[metrics]\nlisten = 127.0.0.1:9090, [::]:9090\n", "or say any = yes"},
    {"[metrics]\nlisten = 9090\n", "such as 192.0.2.1:9090"},
    {"[metrics]\nlisten = 0.0.0.0:443\nany = yes\n", "the address of the default listen"},
    {"[tls]\ncertificate =\nkey =\n", "needs a certificate and its key"},
    {"[tls]\ncertificate = 1,2,3,4,5\n", "line 2: certificate: more than 4 certificates"},
    {"[dial]\nallow = privat\n", "line 2: allow: 'privat' is neither a network"},
    {"[dial]\nwake_broadcast = fd00::1\n", "line 2: wake_broadcast: 'fd00::1' is not an IPv4"},
    {"[dial]\nwake_broadcast = 10.0.0.0/8\n", "'10.0.0.0/8' is not an IPv4 address"},
    {"[dial]\nallow = ours\n", "words private, loopback, link-local, metadata, own and any"},
    {"[dial]\ndeny = own\n", "words private, loopback, link-local, metadata and any"},
    {"[dial]\nallow = 10.0.0.0/33\n", "line 2: allow: '10.0.0.0/33' is neither"},
    {"[dial]\ndeny = 10.0.0.0/8 10.1.0.0/16\n", "line 2: deny:"},
    {"[session]\nidle_seconds = 0\n", "line 2: idle_seconds:"},
    {"[login]\nworkers = 65\n", "line 2: workers: '65' is not a whole number from 1 to 64"},
};

START_TEST(bad_lines)
{
    ck_assert_int_eq(load(bad[_i].text), -EINVAL);
    ck_assert_msg(strstr(why, CONF_FILE) && strstr(why, bad[_i].words), "for\n%s\nit says: %s",
                  bad[_i].text, why);
}
END_TEST

START_TEST(rubbish)
{
    char longline[400] = "[server]\nuser = ";
    memset(longline + strlen(longline), 'a', 300);
    ck_assert_int_eq(load(longline), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "line 2: longer than 198 bytes; only a list or a text"));
    ck_assert_int_eq(load_bytes("[server]\nname = a\0b\n", 20), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "line 2: a NUL byte"));
    ck_assert_int_eq(load(""), 0);
    ck_assert_int_eq(load("\xef\xbb\xbf[server]\r\nthreads = 3\r\n"), 0);
    ck_assert_uint_eq(conf.threads, 3);
}
END_TEST

/* Only lines that begin so are comments; a text is what stands there. */
START_TEST(semicolons)
{
    ck_assert_int_eq(load("[rdg]\n; one\n  ; another\n# ; and one\n"
                          "consent = Only for staff ; everything is recorded. ; Agree?\n"
                          "message = ; a;b ;; c ;\n[alerts]\nwebhook = https://a/;b\n"),
                     0);
    ck_assert_str_eq(conf.rdg_consent, "Only for staff ; everything is recorded. ; Agree?");
    ck_assert_str_eq(conf.rdg_message, "; a;b ;; c ;");
    ck_assert_str_eq(conf.alert_webhook, "https://a/;b");
}
END_TEST

/* Words that people must agree to are longer than a line of the file. */
START_TEST(long_texts)
{
    char text[2048] =
        "[rdg]\nconsent = Only for staff;\n  what you do ; is recorded,\n\tas the law "
        "wants.\nmessage =\n  below\n[tunnel]\nping_seconds = 3\n";
    ck_assert_int_eq(load(text), 0);
    ck_assert_str_eq(conf.rdg_consent,
                     "Only for staff; what you do ; is recorded, as the law wants.");
    ck_assert_str_eq(conf.rdg_message, "below");
    ck_assert_uint_eq(conf.tunnel_ping_seconds, 3);

    strcpy(text, "[rdg]\nconsent = ");
    for (int i = 0; i < 4; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%0179d\n", i ? "  " : "", 0);
    ck_assert_int_eq(load(text), 0); /* 4 * 179 and three blanks: 719 */
    ck_assert_uint_eq(strlen(conf.rdg_consent), 719);
    strcat(text, "  a\n");
    ck_assert_int_eq(load(text), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "line 6: consent: the text is longer than 720 bytes"));
}
END_TEST

START_TEST(missing)
{
    ck_assert_int_eq(conf_load(&conf, state, why, sizeof(why)), -ENOENT);
    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(conf_load(&conf, state, why, sizeof(why)), -EINVAL);
    ck_assert_int_eq(rmdir(file), 0);
}
END_TEST

START_TEST(listeners)
{
    ck_assert_int_eq(load("[server]\nhttp_listen = 0.0.0.0:80\nlisten = 192.0.2.1:8443,\n"
                          "    [2001:db8::1]:443, 127.0.0.1:0\n"),
                     0);
    ck_assert_uint_eq(conf.listen_count, 4);
    ck_assert(!conf.listen[0].tls && conf.listen[0].port == 80);
    ck_assert(conf.listen[1].tls && conf.listen[1].port == 8443);
    ck_assert(addr_is_v4(&conf.listen[1].address) && !addr_is_v4(&conf.listen[2].address));
    ck_assert_uint_eq(conf.public_port, 8443);
    ck_assert_int_eq(load("[server]\npublic_port = 443\nlisten = 127.0.0.1:8443\n"), 0);
    ck_assert_uint_eq(conf.public_port, 443);
    ck_assert_int_eq(load("[metrics]\nlisten = 127.0.0.1:9090, [::1]:9090\n"), 0);
    ck_assert_uint_eq(conf.listen_count, 4);
    ck_assert(conf.listen[0].metrics && conf.listen[1].metrics && !conf.listen[0].tls);
    ck_assert(!conf.listen[2].metrics && conf.public_port == 443);
    ck_assert_int_eq(load("[metrics]\nany = yes\nlisten = 0.0.0.0:9090\n"), 0);
    ck_assert_int_eq(load("[server]\nhttp_listen = 0.0.0.0:80\n"), 0);
    ck_assert_uint_eq(conf.listen_count, 3);
}
END_TEST

START_TEST(audit)
{
    static const char *const wrong[] = {"tls://",       "tls://:6514",      "tls://a b",
                                        "tls://host:0", "tls://host:65536", "tls://host:x",
                                        "udp://host",   "locally",          "local:relative",
                                        "tls://[::1",   "host:6514"};
    char text[256];
    ck_assert_int_eq(load("[audit]\nkeep_days = 90\nsyslog = local\n"), 0);
    ck_assert_uint_eq(conf.audit_keep_days, 90);
    ck_assert_int_eq(conf.audit_syslog, CONF_SYSLOG_LOCAL);
    ck_assert_str_eq(conf.audit_syslog_path, "/dev/log");
    ck_assert_int_eq(load("[audit]\nsyslog = local:/run/other\n"), 0);
    ck_assert_str_eq(conf.audit_syslog_path, "/run/other");
    ck_assert_int_eq(load("[audit]\nsyslog = tls://Logs.example\n"), 0);
    ck_assert_int_eq(conf.audit_syslog, CONF_SYSLOG_TLS);
    ck_assert_str_eq(conf.audit_syslog_host, "logs.example");
    ck_assert_uint_eq(conf.audit_syslog_port, 6514);
    ck_assert_int_eq(load("[audit]\nsyslog = tls://[2001:db8::1]:514\n"), 0);
    ck_assert_str_eq(conf.audit_syslog_host, "[2001:db8::1]");
    ck_assert_uint_eq(conf.audit_syslog_port, 514);
    ck_assert_int_eq(load("[audit]\nsyslog = tls://[2001:db8::1]\n"), 0);
    ck_assert_uint_eq(conf.audit_syslog_port, 6514);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(text, sizeof(text), "[audit]\nsyslog = %s\n", wrong[i]);
        ck_assert_msg(load(text) != 0, "%s", wrong[i]);
    }
}
END_TEST

START_TEST(alerts)
{
    ck_assert_int_eq(load("[alerts]\nrules = new_network, audit_broken\nwebhook = hook\n"), 0);
    ck_assert_uint_eq(conf.alert_rules, 1U << ALERT_NEW_NETWORK | 1U << ALERT_AUDIT_BROKEN);
    ck_assert_int_eq(strncmp(conf.alert_webhook, state, strlen(state)), 0);
    ck_assert_int_eq(load("[alerts]\nrules =\nwebhook = https://a.example/b?c=d\n"), 0);
    ck_assert_uint_eq(conf.alert_rules, 0);
    ck_assert_str_eq(conf.alert_webhook, "https://a.example/b?c=d");
    ck_assert_int_eq(load("[alerts]\nrules = all\n"), 0);
    ck_assert_uint_eq(conf.alert_rules, (1U << ALERT_RULES) - 1);
}
END_TEST

START_TEST(names)
{
    ck_assert_int_eq(load("[server]\nname = Gate.Example\n"), 0);
    ck_assert_str_eq(conf.name, "gate.example");
    ck_assert_int_eq(load("[server]\nname = 2001:DB8::1\n"), 0);
    ck_assert_str_eq(conf.name, "[2001:db8::1]");
    ck_assert_int_eq(load("[server]\nname = [::1]\n"), 0);
    ck_assert_str_eq(conf.name, "[::1]");
    ck_assert_int_eq(load("[server]\nname = 192.0.2.7\nuser =\n"), 0);
    ck_assert_str_eq(conf.name, "192.0.2.7");
    ck_assert_str_eq(conf.user, "");
}
END_TEST

START_TEST(paths)
{
    char want[128];
    ck_assert_int_eq(load("[tls]\nkey = k1, /etc/k2\ncertificate = c1, /etc/c2\n"
                          "[server]\nacme_folder = acme\n"),
                     0);
    ck_assert_uint_eq(conf.pair_count, 2);
    snprintf(want, sizeof(want), "%s/c1", state);
    ck_assert_str_eq(conf.pairs[0].certificate, want);
    ck_assert_str_eq(conf.pairs[1].certificate, "/etc/c2");
    ck_assert_str_eq(conf.pairs[1].key, "/etc/k2");
    snprintf(want, sizeof(want), "%s/acme", state);
    ck_assert_str_eq(conf.acme_folder, want);
}
END_TEST

static bool allowed(const char *text)
{
    struct addr address;
    ck_assert(addr_parse(&address, text));
    for (size_t i = 0; i < conf.dial_allow_count; i++) {
        if (addr_in(&address, &conf.dial_allow[i]))
            return true;
    }
    return false;
}

START_TEST(time_zones)
{
    ck_assert_int_eq(load(""), 0);
    ck_assert_str_eq(conf.time_zone, "");
    ck_assert_int_eq(load("[policy]\ntime_zone = Etc/UTC\n"), 0);
    ck_assert_str_eq(conf.time_zone, "Etc/UTC");
    static const char *const unknown[] = {"Nowhere/Town", "Etc",        "../../etc/passwd",
                                          "/etc/passwd",  "Etc/UTC/..", "CET-1CEST;",
                                          "Etc/UT C"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[policy]\ntime_zone = %s\n", unknown[i]);
        ck_assert_msg(load(text) != 0, "%s", unknown[i]);
    }
}
END_TEST

START_TEST(dial)
{
    ck_assert_int_eq(load(""), 0);
    ck_assert(allowed("10.1.2.3") && allowed("172.31.0.1") && allowed("fd00::1"));
    ck_assert(!allowed("127.0.0.1") && !allowed("172.32.0.1") && !allowed("2001:db8::1"));
    ck_assert(!conf.dial_loopback && !conf.dial_link_local);
    ck_assert_int_eq(load("[dial]\nallow = any\n"), 0);
    ck_assert(allowed("192.0.2.1") && allowed("2001:db8::1"));
    ck_assert(!conf.dial_loopback && !conf.dial_link_local);
    ck_assert_int_eq(load("[dial]\nallow = private, loopback\ndeny = 10.0.0.0/8\n"), 0);
    ck_assert(conf.dial_loopback && allowed("127.0.0.2") && allowed("::1"));
    ck_assert_uint_eq(conf.dial_deny_count, 1);
    ck_assert_int_eq(load("[dial]\nallow = 127.0.0.1, fe80::/16\n"), 0);
    ck_assert(conf.dial_loopback && conf.dial_link_local && !allowed("10.0.0.1"));
    ck_assert(!conf.dial_metadata && !conf.dial_own);
    ck_assert_int_eq(load("[dial]\nallow = metadata, own\n"), 0);
    ck_assert(conf.dial_metadata && conf.dial_own && allowed("fd00:ec2::254"));
    ck_assert(!allowed("10.0.0.1") && !allowed("169.254.1.1"));
    ck_assert_int_eq(load("[dial]\nallow = 169.254.0.0/16\n"), 0);
    ck_assert(conf.dial_link_local && !conf.dial_metadata);
    ck_assert_int_eq(load("[dial]\nwake_broadcast = 10.0.0.255, 10.1.0.255:7\n"), 0);
    ck_assert_uint_eq(conf.wake_broadcast_count, 2);
    ck_assert_uint_eq(conf.wake_broadcast[0].port, 0);
    ck_assert_uint_eq(conf.wake_broadcast[1].port, 7);
    ck_assert_int_eq(load("[dial]\nallow =\n"), 0);
    ck_assert_uint_eq(conf.dial_allow_count, 0);
}
END_TEST

static char *template_text(const struct conf_template *given)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(conf_template_write(out, given), 0);
    fclose(out);
    return text;
}

/* The template as it is written, and with every key uncommented, is exactly the defaults. */
START_TEST(template_is_the_defaults)
{
    static struct conf defaults;
    char *text = template_text(&(struct conf_template){0});
    conf_defaults(&defaults, state);
    ck_assert_int_eq(load(text), 0);
    ck_assert_mem_eq(&conf, &defaults, sizeof(conf));

    size_t keys = 0;
    for (char *c = text; c; c = strchr(c, '\n') ? strchr(c, '\n') + 1 : NULL) {
        if (c[0] == '#' && c[1] != ' ') {
            c[0] = '\n';
            keys++;
        }
    }
    ck_assert_uint_eq(keys, KEYS);
    ck_assert_msg(load(text) == 0, "%s", why);
    conf.public_port_given = false;
    ck_assert_mem_eq(&conf, &defaults, sizeof(conf));
    free(text);
}
END_TEST

START_TEST(proxies)
{
    struct addr address;
    ck_assert_int_eq(load("[server]\nproxy_protocol = 192.0.2.10, 10.1.0.0/16,\n  fd00:1::/64\n"
                          "trusted_proxies = 192.0.2.11\nproxy_header = forwarded\n"),
                     0);
    ck_assert_uint_eq(conf.proxy_protocol.count, 3);
    ck_assert_uint_eq(conf.trusted_proxies.count, 1);
    ck_assert_int_eq(conf.proxy_header, CONF_PROXY_FORWARDED);
    ck_assert(addr_parse(&address, "fd00:1::7"));
    ck_assert(addr_in_any(&address, conf.proxy_protocol.nets, conf.proxy_protocol.count));
    ck_assert(!addr_in_any(&address, conf.trusted_proxies.nets, conf.trusted_proxies.count));
    ck_assert(addr_parse(&address, "192.0.2.11"));
    ck_assert(!addr_in_any(&address, conf.proxy_protocol.nets, conf.proxy_protocol.count));
    ck_assert(addr_in_any(&address, conf.trusted_proxies.nets, conf.trusted_proxies.count));
}
END_TEST

static int count_setting(void *owner, const struct conf_setting *setting)
{
    unsigned *counts = owner;
    counts[setting->line != 0]++;
    return 0;
}

static int find_setting(void *owner, const struct conf_setting *setting)
{
    struct conf_setting *to = owner;
    if (strcmp(setting->section, to->section) != 0 || strcmp(setting->key, to->key) != 0)
        return 0;
    *to = *setting;
    return 1;
}

static struct conf_setting setting_of(const char *section, const char *key)
{
    struct conf_setting setting = {.section = section, .key = key, .line = 9999};
    ck_assert_int_eq(conf_settings(state, find_setting, &setting, why, sizeof(why)), 0);
    return setting;
}

START_TEST(settings)
{
    unsigned counts[2] = {0};
    ck_assert_int_eq(load("[server]\nname = gate.example\nlisten = 127.0.0.1:8443,\n  "
                          "127.0.0.1:8444\n  127.0.0.1:8445\n[alerts]\n"
                          "webhook = https://example.com/secret\n[dial]\ndeny =\n"
                          "[rdg]\nconsent = one\n  two\n"),
                     0);
    ck_assert_int_eq(conf_settings(state, count_setting, counts, why, sizeof(why)), 0);
    ck_assert_uint_eq(counts[1], 5);
    ck_assert_uint_eq(counts[0] + counts[1], KEYS);
    ck_assert_str_eq(setting_of("server", "name").value, "gate.example");
    ck_assert_str_eq(setting_of("server", "listen").value,
                     "127.0.0.1:8443, 127.0.0.1:8444, 127.0.0.1:8445");
    ck_assert_str_eq(setting_of("rdg", "consent").value, "one two");
    ck_assert_uint_eq(setting_of("server", "name").line, 2);
    ck_assert_str_eq(setting_of("server", "public_port").value, "8443");
    ck_assert_uint_eq(setting_of("server", "public_port").line, 0);
    ck_assert_str_eq(setting_of("alerts", "webhook").value, "(set)");
    ck_assert_str_eq(setting_of("dial", "deny").value, "");
    ck_assert_str_eq(setting_of("dial", "allow").value, "private");
    ck_assert_uint_eq(setting_of("tunnel", "idle_seconds").line, 0);
    ck_assert_str_eq(setting_of("tls", "key").value, "tls/key.pem");
    ck_assert_int_eq(load("[server]\nnames = x\n"), -EINVAL);
    ck_assert_int_eq(conf_settings(state, count_setting, counts, why, sizeof(why)), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "line 2"));
}
END_TEST

START_TEST(template_takes_values)
{
    char *text = template_text(&(struct conf_template){.listen = "127.0.0.1:8443",
                                                       .http_listen = "127.0.0.1:8080",
                                                       .name = "gate.example",
                                                       .acme_folder = "acme/challenges"});
    ck_assert_int_eq(load(text), 0);
    ck_assert_uint_eq(conf.listen_count, 2);
    ck_assert_str_eq(conf.name, "gate.example");
    ck_assert_str_eq(conf.user, "deskgate");
    ck_assert_ptr_nonnull(strstr(conf.acme_folder, "/acme/challenges"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tcase = tcase_create("conf");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, bad_lines, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(tcase, rubbish);
    tcase_add_test(tcase, semicolons);
    tcase_add_test(tcase, long_texts);
    tcase_add_test(tcase, missing);
    tcase_add_test(tcase, listeners);
    tcase_add_test(tcase, alerts);
    tcase_add_test(tcase, audit);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, paths);
    tcase_add_test(tcase, time_zones);
    tcase_add_test(tcase, dial);
    tcase_add_test(tcase, template_is_the_defaults);
    tcase_add_test(tcase, proxies);
    tcase_add_test(tcase, template_takes_values);
    tcase_add_test(tcase, settings);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
