/* A gate in an attacker's hands, against the real keeper: every record of the table malformed, with
 * descriptors that it should not have, in no order, about other people's things, over and over. The
 * keeper drops it and writes that down, or answers no; it keeps no descriptor and no memory, and a
 * good gate is served all the while. */
#include "fake_gate.h"
#include "fd.h"
#include "ipc_sample.h"
#include "suite.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOOD 4000
/* Of a keeper that is flooded: two password hashes, and what it queues. */
#ifdef __SANITIZE_ADDRESS__ /* which keeps what was freed */
#define GROWTH_MOST_KB (640 * 1024)
#else
#define GROWTH_MOST_KB (64 * 1024)
#endif

static struct fake_gate fake;
static int good;                      /* an honest gate's socket, all the while */
static uint8_t anna[IPC_TOKEN_SIZE];  /* fake.alice's session */
static uint8_t boris[IPC_TOKEN_SIZE]; /* somebody else's, who has no grant */
static unsigned breaches;             /* that the audit log must have */
static int descriptors;               /* of the keeper's, before */

static int count_descriptors(void)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", fake.keeper);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static long memory_kb(void)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", fake.keeper);
    FILE *in = fopen(path, "re");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof(line), in))
        sscanf(line, "VmRSS: %ld", &kb);
    fclose(in);
    return kb;
}

static void setup(void)
{
    fake_gate_setup(&fake);
    fake_gate_session(&fake, fake.alice.id, 1, anna);
    fake_gate_session(&fake, fake_gate_person(&fake, "boris"), 2, boris);
    good = fake.gate;
    breaches = 0;
    ck_assert_int_eq(fake_gate_who(&fake, anna), IPC_OK);
    fake.gate = fake_gate_new(&fake);
    ck_assert_int_eq(fake_gate_who(&fake, anna), IPC_OK); /* the new one is served, too */
    descriptors = count_descriptors();
}

/* True once it has as many as before; a closed socket takes the keeper a round to notice. */
static bool as_many_as_before(void)
{
    for (int i = 0; i < 500 && count_descriptors() > descriptors; i++)
        usleep(10000);
    return count_descriptors() <= descriptors;
}

static void teardown(void)
{
    fd_close(&fake.gate);
    fake.gate = good;
    ck_assert_int_eq(fake_gate_who(&fake, anna), IPC_OK);
    int64_t tunnel = fake_gate_open_well(&fake, anna); /* and more than asked who it is */
    ck_assert_int_gt(tunnel, 0);
    ck_assert_uint_eq(fake_gate_audited(&fake, "gate-dropped", "denied", ""), breaches);
    fake_gate_teardown(&fake);
}

static struct ipc_sample_of about(const uint8_t *token)
{
    return (struct ipc_sample_of){.token = token,
                                  .ticket = token,
                                  .username = "alice",
                                  .password = "wrong",
                                  .code = "000000",
                                  .desktop = "desk",
                                  .number = 1};
}

static void make(union ipc_record *record, uint16_t type, const uint8_t *token)
{
    struct ipc_sample_of of = about(token);
    ck_assert_msg(ipc_sample_make(record, type, &of),
                  "%s is new in ipc.h: ipc_sample.c needs a sample of it, and its fields",
                  ipc_type_name(type));
}

/* The keeper ends the link; what it has said before is drunk. */
static void expect_dropped(const char *what)
{
    union ipc_record record;
    int fd, error;
    do {
        error = fake_gate_next(&fake, &record, &fd, 10000);
        if (!error)
            fd_close(&fd);
    } while (!error);
    ck_assert_msg(error == -EPIPE, "%s: the gate was not dropped (%d)", what, error);
    close(fake.gate);
    fake.gate = fake_gate_new(&fake);
    breaches++;
}

