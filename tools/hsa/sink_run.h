/*
 * sink_run.h - the sinks of a collector at work: one thread each, which reads
 * the copies below the collector's folder by a cursor of its own. The
 * collector's loop only wakes them and never waits for them.
 *
 * A sink that fails is tried again, later and later up to half a minute, for
 * ever; it is said once on standard error, once a minute while it lasts, and
 * when it is over. What it misses stays in the copy.
 */
#ifndef SINK_RUN_H
#define SINK_RUN_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"
#include "sink.h"

#define SINK_MAX 8
#define SINK_DRAIN_MS 10000 /* at the end, for what was stored already */

struct sink_set;

struct sink_set_config { /* borrowed until sink_set_open returns, but dir */
	const char *dir; /* collector's folder; outlives the set */
	const char *const *unit; /* ids as text: the folders' names */
	size_t units;
	const char *const *address;
	size_t addresses;
	const struct sink_options *kafka; /* outlives the set */
	bool quiet;                       /* say only what goes wrong */
};

/*
 * sink_set_open(s, cfg, diag) - check all addresses, load the cursors. E_ARG:
 * an address is wrong, or two are the same. No addresses: an empty set.
 */
HSA_MUST_USE hsa_rc sink_set_open(struct sink_set **s,
    const struct sink_set_config *cfg, struct hsa_diag *diag);
/* sink_set_start(s, diag) - the threads; they take no signal that the caller
 * has blocked, nor SIGPIPE. */
HSA_MUST_USE hsa_rc sink_set_start(struct sink_set *s, struct hsa_diag *diag);
/* sink_set_uses_stdout(s) - standard output belongs to a sink. */
bool sink_set_uses_stdout(const struct sink_set *s);
/* From the collector's thread; NULL is an empty set. */
void sink_set_wake(struct sink_set *s);   /* something was stored */
void sink_set_reopen(struct sink_set *s); /* SIGHUP */
/* sink_set_close(s) - deliver what is stored, for SINK_DRAIN_MS at most; say
 * what was delivered; free. */
void sink_set_close(struct sink_set *s);

#endif
