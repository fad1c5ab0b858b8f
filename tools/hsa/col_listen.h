/*
 * col_listen.h - the collector's listening unix socket: 0600, paths of any
 * length, a stale file of a dead collector replaced, that of a live one not.
 */
#ifndef COL_LISTEN_H
#define COL_LISTEN_H
#include <sys/types.h>
#include "hsa_err.h"

struct col_listen {
	int fd, folder; /* -1: closed */
	char *name;     /* in folder */
	ino_t ino;
};

/*
 * col_listen_open(l, address, diag) - address "unix:PATH". E_ARG: another
 * form; E_BUSY: somebody listens there; E_EXISTS: the path is no socket.
 */
HSA_MUST_USE hsa_rc col_listen_open(
    struct col_listen *l, const char *address, struct hsa_diag *diag);
/* Closes, and removes the socket file if it is still ours. */
void col_listen_close(struct col_listen *l);

#endif
