#include <string.h>

#include "hsa_codec_event.h"

/* ---- writing ------------------------------------------------------------- */

Hsa__V1__Initiator *
hsa_codec_initiator_put(struct hsa_pool *pool, const struct hsa_initiator *i)
{
	Hsa__V1__Initiator *m = hsa_pool_get(pool, sizeof(*m));

	if (m == NULL)
		return NULL;
	hsa__v1__initiator__init(m);
	m->id = hsa_pool_text(pool, i->id);
	m->name = hsa_pool_text(pool, i->name);
	m->type_uri = hsa_pool_text(pool, i->type_uri);
	m->credential_type = hsa_pool_text(pool, i->credential_type);
	m->host_address = hsa_pool_text(pool, i->host_address);
	m->host_address_type = hsa_pool_text(pool, i->host_address_type);
	m->host_agent = hsa_pool_text(pool, i->host_agent);
	return m;
}

static Hsa__V1__Target *
target_put(struct hsa_pool *pool, const struct hsa_event *ev)
{
	Hsa__V1__Target *m = hsa_pool_get(pool, sizeof(*m));

	if (m == NULL)
		return NULL;
	hsa__v1__target__init(m);
	m->id = hsa_pool_text(pool, ev->target_id);
	m->name = hsa_pool_text(pool, ev->target_name);
	m->type_uri = hsa_pool_text(pool, ev->target_type_uri);
	return m;
}

static Hsa__V1__Reason *
reason_put(struct hsa_pool *pool, const struct hsa_event *ev)
{
	Hsa__V1__Reason *m = hsa_pool_get(pool, sizeof(*m));

	if (m == NULL)
		return NULL;
	hsa__v1__reason__init(m);
	m->code = ev->reason_code;
	m->type = hsa_pool_text(pool, ev->reason_type);
	m->failure = hsa_pool_text(pool, ev->reason_failure);
	return m;
}

static hsa_rc
data_put(Hsa__V1__Data **m, struct hsa_pool *pool, bool has,
    const struct hsa_data *d)
{
	if (!has)
		return HSA_OK;
	*m = hsa_pool_get(pool, sizeof(**m));
	if (*m == NULL)
		return HSA_RC(E_NOMEM);
	hsa__v1__data__init(*m);
	return hsa_codec_data_put(*m, pool, d, 1);
}

hsa_rc
hsa_codec_event_put(
    Hsa__V1__Event *m, struct hsa_pool *pool, const struct hsa_event *ev)
{
	hsa_rc rc;

	hsa__v1__event__init(m);
	m->action = hsa_pool_text(pool, ev->action_name);
	m->outcome = hsa_pool_text(pool, ev->outcome);
	m->event_time_ns = ev->event_time_ns;
	m->severity = hsa_pool_text(pool, ev->severity);
	m->message = hsa_pool_text(pool, ev->message);
	m->data_event = ev->data_event;
	m->save_service_copy = ev->save_service_copy;
	m->log_source_crn = hsa_pool_text(pool, ev->log_source_crn);
	m->correlation_id = hsa_pool_text(pool, ev->correlation_id);
	m->id = hsa_wire_bytes(ev->id, sizeof(ev->id));
	m->initiator = hsa_codec_initiator_put(pool, &ev->initiator);
	m->target = target_put(pool, ev);
	m->observer_name = hsa_pool_text(pool, ev->observer_name);
	m->reason = reason_put(pool, ev);
	HSA_TRY(rc,
	    data_put(&m->request_data, pool, ev->has_request, &ev->request));
	HSA_TRY(rc,
	    data_put(&m->response_data, pool, ev->has_response, &ev->response));
out:
	return rc;
}

hsa_rc
hsa_codec_special_put(
    Hsa__V1__Special *m, struct hsa_pool *pool, const struct hsa_special *sp)
{
	hsa__v1__special__init(m);
	m->category = sp->category;
	m->specific = sp->specific;
	m->name = hsa_pool_text(pool, sp->name);
	m->text = hsa_pool_text(pool, sp->text);
	if (sp->has_initiator)
		m->initiator = hsa_codec_initiator_put(pool, &sp->initiator);
	return data_put(&m->details, pool, sp->details.len != 0, &sp->details);
}

