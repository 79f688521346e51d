#include "pem_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MOST (1U << 20) /* a chain of certificates is a few kilobytes */

int pem_file_read(int fd, gnutls_datum_t *out)
{
    uint8_t *data = malloc(PEM_MOST + 1);
    if (!data)
        return -ENOMEM;
    size_t size = 0;
    while (size < PEM_MOST) {
        ssize_t got = read(fd, data + size, PEM_MOST - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int error = -errno;
            explicit_bzero(data, size);
            free(data);
            return error;
        }
        if (got == 0)
            break;
        size += (size_t)got;
    }
    data[size] = '\0';
    *out = (gnutls_datum_t){.data = data, .size = (unsigned)size};
    return 0;
}

void pem_file_forget(gnutls_datum_t *datum)
{
    if (datum->data)
        explicit_bzero(datum->data, datum->size);
    free(datum->data);
    *datum = (gnutls_datum_t){0};
}
