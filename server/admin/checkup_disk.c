/* The file system of the state folder: read-only, or full. Before modes and owners are judged,
 * since neither is their fault. */
#include "checkup.h"

#include <string.h>
#include <sys/statvfs.h>

#define MIB (1024ULL * 1024)
#define MIB_LEAST 16 /* the database's journal takes some; nothing can be written below */
#define MIB_LITTLE 128
#define FILES_LEAST 16

static void checkup_room(struct checkup *check, const struct statvfs *disk)
{
    const char *state = check->conf.state;
    unsigned long long free = (unsigned long long)disk->f_bavail * disk->f_frsize / MIB;

    check->full = free < MIB_LEAST;
    if (free < MIB_LITTLE)
        checkup_say(check, check->full ? CHECKUP_PROBLEM : CHECKUP_WARNING, "disk",
                    "make room there: move what lies in its folder audit to another disk, or old "
                    "rows: 'deskgate audit archive --before 90d FILE', with FILE on another one "
                    "(the database does not shrink, but has room for new rows then)",
                    "%llu of %llu MiB are free for %s%s", free,
                    (unsigned long long)disk->f_blocks * disk->f_frsize / MIB, state,
                    check->full ? ": the database can hardly be written" : "");
    else if (disk->f_files > 0 && disk->f_favail < FILES_LEAST)
        checkup_say(check, CHECKUP_PROBLEM, "disk", "remove files there that nobody needs",
                    "%llu more files can be made where %s is", (unsigned long long)disk->f_favail,
                    state);
    else
        checkup_say(check, CHECKUP_OK, "disk", "", "%llu MiB are free for %s", free, state);
}

void checkup_disk(struct checkup *check)
{
    struct statvfs disk;

    if (statvfs(check->conf.state, &disk) != 0)
        return; /* there is no such folder, which is said elsewhere */
    check->read_only = (disk.f_flag & ST_RDONLY) != 0;
    if (check->read_only)
        checkup_say(check, CHECKUP_PROBLEM, "disk",
                    "see why ('dmesg' tells of errors), and mount it for writing again: 'mount -o "
                    "remount,rw'",
                    "%s is on a file system that is read-only", check->conf.state);
    else
        checkup_room(check, &disk);
}
