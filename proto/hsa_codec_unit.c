#include <string.h>

#include "hsa_codec.h"
#include "hsa_codec_wire.h"
#include "hsa_unit.h"
#include "unit.pb-c.h"

/* ---- requests ------------------------------------------------------------ */

static void
caller_put(
    Hsa__V1__Caller *m, struct hsa_pool *pool, const struct hsa_caller *c)
{
	const struct hsa_initiator *i = &c->initiator;

	hsa__v1__caller__init(m);
	m->id = hsa_pool_text(pool, i->id);
	m->name = hsa_pool_text(pool, i->name);
	m->type_uri = hsa_pool_text(pool, i->type_uri);
	m->credential_type = hsa_pool_text(pool, i->credential_type);
	m->host_address = hsa_pool_text(pool, i->host_address);
	m->host_address_type = hsa_pool_text(pool, i->host_address_type);
	m->host_agent = hsa_pool_text(pool, i->host_agent);
	m->denied = c->denied;
	m->denied_text = hsa_pool_text(pool, c->denied_text);
	m->command_id = hsa_wire_bytes(c->command_id, HSA_UUID_LEN);
	m->ceremony_id = hsa_pool_text(pool, c->ceremony_id);
	m->ceremony_step = hsa_pool_text(pool, c->ceremony_step);
}

static bool
denied_known(uint32_t denied)
{
	return denied == 0 || denied == 401 || denied == 403;
}

hsa_rc
hsa_unit_request_encode(struct hsa_buf *b, const struct hsa_unit_request *q)
{
	struct hsa_pool pool = {0};
	Hsa__V1__AdminRequest admin;
	Hsa__V1__StatusRequest status;
	Hsa__V1__UnitRequest m;
	Hsa__V1__Caller caller;
	hsa_rc rc = HSA_RC(E_ARG);

	hsa__v1__unit_request__init(&m);
	hsa__v1__admin_request__init(&admin);
	hsa__v1__status_request__init(&status);
	switch (q->kind) {
	case HSA_UNIT_ADMIN:
		if (!denied_known(q->caller.denied))
			goto out;
		caller_put(&caller, &pool, &q->caller);
		admin.caller = &caller;
		admin.transport =
		    hsa_wire_bytes(q->transport.p, q->transport.len);
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_ADMIN;
		m.admin = &admin;
		break;
	case HSA_UNIT_STATUS:
		m.kind_case = HSA__V1__UNIT_REQUEST__KIND_STATUS;
		m.status = &status;
		break;
	default:
		goto out;
	}
	rc = hsa_wire_pack(b, &pool, &m.base, HSA_FRAME_MAX, true);
out:
	hsa_pool_free(&pool);
	return rc;
}

static hsa_rc
caller_get(struct hsa_caller *c, const Hsa__V1__Caller *m)
{
	struct hsa_initiator *i = &c->initiator;
	hsa_rc rc;

	if (m == NULL || !denied_known(m->denied))
		return HSA_RC(E_FORMAT);
	c->denied = m->denied;
	HSA_TRY(
	    rc, hsa_wire_fixed(c->command_id, HSA_UUID_LEN, &m->command_id));
	HSA_TRY(rc, hsa_wire_text(&i->id, m->id));
	HSA_TRY(rc, hsa_wire_text(&i->name, m->name));
	HSA_TRY(rc, hsa_wire_text(&i->type_uri, m->type_uri));
	HSA_TRY(rc, hsa_wire_text(&i->credential_type, m->credential_type));
	HSA_TRY(rc, hsa_wire_text(&i->host_address, m->host_address));
	HSA_TRY(rc, hsa_wire_text(&i->host_address_type, m->host_address_type));
	HSA_TRY(rc, hsa_wire_text(&i->host_agent, m->host_agent));
	HSA_TRY(rc, hsa_wire_text(&c->denied_text, m->denied_text));
	HSA_TRY(rc, hsa_wire_text(&c->ceremony_id, m->ceremony_id));
	HSA_TRY(rc, hsa_wire_text(&c->ceremony_step, m->ceremony_step));
out:
	return rc;
}

hsa_rc
hsa_unit_request_decode(
    struct hsa_unit_request *q, size_t *used, const void *p, size_t n)
{
	struct hsa_unit_request got = {0};
	const Hsa__V1__UnitRequest *m = NULL;
	struct hsa_pool pool = {0};
	struct hsa_cur body = {0};
	size_t took = 0;
	void *v = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_delimited(&body, &took, p, n, HSA_FRAME_MAX));
	HSA_TRY(
	    rc, hsa_wire_unpack(&v, &pool, &hsa__v1__unit_request__descriptor,
		    0, body.p, hsa_cur_left(&body)));
	m = v;
	switch (m->kind_case) {
	case HSA__V1__UNIT_REQUEST__KIND_ADMIN:
		got.kind = HSA_UNIT_ADMIN;
		HSA_TRY(rc, caller_get(&got.caller, m->admin->caller));
		hsa_buf_put(&got.transport, m->admin->transport.data,
		    m->admin->transport.len);
		HSA_TRY(rc, hsa_buf_rc(&got.transport));
		break;
	case HSA__V1__UNIT_REQUEST__KIND_STATUS:
		got.kind = HSA_UNIT_STATUS;
		break;
	default:
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	*q = got;
	*used = took;
	got = (struct hsa_unit_request){0};
out:
	hsa_unit_request_free(&got);
	hsa_pool_free(&pool);
	return rc;
}

