/* Files and folders that the configuration names beside the certificates: whether the gateway's
 * user can use each for what it is for. Authorities of desktops are loaded as 'serve' loads them,
 * which does not start without. */
#include "checkup.h"

#include "certificate.h"
#include "fd.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHALLENGES "/.well-known/acme-challenge" /* certbot makes it below its webroot */

static void wrong(struct checkup *check, const char *key, const char *path, const char *why)
{
    char mend[256];
    snprintf(mend, sizeof(mend),
             "correct %s, or put there what the gateway's user (uid %u) may use", key,
             (unsigned)check->uid);
    checkup_say(check, CHECKUP_PROBLEM, "configured path", mend, "%s: %s: %s", key, path, why);
}

/* A file, of which the gateway's user may do this. Told when not. */
static bool usable(struct checkup *check, const char *key, const char *path, int how)
{
    struct stat st;
    int error = checkup_access(check, path, how);

    if (error == EACCES && how == X_OK && access(path, R_OK) == 0)
        wrong(check, key, path, "it may not be executed by the gateway's user");
    else if (error == EACCES)
        wrong(check, key, path, "it may not be used by the gateway's user");
    else if (error)
        wrong(check, key, path, strerror(error));
    else if (stat(path, &st) != 0)
        wrong(check, key, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        wrong(check, key, path, "it is no file");
    else
        return true;
    return false;
}

static unsigned authorities(struct checkup *check, const char *key, const char *path)
{
    char why[CONF_PATH_SIZE + 256];

    if (!path[0])
        return 0;
    if (!usable(check, key, path, R_OK))
        return 1;
    if (certificate_authorities(path, why, sizeof(why)) == 0)
        return 0;
    wrong(check, key, path, why);
    return 1;
}

static unsigned command(struct checkup *check)
{
    const char *path = check->conf.alert_command;
    return path[0] && !usable(check, "[alerts] command", path, X_OK);
}

/* Its mode is judged with the state folder's files; what is in it is a secret and is not shown. */
static unsigned webhook(struct checkup *check)
{
    static const char key[] = "[alerts] webhook";
    const char *path = check->conf.alert_webhook;
    char begin[8] = "";
    struct stat st;

    if (path[0] != '/')
        return 0;
    if (stat(path, &st) == 0 && checkup_access(check, path, R_OK) == EACCES)
        return 1; /* said with its mode and owner */
    if (!usable(check, key, path, R_OK))
        return 1;
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && read(fd, begin, sizeof(begin)) == sizeof(begin) &&
        memcmp(begin, "https://", sizeof(begin)) == 0)
        return 0;
    wrong(check, key, path, "its first line is not an address that begins with https://");
    return 1;
}

/* certbot makes the folder of the challenges when it first asks for a certificate. */
static unsigned challenges(struct checkup *check)
{
    static const char key[] = "[server] acme_folder";
    char path[CONF_PATH_SIZE], webroot[CONF_PATH_SIZE];
    struct stat st;

    snprintf(path, sizeof(path), "%s", check->conf.acme_folder);
    size_t length = strlen(path), end = strlen(CHALLENGES);
    if (length == 0)
        return 0;
    if (checkup_access(check, path, F_OK) == ENOENT && length > end &&
        strcmp(path + length - end, CHALLENGES) == 0)
        path[length - end] = '\0';
    int error = checkup_access(check, path, R_OK | X_OK);
    if (!error && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    if (error == ENOENT && place_webroot(&check->conf, webroot))
        checkup_say(check, CHECKUP_PROBLEM, "configured path",
                    "run 'deskgate init', which makes it", "%s: %s: %s", key, path,
                    strerror(error));
    else
        wrong(check, key, path, error ? strerror(error) : "it is no folder");
    return 1;
}

void checkup_paths(struct checkup *check)
{
    const struct conf *conf = &check->conf;
    unsigned found = authorities(check, "[desktops] authorities", conf->authorities) +
                     authorities(check, "[alerts] authorities", conf->alert_authorities) +
                     authorities(check, "[audit] authorities", conf->audit_authorities) +
                     command(check) + webhook(check) + challenges(check);
    if (found == 0)
        checkup_say(check, CHECKUP_OK, "configured path", "",
                    "the gateway can use every file and folder that the configuration names");
}
