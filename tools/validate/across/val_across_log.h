/*
 * val_across_log.h - rules over the records of one sealed log: its sequence,
 * its epochs, its clocks (E20), and what it says of itself that it lacks (W09).
 * FORMAT.md V4 and V5, and CLOCK_STEP of section 1. Whether the records are
 * the sealed ones is for hsa verify; this is for lines that were exported.
 */
#ifndef VAL_ACROSS_LOG_H
#define VAL_ACROSS_LOG_H
#include <stdbool.h>
#include <stdint.h>
#include "val_across_table.h"
#include "val_check.h"
#include "val_envelope.h"

/* Commands of several threads are sealed in another order than they began. */
#define VAL_LOG_LATE UINT64_C(5000000000) /* ns */

struct val_log_word { /* about a record */
	bool again;   /* it came before: its event counts for nothing */
	uint64_t era; /* not 0; another one: records are missing before it */
};

/*
 * val_log_record(t, w, unread, env, r) - unread: how many texts could not be
 * read, for which a gap of the sequence is excused; counted down.
 */
HSA_MUST_USE hsa_rc val_log_record(struct val_target *t, struct val_log_word *w,
    uint64_t *unread, const struct val_envelope *env, struct val_report *r);

#endif
