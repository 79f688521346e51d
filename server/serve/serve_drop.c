#include "serve_drop.h"

#include "log.h"
#include "memory.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

/* A connection has its socket and, while it is HTTP, both ends of a pair; a tunnel has two. */
#define FDS_PER_CONNECTION 3
#define FDS_PER_TUNNEL 2
#define FDS_BESIDE 256

static bool became(const struct passwd *entry)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    return getresuid(&real, &effective, &saved) == 0 && real == entry->pw_uid &&
           effective == entry->pw_uid && saved == entry->pw_uid &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 &&
           real_group == entry->pw_gid && effective_group == entry->pw_gid &&
           saved_group == entry->pw_gid && setuid(0) != 0 && setgid(0) != 0;
}

int serve_drop_root(const struct conf *conf)
{
    if (geteuid() != 0)
        return EX_OK;
    if (conf->user[0] == '\0' || strcmp(conf->user, "root") == 0) {
        LOG_WARNING("root.kept", "running as root: name an ordinary user in [server] user");
        return EX_OK;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(conf->user);
    if (!entry || entry->pw_uid == 0) {
        LOG_ERROR("root.drop",
                  "[server] user is no ordinary user of this machine: make one (useradd --system "
                  "--user-group --no-create-home --shell /usr/sbin/nologin NAME), or leave user "
                  "empty to stay root",
                  LOG_TEXT("user", conf->user));
        return EX_NOUSER;
    }
    if (initgroups(entry->pw_name, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
        setuid(entry->pw_uid) != 0 || !became(entry)) {
        LOG_ERROR("root.drop", "root could not be given up", LOG_TEXT("user", conf->user),
                  LOG_TEXT("error", strerror(errno)));
        return EX_OSERR;
    }
    return EX_OK;
}

static void raise_descriptors(const struct conf *conf)
{
    rlim_t want = (rlim_t)conf->connections * FDS_PER_CONNECTION + FDS_BESIDE;
    rlim_t least = (rlim_t)conf->connections * FDS_PER_TUNNEL + FDS_BESIDE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_max < want) {
        struct rlimit more = {want, want};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) /* root may */
            return;
    }
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < least)
        LOG_WARNING("limit.descriptors",
                    "fewer descriptors than [server] connections may need: raise LimitNOFILE",
                    LOG_NUMBER("have", limit.rlim_cur), LOG_NUMBER("want", want));
}

void serve_drop_limits(const struct conf *conf)
{
    struct rlimit none = {0, 0}; /* passwords and keys are in memory */

    setrlimit(RLIMIT_CORE, &none);
    memory_allow_lock();
    raise_descriptors(conf);
}

/* An ordinary user may have been given CAP_NET_BIND_SERVICE; it has served. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (geteuid() == 0)
        return true; /* a root that was asked for */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0;
}

bool serve_drop_privileges(void)
{
    memory_undumped(); /* the user has changed, perhaps; private keys pass through */
    memory_lock();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && drop_capabilities())
        return true;
    LOG_ERROR("privileges.drop", "privileges could not be given up",
              LOG_TEXT("error", strerror(errno)));
    return false;
}
