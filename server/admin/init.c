/* Every step makes what is missing and leaves what is there, so it may run again at any time. What
 * it made belongs to the gateway's user in the end; what was there keeps its owner. */
#include "init.h"

#include "certificate.h"
#include "cli.h"
#include "conf.h"
#include "conf_template.h"
#include "fd.h"
#include "folder_lock.h"
#include "listing.h"
#include "place.h"
#include "secret.h"
#include "store.h"
#include "text.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define MADE_MAX 16
#define LOCK_MS 5000
#define STORE_PAUSE_MS 50U
#define CERTBOT_HOOK "/etc/letsencrypt/renewal-hooks/deploy/deskgate"

struct init {
    struct conf conf;
    char listen[1024], http_listen[1024];
    const char *name, *user;
    bool given, json;
    char *text; /* of deskgate.conf, malloc'd */
    size_t size;
    char made[MADE_MAX][CONF_PATH_SIZE];
    size_t made_count;
    struct certificate certificate;
};

static int init_failed(const char *path, int error)
{
    return cli_fail(error == -EACCES || error == -EPERM ? EX_NOPERM : EX_CANTCREAT, "%s: %s", path,
                    strerror(-error));
}

/* Notes what place_*() has made. */
static int init_placed(struct init *init, const char *path, int result)
{
    if (result < 0)
        return init_failed(path, result);
    if (result > 0 && init->made_count < MADE_MAX)
        text_copy(init->made[init->made_count++], CONF_PATH_SIZE, path);
    return EX_OK;
}

static bool init_made(const struct init *init, const char *path)
{
    for (size_t i = 0; i < init->made_count; i++) {
        if (strcmp(init->made[i], path) == 0)
            return true;
    }
    return false;
}

/* What deskgate.conf will be, judged before anything is made: a folder with one that is refused
 * would be in the way of the next try. */
static int init_render(struct init *init)
{
    struct conf_template given = {.name = init->name, .user = init->user};
    struct conf judged;
    char path[CONF_PATH_SIZE], why[2048];

    init->given = init->name || init->user || init->listen[0] || init->http_listen[0];
    if (init->listen[0])
        given.listen = init->listen;
    if (init->http_listen[0]) {
        given.http_listen = init->http_listen;
        given.acme_folder = PLACE_WEBROOT "/.well-known/acme-challenge";
    }
    conf_path(&init->conf, CONF_FILE, path);
    FILE *out = open_memstream(&init->text, &init->size);
    if (!out || conf_template_write(out, &given) != 0 || fclose(out) != 0)
        return init_failed(path, -ENOMEM);
    if (access(path, F_OK) != 0 &&
        conf_load_text(&judged, init->conf.state, init->text, init->size, why, sizeof(why)) != 0)
        return cli_fail(EX_CONFIG, "%s; nothing has been made", why);
    return EX_OK;
}

static int init_folder(struct init *init)
{
    int result = place_folder(init->conf.state);

    conf_defaults(&init->conf, init->conf.state); /* there it has its real path */
    if (init->user) /* whose the folder becomes, even if no more comes of it */
        text_copy(init->conf.user, sizeof(init->conf.user), init->user);
    return init_placed(init, init->conf.state, result);
}

static int init_conf(struct init *init)
{
    char path[CONF_PATH_SIZE], why[2048];

    conf_path(&init->conf, CONF_FILE, path);
    int code = init_placed(init, path, place_file(path, init->text, init->size));
    if (code != EX_OK)
        return code;
    if (!init_made(init, path) && init->given)
        cli_fail(EX_OK, "%s is already there: what you gave is not written to it; edit it", path);
    if (conf_load(&init->conf, init->conf.state, why, sizeof(why)) != 0)
        return cli_fail(EX_CONFIG, "%s", why);
    return EX_OK;
}

static int init_webroot(struct init *init)
{
    char path[CONF_PATH_SIZE];

    return place_webroot(&init->conf, path) ? init_placed(init, path, place_folder(path)) : EX_OK;
}

static bool init_inside(const struct init *init, const char *path)
{
    size_t length = strlen(init->conf.state);
    return strncmp(path, init->conf.state, length) == 0 && path[length] == '/';
}

static int init_write_pair(struct init *init, const struct conf_pair *pair)
{
    gnutls_datum_t certificate, key;
    int result = certificate_make(&init->conf, &certificate, &key), code;

    if (result < 0)
        code = cli_fail(EX_SOFTWARE, "no certificate could be made: %s", gnutls_strerror(result));
    else
        code = init_placed(init, pair->key, place_file(pair->key, key.data, key.size));
    if (code == EX_OK)
        code = init_placed(init, pair->certificate,
                           place_file(pair->certificate, certificate.data, certificate.size));
    if (key.data)
        explicit_bzero(key.data, key.size);
    gnutls_free(key.data);
    gnutls_free(certificate.data);
    return code;
}

/* Of two at once each would make a key, and one of them the certificate of the other's. Not the
 * state folder's own lock, which a running gateway has. */