/* ---- status -------------------------------------------------------------- */

static hsa_rc
status_lists_put(Hsa__V1__StatusReply *m, struct hsa_pool *pool,
    const struct hsa_unit_status *s)
{
	const hsa_rc no = HSA_RC(E_NOMEM);

	m->n_admin = s->admin_len;
	m->admin = hsa_pool_get(pool, s->admin_len * sizeof(*m->admin));
	m->n_token_object = s->token_object_len;
	m->token_object =
	    hsa_pool_get(pool, s->token_object_len * sizeof(*m->token_object));
	m->n_counter = s->counter_len;
	m->counter =
	    hsa_pool_array(pool, s->counter_len, sizeof(*m->counter[0]));
	m->n_collector = s->collector_len;
	m->collector =
	    hsa_pool_array(pool, s->collector_len, sizeof(*m->collector[0]));
	if (pool->failed)
		return no;
	for (size_t i = 0; i < s->admin_len; i++)
		m->admin[i] = hsa_wire_bytes(s->admin[i], HSA_SKI_LEN);
	for (size_t i = 0; i < s->token_object_len; i++)
		m->token_object[i] = hsa_wire_bytes(
		    s->token_object[i], sizeof(s->token_object[i]));
	for (size_t i = 0; i < s->counter_len; i++) {
		hsa__v1__counter__init(m->counter[i]);
		m->counter[i]->name = hsa_pool_text(pool, s->counter[i].name);
		m->counter[i]->value = s->counter[i].value;
	}
	for (size_t i = 0; i < s->collector_len; i++) {
		const struct hsa_collector_status *c = &s->collector[i];

		hsa__v1__collector_status__init(m->collector[i]);
		m->collector[i]->name = hsa_pool_text(pool, c->name);
		m->collector[i]->connected = c->connected;
		m->collector[i]->acknowledged = c->acknowledged;
		m->collector[i]->last_error =
		    hsa_pool_text(pool, c->last_error);
	}
	return HSA_OK;
}

#define ROOM(list) (sizeof(list) / sizeof((list)[0]))

static hsa_rc
status_put(Hsa__V1__StatusReply *m, struct hsa_pool *pool,
    const struct hsa_unit_status *s)
{
	hsa__v1__status_reply__init(m);
	if (s->admin_len > ROOM(s->admin) ||
	    s->counter_len > ROOM(s->counter) ||
	    s->collector_len > ROOM(s->collector) ||
	    s->token_object_len > ROOM(s->token_object))
		return HSA_RC(E_ARG);
	m->unit_id = hsa_wire_bytes(s->unit_id, HSA_UUID_LEN);
	m->epoch = s->epoch;
	m->pid = s->pid;
	m->imprint = s->imprint;
	m->signature_threshold = s->signature_threshold;
	m->revocation_threshold = s->revocation_threshold;
	m->new_register = hsa_pool_text(pool, s->new_register);
	m->new_pattern = hsa_wire_bytes(s->new_pattern, HSA_SHA256_LEN);
	m->current_register = hsa_pool_text(pool, s->current_register);
	m->current_pattern = hsa_wire_bytes(s->current_pattern, HSA_SHA256_LEN);
	m->log_size = s->log_size;
	m->log_root = hsa_wire_bytes(s->log_root, HSA_SHA256_LEN);
	m->halted = hsa_pool_text(pool, s->halted);
	m->current_object = hsa_pool_text(pool, s->current_object);
	m->new_object = hsa_pool_text(pool, s->new_object);
	return status_lists_put(m, pool, s);
}

static hsa_rc
status_lists_get(struct hsa_unit_status *s, const Hsa__V1__StatusReply *m)
{
	hsa_rc rc = HSA_OK;

	if (m->n_admin > ROOM(s->admin) || m->n_counter > ROOM(s->counter) ||
	    m->n_collector > ROOM(s->collector) ||
	    m->n_token_object > ROOM(s->token_object))
		return HSA_RC(E_RANGE);
	for (size_t i = 0; i < m->n_admin; i++)
		HSA_TRY(
		    rc, hsa_wire_fixed(s->admin[i], HSA_SKI_LEN, &m->admin[i]));
	s->admin_len = m->n_admin;
	for (size_t i = 0; i < m->n_token_object; i++)
		HSA_TRY(
		    rc, hsa_wire_fixed(s->token_object[i],
			    sizeof(s->token_object[i]), &m->token_object[i]));
	s->token_object_len = m->n_token_object;
	for (size_t i = 0; i < m->n_counter; i++) {
		HSA_TRY(
		    rc, hsa_wire_chars(s->counter[i].name,
			    sizeof(s->counter[i].name), m->counter[i]->name));
		s->counter[i].value = m->counter[i]->value;
	}
	s->counter_len = m->n_counter;
	for (size_t i = 0; i < m->n_collector; i++) {
		struct hsa_collector_status *c = &s->collector[i];

		HSA_TRY(rc, hsa_wire_chars(c->name, sizeof(c->name),
				m->collector[i]->name));
		HSA_TRY(rc, hsa_wire_chars(c->last_error, sizeof(c->last_error),
				m->collector[i]->last_error));
		c->connected = m->collector[i]->connected;
		c->acknowledged = m->collector[i]->acknowledged;
	}
	s->collector_len = m->n_collector;
out:
	return rc;
}

