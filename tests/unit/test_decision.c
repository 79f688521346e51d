/* Who may reach which desktop: a table of cases in a notation of its own, and properties of rules
 * that were made by chance.
 *
 * Rules, words apart:
 *     X              the person is disabled
 *     A5..9          the account's dates (either may be missing)
 *     n*+NET n*-NET  the gateway's list allows, denies; n:+NET the person's; nNAME+NET a group's
 *     G              a grant of the desktop to the person; G=NAME to a group; G/NAME of a group of
 *                    desktops; behind it @5..9 dates, ~DAYS:0800-1800 hours (0 is Monday), again
 *                    and again
 *     T2 D3 S60      tunnels of the person, of the desktop; age of the second factor
 *
 * A question and the answer due, several for the same rules:
 *     now=10 at=0:0930 from=192.0.2.1 t=1 d=1 f=5 > RULE[,again_at] */
#include "decision.h"

#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 32

struct made {
    struct decision_rules rules;
    struct decision_net nets[MOST];
    struct decision_grant grants[MOST];
    struct decision_hours hours[MOST][8];
    char names[MOST][64];
    size_t names_used;
};

static const struct {
    const char *rules, *questions[40];
} cases[] = {
    /* grants, and none */
    {"", {"> not-granted"}},
    {"G",
     {"> allowed", "now=0 > allowed", "now=9999999999 > allowed", "from=2001:db8::1 > allowed"}},
    {"G=staff", {"> allowed"}},
    {"G/lab", {"> allowed"}},
    {"G=staff/lab", {"> allowed"}},
    {"G G=staff G/lab", {"> allowed"}},
    /* the account */
    {"X", {"> disabled"}},
    {"X G", {"> disabled"}},
    {"X A20.. G", {"> disabled"}},
    {"A5..9 G",
     {"now=4 > account-dates", "now=5 > allowed,9", "now=8 > allowed,9", "now=9 > account-dates",
      "now=10 > account-dates"}},
    {"A5.. G", {"now=4 > account-dates", "now=5 > allowed", "now=99 > allowed"}},
    {"A..9 G", {"now=0 > allowed,9", "now=8 > allowed,9", "now=9 > account-dates"}},
    {"A5..9", {"now=6 > not-granted", "now=9 > account-dates"}},
    {"A9..5 G", {"now=4 > account-dates", "now=6 > account-dates", "now=9 > account-dates"}},
    /* a grant's dates */
    {"G@5..9",
     {"now=4 > grant-dates", "now=5 > allowed,9", "now=8 > allowed,9", "now=9 > grant-dates"}},
    {"G@5..", {"now=4 > grant-dates", "now=5 > allowed"}},
    {"G@..9", {"now=8 > allowed,9", "now=9 > grant-dates"}},
    {"G@5..9 G=staff@8..20",
     {"now=4 > grant-dates", "now=6 > allowed,9", "now=8 > allowed,20", "now=15 > allowed,20",
      "now=20 > grant-dates"}},
    {"G@5..9 G=staff", {"now=4 > allowed", "now=6 > allowed", "now=9 > allowed"}},
    {"A..7 G@5..9", {"now=6 > allowed,7", "now=7 > account-dates"}},
    {"A..20 G@5..9", {"now=6 > allowed,9"}},
    {"A..20 G", {"now=6 > allowed,20"}},
    /* hours of a day */
    {"G~01234:0800-1800",
     {"now=0 at=0:0759 > grant-hours", "now=0 at=0:0800 > allowed,36000",
      "now=0 at=0:1200 > allowed,21600", "now=0 at=0:1759 > allowed,60",
      "now=59 at=0:1759 > allowed,60", "now=0 at=0:1800 > grant-hours",
      "now=0 at=0:0000 > grant-hours", "now=0 at=0:2359 > grant-hours",
      "now=0 at=4:0800 > allowed,36000", "now=0 at=5:0800 > grant-hours",
      "now=0 at=6:1200 > grant-hours", "now=0 at=3:1200 > allowed,21600"}},
    {"G~5:0000-2400",
     {"now=0 at=4:2359 > grant-hours", "now=0 at=5:0000 > allowed,86400",
      "now=0 at=5:2359 > allowed,60", "now=0 at=6:0000 > grant-hours"}},
    /* equal ones are the whole day, beginning there */
    {"G~5:0600-0600",
     {"now=0 at=5:0559 > grant-hours", "now=0 at=5:0600 > allowed,86400",
      "now=0 at=6:0559 > allowed,60", "now=0 at=6:0600 > grant-hours"}},
    {"G~5:0000-0000",
     {"now=0 at=5:0000 > allowed,86400", "now=0 at=5:2359 > allowed,60",
      "now=0 at=6:0000 > grant-hours", "now=0 at=4:2359 > grant-hours"}},
    /* over midnight */
    {"G~4:2200-0600",
     {"now=0 at=4:2159 > grant-hours", "now=0 at=4:2200 > allowed,28800",
      "now=0 at=4:2359 > allowed,21660", "now=0 at=5:0000 > allowed,21600",
      "now=0 at=5:0559 > allowed,60", "now=0 at=5:0600 > grant-hours",
      "now=0 at=4:0300 > grant-hours", "now=0 at=5:2200 > grant-hours"}},
    {"G~6:2200-0600",
     {"now=0 at=6:2300 > allowed,25200", "now=0 at=0:0559 > allowed,60",
      "now=0 at=0:0600 > grant-hours", "now=0 at=6:0100 > grant-hours"}},
    {"G~0123456:2200-0600",
     {"now=0 at=2:0559 > allowed,60", "now=0 at=2:0600 > grant-hours",
      "now=0 at=2:2159 > grant-hours", "now=0 at=2:2200 > allowed,28800"}},
    /* several ranges, several grants */
    {"G~01234:0800-1200~01234:1300-1700",
     {"now=0 at=1:1159 > allowed,60", "now=0 at=1:1200 > grant-hours",
      "now=0 at=1:1259 > grant-hours", "now=0 at=1:1300 > allowed,14400",
      "now=0 at=1:1700 > grant-hours"}},
    {"G~0:0800-1200~0:1000-1700", {"now=0 at=0:1100 > allowed,21600"}},
    {"G~0:0800-1200 G=staff~0:1000-1700",
     {"now=0 at=0:0900 > allowed,10800", "now=0 at=0:1100 > allowed,21600",
      "now=0 at=0:1300 > allowed,14400", "now=0 at=0:1700 > grant-hours"}},
    {"G~0:0800-1200 G=staff",
     {"now=0 at=0:0700 > allowed", "now=0 at=0:0900 > allowed", "now=0 at=3:0900 > allowed"}},
    {"G@..3600~0:0800-1200",
     {"now=0 at=0:0800 > allowed,3600", "now=3600 at=0:0900 > grant-dates",
      "now=0 at=0:0700 > grant-hours"}},
    {"G@50.. G=staff~0:0800-1200", {"now=0 at=0:0700 > grant-hours", "now=60 at=0:0700 > allowed"}},
    {"A..1800 G~0:0800-1200", {"now=0 at=0:0800 > allowed,1800"}},
    {"G~:0800-1200", {"now=0 at=0:0900 > grant-hours", "now=0 at=6:0900 > grant-hours"}},
    /* the gateway's addresses */
    {"n*+10.0.0.0/8 G",
     {"from=10.1.2.3 > allowed", "from=10.255.255.255 > allowed",
      "from=11.0.0.0 > address-unlisted", "from=192.0.2.1 > address-unlisted",
      "from=2001:db8::1 > address-unlisted", "from=::1 > address-unlisted"}},
    {"n*-10.0.0.0/8 G",
     {"from=10.1.2.3 > address-denied", "from=9.255.255.255 > allowed", "from=11.0.0.0 > allowed",
      "from=2001:db8::1 > allowed"}},
    {"n*+10.0.0.0/8 n*-10.1.0.0/16 G",
     {"from=10.1.2.3 > address-denied", "from=10.2.2.3 > allowed",
      "from=11.1.2.3 > address-unlisted"}},
    {"n*-10.0.0.0/8 n*+10.1.0.0/16 G",
     {"from=10.1.2.3 > address-denied", "from=10.2.2.3 > address-denied",
      "from=11.1.2.3 > address-unlisted"}},
    {"n*+2001:db8::/32 G",
     {"from=2001:db8::1 > allowed", "from=2001:db8:ffff::1 > allowed",
      "from=2001:db9::1 > address-unlisted", "from=10.0.0.1 > address-unlisted"}},
    {"n*+192.0.2.1 G",
     {"from=192.0.2.1 > allowed", "from=192.0.2.0 > address-unlisted",
      "from=192.0.2.2 > address-unlisted"}},
    {"n*-::/0 G", {"from=10.0.0.1 > address-denied", "from=2001:db8::1 > address-denied"}},
    {"n*+10.0.0.0/8 n*+192.0.2.0/24 G",
     {"from=10.0.0.1 > allowed", "from=192.0.2.200 > allowed",
      "from=192.0.3.1 > address-unlisted"}},
    /* a person's, and groups' */
    {"n:+10.0.0.0/8 G", {"from=10.1.2.3 > allowed", "from=192.0.2.1 > address-unlisted"}},
    {"n:-10.0.0.0/8 G", {"from=10.1.2.3 > address-denied", "from=192.0.2.1 > allowed"}},
    {"nstaff+10.0.0.0/8 G", {"from=10.1.2.3 > allowed", "from=192.0.2.1 > address-unlisted"}},
    {"nstaff-10.0.0.0/8 G", {"from=10.1.2.3 > address-denied", "from=192.0.2.1 > allowed"}},
    {"n:+10.0.0.0/8 nstaff+192.0.2.0/24 G",
     {"from=10.1.2.3 > allowed", "from=192.0.2.1 > allowed", "from=11.0.0.1 > address-unlisted"}},
    {"nlab+10.0.0.0/8 nstaff+192.0.2.0/24 G",
     {"from=10.1.2.3 > allowed", "from=192.0.2.1 > allowed", "from=11.0.0.1 > address-unlisted"}},
    {"nlab+10.0.0.0/8 nstaff-10.1.0.0/16 G",
     {"from=10.1.2.3 > address-denied", "from=10.2.0.1 > allowed",
      "from=192.0.2.1 > address-unlisted"}},
    {"n*+10.0.0.0/8 n:+192.0.2.0/24 G",
     {"from=10.1.2.3 > address-unlisted", "from=192.0.2.1 > address-unlisted"}},
    {"n*+10.0.0.0/8 n:+10.1.0.0/16 G",
     {"from=10.1.2.3 > allowed", "from=10.2.2.3 > address-unlisted",
      "from=192.0.2.1 > address-unlisted"}},
    {"n*+10.0.0.0/8 nstaff-10.1.0.0/16 G",
     {"from=10.1.2.3 > address-denied", "from=10.2.2.3 > allowed"}},
    {"n*-10.1.0.0/16 n:+10.0.0.0/8 G",
     {"from=10.1.2.3 > address-denied", "from=10.2.2.3 > allowed",
      "from=192.0.2.1 > address-unlisted"}},
    {"nstaff+2001:db8::/64 n*-2001:db8::13 G",
     {"from=2001:db8::1 > allowed", "from=2001:db8::13 > address-denied",
      "from=2001:db8:0:1::1 > address-unlisted", "from=10.0.0.1 > address-unlisted"}},
    {"n*+0.0.0.0/0 G", {"from=10.0.0.1 > allowed", "from=2001:db8::1 > address-unlisted"}},
    {"n*+::/0 G", {"from=10.0.0.1 > allowed", "from=2001:db8::1 > allowed"}},
    {"nstaff+10.0.0.0/8 nstaff-10.0.0.0/8 G",
     {"from=10.0.0.1 > address-denied", "from=11.0.0.1 > address-unlisted"}},
    /* numbers */
    {"T2 G",
     {"t=0 > allowed", "t=1 > allowed", "t=2 > person-busy", "t=3 > person-busy",
      "t=1 d=99 > allowed"}},
    {"D3 G",
     {"d=0 > allowed", "d=2 > allowed", "d=3 > desktop-busy", "d=4 > desktop-busy",
      "t=99 d=2 > allowed"}},
    {"T1 D1 G",
     {"t=0 d=0 > allowed", "t=1 d=0 > person-busy", "t=0 d=1 > desktop-busy",
      "t=1 d=1 > person-busy"}},
    {"T0 D0 G", {"t=9999 d=9999 > allowed"}},
    /* the second factor again */
    {"S60 G",
     {"now=100 f=100 > allowed", "now=100 f=41 > allowed", "now=100 f=40 > step-up",
      "now=100 f=0 > step-up", "now=100 f=200 > allowed"}},
    {"S0 G", {"now=100 f=0 > allowed"}},
    {"S60 T1 G",
     {"now=100 f=0 t=1 > step-up", "now=100 f=0 t=0 > step-up", "now=100 f=50 t=1 > person-busy"}},
    /* which one is told */
    {"X n*-::/0", {"> disabled"}},
    {"A20.. n*-::/0", {"> account-dates"}},
    {"n*-::/0", {"> address-denied"}},
    {"n*+10.0.0.0/8", {"> address-unlisted", "from=10.0.0.1 > not-granted"}},
    {"n:-192.0.2.1 n*+10.0.0.0/8 G", {"> address-denied"}},
    {"G@20.. T0", {"now=5 > grant-dates"}},
    {"G@20.. G=staff~0:0800-0900", {"now=5 at=0:0700 > grant-hours"}},
    {"T1 G@20..", {"now=5 t=1 > grant-dates"}},
    {"D1 S60 G", {"now=100 d=1 f=0 > step-up", "now=100 d=1 f=50 > desktop-busy"}},
};
#define CASES (sizeof(cases) / sizeof(*cases))

