/* Contexts, and from an event as the caller says it to its record. */
#include <stdlib.h>
#include <string.h>

#include "hsa_emitter_impl.h"
#include "hsa_json.h"

#define CRN "crn:"
#define IDS 64

/* ---- contexts ------------------------------------------------------------ */

struct member {
	const char *name, *value;
	bool needed;
	char **to;
};

static hsa_rc
copy(const struct member *m, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (m->value == NULL)
		return m->needed ? hsa_fail(diag, HSA_RC(E_ARG),
				       "%s is missing; fix: set it in the "
				       "context",
				       m->name)
				 : HSA_OK;
	if (m->needed && m->value[0] == '\0')
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "%s is empty; fix: set it in the context", m->name);
	HSA_TRY(rc, hsa_emitter_text(m->value, m->name, diag));
	HSA_TRY(rc, hsa_strdup_opt(m->to, m->value));
out:
	return rc;
}

static hsa_rc
fill(struct hsa_emitter_context *c,
    const struct hsa_emitter_context_config *cfg, struct hsa_diag *diag)
{
	struct hsa_initiator *i = &c->initiator;
	const struct member m[] = {
	    {"log_source_crn", cfg->log_source_crn, true, &c->log_source_crn},
	    {"target_id", cfg->target_id, false, &c->target_id},
	    {"target_name", cfg->target_name, false, &c->target_name},
	    {"correlation_id", cfg->correlation_id, false, &c->correlation_id},
	    {"initiator_id", cfg->initiator_id, true, &i->id},
	    {"initiator_name", cfg->initiator_name, false, &i->name},
	    {"initiator_type", cfg->initiator_type, true, &i->type_uri},
	    {"credential_type", cfg->credential_type, true,
		&i->credential_type},
	    {"host_address", cfg->host_address, false, &i->host_address},
	    {"host_address_type", cfg->host_address_type, false,
		&i->host_address_type},
	    {"host_agent", cfg->host_agent, false, &i->host_agent},
	};
	hsa_rc rc = HSA_OK;

	for (size_t k = 0; k < sizeof(m) / sizeof(m[0]); k++)
		HSA_TRY(rc, copy(&m[k], diag));
	if (strncmp(cfg->log_source_crn, CRN, sizeof(CRN) - 1) != 0)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "log_source_crn \"%.64s\" is no CRN; fix: that of the "
		    "service's instance, crn:v1:...::",
		    cfg->log_source_crn);
out:
	return rc;
}

static hsa_rc
mode_of(enum hsa_emitter_mode *to, const struct hsa_emitter *e,
    enum hsa_emitter_mode asked, struct hsa_diag *diag)
{
	if (asked == 0)
		asked = e->mode;
	if (asked != HSA_EMITTER_SEALED && asked != e->mode)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "a context can be of its emitter's mode or "
		    "HSA_EMITTER_SEALED; fix: open the emitter in that mode");
	/* what is off is off for all: the log said so */
	*to = e->mode == HSA_EMITTER_OFF ? e->mode : asked;
	return HSA_OK;
}

hsa_rc
hsa_emitter_context(struct hsa_emitter_context **to, struct hsa_emitter *e,
    const struct hsa_emitter_context_config *cfg, struct hsa_diag *diag)
{
	struct hsa_emitter_context *c = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_alive(e, diag));
	for (size_t i = 0; i < sizeof(cfg->reserved) / sizeof(uint64_t); i++)
		if (cfg->reserved[i] != 0)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "the context has members that this version of "
			    "libhsa does not know; fix: start from zeros");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return HSA_RC(E_NOMEM);
	c->e = e;
	(void)atomic_fetch_add(&e->refs, 1);
	HSA_TRY(rc, mode_of(&c->mode, e, cfg->mode, diag));
	HSA_TRY(rc, fill(c, cfg, diag));
	*to = c;
	c = NULL;
out:
	hsa_emitter_context_free(c);
	return rc;
}

void
hsa_emitter_context_free(struct hsa_emitter_context *c)
{
	if (c == NULL)
		return;
	free(c->log_source_crn);
	free(c->target_id);
	free(c->target_name);
	free(c->correlation_id);
	hsa_initiator_free(&c->initiator);
	hsa_emitter_unref(c->e);
	free(c);
}

/* ---- fields -------------------------------------------------------------- */

static hsa_rc
field_bytes(struct hsa_data *d, const struct hsa_emitter_field *f,
    struct hsa_diag *diag)
{
	char uuid[HSA_UUID_TEXT];

