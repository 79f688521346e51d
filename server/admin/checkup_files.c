#include "act.h"
#include "audit_seal.h"
#include "certificate.h"
#include "checkup.h"
#include "day.h"
#include "rdpfile_signer.h"
#include "secret.h"
#include "state_key.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPIRES_SOON (14 * DAY_SECONDS)
#define CLOCK_LEAST 1735689600 /* 2025-01-01: before this program */
#define CLOCK_SLACK 60

static void day_text(time_t at, char to[32])
{
    struct tm utc;
    if (!gmtime_r(&at, &utc) || strftime(to, 32, "%Y-%m-%d %H:%MZ", &utc) == 0)
        snprintf(to, 32, "?");
}

/* As serve_drop_root() becomes that user, with the groups that it is in. */
int checkup_access(const struct checkup *check, const char *path, int how)
{
    int status;
    if (geteuid() == check->uid)
        return access(path, how) == 0 ? 0 : errno;
    const struct passwd *entry = getpwuid(check->uid);
    pid_t pid = fork();
    if (pid == 0) {
        bool may = (entry ? initgroups(entry->pw_name, check->gid) : setgroups(0, NULL)) == 0 &&
                   setgid(check->gid) == 0 && setuid(check->uid) == 0 && access(path, how) == 0;
        _exit(may ? 0 : errno);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : ECHILD;
}

#define MEND_SIZE (CONF_PATH_SIZE + 128)

/* For what the gateway's user may not use so. */
static void mend_access(const struct checkup *check, const char *path, const struct stat *st,
                        int how, char mend[MEND_SIZE])
{
    unsigned owner = (st->st_mode >> 6) & 07; /* R_OK, W_OK and X_OK are these bits */

    if (st->st_uid != check->uid)
        snprintf(mend, MEND_SIZE, "chown %u:%u %s", (unsigned)check->uid, (unsigned)check->gid,
                 path);
    else if ((owner & (unsigned)how) != (unsigned)how)
        snprintf(mend, MEND_SIZE, "chmod %s %s", S_ISDIR(st->st_mode) ? "700" : "600", path);
    else
        snprintf(mend, MEND_SIZE,
                 "let that user pass the folders above it ('namei -l %s' shows them)", path);
}

/* A file that only the gateway's user may read. False when it is not there. */
static bool checkup_private(struct checkup *check, const char *item, const char *path, int how)
{
    struct stat st;
    char mend[MEND_SIZE];
    bool folder;

    if (stat(path, &st) != 0)
        return false;
    how &= check->read_only ? ~W_OK : ~0; /* said already, and no owner can help */
    folder = S_ISDIR(st.st_mode);
    if (st.st_mode & (folder ? 022 : 027)) {
        snprintf(mend, sizeof(mend), "chmod %s %s", folder ? "700" : "600", path);
        checkup_say(check, CHECKUP_PROBLEM, item, mend, "%s may be %s by others (mode %03o)", path,
                    st.st_mode & 022 ? "changed" : "read", st.st_mode & 0777U);
    } else if (checkup_access(check, path, how) != 0) {
        mend_access(check, path, &st, how, mend);
        checkup_say(check, CHECKUP_PROBLEM, item, mend, "%s may not be used by uid %u", path,
                    (unsigned)check->uid);
    } else if (st.st_mode & 077) {
        snprintf(mend, sizeof(mend), "chmod %s %s", folder ? "700" : "600", path);
        checkup_say(check, CHECKUP_WARNING, item, mend, "%s is open to others (mode %03o)", path,
                    st.st_mode & 0777U);
    } else {
        checkup_say(check, CHECKUP_OK, item, "", "%s", path);
    }
    return true;
}

static void checkup_secret(struct checkup *check)
{
    struct secret_key key;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];
    unsigned before = check->found[CHECKUP_PROBLEM];

    conf_path(&check->conf, CONF_SECRET_KEY, path);
    if (!checkup_private(check, "secret key", path, R_OK | W_OK)) {
        checkup_say(
            check, CHECKUP_PROBLEM, "secret key",
            "restore it from a backup: without it no stored second factor can be read; in a "
            "new state folder run 'deskgate init'",
            "%s is not there", path);
        return;
    }
    if (check->found[CHECKUP_PROBLEM] > before || secret_init() != 0)
        return; /* said already */
    if (secret_key_load(&key, path, false, why, sizeof(why)) != 0)
        checkup_say(check, CHECKUP_PROBLEM, "secret key", "", "%s", why);
    secret_key_wipe(&key);
}