static void send_raw(const void *data, size_t size)
{
    ck_assert_int_eq(send(fake.gate, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* ---- malformed ---- */

/* Of this size, as the head says or not. */
static void send_sized(uint16_t type, size_t size, size_t said, const char *what)
{
    uint8_t bytes[sizeof(union ipc_record) + 64];
    char words[96];
    union ipc_record record;
    make(&record, type, anna);
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, &record, sizeof(record));
    ((struct ipc_head *)(void *)bytes)->size = (uint16_t)said;
    snprintf(words, sizeof(words), "%s, %s", ipc_type_name(type), what);
    send_raw(bytes, size);
    expect_dropped(words);
}

START_TEST(every_record_of_another_size_is_a_breach)
{
    for (uint16_t type = IPC_NONE + 1; type < IPC_TYPES; type++) {
        if (!ipc_sample_is_gates(type))
            continue;
        size_t size = ipc_sample_size(type);
        send_sized(type, size - 1, size - 1, "a byte short");
        send_sized(type, size - 1, size, "shorter than it says");
        send_sized(type, size + 1, size + 1, "a byte long");
        send_sized(type, size + 1, size, "longer than it says");
        send_sized(type, size, 0xffff, "of an absurd size");
        send_sized(type, sizeof(union ipc_record) + 64, size, "longer than any");
        if (size > sizeof(struct ipc_head))
            send_sized(type, sizeof(struct ipc_head), sizeof(struct ipc_head), "a head alone");
        send_sized(type, 3, size, "less than a head");
    }
    ck_assert_uint_ge(fake_gate_audited(&fake, "gate-dropped", "denied", "(sign_in)"), 7);
    ck_assert(as_many_as_before());
}
END_TEST

START_TEST(what_only_the_keeper_says_is_a_breach)
{
    static uint8_t bytes[sizeof(union ipc_record)];
    for (unsigned type = 0; type < IPC_TYPES + 2U; type++) {
        if (ipc_sample_is_gates((uint16_t)type))
            continue;
        struct ipc_head head = {.type = (uint16_t)type,
                                .size = (uint16_t)ipc_sample_size((uint16_t)type)};
        if (head.size == 0)
            head.size = sizeof(head);
        memcpy(bytes, &head, sizeof(head));
        send_raw(bytes, head.size);
        expect_dropped(ipc_type_name(type));
    }
}
END_TEST

static void lie(union ipc_record *record, const struct ipc_sample_field *field, int64_t tunnel)
{
    static const char not_plain[] = "a\xff\x1b[31m";
    uint8_t *at = (uint8_t *)record + field->offset;
    if (field->lie == IPC_SAMPLE_TUNNEL)
        memcpy(at, &tunnel, sizeof(tunnel));
    else if (field->lie == IPC_SAMPLE_PLAIN)
        memcpy(at, not_plain, sizeof(not_plain));
    else
        memset(at, field->lie == IPC_SAMPLE_TEXT ? 'a' : 0xff, field->size);
    if (record->head.type == IPC_ADMIN && field->lie == IPC_SAMPLE_TEXT &&
        field->offset == offsetof(struct ipc_admin, arguments))
        record->admin.size = IPC_ARGUMENTS_SIZE;
}

START_TEST(every_field_that_lies_is_a_breach)
{
    int hostile = fake.gate;
    fake.gate = good;
    int64_t tunnel = fake_gate_open_well(&fake, anna); /* the good gate's */
    fake.gate = hostile;
    descriptors = count_descriptors();
    for (size_t i = 0; i < ipc_sample_field_count; i++) {
        const struct ipc_sample_field *field = &ipc_sample_fields[i];
        union ipc_record record;
        make(&record, field->type, anna);
        lie(&record, field, tunnel);
        send_raw(&record, record.head.size);
        expect_dropped(field->name);
    }
    ck_assert(as_many_as_before());
    ck_assert_uint_eq(fake_gate_audited(&fake, "tunnel-close", "ok", ""), 0);
}
END_TEST

/* ---- descriptors ---- */

#define FDS_MOST 8

static void send_with(const union ipc_record *record, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)record, .iov_len = record->head.size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    ck_assert_int_eq(sendmsg(fake.gate, &msg, MSG_NOSIGNAL), record->head.size);
}

/* They are pipes' ends: when the keeper has closed its copies, the others see it. */
static void send_descriptors(uint16_t type, size_t count)
{
    union ipc_record record;
    int in[FDS_MOST], out[FDS_MOST];
    char byte;
    make(&record, type, anna);
    for (size_t i = 0; i < count; i++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        in[i] = ends[0];
        out[i] = ends[1];
    }
    send_with(&record, out, count);
    for (size_t i = 0; i < count; i++)
        close(out[i]);
    expect_dropped(ipc_type_name(type));
    for (size_t i = 0; i < count; i++) {
        struct pollfd look = {.fd = in[i], .events = POLLIN};
        ck_assert_int_eq(poll(&look, 1, 15000), 1);
        ck_assert_int_eq(read(in[i], &byte, 1), 0);
        close(in[i]);
    }
}

START_TEST(descriptors_are_closed_and_a_breach)
{
    for (uint16_t type = IPC_NONE + 1; type < IPC_TYPES; type++) {
        if (!ipc_sample_is_gates(type))
            continue;
        send_descriptors(type, 1);
        send_descriptors(type, 2);
        send_descriptors(type, FDS_MOST);
    }
    ck_assert(as_many_as_before());
}
END_TEST

/* ---- well-formed, and not theirs ---- */

/* The answer's status; a tunnel's descriptor would be a finding. */
static unsigned ask(const union ipc_record *record)
{
    static uint32_t request = 1000;
    union ipc_record asked = *record, answer;
    int fd;
    asked.head.request = ++request;
    fake_gate_send(&fake, &asked.head);
    ck_assert_msg(fake_gate_next(&fake, &answer, &fd, 15000) == 0, "%s: no answer",
                  ipc_type_name(asked.head.type));
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(answer.head.request, request);
    ck_assert_uint_eq(answer.head.type, ipc_sample_answer(asked.head.type));
    return answer.answer.status;
}

/* Whatever needs no session by design: the rest must be refused without one. */
static bool needs_nobody(uint16_t type)
{
    return type == IPC_METRICS;
}

START_TEST(without_a_session_nothing_is_had)
{
    static const uint8_t strangers[][IPC_TOKEN_SIZE] = {{0}, {0xff, 1}, {1}, {2}};
    for (uint16_t type = IPC_NONE + 1; type < IPC_TYPES; type++) {
        if (!ipc_sample_answer(type) || needs_nobody(type))
            continue;
        for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
            union ipc_record record;
            make(&record, type, strangers[i]);
            ck_assert_msg(ask(&record) != IPC_OK, "%s was answered", ipc_type_name(type));
        }
    }
    ck_assert(as_many_as_before());
    ck_assert_int_eq(fake_gate_who(&fake, anna), IPC_OK);
    ck_assert_uint_eq(fake_gate_audited(&fake, "tunnel-open", "ok", ""), 0);
}
END_TEST