static int init_lock_pair(struct init *init, const struct conf_pair *pair, int *lock)
{
    char folder[CONF_PATH_SIZE];

    if (!init_inside(init, pair->certificate) || !init_inside(init, pair->key) ||
        (access(pair->certificate, F_OK) == 0 && access(pair->key, F_OK) == 0))
        return EX_OK;
    conf_path(&init->conf, "tls", folder);
    int code = init_placed(init, folder, place_folder(folder));
    if (code == EX_OK)
        *lock = folder_lock_within(folder, LOCK_MS);
    if (code == EX_OK && *lock < 0)
        code = init_failed(folder, *lock);
    return code;
}

/* Only for files within the state folder: elsewhere they are somebody else's to make. */
static int init_pair(struct init *init, const struct conf_pair *pair)
{
    bool there = access(pair->certificate, F_OK) == 0, key_there = access(pair->key, F_OK) == 0;

    if (there != key_there)
        return cli_fail(EX_CONFIG, "%s is there, but %s is not: give both, or move it away",
                        there ? pair->certificate : pair->key,
                        there ? pair->key : pair->certificate);
    if (!there && !(init_inside(init, pair->certificate) && init_inside(init, pair->key)))
        return cli_fail(EX_CONFIG, "%s is not there: put it there, or correct [tls] certificate",
                        pair->certificate);
    return there ? EX_OK : init_write_pair(init, pair);
}

static int init_certificate(struct init *init)
{
    const struct conf_pair *pair = &init->conf.pairs[0];
    char why[CONF_PATH_SIZE + 256];
    FD_AUTO int lock = -1;
    int code = init_lock_pair(init, pair, &lock);

    if (code == EX_OK)
        code = init_pair(init, pair);
    if (code == EX_OK &&
        certificate_look(pair, init->conf.name, &init->certificate, why, sizeof(why)) != 0)
        code = cli_fail(EX_CONFIG, "%s", why);
    if (code == EX_OK && !init->certificate.fits_key)
        code = cli_fail(EX_CONFIG, "%s is not usable with the key %s: %s", pair->certificate,
                        pair->key, init->certificate.key_fault);
    return code;
}

static int init_secret(struct init *init)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];

    conf_path(&init->conf, CONF_SECRET_KEY, path);
    bool there = access(path, F_OK) == 0;
    if (secret_init() != 0)
        return cli_fail(EX_SOFTWARE, "libsodium cannot be used on this machine");
    int error = secret_key_load(&key, path, true, why, sizeof(why));
    secret_key_wipe(&key);
    if (error)
        return cli_fail(error == -EACCES ? EX_NOPERM : EX_CANTCREAT, "%s", why);
    return init_placed(init, path, there ? 0 : 1);
}

/* Whoever has the folder is a gateway, perhaps of an older version, under which the schema stays as
 * it is; or another init, which is soon done. */
static enum store_result init_open_store(const struct init *init, struct store **store,
                                         const char *path, char *why, size_t size)
{
    for (unsigned waited = 0;; waited += STORE_PAUSE_MS) {
        int lock = folder_lock(init->conf.state);
        bool busy = lock == -EBUSY;
        enum store_result result =
            store_open(store, path, busy ? STORE_IN_COMPANY : STORE_CREATE, why, size);
        fd_close(&lock);
        if (result == STORE_OK || !busy || waited >= LOCK_MS)
            return result;
        usleep(STORE_PAUSE_MS * 1000);
    }
}

static int init_store(struct init *init)
{
    struct store *store = NULL;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";

    conf_path(&init->conf, CONF_DATABASE, path);
    bool there = access(path, F_OK) == 0;
    enum store_result result = init_open_store(init, &store, path, why, sizeof(why));
    store_close(store);
    if (result != STORE_OK)
        return cli_fail(EX_CANTCREAT, "%s", why);
    return init_placed(init, path, there ? 0 : 1);
}

/* When a step has failed, too, since the next run would find these and leave them as they are. The
 * folder last: until then nobody but root can put anything in the way. */
static int init_hand_over(struct init *init)
{
    const struct passwd *entry = geteuid() == 0 ? getpwnam(init->conf.user) : NULL;

    if (!entry)
        return EX_OK;
    for (size_t i = init->made_count; i-- > 0;) {
        if (lchown(init->made[i], entry->pw_uid, entry->pw_gid) != 0)
            return init_failed(init->made[i], -errno);
    }
    return EX_OK;
}

static int init_json(const struct init *init)
{
    json_t *made = json_array(), *url = json_sprintf("https://%s", init->conf.name);

    for (size_t i = 0; i < init->made_count; i++)
        json_array_append_new(made, json_string(init->made[i]));
    if (init->conf.public_port != 443) {
        json_decref(url);
        url = json_sprintf("https://%s:%u", init->conf.name, (unsigned)init->conf.public_port);
    }
    return listing_json(stdout,
                        json_pack("{s:s, s:o, s:s, s:b, s:o}", "state", init->conf.state, "url",
                                  url, "fingerprint", init->certificate.fingerprint, "self_signed",
                                  (int)init->certificate.self_signed, "made", made));
}