/* ---- the notation ---- */

static char *keep(struct made *made, const char *text, size_t size)
{
    ck_assert_uint_lt(made->names_used, MOST);
    char *name = made->names[made->names_used++];
    snprintf(name, sizeof(made->names[0]), "%.*s", (int)size, text);
    return name;
}

static const char *take_dates(const char *at, struct decision_dates *dates)
{
    char *end;
    dates->from = strtoll(at, &end, 10);
    ck_assert_msg(end[0] == '.' && end[1] == '.', "%s", at);
    dates->until = strtoll(end + 2, &end, 10);
    return end;
}

static uint16_t minutes(const char *at)
{
    return (uint16_t)(((at[0] - '0') * 10 + at[1] - '0') * 60 + (at[2] - '0') * 10 + at[3] - '0');
}

static const char *take_hours(const char *at, struct decision_hours *hours)
{
    for (; *at != ':'; at++)
        hours->days |= (uint8_t)(1U << (*at - '0'));
    hours->from = minutes(at + 1);
    hours->until = minutes(at + 6);
    return at + 10;
}

static void take_net(struct made *made, const char *at)
{
    struct decision_net *net = &made->nets[made->rules.net_count++];
    size_t name = strcspn(at, "+-");
    net->scope = *at == '*'   ? DECISION_OF_GATEWAY
                 : *at == ':' ? DECISION_OF_PERSON
                              : DECISION_OF_GROUP;
    net->group = net->scope == DECISION_OF_GROUP ? keep(made, at, name) : NULL;
    net->allow = at[name] == '+';
    ck_assert_msg(addr_net_parse(&net->net, at + name + 1), "%s", at);
}

