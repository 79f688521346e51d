/* Descriptors: ownership on locals and the few set-ups used everywhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void fd_close(int *fd); /* closes when >= 0 and sets -1; errno is kept */
#define FD_AUTO __attribute__((cleanup(fd_close)))

int fd_nonblocking(int fd);      /* 0 or a negative errno */
int fd_nodelay(int fd);          /* TCP_NODELAY (RFC 9293 section 3.7.4 names Nagle); 0 or -errno */
int fd_cloexec(int fd, bool on); /* 0 or a negative errno */
/* A TCP peer whose machine does not answer for `seconds`, or takes nothing of what it is sent for
 * so long, is lost (ETIMEDOUT); without traffic it is asked (RFC 1122 section 4.2.3.6, RFC 5482).
 * On another kind of socket nothing happens. */
void fd_lost_after(int fd, unsigned seconds);
/* A TCP socket takes more only while fewer than `bytes` wait in it that have not been sent yet
 * (TCP_NOTSENT_LOWAT, tcp(7)); what is under way does not count, so a long line stays full. On
 * another kind of socket nothing happens. */
void fd_unsent_most(int fd, unsigned bytes);
/* The kernel keeps no more than `bytes` that have come and have not been read, and does not make
 * that more by itself (SO_RCVBUF, socket(7)): the peer waits instead. */
void fd_unread_most(int fd, int bytes);
/* Writes all of it to a blocking descriptor. 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t size);
