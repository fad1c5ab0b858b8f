/*
 * val_across_key.h - rules over the events of one key: its states, and the
 * authorization of its deletion. What was not seen is unknown, and nothing is
 * found against what is unknown, nor within some seconds of a change: requests
 * to a key run at the same time, and their events come in any order.
 */
#ifndef VAL_ACROSS_KEY_H
#define VAL_ACROSS_KEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "val_across_table.h"
#include "val_check.h"
#include "val_event.h"

#define VAL_KEY_RACE 500 /* ticks of 10 ms */

enum val_key_state { /* keyState + 1, where it is known */
	VAL_KEY_UNKNOWN = 0,
	VAL_KEY_PRE,
	VAL_KEY_ACTIVE,
	VAL_KEY_SUSPENDED,
	VAL_KEY_DEACTIVATED,
	VAL_KEY_DESTROYED = 6,
	VAL_KEY_STATES,
	VAL_KEY_SAME,
	VAL_KEY_SAID,
	VAL_KEY_READ
};

struct val_key_step {
	enum hsa_action action;
	uint8_t from; /* bit per state */
	enum val_key_state next;
	bool odd;
};

/* The rows of val_across_key.def; the one for a state, NULL for an action that
 * is in none. val_key_follows(action) - it is in one. */
const struct val_key_step *val_key_steps(size_t *n);
const struct val_key_step *val_key_step(
    enum hsa_action action, enum val_key_state now);
bool val_key_follows(enum hsa_action action);

/* val_key_is(crn) - target.id names a key: only then is it one's own. */
bool val_key_is(const char *crn);

/*
 * val_key_event(t, e, r) - of an action that is followed. A failure changes
 * nothing; after another outcome than success the key is unknown. t->time is
 * that of this event.
 */
HSA_MUST_USE hsa_rc val_key_event(
    struct val_target *t, const struct val_event *e, struct val_report *r);

#endif