	if (f->len == 0 || f->len > HSA_EMITTER_TEXT_MAX ||
	    f->count > HSA_EMITTER_TEXT_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "%s has %zu times %zu bytes; fix: 1 to %u bytes, at most "
		    "%u times",
		    f->name, f->count, f->len, HSA_EMITTER_TEXT_MAX,
		    HSA_EMITTER_TEXT_MAX);
	switch (f->form) {
	case HSA_EMITTER_HEX:
		return hsa_data_hex(d, f->name, f->bytes, f->len);
	case HSA_EMITTER_HEX_LIST:
		return hsa_data_hex_list(
		    d, f->name, f->bytes, f->len, f->count);
	default:
		hsa_uuid_text(uuid, f->bytes);
		return hsa_data_text(d, f->name, uuid);
	}
}

static hsa_rc
field(struct hsa_data *d, const struct hsa_emitter_field *f,
    struct hsa_diag *diag)
{
	char time[40];
	hsa_rc rc;

	switch (f->form) {
	case HSA_EMITTER_TEXT:
		if (f->text == NULL)
			return HSA_OK;
		HSA_TRY(rc, hsa_emitter_text(f->text, f->name, diag));
		return hsa_data_text(d, f->name, f->text);
	case HSA_EMITTER_INTEGER:
		return hsa_data_integer(d, f->name, f->number);
	case HSA_EMITTER_BOOLEAN:
		return hsa_data_boolean(d, f->name, f->number != 0);
	case HSA_EMITTER_TIME:
		if (f->number < 0)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s is a time before 1970; fix: nanoseconds since "
			    "then",
			    f->name);
		hsa_time_rfc3339(time, (uint64_t)f->number);
		return hsa_data_text(d, f->name, time);
	case HSA_EMITTER_HEX:
	case HSA_EMITTER_HEX_LIST:
	case HSA_EMITTER_UUID:
		return f->bytes == NULL ? HSA_OK : field_bytes(d, f, diag);
	}
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "%s has no form; fix: make fields by the macros HSA_REQUEST_* and "
	    "HSA_RESPONSE_*",
	    f->name);
out:
	return rc;
}

static hsa_rc
fields(struct hsa_data *request, struct hsa_data *response,
    const struct hsa_emitter_field *f, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (; f != NULL && f->member != 0; f++) {
		if (f->name == NULL || (f->member != HSA_EMITTER_REQUEST &&
					   f->member != HSA_EMITTER_RESPONSE))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "a field has no name, or the list no end; fix: "
			    "make fields by the macros HSA_REQUEST_* and "
			    "HSA_RESPONSE_*, and end them by HSA_FIELDS_END");
		HSA_TRY(rc, hsa_emitter_text(f->name, "a field's name", diag));
		rc =
		    field(f->member == HSA_EMITTER_REQUEST ? request : response,
			f, diag);
		if (rc.v == HSA_E_EXISTS)
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "%s is there twice; fix: once", f->name);
		if (!hsa_is_ok(rc))
			break;
	}
out:
	return rc;
}

/* ---- events -------------------------------------------------------------- */

/* NULL, with a diagnosis: no such action. */
static const struct hsa_action_row *
named(const struct hsa_emitter_event *ev, struct hsa_diag *diag)
{
	const bool by_name = ev->action == 0 && ev->action_name != NULL;
	const struct hsa_action_row *row, *old = NULL;

	row = by_name ? hsa_catalogue_by_name(ev->action_name)
		      : hsa_catalogue_by_code(ev->action);
	if (row == NULL && by_name)
		old = hsa_catalogue_by_old_name(ev->action_name);
	if (old != NULL)
		hsa_diag_set(diag, "%s is called %s now; fix: use that name",
		    ev->action_name, old->name);
	else if (row == NULL)
		hsa_diag_set(diag,
		    "no action %.128s in the catalogue; fix: `hsa catalogue` "
		    "and hsa_catalogue.h list them",
		    by_name ? ev->action_name : "of this code");
	return row;
}

static hsa_rc
texts(const struct hsa_emitter_event *ev, struct hsa_diag *diag)
{
	const struct member m[] = {
	    {"reason", ev->reason, false, NULL},
	    {"target_id", ev->target_id, false, NULL},
	    {"target_name", ev->target_name, false, NULL},
	    {"correlation_id", ev->correlation_id, false, NULL},
	};
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		if (m[i].value != NULL)
			HSA_TRY(
			    rc, hsa_emitter_text(m[i].value, m[i].name, diag));
	for (size_t i = 0; i < sizeof(ev->reserved) / sizeof(uint64_t); i++)
		if (ev->reserved[i] != 0)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "the event has members that this version of "
			    "libhsa does not know; fix: start from zeros");
