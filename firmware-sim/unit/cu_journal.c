/* One transaction for state and record, then the log (design D5). */
#include <inttypes.h>

#include "cu_core.h"
#include "hsa_buf.h"
#include "hsa_codec.h"

static hsa_rc
seal(struct cu_unit *u, uint64_t id, const struct hsa_buf *rec,
    struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	uint64_t sequence = 0;
	hsa_rc rc = u->sink.ops->seal(
	    u->sink.ctx, &sequence, HSA_SOURCE_OUTBOX, id, rec->p, rec->len);

	if (hsa_is_ok(rc)) {
		u->sealed = id;
		return rc;
	}
	cu_unit_halt_log(u, rc); /* the first cause stands */
	(void)cu_unit_halted(u, &text);
	hsa_diag_set(diag, "%s", hsa_buf_cstr(&text));
	hsa_buf_free(&text);
	return rc;
}

/* u->next is the state afterwards; only: that state differs in nothing but
 * its outbox, what changes are rows. */
static hsa_rc
commit(struct cu_unit *u, struct hsa_record *r, bool only,
    const struct cu_rows *rows, struct hsa_diag *diag)
{
	struct hsa_buf rec = {0};
	struct hsa_diag local = {{0}};
	uint32_t status = 503;
	uint64_t id = u->now.outbox_last + 1;
	hsa_rc rc;

	u->next.outbox_last = id;
	r->source = HSA_SOURCE_OUTBOX;
	r->source_sequence = id;
	hsa_diag_set(&local, "the event of a command cannot be written");
	HSA_TRY(rc, hsa_record_encode(&rec, r));
	if (only)
		HSA_TRY(rc, cu_store_commit_rows(u->store, id, u->sealed, rec.p,
				rec.len, rows, &local));
	else
		HSA_TRY(rc, cu_store_commit(u->store, &u->next, u->sealed,
				rec.p, rec.len, &local));
	status = 507;
	HSA_TRY(rc, seal(u, id, &rec, &local));
	(void)pthread_mutex_lock(&u->view);
	u->now = u->next;
	(void)pthread_mutex_unlock(&u->view);
out:
	if (!hsa_is_ok(rc)) {
		cu_unit_halt(u, status, local.text);
		hsa_diag_set(diag, "%s", local.text);
	}
	hsa_buf_free(&rec);
	return rc;
}

hsa_rc
cu_journal_commit(
    struct cu_unit *u, struct hsa_record *r, struct hsa_diag *diag)
{
	return commit(u, r, false, NULL, diag);
}

hsa_rc
cu_journal_commit_rows(struct cu_unit *u, struct hsa_record *r,
    const struct cu_rows *rows, struct hsa_diag *diag)
{
	u->next = u->now;
	return commit(u, r, true, rows, diag);
}

/* The log may be behind the outbox by what the outbox still holds, and
 * nothing else: any other difference means that one of the two was put back
 * from an older copy. */
static hsa_rc
check_position(const struct cu_unit *u, uint64_t logged, struct hsa_diag *diag)
{
	struct hsa_buf rec = {0};
	uint64_t first = 0;
	hsa_rc rc;

	if (logged > u->now.outbox_last)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the audit log is at %" PRIu64 ", the unit's state at "
		    "%" PRIu64 ": the state is older than the log; put back "
		    "the newest copy of the unit's whole folder",
		    logged, u->now.outbox_last);
	if (logged == u->now.outbox_last)
		return HSA_OK;
	rc = cu_store_outbox_next(u->store, &first, &rec, logged, diag);
	hsa_buf_free(&rec);
	if (hsa_is_ok(rc) && first == logged + 1)
		return rc;
	if (!hsa_is_ok(rc) && rc.v != HSA_E_NOT_FOUND)
		return rc;
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "the audit log ends at %" PRIu64 ", but the unit's state knows "
	    "that more was sealed (up to %" PRIu64 "): the log was cut; put "
	    "back the newest copy of the unit's whole folder, or begin a new "
	    "log with `cryptounitd new-log`",
	    logged, hsa_is_ok(rc) ? first - 1 : u->now.outbox_last);
}

hsa_rc
cu_journal_drain(struct cu_unit *u, uint64_t *resealed, struct hsa_diag *diag)
{
	uint64_t at = u->sink.ops->last(u->sink.ctx, HSA_SOURCE_OUTBOX);
	struct hsa_buf rec = {0};
	uint64_t id = 0;
	hsa_rc rc;

	*resealed = 0;
	HSA_TRY(rc, check_position(u, at, diag));
	u->sealed = at;
	while (at < u->now.outbox_last) {
		hsa_buf_reset(&rec);
		rc = cu_store_outbox_next(u->store, &id, &rec, at, diag);
		if (rc.v == HSA_E_NOT_FOUND || (hsa_is_ok(rc) && id != at + 1))
			rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
			    "the outbox has no record %" PRIu64 ": put back "
			    "the newest copy of the unit's whole folder",
			    at + 1);
		if (!hsa_is_ok(rc))
			goto out;
		HSA_TRY(rc, seal(u, id, &rec, diag));
		at = id;
		(*resealed)++;
	}
out:
	hsa_buf_free(&rec);
	return rc;
}
