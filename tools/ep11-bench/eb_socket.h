/*
 * eb_socket.h - the embedded unit behind a socket, as cryptounitd serves it:
 * a thread that reads requests, has the unit answer them, and writes replies.
 * So the way over the wire is measured on the same unit, in the same run.
 */
#ifndef EB_SOCKET_H
#define EB_SOCKET_H
#include <pthread.h>
#include "cryptounit.h"
#include "hsa_buf.h"

struct eb_socket {
	struct cryptounit *u;
	int fd[2]; /* ours, the server's */
	pthread_t server;
	bool running;
	struct hsa_buf buf; /* request, then reply */
};

/* eb_socket_open(s, u, diag) - into a zeroed struct. eb_socket_close:
 * repeatable.
 * eb_socket_call(s, c, caller) - one call over the socket, its reply in c;
 * one thread at a time. */
HSA_MUST_USE hsa_rc eb_socket_open(
    struct eb_socket *s, struct cryptounit *u, struct hsa_diag *diag);
void eb_socket_close(struct eb_socket *s);
HSA_MUST_USE hsa_rc eb_socket_call(
    struct eb_socket *s, struct hsa_call *c, const struct hsa_caller *caller);

#endif
