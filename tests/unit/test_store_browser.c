/* What the browser needs of the store: enrolment, tickets, certificates, people's own sessions. */
#include "store_rig.h"

#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t one[32] = {1}, two[32] = {2}, three[32] = {3};

static void disable(int64_t user)
{
    ck_assert_int_eq(store_user_set_disabled(store, user, true), STORE_OK);
}

START_TEST(an_invitation_is_for_one_person_for_a_time)
{
    int64_t anna = store_rig_add_user("anna"), boris = store_rig_add_user("boris"), found = 0;
    ck_assert_int_eq(store_invitation_user(store, one, 1000, &found), STORE_NONE);
    ck_assert_int_eq(store_invitation_set(store, anna, one, 1000, 2000), STORE_OK);
    ck_assert_int_eq(store_invitation_set(store, boris, two, 1000, 2000), STORE_OK);
    ck_assert_int_eq(store_invitation_user(store, one, 1999, &found), STORE_OK);
    ck_assert_int_eq(found, anna);
    ck_assert_int_eq(store_invitation_user(store, one, 2000, &found), STORE_NONE);
    ck_assert_int_eq(store_invitation_set(store, anna, three, 1000, 3000), STORE_OK);
    ck_assert_int_eq(store_invitation_user(store, one, 1500, &found), STORE_NONE);
    ck_assert_int_eq(store_invitation_user(store, three, 2500, &found), STORE_OK);
    disable(anna);
    ck_assert_int_eq(store_invitation_user(store, three, 2500, &found), STORE_NONE);
    ck_assert_int_eq(store_invitation_forget(store, boris), STORE_OK);
    ck_assert_int_eq(store_invitation_user(store, two, 1500, &found), STORE_NONE);
    ck_assert_int_eq(store_invitation_set(store, anna + boris, two, 1, 2), STORE_NONE);
}
END_TEST

START_TEST(an_offer_is_replaced_and_expires)
{
    int64_t anna = store_rig_add_user("anna");
    uint8_t seed[STORE_SEED_SIZE];
    size_t size = 0;
    ck_assert_int_eq(store_offer_get(store, anna, 1000, seed, &size), STORE_NONE);
    ck_assert_int_eq(store_offer_set(store, anna, one, 32, 2000), STORE_OK);
    ck_assert_int_eq(store_offer_set(store, anna, two, 20, 2000), STORE_OK);
    ck_assert_int_eq(store_offer_get(store, anna, 1999, seed, &size), STORE_OK);
    ck_assert_uint_eq(size, 20);
    ck_assert_mem_eq(seed, two, 20);
    ck_assert_int_eq(store_offer_get(store, anna, 2000, seed, &size), STORE_NONE);
    ck_assert_int_eq(store_offer_forget(store, anna), STORE_OK);
    ck_assert_int_eq(store_offer_get(store, anna, 1000, seed, &size), STORE_NONE);
}
END_TEST

START_TEST(a_recovery_code_works_once_for_its_person)
{
    int64_t anna = store_rig_add_user("anna"), boris = store_rig_add_user("boris");
    const uint8_t codes[2][32] = {{1}, {2}};
    struct store_user user;
    unsigned left = 9;
    ck_assert_int_eq(store_recovery_set(store, anna, codes, 2), STORE_OK);
    ck_assert_int_eq(store_recovery_known(store, anna, one), STORE_OK);
    ck_assert_int_eq(store_recovery_known(store, anna, three), STORE_NONE);
    ck_assert_int_eq(store_recovery_known(store, boris, one), STORE_NONE);
    ck_assert_int_eq(store_recovery_use(store, boris, one, 5), STORE_REFUSED);
    ck_assert_int_eq(store_recovery_use(store, anna, one, 5), STORE_OK);
    ck_assert_int_eq(store_recovery_use(store, anna, one, 6), STORE_REFUSED);
    ck_assert_int_eq(store_recovery_known(store, anna, one), STORE_NONE);
    ck_assert_int_eq(store_recovery_left(store, anna, &left), STORE_OK);
    ck_assert_uint_eq(left, 1);
    ck_assert_int_eq(store_user_by_id(store, anna, &user), STORE_OK);
    ck_assert_int_eq(user.signed_in_at, 5);
    disable(anna);
    ck_assert_int_eq(store_recovery_use(store, anna, two, 7), STORE_REFUSED);
    ck_assert_int_eq(store_recovery_set(store, anna, codes, 1), STORE_OK);
    ck_assert_int_eq(store_recovery_left(store, anna, &left), STORE_OK);
    ck_assert_uint_eq(left, 1);
    ck_assert_int_eq(store_recovery_left(store, boris, &left), STORE_OK);
    ck_assert_uint_eq(left, 0);
}
END_TEST