/* ---- reading ------------------------------------------------------------- */

hsa_rc
hsa_codec_initiator_get(struct hsa_initiator *i, const Hsa__V1__Initiator *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_text(&i->id, m->id));
	HSA_TRY(rc, hsa_wire_text(&i->name, m->name));
	HSA_TRY(rc, hsa_wire_text(&i->type_uri, m->type_uri));
	HSA_TRY(rc, hsa_wire_text(&i->credential_type, m->credential_type));
	HSA_TRY(rc, hsa_wire_text(&i->host_address, m->host_address));
	HSA_TRY(rc, hsa_wire_text(&i->host_address_type, m->host_address_type));
	HSA_TRY(rc, hsa_wire_text(&i->host_agent, m->host_agent));
out:
	return rc;
}

static hsa_rc
data_get(struct hsa_data *d, bool *has, struct hsa_pool *pool,
    const Hsa__V1__Data *m)
{
	*has = m != NULL;
	return m == NULL ? HSA_OK : hsa_codec_data_get(d, pool, m, 1);
}

hsa_rc
hsa_codec_event_get(
    struct hsa_event *ev, struct hsa_pool *pool, const Hsa__V1__Event *m)
{
	const struct hsa_action_row *row = hsa_catalogue_by_name(m->action);
	hsa_rc rc;

	if (m->initiator == NULL || m->target == NULL || m->reason == NULL)
		return HSA_RC(E_FORMAT);
	ev->action = row == NULL ? HSA_ACTION_NONE : row->code;
	ev->event_time_ns = m->event_time_ns;
	ev->data_event = m->data_event;
	ev->save_service_copy = m->save_service_copy;
	ev->reason_code = m->reason->code;
	HSA_TRY(rc, hsa_wire_fixed(ev->id, sizeof(ev->id), &m->id));
	HSA_TRY(rc, hsa_wire_text(&ev->action_name, m->action));
	HSA_TRY(rc, hsa_wire_text(&ev->outcome, m->outcome));
	HSA_TRY(rc, hsa_wire_text(&ev->severity, m->severity));
	HSA_TRY(rc, hsa_wire_text(&ev->message, m->message));
	HSA_TRY(rc, hsa_wire_text(&ev->log_source_crn, m->log_source_crn));
	HSA_TRY(rc, hsa_wire_text(&ev->correlation_id, m->correlation_id));
	HSA_TRY(rc, hsa_wire_text(&ev->observer_name, m->observer_name));
	HSA_TRY(rc, hsa_codec_initiator_get(&ev->initiator, m->initiator));
	HSA_TRY(rc, hsa_wire_text(&ev->target_id, m->target->id));
	HSA_TRY(rc, hsa_wire_text(&ev->target_name, m->target->name));
	HSA_TRY(rc, hsa_wire_text(&ev->target_type_uri, m->target->type_uri));
	HSA_TRY(rc, hsa_wire_text(&ev->reason_type, m->reason->type));
	HSA_TRY(rc, hsa_wire_text(&ev->reason_failure, m->reason->failure));
	HSA_TRY(rc,
	    data_get(&ev->request, &ev->has_request, pool, m->request_data));
	HSA_TRY(rc,
	    data_get(&ev->response, &ev->has_response, pool, m->response_data));
out:
	return rc;
}

hsa_rc
hsa_codec_special_get(
    struct hsa_special *sp, struct hsa_pool *pool, const Hsa__V1__Special *m)
{
	bool has = false;
	hsa_rc rc;

	sp->category = m->category;
	sp->specific = m->specific;
	sp->has_initiator = m->initiator != NULL;
	HSA_TRY(rc, hsa_wire_text(&sp->name, m->name));
	HSA_TRY(rc, hsa_wire_text(&sp->text, m->text));
	if (m->initiator != NULL)
		HSA_TRY(
		    rc, hsa_codec_initiator_get(&sp->initiator, m->initiator));
	HSA_TRY(rc, data_get(&sp->details, &has, pool, m->details));
	/* no details are written as no details, not as an empty object */
	if (has && sp->details.len == 0)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}
