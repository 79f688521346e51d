#include "alert_rule.h"

#include <string.h>

static const struct {
    const char *name, *words;
} rules[ALERT_RULES] = {
    [ALERT_USER_FAILURES] = {"user_failures", "many failed sign-ins of one person"},
    [ALERT_ADDRESS_FAILURES] = {"address_failures", "many failed sign-ins from one address"},
    [ALERT_NEW_NETWORK] = {"new_network", "a person signed in from a network not seen before"},
    [ALERT_SUCCESS_AFTER_FAILURES] = {"success_after_failures",
                                      "a person signed in after many failures"},
    [ALERT_CERTIFICATE_CHANGED] = {"certificate_changed",
                                   "a desktop shows another certificate, or an untrusted one"},
    [ALERT_AUDIT_BROKEN] = {"audit_broken", "the chain of the audit log does not hold"},
    [ALERT_CERTIFICATE_EXPIRY] = {"certificate_expiry", "the gateway's certificate ends soon"},
    [ALERT_GATE_DROPPED] = {"gate_dropped",
                            "the process that strangers reach broke the keeper's rules"},
};

const char *alert_rule_name(unsigned rule)
{
    return rule < ALERT_RULES ? rules[rule].name : "unknown";
}

const char *alert_rule_words(unsigned rule)
{
    return rule < ALERT_RULES ? rules[rule].words : "";
}

int alert_rule_find(const char *name)
{
    for (int i = 0; i < ALERT_RULES; i++) {
        if (strcmp(rules[i].name, name) == 0)
            return i;
    }
    return -1;
}
