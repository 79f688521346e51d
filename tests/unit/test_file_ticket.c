/* Tickets of .rdp files: good for one session of work, not for one connection. */
#include "fake_gate.h"

#include "suite.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct fake_gate fake;
static union ipc_record answer;
static int answer_fd;
static struct ipc_signed_in me;
static struct ipc_ticket_made made;

static void make_ticket(const char *desktop)
{
    struct ipc_ticket ask;
    IPC_INIT(&ask, TICKET, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, me.token, IPC_TOKEN_SIZE);
    ask.way = IPC_WAY_RDG;
    text_copy(ask.desktop, sizeof(ask.desktop), desktop);
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_MADE, &answer, &answer_fd);
    ck_assert_int_eq(answer.ticket_made.status, IPC_OK);
    made = answer.ticket_made;
}

static void setup(void)
{
    fake_gate_setup(&fake);
    me = fake_gate_sign_in_well(&fake, 0);
    make_ticket("desk");
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

static enum ipc_status look_from(const char *address)
{
    struct ipc_ticket_look ask;
    IPC_INIT(&ask, TICKET_LOOK, 0);
    fake_gate_origin(&ask.origin, address);
    memcpy(ask.ticket, made.ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_SEEN, &answer, &answer_fd);
    return answer.ticket_seen.status;
}

static enum ipc_status look(void)
{
    return look_from("198.51.100.1");
}

/* Without a session of its own: the ticket stands for it. */
static enum ipc_status enter_from(const char *address, const char *desktop, int64_t *tunnel)
{
    const uint8_t nobody[IPC_TOKEN_SIZE] = {0};
    struct ipc_open ask;
    fake_gate_open_ask(&ask, nobody, desktop);
    fake_gate_origin(&ask.origin, address);
    ask.way = IPC_WAY_RDG;
    memcpy(ask.ticket, made.ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_OPENED, &answer, &answer_fd);
    if (answer_fd >= 0)
        close(answer_fd);
    *tunnel = answer.opened.tunnel;
    return answer.opened.status;
}

static enum ipc_status enter(const char *desktop, int64_t *tunnel)
{
    return enter_from("198.51.100.1", desktop, tunnel);
}

static void end(int64_t tunnel, enum ipc_end why)
{
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = tunnel;
    ended.end = (uint8_t)why;
    fake_gate_send(&fake, &ended.head);
}

START_TEST(it_stands_for_its_session_and_desktop)
{
    int64_t tunnel;
    ck_assert_int_eq(look(), IPC_OK);
    ck_assert_int_eq(look(), IPC_OK); /* looking uses nothing up */
    ck_assert_int_eq(enter("named", &tunnel), IPC_BAD_TICKET);
    ck_assert_int_eq(enter("DESK", &tunnel), IPC_OK);
    made.ticket[0] ^= 1;
    ck_assert_int_eq(look(), IPC_BAD_TICKET);
    ck_assert_int_eq(enter("desk", &tunnel), IPC_BAD_TICKET);
}
END_TEST

START_TEST(it_dies_with_its_session)
{
    struct ipc_sign_out out;
    int64_t tunnel;
    IPC_INIT(&out, SIGN_OUT, 0);
    fake_gate_origin(&out.origin, "198.51.100.1");
    memcpy(out.token, me.token, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &out.head, IPC_SIGNED_OUT, &answer, &answer_fd);
    ck_assert_int_eq(look(), IPC_BAD_TICKET);
    ck_assert_int_eq(enter("desk", &tunnel), IPC_BAD_TICKET);
}
END_TEST

START_TEST(a_new_connection_takes_the_place_of_the_old)
{
    int64_t first, second;
    ck_assert_int_eq(enter("desk", &first), IPC_OK);
    struct ipc_open ask;
    fake_gate_open_ask(&ask, me.token, "desk");
    ask.way = IPC_WAY_RDG;
    memcpy(ask.ticket, made.ticket, IPC_TOKEN_SIZE);
    ask.head.request = 77;
    fake_gate_send(&fake, &ask.head);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_CLOSE_TUNNEL);
    ck_assert_int_eq(answer.close_tunnel.tunnel, first);
    ck_assert_int_eq(answer.close_tunnel.end, IPC_END_CLIENT_LOST);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_OPENED);
    ck_assert_int_eq(answer.opened.status, IPC_OK);
    close(answer_fd);
    second = answer.opened.tunnel;
    ck_assert_int_ne(first, second);
    end(first, IPC_END_CLIENT_LOST);
    ck_assert_int_eq(look(), IPC_OK);
}
END_TEST

