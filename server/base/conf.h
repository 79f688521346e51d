/* deskgate.conf: one INI file, read once at start into plain structs. */
#pragma once

#include "addr.h"
#include "alert_rule.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_PATH_SIZE 4096
#define CONF_LISTEN_MAX 16
#define CONF_PAIRS_MAX 4
#define CONF_NETS_MAX 64
#define CONF_WAKE_MAX 8
#define CONF_ZONE_SIZE 64

enum conf_syslog { CONF_SYSLOG_NONE, CONF_SYSLOG_LOCAL, CONF_SYSLOG_TLS };
enum conf_password { CONF_PASSWORD_MODERN, CONF_PASSWORD_CLASSIC };
/* Passwords of a person that are kept; db/schema has the number, too. */
#define CONF_HISTORY_MOST 24

enum conf_cage { CONF_CAGE_PREFER, CONF_CAGE_REQUIRE };
enum conf_proxy_header { CONF_PROXY_X_FORWARDED_FOR, CONF_PROXY_FORWARDED };

struct conf_nets {
    struct addr_net nets[CONF_NETS_MAX];
    size_t count;
};

struct conf_listen {
    struct addr address;
    uint16_t port;
    bool tls;     /* false: the port-80 redirect and ACME listener, or … */
    bool metrics; /* … the one for Prometheus; see [metrics] */
};

struct conf_pair { /* PEM files, absolute paths */
    char certificate[CONF_PATH_SIZE];
    char key[CONF_PATH_SIZE];
};

struct conf {
    char state[CONF_PATH_SIZE]; /* the state folder, absolute */

    /* [server] */
    struct conf_listen listen[CONF_LISTEN_MAX]; /* listen = 0.0.0.0:443; http_listen = … */
    size_t listen_count;
    char name[256]; /* name = gateway.example.com: the canonical host name, lower case; an IPv6
                       address in brackets; default: the machine's name */
    uint16_t public_port; /* public_port = 443: that people type; default: the first listener's */
    bool public_port_given;
    char user[64]; /* user = deskgate: to become after binding, when started as root */
    char acme_folder[CONF_PATH_SIZE]; /* acme_folder = : empty means no challenges are served */
    enum conf_cage cage;              /* cage = prefer | require */
    uint32_t threads;                 /* threads = 0: event loops; 0 means one per core */
    uint32_t connections;             /* connections = 8192: in total */
    uint32_t connections_per_address; /* connections_per_address = 256: not yet tunnels */
    uint32_t strangers_percent;       /* strangers_percent = 75: of them, nobody has signed in */
    uint32_t handshakes_percent;      /* handshakes_percent = 25: of them, not through with TLS */
    uint32_t handshakes_per_address;  /* handshakes_per_address = 64 */
    uint32_t handshake_seconds;       /* handshake_seconds = 10: TLS */
    uint32_t request_seconds;         /* request_seconds = 20: a request's head and body */
    uint32_t keepalive_seconds;       /* keepalive_seconds = 60: between requests */
    uint32_t drain_seconds;           /* drain_seconds = 43200: tunnels after 'deskgate upgrade' */
    struct conf_nets proxy_protocol;  /* proxy_protocol = : balancers, whose connections begin with
                                         a PROXY header, version 2 */
    struct conf_nets trusted_proxies; /* trusted_proxies = : reverse proxies, whose word counts … */
    enum conf_proxy_header proxy_header; /* … as proxy_header = X-Forwarded-For | Forwarded says */

    /* [tls] certificate = FILE[, FILE]  key = FILE[, FILE]; relative to the state folder */
    struct conf_pair pairs[CONF_PAIRS_MAX];
    size_t pair_count;