static void take_grant(struct made *made, const char *at)
{
    size_t number = made->rules.grant_count++;
    struct decision_grant *grant = &made->grants[number];
    grant->hours = made->hours[number];
    while (*at) {
        size_t name = strcspn(at + 1, "=/@~");
        switch (*at) {
        case '=':
            grant->who = keep(made, at + 1, name);
            at += 1 + name;
            break;
        case '/':
            grant->what = keep(made, at + 1, name);
            at += 1 + name;
            break;
        case '@':
            at = take_dates(at + 1, &grant->dates);
            break;
        default:
            at = take_hours(at + 1, &made->hours[number][grant->hours_count++]);
        }
    }
}

static void make(struct made *made, const char *text)
{
    char copy[512];
    memset(made, 0, sizeof(*made));
    made->rules.person = "anna";
    made->rules.desktop = "office";
    made->rules.nets = made->nets;
    made->rules.grants = made->grants;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        uint32_t number = (uint32_t)strtoul(word + 1, NULL, 10);
        switch (*word) {
        case 'X':
            made->rules.disabled = true;
            break;
        case 'A':
            take_dates(word + 1, &made->rules.dates);
            break;
        case 'n':
            take_net(made, word + 1);
            break;
        case 'G':
            take_grant(made, word + 1);
            break;
        case 'T':
            made->rules.person_tunnels = number;
            break;
        case 'D':
            made->rules.desktop_tunnels = number;
            break;
        default:
            made->rules.step_up_seconds = number;
        }
    }
}