static struct ipc_ticket_made ticket_of(const uint8_t *token, uint8_t way)
{
    struct ipc_sample_of of = about(token);
    union ipc_record record, answer;
    int fd;
    of.way = way;
    ck_assert(ipc_sample_make(&record, IPC_TICKET, &of));
    fake_gate_ask(&fake, &record.head, IPC_TICKET_MADE, &answer, &fd);
    ck_assert_uint_eq(answer.ticket_made.status, IPC_OK);
    return answer.ticket_made;
}

START_TEST(nobody_gets_other_peoples_things)
{
    struct ipc_ticket_made made = ticket_of(anna, IPC_WAY_CLEANPATH);
    struct ipc_sample_of of = about(boris);
    union ipc_record record;
    of.ticket = made.ticket;
    of.way = IPC_WAY_CLEANPATH;
    ck_assert(ipc_sample_make(&record, IPC_OPEN, &of)); /* anna's ticket in boris' session */
    ck_assert_uint_eq(ask(&record), IPC_BAD_TICKET);
    of.way = IPC_WAY_RDG; /* where it would stand for the session, but it was made for browsers */
    ck_assert(ipc_sample_make(&record, IPC_OPEN, &of));
    ck_assert_uint_eq(ask(&record), IPC_BAD_TICKET);
    ck_assert(ipc_sample_make(&record, IPC_TICKET_LOOK, &of));
    ck_assert_uint_eq(ask(&record), IPC_BAD_TICKET);
    of.number = made.visit;
    ck_assert(ipc_sample_make(&record, IPC_VISIT, &of));
    ck_assert_uint_eq(ask(&record), IPC_NOT_FOUND);
    make(&record, IPC_TICKET, boris); /* no grant */
    ck_assert_uint_eq(ask(&record), IPC_NO_DESKTOP);
    make(&record, IPC_PROBE, boris);
    ck_assert_uint_eq(ask(&record), IPC_NO_DESKTOP);
    make(&record, IPC_ADMIN, anna); /* nobody's administrator */
    ck_assert_uint_eq(ask(&record), IPC_NOT_ADMINISTRATOR);
    ck_assert_uint_ge(fake_gate_audited(&fake, "admin-denied", "denied", ""), 1);
    ck_assert_uint_ge(fake_gate_audited(&fake, "tunnel-open", "not-granted", ""), 0);
}
END_TEST

