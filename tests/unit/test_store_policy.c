/* What the store keeps of an administrator's rules, and what the keeper makes of them. */
#include "may.h"
#include "store_policy.h"
#include "store_rig.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t anna, berta, office, lab, staff;

static void setup(void)
{
    store_rig_setup();
    anna = store_rig_add_user("anna");
    berta = store_rig_add_user("berta");
    office = store_rig_add_desktop("office");
    lab = store_rig_add_desktop("lab");
    ck_assert_int_eq(store_group_add(store, STORE_OF_PEOPLE, "staff", &staff), STORE_OK);
    ck_assert_int_eq(store_group_join(store, STORE_OF_PEOPLE, staff, anna), STORE_OK);
}

static struct addr_net net(const char *text)
{
    struct addr_net made;
    ck_assert(addr_net_parse(&made, text));
    return made;
}

START_TEST(people_and_desktops)
{
    struct store_person_policy person;
    struct store_desktop_policy desktop;
    ck_assert_int_eq(store_policy_person(store, anna, &person), STORE_OK);
    ck_assert_str_eq(person.name, "anna");
    ck_assert(!person.disabled && !person.valid_from && !person.valid_until && !person.tunnels);
    person = (struct store_person_policy){
        .valid_from = 5, .valid_until = 9, .tunnels = 3, .limits = {60, 0}};
    ck_assert_int_eq(store_policy_person_set(store, anna, &person), STORE_OK);
    ck_assert_int_eq(store_user_set_disabled(store, anna, true), STORE_OK);
    ck_assert_int_eq(store_policy_person(store, anna, &person), STORE_OK);
    ck_assert(person.disabled && person.valid_from == 5 && person.valid_until == 9);
    ck_assert_uint_eq(person.tunnels, 3);
    ck_assert_uint_eq(person.limits.idle_seconds, 60);
    ck_assert_uint_eq(person.limits.absolute_seconds, 0);
    ck_assert_int_eq(store_policy_person(store, berta, &person), STORE_OK);
    ck_assert_uint_eq(person.tunnels, 0);
    ck_assert_int_eq(store_policy_person(store, 999, &person), STORE_NONE);
    ck_assert_int_eq(store_policy_person_set(store, 999, &person), STORE_NONE);
    desktop =
        (struct store_desktop_policy){.tunnels = 7, .limits = {0, 3600}, .step_up_seconds = 300};
    ck_assert_int_eq(store_policy_desktop_set(store, office, &desktop), STORE_OK);
    ck_assert_int_eq(store_policy_desktop(store, office, &desktop), STORE_OK);
    ck_assert_uint_eq(desktop.tunnels, 7);
    ck_assert_uint_eq(desktop.limits.absolute_seconds, 3600);
    ck_assert_uint_eq(desktop.step_up_seconds, 300);
    ck_assert_str_eq(desktop.name, "office");
    ck_assert_int_eq(store_policy_desktop(store, 999, &desktop), STORE_NONE);
    ck_assert_int_eq(store_policy_desktop_set(store, 999, &desktop), STORE_NONE);
}
END_TEST

static char grants[1024];

static int add_grant(void *owner, const struct store_grant *grant)
{
    (void)owner;
    snprintf(grants + strlen(grants), sizeof(grants) - strlen(grants), "%s%s>%s%s %lld-%lld %s;",
             grant->group ? "group " : "", grant->who, grant->desktops ? "group " : "", grant->what,
             (long long)grant->terms.valid_from, (long long)grant->terms.valid_until,
             grant->terms.hours);
    return 0;
}

/* Those of a person for a desktop, as text. */
static const char *grants_of(int64_t user, int64_t desktop)
{
    grants[0] = '\0';
    ck_assert_int_eq(store_grant_list_for(store, user, desktop, add_grant, NULL), STORE_OK);
    return grants;
}

START_TEST(terms_of_grants)
{
    struct store_terms terms = {.valid_from = 1, .valid_until = 2, .hours = "mon"};
    struct store_grant_key own = {.who = anna, .what = office};
    struct store_grant_key groups = {.group = true, .who = staff, .what = office};
    struct store_grant_key other = {.group = true, .who = staff, .what = lab};
    ck_assert_int_eq(store_grant_terms(store, &own, &terms), STORE_NONE);
    ck_assert_int_eq(store_grant_set_terms(store, &own, &terms), STORE_NONE);
    ck_assert_int_eq(store_grant_add(store, &own), STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &groups), STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &other), STORE_OK);
    ck_assert_int_eq(store_grant_set_terms(store, &groups, &terms), STORE_OK);
    grants_of(anna, office);
    ck_assert_ptr_nonnull(strstr(grants, "anna>office 0-0 ;"));
    ck_assert_ptr_nonnull(strstr(grants, "group staff>office 1-2 mon;"));
    ck_assert_str_eq(grants_of(berta, office), "");
    ck_assert_int_eq(store_grant_terms(store, &groups, &terms), STORE_OK);
    ck_assert_str_eq(terms.hours, "mon");
}
END_TEST

