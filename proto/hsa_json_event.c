#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_event.h"
#include "hsa_json.h"

/* A documented field that every event has: "" rather than absent. */
static void
required(struct hsa_jw *w, const char *key, const char *s)
{
	hsa_jw_text(w, key, s == NULL ? "" : s);
}

static bool
given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static void
optional(struct hsa_jw *w, const char *key, const char *s)
{
	if (given(s))
		hsa_jw_text(w, key, s);
}

static void
data_members(struct hsa_jw *w, const struct hsa_data *d)
{
	for (size_t i = 0; i < d->len; i++) {
		const struct hsa_field *f = &d->field[i];

		switch (f->kind) {
		case HSA_VALUE_TEXT:
			required(w, f->name, f->text);
			break;
		case HSA_VALUE_INTEGER:
			hsa_jw_int(w, f->name, f->integer);
			break;
		case HSA_VALUE_BOOLEAN:
			hsa_jw_bool(w, f->name, f->integer != 0);
			break;
		case HSA_VALUE_LIST:
			hsa_jw_array(w, f->name);
			for (size_t k = 0; k < f->list_len; k++)
				required(w, NULL, f->list[k]);
			hsa_jw_end(w);
			break;
		case HSA_VALUE_OBJECT:
			hsa_jw_object(w, f->name);
			data_members(w, f->object);
			hsa_jw_end(w);
			break;
		}
	}
}

void
hsa_jw_data(struct hsa_jw *w, const char *key, const struct hsa_data *d)
{
	hsa_jw_object(w, key);
	data_members(w, d);
	hsa_jw_end(w);
}