/* What else must not be changed, or read, by others; most of it need not be there. */
static void checkup_others(struct checkup *check)
{
    static const char *const private[] = {CONF_AUDIT_HEAD, CONF_DATABASE "-wal",
                                          CONF_DATABASE "-shm"};
    char path[CONF_PATH_SIZE], mend[MEND_SIZE];
    struct stat st;

    conf_path(&check->conf, CONF_FILE, path);
    bool there = stat(path, &st) == 0;
    if (there && st.st_mode & 022) {
        snprintf(mend, sizeof(mend), "chmod go-w %s", path);
        checkup_say(check, CHECKUP_PROBLEM, "configuration file", mend,
                    "%s may be changed by others (mode %03o)", path, st.st_mode & 0777U);
    } else if (there && checkup_access(check, path, R_OK) != 0) {
        mend_access(check, path, &st, R_OK, mend);
        checkup_say(check, CHECKUP_PROBLEM, "configuration file", mend,
                    "%s may not be read by uid %u", path, (unsigned)check->uid);
    }
    for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
        conf_path(&check->conf, private[i], path);
        checkup_private(check, "state file", path, R_OK | W_OK);
    }
    if (check->conf.alert_webhook[0] == '/')
        checkup_private(check, "webhook file", check->conf.alert_webhook, R_OK);
}

void checkup_state(struct checkup *check)
{
    if (!checkup_private(check, "state folder", check->conf.state, R_OK | W_OK | X_OK)) {
        checkup_say(check, CHECKUP_PROBLEM, "state folder", "run 'deskgate --state DIR init'",
                    "%s: %s", check->conf.state, strerror(errno));
        return;
    }
    checkup_secret(check);
    checkup_others(check);
}

static void checkup_dates(struct checkup *check, const char *path, const struct certificate *found)
{
    time_t now = time(NULL);
    char from[32], until[32];

    day_text(found->from, from);
    day_text(found->until, until);
    if (now < found->from)
        checkup_say(check, CHECKUP_PROBLEM, "certificate", "correct the clock, or wait",
                    "%s is valid only from %s", path, from);
    else if (now >= found->until)
        checkup_say(check, CHECKUP_PROBLEM, "certificate",
                    "renew it and send SIGHUP; a self-signed one: move it and its key away and run "
                    "'deskgate init'",
                    "%s expired at %s", path, until);
    else if (found->until - now < EXPIRES_SOON)
        checkup_say(check, CHECKUP_WARNING, "certificate", "renew it and send SIGHUP",
                    "%s expires at %s", path, until);
    else
        checkup_say(check, CHECKUP_OK, "certificate", "", "%s is valid until %s%s, SHA-256 %s",
                    path, until, found->self_signed ? " (self-signed)" : "", found->fingerprint);
}

/* `mend` is for one that is not there. False: it could not be looked at. */
static bool checkup_pair(struct checkup *check, const struct conf_pair *pair, const char *mend,
                         struct certificate *found)
{
    char why[CONF_PATH_SIZE + 256];

    if (certificate_look(pair, check->conf.name, found, why, sizeof(why)) != 0) {
        checkup_say(check, CHECKUP_PROBLEM, "certificate", mend, "%s", why);
        return false;
    }
    checkup_private(check, "certificate's key", pair->key, R_OK);
    if (checkup_access(check, pair->certificate, R_OK) != 0)
        checkup_say(check, CHECKUP_PROBLEM, "certificate",
                    "copy it to where the gateway's user may read", "%s may not be read by uid %u",
                    pair->certificate, (unsigned)check->uid);
    if (!found->fits_key)
        checkup_say(check, CHECKUP_PROBLEM, "certificate",
                    "give each certificate its key, in the same order, and none that is encrypted "
                    "('openssl pkey -in KEY -out NEW' takes the passphrase off)",
                    "%s is not usable with the key %s: %s", pair->certificate, pair->key,
                    found->key_fault);
    checkup_dates(check, pair->certificate, found);
    return true;
}

/* The pair can be used for TLS, at least. */
static void checkup_signs(struct checkup *check, const struct conf_pair *pair)
{
    gnutls_datum_t certificate = {0}, key = {0};
    struct rdpfile_signer signer;
    char why[256] = "it cannot be read";

    bool good = gnutls_load_file(pair->certificate, &certificate) >= 0 &&
                gnutls_load_file(pair->key, &key) >= 0 &&
                rdpfile_signer_load(&signer, &certificate, &key, why, sizeof(why)) == 0;
    if (good)
        rdpfile_signer_deinit(&signer);
    else
        checkup_say(check, CHECKUP_PROBLEM, "certificate",
                    "give another [rdp] certificate and key, or leave both away", "%s: %s",
                    pair->certificate, why);
    if (key.data)
        explicit_bzero(key.data, key.size);
    gnutls_free(key.data);
    gnutls_free(certificate.data);
}

