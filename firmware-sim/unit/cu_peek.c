/* What the database of a unit that does not run says of its log. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cu_store.h"
#include "cu_unit.h"
#include "hsa_buf.h"

/* The rows that are left are in a row, and the last is the newest record: each
 * commit drops what was sealed before it. */
static hsa_rc
look_at_rows(struct cu_peek *p, struct cu_store *s, struct hsa_diag *diag)
{
	struct hsa_buf rec = {0};
	uint64_t id = 0, at = 0;
	hsa_rc rc;

	while (hsa_is_ok(rc = cu_store_outbox_next(s, &id, &rec, at, diag))) {
		if (p->outbox_first == 0)
			p->outbox_first = id;
		else if (id != at + 1)
			break;
		at = id;
		hsa_buf_reset(&rec);
	}
	hsa_buf_free(&rec);
	if (hsa_is_ok(rc) ||
	    (rc.v == HSA_E_NOT_FOUND && at != 0 && at != p->outbox_last))
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the outbox has no record behind %" PRIu64 ": put back "
		    "the newest copy of the unit's whole folder",
		    at);
	return rc.v == HSA_E_NOT_FOUND ? HSA_OK : rc;
}

hsa_rc
cu_unit_peek(struct cu_peek *p, const char *db, struct hsa_diag *diag)
{
	struct cu_state *st = NULL;
	struct cu_store *s = NULL;
	hsa_rc rc;

	*p = (struct cu_peek){0};
	if (access(db, F_OK) != 0)
		return HSA_OK; /* it never started */
	st = calloc(1, sizeof(*st));
	if (st == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, cu_store_open(&s, db, diag));
	rc = cu_store_load(s, st, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	p->epoch = st->epoch;
	p->outbox_last = st->outbox_last;
	rc = look_at_rows(p, s, diag);
out:
	cu_store_close(s);
	free(st);
	return rc;
}