/* The four kinds of a grant are told apart, also where the numbers are the same. */
START_TEST(groups_of_desktops)
{
    int64_t rooms;
    struct store_desktop desktop;
    ck_assert_int_eq(store_group_add(store, STORE_OF_DESKTOPS, "rooms", &rooms), STORE_OK);
    ck_assert_int_eq(store_group_add(store, STORE_OF_DESKTOPS, "Rooms", &rooms), STORE_EXISTS);
    ck_assert_int_eq(store_group_join(store, STORE_OF_DESKTOPS, rooms, lab), STORE_OK);
    ck_assert_int_eq(store_group_join(store, STORE_OF_DESKTOPS, rooms, lab), STORE_EXISTS);
    ck_assert_int_eq(store_group_join(store, STORE_OF_DESKTOPS, rooms, 999), STORE_NONE);
    struct store_grant_key own = {.desktops = true, .who = berta, .what = rooms};
    struct store_grant_key groups = {.group = true, .desktops = true, .who = staff, .what = rooms};
    ck_assert_int_eq(store_grant_add(store, &own), STORE_OK);
    ck_assert_int_eq(store_grant_add(store, &own), STORE_EXISTS);
    ck_assert_int_eq(store_grant_add(store, &groups), STORE_OK);
    ck_assert_str_eq(grants_of(berta, lab), "berta>group rooms 0-0 ;");
    ck_assert_str_eq(grants_of(anna, lab), "group staff>group rooms 0-0 ;");
    ck_assert_str_eq(grants_of(anna, office), "");
    ck_assert_int_eq(store_granted(store, anna, "lab", &desktop), STORE_OK);
    ck_assert_int_eq(store_granted(store, anna, "office", &desktop), STORE_NONE);
    ck_assert_int_eq(store_group_leave(store, STORE_OF_DESKTOPS, rooms, office), STORE_NONE);
    ck_assert_int_eq(store_group_leave(store, STORE_OF_DESKTOPS, rooms, lab), STORE_OK);
    ck_assert_int_eq(store_granted(store, anna, "lab", &desktop), STORE_NONE);
    ck_assert_int_eq(store_group_join(store, STORE_OF_DESKTOPS, rooms, lab), STORE_OK);
    ck_assert_int_eq(
        store_grant_remove(store, &(struct store_grant_key){.who = berta, .what = rooms}),
        STORE_NONE);
    ck_assert_int_eq(store_grant_remove(store, &own), STORE_OK);
    ck_assert_str_eq(grants_of(berta, lab), "");
    ck_assert_int_eq(store_group_remove(store, STORE_OF_DESKTOPS, rooms), STORE_OK);
    ck_assert_str_eq(grants_of(anna, lab), "");
}
END_TEST

static char nets[1024];

static int add_net(void *owner, const struct store_net *found)
{
    char address[ADDR_TEXT_SIZE];
    (void)owner;
    addr_text(&found->net.base, address);
    snprintf(nets + strlen(nets), sizeof(nets) - strlen(nets), "%s%s%c%s/%u;",
             found->user ? "user " : "", found->who, found->allow ? '+' : '-', address,
             found->net.bits);
    return 0;
}

