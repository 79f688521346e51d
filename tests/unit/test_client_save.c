/* Where .rdp files are put. */
#include "client_save.h"

#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file system as the kernel shows it: these stand before the C library's. */
static struct {
    int link_errno, renameat2_errno; /* 0: it does as it should */
    int links;
} disk;

int link(const char *from, const char *to)
{
    disk.links++;
    if (!disk.link_errno)
        return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    errno = disk.link_errno;
    return -1;
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    if (!disk.renameat2_errno)
        return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    errno = disk.renameat2_errno;
    return -1;
}

static const struct {
    int link_errno, renameat2_errno, links;
} disks[] = {
    {0, 0, 0},
    {EPERM, 0, 0},  /* vfat, exFAT: no hard links */
    {0, EINVAL, 1}, /* NFS: no flags */
    {0, ENOSYS, 1}, /* a kernel, or a sandbox, that does not know it */
};

static void holds(const char *path, const char *text)
{
    char data[64] = "";
    struct stat st;
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, data, sizeof(data) - 1), (ssize_t)strlen(text));
    ck_assert_str_eq(data, text);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 1);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    close(fd);
}

START_TEST(files_are_put_on_any_disk)
{
    char folder[] = "/tmp/deskgate-save-XXXXXX", path[64];
    struct client_failure failure = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.rdp", folder);
    disk.link_errno = disks[_i].link_errno;
    disk.renameat2_errno = disks[_i].renameat2_errno;
    disk.links = 0;
    ck_assert_msg(!client_save(path, false, "one", 3, &failure), "%s", failure.words);
    ck_assert_int_eq(disk.links, disks[_i].links);
    holds(path, "one");
    ck_assert_int_eq(client_save(path, false, "two", 3, &failure), -1);
    ck_assert_ptr_nonnull(strstr(failure.words, "is there already"));
    holds(path, "one");
    ck_assert_int_eq(client_save(path, true, "three", 5, &failure), 0);
    holds(path, "three");
    unlink(path);
    ck_assert_msg(!rmdir(folder), "something half written stays");
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

int main(void)
{
    Suite *suite = suite_create("client_save");
    TCase *tests = tcase_create("client_save");
    tcase_add_loop_test(tests, files_are_put_on_any_disk, 0, COUNT(disks));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
