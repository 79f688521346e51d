/* Between a TLS stream and its socket: many records per recv() and per send(), by way of the loop's
 * scratch. Private to relay/.
 *
 * What a recv() brought stands in scratch->in from in_at to in_size while the stream owns the
 * scratch, else in tls->in. */
#pragma once

#include "scratch.h"
#include "stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Makes the scratch this stream's, with what was kept for it. 0 or -ENOMEM. */
int stream_tls_io_claim(struct stream_tls *tls);
/* One recv() behind what is there, into the claimed scratch. > 0; 0: the end (tls->gone); or a
 * negative errno. */
ssize_t stream_tls_io_receive(struct stream_tls *tls);
/* A whole record waits, or a header that none begins with. */
bool stream_tls_io_whole(const struct stream_tls *tls);
/* Forgets all that came. */
void stream_tls_io_forget(struct stream_tls *tls);

/* Sends what stands in scratch->out, behind what was refused before; keeps what the socket refuses.
 * 0, -ENOMEM or the socket's error. */
int stream_tls_io_send(struct stream_tls *tls);
/* Sends what was kept. 0: nothing waits; -EAGAIN; or the socket's error. */
int stream_tls_io_flush(struct stream_tls *tls);
