/*
 * Local sockets (unix(7)): streams between programs of one host, by a path.
 *
 * For net.h, whose listeners and connections may have a path for an address, and for
 * ctl.h.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * A listening socket that does not block, at @path, of mode @mode.  What a server that is
 * gone left there goes; one that still answers keeps its place: -EADDRINUSE.  A file that
 * is no socket stays: -EEXIST.  The descriptor, or -errno.
 */
int local_listen(const char *path, mode_t mode, int backlog);
/* A connected socket that does not block, or -errno; -EAGAIN: too many wait there. */
int local_connect(const char *path);
/* Who the other end was when it connected, or began to listen.  0 or -errno. */
int local_peer_uid(int fd, uint32_t *uid);
