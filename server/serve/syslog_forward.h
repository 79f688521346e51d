/* The process that hands the audit log to a syslog receiver: it gets whole messages from the keeper
 * (keeper/audit_forward.h) and holds nothing else, so what the receiver sends reaches no secret.
 * One connection for one life: when it is lost the process ends, and the supervisor starts another
 * one. */
#pragma once

struct cli;

/* The hidden verb: CONF CHANNEL, both descriptors. An exit code. */
int syslog_forward_verb(struct cli *cli, int argc, char **argv);