static hsa_rc
status_get(struct hsa_unit_status *s, const Hsa__V1__StatusReply *m)
{
	hsa_rc rc;

	s->epoch = m->epoch;
	s->pid = m->pid;
	s->imprint = m->imprint;
	s->signature_threshold = m->signature_threshold;
	s->revocation_threshold = m->revocation_threshold;
	s->log_size = m->log_size;
	HSA_TRY(rc, hsa_wire_fixed(s->unit_id, HSA_UUID_LEN, &m->unit_id));
	HSA_TRY(rc, hsa_wire_chars(s->new_register, sizeof(s->new_register),
			m->new_register));
	HSA_TRY(rc,
	    hsa_wire_fixed(s->new_pattern, HSA_SHA256_LEN, &m->new_pattern));
	HSA_TRY(rc, hsa_wire_chars(s->current_register,
			sizeof(s->current_register), m->current_register));
	HSA_TRY(rc, hsa_wire_fixed(s->current_pattern, HSA_SHA256_LEN,
			&m->current_pattern));
	HSA_TRY(rc, hsa_wire_fixed(s->log_root, HSA_SHA256_LEN, &m->log_root));
	HSA_TRY(rc, hsa_wire_chars(s->halted, sizeof(s->halted), m->halted));
	HSA_TRY(rc, hsa_wire_chars(s->current_object, sizeof(s->current_object),
			m->current_object));
	HSA_TRY(rc, hsa_wire_chars(
			s->new_object, sizeof(s->new_object), m->new_object));
	HSA_TRY(rc, status_lists_get(s, m));
out:
	return rc;
}

/* ---- replies ------------------------------------------------------------- */

hsa_rc
hsa_unit_reply_encode(struct hsa_buf *b, const struct hsa_unit_reply *r)
{
	struct hsa_pool pool = {0};
	Hsa__V1__StatusReply status;
	Hsa__V1__AdminReply admin;
	Hsa__V1__UnitReply m;
	hsa_rc rc;

	hsa__v1__unit_reply__init(&m);
	hsa__v1__admin_reply__init(&admin);
	switch (r->kind) {
	case HSA_UNIT_ADMIN:
		admin.http_status = r->admin.http_status;
		admin.transport = hsa_wire_bytes(
		    r->admin.transport.p, r->admin.transport.len);
		admin.text = hsa_pool_text(&pool, r->admin.text);
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_ADMIN;
		m.admin = &admin;
		break;
	case HSA_UNIT_STATUS:
		HSA_TRY(rc, status_put(&status, &pool, &r->status));
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_STATUS;
		m.status = &status;
		break;
	case HSA_UNIT_ERROR:
		m.kind_case = HSA__V1__UNIT_REPLY__KIND_ERROR;
		m.error = hsa_pool_text(&pool, r->error);
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
		hsa_buf_put(&r->admin.transport, m->admin->transport.data,
		    m->admin->transport.len);
		HSA_TRY(rc, hsa_buf_rc(&r->admin.transport));
		HSA_TRY(rc, hsa_wire_text(&r->admin.text, m->admin->text));
		break;
	case HSA__V1__UNIT_REPLY__KIND_STATUS:
		r->kind = HSA_UNIT_STATUS;
		HSA_TRY(rc, status_get(&r->status, m->status));
		break;
	case HSA__V1__UNIT_REPLY__KIND_ERROR:
		r->kind = HSA_UNIT_ERROR;
		HSA_TRY(rc, hsa_strdup_opt(&r->error, m->error));
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
	struct hsa_unit_reply got = {0};
	struct hsa_pool pool = {0};
	struct hsa_cur body = {0};
	size_t took = 0;
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_delimited(&body, &took, p, n, HSA_FRAME_MAX));
	HSA_TRY(rc, hsa_wire_unpack(&m, &pool, &hsa__v1__unit_reply__descriptor,
			0, body.p, hsa_cur_left(&body)));
	HSA_TRY(rc, reply_get(&got, m));
	*r = got;
	*used = took;
	got = (struct hsa_unit_reply){0};
out:
	hsa_unit_reply_free(&got);
	hsa_pool_free(&pool);
	return rc;
}
