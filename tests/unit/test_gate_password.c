/* Gateway passwords, as the keeper makes and checks them. */
#include "fake_gate.h"
#include "ntlm_proof.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HERE "198.51.100.1"

static struct fake_gate fake;
static union ipc_record answer;
static int answer_fd;
static struct ipc_signed_in me;
static struct ipc_ticket_made made;

static void fill_ticket(struct ipc_ticket *ask, const uint8_t *token, const char *desktop)
{
    IPC_INIT(ask, TICKET, 0);
    fake_gate_origin(&ask->origin, HERE);
    memcpy(ask->token, token, IPC_TOKEN_SIZE);
    ask->way = IPC_WAY_RDG;
    ask->with_password = 1;
    text_copy(ask->desktop, sizeof(ask->desktop), desktop);
}

static struct ipc_ticket_made make_for(const uint8_t *token, const char *desktop)
{
    struct ipc_ticket ask;
    fill_ticket(&ask, token, desktop);
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_MADE, &answer, &answer_fd);
    return answer.ticket_made;
}

static void restart(bool passwords, bool bind_address)
{
    ck_assert_int_eq(fake_gate_stop(&fake), 0);
    fake.conf.rdg_passwords = passwords;
    fake.conf.rdg_bind_address = bind_address;
    fake_gate_start(&fake);
}

static void setup(void)
{
    fake_gate_setup(&fake);
    restart(true, false);
    me = fake_gate_sign_in_well(&fake, 0);
    made = make_for(me.token, "desk");
    ck_assert_int_eq(made.status, IPC_OK);
}

static void teardown(void)
{
    fake_gate_teardown(&fake);
}

/* ---- showing one ---- */

static void fill(struct ipc_pass *ask, enum ipc_pass_kind kind, const char *name)
{
    IPC_INIT(ask, PASS, 0);
    fake_gate_origin(&ask->origin, HERE);
    ask->kind = (uint8_t)kind;
    text_copy(ask->username, sizeof(ask->username), name);
}

static enum ipc_status show(struct ipc_pass *ask)
{
    static const uint8_t nothing[IPC_TOKEN_SIZE];
    fake_gate_ask(&fake, &ask->head, IPC_PASSED, &answer, &answer_fd);
    bool empty = memcmp(answer.passed.ticket, nothing, sizeof(nothing)) == 0;
    ck_assert(empty == (answer.passed.status != IPC_OK));
    return answer.passed.status;
}

static enum ipc_status basic_from(const char *address, const char *name, const char *password)
{
    struct ipc_pass ask;
    fill(&ask, IPC_PASS_BASIC, name);
    fake_gate_origin(&ask.origin, address);
    text_copy(ask.password, sizeof(ask.password), password);
    return show(&ask);
}

static enum ipc_status basic(const char *name, const char *password)
{
    return basic_from(HERE, name, password);
}

static uint16_t widen(uint8_t *to, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        to[i * 2] = (uint8_t)text[i];
        to[i * 2 + 1] = 0;
    }
    return (uint16_t)(length * 2);
}

static void fill_ntlm(struct ipc_pass *ask, const char *name, const char *password)
{
    uint8_t hash[NTLM_PROOF_HASH_SIZE];
    fill(ask, IPC_PASS_NTLM, name);
    ask->user_size = widen(ask->user, name);
    ask->domain_size = widen(ask->domain, "GW");
    ask->blob_size = 60;
    memset(ask->blob, 7, ask->blob_size);
    memset(ask->challenge, 9, sizeof(ask->challenge));
    ntlm_proof_hash(hash, password);
    const struct ntlm_proof_of of = {ask->user,      ask->domain,      ask->blob,
                                     ask->user_size, ask->domain_size, ask->blob_size,
                                     ask->challenge};
    ntlm_proof(ask->proof, hash, &of);
}

static enum ipc_status ntlm(const char *name, const char *password)
{
    struct ipc_pass ask;
    fill_ntlm(&ask, name, password);
    return show(&ask);
}

