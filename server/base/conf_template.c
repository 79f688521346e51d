#include "conf_template.h"

#include <errno.h>
#include <string.h>

/* A line "@KEY = default" stands for "KEY = given" or, when nothing was given, "#KEY = default".
 * tests/unit/test_conf.c proves that every key is here with its true default. */
static const char text[] =
    "# deskgate.conf - the gateway's configuration. Every key is here with its default; take the\n"
    "# '#' away to change one. 'deskgate check' tells what is wrong; see deskgate.conf(5).\n"
    "# Afterwards 'systemctl reload deskgate' (SIGHUP); the log names what takes more than that.\n"
    "\n"
    "[server]\n"
    "# Addresses for HTTPS, several separated by commas: 192.0.2.1:443, [2001:db8::1]:443\n"
    "@listen = 0.0.0.0:443, [::]:443\n"
    "\n"
    "# Addresses for plain HTTP, such as 0.0.0.0:80: it redirects to HTTPS and answers ACME\n"
    "# challenges. Empty: none.\n"
    "@http_listen =\n"
    "\n"
    "# The name that people type and that stands in the certificate. Default: this machine's.\n"
    "@name =\n"
    "\n"
    "# The port that people type, when a router translates it. Default: the first one of listen.\n"
    "#public_port = 443\n"
    "\n"
    "# The system user to become after binding, when started as root. Empty: stay root (not "
    "advised).\n"
    "@user = deskgate\n"
    "\n"
    "# A folder whose files are served below /.well-known/acme-challenge/ on http_listen "
    "(certbot's\n"
    "# webroot plus that path). Relative to the state folder. Empty: no challenges are served.\n"
    "@acme_folder =\n"
    "\n"
    "# 'require' refuses to run on a kernel that cannot lock the gate in (seccomp and Landlock);\n"
    "# 'prefer' warns.\n"
    "#cage = prefer\n"
    "\n"
    "# Event loops. 0: one per core.\n"
    "#threads = 0\n"
    "\n"
    "# Connections at once, in total, and per address as long as they are not tunnels. Where one\n"
    "# address has all, a newcomer from there takes the place of one that rests between requests.\n"
    "#connections = 8192\n"
    "#connections_per_address = 256\n"
    "\n"
    "# Of these, those on which nobody has signed in, and those that are not through with the TLS\n"
    "# handshake, each in percent of 'connections'; and the latter per address. Where they are "
    "full,\n"
    "# a newcomer takes the place of whoever has waited longest.\n"
    "#strangers_percent = 75\n"
    "#handshakes_percent = 25\n"
    "#handshakes_per_address = 64\n"
    "\n"
    "# How long a client may take: for the TLS handshake, for a request, between requests.\n"
    "#handshake_seconds = 10\n"
    "#request_seconds = 20\n"
    "#keepalive_seconds = 60\n"
    "\n"
    "# How long tunnels may go on after 'deskgate upgrade', in the program that was before.\n"
    "#drain_seconds = 43200\n"
    "\n"
    "# Balancers that pass connections on: addresses and networks whose connections must begin "
    "with\n"
    "# a PROXY protocol header, version 2. From all others none is taken. Empty: none.\n"
    "#proxy_protocol =\n"
    "\n"
    "# Reverse proxies that pass requests on, over TLS: addresses and networks whose word counts "
    "for\n"
    "# where a request comes from, in this header: X-Forwarded-For or Forwarded. Empty: none.\n"
    "#trusted_proxies =\n"
    "#proxy_header = X-Forwarded-For\n"
    "\n"
    "[tls]\n"
    "# PEM files, relative to the state folder. Several certificates (ECDSA and RSA side by side)\n"
    "# and their keys are separated by commas, in the same order.\n"
    "#certificate = tls/cert.pem\n"
    "#key = tls/key.pem\n"
    "\n"
    "[login]\n"
    "# Passwords checked at once (19 MiB of memory each), sign-ins that may wait for it, and for\n"
    "# how long.\n"
    "#workers = 2\n"
    "#queue = 64\n"
    "#deadline_seconds = 10\n"
    "\n"
    "# Failed sign-ins before throttling: of one user from one address, and of one address in "
    "all.\n"
    "#user_failures = 5\n"
    "#address_failures = 20\n"
    "\n"
    "# Failures are forgotten after this time.\n"
    "#window_seconds = 900\n"
    "\n"
    "[password]\n"
    "# modern: long, and hard to guess by an estimate that knows common passwords; changed only "
    "when\n"
    "# something has come to be known. classic: three kinds of characters, and an age at most.\n"
    "#profile = modern\n"
    "\n"
    "# Characters at least, and how many passwords of before are not taken again.\n"
    "#least = 12\n"
    "#history = 5\n"
    "\n"
    "# classic: a password must be changed after so many days (0: never), and people are told so\n"
    "# before.\n"
    "#max_days = 90\n"
    "#warn_days = 14\n"
    "\n"
    "[session]\n"
    "# A session ends when it is not used for this long, and after this time in any case.\n"
    "#idle_seconds = 3600\n"
    "#absolute_seconds = 43200\n"
    "\n"
    "[policy]\n"
    "# The time zone of grants' hours, such as Europe/Berlin; empty: the system's.\n"
    "#time_zone =\n"
    "\n"
    "[admin]\n"
    "# Who administers in the browser must have shown a second factor within this time.\n"
    "#factor_seconds = 900\n"
    "\n"
    "[tunnel]\n"
    "# A tunnel ends when no byte moves for this long (0: no limit), and after this time in any\n"
    "# case (0: only with its session).\n"
    "#idle_seconds = 3600\n"
    "#absolute_seconds = 0\n"
    "\n"
    "# Pings keep the path open through routers.\n"
    "#ping_seconds = 30\n"
    "\n"
    "[dial]\n"
    "# Where desktops may be: networks, addresses and the words private, loopback, link-local,\n"
    "# metadata, own (this machine's addresses) and any. What loopback, link-local, metadata and "
    "own\n"
    "# stand for is refused unless it is named here. deny wins.\n"
    "#allow = private\n"
    "#deny =\n"
    "\n"
    "# For finding a desktop's address and connecting to it.\n"
    "#seconds = 8\n"
    "\n"
    "# A desktop whose machine answers nothing, or takes nothing, for so long is lost.\n"
    "#lost_seconds = 90\n"
    "\n"
    "# A desktop with a MAC that does not answer is woken (Wake-on-LAN) and given this long. 0: it "
    "is\n"
    "# not. Packets go to the broadcast address of its network, or to these addresses.\n"
    "#wake_seconds = 60\n"
    "#wake_broadcast =\n"
    "\n"
    "[desktops]\n"
    "# PEM file of the authorities that sign desktops' certificates, for desktops with\n"
    "# 'deskgate desktop trust NAME --ca'.\n"
    "#authorities =\n"
    "\n"
    "[rdg]\n"
    "# For RDP clients that use the gateway as an RD Gateway. 'legacy': serve also those behind\n"
    "# proxies that break WebSocket, by a pair of HTTP channels.\n"
    "#legacy = yes\n"
    "\n"
    "# Let people make short-lived gateway passwords, for clients that cannot open an .rdp file.\n"
    "#passwords = no\n"
    "\n"
    "# Take the ticket of an .rdp file only from the address that it was downloaded from.\n"
    "#bind_address = no\n"
    "\n"
    "# Clients that can (FreeRDP cannot) must show their ticket again after this time, and are "
    "cut\n"
    "# off two minutes later. Sessions and grants are watched all the time, whatever it says. 0:\n"
    "# never.\n"
    "#reauth_seconds = 0\n"
    "\n"
    "# A text that people must agree to before they reach a desktop, and one that they are shown\n"
    "# once they have. Up to 720 bytes; what follows on indented lines belongs to it. Empty: "
    "none.\n"
    "#consent =\n"
    "#message =\n"
    "\n"
    "[metrics]\n"
    "# Addresses for Prometheus, such as 127.0.0.1:9090: plain HTTP, /metrics. Empty: none.\n"
    "#listen =\n"
    "\n"
    "# Only loopback addresses, unless this is yes: whoever reaches the port reads the numbers.\n"
    "#any = no\n"
    "\n"
    "[alerts]\n"
    "# What to raise an alert about: all, or words of 'deskgate alert rules'. Empty: nothing. Each "
    "is\n"
    "# logged and kept ('deskgate alert list').\n"
    "#rules = all\n"
    "\n"
    "# Failed sign-ins: of one person, from one address, before a good one; within so long.\n"
    "#user_failures = 10\n"
    "#address_failures = 30\n"
    "#after_failures = 5\n"
    "#window_seconds = 900\n"
    "\n"
    "# Before the gateway's certificate ends.\n"
    "#certificate_days = 14\n"
    "\n"
    "# The same alert again not before this time, and so many an hour of all together.\n"
    "#repeat_seconds = 3600\n"
    "#per_hour = 60\n"
    "\n"
    "# A program that gets each alert as JSON on its standard input; an address for POST with the\n"
    "# same (https://…, or a file with it), and a PEM file of who may sign its certificate.\n"
    "#command =\n"
    "#webhook =\n"
    "#authorities =\n"
    "\n"
    "[audit]\n"
    "# Rows older than this are moved to files in the state folder's folder audit. 0: all are "
    "kept.\n"
    "#keep_days = 0\n"
    "\n"
    "# Where rows go besides, as syslog (RFC 5424): local (/dev/log), local:/path/of/a/socket, or\n"
    "# tls://host:port with a PEM file of who may sign its certificate. Empty: nowhere.\n"
    "#syslog =\n"
    "#authorities =\n"
    "\n"
    "[rdp]\n"
    "# PEM files to sign .rdp files with; the gateway's own certificate will do, where clients\n"
    "# trust it. Empty: files are not signed, and Windows warns of them.\n"
    "#certificate =\n"
    "#key =\n";