    /* [login] */
    uint32_t login_workers;          /* workers = 2: password hashes at once (19 MiB each) */
    uint32_t login_queue;            /* queue = 64: waiting sign-ins beyond which we answer busy */
    uint32_t login_deadline_seconds; /* deadline_seconds = 10: for a waiting sign-in */
    uint32_t login_user_failures;    /* user_failures = 5: per (user, address) before throttling */
    uint32_t login_address_failures; /* address_failures = 20: per address before throttling */
    uint32_t login_window_seconds;   /* window_seconds = 900: failures are forgotten after */

    /* [password] */
    enum conf_password password_profile; /* profile = modern or classic */
    uint32_t password_least;             /* least = 12 characters */
    uint32_t password_history;           /* history = 5: so many of before are not taken again */
    uint32_t password_max_days;          /* max_days = 90: classic; 0: any age */
    uint32_t password_warn_days;         /* warn_days = 14: before that */

    /* [session] */
    uint32_t session_idle_seconds;     /* idle_seconds = 3600 */
    uint32_t session_absolute_seconds; /* absolute_seconds = 43200 */

    /* [policy] */
    char time_zone[CONF_ZONE_SIZE]; /* time_zone = Europe/Berlin: of grants' hours; empty: the
                                       system's */

    /* [admin] */
    uint32_t admin_factor_seconds; /* factor_seconds = 900: administration in the browser wants a
                                      second factor that was shown within */

    /* [tunnel] */
    uint32_t tunnel_idle_seconds;     /* idle_seconds = 3600; 0: no limit */
    uint32_t tunnel_absolute_seconds; /* absolute_seconds = 0: no limit but the session's */
    uint32_t tunnel_ping_seconds;     /* ping_seconds = 30 */

    /* [dial] */
    struct addr_net dial_allow[CONF_NETS_MAX]; /* allow = private, 203.0.113.0/24, …
                                                  words: private, loopback, link-local,
                                                  metadata, own, any */
    size_t dial_allow_count;
    struct addr_net dial_deny[CONF_NETS_MAX]; /* deny = …; wins over allow */
    size_t dial_deny_count;
    bool dial_loopback;         /* allow names loopback */
    bool dial_link_local;       /* allow names link-local */
    bool dial_metadata;         /* allow names metadata */
    bool dial_own;              /* allow names own: this machine's addresses */
    uint32_t dial_seconds;      /* seconds = 8: for name resolution and connecting together */
    uint32_t dial_lost_seconds; /* lost_seconds = 90: a desktop that does not answer at all */
    uint32_t wake_seconds;      /* wake_seconds = 60: for a desktop with a MAC; 0: none is woken */
    struct conf_listen wake_broadcast[CONF_WAKE_MAX]; /* wake_broadcast = : IPv4 only, port 0 where
                                                         none was given; none: the desktop's net */
    size_t wake_broadcast_count;

    /* [desktops] */
    char authorities[CONF_PATH_SIZE]; /* authorities = FILE: PEM of who may sign the certificates of
                                         desktops with trust by authority; empty: nobody */

    /* [rdg]: RDP clients that use us as their RD Gateway */
    bool rdg_legacy; /* legacy = yes: HTTP's pair of channels, for proxies that break WebSocket */
    bool rdg_passwords;    /* passwords = no: gateway passwords, for clients that take no file */
    bool rdg_bind_address; /* bind_address = no: a ticket is good only from where it was made */
    uint32_t rdg_reauth_seconds; /* reauth_seconds = 0: clients that can must show their ticket
                                    again after so long; 0: never */
    char rdg_consent[TEXT_WORDS_SIZE]; /* consent = : what a person must agree to; empty: nothing */
    char rdg_message[TEXT_WORDS_SIZE]; /* message = : shown when a desktop has been reached */

    /* [metrics] listen = 127.0.0.1:9090: more of `listen` */
    bool metrics_any; /* any = no: addresses other than loopback's, too */