/* What .rdp files are signed with: its name is only shown. */
static void checkup_signer(struct checkup *check)
{
    struct conf_pair pair;
    struct certificate found;
    memcpy(pair.certificate, check->conf.rdp_certificate, sizeof(pair.certificate));
    memcpy(pair.key, check->conf.rdp_key, sizeof(pair.key));
    if (pair.key[0] &&
        checkup_pair(check, &pair, "correct [rdp] certificate and key, or leave both away",
                     &found) &&
        found.fits_key)
        checkup_signs(check, &pair);
}

void checkup_certificates(struct checkup *check)
{
    static const char mend[] =
        "correct [tls] certificate and key, or run 'deskgate init' when there is none";
    const char *nameless = NULL;
    bool named = false;
    struct certificate found;
    for (size_t i = 0; i < check->conf.pair_count; i++) {
        const struct conf_pair *pair = &check->conf.pairs[i];
        if (!checkup_pair(check, pair, mend, &found))
            continue;
        checkup_chain(check, pair->certificate);
        if (found.for_name)
            named = true;
        else
            nameless = pair->certificate;
    }
    if (nameless && !named) /* else it is another name's, and shown to who asks for that */
        checkup_say(check, CHECKUP_WARNING, "certificate",
                    "correct [server] name, or get a certificate for it", "%s does not name '%s'",
                    nameless, check->conf.name);
    checkup_signer(check);
}

/* Files that each are good, but not of one state folder. */
static void checkup_belongs(struct checkup *check)
{
    struct secret_key key;
    struct audit_mark_row mark;
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256];

    conf_path(&check->conf, CONF_SECRET_KEY, path);
    if (secret_init() != 0 || secret_key_load(&key, path, false, why, sizeof(why)) != 0)
        return; /* said already */
    if (!state_key_fits(check->store, &key))
        checkup_say(check, CHECKUP_PROBLEM, "secret key",
                    "restore it from the same backup as the database; when it is lost for good, "
                    "give everybody a new second factor: 'deskgate user totp NAME --key-lost'",
                    "%s is not the key that people's second factors were sealed with", path);
    else if (audit_mark_read(&check->conf, &key, &mark) == AUDIT_MARK_BAD)
        checkup_say(check, CHECKUP_PROBLEM, "audit log",
                    "restore it from the same backup as the database and " CONF_SECRET_KEY
                    "; 'deskgate audit verify' tells more",
                    "%s/" CONF_AUDIT_HEAD " was not written with this key", check->conf.state);
    secret_key_wipe(&key);
}

void checkup_store(struct checkup *check)
{
    char path[CONF_PATH_SIZE], why[CONF_PATH_SIZE + 256] = "";

    conf_path(&check->conf, CONF_DATABASE, path);
    checkup_private(check, "database", path, R_OK | W_OK);
    if (check->read_only)
        return; /* whether it is whole cannot be seen without its journal */
    enum store_result result = act_open_store(&check->store, &check->conf, why, sizeof(why));
    if (result != STORE_OK) {
        check->store = NULL;
        checkup_say(check, CHECKUP_PROBLEM, "database",
                    result == STORE_MISSING
                        ? "restore it from a backup; in a new state folder run 'deskgate init'"
                    : check->full ? "make room first; then look again"
                    : result == STORE_NEWER
                        ? "restart the gateway with this program, or use the newer one"
                        : "restore it from a backup, or mend its mode and owner",
                    "%s", why);
        return;
    }
    if (store_check(check->store, why, sizeof(why)) != STORE_OK)
        checkup_say(check, CHECKUP_PROBLEM, "database", "restore it from a backup",
                    "%s is damaged: %s", path, why);
    else
        checkup_say(check, CHECKUP_OK, "database", "", "whole, and its schema is this program's");
    checkup_belongs(check);
}

/* One-time codes live by the clock: 30 s of error and nobody gets in. */
void checkup_clock(struct checkup *check)
{
    time_t now = time(NULL);
    char path[CONF_PATH_SIZE];
    struct timex state = {0};
    struct stat st;

    conf_path(&check->conf, CONF_DATABASE, path);
    int answer = adjtimex(&state);
    if (now < CLOCK_LEAST || (stat(path, &st) == 0 && st.st_mtime > now + CLOCK_SLACK))
        checkup_say(check, CHECKUP_PROBLEM, "clock", "set it, and let NTP keep it (timedatectl)",
                    "it is wrong: %s",
                    now < CLOCK_LEAST ? "it lies in the past"
                                      : "the database was written in the future");
    else if (answer == TIME_ERROR || (answer >= 0 && (state.status & STA_UNSYNC)))
        checkup_say(check, CHECKUP_WARNING, "clock",
                    "let NTP keep it: 'timedatectl set-ntp true', or chrony",
                    "nothing keeps it in step; one-time codes need it right within 30 seconds");
    else
        checkup_say(check, CHECKUP_OK, "clock", "", "kept in step");
}
