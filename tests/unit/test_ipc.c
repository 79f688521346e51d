#include "control.h"
#include "ipc.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static void setup(void)
{
    ck_assert_int_eq(ipc_pair(ends), 0);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(a_record_arrives_whole)
{
    struct ipc_open open;
    union ipc_record got;
    int fd;
    IPC_INIT(&open, OPEN, 7);
    text_copy(open.desktop, sizeof(open.desktop), "desk");
    ck_assert_int_eq(ipc_send(ends[0], &open.head, -1), 0);
    ck_assert_int_eq(ipc_receive(ends[1], IPC_GATE, &got, &fd), 0);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(got.head.request, 7);
    ck_assert_str_eq(got.open.desktop, "desk");
    ck_assert_int_eq(ipc_receive(ends[1], IPC_GATE, &got, &fd), -EAGAIN);
}
END_TEST

START_TEST(a_descriptor_comes_with_opened_only)
{
    struct ipc_opened opened;
    union ipc_record got;
    int fd, pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    IPC_INIT(&opened, OPENED, 1);
    opened.status = IPC_OK;
    ck_assert_int_eq(ipc_send(ends[0], &opened.head, pipes[1]), 0);
    ck_assert_int_eq(ipc_receive(ends[1], IPC_KEEPER, &got, &fd), 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    /* without one */
    ck_assert_int_eq(ipc_send(ends[0], &opened.head, -1), 0);
    ck_assert_int_eq(ipc_receive(ends[1], IPC_KEEPER, &got, &fd), -EPROTO);
    /* one on a refusal */
    opened.status = IPC_NO_DESKTOP;
    ck_assert_int_eq(ipc_send(ends[0], &opened.head, pipes[1]), 0);
    ck_assert_int_eq(ipc_receive(ends[1], IPC_KEEPER, &got, &fd), -EPROTO);
    ck_assert_int_eq(fd, -1);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

static void send_two_fds(int socket, const struct ipc_head *record, const int fds[2])
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)record, .iov_len = record->size};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, 2 * sizeof(int));
    ck_assert_int_eq(sendmsg(socket, &msg, 0), record->size);
}

START_TEST(extra_descriptors_are_closed)
{
    struct ipc_opened opened;
    union ipc_record got;
    int fd, pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    IPC_INIT(&opened, OPENED, 1);
    opened.status = IPC_OK;
    send_two_fds(ends[0], &opened.head, pipes);
    int next = dup(0);
    close(next);
    ck_assert_int_eq(ipc_receive(ends[1], IPC_KEEPER, &got, &fd), -EPROTO);
    ck_assert(!is_open(next)); /* nothing that was received stayed open */
    ck_assert(!is_open(next + 1));
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

START_TEST(out_of_descriptors_loses_the_descriptor_only)
{
    struct ipc_opened opened;
    union ipc_record got;
    int fd, pipes[2];
    struct rlimit before, none;
    ck_assert_int_eq(pipe(pipes), 0);
    IPC_INIT(&opened, OPENED, 1);
    opened.status = IPC_OK;
    ck_assert_int_eq(ipc_send(ends[0], &opened.head, pipes[1]), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* every number below is taken: nothing can be received */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int error = ipc_receive(ends[1], IPC_KEEPER, &got, &fd);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(got.opened.status, IPC_OK);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

START_TEST(the_table_is_kept)
{
    union ipc_record got, bad;
    int fd;
    memset(&bad, 0, sizeof(bad));
    for (unsigned type = 0; type < IPC_TYPES + 3; type++) {
        for (unsigned size = 0; size < sizeof(bad); size += 1 + size / 8) {
            if (size == 0)
                continue; /* nothing can be sent */
            bad.head.type = (uint16_t)type;
            bad.head.size = (uint16_t)size;
            ck_assert_int_eq(send(ends[0], &bad, size, 0), size);
            int gate = ipc_receive(ends[1], IPC_GATE, &got, &fd);
            ck_assert_int_eq(send(ends[0], &bad, size, 0), size);
            int keeper = ipc_receive(ends[1], IPC_KEEPER, &got, &fd);
            ck_assert(gate == 0 || gate == -EPROTO);
            ck_assert(gate != 0 || keeper != 0); /* never both senders */
        }
    }
    /* a size that lies */
    struct ipc_who who;
    IPC_INIT(&who, WHO, 1);
    who.head.size--;
    ck_assert_int_eq(send(ends[0], &who, sizeof(who), 0), sizeof(who));
    ck_assert_int_eq(ipc_receive(ends[1], IPC_GATE, &got, &fd), -EPROTO);
    /* longer than any record */
    char huge[sizeof(got) + 8] = {0};
    IPC_INIT(&who, WHO, 1);
    memcpy(huge, &who, sizeof(who));
    ck_assert_int_eq(send(ends[0], huge, sizeof(huge), 0), sizeof(huge));
    ck_assert_int_eq(ipc_receive(ends[1], IPC_GATE, &got, &fd), -EPROTO);
}
END_TEST

START_TEST(the_end_is_told)
{
    union ipc_record got;
    struct ipc_who who;
    int fd, pair[2];
    ck_assert_int_eq(ipc_pair(pair), 0);
    close(pair[0]);
    ck_assert_int_eq(ipc_receive(pair[1], IPC_GATE, &got, &fd), -EPIPE);
    IPC_INIT(&who, WHO, 1);
    ck_assert_int_eq(ipc_send(pair[1], &who.head, -1), -EPIPE);
    close(pair[1]);
}
END_TEST

START_TEST(every_end_has_a_name)
{
    for (unsigned i = 0; i < IPC_ENDS; i++) {
        ck_assert_ptr_nonnull(ipc_end_name(i));
        ck_assert_str_ne(ipc_end_name(i), "unknown");
    }
    ck_assert_str_eq(ipc_end_name(IPC_ENDS), "unknown");
    ck_assert_str_eq(ipc_way_name(99), "unknown");
}
END_TEST

START_TEST(control_carries_descriptors)
{
    int pipes[2], fds[CONTROL_FDS_MAX];
    size_t count;
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(control_send(ends[0], CONTROL_CERTIFICATES, pipes, 2), 0);
    ck_assert_int_eq(control_receive(ends[1], fds, &count), CONTROL_CERTIFICATES);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    close(fds[0]);
    close(fds[1]);
    ck_assert_int_eq(control_send(ends[0], CONTROL_DRAIN, NULL, 0), 0);
    ck_assert_int_eq(control_receive(ends[1], fds, &count), CONTROL_DRAIN);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(control_receive(ends[1], fds, &count), -EAGAIN);
    ck_assert_int_eq(send(ends[0], "\xff", 1, 0), 1);
    ck_assert_int_eq(control_receive(ends[1], fds, &count), -EPROTO);
    ck_assert_int_eq(control_send(ends[0], CONTROL_DRAIN, fds, CONTROL_FDS_MAX + 1), -EINVAL);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ipc");
    TCase *tests = tcase_create("ipc");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_record_arrives_whole);
    tcase_add_test(tests, a_descriptor_comes_with_opened_only);
    tcase_add_test(tests, extra_descriptors_are_closed);
    tcase_add_test(tests, out_of_descriptors_loses_the_descriptor_only);
    tcase_add_test(tests, the_table_is_kept);
    tcase_add_test(tests, the_end_is_told);
    tcase_add_test(tests, every_end_has_a_name);
    tcase_add_test(tests, control_carries_descriptors);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