    /* [alerts] */
    uint32_t alert_rules;               /* rules = all: 1 << enum alert_rule */
    uint32_t alert_user_failures;       /* user_failures = 10: of one person, within … */
    uint32_t alert_address_failures;    /* address_failures = 30: from one address, within … */
    uint32_t alert_after_failures;      /* after_failures = 5: before a good sign-in, within … */
    uint32_t alert_window_seconds;      /* … window_seconds = 900 */
    uint32_t alert_certificate_days;    /* certificate_days = 14: before the gateway's own ends */
    uint32_t alert_repeat_seconds;      /* repeat_seconds = 3600: the same again not before */
    uint32_t alert_per_hour;            /* per_hour = 60: of all together */
    char alert_command[CONF_PATH_SIZE]; /* command = FILE: gets each as JSON; empty: none */
    char alert_webhook[CONF_PATH_SIZE]; /* webhook = https://… or FILE (absolute here) with the
                                           address in it; blank in gate and keeper */
    char alert_authorities[CONF_PATH_SIZE]; /* authorities = FILE: PEM of who may sign the
                                               webhook's certificate; empty: the system's */

    /* [audit] */
    uint32_t audit_keep_days; /* keep_days = 0: older rows go into the state folder; 0: none do */
    enum conf_syslog audit_syslog; /* syslog = local[:PATH] | tls://HOST[:PORT]; empty: nowhere */
    char audit_syslog_path[108];   /* of the local socket, as sun_path in unix(7); or … */
    char audit_syslog_host[256];   /* … a host name or address, as `name` */
    uint16_t audit_syslog_port;
    char audit_authorities[CONF_PATH_SIZE]; /* authorities = FILE: PEM of who may sign the
                                               receiver's certificate; empty: the system's */

    /* [rdp]: .rdp files are signed with this, when both are given */
    char rdp_certificate[CONF_PATH_SIZE]; /* certificate = FILE: PEM, its chain behind it */
    char rdp_key[CONF_PATH_SIZE];         /* key = FILE */
};

/* Everything at its default, for this state folder (made absolute). */
void conf_defaults(struct conf *conf, const char *state);

/* Defaults, then STATE/deskgate.conf. A missing file is -ENOENT, one that may not be read -EACCES;
 * any other fault is -EINVAL. With words ("deskgate.conf line 12: listen: '0.0.0.0:99999' is not an
 * address and port") in `why`. */
int conf_load(struct conf *conf, const char *state, char *why, size_t size);

/* The same for a text that is to become the file. */
int conf_load_text(struct conf *conf, const char *state, const char *text, size_t length, char *why,
                   size_t size);

/* As conf_load(); `given` hears of each key in the file, of a list once a line, with its value as
 * it stands there. */
int conf_load_telling(struct conf *conf, const char *state,
                      void (*given)(void *owner, const char *section, const char *key,
                                    const char *value, unsigned line),
                      void *owner, char *why, size_t size);

/* "192.0.2.1:443" or "[2001:db8::1]:443"; port 0 lets the system choose. Leaves `tls` alone. */
bool conf_parse_listen(struct conf_listen *to, const char *text);

/* "[metrics] listen": which key an address comes from. */
const char *conf_listen_key(const struct conf_listen *);

/* A host name or address as `name` keeps it; false when it is neither, or does not fit. */
bool conf_name(char *to, size_t size, const char *text);

/* Sets public_port to the first TLS listener's unless the file gave it. False: there is none. */
bool conf_public_port(struct conf *conf);

/* STATE/NAME into `path` (CONF_PATH_SIZE); empty when it does not fit. */
void conf_path(const struct conf *conf, const char *name, char *path);
#define CONF_FILE "deskgate.conf"
#define CONF_DATABASE "deskgate.db"
#define CONF_SECRET_KEY "secret.key" /* seals TOTP seeds; 0600 */
#define CONF_DUTY_LOCK "duty.lock"   /* empty; keeper/duty.h */
#define CONF_AUDIT_HEAD "audit.head" /* a row that was in the audit log; keeper/audit_seal.h */