static const char *given_for(const struct conf_template *given, const char *key, size_t length)
{
    const struct {
        const char *key, *value;
    } table[] = {
        {"listen", given->listen}, {"http_listen", given->http_listen}, {"name", given->name},
        {"user", given->user},     {"acme_folder", given->acme_folder},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strlen(table[i].key) == length && memcmp(table[i].key, key, length) == 0)
            return table[i].value;
    }
    return NULL;
}

int conf_template_write(FILE *out, const struct conf_template *given)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        const char *key = line + 1, *value = NULL;
        size_t key_length = strcspn(key, " ");
        if (*line == '@')
            value = given_for(given, key, key_length);
        if (value)
            fprintf(out, "%.*s =%s%s\n", (int)key_length, key, *value ? " " : "", value);
        else
            fprintf(out, "%s%.*s\n", *line == '@' ? "#" : "",
                    (int)(*line == '@' ? length - 1 : length), *line == '@' ? key : line);
        line += length + 1;
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

void conf_template_defaults(void (*each)(void *owner, const char *section, const char *key,
                                         const char *value),
                            void *owner)
{
    char section[32] = "", key[64], value[128];

    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        int length = (int)strcspn(line, "\n"), end = 0;
        char whole[160];
        snprintf(whole, sizeof(whole), "%.*s", length, line);
        value[0] = '\0';
        if (sscanf(whole, "[%31[^]]]", section) == 1)
            continue;
        if (sscanf(whole, "%*1[#@]%63[a-z_] =%n %127[^\n]", key, &end, value) >= 1 && end)
            each(owner, section, key, value);
    }
}
