#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_call.h"
#include "stats.h"

#define NS_PER_S UINT64_C(1000000000)

void
stats_init(struct stats *s, uint64_t gap_ns)
{
	*s = (struct stats){.gap_ns = gap_ns};
	s->second.span_ns = NS_PER_S;
	s->minute.span_ns = 60 * NS_PER_S;
}

/* ---- time ---------------------------------------------------------------- */

static void
rate_add(struct stats_rate *r, uint64_t ns)
{
	uint64_t number = ns / r->span_ns;
	size_t at = (size_t)(number % STATS_SLOTS);

	if (r->number[at] != number) {
		r->number[at] = number;
		r->n[at] = 0;
	}
	if (++r->n[at] <= r->most)
		return;
	r->most = r->n[at];
	r->most_ns = number * r->span_ns;
}

static void
gap_add(struct stats *s, struct stats_gap g)
{
	size_t i = STATS_GAPS;

	s->gaps++;
	for (; i > 0 && s->gap[i - 1].ns < g.ns; i--)
		if (i < STATS_GAPS)
			s->gap[i] = s->gap[i - 1];
	if (i < STATS_GAPS)
		s->gap[i] = g;
}

static void
time_add(struct stats *s, uint64_t ns, uint64_t sequence)
{
	rate_add(&s->second, ns);
	rate_add(&s->minute, ns);
	if (s->events == 1)
		s->first_ns = s->last_ns = ns;
	if (ns > s->last_ns && ns - s->last_ns >= s->gap_ns)
		gap_add(s, (struct stats_gap){.ns = ns - s->last_ns,
			       .since_ns = s->last_ns,
			       .sequence = sequence});
	if (ns < s->first_ns)
		s->first_ns = ns;
	if (ns > s->last_ns)
		s->last_ns = ns;
}

/* ---- counts -------------------------------------------------------------- */

static const char *
or_none(const char *s)
{
	return s == NULL ? "" : s;
}

static hsa_rc
use_add(struct stats *s, const struct hsa_use *u, bool failed)
{
	const char *name = hsa_fn_text((enum hsa_fn)u->function);
	char text[24];
	hsa_rc rc;

	s->calls++;
	hist_add(&s->bytes_in, u->bytes_in);
	hist_add(&s->bytes_out, u->bytes_out);
	hist_add(&s->duration, u->duration_ns);
	(void)snprintf(text, sizeof(text), "fn=%" PRIu32, u->function);
	HSA_TRY(rc,
	    tally_add(&s->function, name == NULL ? text : name, 1, failed, 0));
	if (!hsa_use_has_mech(u))
		return HSA_OK;
	name = hsa_mech_text(u->mechanism);
	if (name == NULL) {
		(void)snprintf(text, sizeof(text), "0x%" PRIx64, u->mechanism);
		name = text;
	}
	rc = tally_add(&s->mechanism, name, 1, failed, 0);
out:
	return rc;
}

static hsa_rc
event_add(struct stats *s, const struct hsa_record *r)
{
	const struct hsa_event *ev = &r->event;
	bool failed =
	    ev->outcome != NULL && strcmp(ev->outcome, "failure") == 0;
	hsa_rc rc;

	s->events++;
	time_add(s, ev->event_time_ns, r->sequence);
	HSA_TRY(
	    rc, tally_add(&s->action, or_none(ev->action_name), 1, failed, 0));
	HSA_TRY(rc, tally_add(&s->outcome, or_none(ev->outcome), 1, 0, 0));
	HSA_TRY(rc, tally_add(&s->severity, or_none(ev->severity), 1, 0, 0));
	if (failed)
		HSA_TRY(rc, tally_add(&s->reason, or_none(ev->reason_failure),
				1, 0, 0));
	if (r->has_use)
		rc = use_add(s, &r->use, failed);
out:
	return rc;
}

/* Calls that left no event are told of by a special record. */
static hsa_rc
special_add(struct stats *s, const struct hsa_special *sp)
{
	const struct hsa_field *f = hsa_data_find(&sp->details, "calls");
	uint64_t calls =
	    f != NULL && f->kind == HSA_VALUE_INTEGER && f->integer > 0
		? (uint64_t)f->integer
		: 0;

	s->specials++;
	return tally_add(&s->special, or_none(sp->name), 1, 0, calls);
}

hsa_rc
stats_add(struct stats *s, const struct hsa_record *r, bool wanted)
{
	if (s->records++ == 0)
		s->first_sequence = r->sequence;
	s->last_sequence = r->sequence;
	if (s->epochs == 0 || r->epoch != s->epoch)
		s->epochs++;
	s->epoch = r->epoch;
	switch (r->body) {
	case HSA_BODY_SPECIAL:
		return special_add(s, &r->special);
	case HSA_BODY_CONTEXT:
		s->contexts++;
		return HSA_OK;
	case HSA_BODY_EVENT:
		return wanted ? event_add(s, r) : HSA_OK;
	case HSA_BODY_COMPACT: /* a reader never has one */
		break;
	}
	return HSA_RC(E_FORMAT);
}

hsa_rc
stats_merge(struct stats *to, const struct stats *from)
{
	hsa_rc rc;

	if (from->events != 0 &&
	    (to->events == 0 || from->first_ns < to->first_ns))
		to->first_ns = from->first_ns;
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	to->records += from->records;
	to->events += from->events;
	to->calls += from->calls;
	to->specials += from->specials;
	to->contexts += from->contexts;
	to->checkpoints += from->checkpoints;
	to->epochs += from->epochs;
	to->damaged = to->damaged || from->damaged;
	hist_merge(&to->bytes_in, &from->bytes_in);
	hist_merge(&to->bytes_out, &from->bytes_out);
	hist_merge(&to->duration, &from->duration);
	HSA_TRY(rc, tally_merge(&to->action, &from->action));
	HSA_TRY(rc, tally_merge(&to->outcome, &from->outcome));
	HSA_TRY(rc, tally_merge(&to->severity, &from->severity));
	HSA_TRY(rc, tally_merge(&to->function, &from->function));
	HSA_TRY(rc, tally_merge(&to->mechanism, &from->mechanism));
	HSA_TRY(rc, tally_merge(&to->reason, &from->reason));
	rc = tally_merge(&to->special, &from->special);
out:
	return rc;
}

void
stats_end(struct stats *s)
{
	tally_sort(&s->action);
	tally_sort(&s->outcome);
	tally_sort(&s->severity);
	tally_sort(&s->function);
	tally_sort(&s->mechanism);
	tally_sort(&s->reason);
	tally_sort(&s->special);
}

void
stats_free(struct stats *s)
{
	tally_free(&s->action);
	tally_free(&s->outcome);
	tally_free(&s->severity);
	tally_free(&s->function);
	tally_free(&s->mechanism);
	tally_free(&s->reason);
	tally_free(&s->special);
}
