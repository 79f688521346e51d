/* "deskgate upgrade": asks the running gateway to let the program that is installed now take over
 * (serve_heirs.h), and waits for the answer. */
#pragma once

struct cli;

int upgrade_verb(struct cli *cli, int argc, char **argv);
