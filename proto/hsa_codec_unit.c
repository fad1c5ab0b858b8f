#include "hsa_codec.h"
#include "hsa_codec_event.h"
#include "hsa_codec_ks.h"
#include "hsa_codec_unit.h"

/* ---- requests ------------------------------------------------------------ */

static bool
denied_known(uint32_t denied)
{
	return denied == 0 || denied == 401 || denied == 403;
}

hsa_rc
hsa_codec_caller_put(
    Hsa__V1__Caller *m, struct hsa_pool *pool, const struct hsa_caller *c)
{
	hsa__v1__caller__init(m);
	if (!denied_known(c->denied))
		return HSA_RC(E_ARG);
	m->initiator = hsa_codec_initiator_put(pool, &c->initiator);
	m->denied = c->denied;
	m->denied_text = hsa_pool_text(pool, c->denied_text);
	m->command_id = hsa_wire_bytes(c->command_id, HSA_UUID_LEN);
	m->ceremony_id = hsa_pool_text(pool, c->ceremony_id);
	m->ceremony_step = hsa_pool_text(pool, c->ceremony_step);
	return pool->failed ? HSA_RC(E_NOMEM) : HSA_OK;
}

hsa_rc
hsa_unit_request_encode(struct hsa_buf *b, const struct hsa_unit_request *q)
{
	struct hsa_pool pool = {0};
	Hsa__V1__KeystoreRequest keystore;
	Hsa__V1__StatusRequest status;
	Hsa__V1__AdminRequest admin;
	Hsa__V1__BlockRequest block;
	Hsa__V1__InfoRequest info;
	Hsa__V1__UnitRequest m;
	Hsa__V1__Caller caller;
	hsa_rc rc;

	hsa__v1__unit_request__init(&m);
	hsa__v1__admin_request__init(&admin);
	hsa__v1__block_request__init(&block);
	hsa__v1__info_request__init(&info);
	hsa__v1__status_request__init(&status);
	switch (q->kind) {
	case HSA_UNIT_ADMIN:
		HSA_TRY(rc, hsa_codec_caller_put(&caller, &pool, &q->caller));
		admin.caller = &caller;
		admin.transport = hsa_wire_buf_bytes(&q->transport);
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_ADMIN;
		m.admin = &admin;
		break;
	case HSA_UNIT_STATUS:
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_STATUS;
		m.status = &status;
		break;
	case HSA_UNIT_EP11:
		return hsa_unit_request_encode_call(b, &q->caller, &q->call);
	case HSA_UNIT_INFO:
		info.query = q->query;
		info.subquery = q->subquery;
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_INFO;
		m.info = &info;
		break;
	case HSA_UNIT_BLOCK:
		HSA_TRY(rc, hsa_codec_caller_put(&caller, &pool, &q->caller));
		block.caller = &caller;
		block.command = hsa_wire_buf_bytes(&q->command);
		block.signatures = hsa_wire_buf_bytes(&q->signatures);
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_BLOCK;
		m.block = &block;
		break;
	case HSA_UNIT_KEYSTORE:
		HSA_TRY(rc,
		    hsa_codec_ks_request_put(&keystore, &pool, &q->keystore));
		HSA_TRY(rc, hsa_codec_caller_put(&caller, &pool, &q->caller));
		keystore.caller = &caller;
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_KEYSTORE;
		m.keystore = &keystore;
		break;
	default:
		rc = HSA_RC(E_ARG);
		goto out;
	}
	rc = hsa_wire_pack(b, &pool, &m.base, HSA_FRAME_MAX, true);
out:
	hsa_pool_free(&pool);
	return rc;
}

hsa_rc
hsa_codec_caller_get(struct hsa_caller *c, const Hsa__V1__Caller *m)
{
	hsa_rc rc;

	if (m == NULL || m->initiator == NULL || !denied_known(m->denied))
		return HSA_RC(E_FORMAT);
	c->denied = m->denied;
	HSA_TRY(
	    rc, hsa_wire_fixed(c->command_id, HSA_UUID_LEN, &m->command_id));
	HSA_TRY(rc, hsa_codec_initiator_get(&c->initiator, m->initiator));
	HSA_TRY(rc, hsa_wire_text(&c->denied_text, m->denied_text));
	HSA_TRY(rc, hsa_wire_text(&c->ceremony_id, m->ceremony_id));
	HSA_TRY(rc, hsa_wire_text(&c->ceremony_step, m->ceremony_step));
out:
	return rc;
}

/*
 * Both messages of the socket are a oneof and nothing else, so the first field
 * is the only one.
 */
