/* The way of one keystore operation: check, look up, decide, then rows and
 * event in one transaction, then the log, then the answer. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu_ks.h"
#include "cu_ks_sql.h"
#include "hsa_event.h"
#include "hsa_hash.h"

#define TARGET_MAX 1000 /* bytes of target.name; a record bounds its texts */

static cu_ks_do *const operations[HSA_KS_OPS + 1] = {
    [HSA_KS_CREATE_KEYSTORE] = cu_ks_do_create,
    [HSA_KS_DELETE_KEYSTORE] = cu_ks_do_delete_store,
    [HSA_KS_KEYSTORES_BY_IDS] = cu_ks_do_list,
    [HSA_KS_KEYSTORES_BY_ATTRIBUTES] = cu_ks_do_list,
    [HSA_KS_STORE_KEY] = cu_ks_do_store_key,
    [HSA_KS_UPDATE_KEY] = cu_ks_do_update_key,
    [HSA_KS_DELETE_KEY] = cu_ks_do_delete_key,
    [HSA_KS_KEYS_BY_IDS] = cu_ks_do_list,
    [HSA_KS_KEYS_BY_ATTRIBUTES] = cu_ks_do_list,
};

/* ---- refusals ------------------------------------------------------------ */

static void
set_text(struct hsa_ks_reply *r, const char *text)
{
	r->text = hsa_ks_keep(&r->memory, text, strlen(text));
}

