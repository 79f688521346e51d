/* Sealed memory files: what is in them, and that it stays. */
#include "fd.h"
#include "sealed.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* None of what a holder of the descriptor could try. */
static void ck_sealed(int fd)
{
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, 1), -1);
    ck_assert_int_eq(ftruncate(fd, 4096), -1);
    ck_assert_ptr_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, 0), -1); /* nor is another seal taken */
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

START_TEST(what_is_in_it_stays)
{
    char read_back[8] = "";
    struct stat st;
    FD_AUTO int fd = sealed_new("deskgate-test", "secret", 6);
    ck_assert_int_ge(fd, 0);
    ck_sealed(fd);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(st.st_size, 6);
    ck_assert_int_eq(pread(fd, read_back, sizeof(read_back), 0), 6);
    ck_assert_str_eq(read_back, "secret");
}
END_TEST

START_TEST(more_than_the_kernel_takes_at_once)
{
    size_t size = 3U << 20;
    char *bytes = malloc(size), *read_back = malloc(size);
    ck_assert(bytes && read_back);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 >> 3);
    FD_AUTO int fd = sealed_new("deskgate-test", bytes, size);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, read_back, size, 0), (ssize_t)size);
    ck_assert(memcmp(bytes, read_back, size) == 0);
    free(bytes);
    free(read_back);
}
END_TEST

START_TEST(piece_by_piece)
{
    FD_AUTO int fd = sealed_begin("deskgate-test");
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_all(fd, "one", 3), 0);
    ck_assert_int_eq(fd_write_all(fd, "two", 3), 0);
    ck_assert_int_eq(sealed_finish(fd), 0);
    ck_sealed(fd);
    ck_assert_int_lt(sealed_finish(fd), 0);
}
END_TEST

/* A name that is too long stands for all that the kernel may refuse. */
START_TEST(what_the_kernel_says_is_told)
{
    char name[512];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(sealed_new(name, "x", 1), -EINVAL);
    ck_assert_int_eq(sealed_begin(name), -EINVAL);
    ck_assert_int_eq(sealed_finish(-1), -EBADF);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sealed");
    TCase *tests = tcase_create("sealed");
    tcase_add_test(tests, what_is_in_it_stays);
    tcase_add_test(tests, more_than_the_kernel_takes_at_once);
    tcase_add_test(tests, piece_by_piece);
    tcase_add_test(tests, what_the_kernel_says_is_told);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