static hsa_rc
only_member(struct hsa_wire_field *f, struct hsa_cur *body, size_t *took,
    const ProtobufCMessageDescriptor *desc, const void *p, size_t n)
{
	struct hsa_wire w = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_delimited(body, took, p, n, HSA_FRAME_MAX));
	w = hsa_wire_of(desc, 0, body->p, hsa_cur_left(body));
	HSA_TRY(rc, hsa_wire_next(&w, f));
	if (hsa_cur_left(&w.cur) != 0)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

static hsa_rc
request_get(struct hsa_unit_request *q, const Hsa__V1__UnitRequest *m)
{
	hsa_rc rc = HSA_OK;

	switch (m->kind_case) {
	case HSA__V1__UNIT_REQUEST__KIND_ADMIN:
		q->kind = HSA_UNIT_ADMIN;
		HSA_TRY(rc, hsa_codec_caller_get(&q->caller, m->admin->caller));
		rc = hsa_wire_buf(&q->transport, &m->admin->transport);
		break;
	case HSA__V1__UNIT_REQUEST__KIND_STATUS:
		q->kind = HSA_UNIT_STATUS;
		break;
	case HSA__V1__UNIT_REQUEST__KIND_INFO:
		q->kind = HSA_UNIT_INFO;
		q->query = m->info->query;
		q->subquery = m->info->subquery;
		break;
	case HSA__V1__UNIT_REQUEST__KIND_BLOCK:
		q->kind = HSA_UNIT_BLOCK;
		HSA_TRY(rc, hsa_codec_caller_get(&q->caller, m->block->caller));
		HSA_TRY(rc, hsa_wire_buf(&q->command, &m->block->command));
		rc = hsa_wire_buf(&q->signatures, &m->block->signatures);
		break;
	case HSA__V1__UNIT_REQUEST__KIND_KEYSTORE:
		q->kind = HSA_UNIT_KEYSTORE;
		HSA_TRY(
		    rc, hsa_codec_caller_get(&q->caller, m->keystore->caller));
		rc = hsa_codec_ks_request_get(&q->keystore, m->keystore);
		break;
	default:
		rc = HSA_RC(E_FORMAT);
	}
out:
	return rc;
}

hsa_rc
hsa_unit_request_decode(
    struct hsa_unit_request *q, size_t *used, const void *p, size_t n)
{
	const ProtobufCMessageDescriptor *desc =
	    &hsa__v1__unit_request__descriptor;
	struct hsa_unit_request got = {0};
	struct hsa_wire_field f = {0};
	struct hsa_pool pool = {0};
	struct hsa_cur body = {0};
	size_t took = 0;
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(rc, only_member(&f, &body, &took, desc, p, n));
	if (f.desc->id == HSA__V1__UNIT_REQUEST__KIND_EP11) {
		got.kind = HSA_UNIT_EP11;
		HSA_TRY(
		    rc, hsa_codec_ep11_request_get(&got.caller, &got.call, &f));
	} else {
		HSA_TRY(rc, hsa_wire_unpack(&m, &pool, desc, 0, body.p,
				hsa_cur_left(&body)));
		HSA_TRY(rc, request_get(&got, m));
	}
	*q = got;
	*used = took;
	got = (struct hsa_unit_request){0};
out:
	hsa_unit_request_free(&got);
	hsa_pool_free(&pool);
	return rc;
}

/* ---- replies ------------------------------------------------------------- */

