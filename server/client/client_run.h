/* The tunnel client at work: sign-in, listening, the RDP client, signals, the end. */
#pragma once

#include "client_options.h"

/* Runs until told to end. An exit code. */
int client_run(const struct client_options *options);