static enum ipc_status look(const uint8_t *ticket)
{
    struct ipc_ticket_look ask;
    IPC_INIT(&ask, TICKET_LOOK, 0);
    fake_gate_origin(&ask.origin, HERE);
    memcpy(ask.ticket, ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_TICKET_SEEN, &answer, &answer_fd);
    return answer.ticket_seen.status;
}

static enum ipc_status enter(const uint8_t *ticket, const char *desktop, int64_t *tunnel)
{
    struct ipc_open ask;
    fake_gate_open_ask(&ask, me.token, desktop);
    ask.way = IPC_WAY_RDG;
    memcpy(ask.ticket, ticket, IPC_TOKEN_SIZE);
    fake_gate_ask(&fake, &ask.head, IPC_OPENED, &answer, &answer_fd);
    if (answer_fd >= 0)
        close(answer_fd);
    *tunnel = answer.opened.tunnel;
    return answer.opened.status;
}

static void end(int64_t tunnel, enum ipc_end why)
{
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = tunnel;
    ended.end = (uint8_t)why;
    fake_gate_send(&fake, &ended.head);
}

/* ---- the tests ---- */

START_TEST(it_can_be_read_and_typed)
{
    static const uint8_t nothing[IPC_TOKEN_SIZE];
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    ck_assert_uint_eq(strlen(made.password), 29);
    for (size_t i = 0; made.password[i]; i++)
        ck_assert(i % 5 == 4 ? made.password[i] == '-' : strchr(letters, made.password[i]) != NULL);
    ck_assert_mem_eq(made.ticket, nothing,
                     sizeof(nothing)); /* not to be seen before it is proved */
    ck_assert_str_eq(made.username, "alice");
    ck_assert_str_eq(made.desktop, "desk");
    ck_assert_uint_eq(made.seconds, 300);
    ck_assert_str_ne(make_for(me.token, "desk").password, made.password);
}
END_TEST

START_TEST(it_stands_for_its_ticket)
{
    int64_t tunnel;
    uint8_t ticket[IPC_TOKEN_SIZE];
    for (int i = 0; i < 2; i++) { /* showing it uses nothing up */
        ck_assert_int_eq(basic("alice", made.password), IPC_OK);
        memcpy(ticket, answer.passed.ticket, sizeof(ticket));
        ck_assert_int_eq(ntlm("ALICE", made.password), IPC_OK);
        ck_assert_mem_eq(answer.passed.ticket, ticket, sizeof(ticket));
    }
    ck_assert_int_eq(look(ticket), IPC_OK);
    ck_assert_int_eq(enter(ticket, "named", &tunnel), IPC_BAD_TICKET);
    ck_assert_int_eq(enter(ticket, "desk", &tunnel), IPC_OK);
    ck_assert_int_eq(ntlm("alice", made.password), IPC_OK); /* another channel */
}
END_TEST

START_TEST(a_domain_behind_the_name_does_not_matter)
{
    ck_assert_int_eq(ntlm("alice@example.org", made.password), IPC_OK);
    ck_assert_int_eq(basic("Alice@gw", made.password), IPC_OK);
    ck_assert_int_eq(basic("alice@a@b", made.password), IPC_DENIED);
    ck_assert_int_eq(basic("@", made.password), IPC_DENIED);
}
END_TEST

START_TEST(each_of_several_is_found)
{
    char passwords[8][IPC_PASS_SIZE];
    for (int i = 0; i < 8; i++) {
        struct ipc_ticket_made one = make_for(me.token, i % 2 ? "desk" : "named");
        ck_assert_int_eq(one.status, IPC_OK);
        text_copy(passwords[i], sizeof(passwords[i]), one.password);
    }
    for (int i = 0; i < 8; i++) {
        int64_t tunnel;
        ck_assert_int_eq(i % 3 ? ntlm("alice", passwords[i]) : basic("alice", passwords[i]),
                         IPC_OK);
        uint8_t ticket[IPC_TOKEN_SIZE];
        memcpy(ticket, answer.passed.ticket, sizeof(ticket));
        ck_assert_int_eq(enter(ticket, i % 2 ? "named" : "desk", &tunnel), IPC_BAD_TICKET);
        ck_assert_int_eq(look(ticket), IPC_OK);
    }
}
END_TEST

