/*
 * chan.h - a unit's audit channel to one collector: connects, says Hello,
 * learns from Resume where to go on, sends what is sealed, advances its cursor
 * on Ack alone. A dead or slow collector costs nothing but disk: the thread
 * tries again, 50 ms doubling to 2 s; at once with 2 s after an error that will
 * not go away by itself (a refusal, an Ack of what was never sent), which
 * stays in the status until a good Ack.
 */
#ifndef CHAN_H
#define CHAN_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_unit.h"
#include "slog.h"

struct chan;

struct chan_health {
	uint32_t status; /* 0, or what callers are told: 507, 503 */
	uint64_t lost;   /* refused without a record */
	char text[256];
};

struct chan_config {
	const char *name;    /* of the collector, for status */
	const char *address; /* hsa_addr.h */
	const char *origin;
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t epoch;
	/* for tls: alone, see chan_tls.h. Files are read for each connection */
	const char *tls_ca, *tls_identity;
	const char *tls_name; /* the collector's certificate is for */
	int pause_max_ms;     /* longest pause between attempts; 0: 2 s */
	int hello_ms; /* to connect, for TLS, for the answer to Hello; 0: 10 s
		       */
	/* NULL, or how the unit is, asked each second: told to the collector
	 * when it has changed (C9). status 0: it works */
	void (*health)(void *ctx, struct chan_health *h);
	void *health_ctx;
	int stall_ms; /* without progress while an Ack is due; 0: 30 s */
};

/* chan_start(c, cfg, l) - starts the sending thread; strings are copied.
 * E_UNSUPPORTED: no such scheme; E_ARG: the address is none to connect to, or
 * a tls: one without its files and name.
 * chan_renew(c) - with TLS, end the connection and make another one, with the
 * files as they are now.
 * chan_stop(c) - waits at most drain_ms for the collector to acknowledge all,
 * then ends the thread and frees c; NULL-safe. */
HSA_MUST_USE hsa_rc chan_start(
    struct chan **c, const struct chan_config *cfg, struct slog *l);
void chan_renew(struct chan *c);
void chan_stop(struct chan *c, int drain_ms);
void chan_status(struct chan *c, struct hsa_collector_status *st);

#endif
