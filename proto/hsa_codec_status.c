#include <string.h>

#include "hsa_codec_unit.h"

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
		m->collector[i]->certificate_ends = c->certificate_ends;
		m->collector[i]->last_error =
		    hsa_pool_text(pool, c->last_error);
	}
	return HSA_OK;
}

static hsa_rc
emission_put(Hsa__V1__StatusReply *m, struct hsa_pool *pool,
    const struct hsa_emission_status *e)
{
	if (e->mode[0] == '\0')
		return HSA_OK;
	m->emission = hsa_pool_get(pool, sizeof(*m->emission));
	if (m->emission == NULL)
		return HSA_RC(E_NOMEM);
	hsa__v1__emission_status__init(m->emission);
	m->emission->mode = hsa_pool_text(pool, e->mode);
	m->emission->ring_slots = e->ring_slots;
	m->emission->ring_used = e->ring_used;
	m->emission->unrecorded = e->unrecorded;
	return HSA_OK;
}

#define ROOM(list) (sizeof(list) / sizeof((list)[0]))

hsa_rc
hsa_codec_status_put(Hsa__V1__StatusReply *m, struct hsa_pool *pool,
    const struct hsa_unit_status *s)
{
	hsa_rc rc;

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
	m->halted_status = s->halted_status;
	m->lost = s->lost;
	m->log_first = s->log_first;
	m->log_bytes = s->log_bytes;
	m->log_cap = s->log_cap;
	m->log_number = s->log_number;
	m->current_object = hsa_pool_text(pool, s->current_object);
	m->new_object = hsa_pool_text(pool, s->new_object);
	HSA_TRY(rc, emission_put(m, pool, &s->emission));
	rc = status_lists_put(m, pool, s);
out:
	return rc;
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
		c->certificate_ends = m->collector[i]->certificate_ends;
	}
	s->collector_len = m->n_collector;
out:
	return rc;
}

static hsa_rc
emission_get(struct hsa_emission_status *e, const Hsa__V1__EmissionStatus *m)
{
	hsa_rc rc = HSA_OK;

	if (m == NULL)
		return rc;
	if (m->mode[0] == '\0')
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, hsa_wire_chars(e->mode, sizeof(e->mode), m->mode));
	e->ring_slots = m->ring_slots;
	e->ring_used = m->ring_used;
	e->unrecorded = m->unrecorded;
out:
	return rc;
}

hsa_rc
hsa_codec_status_get(struct hsa_unit_status *s, const Hsa__V1__StatusReply *m)
{
	hsa_rc rc;

	s->epoch = m->epoch;
	s->pid = m->pid;
	s->imprint = m->imprint;
	s->signature_threshold = m->signature_threshold;
	s->revocation_threshold = m->revocation_threshold;
	s->log_size = m->log_size;
	s->halted_status = m->halted_status;
	s->lost = m->lost;
	s->log_first = m->log_first;
	s->log_bytes = m->log_bytes;
	s->log_cap = m->log_cap;
	s->log_number = m->log_number;
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
	HSA_TRY(rc, emission_get(&s->emission, m->emission));
	HSA_TRY(rc, status_lists_get(s, m));
out:
	return rc;
}
