/*
 * One command, in this order: row, input, ids, signatures, counter, quorum,
 * action, stable token, transaction, log, old objects. Decide, act, seal,
 * sync, reply: nothing is answered before it is sealed.
 */
#include <string.h>

#include "cu_core.h"

/* Which domain and module the block is for (ep11-tke-wire 5.3). */
static void
check_ids(struct cu_cmd *c)
{
	const struct cu_state *now = &c->u->now;
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN];
	uint32_t reason = 0;

	cu_ids(domain, module, c->u, now);
	if (c->q.domain.n != sizeof(domain))
		reason = HSA_REASON_DOMAIN_MALFORMED;
	else if (c->q.domain_index != c->u->id.domain_index ||
		 memcmp(c->q.domain.p, domain, 4) != 0)
		reason = HSA_REASON_DOMAIN_RANGE;
	else if (memcmp(c->q.domain.p + 4, domain + 4, 4) != 0)
		reason = HSA_REASON_DOMAIN_MISMATCH;
	else if (c->q.module.n != sizeof(module))
		reason = HSA_REASON_MODULE_MALFORMED;
	else if (memcmp(c->q.module.p, module, CU_SERIAL_LEN) != 0)
		reason = HSA_REASON_SERIAL_MISMATCH;
	else if (memcmp(c->q.module.p + CU_SERIAL_LEN, module + CU_SERIAL_LEN,
		     CU_INSTANCE_LEN) != 0)
		reason = HSA_REASON_MODULE_MISMATCH;
	if (reason != 0)
		(void)cu_cmd_refuse(c, HSA_EP11_SLOT_ID_INVALID, reason);
}

static hsa_rc
decide(struct cu_cmd *c)
{
	struct cu_unit *u = c->u;
	hsa_rc rc = HSA_OK;

	if (!c->decoded)
		return rc;
	c->row = cu_fsm_row(c->q.command, cu_fsm_state(&u->now));
	if (c->row != NULL) {
		c->report = CU_REPORT_EVENT;
		cu_input_read(&c->in, &c->q, &u->now);
	}
	if (c->http != 200)
		return rc;
	if (c->row == NULL)
		return cu_cmd_refuse(c, HSA_EP11_FUNCTION_NOT_SUPPORTED,
		    HSA_REASON_UNKNOWN_COMMAND);
	check_ids(c);
	if (c->rc != HSA_EP11_OK)
		return rc;
	HSA_TRY(rc, cu_quorum_signatures(c));
	cu_quorum_counter(c);
	if (c->row->act == NULL)
		return cu_cmd_refuse(c, c->row->rc, c->row->reason);
	cu_quorum_enough(c);
	if (c->in.rc != HSA_EP11_OK)
		(void)cu_cmd_refuse(c, c->in.rc, c->in.reason);
	if (c->rc != HSA_EP11_OK)
		return rc;
	HSA_TRY(rc, c->row->act(c));
	if (c->rc == HSA_EP11_OK && !cu_fsm_arrived(c->row, &u->now, &u->next))
		rc = HSA_RC(E_STATE);
out:
	return rc;
}

static hsa_rc
destroy(struct cu_unit *u, const struct cu_object *o, size_t n)
{
	const struct cu_backend *b = &u->backend;
	hsa_rc rc = HSA_OK;
	size_t i = 0;

	if (n == 0)
		return rc;
	for (i = 0; i < n; i++)
		HSA_TRY(rc, b->ops->destroy(b->ctx, o[i].cls, &o[i].id));
	HSA_TRY(rc, b->ops->sync(b->ctx));
out:
	return rc;
}

/* Nothing of a refused command stays but its counter. */
static void
undo(struct cu_unit *u)
{
	uint8_t counter[TKE_COUNTER_LEN];

	memcpy(counter, u->next.counter, sizeof(counter));
	u->next = u->now;
	memcpy(u->next.counter, counter, sizeof(counter));
}

/* Decided; on success u->next and the token hold the outcome, both of them
 * safe to name in a transaction. */
static void
carry_out(struct cu_cmd *c)
{
	struct cu_unit *u = c->u;
	struct cu_object made[CU_OBJECTS_MAX];
	size_t n = 0;
	hsa_rc rc = decide(c);

	n = cu_state_lost(made, &u->next, &u->now);
	if (hsa_is_ok(rc) && c->rc == HSA_EP11_OK && n > 0)
		rc = u->backend.ops->sync(u->backend.ctx);
	if (!hsa_is_ok(rc)) {
		/* should this fail too, the next start sweeps them */
		(void)!hsa_is_ok(destroy(u, made, n));
		(void)cu_cmd_refuse(c, HSA_EP11_FUNCTION_FAILED, 0);
	}
	if (c->rc != HSA_EP11_OK)
		undo(u);
}

static void
count(struct cu_cmd *c)
{
	enum cu_stat which = CU_STAT_MALFORMED;

	if (c->http != 200)
		which = CU_STAT_UNAUTHORIZED;
	else if (c->decoded && c->text == NULL)
		which = cu_stat_command(c->q.command, c->rc == HSA_EP11_OK);
	cu_unit_count(c->u, which);
}

/* State and record to disk and log. When the engine works with what changes,
 * no call is under way meanwhile, and the next one finds the new state; a
 * former key's objects are gone from the engine before the token loses it. */
static hsa_rc
commit(struct cu_unit *u, struct hsa_record *r)
{
	bool change = cu_ep11_concerned(u, &u->next);
	hsa_rc rc;

	if (change)
		(void)pthread_rwlock_wrlock(&u->work);
	HSA_TRY(rc, cu_journal_commit(u, r, NULL));
	if (!change)
		goto out;
	rc = cu_ep11_adopt(u, &u->now);
	if (!hsa_is_ok(rc))
		cu_unit_halt(u, 503,
		    "the master key that a command left cannot be put to work "
		    "in the token: repair the token's folder and restart the "
		    "unit");
out:
	if (change)
		(void)pthread_rwlock_unlock(&u->work);
	return rc;
}

hsa_rc
cu_command_run(struct cu_cmd *c, struct cu_state *s)
{
	struct cu_unit *u = c->u;
	struct cu_object gone[CU_OBJECTS_MAX];
	struct hsa_record r = {0};
	struct hsa_diag diag = {{0}};
	size_t n = 0;
	hsa_rc rc = HSA_RC(E_STATE);

	(void)pthread_mutex_lock(&u->command);
	if (cu_unit_refuses(u, NULL) != 0) {
		cu_unit_turned_away(u);
		goto out;
	}
	u->next = u->now;
	carry_out(c);
	n = cu_state_lost(gone, &u->now, &u->next);
	rc = cu_event_record(&r, c, &diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(&diag, "the event of a command cannot be made");
		cu_unit_halt(u, 503, diag.text);
		goto out;
	}
	/* From here on the outcome may be on disk even when a call fails, so
	 * the objects of both states stay until the next start decides. */
	HSA_TRY(rc, commit(u, &r));
	count(c);
	rc = destroy(u, gone, n);
	if (!hsa_is_ok(rc)) {
		cu_unit_halt(u, 503,
		    "a key that the unit gave up could not be destroyed in "
		    "its token: repair the token's folder and restart the "
		    "unit, which destroys it then");
		goto out;
	}
	*s = u->now;
out:
	(void)pthread_mutex_unlock(&u->command);
	hsa_record_free(&r);
	return rc;
}