START_TEST(everything_else_is_denied)
{
    char changed[IPC_PASS_SIZE];
    uint8_t token[IPC_TOKEN_SIZE];
    fake_gate_session(&fake, fake_gate_person(&fake, "bert"), 7, token);
    text_copy(changed, sizeof(changed), made.password);
    changed[0] = changed[0] == 'a' ? 'b' : 'a';
    ck_assert_int_eq(basic("alice", changed), IPC_DENIED);
    ck_assert_int_eq(ntlm("alice", changed), IPC_DENIED);
    ck_assert_int_eq(basic("alice", ""), IPC_DENIED);
    ck_assert_int_eq(ntlm("alice", ""), IPC_DENIED);
    ck_assert_int_eq(basic("", made.password), IPC_DENIED);
    ck_assert_int_eq(basic("bert", made.password), IPC_DENIED);
    ck_assert_int_eq(ntlm("bert", made.password), IPC_DENIED);
    ck_assert_int_eq(basic("nobody", made.password), IPC_DENIED);
    ck_assert_int_eq(ntlm("nobody", made.password), IPC_DENIED);
    /* never the password that she signs in with */
    ck_assert_int_eq(basic("alice", fake_gate_password), IPC_DENIED);
    ck_assert_int_eq(ntlm("alice", fake_gate_password), IPC_DENIED);
    ck_assert_uint_gt(fake_gate_audited(&fake, "gateway-password", "denied", "ntlm"), 0);
    ck_assert_uint_gt(fake_gate_audited(&fake, "gateway-password", "denied", "basic"), 0);
}
END_TEST

/* Each byte of what it is taken over is proved. */
START_TEST(a_proof_is_of_one_challenge)
{
    struct ipc_pass good, ask;
    fill_ntlm(&good, "alice", made.password);
    ask = good;
    ask.challenge[7] ^= 1;
    ck_assert_int_eq(show(&ask), IPC_DENIED);
    ask = good;
    ask.blob[ask.blob_size - 1] ^= 1;
    ck_assert_int_eq(show(&ask), IPC_DENIED);
    ask = good;
    ask.blob_size--;
    ck_assert_int_eq(show(&ask), IPC_DENIED);
    ask = good;
    ask.domain[0] ^= 0x20;
    ck_assert_int_eq(show(&ask), IPC_DENIED);
    ask = good;
    ask.proof[15] ^= 1;
    ck_assert_int_eq(show(&ask), IPC_DENIED);
    ck_assert_int_eq(show(&good), IPC_OK);
}
END_TEST

START_TEST(it_dies_like_a_ticket)
{
    int64_t tunnel;
    struct ipc_sign_out out;
    ck_assert_int_eq(basic("alice", made.password), IPC_OK);
    uint8_t ticket[IPC_TOKEN_SIZE];
    memcpy(ticket, answer.passed.ticket, sizeof(ticket));
    ck_assert_int_eq(enter(ticket, "desk", &tunnel), IPC_OK);
    switch (_i) {
    case 0: /* back after a drop */
        end(tunnel, IPC_END_CLIENT_LOST);
        ck_assert_int_eq(ntlm("alice", made.password), IPC_OK);
        break;
    case 1: /* or after a close, as long as it may be about its sign-in */
        end(tunnel, IPC_END_CLIENT);
        ck_assert_int_eq(ntlm("alice", made.password), IPC_OK);
        break;
    case 2: /* not after an administrator's word */
        end(tunnel, IPC_END_TUNNEL_ENDED);
        ck_assert_int_eq(ntlm("alice", made.password), IPC_DENIED);
        ck_assert_uint_eq(
            fake_gate_audited(&fake, "ticket-refused", "denied", "used before, and ended"), 1);
        break;
    case 3: /* nor after its session */
        end(tunnel, IPC_END_CLIENT_LOST);
        IPC_INIT(&out, SIGN_OUT, 0);
        fake_gate_origin(&out.origin, HERE);
        memcpy(out.token, me.token, IPC_TOKEN_SIZE);
        fake_gate_ask(&fake, &out.head, IPC_SIGNED_OUT, &answer, &answer_fd);
        ck_assert_int_eq(basic("alice", made.password), IPC_DENIED);
        break;
    default: /* nor of somebody who was disabled */
        end(tunnel, IPC_END_CLIENT_LOST);
        ck_assert_int_eq(store_user_set_disabled(fake.store, fake.alice.id, true), STORE_OK);
        ck_assert_int_eq(basic("alice", made.password), IPC_DENIED);
    }
}
END_TEST

