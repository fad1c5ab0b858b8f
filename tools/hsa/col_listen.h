/*
 * col_listen.h - a listening socket of the collector. unix: 0600, paths of any
 * length, a stale file of a dead collector replaced, that of a live one not.
 * tls: a TCP port; a name listens on its first address.
 */
#ifndef COL_LISTEN_H
#define COL_LISTEN_H
#include <stdbool.h>
#include <sys/types.h>
#include "hsa_buf.h"
#include "hsa_err.h"

struct col_listen {
	int fd, folder; /* -1: closed */
	bool tls;
	char *name; /* in folder */
	ino_t ino;
	struct hsa_buf address; /* as it can be connected to */
};

/*
 * col_listen_open(l, address, diag) - address: see hsa_addr.h; port 0 is any
 * that is free. E_ARG: another form; E_BUSY: somebody listens there; E_EXISTS:
 * the path is no socket.
 */
HSA_MUST_USE hsa_rc col_listen_open(
    struct col_listen *l, const char *address, struct hsa_diag *diag);
/* Closes, and removes the socket file if it is still ours. */
void col_listen_close(struct col_listen *l);

#endif
