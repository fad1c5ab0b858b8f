#include <string.h>

#include "hsa_codec.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "val_record.h"

#define TIME_LEN 27 /* 2025-11-22T10:42:07.31+0000 */

/* Where the string of this name begins. The first is the event's own: what
 * comes before has neither objects nor, within a string, a bare quote. */
static size_t
string_at(const struct hsa_buf *b, const char *name)
{
	const uint8_t *s = memmem(b->p, b->len, name, strlen(name));

	return s == NULL ? 0 : (size_t)(s - b->p) + strlen(name);
}

/* The first call of its context, r, is made an event as any reader does. */
static hsa_rc
make(struct val_form *f, const struct hsa_record *call,
    const struct hsa_record *context)
{
	struct hsa_record r = *call; /* owns nothing, being compact */
	hsa_rc rc;

	f->context = 0;
	f->correlated = call->compact.has_correlation_id;
	hsa_buf_reset(&f->json);
	HSA_TRY(rc, hsa_contexts_expand(&r, context));
	hsa_event_json(&f->json, &r.event);
	HSA_TRY(rc, hsa_buf_rc(&f->json));
	f->time = string_at(&f->json, "\"eventTime\":\"");
	f->id = string_at(&f->json, ",\"id\":\"");
	f->correlation =
	    f->correlated ? string_at(&f->json, "\"correlationId\":\"") : 0;
	if (f->time == 0 || f->id == 0 ||
	    (f->correlated && f->correlation == 0))
		rc = HSA_RC(E_FORMAT);
	else
		f->context = context->sequence;
out:
	if (r.body == HSA_BODY_EVENT)
		hsa_record_free(&r);
	return rc;
}

static void
replace(
    struct val_form *f, const struct hsa_record *r, const struct hsa_record *c)
{
	uint8_t id[HSA_UUID_LEN];
	char text[HSA_UUID_TEXT], time[32];

	hsa_event_time(time, r->wall_ns);
	memcpy(f->json.p + f->time, time, TIME_LEN);
	hsa_compact_event_id(id, c->event.id, r->source_sequence);
	hsa_uuid_text(text, id);
	memcpy(f->json.p + f->id, text, sizeof(text) - 1);
	if (!f->correlated)
		return;
	hsa_uuid_text(text, r->compact.correlation_id);
	memcpy(f->json.p + f->correlation, text, sizeof(text) - 1);
}

static hsa_rc
call(struct val_records *c, struct val_envelope *to, struct hsa_slice *json,
    const struct hsa_record *r)
{
	const struct hsa_record *context =
	    hsa_contexts_find(&c->contexts, r->compact.context);
	struct val_form *f;
	hsa_rc rc = HSA_OK;

	if (context == NULL)
		return HSA_RC(E_NOT_FOUND);
	f = &c->form[context->sequence % VAL_FORMS];
	if (f->context != context->sequence ||
	    f->correlated != r->compact.has_correlation_id)
		HSA_TRY(rc, make(f, r, context));
	replace(f, r, context);
	*json = (struct hsa_slice){f->json.p, f->json.len};
	val_envelope_of(to, r);
	to->special = false;
	to->epoch = context->epoch;
	memcpy(to->unit_id, context->unit_id, sizeof(to->unit_id));
out:
	return rc;
}

hsa_rc
val_record_next(struct val_records *c, struct val_envelope *to,
    struct hsa_slice *json, const void *p, size_t n)
{
	struct hsa_record r = {0};
	hsa_rc rc;

	*json = (struct hsa_slice){NULL, 0};
	HSA_TRY(rc, hsa_record_decode(&r, p, n));
	if (r.body == HSA_BODY_COMPACT) {
		rc = call(c, to, json, &r);
		goto out;
	}
	HSA_TRY(rc, hsa_contexts_take(&c->contexts, &r));
	val_envelope_of(to, &r);
	/* sequences come once in a log that is verified, not in any bytes */
	if (r.body == HSA_BODY_CONTEXT)
		c->form[r.sequence % VAL_FORMS].context = 0;
	if (to->special)
		goto out;
	c->json.len = 0; /* no secret: nothing to wipe */
	hsa_event_json(&c->json, &r.event);
	HSA_TRY(rc, hsa_buf_rc(&c->json));
	*json = (struct hsa_slice){c->json.p, c->json.len};
out:
	hsa_record_free(&r);
	return rc;
}

void
val_records_free(struct val_records *c)
{
	size_t i;

	hsa_contexts_free(&c->contexts);
	for (i = 0; i < VAL_FORMS; i++)
		hsa_buf_free(&c->form[i].json);
	hsa_buf_free(&c->json);
	*c = (struct val_records){0};
}
