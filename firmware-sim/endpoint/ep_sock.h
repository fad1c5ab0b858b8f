/*
 * ep_sock.h - unix sockets at paths of any length, and bytes over them by a
 * deadline. sun_path holds 107 bytes; longer paths are reached through the
 * folder's descriptor, /proc/self/fd/N/name.
 */
#ifndef EP_SOCK_H
#define EP_SOCK_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "hsa_err.h"

/*
 * ep_sock_listen(fd, path, diag) - listening stream socket, mode 0600,
 * non-blocking. A socket that lies there is replaced (hold a lock that says
 * nobody serves it); anything else there is E_EXISTS.
 */
HSA_MUST_USE hsa_rc ep_sock_listen(
    int *fd, const char *path, struct hsa_diag *diag);
/* ep_sock_connect(fd, path, timeout_ms, diag) - E_CLOSED when nobody serves
 * it, E_TIMEOUT when its queue stays full. */
HSA_MUST_USE hsa_rc ep_sock_connect(
    int *fd, const char *path, int timeout_ms, struct hsa_diag *diag);
/* ep_sock_peer(uid, fd) - who connected. E_AUTH when the kernel cannot say. */
HSA_MUST_USE hsa_rc ep_sock_peer(uid_t *uid, int fd);

/* Milliseconds of a clock that never goes back. */
uint64_t ep_sock_now(void);
/*
 * ep_sock_write(fd, p, n, deadline) - all of it; ep_sock_read(fd, p, n, got,
 * deadline) - at least one byte. deadline: a time of ep_sock_now, 0 for none.
 * E_CLOSED at the peer's end, E_TIMEOUT.
 */
HSA_MUST_USE hsa_rc ep_sock_write(
    int fd, const void *p, size_t n, uint64_t deadline);
HSA_MUST_USE hsa_rc ep_sock_read(
    int fd, void *p, size_t n, size_t *got, uint64_t deadline);

#endif
