/*
 * sink_conn.h - a stream to a host over TCP or TLS, for sinks whose peers
 * acknowledge nothing: what was written counts as delivered once the peer's
 * kernel has it and the peer has not closed.
 */
#ifndef SINK_CONN_H
#define SINK_CONN_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"
#include "sink.h"

struct sink_conn_plan { /* borrowed; outlives the connections */
	const char *host, *port;
	bool tls;
	const char *ca;         /* file; NULL: the system's */
	const char *cert, *key; /* ours, files; NULL: none */
	const char *name;       /* in the peer's certificate; NULL: host */
	const struct sink_stop *stop;
};

struct sink_conn;

/* sink_conn_check(plan, diag) - the files are there and fit. E_ARG. */
HSA_MUST_USE hsa_rc sink_conn_check(
    const struct sink_conn_plan *plan, struct hsa_diag *diag);
/*
 * sink_conn_open(c, plan, diag) - connect; with TLS (1.2 or later) the peer
 * must have a certificate for `name` that `ca` vouches for. Files are read
 * afresh. E_IO, E_TIMEOUT, E_AUTH (the certificates), E_ARG (the files).
 */
HSA_MUST_USE hsa_rc sink_conn_open(struct sink_conn **c,
    const struct sink_conn_plan *plan, struct hsa_diag *diag);
/*
 * sink_conn_send(c, p, n, diag) - all of it, and delivered. E_CLOSED, E_IO,
 * E_TIMEOUT: nobody knows how much arrived; c is of no more use.
 */
HSA_MUST_USE hsa_rc sink_conn_send(
    struct sink_conn *c, const void *p, size_t n, struct hsa_diag *diag);
void sink_conn_close(struct sink_conn *c);

#endif
