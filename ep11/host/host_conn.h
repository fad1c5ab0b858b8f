/*
 * host_conn.h - one connection to a unit's socket, and one exchange at a time
 * over it (FORMAT section 7).
 */
#ifndef HOST_CONN_H
#define HOST_CONN_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_unit.h"

struct host_conn {
	int fd;
	struct hsa_buf out, in;          /* kept from exchange to exchange */
	struct host_conn *next, *before; /* of the unit's list */
};

uint64_t host_conn_now(void); /* milliseconds, never going back */

/*
 * host_conn_open(c, path, deadline) - E_CLOSED: nobody serves it, E_TIMEOUT,
 * E_AUTH: not ours, E_NOMEM.
 * host_conn_free(c) - NULL-safe.
 */
HSA_MUST_USE hsa_rc host_conn_open(
    struct host_conn **c, const char *path, uint64_t deadline);
void host_conn_free(struct host_conn *c);

/* host_conn_alive(c) - false: the unit hung up, or sent what nobody asked. */
bool host_conn_alive(const struct host_conn *c);

/*
 * host_conn_ask(c, r, q, sent, deadline) - q is sent, r received. sent: out,
 * whether all of q was; a unit carries out nothing of which it did not get the
 * last byte. After any error but E_RANGE and E_ARG (q cannot be sent) the
 * connection is good for nothing.
 */
HSA_MUST_USE hsa_rc host_conn_ask(struct host_conn *c, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q, bool *sent, uint64_t deadline);

#endif