static void init_next(const struct init *init)
{
    const struct conf *conf = &init->conf;
    const char *user = conf->user;
    bool usual = strcmp(conf->state, CLI_STATE_DEFAULT) == 0;
    char deskgate[CONF_PATH_SIZE + 32] = "deskgate", webroot[CONF_PATH_SIZE];

    if (!usual)
        snprintf(deskgate, sizeof(deskgate), "deskgate --state %s", conf->state);
    printf("\nNext:\n");
    if (geteuid() == 0 && user[0] && !getpwnam(user))
        printf("  useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %s\n"
               "  chown -R %s: %s\n",
               user, user, conf->state);
    printf("  %s user invite NAME\n"
           "  %s desktop add NAME --host ADDRESS\n"
           "  %s grant add USER DESKTOP\n"
           "  %s check\n",
           deskgate, deskgate, deskgate, deskgate);
    if (usual && access("/run/systemd/system", F_OK) == 0)
        printf("  systemctl enable --now deskgate\n");
    else
        printf("  %s serve\n", deskgate);
    if (usual && init->certificate.self_signed && place_webroot(conf, webroot) &&
        access(CERTBOT_HOOK, F_OK) == 0)
        printf("and, when it runs, for a certificate that browsers trust:\n"
               "  certbot certonly --webroot -w %s -d %s \\\n"
               "      --deploy-hook " CERTBOT_HOOK "\n",
               webroot, conf->name);
}

static int init_tell(const struct init *init)
{
    if (init->json)
        return init_json(init);
    for (size_t i = 0; i < init->made_count; i++)
        printf("made %s\n", init->made[i]);
    if (init->made_count == 0)
        printf("everything was there already in %s\n", init->conf.state);
    printf("\nThe gateway's certificate%s; its SHA-256 fingerprint:\n  %s\n",
           init->certificate.self_signed ? " is self-signed: clients must be told to trust it" : "",
           init->certificate.fingerprint);
    init_next(init);
    return cli_flushed(EX_OK);
}

/* ---- options ---- */

static int init_append(char *list, size_t size, const char *option, const char *value)
{
    struct conf_listen parsed = {0};
    size_t length = strlen(list);

    if (!conf_parse_listen(&parsed, value))
        return cli_fail(EX_USAGE,
                        "init: --%s wants an address and port, such as 0.0.0.0:443 or [::]:443, "
                        "not '%s'",
                        option, value);
    int more = snprintf(list + length, size - length, "%s%s", length ? ",\n    " : "", value);
    if (more < 0 || (size_t)more >= size - length)
        return cli_fail(EX_USAGE, "init: too many addresses");
    return EX_OK;
}

static int init_take_listen(void *owner, const char *value)
{
    struct init *init = owner;
    return init_append(init->listen, sizeof(init->listen), "listen", value);
}

static int init_take_http(void *owner, const char *value)
{
    struct init *init = owner;
    return init_append(init->http_listen, sizeof(init->http_listen), "http-listen", value);
}

static int init_take_name(void *owner, const char *value)
{
    struct init *init = owner;
    char name[sizeof(init->conf.name)];

    if (!conf_name(name, sizeof(name), value))
        return cli_fail(EX_USAGE, "init: --name wants a host name or address alone, not '%s'",
                        value);
    init->name = value;
    return EX_OK;
}

static int init_take_user(void *owner, const char *value)
{
    struct init *init = owner;
    init->user = value;
    return EX_OK;
}

static int init_take_json(void *owner, const char *value)
{
    struct init *init = owner;
    (void)value;
    init->json = true;
    return EX_OK;
}

static const struct cli_option init_options[] = {
    {"name", "HOST", "what people type and the certificate says (this machine's name)",
     init_take_name},
    {"listen", "ADDR:PORT", "an address for HTTPS; may be repeated (0.0.0.0:443, [::]:443)",
     init_take_listen},
    {"http-listen", "ADDR:PORT",
     "an address for plain HTTP: a redirect and certbot; may be repeated (none)", init_take_http},
    {"user", "NAME", "the system user that the gateway becomes (deskgate)", init_take_user},
    {"json", NULL, "say what was made as JSON", init_take_json},
    {0},
};

int init_verb(struct cli *cli, int argc, char **argv)
{
    static const struct cli_spec spec = {
        .verb = "init",
        .summary =
            "Makes the state folder: configuration, database, secret key and, when there is\n"
            "none, a self-signed certificate. What exists is never touched.",
        .options = init_options,
    };
    static int (*const steps[])(struct init *) = {
        init_render,      init_folder, init_conf,  init_webroot,
        init_certificate, init_secret, init_store,
    };
    struct init *init = calloc(1, sizeof(*init));

    if (!init)
        return cli_fail(EX_OSERR, "out of memory");
    int code = cli_parse(&spec, init, argc, argv);
    if (code < 0) {
        umask(077);
        conf_defaults(&init->conf, cli->state);
        code = EX_OK;
        for (size_t i = 0; code == EX_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
            code = steps[i](init);
        int handed = init_hand_over(init);
        code = code == EX_OK ? handed : code;
        if (code == EX_OK)
            code = init_tell(init);
    }
    free(init->text);
    free(init);
    return code;
}