/* The question; returns the answer due. */
static const char *ask_of(const char *text, struct decision_ask *ask)
{
    static char due[64];
    char copy[256];
    *ask = (struct decision_ask){.now = 10};
    ck_assert(addr_parse(&ask->address, "192.0.2.1"));
    const char *end = strchr(text, '>');
    ck_assert_ptr_nonnull(end);
    snprintf(due, sizeof(due), "%s", end + 2);
    snprintf(copy, sizeof(copy), "%.*s", (int)(end - text), text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        const char *value = strchr(word, '=') + 1;
        uint32_t number = (uint32_t)strtoul(value, NULL, 10);
        if (*word == 'n')
            ask->now = strtoll(value, NULL, 10);
        else if (strncmp(word, "at", 2) == 0)
            ask->weekday = number, ask->minute = minutes(value + 2);
        else if (strncmp(word, "from", 4) == 0)
            ck_assert(addr_parse(&ask->address, value));
        else if (*word == 't')
            ask->person_tunnels = number;
        else if (*word == 'd')
            ask->desktop_tunnels = number;
        else
            ask->factor_at = number;
    }
    return due;
}

START_TEST(the_table)
{
    struct made made;
    make(&made, cases[_i].rules);
    for (size_t i = 0; cases[_i].questions[i]; i++) {
        struct decision_ask ask;
        struct decision out;
        char told[64];
        const char *due = ask_of(cases[_i].questions[i], &ask);
        bool allowed = decision_judge(&made.rules, &ask, &out);
        ck_assert(allowed == (out.rule == DECISION_ALLOWED));
        int size = snprintf(told, sizeof(told), "%s", decision_rule_name(out.rule));
        if (out.again_at)
            snprintf(told + size, sizeof(told) - (size_t)size, ",%lld", (long long)out.again_at);
        ck_assert_msg(strcmp(told, due) == 0, "'%s' asked '%s': %s (%s)", cases[_i].rules,
                      cases[_i].questions[i], told, out.words);
        ck_assert_uint_gt(strlen(out.words), 0);
    }
}
END_TEST

