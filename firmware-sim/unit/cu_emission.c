/*
 * Whether EP11 calls leave events. Off is for measuring (design D7): both
 * changes are records, and the second says how many calls the hole holds. A
 * unit that dies in between starts with events on, and its UNIT_START closes
 * the hole, whose size then nobody knows.
 */
#include "cu_core.h"

/* Under work, for writing: no call is under way. */
static uint64_t
silent_calls(struct cu_unit *u)
{
	uint64_t n = 0;

	(void)pthread_mutex_lock(&u->view);
	n = u->stats.v[CU_STAT_CALL_SILENT];
	(void)pthread_mutex_unlock(&u->view);
	return n;
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
cu_emission_set(struct cu_unit *u, bool silent)
{
	uint64_t n = 0;
	hsa_rc rc = HSA_OK;

	(void)pthread_rwlock_wrlock(&u->work);
	if (u->silent == silent)
		goto out;
	if (cu_unit_halted(u, NULL) != 0) {
		rc = HSA_RC(E_STATE);
		goto out;
	}
	n = silent_calls(u);
	HSA_TRY(rc, record(u, silent, n - u->silent_from));
	u->silent = silent;
	u->silent_from = n;
out:
	(void)pthread_rwlock_unlock(&u->work);
	return rc;
}

hsa_rc
cu_unit_emission(struct cu_unit *u, enum cu_emission mode)
{
	hsa_rc rc;

	if (mode != CU_EMIT_SEALED && mode != CU_EMIT_OFF)
		return HSA_RC(E_ARG);
	(void)pthread_mutex_lock(&u->command);
	rc = cu_emission_set(u, mode == CU_EMIT_OFF);
	(void)pthread_mutex_unlock(&u->command);
	return rc;
}