START_TEST(it_expires_unused)
{
    char command[256];
    snprintf(command, sizeof(command),
             "python3 -c 'import sqlite3,sys; d=sqlite3.connect(sys.argv[1],timeout=5); "
             "d.execute(\"update tickets set expires_at=expires_at-300\"); d.commit()' "
             "%s/deskgate.db",
             fake.folder);
    ck_assert_int_eq(basic("alice", made.password), IPC_OK);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(basic("alice", made.password), IPC_DENIED);
    ck_assert_int_eq(ntlm("alice", made.password), IPC_DENIED);
}
END_TEST

START_TEST(the_setting_decides)
{
    restart(false, false);
    ck_assert_int_eq(basic("alice", made.password), IPC_DENIED);
    ck_assert_int_eq(ntlm("alice", made.password), IPC_DENIED);
    restart(true, true);
    ck_assert_int_eq(basic_from("198.51.100.2", "alice", made.password), IPC_DENIED);
    ck_assert_int_eq(basic("alice", made.password), IPC_OK);
}
END_TEST

/* A gate that breaks the rules is let go. */
START_TEST(rules_are_kept)
{
    struct ipc_pass pass;
    struct ipc_ticket ticket;
    fill_ntlm(&pass, "alice", made.password);
    fill_ticket(&ticket, me.token, "desk");
    struct ipc_head *head = &pass.head;
    switch (_i) {
    case 0:
        pass.kind = IPC_PASS_NTLM + 1;
        break;
    case 1:
        pass.blob_size = IPC_NTLM_BLOB_SIZE + 1;
        break;
    case 2:
        pass.user_size = IPC_NTLM_USER_SIZE + 1;
        break;
    case 3:
        pass.domain_size = IPC_NTLM_USER_SIZE + 1;
        break;
    case 4:
        memset(pass.username, 'a', sizeof(pass.username));
        break;
    case 5:
        memset(pass.password, 'a', sizeof(pass.password));
        break;
    case 6: /* only what opens by RDG has one */
        ticket.way = IPC_WAY_CLEANPATH;
        head = &ticket.head;
        break;
    default: /* none are made where none are taken, of which the gate may not have heard yet */
        restart(false, false);
        ticket.head.request = 99;
        fake_gate_send(&fake, &ticket.head);
        ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), 0);
        ck_assert_int_eq(answer.ticket_made.status, IPC_BUSY);
        return;
    }
    head->request = 99;
    fake_gate_send(&fake, head);
    ck_assert_int_eq(fake_gate_next(&fake, &answer, &answer_fd, 15000), -EPIPE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate_password");
    TCase *tc = tcase_create("passwords");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, it_can_be_read_and_typed);
    tcase_add_test(tc, it_stands_for_its_ticket);
    tcase_add_test(tc, a_domain_behind_the_name_does_not_matter);
    tcase_add_test(tc, each_of_several_is_found);
    tcase_add_test(tc, everything_else_is_denied);
    tcase_add_test(tc, a_proof_is_of_one_challenge);
    tcase_add_loop_test(tc, it_dies_like_a_ticket, 0, 5);
    tcase_add_test(tc, it_expires_unused);
    tcase_add_test(tc, the_setting_decides);
    tcase_add_loop_test(tc, rules_are_kept, 0, 8);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
