/*
 * stats.h - what a log's records come to: how many of what, how fast, where
 * nothing came. Takes one record after the other and keeps a fixed amount of
 * memory, however long the log. Times are those of the events, to which the
 * wall clock of the unit put its hand.
 */
#ifndef STATS_H
#define STATS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hist.h"
#include "hsa_event.h"
#include "tally.h"

#define STATS_GAPS 5 /* the longest are kept */
#define STATS_SLOTS                                                            \
	16u /* spans that may be open at once: events of two sources           \
	       do not come exactly in order of time */

struct stats_gap {
	uint64_t ns;       /* how long */
	uint64_t since_ns; /* from when on */
	uint64_t sequence; /* of the event that ends it */
};

/* The most events in one span of time, by the clock: seconds begin at seconds.
 */
struct stats_rate {
	uint64_t span_ns;
	uint64_t number[STATS_SLOTS], n[STATS_SLOTS]; /* of spans still open */
	uint64_t most, most_ns; /* and when that span began */
};

struct stats {
	uint64_t records, events, calls, specials, contexts, checkpoints;
	uint64_t epochs, epoch;
	uint64_t first_ns, last_ns; /* of events; the latest, not the last */
	uint64_t first_sequence, last_sequence;
	uint64_t gap_ns; /* what counts as one; set by the caller */
	uint64_t gaps;
	struct stats_gap gap[STATS_GAPS]; /* longest first */
	struct stats_rate second, minute;
	struct tally action, outcome, severity, function, mechanism, reason;
	struct tally special; /* weight: of their details.calls */
	struct hist bytes_in, bytes_out, duration;
	bool damaged;
};

/* stats_init(s, gap_ns).
 * stats_add(s, r, wanted) - the next record of the log, expanded; when it is
 * not wanted, only what a log is counted by: records, specials, contexts,
 * epochs. E_NOMEM.
 * stats_merge(to, from) - counts and distributions; of rates and gaps, which
 * are a log's own, nothing. E_NOMEM.
 * stats_end(s) - after the last: sorts. stats_free: repeatable. */
void stats_init(struct stats *s, uint64_t gap_ns);
HSA_MUST_USE hsa_rc stats_add(
    struct stats *s, const struct hsa_record *r, bool wanted);
HSA_MUST_USE hsa_rc stats_merge(struct stats *to, const struct stats *from);
void stats_end(struct stats *s);
void stats_free(struct stats *s);

struct hsa_buf;
struct hsa_jw;
/* stats_text(b, s, name, top) - for people; at most top rows of a table that
 * may be long. name NULL: of all logs. stats_json(w, s, name) - an object. */
void stats_text(
    struct hsa_buf *b, const struct stats *s, const char *name, size_t top);
void stats_json(struct hsa_jw *w, const struct stats *s, const char *name);

#endif
