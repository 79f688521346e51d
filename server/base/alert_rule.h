/* What the gateway can raise an alert about; the words of [alerts] rules and of the command line.
 */
#pragma once

enum alert_rule {
    ALERT_USER_FAILURES,          /* many failed sign-ins of one person … */
    ALERT_ADDRESS_FAILURES,       /* … or from one address */
    ALERT_NEW_NETWORK,            /* a person signed in from where they never did */
    ALERT_SUCCESS_AFTER_FAILURES, /* signed in after many failures */
    ALERT_CERTIFICATE_CHANGED,    /* a desktop's is another, or not to be trusted */
    ALERT_AUDIT_BROKEN,           /* the chain of the audit log does not hold */
    ALERT_CERTIFICATE_EXPIRY,     /* the gateway's own ends soon */
    ALERT_GATE_DROPPED,           /* the gate broke the rules: it may be in foreign hands */
    ALERT_RULES
};

const char *alert_rule_name(unsigned rule);  /* "user_failures", … */
const char *alert_rule_words(unsigned rule); /* what it is about, for lists */
int alert_rule_find(const char *name);       /* -1: none */