static int64_t add_ticket(int64_t session, int64_t desktop, uint8_t mark)
{
    struct store_ticket ticket = {.session = session,
                                  .desktop = desktop,
                                  .hash = {mark},
                                  .way = "cleanpath",
                                  .created_at = 1000,
                                  .expires_at = 1060};
    int64_t id = 0;
    ck_assert_int_eq(store_ticket_add(store, &ticket, &id), STORE_OK);
    return id;
}

START_TEST(a_ticket_is_used_once_in_time)
{
    int64_t anna = store_rig_add_user("anna"), desk = store_rig_add_desktop("Desk");
    int64_t session = store_rig_add_session(anna, 1, 9000);
    int64_t first = add_ticket(session, desk, 1), second = add_ticket(session, desk, 2);
    struct store_ticket found;
    unsigned waiting = 0;
    ck_assert_int_eq(store_ticket_by_hash(store, three, &found), STORE_NONE);
    ck_assert_int_eq(store_ticket_by_hash(store, one, &found), STORE_OK);
    ck_assert_int_eq(found.id, first);
    ck_assert_int_eq(found.session, session);
    ck_assert_int_eq(found.desktop, desk);
    ck_assert_int_eq(found.user, anna);
    ck_assert_str_eq(found.user_name, "anna");
    ck_assert_str_eq(found.desktop_name, "Desk");
    ck_assert_str_eq(found.way, "cleanpath");
    ck_assert_int_eq(found.used_at, 0);
    ck_assert_int_eq(store_ticket_waiting(store, session, 1059, &waiting), STORE_OK);
    ck_assert_uint_eq(waiting, 2);
    ck_assert_int_eq(store_ticket_use(store, first, 1059), STORE_OK);
    ck_assert_int_eq(store_ticket_use(store, first, 1059), STORE_REFUSED);
    ck_assert_int_eq(store_ticket_use(store, second, 1060), STORE_REFUSED);
    ck_assert_int_eq(store_ticket_waiting(store, session, 1059, &waiting), STORE_OK);
    ck_assert_uint_eq(waiting, 1);
    ck_assert_int_eq(store_ticket_waiting(store, session, 1060, &waiting), STORE_OK);
    ck_assert_uint_eq(waiting, 0);
    ck_assert_int_eq(store_session_end(store, session, 1030, "admin"), STORE_OK);
    ck_assert_int_eq(store_ticket_use(store, second, 1030), STORE_REFUSED);
}
END_TEST

