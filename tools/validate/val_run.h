/*
 * val_run.h - one event's text through all rules, one after the other, and then
 * what it says to those before.
 */
#ifndef VAL_RUN_H
#define VAL_RUN_H
#include <stddef.h>
#include "val_across.h"
#include "val_check.h"
#include "val_envelope.h"
#include "val_event.h"
#include "val_in.h"
#include "val_json.h"

/* Zeroed, then cfg and report filled in; val_run_free when done. */
struct val_run {
	struct val_config cfg;
	struct val_report report;
	struct val_json json;
	struct val_event event; /* of the last text; no field if it was none */
	/* the last text was a record without an event: it is none, and has no
	 * finding of its own but E36; set before the first of them */
	bool no_event;
	struct val_envelope envelope; /* of a line that had one */
	struct val_across across;     /* with cfg.across */
};
void val_run_free(struct val_run *v);

/* val_run_end(v) - all inputs were taken: findings that only show now, while
 * v->event has no field. E_NOMEM. */
HSA_MUST_USE hsa_rc val_run_end(struct val_run *v);

/*
 * val_run_take(v, t) - check one text, unwrapped when it is a record. What is
 * no event is a finding too; E_NOMEM is the only error. v->event tells of it
 * until the next call. val_run_text(v, p, n) - of bytes that no file or log is
 * around.
 */
HSA_MUST_USE hsa_rc val_run_take(struct val_run *v, const struct val_text *t);
HSA_MUST_USE hsa_rc val_run_text(struct val_run *v, const void *p, size_t n);

#endif