/* After a drop it comes back, and at first after a close; after an end that was ordered, never. */
START_TEST(what_became_of_the_last_connection_decides)
{
    static const struct {
        enum ipc_end end;
        enum ipc_status then;
    } table[] = {
        {IPC_END_CLIENT_LOST, IPC_OK},
        {IPC_END_DESKTOP_LOST, IPC_OK},
        {IPC_END_SETUP, IPC_OK},
        {IPC_END_CLIENT, IPC_OK},
        {IPC_END_DESKTOP, IPC_OK},
        {IPC_END_IDLE, IPC_BAD_TICKET},
        {IPC_END_PROTOCOL, IPC_BAD_TICKET},
        {IPC_END_LIMIT, IPC_BAD_TICKET},
        {IPC_END_TUNNEL_ENDED, IPC_BAD_TICKET},
        {IPC_END_GRANT_REMOVED, IPC_BAD_TICKET},
    };
    int64_t tunnel;
    ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
    end(tunnel, table[_i].end);
    ck_assert_int_eq(look(), table[_i].then);
    ck_assert_int_eq(enter("desk", &tunnel), table[_i].then);
}
END_TEST

/* Makes the ticket's past older than it is, as the command line could not. */
static void age(int64_t created, int64_t used, int64_t ended)
{
    struct store_ticket ticket;
    ck_assert_int_eq(store_ticket_by_id(fake.store, made.visit, &ticket), STORE_OK);
    char command[512];
    snprintf(
        command, sizeof(command),
        "printf '%%s' 'import sqlite3,sys; d=sqlite3.connect(sys.argv[1],timeout=5); "
        "d.execute(\"update tickets set expires_at=expires_at-%lld, used_at=case used_at when 0 "
        "then 0 else used_at-%lld end\"); d.execute(\"update tunnels set ended_at=case ended_at "
        "when 0 then 0 else ended_at-%lld end\"); d.commit()' | python3 - %s/deskgate.db",
        (long long)created, (long long)used, (long long)ended, fake.folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(it_has_its_times)
{
    int64_t tunnel;
    switch (_i) {
    case 0: /* never used, too late */
        age(301, 0, 0);
        ck_assert_int_eq(look(), IPC_BAD_TICKET);
        break;
    case 1: /* dropped, back in time */
        ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
        end(tunnel, IPC_END_CLIENT_LOST);
        ck_assert_int_eq(look(), IPC_OK);
        age(5000, 5000, 590);
        ck_assert_int_eq(look(), IPC_OK);
        break;
    case 2: /* closed, and the client still about its sign-in */
    case 3: /* closed, when that was long over */
        ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
        end(tunnel, IPC_END_CLIENT);
        ck_assert_int_eq(look(), IPC_OK);
        age(290, 290, 10);
        ck_assert_int_eq(enter("desk", &tunnel), IPC_OK); /* the first use counts, not the last */
        end(tunnel, IPC_END_DESKTOP);
        ck_assert_int_eq(look(), IPC_OK);
        age(300, _i == 2 ? 5 : 15, 1);
        ck_assert_int_eq(look(), _i == 2 ? IPC_OK : IPC_BAD_TICKET);
        break;
    default: /* dropped, back too late */
        ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
        end(tunnel, IPC_END_CLIENT_LOST);
        ck_assert_int_eq(look(), IPC_OK);
        age(5000, 5000, 610);
        ck_assert_int_eq(look(), IPC_BAD_TICKET);
    }
}
END_TEST

START_TEST(a_desktop_that_sleeps_may_be_tried_again)
{
    int64_t tunnel;
    make_ticket("closed");
    ck_assert_int_eq(enter("closed", &tunnel), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(enter("closed", &tunnel), IPC_DESKTOP_REFUSED);
    ck_assert_int_eq(look(), IPC_OK);
    age(301, 290, 0);
    ck_assert_int_eq(look(), IPC_OK);
    age(0, 15, 0);
    ck_assert_int_eq(look(), IPC_BAD_TICKET);
}
END_TEST

static void restart(bool bind_address)
{
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake.conf.rdg_bind_address = bind_address;
    fake_gate_start(&fake);
}

START_TEST(it_may_be_bound_to_the_address_that_it_was_made_from)
{
    int64_t tunnel;
    ck_assert_int_eq(look_from("198.51.100.2"), IPC_OK);
    restart(true);
    ck_assert_int_eq(look_from("198.51.100.2"), IPC_BAD_TICKET);
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket-refused", "denied", "of another address"),
                      1);
    ck_assert_int_eq(enter_from("2001:db8::1", "desk", &tunnel), IPC_BAD_TICKET);
    ck_assert_uint_eq(fake_gate_audited(&fake, "ticket-refused", "denied", "of another address"),
                      2);
    ck_assert_int_eq(look(), IPC_OK);
    ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
    /* neither may somebody else come back with it */
    ck_assert_int_eq(enter_from("198.51.100.2", "desk", &tunnel), IPC_BAD_TICKET);
    restart(false);
    ck_assert_int_eq(enter_from("198.51.100.2", "desk", &tunnel), IPC_OK);
}
END_TEST

START_TEST(it_tells_what_the_desktop_forbids_and_adds)
{
    static const char settings[] = "use multimon:i:1\naudiomode:i:2\n";
    struct store_desktop desktop;
    struct ipc_ticket ask;
    ck_assert_int_eq(look(), IPC_OK);
    ck_assert_uint_eq(answer.ticket_seen.forbidden, 0);
    ck_assert_str_eq(made.settings, "");
    ck_assert_int_eq(store_desktop_by_name(fake.store, "desk", &desktop), STORE_OK);
    desktop.forbidden = IPC_FORBID_DRIVES | IPC_FORBID_PNP;
    text_copy(desktop.rdp_settings, sizeof(desktop.rdp_settings), settings);
    ck_assert_int_eq(store_desktop_set(fake.store, &desktop), STORE_OK);
    /* what was made before is judged by what holds now */
    ck_assert_int_eq(look(), IPC_OK);
    ck_assert_uint_eq(answer.ticket_seen.forbidden, IPC_FORBID_DRIVES | IPC_FORBID_PNP);
    make_ticket("desk");
    ck_assert_uint_eq(made.forbidden, IPC_FORBID_DRIVES | IPC_FORBID_PNP);
    ck_assert_str_eq(made.settings, settings);
    made.ticket[0] ^= 1;
    ck_assert_int_eq(look(), IPC_BAD_TICKET);
    ck_assert_uint_eq(answer.ticket_seen.forbidden, 0);
    IPC_INIT(&ask, TICKET, 0);
    fake_gate_origin(&ask.origin, "198.51.100.1");
    memcpy(ask.token, me.token, IPC_TOKEN_SIZE);
    ask.way = IPC_WAY_CLEANPATH;
    text_copy(ask.desktop, sizeof(ask.desktop), "desk");
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_MADE, &answer, &answer_fd);
    ck_assert_int_eq(answer.ticket_made.status, IPC_OK);
    ck_assert_str_eq(answer.ticket_made.settings, ""); /* no file, no settings */
}
END_TEST

/* ---- words ---- */

static void say(int64_t tunnel, const char *words)
{
    ck_assert_int_eq(store_notice_add(fake.store, tunnel, words, time(NULL)), STORE_OK);
}

static void expect_words(int64_t tunnel, const char *words)
{
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
    ck_assert_uint_eq(answer.head.type, IPC_SAY);
    ck_assert_int_eq(answer.say.tunnel, tunnel);
    ck_assert_str_eq(answer.say.words, words);
}

START_TEST(words_reach_live_tunnels_that_can_show_them_once)
{
    int64_t tunnel, raw = fake_gate_open_well(&fake, me.token);
    ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
    say(raw, "nobody can see this");
    say(tunnel, "at six we close");
    expect_words(tunnel, "at six we close");
    say(tunnel, "now");
    expect_words(tunnel, "now");
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 700), -EAGAIN);
}
END_TEST