START_TEST(the_table_is_large)
{
    size_t count = 0;
    for (size_t i = 0; i < CASES; i++) {
        for (size_t k = 0; cases[i].questions[k]; k++)
            count++;
    }
    ck_assert_uint_ge(count, 200);
}
END_TEST

START_TEST(words_name_the_rule)
{
    static const struct {
        const char *rules, *question, *words;
    } table[] = {
        {"nstaff-192.0.2.0/24 G", ">", "192.0.2.1 is denied by the list of group staff"},
        {"nzoo-192.0.2.1 nstaff-192.0.2.1 G", ">",
         "192.0.2.1 is denied by the list of group staff"},
        {"nstaff-192.0.2.1 n*-192.0.2.0/24 G", ">",
         "192.0.2.1 is denied by the list of the gateway"},
        {"n:-192.0.2.0/24 G", ">", "192.0.2.1 is denied by the list of anna"},
        {"G=staff/lab G=admins", ">", "granted to group admins as office"},
        {"G=staff/lab G", ">", "granted to anna as office"},
        {"T1 G", "t=1 >", "anna has 1 connections already, of 1"},
        {"S60 G", "now=100 >",
         "office wants a second factor that was shown less than 60 seconds ago"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct made made;
        struct decision_ask ask;
        struct decision out;
        char question[64];
        snprintf(question, sizeof(question), "%s ", table[i].question);
        make(&made, table[i].rules);
        ask_of(question, &ask);
        decision_judge(&made.rules, &ask, &out);
        ck_assert_str_eq(out.words, table[i].words);
    }
}
END_TEST

/* ---- properties ---- */

#define TRIES 20000

static uint32_t chance(uint32_t below)
{
    static uint64_t state = 88172645463325252ULL; /* xorshift64: the same on every machine */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static struct addr some_address(void)
{
    struct addr made;
    char text[64];
    if (chance(4))
        snprintf(text, sizeof(text), "10.%u.%u.1", chance(4), chance(4));
    else
        snprintf(text, sizeof(text), "2001:db8:%x::1", chance(4));
    ck_assert(addr_parse(&made, text));
    return made;
}

static struct decision_net some_net(void)
{
    static const char *const groups[] = {"a", "b", "c"};
    struct decision_net net = {.scope = chance(3), .allow = chance(2)};
    net.net.base = some_address();
    net.net.bits = (uint8_t)(chance(2) ? 96 + chance(33) : chance(129));
    net.group = net.scope == DECISION_OF_GROUP ? groups[chance(3)] : NULL;
    return net;
}

static struct decision_dates some_dates(void)
{
    struct decision_dates dates = {chance(2) ? chance(3000) : 0, chance(2) ? chance(6000) : 0};
    return dates;
}

static struct decision_grant some_grant(struct made *made, size_t number)
{
    static const char *const names[] = {NULL, "a", "b"};
    struct decision_grant grant = {
        .who = names[chance(3)], .what = names[chance(3)], .hours = made->hours[number]};
    if (chance(2))
        grant.dates = some_dates();
    for (grant.hours_count = 0; grant.hours_count < chance(4); grant.hours_count++)
        made->hours[number][grant.hours_count] = (struct decision_hours){
            (uint8_t)chance(128), (uint16_t)chance(1441), (uint16_t)chance(1441)};
    return grant;
}

static void some_rules(struct made *made)
{
    make(made, "");
    made->rules.disabled = chance(20) == 0;
    if (chance(4) == 0)
        made->rules.dates = some_dates();
    for (made->rules.net_count = chance(5), made->names_used = 0;
         made->names_used < made->rules.net_count; made->names_used++)
        made->nets[made->names_used] = some_net();
    size_t grants = chance(5);
    for (size_t i = 0; i < grants; i++)
        made->grants[i] = some_grant(made, i);
    made->rules.grant_count = grants;
    made->rules.person_tunnels = chance(3) ? 0 : chance(4);
    made->rules.desktop_tunnels = chance(3) ? 0 : chance(4);
    made->rules.step_up_seconds = chance(3) ? 0 : chance(3000);
}

static struct decision_ask some_ask(void)
{
    return (struct decision_ask){.now = chance(4000),
                                 .weekday = chance(7),
                                 .minute = chance(1440),
                                 .address = some_address(),
                                 .person_tunnels = chance(3),
                                 .desktop_tunnels = chance(3),
                                 .factor_at = chance(4000)};
}

static unsigned allowed_ones;

START_TEST(rows_may_come_in_any_order)
{
    for (int i = 0; i < TRIES; i++) {
        struct made made;
        struct decision one, other;
        some_rules(&made);
        struct decision_ask ask = some_ask();
        bool allowed = decision_judge(&made.rules, &ask, &one);
        allowed_ones += allowed;
        for (size_t k = made.rules.net_count; k > 1; k--) {
            size_t with = chance((uint32_t)k);
            struct decision_net swap = made.nets[k - 1];
            made.nets[k - 1] = made.nets[with];
            made.nets[with] = swap;
        }
        for (size_t k = made.rules.grant_count; k > 1; k--) {
            size_t with = chance((uint32_t)k);
            struct decision_grant swap = made.grants[k - 1];
            made.grants[k - 1] = made.grants[with];
            made.grants[with] = swap;
        }
        ck_assert(decision_judge(&made.rules, &ask, &other) == allowed);
        ck_assert_int_eq(one.rule, other.rule);
        ck_assert_int_eq(one.again_at, other.again_at);
        ck_assert_str_eq(one.words, other.words);
    }
    ck_assert_uint_gt(allowed_ones, TRIES / 50); /* chance makes both kinds */
    ck_assert_uint_lt(allowed_ones, TRIES / 2);
}
END_TEST

/* Each way to say less: an entry that denies, a grant removed, narrower dates, limits. */
static void say_less(struct made *made)
{
    switch (chance(8)) {
    case 0:
        made->nets[made->rules.net_count] = some_net();
        made->nets[made->rules.net_count++].allow = false;
        break;
    case 1:
        if (made->rules.grant_count)
            made->rules.grant_count--;
        break;
    case 2:
        made->rules.disabled = true;
        break;
    case 3:
        made->rules.dates.from += chance(1000);
        break;
    case 4:
        if (made->rules.grant_count)
            made->grants[0].dates.from += chance(1000);
        break;
    case 5:
        made->rules.person_tunnels = made->rules.person_tunnels == 1 ? 1
                                     : made->rules.person_tunnels ? made->rules.person_tunnels - 1
                                                                  : 2;
        break;
    case 6:
        made->rules.step_up_seconds =
            made->rules.step_up_seconds ? made->rules.step_up_seconds / 2 + 1 : 100;
        break;
    default: /* hours where there were none */
        for (size_t i = 0; i < made->rules.grant_count; i++) {
            if (!made->grants[i].hours_count) {
                made->hours[i][0] = (struct decision_hours){(uint8_t)chance(128), 480, 1080};
                made->grants[i].hours_count = 1;
            }
        }
    }
}

START_TEST(saying_less_never_allows)
{
    for (int i = 0; i < TRIES; i++) {
        struct made made;
        struct decision before, after;
        some_rules(&made);
        struct decision_ask ask = some_ask();
        bool allowed = decision_judge(&made.rules, &ask, &before);
        say_less(&made);
        if (decision_judge(&made.rules, &ask, &after))
            ck_assert_msg(allowed, "it was refused by %s", decision_rule_name(before.rule));
    }
}
END_TEST

/* Until it says that it should be asked again, the answer is the same. */
START_TEST(nothing_ends_before_it_is_asked_again)
{
    for (int i = 0; i < TRIES; i++) {
        struct made made;
        struct decision now, later;
        some_rules(&made);
        made.rules.step_up_seconds = 0; /* ages by itself: only the opening asks for it */
        struct decision_ask ask = some_ask();
        ask.now -= ask.now % 60;
        if (!decision_judge(&made.rules, &ask, &now) || !now.again_at)
            continue;
        ck_assert_int_gt(now.again_at, ask.now);
        unsigned step = chance((uint32_t)(now.again_at - ask.now));
        ask.now += step;
        unsigned total = ask.weekday * 1440 + ask.minute + step / 60;
        ask.weekday = total / 1440 % 7;
        ask.minute = total % 1440;
        ck_assert_msg(decision_judge(&made.rules, &ask, &later), "%s after %u of %lld s",
                      decision_rule_name(later.rule), step,
                      (long long)(now.again_at - ask.now + step));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decision");
    TCase *tcase = tcase_create("decision");
    tcase_add_loop_test(tcase, the_table, 0, (int)CASES);
    tcase_add_test(tcase, the_table_is_large);
    tcase_add_test(tcase, words_name_the_rule);
    tcase_add_test(tcase, rows_may_come_in_any_order);
    tcase_add_test(tcase, saying_less_never_allows);
    tcase_add_test(tcase, nothing_ends_before_it_is_asked_again);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
