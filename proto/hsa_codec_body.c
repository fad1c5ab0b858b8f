/*
 * Contexts, compact records and uses between the C structs and the generated
 * ones, and which fields go together in a record (FORMAT E6).
 */
#include <string.h>

#include "hsa_codec_event.h"

/* ---- what goes together -------------------------------------------------- */

bool
hsa_codec_source_fits(enum hsa_source source, enum hsa_body body, bool use)
{
	switch (body) {
	case HSA_BODY_EVENT:
		return source == HSA_SOURCE_OUTBOX || source == HSA_SOURCE_USE;
	case HSA_BODY_SPECIAL:
		return (source == HSA_SOURCE_OUTBOX ||
			   source == HSA_SOURCE_SEALER) &&
		       !use;
	case HSA_BODY_CONTEXT:
		return source == HSA_SOURCE_SEALER && !use;
	case HSA_BODY_COMPACT:
		return source == HSA_SOURCE_USE;
	}
	return false;
}

static bool
given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

bool
hsa_codec_body_fits(const struct hsa_record *r)
{
	if (!hsa_codec_source_fits(r->source, r->body, r->has_use))
		return false;
	if (r->body != HSA_BODY_CONTEXT && r->body != HSA_BODY_COMPACT)
		return true;
	if (r->command != 0 || r->signer_len != 0)
		return false;
	if (r->body == HSA_BODY_CONTEXT)
		return !r->has_command_id && r->ep11_rc == 0 &&
		       r->ep11_reason == 0 && r->event.event_time_ns == 0 &&
		       !given(r->event.correlation_id);
	return r->epoch == 0 && !given(r->ceremony_id) &&
	       !given(r->ceremony_step) && r->compact.context != 0 &&
	       !(r->has_use && r->use.has_session);
}

/* ---- writing ------------------------------------------------------------- */

void
hsa_codec_use_put(Hsa__V1__Use *m, const struct hsa_use *u)
{
	hsa__v1__use__init(m);
	m->function = u->function;
	m->mechanism = u->mechanism;
	if (u->has_key_id)
		m->key_id = hsa_wire_bytes(u->key_id, sizeof(u->key_id));
	if (u->has_session)
		m->session = hsa_wire_bytes(u->session, sizeof(u->session));
	m->bytes_in = u->bytes_in;
	m->bytes_out = u->bytes_out;
	m->duration_ns = u->duration_ns;
	m->length_only = u->length_only;
}

hsa_rc
hsa_codec_context_put(
    Hsa__V1__Context *m, struct hsa_pool *pool, const struct hsa_record *r)
{
	hsa__v1__context__init(m);
	m->event = hsa_pool_get(pool, sizeof(*m->event));
	if (m->event == NULL)
		return HSA_RC(E_NOMEM);
	if (r->has_session)
		m->session = hsa_wire_bytes(r->session, sizeof(r->session));
	return hsa_codec_event_put(m->event, pool, &r->event);
}

void
hsa_codec_compact_put(Hsa__V1__Compact *m, const struct hsa_compact *c)
{
	hsa__v1__compact__init(m);
	m->context = c->context;
	if (c->has_correlation_id)
		m->correlation_id = hsa_wire_bytes(
		    c->correlation_id, sizeof(c->correlation_id));
}

/* ---- reading ------------------------------------------------------------- */

/* has: whether the field is there; then it is n bytes. */
static hsa_rc
fixed_opt(bool *has, void *to, size_t n, const ProtobufCBinaryData *b)
{
	*has = b->len != 0;
	return *has ? hsa_wire_fixed(to, n, b) : HSA_OK;
}

hsa_rc
hsa_codec_use_get(struct hsa_use *u, const Hsa__V1__Use *m)
{
	hsa_rc rc;

	if (m->function == 0)
		return HSA_RC(E_FORMAT);
	u->function = m->function;
	u->mechanism = m->mechanism;
	HSA_TRY(rc, fixed_opt(&u->has_key_id, u->key_id, sizeof(u->key_id),
			&m->key_id));
	HSA_TRY(rc, fixed_opt(&u->has_session, u->session, sizeof(u->session),
			&m->session));
	u->bytes_in = m->bytes_in;
	u->bytes_out = m->bytes_out;
	u->duration_ns = m->duration_ns;
	u->length_only = m->length_only;
out:
	return rc;
}

hsa_rc
hsa_codec_context_get(
    struct hsa_record *r, struct hsa_pool *pool, const Hsa__V1__Context *m)
{
	hsa_rc rc;

	if (m->event == NULL)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, fixed_opt(&r->has_session, r->session, sizeof(r->session),
			&m->session));
	rc = hsa_codec_event_get(&r->event, pool, m->event);
out:
	return rc;
}

hsa_rc
hsa_codec_compact_get(struct hsa_compact *c, const Hsa__V1__Compact *m)
{
	c->context = m->context;
	return fixed_opt(&c->has_correlation_id, c->correlation_id,
	    sizeof(c->correlation_id), &m->correlation_id);
}