hsa_rc
hsa_unit_reply_encode(struct hsa_buf *b, const struct hsa_unit_reply *r)
{
	struct hsa_pool pool = {0};
	Hsa__V1__KeystoreReply keystore;
	Hsa__V1__StatusReply status;
	Hsa__V1__AdminReply admin;
	Hsa__V1__BlockReply block;
	Hsa__V1__InfoReply info;
	Hsa__V1__UnitReply m;
	hsa_rc rc;

	hsa__v1__unit_reply__init(&m);
	hsa__v1__admin_reply__init(&admin);
	hsa__v1__block_reply__init(&block);
	hsa__v1__info_reply__init(&info);
	switch (r->kind) {
	case HSA_UNIT_ADMIN:
		admin.http_status = r->admin.http_status;
		admin.transport = hsa_wire_buf_bytes(&r->admin.transport);
		admin.text = hsa_pool_text(&pool, r->admin.text);
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_ADMIN;
		m.admin = &admin;
		break;
	case HSA_UNIT_STATUS:
		HSA_TRY(rc, hsa_codec_status_put(&status, &pool, &r->status));
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_STATUS;
		m.status = &status;
		break;
	case HSA_UNIT_ERROR:
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_ERROR;
		m.error = hsa_pool_text(&pool, r->error);
		break;
	case HSA_UNIT_EP11:
		return hsa_unit_reply_encode_call(b, &r->call);
	case HSA_UNIT_INFO:
		info.rv = r->info.rv;
		info.data = hsa_wire_buf_bytes(&r->info.data);
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_INFO;
		m.info = &info;
		break;
	case HSA_UNIT_BLOCK:
		block.http_status = r->block.http_status;
		block.text = hsa_pool_text(&pool, r->block.text);
		block.response = hsa_wire_buf_bytes(&r->block.response);
		block.signature = hsa_wire_buf_bytes(&r->block.signature);
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_BLOCK;
		m.block = &block;
		break;
	case HSA_UNIT_KEYSTORE:
		HSA_TRY(
		    rc, hsa_codec_ks_reply_put(&keystore, &pool, &r->keystore));
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_KEYSTORE;
		m.keystore = &keystore;
		break;
	default:
		rc = HSA_RC(E_ARG);
		goto out;
	}
	rc = hsa_wire_pack(b, &pool, &m.base, HSA_FRAME_MAX, true);
out:
	hsa_pool_free(&pool);
	return rc;
}

static hsa_rc
reply_get(struct hsa_unit_reply *r, const Hsa__V1__UnitReply *m)
{
	hsa_rc rc;

	switch (m->kind_case) {
	case HSA__V1__UNIT_REPLY__KIND_ADMIN:
		r->kind = HSA_UNIT_ADMIN;
		r->admin.http_status = m->admin->http_status;
		HSA_TRY(rc,
		    hsa_wire_buf(&r->admin.transport, &m->admin->transport));
		HSA_TRY(rc, hsa_wire_text(&r->admin.text, m->admin->text));
		break;
	case HSA__V1__UNIT_REPLY__KIND_STATUS:
		r->kind = HSA_UNIT_STATUS;
		HSA_TRY(rc, hsa_codec_status_get(&r->status, m->status));
		break;
	case HSA__V1__UNIT_REPLY__KIND_ERROR:
		r->kind = HSA_UNIT_ERROR;
		HSA_TRY(rc, hsa_strdup_opt(&r->error, m->error));
		break;
	case HSA__V1__UNIT_REPLY__KIND_INFO:
		r->kind = HSA_UNIT_INFO;
		r->info.rv = m->info->rv;
		HSA_TRY(rc, hsa_wire_buf(&r->info.data, &m->info->data));
		break;
	case HSA__V1__UNIT_REPLY__KIND_BLOCK:
		r->kind = HSA_UNIT_BLOCK;
		r->block.http_status = m->block->http_status;
		HSA_TRY(rc, hsa_wire_text(&r->block.text, m->block->text));
		HSA_TRY(
		    rc, hsa_wire_buf(&r->block.response, &m->block->response));
		rc = hsa_wire_buf(&r->block.signature, &m->block->signature);
		break;
	case HSA__V1__UNIT_REPLY__KIND_KEYSTORE:
		r->kind = HSA_UNIT_KEYSTORE;
		rc = hsa_codec_ks_reply_get(&r->keystore, m->keystore);
		break;
	default:
		rc = HSA_RC(E_FORMAT);
	}
out:
	return rc;
}

hsa_rc
hsa_unit_reply_decode(
    struct hsa_unit_reply *r, size_t *used, const void *p, size_t n)
{
	const ProtobufCMessageDescriptor *desc =
	    &hsa__v1__unit_reply__descriptor;
	struct hsa_unit_reply got = {0};
	struct hsa_wire_field f = {0};
	struct hsa_pool pool = {0};
	struct hsa_cur body = {0};
	size_t took = 0;
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(rc, only_member(&f, &body, &took, desc, p, n));
	if (f.desc->id == HSA__V1__UNIT_REPLY__KIND_EP11) {
		got.kind = HSA_UNIT_EP11;
		HSA_TRY(rc, hsa_codec_ep11_reply_get(&got.call, &f));
	} else {
		HSA_TRY(rc, hsa_wire_unpack(&m, &pool, desc, 0, body.p,
				hsa_cur_left(&body)));
		HSA_TRY(rc, reply_get(&got, m));
	}
	*r = got;
	*used = took;
	got = (struct hsa_unit_reply){0};
out:
	hsa_unit_reply_free(&got);
	hsa_pool_free(&pool);
	return rc;
}
