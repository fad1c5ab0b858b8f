/*
 * val_across.h - rules over events together: what the events of one crypto
 * unit, of one key, of one sealed log say to each other, in the order of the
 * input. Nothing is
 * guessed: an input may begin anywhere, and what it did not show is unknown.
 * A failure changes nothing.
 *
 * Order comes from the input. Events whose eventTime goes back (W08), and
 * those behind a gap of their log's sequence, begin anew: what was known of
 * the target is forgotten, so that one missing event is one finding. Memory is
 * bounded: val_across_table.h.
 */
#ifndef VAL_ACROSS_H
#define VAL_ACROSS_H
#include "val_across_fan.h"
#include "val_across_table.h"
#include "val_check.h"
#include "val_event.h"

/* Zeroed, but for fan.units: nothing seen. */
struct val_across {
	struct val_fan fan;
	struct val_table targets;
	bool told;       /* W12 */
	uint64_t unread; /* texts, for which no gap was excused yet */
};

struct val_envelope;

/*
 * val_across_input(a) - another input begins: it says nothing about the one
 * before, and what was known is forgotten, but for commands: the logs of their
 * units are inputs, too.
 * val_across_event(a, e, r) - an event that could be read, after its own
 * rules. E_NOMEM is the only error.
 * val_across_special(a, env, r) - a record without an event.
 * val_across_end(a, r) - all inputs were read: what only shows then.
 * val_across_unread(a) - a text that could not be read was told; it may have
 * been a record.
 */
void val_across_input(struct val_across *a);
void val_across_end(struct val_across *a, struct val_report *r);
void val_across_unread(struct val_across *a);
HSA_MUST_USE hsa_rc val_across_special(
    struct val_across *a, const struct val_envelope *env, struct val_report *r);
HSA_MUST_USE hsa_rc val_across_event(
    struct val_across *a, const struct val_event *e, struct val_report *r);
void val_across_free(struct val_across *a);

#endif