START_TEST(lists_of_addresses)
{
    struct addr_net ten = net("10.0.0.0/8"), doc = net("2001:db8::/32");
    ck_assert_int_eq(store_policy_net_add(store, 0, 0, true, &ten), STORE_OK);
    ck_assert_int_eq(store_policy_net_add(store, 0, 0, false, &ten), STORE_EXISTS);
    ck_assert_int_eq(store_policy_net_add(store, anna, 0, false, &ten), STORE_OK);
    ck_assert_int_eq(store_policy_net_add(store, 0, staff, false, &doc), STORE_OK);
    ck_assert_int_eq(store_policy_net_add(store, berta, 0, false, &doc), STORE_OK);
    ck_assert_int_eq(store_policy_net_add(store, 999, 0, false, &doc), STORE_NONE);
    ck_assert_int_eq(store_policy_net_list(store, add_net, NULL), STORE_OK);
    ck_assert_str_eq(nets, "+10.0.0.0/104;user anna-10.0.0.0/104;user berta-2001:db8::/32;"
                           "staff-2001:db8::/32;");
    nets[0] = '\0';
    ck_assert_int_eq(store_policy_nets(store, anna, add_net, NULL), STORE_OK);
    ck_assert_uint_eq(strlen(nets),
                      strlen("+10.0.0.0/104;user -10.0.0.0/104;staff-2001:db8::/32;"));
    ck_assert_ptr_null(strstr(nets, "berta"));
    ck_assert_int_eq(store_policy_net_remove(store, 0, 0, &doc), STORE_NONE);
    ck_assert_int_eq(store_policy_net_remove(store, 0, staff, &doc), STORE_OK);
    ck_assert_int_eq(store_user_remove(store, berta), STORE_OK); /* and with her, her list */
    nets[0] = '\0';
    ck_assert_int_eq(store_policy_net_list(store, add_net, NULL), STORE_OK);
    ck_assert_str_eq(nets, "+10.0.0.0/104;user anna-10.0.0.0/104;");
}
END_TEST

static enum decision_rule judge(const char *from, struct decision *out)
{
    struct may_ask ask = {.user = anna, .desktop = office, .now = 1000};
    ck_assert(addr_parse(&ask.address, from));
    ck_assert_int_eq(may_judge(store, &ask, out), STORE_OK);
    return out->rule;
}

START_TEST(rows_become_a_decision)
{
    struct decision out;
    struct store_terms terms = {.valid_until = 2000};
    struct addr_net ten = net("10.0.0.0/8");
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_NO_GRANT);
    ck_assert_int_eq(
        store_grant_add(store,
                        &(struct store_grant_key){.group = true, .who = staff, .what = office}),
        STORE_OK);
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_ALLOWED);
    ck_assert_str_eq(out.words, "granted to group staff as office");
    ck_assert_int_eq(
        store_grant_set_terms(
            store, &(struct store_grant_key){.group = true, .who = staff, .what = office}, &terms),
        STORE_OK);
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_ALLOWED);
    ck_assert_int_eq(out.again_at, 2000);
    terms.valid_until = 1000;
    ck_assert_int_eq(
        store_grant_set_terms(
            store, &(struct store_grant_key){.group = true, .who = staff, .what = office}, &terms),
        STORE_OK);
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_GRANT_DATES);
    /* Hours that somebody wrote by hand and that say nothing are none in which it holds. */
    terms = (struct store_terms){.hours = "whenever"};
    ck_assert_int_eq(
        store_grant_set_terms(
            store, &(struct store_grant_key){.group = true, .who = staff, .what = office}, &terms),
        STORE_OK);
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_NO_GRANT);
    ck_assert_int_eq(store_policy_net_add(store, 0, staff, true, &ten), STORE_OK);
    ck_assert_int_eq(judge("192.0.2.1", &out), DECISION_ADDRESS_NOT_LISTED);
    ck_assert_int_eq(judge("10.9.9.9", &out), DECISION_NO_GRANT);
    struct may_ask nobody = {.user = 999, .desktop = office};
    ck_assert_int_eq(may_judge(store, &nobody, &out), STORE_NONE);
}
END_TEST