out:
	return rc;
}

/* A call to the kernel for many: it costs more than the rest of an id. */
static hsa_rc
next_id(uint8_t to[HSA_UUID_LEN], const struct hsa_emitter *e)
{
	static _Thread_local struct {
		uint8_t id[IDS][HSA_UUID_LEN];
		size_t left;
		unsigned int generation; /* a child draws its own */
	} pool;
	hsa_rc rc = HSA_OK;

	if (pool.left == 0 || pool.generation != e->generation) {
		pool.left = 0;
		HSA_TRY(rc, hsa_uuid_many(pool.id, IDS));
		pool.left = IDS;
		pool.generation = e->generation;
	}
	memcpy(to, pool.id[--pool.left], HSA_UUID_LEN);
out:
	return rc;
}

static const char *
either(const char *own, const char *shared)
{
	return own != NULL ? own : shared;
}

static hsa_rc
build(struct hsa_record *r, const struct hsa_emitter_context *c,
    const struct hsa_emitter_event *ev, struct hsa_diag *diag)
{
	const struct hsa_action_row *row = named(ev, diag);
	struct hsa_data request = {0}, response = {0};
	uint8_t id[HSA_UUID_LEN];
	struct hsa_event_args a = {
	    .id = id,
	    .status = ev->status,
	    .reason_failure = ev->reason,
	    .time_ns = ev->time_ns != 0 ? ev->time_ns : r->wall_ns,
	    .log_source_crn = c->log_source_crn,
	    .correlation_id = ev->correlation_id,
	    .target_id = either(ev->target_id, c->target_id),
	    .target_name = either(ev->target_name, c->target_name),
	    .initiator = &c->initiator,
	    .request = &request,
	    .response = &response,
	};
	hsa_rc rc;

	if (row == NULL)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, texts(ev, diag));
	HSA_TRY(rc, next_id(id, c->e));
	a.action = row->code;
	if (a.correlation_id == NULL &&
	    row->correlation == HSA_CORRELATION_REQUIRED)
		a.correlation_id = c->correlation_id;
	HSA_TRY(rc, fields(&request, &response, ev->field, diag));
	HSA_TRY(rc, hsa_event_build(&r->event, &a, diag));
out:
	hsa_data_free(&request);
	hsa_data_free(&response);
	return rc;
}

/* Whose fault it is decides what is counted. */
static void
count(struct hsa_emitter *e, hsa_rc rc)
{
	if (hsa_is_ok(rc))
		(void)atomic_fetch_add(&e->emitted, 1);
	else if (rc.v == HSA_E_ARG || rc.v == HSA_E_RANGE)
		(void)atomic_fetch_add(&e->refused, 1);
	else {
		(void)atomic_fetch_add(&e->unrecorded, 1);
		if (rc.v != HSA_E_TIMEOUT)
			(void)atomic_fetch_add(&e->lost, 1);
	}
}

static hsa_rc
record(struct hsa_emitter_receipt *to, struct hsa_emitter_context *c,
    struct hsa_record *r, struct hsa_diag *diag)
{
	uint64_t sequence = HSA_EMITTER_NOT_YET, number = 0;
	hsa_rc rc = HSA_OK;

	r->source =
	    c->mode == HSA_EMITTER_RING ? HSA_SOURCE_USE : HSA_SOURCE_OUTBOX;
	if (c->mode == HSA_EMITTER_OFF)
		(void)atomic_fetch_add(&c->e->not_sealed, 1);
	else
		HSA_TRY(
		    rc, hsa_emitter_seal(c->e, &sequence, &number, r, diag));
	if (to != NULL) {
		*to = (struct hsa_emitter_receipt){
		    .time_ns = r->event.event_time_ns,
		    .sequence = sequence,
		    .number = number,
		};
		memcpy(to->event_id, r->event.id, sizeof(to->event_id));
		hsa_uuid_text(to->event_id_text, r->event.id);
	}
out:
	return rc;
}

hsa_rc
hsa_emitter_emit(struct hsa_emitter_context *c,
    struct hsa_emitter_receipt *receipt, const struct hsa_emitter_event *ev,
    struct hsa_diag *diag)
{
	struct hsa_record r = {.body = HSA_BODY_EVENT};
	hsa_rc rc;

	rc = hsa_emitter_alive(c->e, diag);
	if (!hsa_is_ok(rc))
		return rc;
	hsa_emitter_envelope(&r, c->e);
	HSA_TRY(rc, build(&r, c, ev, diag));
	HSA_TRY(rc, record(receipt, c, &r, diag));
out:
	count(c->e, rc);
	hsa_record_free(&r);
	return rc;
}
