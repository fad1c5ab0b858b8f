/*
 * val_across_unit.h - rules over the Trusted Key Entry events of one crypto
 * unit: its administrators, its thresholds, its new master key register. What
 * was not seen is unknown, and nothing is found against what is unknown.
 */
#ifndef VAL_ACROSS_UNIT_H
#define VAL_ACROSS_UNIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "val_across_table.h"
#include "val_check.h"
#include "val_event.h"

enum val_register {
	VAL_REGISTER_UNKNOWN = 0,
	VAL_REGISTER_EMPTY,
	VAL_REGISTER_LOADED,
	VAL_REGISTER_COMMITTED,
	VAL_REGISTERS,
	VAL_REGISTER_SAME = VAL_REGISTERS
};

struct val_step {
	enum hsa_action action;
	uint8_t from; /* bit imprint * VAL_REGISTERS + register */
	enum val_register next;
	enum val_check check; /* VAL_CHECKS: none */
	const char *text;
};

/* The rows of val_across_unit.def; the one for a state, never NULL for an
 * action of Trusted Key Entry. */
const struct val_step *val_steps(size_t *n);
const struct val_step *val_step(
    enum hsa_action action, bool imprint, enum val_register now);

/*
 * val_unit_event(t, e, r) - one of Trusted Key Entry. A failure changes
 * nothing; after another outcome than success the unit is unknown.
 */
HSA_MUST_USE hsa_rc val_unit_event(
    struct val_target *t, const struct val_event *e, struct val_report *r);

#endif