hsa_rc
cu_ks_refuse(struct cu_ks_cmd *c, uint32_t rv, const char *fmt, ...)
{
	const struct hsa_ks_rv_row *row = hsa_ks_rv(rv);
	char what[512] = "", text[1024] = "";
	va_list ap;

	if (c->reply->rv != HSA_KS_OK)
		return HSA_OK;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	(void)snprintf(text, sizeof(text),
	    "%s: %s (return code 0x%" PRIx32 " %s)", row->text, what, rv,
	    row->name);
	c->reply->rv = rv;
	set_text(c->reply, text);
	return c->reply->text == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

static hsa_rc
refuse_denied(struct cu_ks_cmd *c)
{
	const char *text = c->caller->denied_text;

	c->status = c->caller->denied == 401 ? 401 : 403;
	c->reply->rv = HSA_KS_NOT_AUTHENTICATED;
	set_text(c->reply, text != NULL && text[0] != '\0'
			       ? text
			       : "caller is not authorized");
	return c->reply->text == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* Nothing of what was looked up is shown by a refusal. */
static void
clear(struct hsa_ks_reply *r)
{
	r->store_len = 0;
	r->key_len = 0;
	r->next = (struct hsa_slice){0};
}

/* An answer that no event stands behind. */
static void
fail(struct cu_ks_cmd *c, uint32_t rv)
{
	struct hsa_buf text = {0};

	(void)cu_unit_refuses(c->u, &text);
	clear(c->reply);
	c->reply->rv = HSA_KS_OK;
	(void)!hsa_is_ok(cu_ks_refuse(c, rv, "%s", hsa_buf_cstr(&text)));
	hsa_buf_free(&text);
}

/* ---- deciding ------------------------------------------------------------ */

void
cu_ks_target(struct cu_ks_cmd *c, const uint8_t id[HSA_UUID_LEN])
{
	char text[HSA_UUID_TEXT];

	if (c->target.len + HSA_UUID_TEXT > TARGET_MAX)
		return;
	hsa_uuid_text(text, id);
	if (c->target.len > 0)
		hsa_buf_u8(&c->target, ',');
	hsa_buf_str(&c->target, text);
}

/* A request that goes no further still names what it was for. */
static void
name_asked(struct cu_ks_cmd *c)
{
	static const uint8_t none[HSA_UUID_LEN];
	const struct hsa_ks_request *q = c->q;
	size_t i = 0;

	if (c->target.len > 0)
		return;
	for (i = 0; i < q->wanted_len; i++)
		cu_ks_target(c, q->wanted[i]);
	if (memcmp(q->key_id, none, sizeof(none)) != 0)
		cu_ks_target(c, q->key_id);
	else if (q->wanted_len == 0 &&
		 memcmp(q->keystore_id, none, sizeof(none)) != 0)
		cu_ks_target(c, q->keystore_id);
}

static hsa_rc
decide(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	struct hsa_diag why = {{0}};
	bool known = false;
	uint32_t rv = HSA_KS_OK;
	hsa_rc rc = HSA_OK;

	if (c->caller->denied != 0)
		return refuse_denied(c);
	rv = cu_ks_check(&why, c->q);
	if (rv != HSA_KS_OK)
		return cu_ks_refuse(c, rv, "%s", why.text);
	if (hsa_ks_op(c->q->op)->change) {
		HSA_TRY(
		    rc, cu_ks_sql_tx(c->u->store, &known, c->q->tx_id, diag));
		if (known)
			return cu_ks_refuse(c, HSA_KS_REPLAY,
			    "its TxID is that of a change that is done");
	}
	HSA_TRY(rc, operations[c->q->op](c, diag));
out:
	return rc;
}

/* ---- the event ----------------------------------------------------------- */

static hsa_rc
record(struct hsa_record *r, struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	const struct hsa_ks_rv_row *row = hsa_ks_rv(c->reply->rv);
	char correlation[HSA_UUID_TEXT];
	struct hsa_initiator who = {0};
	struct hsa_data request = {0};
	char *failure = NULL;
	struct hsa_event_args args = {
	    .action = hsa_ks_op(c->q->op)->action,
	    .status = c->status != 0 ? c->status : row->status,
	    .time_ns = c->wall_ns,
	    .log_source_crn = c->u->id.log_source_crn,
	    .correlation_id = correlation,
	    .target_id = c->u->id.target_crn,
	    .initiator = &who,
	    .request = &request,
	};
	hsa_rc rc;

	HSA_TRY(
	    rc, cu_event_envelope(r, c->u, c->caller, c->wall_ns, c->mono_ns));
	r->ep11_rc = c->reply->rv;
	hsa_uuid_text(correlation, c->q->id);
	name_asked(c);
	HSA_TRY(rc, hsa_buf_rc(&c->target));
	args.target_name = hsa_buf_cstr(&c->target);
	HSA_TRY(
	    rc, cu_event_initiator(&who, &c->caller->initiator, CU_TEXT_MAX));
	HSA_TRY(rc, cu_event_text(&failure, c->reply->text, CU_TEXT_MAX));
	args.reason_failure = failure;
	if (c->u->instance_id[0] != '\0')
		HSA_TRY(rc,
		    hsa_data_text(&request, "instanceID", c->u->instance_id));
	r->body = HSA_BODY_EVENT;
	HSA_TRY(rc, hsa_event_build(&r->event, &args, diag));
out:
	free(failure);
	hsa_data_free(&request);
	hsa_initiator_free(&who);
	return rc;
}

/* ---- the way ------------------------------------------------------------- */

static hsa_rc
put_change(void *ctx, struct cu_store *s, struct hsa_diag *diag)
{
	struct cu_ks_cmd *c = ctx;
	hsa_rc rc;

	HSA_TRY(rc, c->put(c, s, diag));
	HSA_TRY(rc, cu_ks_sql_remember(s, c->q->tx_id, diag));
out:
	return rc;
}

static void
carry_out(struct cu_ks_cmd *c)
{
	const struct cu_rows rows = {.put = put_change, .ctx = c};
	struct hsa_record r = {0};
	struct hsa_diag diag = {{0}};
	hsa_rc rc;

	hsa_diag_set(&diag, "a keystore operation cannot be decided");
	HSA_TRY(rc, decide(c, &diag));
	if (c->reply->rv != HSA_KS_OK)
		clear(c->reply);
	hsa_diag_set(&diag, "the event of a keystore operation cannot be made");
	HSA_TRY(rc, record(&r, c, &diag));
	HSA_TRY(
	    rc, cu_journal_commit_rows(c->u, &r,
		    c->put != NULL && c->reply->rv == HSA_KS_OK ? &rows : NULL,
		    &diag));
	cu_unit_count(c->u, c->status != 0 ? CU_STAT_UNAUTHORIZED
			    : c->reply->rv == HSA_KS_OK
				? CU_STAT_KEYSTORE_OK
				: CU_STAT_KEYSTORE_REFUSED);
out:
	hsa_record_free(&r);
	if (!hsa_is_ok(rc)) {
		cu_unit_halt(c->u, 503, diag.text);
		fail(c, HSA_KS_DATABASE);
	}
}

void
cu_unit_keystore(struct cu_unit *u, struct hsa_ks_reply *reply,
    const struct hsa_caller *caller, const struct hsa_ks_request *q)
{
	struct cu_ks_cmd c = {.u = u, .caller = caller, .q = q, .reply = reply};

	*reply = (struct hsa_ks_reply){0};
	(void)pthread_mutex_lock(&u->command);
	c.wall_ns = u->clock->wall_ns(u->clock->ctx);
	c.mono_ns = u->clock->mono_ns(u->clock->ctx);
	if (cu_unit_refuses(u, NULL) != 0) {
		cu_unit_turned_away(u);
		fail(&c, HSA_KS_DEVICE_ERROR);
	} else {
		carry_out(&c);
	}
	(void)pthread_mutex_unlock(&u->command);
	hsa_buf_free(&c.target);
}
