/* What the supervisor hands over as descriptors of small files: certificates, keys, authorities. */
#pragma once

#include <gnutls/gnutls.h>

/* The whole file behind a descriptor, from where it stands, NUL-terminated (at most 1 MiB). The
 * descriptor stays the caller's. 0 or a negative errno. */
int pem_file_read(int fd, gnutls_datum_t *out);
void pem_file_forget(gnutls_datum_t *datum); /* wipes and frees */
