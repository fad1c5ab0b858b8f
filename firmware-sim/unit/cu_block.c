/* The administrative block, whatever brought it: queries and commands. */
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"
#include "hsa_hash.h"

static hsa_rc
query(struct hsa_block_reply *r, struct cu_cmd *c)
{
	struct hsa_buf out = {0};
	struct cu_state s;
	uint32_t code = 0, reason = 0;
	hsa_rc rc = HSA_OK;

	cu_unit_count(c->u, cu_stat_query(c->q.command));
	cu_unit_view(c->u, &s);
	cu_query_admin(c->u, &code, &reason, &out, &c->q, &s);
	HSA_TRY(
	    rc, cu_reply_block(c->u, r, &s, c->q.command, code, reason, &out));
out:
	hsa_buf_free(&out);
	return rc;
}

static hsa_rc
command(struct hsa_block_reply *r, struct cu_cmd *c)
{
	struct cu_state s;
	hsa_rc rc;

	if (!hsa_is_ok(cu_command_run(c, &s)))
		return cu_reply_halted(&r->http_status, &r->text, c->u);
	if (c->http != 200)
		return cu_reply_denied(&r->http_status, &r->text, c);
	rc = cu_reply_block(
	    c->u, r, &s, c->q.command, c->rc, c->reason, &c->output);
	if (!hsa_is_ok(rc))
		rc = cu_reply_text(&r->http_status, &r->text, 500,
		    "the command was decided and its event is sealed, but its "
		    "answer could not be signed (%s): query the unit for its "
		    "state",
		    hsa_err_text(rc));
	return rc;
}

/* A blob for another domain is no call of this unit's. */
static hsa_rc
reencipher_elsewhere(struct hsa_block_reply *r, struct cu_cmd *c)
{
	struct hsa_buf none = {0};
	struct cu_state s;
	bool answered = false;
	hsa_rc rc;

	(void)cu_cmd_refuse(
	    c, HSA_EP11_SLOT_ID_INVALID, HSA_REASON_DOMAIN_RANGE);
	HSA_TRY(rc, cu_reply_refused(&answered, &r->http_status, &r->text, c,
			"the blob is for another domain"));
	if (answered)
		goto out;
	cu_unit_view(c->u, &s);
	rc = cu_reply_block(c->u, r, &s, c->q.command, c->rc, c->reason, &none);
out:
	return rc;
}

/*
 * Command 25 changes no state and nobody signs it: an EP11 call in the dress
 * of an administrative command (ep11-host-api 15.1), which leaves the event of
 * a call. Hosts give the domain's index alone, neither instance nor counter.
 */
static hsa_rc
reencipher(struct hsa_block_reply *r, struct cu_cmd *c)
{
	struct hsa_call call = {
	    .fn = HSA_FN_REWRAP_KEY_BLOB,
	    .key = {c->q.input.p, c->q.input.n},
	};
	struct cu_state s;
	hsa_rc rc;

	if (c->q.domain_index != c->u->id.domain_index ||
	    c->q.domain.n != TKE_DOMAIN_LEN ||
	    cu_get_be32(c->q.domain.p) != c->u->id.domain_index)
		return reencipher_elsewhere(r, c);
	HSA_TRY(rc, hsa_uuid_new(call.id));
	cu_unit_call(c->u, &call, c->caller);
	if (cu_unit_refuses(c->u, NULL) != 0) {
		rc = cu_reply_halted(&r->http_status, &r->text, c->u);
		goto out;
	}
	cu_unit_count(c->u, cu_stat_command(c->q.command, call.rv == 0));
	if (c->http != 200) {
		rc = cu_reply_denied(&r->http_status, &r->text, c);
		goto out;
	}
	cu_unit_view(c->u, &s);
	rc = cu_reply_block(c->u, r, &s, c->q.command, (uint32_t)call.rv,
	    call.reason, &call.out);
out:
	hsa_call_free(&call);
	return rc;
}

hsa_rc
cu_block_answer(struct hsa_block_reply *r, struct cu_cmd *c)
{
	if (TKE_IS_QUERY(c->q.command) && c->http == 200)
		return query(r, c);
	if (c->q.command == TKE_CMD_REENCIPHER)
		return reencipher(r, c);
	return command(r, c);
}

/* What the transport string has around a block and its signatures is put
 * around these, so that there is one reader of it all. */
static hsa_rc
read_block(struct cu_cmd *c, struct hsa_buf *request, struct hsa_slice cmd,
    struct hsa_slice sigs, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (cmd.n > TKE_TRANSPORT_MAX || sigs.n > TKE_TRANSPORT_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "command block or signatures are longer than any can be");
	HSA_TRY(rc, tke_admin_request_encode(request, c->u->id.domain_index,
			(struct tke_slice){cmd.p, cmd.n},
			(struct tke_slice){sigs.p, sigs.n}));
	HSA_TRY(rc,
	    tke_admin_request_decode(&c->q, request->p, request->len, diag));
	c->decoded = true;
out:
	return rc;
}

hsa_rc
cu_unit_block(struct cu_unit *u, struct hsa_block_reply *r,
    const struct hsa_caller *caller, struct hsa_slice cmd,
    struct hsa_slice sigs)
{
	struct hsa_buf request = {0};
	struct hsa_diag diag = {{0}};
	bool answered = false;
	struct cu_cmd c;
	hsa_rc rc;

	memset(r, 0, sizeof(*r));
	cu_cmd_begin(&c, u, caller);
	rc = read_block(&c, &request, cmd, sigs, &diag);
	if (rc.v == HSA_E_NOMEM)
		goto out;
	if (hsa_is_ok(rc)) {
		rc = cu_block_answer(r, &c);
		goto out;
	}
	(void)cu_cmd_refuse(&c, HSA_EP11_ARGUMENTS_BAD, 0);
	HSA_TRY(rc, cu_reply_refused(
			&answered, &r->http_status, &r->text, &c, diag.text));
	if (!answered)
		rc = cu_reply_text(
		    &r->http_status, &r->text, 400, "%s", diag.text);
out:
	if (!hsa_is_ok(rc)) {
		hsa_buf_free(&r->response);
		hsa_buf_free(&r->signature);
		rc = cu_reply_text(&r->http_status, &r->text, 500,
		    "the request could not be answered: %s", hsa_err_text(rc));
	}
	cu_cmd_free(&c);
	hsa_buf_free(&request);
	return rc;
}
