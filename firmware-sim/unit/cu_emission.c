/*
 * Whether EP11 calls leave events. Off is for measuring (design D7): both
 * changes are records, and the second says how many calls the hole holds. A
 * unit that dies in between starts with events on, and its UNIT_START closes
 * the hole, whose size then nobody knows.
 */
#include <stdio.h>

#include "cu_core.h"

/* Under work, for writing: no call is under way. */
static uint64_t
silent_calls(struct cu_unit *u)
{
	return atomic_load(&u->stats.v[CU_STAT_CALL_SILENT]);
}

static hsa_rc
record(struct cu_unit *u, bool silent, uint64_t calls)
{
	struct hsa_record r = {0};
	hsa_rc rc;

	u->next = u->now;
	HSA_TRY(rc,
	    cu_event_special(&r, u,
		silent ? HSA_SPECIAL_EMISSION_OFF : HSA_SPECIAL_EMISSION_ON));
	if (!silent)
		HSA_TRY(rc, hsa_data_integer(
				&r.special.details, "calls", (int64_t)calls));
	HSA_TRY(rc, cu_journal_commit(u, &r, NULL));
out:
	hsa_record_free(&r);
	return rc;
}

hsa_rc
cu_emission_set(struct cu_unit *u, enum cu_emission mode)
{
	bool silent = mode == CU_EMIT_OFF;
	uint64_t n = 0;
	hsa_rc rc = HSA_OK;

	(void)pthread_rwlock_wrlock(&u->work);
	if ((u->mode == CU_EMIT_OFF) == silent) {
		u->mode = mode;
		goto out;
	}
	if (cu_unit_halted(u, NULL) != 0) {
		rc = HSA_RC(E_STATE);
		goto out;
	}
	n = silent_calls(u);
	HSA_TRY(rc, record(u, silent, n - u->silent_from));
	u->mode = mode;
	u->silent_from = n;
out:
	(void)pthread_rwlock_unlock(&u->work);
	return rc;
}

void
cu_emission_status(struct cu_unit *u, struct hsa_emission_status *st)
{
	static const char *const name[] = {
	    [CU_EMIT_SEALED] = "sealed",
	    [CU_EMIT_RING] = "ring",
	    [CU_EMIT_OFF] = "off",
	};

	struct cu_sink_ring ring = {0};

	(void)pthread_rwlock_rdlock(&u->work);
	(void)snprintf(st->mode, sizeof(st->mode), "%s", name[u->mode]);
	(void)pthread_rwlock_unlock(&u->work);
	u->sink.ops->ring(u->sink.ctx, &ring);
	st->ring_slots = ring.slots;
	st->ring_used = ring.used;
	st->unrecorded = ring.unrecorded;
}

hsa_rc
cu_unit_flush(struct cu_unit *u)
{
	/* a sealer that cannot has closed the log, which the next call will
	 * notice */
	return hsa_is_ok(u->sink.ops->flush(u->sink.ctx)) ? HSA_OK
							  : HSA_RC(E_STATE);
}

hsa_rc
cu_unit_emission(struct cu_unit *u, enum cu_emission mode)
{
	hsa_rc rc;

	if (mode != CU_EMIT_SEALED && mode != CU_EMIT_RING &&
	    mode != CU_EMIT_OFF)
		return HSA_RC(E_ARG);
	(void)pthread_mutex_lock(&u->command);
	rc = cu_emission_set(u, mode);
	(void)pthread_mutex_unlock(&u->command);
	return rc;
}
