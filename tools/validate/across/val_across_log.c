#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_event.h"
#include "val_across_log.h"

#define NS INT64_C(1000000000)

struct offset { /* from the clock since start to the wall clock */
	bool known;
	int64_t by;
	uint64_t at; /* of the former */
};

struct log {
	bool known; /* a record of it, the one before */
	uint64_t sequence, epoch, era;
	bool has_boot; /* of this epoch */
	uint64_t boot; /* the latest, of records of the outbox */
	struct offset now;
	/* there was a CLOCK_STEP, and the offset before it */
	bool stepped;
	uint64_t step_at;
	struct offset before;
	bool missed; /* there may have been one that the input does not show */
	/* record 0 may be that of a log after a damaged one, which the next
	 * record says (FORMAT.md V11); then these are no findings */
	bool maybe_chain, went_back;
	uint64_t back_from, first_epoch;
};

static void
clocks_unknown(struct log *l)
{
	l->has_boot = l->stepped = l->missed = false;
	l->now.known = l->before.known = false;
}

/* ---- sequence and epoch -------------------------------------------------- */

static void
gap(struct log *l, uint64_t *unread, const struct val_envelope *env,
    struct val_report *r)
{
	uint64_t missing = env->sequence - l->sequence - 1;

	l->era++;
	l->missed = true;
	if (missing <= *unread) {
		*unread -= missing;
		return;
	}
	if (missing == 1)
		val_find_at(r, VAL_E20, "sequence",
		    "record %" PRIu64 " is missing before it", l->sequence + 1);
	else
		val_find_at(r, VAL_E20, "sequence",
		    "%" PRIu64 " records are missing before it: %" PRIu64
		    " to %" PRIu64,
		    missing, l->sequence + 1, env->sequence - 1);
}

/* FORMAT.md V5. */
static void
epoch(struct log *l, const struct val_envelope *env, struct val_report *r,
    bool follows)
{
	if (env->epoch == l->epoch)
		return;
	if (env->epoch < l->epoch)
		val_find_at(r, VAL_E20, "epoch",
		    "goes back from %" PRIu64 " to %" PRIu64, l->epoch,
		    env->epoch);
	else if (follows && (env->epoch != l->epoch + 1 || !env->special ||
				strcmp(env->name, "UNIT_START") != 0))
		val_find_at(r, VAL_E20, "epoch",
		    "changes from %" PRIu64 " to %" PRIu64
		    "; the next one begins with a record UNIT_START",
		    l->epoch, env->epoch);
	clocks_unknown(l);
}

static void
tell_begin(const struct log *l, struct val_report *r, uint64_t sequence)
{
	if (l->went_back)
		val_find_at(r, VAL_E20, "sequence",
		    "goes back from %" PRIu64 " to %" PRIu64, l->back_from,
		    sequence);
	if (sequence == 0 && l->first_epoch != 1)
		val_find_at(r, VAL_E20, "epoch",
		    "of the first record of a log is 1, not %" PRIu64,
		    l->first_epoch);
}

/* A log begins here, or what was there comes again. */
static void
begins(struct log *l, const struct val_envelope *env, struct val_report *r)
{
	l->went_back = l->known;
	l->back_from = l->sequence;
	l->first_epoch = env->epoch;
	if (l->known) {
		l->era++;
		/* what is told again may be of any epoch */
		clocks_unknown(l);
	}
	l->known = false;
	l->maybe_chain = env->sequence == 0 && env->special &&
			 strcmp(env->name, "SEGMENT_OPENED") == 0;
	if (!l->maybe_chain)
		tell_begin(l, r, env->sequence);
}

/* False: it is the one before, once more. */
static bool
place(struct log *l, uint64_t *unread, const struct val_envelope *env,
    struct val_report *r)
{
	bool follows = l->known && env->sequence == l->sequence + 1;

	if (l->known && env->sequence == l->sequence) {
		val_find_at(r, VAL_E20, "sequence",
		    "%" PRIu64 " is there twice", env->sequence);
		return false;
	}
	if (l->known && env->sequence > l->sequence + 1)
		gap(l, unread, env, r);
	if (l->maybe_chain &&
	    (!follows || !env->special || strcmp(env->name, "NEW_CHAIN") != 0))
		tell_begin(l, r, 0);
	l->maybe_chain = false;
	if (!l->known || env->sequence < l->sequence)
		begins(l, env, r);
	else
		epoch(l, env, r, follows);
	l->known = true;
	l->sequence = env->sequence;
	l->epoch = env->epoch;
	return true;
}