static void
initiator(struct hsa_jw *w, const struct hsa_initiator *i)
{
	hsa_jw_object(w, "initiator");
	required(w, "id", i->id);
	required(w, "name", i->name);
	required(w, "typeURI", i->type_uri);
	hsa_jw_object(w, "credential");
	required(w, "type", i->credential_type);
	hsa_jw_end(w);
	/* on a private network there is no host (catalogue notes 3) */
	if (given(i->host_address)) {
		hsa_jw_object(w, "host");
		hsa_jw_text(w, "address", i->host_address);
		optional(w, "addressType", i->host_address_type);
		optional(w, "agent", i->host_agent);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

static void
event(struct hsa_jw *w, const char *key, const struct hsa_event *ev)
{
	char time[32], id[HSA_UUID_TEXT];

	hsa_event_time(time, ev->event_time_ns);
	hsa_uuid_text(id, ev->id);
	hsa_jw_object(w, key);
	required(w, "action", ev->action_name);
	required(w, "outcome", ev->outcome);
	hsa_jw_text(w, "eventTime", time);
	required(w, "severity", ev->severity);
	required(w, "message", ev->message);
	hsa_jw_bool(w, "dataEvent", ev->data_event);
	hsa_jw_bool(w, "saveServiceCopy", ev->save_service_copy);
	required(w, "logSourceCRN", ev->log_source_crn);
	optional(w, "correlationId", ev->correlation_id);
	hsa_jw_text(w, "id", id);
	initiator(w, &ev->initiator);
	hsa_jw_object(w, "target");
	required(w, "id", ev->target_id);
	required(w, "name", ev->target_name);
	required(w, "typeURI", ev->target_type_uri);
	hsa_jw_end(w);
	hsa_jw_object(w, "observer");
	required(w, "name", ev->observer_name);
	hsa_jw_end(w);
	hsa_jw_object(w, "reason");
	hsa_jw_uint(w, "reasonCode", ev->reason_code);
	optional(w, "reasonType", ev->reason_type);
	optional(w, "reasonForFailure", ev->reason_failure);
	hsa_jw_end(w);
	if (ev->has_request)
		hsa_jw_data(w, "requestData", &ev->request);
	if (ev->has_response)
		hsa_jw_data(w, "responseData", &ev->response);
	hsa_jw_end(w);
}

void
hsa_event_json(struct hsa_buf *b, const struct hsa_event *ev)
{
	struct hsa_jw w = {.b = b};

	event(&w, NULL, ev);
}

/* ---- the envelope -------------------------------------------------------- */

static void
special(struct hsa_jw *w, const struct hsa_special *sp)
{
	hsa_jw_object(w, "special");
	required(w, "name", sp->name);
	hsa_jw_uint(w, "category", sp->category);
	if (sp->specific != 0)
		hsa_jw_uint(w, "specific", sp->specific);
	required(w, "text", sp->text);
	if (sp->has_initiator)
		initiator(w, &sp->initiator);
	if (sp->details.len != 0)
		hsa_jw_data(w, "details", &sp->details);
	hsa_jw_end(w);
}

static void
context(struct hsa_jw *w, const struct hsa_record *r)
{
	hsa_jw_object(w, "context");
	if (r->has_session)
		hsa_jw_hex(w, "session", r->session, sizeof(r->session));
	event(w, "event", &r->event);
	hsa_jw_end(w);
}

static void
compact(struct hsa_jw *w, const struct hsa_compact *c)
{
	char uuid[HSA_UUID_TEXT];

	hsa_jw_object(w, "compact");
	hsa_jw_uint(w, "context", c->context);
	hsa_uuid_text(uuid, c->correlation_id);
	if (c->has_correlation_id)
		hsa_jw_text(w, "correlationId", uuid);
	hsa_jw_end(w);
}

static void
ep11_code(struct hsa_jw *w, const struct hsa_record *r)
{
	const struct hsa_ep11_row *rc = hsa_ep11(r->ep11_rc);
	const struct hsa_reason_row *reason = hsa_reason(r->ep11_reason);

	hsa_jw_object(w, "ep11");
	hsa_jw_uint(w, "rc", r->ep11_rc);
	if (rc != NULL)
		hsa_jw_text(w, "rcName", rc->name);
	if (r->ep11_reason != 0)
		hsa_jw_uint(w, "reason", r->ep11_reason);
	if (r->ep11_reason != 0 && reason != NULL)
		hsa_jw_text(w, "reasonName", reason->name);
	hsa_jw_end(w);
}

static const char *
source_name(enum hsa_source source)
{
	switch (source) {
	case HSA_SOURCE_OUTBOX:
		return "outbox";
	case HSA_SOURCE_USE:
		return "use";
	case HSA_SOURCE_SEALER:
		return "sealer";
	}
	return "unknown";
}

void
hsa_jw_use(struct hsa_jw *w, const char *key, const struct hsa_use *u)
{
	const char *name = hsa_fn_text((enum hsa_fn)u->function);
	const char *mech = hsa_mech_text(u->mechanism);

	hsa_jw_object(w, key);
	hsa_jw_uint(w, "function", u->function);
	if (name != NULL)
		hsa_jw_text(w, "functionName", name);
	if (hsa_use_has_mech(u))
		hsa_jw_uint(w, "mechanism", u->mechanism);
	if (hsa_use_has_mech(u) && mech != NULL)
		hsa_jw_text(w, "mechanismName", mech);
	if (u->has_key_id)
		hsa_jw_hex(w, "keyId", u->key_id, sizeof(u->key_id));
	if (u->has_session)
		hsa_jw_hex(w, "session", u->session, sizeof(u->session));
	hsa_jw_uint(w, "bytesIn", u->bytes_in);
	hsa_jw_uint(w, "bytesOut", u->bytes_out);
	hsa_jw_uint(w, "durationNs", u->duration_ns);
	hsa_jw_bool(w, "lengthOnly", u->length_only);
	hsa_jw_end(w);
}

void
hsa_record_json(struct hsa_buf *b, const struct hsa_record *r)
{
	struct hsa_jw w = {.b = b};
	char uuid[HSA_UUID_TEXT], time[40];

	hsa_jw_object(&w, NULL);
	hsa_uuid_text(uuid, r->unit_id);
	if (r->body != HSA_BODY_COMPACT)
		hsa_jw_text(&w, "unit", uuid);
	hsa_jw_uint(&w, "sequence", r->sequence);
	if (r->body != HSA_BODY_COMPACT)
		hsa_jw_uint(&w, "epoch", r->epoch);
	hsa_time_rfc3339(time, r->wall_ns);
	hsa_jw_text(&w, "time", time);
	/* text: nanoseconds outgrow a double's integers after 104 days */
	(void)snprintf(time, sizeof(time), "%" PRIu64 ".%09" PRIu64,
	    r->mono_ns / 1000000000, r->mono_ns % 1000000000);
	hsa_jw_text(&w, "bootTime", time);
	hsa_jw_text(&w, "source", source_name(r->source));
	hsa_jw_uint(&w, "sourceSequence", r->source_sequence);
	hsa_uuid_text(uuid, r->command_id);
	if (r->has_command_id)
		hsa_jw_text(&w, "commandId", uuid);
	optional(&w, "ceremonyId", r->ceremony_id);
	optional(&w, "ceremonyStep", r->ceremony_step);
	if (r->command != 0)
		hsa_jw_uint(&w, "command", r->command);
	if (r->command != 0 || r->ep11_rc != 0 || r->ep11_reason != 0 ||
	    r->has_use)
		ep11_code(&w, r);
	if (r->signer_len != 0) {
		hsa_jw_array(&w, "signers");
		for (size_t i = 0; i < r->signer_len; i++)
			hsa_jw_hex(&w, NULL, r->signer_id[i], HSA_SKI_LEN);
		hsa_jw_end(&w);
	}
	if (r->has_use)
		hsa_jw_use(&w, "use", &r->use);
	switch (r->body) {
	case HSA_BODY_EVENT:
		event(&w, "event", &r->event);
		break;
	case HSA_BODY_SPECIAL:
		special(&w, &r->special);
		break;
	case HSA_BODY_CONTEXT:
		context(&w, r);
		break;
	case HSA_BODY_COMPACT:
		compact(&w, &r->compact);
		break;
	}
	hsa_jw_end(&w);
}