START_TEST(a_ticket_knows_what_became_of_it)
{
    int64_t anna = store_rig_add_user("anna"), desk = store_rig_add_desktop("desk");
    int64_t session = store_rig_add_session(anna, 1, 9000), id = add_ticket(session, desk, 1);
    int64_t tunnel = store_rig_add_tunnel(session, anna, desk),
            other = add_ticket(session, desk, 2);
    struct store_ticket found;
    ck_assert_int_eq(store_ticket_end(store, id, tunnel, ""), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, id, &found), STORE_OK);
    ck_assert_int_eq(found.tunnel, tunnel);
    ck_assert_str_eq(found.tunnel_end, "");
    ck_assert_int_eq(store_tunnel_end(store, tunnel, 1100, 1, 2, "desktop"), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, id, &found), STORE_OK);
    ck_assert_str_eq(found.tunnel_end, "desktop");
    ck_assert_int_eq(store_ticket_end(store, other, 0, "desktop_asleep"), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, other, &found), STORE_OK);
    ck_assert_str_eq(found.outcome, "desktop_asleep");
    ck_assert_int_eq(store_ticket_end(store, other + 1, 0, ""), STORE_NONE);
    ck_assert_int_eq(store_ticket_sweep(store, 1000), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, id, &found), STORE_OK);
    /* As long as its tunnel lives, or has not ended for as long. */
    ck_assert_int_eq(store_ticket_sweep(store, 1100), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, other, &found), STORE_NONE);
    ck_assert_int_eq(store_ticket_by_id(store, id, &found), STORE_OK);
    int64_t still = add_ticket(session, desk, 3);
    int64_t living = store_rig_add_tunnel(session, anna, desk);
    ck_assert_int_eq(store_ticket_end(store, still, living, ""), STORE_OK);
    ck_assert_int_eq(store_ticket_sweep(store, 5000), STORE_OK);
    ck_assert_int_eq(store_ticket_by_id(store, id, &found), STORE_NONE);
    ck_assert_int_eq(store_ticket_by_id(store, still, &found), STORE_OK);
}
END_TEST

static struct store_desktop desktop(const char *name)
{
    struct store_desktop found;
    ck_assert_int_eq(store_desktop_by_name(store, name, &found), STORE_OK);
    return found;
}

START_TEST(the_first_certificate_is_remembered)
{
    int64_t id = store_rig_add_desktop("desk");
    struct store_desktop found = desktop("desk");
    ck_assert_str_eq(found.trust, "first-use");
    ck_assert_int_eq(found.fingerprint_at, 0);
    ck_assert_int_eq(store_desktop_fingerprint(store, id, one, 50), STORE_OK);
    ck_assert_int_eq(store_desktop_fingerprint(store, id, two, 60), STORE_REFUSED);
    found = desktop("desk");
    ck_assert_mem_eq(found.fingerprint, one, 32);
    ck_assert_int_eq(found.fingerprint_at, 50);
    text_copy(found.description, sizeof(found.description), "words");
    ck_assert_int_eq(store_desktop_set(store, &found), STORE_OK);
    ck_assert_int_eq(desktop("desk").fingerprint_at, 50);
    found.port = 3390; /* another machine */
    ck_assert_int_eq(store_desktop_set(store, &found), STORE_OK);
    ck_assert_int_eq(desktop("desk").fingerprint_at, 0);
    ck_assert_int_eq(store_desktop_fingerprint(store, id, two, 70), STORE_OK);
}
END_TEST

START_TEST(trust_is_what_an_administrator_says)
{
    int64_t id = store_rig_add_desktop("desk");
    ck_assert_int_eq(store_desktop_trust(store, id, "pin", one, 50), STORE_OK);
    struct store_desktop found = desktop("desk");
    ck_assert_str_eq(found.trust, "pin");
    ck_assert_mem_eq(found.fingerprint, one, 32);
    ck_assert_int_eq(store_desktop_fingerprint(store, id, two, 60), STORE_REFUSED);
    text_copy(found.host, sizeof(found.host), "10.0.0.2");
    ck_assert_int_eq(store_desktop_set(store, &found), STORE_OK);
    ck_assert_int_eq(desktop("desk").fingerprint_at, 50); /* a pin follows the desktop */
    ck_assert_int_eq(store_desktop_trust(store, id, "ca", NULL, 70), STORE_OK);
    found = desktop("desk");
    ck_assert_str_eq(found.trust, "ca");
    ck_assert_int_eq(found.fingerprint_at, 0);
    ck_assert_int_eq(store_desktop_fingerprint(store, id, two, 60), STORE_REFUSED);
    ck_assert_int_eq(store_desktop_trust(store, id, "anything", NULL, 70), STORE_FAILED);
    ck_assert_int_eq(store_desktop_trust(store, id + 1, "ca", NULL, 70), STORE_NONE);
}
END_TEST

static int note_granted(void *owner, const struct store_granted *granted)
{
    *(struct store_granted *)owner = *granted;
    return 0;
}