/* A certificate seen "by" another gate's tunnel, or by none, teaches nothing. */
START_TEST(certificates_of_no_tunnel_teach_nothing)
{
    int hostile = fake.gate;
    union ipc_record record;
    fake.gate = good;
    int64_t tunnel = fake_gate_open_well(&fake, anna);
    fake.gate = hostile;
    static const int64_t odd[] = {0, -1, INT64_MAX, INT64_MIN};
    make(&record, IPC_CERTIFICATE, NULL);
    for (size_t i = 0; i <= sizeof(odd) / sizeof(*odd); i++) {
        record.certificate.tunnel = i < sizeof(odd) / sizeof(*odd) ? odd[i] : tunnel;
        ck_assert_uint_eq(ask(&record), IPC_FAILED);
    }
    ck_assert_uint_eq(fake_gate_audited(&fake, "desktop-certificate", "remembered", ""), 0);
    descriptors = count_descriptors();
}
END_TEST

/* ---- in no order, again and again ---- */

START_TEST(the_same_request_number_is_only_echoed)
{
    union ipc_record record, answer;
    int fd;
    make(&record, IPC_WHO, anna);
    for (int i = 0; i < 3; i++) {
        static const uint32_t numbers[] = {0, 7, 7};
        record.head.request = numbers[i];
        fake_gate_send(&fake, &record.head);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(fake_gate_next(&fake, &answer, &fd, 15000), 0);
        ck_assert_uint_eq(answer.head.request, i ? 7 : 0);
        ck_assert_uint_eq(answer.who_is.status, IPC_OK);
    }
}
END_TEST

START_TEST(a_tunnel_ends_once)
{
    union ipc_record record;
    int64_t tunnel = fake_gate_open_well(&fake, anna);
    struct ipc_sample_of of = about(anna);
    of.number = tunnel;
    ck_assert(ipc_sample_make(&record, IPC_TUNNEL_ENDING, &of));
    fake_gate_send(&fake, &record.head);
    fake_gate_send(&fake, &record.head);
    ck_assert(ipc_sample_make(&record, IPC_TUNNEL_ENDED, &of));
    fake_gate_send(&fake, &record.head);
    fake_gate_send(&fake, &record.head); /* the second time it is nobody's */
    expect_dropped("a tunnel that ends twice");
    ck_assert(as_many_as_before());
    ck_assert_uint_eq(fake_gate_audited(&fake, "tunnel-close", "ok", ""), 1);
}
END_TEST

/* Every kind, as fast as it goes, and nothing is read. */
START_TEST(a_flood_is_bounded_and_others_are_served)
{
    union ipc_record record;
    unsigned type = 0, sent = 0;
    long before = memory_kb();
    int hostile = fake.gate;
    for (unsigned tries = 0; tries < FLOOD; tries++) {
        do
            type = (type + 1) % IPC_TYPES;
        while (!ipc_sample_answer((uint16_t)type));
        make(&record, (uint16_t)type, tries % 2 ? anna : boris);
        if (type == IPC_SIGN_OUT || type == IPC_END_SESSIONS)
            continue;
        int error = ipc_send(hostile, &record.head, -1);
        ck_assert(error == 0 || error == -EAGAIN);
        sent += error == 0;
        if (tries % 500 == 0) {
            fake.gate = good;
            ck_assert_int_eq(fake_gate_who(&fake, anna), IPC_OK);
            fake.gate = hostile;
        }
    }
    ck_assert_uint_gt(sent, 50);
    ck_assert_int_lt(memory_kb() - before, GROWTH_MOST_KB);
    fd_close(&fake.gate);
    ck_assert(as_many_as_before());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile_gate");
    TCase *tests = tcase_create("hostile_gate");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_record_of_another_size_is_a_breach);
    tcase_add_test(tests, what_only_the_keeper_says_is_a_breach);
    tcase_add_test(tests, every_field_that_lies_is_a_breach);
    tcase_add_test(tests, descriptors_are_closed_and_a_breach);
    tcase_add_test(tests, without_a_session_nothing_is_had);
    tcase_add_test(tests, nobody_gets_other_peoples_things);
    tcase_add_test(tests, certificates_of_no_tunnel_teach_nothing);
    tcase_add_test(tests, the_same_request_number_is_only_echoed);
    tcase_add_test(tests, a_tunnel_ends_once);
    tcase_add_test(tests, a_flood_is_bounded_and_others_are_served);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