/* The narrowest of the three holds; a factor is asked for unless it was before. */
START_TEST(limits_and_factors_become_a_decision)
{
    struct store_person_policy person = {.limits = {600, 0}};
    struct store_desktop_policy desktop = {.limits = {300, 7200}, .step_up_seconds = 60};
    struct may_ask ask = {
        .user = anna, .desktop = office, .now = 1000, .factor_at = 950, .limits = {400, 9000}};
    struct decision out;
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = anna, .what = office}),
                     STORE_OK);
    ck_assert_int_eq(may_judge(store, &ask, &out), STORE_OK);
    ck_assert_uint_eq(out.limits.idle_seconds, 400);
    ck_assert_uint_eq(out.limits.absolute_seconds, 9000);
    ck_assert_int_eq(store_policy_person_set(store, anna, &person), STORE_OK);
    ck_assert_int_eq(store_policy_desktop_set(store, office, &desktop), STORE_OK);
    ck_assert_int_eq(may_judge(store, &ask, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_ALLOWED);
    ck_assert_uint_eq(out.limits.idle_seconds, 300);
    ck_assert_uint_eq(out.limits.absolute_seconds, 7200);
    ask.factor_at = 940;
    ck_assert_int_eq(may_judge(store, &ask, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_STEP_UP);
    ask.factor_judged = true;
    ck_assert_int_eq(may_judge(store, &ask, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_ALLOWED);
    ask.factor_judged = false;
    ask.live = true;
    ck_assert_int_eq(may_judge(store, &ask, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_ALLOWED);
}
END_TEST

/* Of one address, of any number of them: networks around it, and others. */
static struct addr_net numbered(unsigned i)
{
    struct addr_net one = net("203.0.113.0");
    one.base.bytes[14] = (uint8_t)(i >> 8);
    one.base.bytes[15] = (uint8_t)i;
    return one;
}

static enum decision_rule rule_for(const char *address)
{
    struct decision out;
    return judge(address, &out);
}

START_TEST(long_lists_deny_whom_they_name)
{
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = anna, .what = office}),
                     STORE_OK);
    ck_assert_int_eq(store_begin(store), STORE_OK);
    for (unsigned i = 0; i < 1000; i++) {
        struct addr_net one = numbered(i);
        ck_assert_int_eq(store_policy_net_add(store, 0, 0, false, &one), STORE_OK);
    }
    ck_assert_int_eq(store_commit(store), STORE_OK);
    ck_assert_int_eq(rule_for("192.0.2.1"), DECISION_ALLOWED);
    ck_assert_int_eq(rule_for("203.0.3.231"), DECISION_ADDRESS_DENIED);
    ck_assert_int_eq(rule_for("203.0.3.232"), DECISION_ALLOWED);
}
END_TEST

START_TEST(long_lists_allow_whom_they_name)
{
    ck_assert_int_eq(store_grant_add(store, &(struct store_grant_key){.who = anna, .what = office}),
                     STORE_OK);
    ck_assert_int_eq(store_begin(store), STORE_OK);
    for (unsigned i = 0; i < 1000; i++) {
        struct addr_net one = numbered(i);
        ck_assert_int_eq(store_policy_net_add(store, i % 2 ? 0 : anna, 0, true, &one), STORE_OK);
    }
    struct addr_net both = net("203.0.3.232");
    ck_assert_int_eq(store_policy_net_add(store, 0, 0, true, &both), STORE_OK);
    ck_assert_int_eq(store_commit(store), STORE_OK);
    ck_assert_int_eq(rule_for("203.0.3.231"), DECISION_ADDRESS_NOT_LISTED);
    ck_assert_int_eq(rule_for("203.0.3.230"), DECISION_ADDRESS_NOT_LISTED);
    ck_assert_int_eq(rule_for("203.0.3.232"), DECISION_ADDRESS_NOT_LISTED);
    ck_assert_int_eq(store_policy_net_add(store, anna, 0, true, &both), STORE_OK);
    ck_assert_int_eq(rule_for("203.0.3.232"), DECISION_ALLOWED);
}
END_TEST

START_TEST(a_person_and_an_address)
{
    struct decision out;
    struct addr from;
    struct addr_net ten = net("10.0.0.0/8");
    ck_assert(addr_parse(&from, "10.1.1.1"));
    ck_assert_int_eq(may_judge_person(store, anna, &from, 1000, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_ALLOWED); /* without any grant */
    ck_assert_int_eq(store_policy_net_add(store, anna, 0, false, &ten), STORE_OK);
    ck_assert_int_eq(may_judge_person(store, anna, &from, 1000, &out), STORE_OK);
    ck_assert_int_eq(out.rule, DECISION_ADDRESS_DENIED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_policy");
    TCase *tcase = tcase_create("store_policy");
    tcase_add_checked_fixture(tcase, setup, store_rig_teardown);
    tcase_add_test(tcase, people_and_desktops);
    tcase_add_test(tcase, terms_of_grants);
    tcase_add_test(tcase, groups_of_desktops);
    tcase_add_test(tcase, limits_and_factors_become_a_decision);
    tcase_add_test(tcase, lists_of_addresses);
    tcase_add_test(tcase, rows_become_a_decision);
    tcase_add_test(tcase, long_lists_deny_whom_they_name);
    tcase_add_test(tcase, long_lists_allow_whom_they_name);
    tcase_add_test(tcase, a_person_and_an_address);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
