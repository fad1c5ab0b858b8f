/*
 * col_conn.h - the socket of one connection of a collector: unix, or TCP with
 * TLS on it. Knows bytes, not what they say.
 */
#ifndef COL_CONN_H
#define COL_CONN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "col_tls.h"
#include "hsa_buf.h"
#include "hsa_err.h"

struct col_conn {
	int fd;                /* -1: none */
	struct col_tls *tls;   /* NULL: a unix socket */
	bool shaken;           /* TLS is there, bytes may pass */
	bool over;             /* said goodbye; only waits for the peer's */
	int read_on, write_on; /* of poll, when TLS wants others; 0: usual */
	size_t sent;           /* of out, see col_conn_send */
	int64_t ends;          /* of the certificates, s since 1970 */
};

/* col_conn_open(c, fd, tls, diag) - takes fd, also on failure; tls NULL: a
 * unix socket. col_conn_close(c). */
HSA_MUST_USE hsa_rc col_conn_open(struct col_conn *c, int fd,
    const struct col_tls_config *tls, struct hsa_diag *diag);
void col_conn_close(struct col_conn *c);

/* col_conn_events(c, in, out) - for poll, when bytes are wanted or waiting.
 * col_conn_can_read(c, revents) - then call one of the next two. */
int col_conn_events(const struct col_conn *c, bool in, bool out);
bool col_conn_can_read(const struct col_conn *c, int revents);

/* col_conn_shake(c) - go on with the handshake. E_BUSY: not done yet. */
HSA_MUST_USE hsa_rc col_conn_shake(struct col_conn *c);

/* col_conn_recv(c, got, p, n) - what is there, n at least COL_TLS_RECORD.
 * E_BUSY: nothing; E_CLOSED, E_IO with col_conn_why(c). */
HSA_MUST_USE hsa_rc col_conn_recv(
    struct col_conn *c, size_t *got, void *p, size_t n);
/* col_conn_send(c, out) - as much as the peer takes; out is empty when all is
 * gone. E_CLOSED, E_IO. col_conn_unsent(c, out). */
HSA_MUST_USE hsa_rc col_conn_send(struct col_conn *c, struct hsa_buf *out);
size_t col_conn_unsent(const struct col_conn *c, const struct hsa_buf *out);

/* col_conn_goodbye(c) - nothing more will be sent. A TCP socket that is closed
 * with bytes unread would take back what the peer has not read either: true,
 * when the peer's end is to be waited for. */
bool col_conn_goodbye(struct col_conn *c);
const char *col_conn_why(const struct col_conn *c);

#endif
