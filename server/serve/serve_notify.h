/* Tells systemd (sd_notify(3)'s protocol, by hand: it is one datagram) how far we are. */
#pragma once

/* "READY=1", "STOPPING=1", …; nothing happens without NOTIFY_SOCKET. */
void serve_notify(const char *state);
