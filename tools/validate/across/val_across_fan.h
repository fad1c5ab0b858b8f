/*
 * val_across_fan.h - one command goes to all crypto units that were selected,
 * and leaves an event of each, or fewer and a failure (E19). Which units those
 * were is in no event, so the rule needs to be told (val_units.h).
 *
 * With envelopes the shared command id says which events belong together.
 * Without, it is the action, who asked and for what: the nth such request to a
 * unit goes with the nth to the others, in whatever order they are read. After
 * a failure that left some units out, commands that make up for it may go to
 * those units alone, until one goes to all again.
 */
#ifndef VAL_ACROSS_FAN_H
#define VAL_ACROSS_FAN_H
#include <stdbool.h>
#include <stdint.h>
#include "val_check.h"
#include "val_event.h"
#include "val_units.h"

#define VAL_COMMANDS 65536 /* followed at most */
#define VAL_FAN_NEAR                                                           \
	30000 /* ticks of 10 ms: a failure that ended a command                \
	       */

struct val_command;
struct val_fan_place;

/* Zeroed, but for units: nothing seen. */
struct val_fan {
	const struct val_units *units; /* NULL: no rule */
	struct val_command *command;
	uint32_t len, cap;
	/* what is found by a hash: a command, or how often a unit had one */
	struct val_fan_place *place;
	uint32_t places, used;
	uint64_t target[VAL_UNITS]; /* hashes, of the units seen */
	char *name[VAL_UNITS];
	uint64_t seen;  /* bits of them */
	uint32_t limit; /* commands; 0: VAL_COMMANDS. Tests set fewer */
	bool full;
};

/*
 * val_fan_event(f, e, r, time) - of Trusted Key Entry; time in ticks of 10 ms.
 * val_fan_end(f, r) - all inputs were read: what is missing is told, and all
 * forgotten.
 */
HSA_MUST_USE hsa_rc val_fan_event(struct val_fan *f, const struct val_event *e,
    struct val_report *r, int64_t time);
void val_fan_end(struct val_fan *f, struct val_report *r);
void val_fan_free(struct val_fan *f);

#endif
