/*
 * col_loop.h - the collector at work: one thread, a poll loop, any number of
 * peers up to COL_PEERS. A peer that is slow, silent or hostile costs its own
 * connection and nothing else.
 */
#ifndef COL_LOOP_H
#define COL_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "col_hub.h"
#include "col_listen.h"
#include "col_tls.h"
#include "hsa_err.h"

struct sink_set;

#define COL_PEERS 64
#define COL_LISTEN_MAX 4

struct col_options {
	bool quiet;             /* no lines about what goes well */
	uint64_t once;          /* stop after so many records; 0: never */
	struct sink_set *sinks; /* woken after a sync; NULL: none */
	/* of tls: sockets; the files are read for each connection */
	struct col_tls_config tls;
};

/*
 * col_loop(hub, listen, n, opt) - until SIGTERM or SIGINT, or opt->once. SIGHUP
 * goes to the sinks, and ends TLS connections, so that units come back and meet
 * the certificates that there are now. All three, and SIGPIPE, must be blocked
 * by the caller. E_IO: storing failed, hub->why says why.
 */
HSA_MUST_USE hsa_rc col_loop(struct col_hub *hub, struct col_listen *l,
    size_t n, const struct col_options *opt);

#endif