/* ---- clocks -------------------------------------------------------------- */

/* Times are whatever a line says, so their differences may wrap. */
static int64_t
apart(const struct offset *o, int64_t by)
{
	return (int64_t)((uint64_t)by - (uint64_t)o->by);
}

/* What FORMAT.md lets a clock be corrected by without a record, and a second
 * between its two readings. */
static bool
fits(const struct offset *o, int64_t by, uint64_t at)
{
	uint64_t since = at > o->at ? at - o->at : 0;
	int64_t bound = 2 * NS + (int64_t)(since / 1000);

	return o->known && apart(o, by) <= bound && apart(o, by) >= -bound;
}

/* The record of a step leads its batch, in which some may have been made
 * before: no later than that. */
static bool
before_step(const struct log *l, int64_t by, uint64_t at)
{
	return l->stepped && at <= l->step_at &&
	       (!l->before.known || fits(&l->before, by, at));
}

static void
wall(struct log *l, const struct val_envelope *env, struct val_report *r)
{
	int64_t by = (int64_t)(env->wall_ns - env->mono_ns);
	bool outbox = env->source == HSA_SOURCE_OUTBOX;
	struct offset is = {true, by, env->mono_ns};

	if (env->special && strcmp(env->name, "CLOCK_STEP") == 0) {
		l->before = l->now;
		l->stepped = true;
		l->step_at = env->mono_ns;
		l->now = is;
		l->missed = false;
	} else if (fits(&l->now, by, env->mono_ns)) {
		l->now = is;
	} else if (outbox && !l->now.known) {
		l->now = is;
		l->missed = strcmp(env->name, "UNIT_START") != 0;
	} else if (outbox && !before_step(l, by, env->mono_ns)) {
		if (!l->missed)
			val_find_at(r, VAL_E20, "time",
			    "the wall clock was set by %+.3f s, and no record "
			    "CLOCK_STEP says so",
			    ((double)by - (double)l->now.by) / (double)NS);
		l->now = is;
		l->missed = false;
	}
}

/* Calls take long, and the log's own records are as old as the batch: of the
 * outbox alone the times are in order. */
static void
boot(struct log *l, const struct val_envelope *env, struct val_report *r)
{
	uint64_t at = env->mono_ns;

	if (env->source != HSA_SOURCE_OUTBOX)
		return;
	if (l->has_boot && at < l->boot && l->boot - at > VAL_LOG_LATE)
		val_find_at(r, VAL_E20, "bootTime",
		    "goes back by %.3f s within an epoch",
		    (double)(l->boot - at) / (double)NS);
	if (!l->has_boot || at > l->boot)
		l->boot = at;
	l->has_boot = true;
}

/* ---- one record ---------------------------------------------------------- */

static void
lacks(const struct val_envelope *env, struct val_report *r)
{
	static const struct {
		const char *name, *what;
	} says[] = {
	    {"LOST_EVENTS", "calls were refused that left no record"},
	    {"RING_LOST", "calls were carried out whose records are lost"},
	    {"EMISSION_OFF", "EP11 calls leave no record from here on"},
	    {"NEW_CHAIN", "the log before this one was corrupt"},
	};
	size_t i;

	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (strcmp(env->name, says[i].name) == 0)
			val_find_at(r, VAL_W09, "special.name",
			    "%s, record %" PRIu64 ": %s", env->name,
			    env->sequence, says[i].what);
}

hsa_rc
val_log_record(struct val_target *t, struct val_log_word *w, uint64_t *unread,
    const struct val_envelope *env, struct val_report *r)
{
	struct log *l = t->detail;

	if (l == NULL)
		l = t->detail = calloc(1, sizeof(*l));
	if (l == NULL)
		return HSA_RC(E_NOMEM);
	w->again = false;
	if (env->epoch == 0 || env->source == 0) {
		/* told by E36: what it is, nobody knows */
		l->known = false;
		clocks_unknown(l);
		l->era++;
	} else if (place(l, unread, env, r)) {
		boot(l, env, r);
		wall(l, env, r);
		if (env->special)
			lacks(env, r);
	} else {
		w->again = true;
	}
	w->era = val_hash(env->unit_id, sizeof(env->unit_id), l->era) | 1;
	return HSA_OK;
}