START_TEST(more_words_than_a_round_takes_arrive_in_order)
{
    enum { MANY = 600 };
    char words[16];
    int64_t tunnel;
    ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
    ck_assert_int_eq(store_begin(fake.store), STORE_OK);
    for (int i = 0; i < MANY; i++) {
        snprintf(words, sizeof(words), "word %d", i);
        say(tunnel, words);
    }
    ck_assert_int_eq(store_commit(fake.store), STORE_OK);
    for (int i = 0; i < MANY; i++) {
        snprintf(words, sizeof(words), "word %d", i);
        expect_words(tunnel, words);
    }
}
END_TEST

/* While no keeper ran, and then to nobody. */
START_TEST(words_for_dead_tunnels_are_forgotten)
{
    int64_t tunnel, next;
    ck_assert_int_eq(enter("desk", &tunnel), IPC_OK);
    kill(fake.keeper, SIGKILL);
    close(fake.gate);
    close(fake.control);
    waitpid(fake.keeper, NULL, 0);
    say(tunnel, "too late");
    fake_gate_start(&fake);
    ck_assert_int_eq(enter("desk", &next), IPC_OK);
    say(next, "in time");
    expect_words(next, "in time");
    ck_assert_int_eq(store_notice_add(fake.store, tunnel, "over", time(NULL)), STORE_REFUSED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file_ticket");
    TCase *tests = tcase_create("file_ticket");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, it_stands_for_its_session_and_desktop);
    tcase_add_test(tests, it_dies_with_its_session);
    tcase_add_test(tests, a_new_connection_takes_the_place_of_the_old);
    tcase_add_loop_test(tests, what_became_of_the_last_connection_decides, 0, 10);
    tcase_add_loop_test(tests, it_has_its_times, 0, 5);
    tcase_add_test(tests, a_desktop_that_sleeps_may_be_tried_again);
    tcase_add_test(tests, it_may_be_bound_to_the_address_that_it_was_made_from);
    tcase_add_test(tests, it_tells_what_the_desktop_forbids_and_adds);
    tcase_add_test(tests, words_reach_live_tunnels_that_can_show_them_once);
    tcase_add_test(tests, more_words_than_a_round_takes_arrive_in_order);
    tcase_add_test(tests, words_for_dead_tunnels_are_forgotten);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