START_TEST(a_list_says_what_is_in_use_and_when_it_was)
{
    int64_t anna = store_rig_add_user("anna"), boris = store_rig_add_user("boris");
    int64_t desk = store_rig_add_desktop("desk"), session = store_rig_add_session(anna, 1, 9000);
    struct store_granted granted = {0};
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = anna, .what = desk}),
                     STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = boris, .what = desk}),
                     STORE_OK);
    ck_assert_int_eq(store_granted_list(store, anna, "", 9, note_granted, &granted), STORE_OK);
    ck_assert(!granted.in_use && !granted.last_used && !granted.desktop.same_credentials);
    int64_t tunnel = store_rig_add_tunnel(session, anna, desk);
    ck_assert_int_eq(store_granted_list(store, anna, "", 9, note_granted, &granted), STORE_OK);
    ck_assert(granted.in_use);
    ck_assert_int_eq(granted.last_used, 1001);
    ck_assert_int_eq(store_granted_list(store, boris, "", 9, note_granted, &granted), STORE_OK);
    ck_assert(!granted.in_use && !granted.last_used);
    ck_assert_int_eq(store_tunnel_end(store, tunnel, 1100, 0, 0, "client"), STORE_OK);
    ck_assert_int_eq(store_granted_list(store, anna, "", 9, note_granted, &granted), STORE_OK);
    ck_assert(!granted.in_use);
    ck_assert_int_eq(granted.last_used, 1001);
}
END_TEST

static int note_session(void *owner, const struct store_session *session)
{
    int64_t **at = owner;
    *(*at)++ = session->id;
    return 0;
}

static int note_name(void *owner, const char *name)
{
    strcat(owner, name);
    strcat(owner, " ");
    return 0;
}

START_TEST(people_see_their_own_live_sessions)
{
    int64_t anna = store_rig_add_user("anna"), boris = store_rig_add_user("boris");
    int64_t first = store_rig_add_session(anna, 1, 9000);
    store_rig_add_session(boris, 2, 9000);
    int64_t over = store_rig_add_session(anna, 3, 9000),
            last = store_rig_add_session(anna, 4, 9000);
    ck_assert_int_eq(store_session_end(store, over, 1100, "admin"), STORE_OK);
    int64_t seen[8] = {0}, *at = seen;
    ck_assert_int_eq(store_session_list_user(store, anna, 0, 9, note_session, &at), STORE_OK);
    ck_assert(at - seen == 2 && seen[0] == first && seen[1] == last);
    at = seen;
    ck_assert_int_eq(store_session_list_user(store, anna, 0, 1, note_session, &at), STORE_OK);
    ck_assert(at - seen == 1 && seen[0] == first);
    at = seen;
    ck_assert_int_eq(store_session_list_user(store, anna, first, 9, note_session, &at), STORE_OK);
    ck_assert(at - seen == 1 && seen[0] == last);
    char names[64] = "";
    int64_t b = store_rig_add_desktop("b"), a = store_rig_add_desktop("a");
    store_rig_add_tunnel(first, anna, b);
    store_rig_add_tunnel(first, anna, b);
    store_rig_add_tunnel(first, anna, a);
    store_rig_add_tunnel(last, anna, a);
    ck_assert_int_eq(store_tunnel_desktops(store, first, note_name, names), STORE_OK);
    ck_assert_str_eq(names, "a b ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_browser");
    TCase *tests = tcase_create("store_browser");
    tcase_add_checked_fixture(tests, store_rig_setup, store_rig_teardown);
    tcase_add_test(tests, an_invitation_is_for_one_person_for_a_time);
    tcase_add_test(tests, an_offer_is_replaced_and_expires);
    tcase_add_test(tests, a_recovery_code_works_once_for_its_person);
    tcase_add_test(tests, a_ticket_is_used_once_in_time);
    tcase_add_test(tests, a_ticket_knows_what_became_of_it);
    tcase_add_test(tests, the_first_certificate_is_remembered);
    tcase_add_test(tests, trust_is_what_an_administrator_says);
    tcase_add_test(tests, a_list_says_what_is_in_use_and_when_it_was);
    tcase_add_test(tests, people_see_their_own_live_sessions);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
