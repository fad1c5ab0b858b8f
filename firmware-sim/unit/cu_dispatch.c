/* The one way in: from transport string to transport string. */
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"

/* ---- answers ------------------------------------------------------------- */

static hsa_rc
reply_payload(struct hsa_admin_reply *reply, const struct tke_request *req,
    const struct hsa_buf *payload)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_buf_rc(payload));
	HSA_TRY(rc,
	    tke_reply_encode(&reply->transport, req, payload->p, payload->len));
	reply->http_status = 200;
out:
	return rc;
}

/* ---- requests that are no command ---------------------------------------- */

/* A REQUEST_REFUSED record; whoever sent it is answered by the caller. */
static hsa_rc
refuse(bool *answered, struct hsa_admin_reply *reply, struct cu_cmd *c,
    const char *text)
{
	return cu_reply_refused(
	    answered, &reply->http_status, &reply->text, c, text);
}

/* Malformed before the payload: the host program answers. */
static hsa_rc
refuse_host(struct hsa_admin_reply *reply, struct cu_cmd *c,
    enum tke_host_error code, const char *text)
{
	bool answered = false;
	hsa_rc rc;

	HSA_TRY(rc, refuse(&answered, reply, c, text));
	if (!answered) {
		HSA_TRY(
		    rc, tke_reply_encode_error(&reply->transport, code, text));
		reply->http_status = 200;
	}
out:
	return rc;
}

/* Malformed inside the payload: an envelope without a block. */
static hsa_rc
refuse_payload(struct hsa_admin_reply *reply, struct cu_cmd *c,
    const struct tke_request *req, uint32_t code, const char *text)
{
	struct hsa_buf payload = {0};
	bool answered = false;
	hsa_rc rc;

	(void)cu_cmd_refuse(c, code, 0);
	HSA_TRY(rc, refuse(&answered, reply, c, text));
	if (!answered) {
		HSA_TRY(rc, tke_admin_reply_encode_rc(
				&payload, c->u->id.domain_index, code));
		HSA_TRY(rc, reply_payload(reply, req, &payload));
	}
out:
	hsa_buf_free(&payload);
	return rc;
}

static hsa_rc
info(struct hsa_admin_reply *reply, struct cu_cmd *c,
    const struct tke_request *req)
{
	struct tke_info_request q = {0};
	struct hsa_buf payload = {0}, data = {0};
	struct cu_state s;
	enum cu_stat which = CU_STAT_QUERY_UNKNOWN;
	uint32_t code = HSA_EP11_OK;
	hsa_rc rc = tke_info_request_decode(&q, req->payload.p, req->payload.n);

	if (!hsa_is_ok(rc))
		return refuse_payload(reply, c, req, HSA_EP11_ARGUMENTS_BAD,
		    "get_xcp_info request is malformed");
	if (q.subtype == TKE_XCP_INFO_MODULE)
		which = CU_STAT_QUERY_MODULE_INFO;
	else if (q.subtype == TKE_XCP_INFO_DOMAIN)
		which = CU_STAT_QUERY_DOMAIN_INFO;
	cu_unit_count(c->u, which);
	cu_unit_view(c->u, &s);
	if (q.domain_index != c->u->id.domain_index)
		code = HSA_EP11_SLOT_ID_INVALID;
	else
		HSA_TRY(rc, cu_query_info(c->u, &code, &data, q.subtype, &s));
	HSA_TRY(rc, hsa_buf_rc(&data));
	HSA_TRY(rc, tke_info_reply_encode(&payload, c->u->id.domain_index, code,
			data.p, data.len));
	HSA_TRY(rc, reply_payload(reply, req, &payload));
out:
	hsa_buf_free(&payload);
	hsa_buf_free(&data);
	return rc;
}

/* ---- administration ------------------------------------------------------ */

static struct tke_slice
slice(const struct hsa_buf *b)
{
	return (struct tke_slice){b->p, b->len};
}

static hsa_rc
admin(struct hsa_admin_reply *reply, struct cu_cmd *c,
    const struct tke_request *req)
{
	struct hsa_diag diag = {{0}};
	struct hsa_block_reply answer = {0};
	struct hsa_buf payload = {0};
	hsa_rc rc = tke_admin_request_decode(
	    &c->q, req->payload.p, req->payload.n, &diag);

	if (!hsa_is_ok(rc))
		return refuse_payload(
		    reply, c, req, HSA_EP11_ARGUMENTS_BAD, diag.text);
	c->decoded = true;
	HSA_TRY(rc, cu_block_answer(&answer, c));
	reply->http_status = answer.http_status;
	reply->text = answer.text;
	answer.text = NULL;
	if (reply->http_status != 200)
		goto out;
	HSA_TRY(rc, tke_admin_reply_encode(&payload, c->u->id.domain_index,
			slice(&answer.response), slice(&answer.signature)));
	HSA_TRY(rc, reply_payload(reply, req, &payload));
out:
	free(answer.text);
	hsa_buf_free(&answer.response);
	hsa_buf_free(&answer.signature);
	hsa_buf_free(&payload);
	return rc;
}

static hsa_rc
dispatch(struct hsa_admin_reply *reply, struct cu_cmd *c,
    const struct tke_request *req)
{
	const struct cu_identity *id = &c->u->id;
	uint32_t fn = 0;

	if (req->module_index != id->module_index)
		return refuse_host(reply, c, TKE_HOST_MODULE_RANGE,
		    "module index is not this unit's");
	if (req->domain_index != id->domain_index)
		return refuse_host(reply, c, TKE_HOST_DOMAIN_RANGE,
		    "domain index is not this unit's");
	if (!hsa_is_ok(
		tke_payload_function(&fn, req->payload.p, req->payload.n)))
		return refuse_payload(reply, c, req, HSA_EP11_ARGUMENTS_BAD,
		    "payload is malformed");
	switch (fn) {
	case TKE_FN_ADMIN:
		return admin(reply, c, req);
	case TKE_FN_XCP_INFO:
		if (c->http == 200)
			return info(reply, c, req);
		return refuse_payload(
		    reply, c, req, HSA_EP11_OK, "caller is not authorized");
	default:
		return refuse_payload(reply, c, req,
		    HSA_EP11_FUNCTION_NOT_SUPPORTED,
		    "function is neither admin nor get_xcp_info");
	}
}

hsa_rc
cu_unit_admin(struct cu_unit *u, struct hsa_admin_reply *reply,
    const struct hsa_caller *caller, const char *transport, size_t n)
{
	enum tke_host_error host = TKE_HOST_OK;
	struct tke_request req = {0};
	struct hsa_diag diag = {{0}};
	struct cu_cmd c;
	hsa_rc rc;

	memset(reply, 0, sizeof(*reply));
	cu_cmd_begin(&c, u, caller);
	rc = tke_request_decode(&req, &host, transport, n, &diag);
	if (rc.v == HSA_E_NOMEM)
		goto out;
	if (!hsa_is_ok(rc))
		rc = refuse_host(reply, &c,
		    host == TKE_HOST_OK ? TKE_HOST_BAD_LENGTH : host,
		    diag.text);
	else
		rc = dispatch(reply, &c, &req);
out:
	if (!hsa_is_ok(rc)) {
		hsa_buf_free(&reply->transport);
		rc = cu_reply_text(&reply->http_status, &reply->text, 500,
		    "the request could not be answered: %s", hsa_err_text(rc));
	}
	cu_cmd_free(&c);
	tke_request_free(&req);
	return rc;
}
