/*
 * sink.h - where a collector sends on what it has stored. A kind of sink is a
 * row of sink_kinds: the scheme of its address and a struct of functions. Each
 * sink has a thread of its own that reads the collector's copies, so a sink
 * that is slow or dead costs disk and nothing else (sink_run.h).
 *
 * One contract holds for all kinds: a record is passed over only when the
 * sink has it for good, so a crash repeats records rather than loses them;
 * how far a kind keeps repeats away is said at its row.
 */
#ifndef SINK_H
#define SINK_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"
#include "sink_options.h"
#include "sink_uri.h"
#include "vfy_find.h"

/* a unit's id, with ".number" for a later log of it: a copy's subfolder */
#define SINK_UNIT_TEXT VFY_LOG_NAME
#define SINK_BATCH_RECORDS 8192u
#define SINK_BATCH_BYTES (4u * 1024u * 1024u) /* stored bytes, not rendered */

struct hsa_buf;

/* When work has to end: set once, by whoever stops the collector. */
struct sink_stop {
	atomic_bool asked;
	_Atomic int64_t deadline; /* sink_now_ms; once asked */
};
int64_t sink_now_ms(void); /* CLOCK_MONOTONIC */
/* sink_stop_now(s) - asked, and the time to drain is over. */
bool sink_stop_now(const struct sink_stop *s);

struct sink_config {     /* what a sink is opened with; all borrowed */
	const char *dir; /* the collector's folder; cursors lie in it */
	const struct sink_uri *uri;
	const struct sink_options *kafka;
	const struct sink_stop *stop;
};

struct sink_kind {
	const char *scheme;
	bool exact;          /* a restart repeats nothing (kill -9) */
	const char *formats; /* allowed values of ?format=, the default first */
	const char *params;  /* of the address, separated by blanks */
	/*
	 * open(ctx, cfg, diag) - check the address and what it names; connects
	 * to nothing, so that a collector starts while a peer is away. E_ARG,
	 * E_IO: the collector does not start.
	 */
	hsa_rc (*open)(
	    void **ctx, const struct sink_config *cfg, struct hsa_diag *diag);
	/*
	 * resume(ctx, next, unit, diag) - be ready, and say the sequence of the
	 * first record of this unit that the sink does not have. Called before
	 * the first put and after each failed one; may block for seconds.
	 * Any error: asked again later. E_STATE: never again for this unit.
	 */
	hsa_rc (*resume)(
	    void *ctx, uint64_t *next, const char *unit, struct hsa_diag *diag);
	/*
	 * add(ctx, unit, r, raw, n) - one more record for the batch; r
	 * complete, raw the stored bytes. Only renders. Any error: as a failed
	 * put.
	 */
	hsa_rc (*add)(void *ctx, const char *unit, const struct hsa_record *r,
	    const void *raw, size_t n);
	/*
	 * put(ctx, unit, first, next, diag) - deliver what was added, which are
	 * the unit's records from first up to next (those the format has
	 * nothing for among them), and move the cursor to next. On failure the
	 * batch is forgotten. Blocks at most some seconds; gives up when stop
	 * says so.
	 */
	hsa_rc (*put)(void *ctx, const char *unit, uint64_t first,
	    uint64_t next, struct hsa_diag *diag);
	void (*drop)(void *ctx);   /* forget what was added */
	void (*reopen)(void *ctx); /* SIGHUP: files and keys afresh */
	void (*close)(void *ctx);
};

extern const struct sink_kind sink_file, sink_stdout, sink_syslog_tcp,
    sink_syslog_tls, sink_kafka;

/* sink_kind_of(scheme) - or NULL. */
const struct sink_kind *sink_kind_of(const char *scheme);

#endif
