#include <stdlib.h>
#include <string.h>

#include "hsa_codec.h"
#include "hsa_contexts.h"

void
hsa_contexts_forget(struct hsa_contexts *c)
{
	for (uint64_t i = 0; i < c->count && i < HSA_CONTEXTS_MAX; i++)
		hsa_record_free(&c->at[i]);
	c->count = 0;
}

void
hsa_contexts_free(struct hsa_contexts *c)
{
	if (c == NULL)
		return;
	hsa_contexts_forget(c);
	free(c->at);
	*c = (struct hsa_contexts){0};
}

/* Sequences ascend in a log; in one that does not, a search finds nothing or
 * what it asked for. */
const struct hsa_record *
hsa_contexts_find(const struct hsa_contexts *c, uint64_t sequence)
{
	uint64_t end = c->count;
	uint64_t first = end > HSA_CONTEXTS_MAX ? end - HSA_CONTEXTS_MAX : 0;

	while (first < end) {
		uint64_t mid = first + (end - first) / 2;
		const struct hsa_record *r = &c->at[mid % HSA_CONTEXTS_MAX];

		if (r->sequence == sequence)
			return r;
		if (r->sequence < sequence)
			first = mid + 1;
		else
			end = mid;
	}
	return NULL;
}

/* What later records may ask of it; the rest of r is the caller's. */
static hsa_rc
remember(struct hsa_contexts *c, const struct hsa_record *r)
{
	struct hsa_record new = {
	    .sequence = r->sequence,
	    .epoch = r->epoch,
	    .body = HSA_BODY_CONTEXT,
	    .has_session = r->has_session,
	};
	struct hsa_record *to;
	hsa_rc rc;

	if (c->at == NULL)
		c->at = calloc(HSA_CONTEXTS_MAX, sizeof(*c->at));
	if (c->at == NULL)
		return HSA_RC(E_NOMEM);
	memcpy(new.unit_id, r->unit_id, sizeof(new.unit_id));
	memcpy(new.session, r->session, sizeof(new.session));
	HSA_TRY(rc, hsa_strdup_opt(&new.ceremony_id, r->ceremony_id));
	HSA_TRY(rc, hsa_strdup_opt(&new.ceremony_step, r->ceremony_step));
	HSA_TRY(rc, hsa_event_copy(&new.event, &r->event));
	to = &c->at[c->count++ % HSA_CONTEXTS_MAX];
	hsa_record_free(to);
	*to = new;
	new = (struct hsa_record){0};
out:
	hsa_record_free(&new);
	return rc;
}

hsa_rc
hsa_contexts_expand(struct hsa_record *r, const struct hsa_record *context)
{
	char correlation[HSA_UUID_TEXT];
	struct hsa_record new = *r;
	hsa_rc rc;

	if (r->body != HSA_BODY_COMPACT || context->body != HSA_BODY_CONTEXT)
		return HSA_RC(E_ARG);
	memcpy(new.unit_id, context->unit_id, sizeof(new.unit_id));
	new.epoch = context->epoch;
	new.body = HSA_BODY_EVENT;
	new.compact = (struct hsa_compact){0};
	if (new.has_use && context->has_session) {
		new.use.has_session = true;
		memcpy(
		    new.use.session, context->session, sizeof(new.use.session));
	}
	HSA_TRY(rc, hsa_event_copy(&new.event, &context->event));
	HSA_TRY(rc, hsa_strdup_opt(&new.ceremony_id, context->ceremony_id));
	HSA_TRY(rc, hsa_strdup_opt(&new.ceremony_step, context->ceremony_step));
	new.event.event_time_ns = r->wall_ns;
	hsa_compact_event_id(
	    new.event.id, context->event.id, r->source_sequence);
	if (r->compact.has_correlation_id) {
		hsa_uuid_text(correlation, r->compact.correlation_id);
		HSA_TRY(
		    rc, hsa_strdup_opt(&new.event.correlation_id, correlation));
	}
	*r = new;
	return rc;
out:
	/* of new, only these are its own: r has none of them */
	free(new.ceremony_id);
	free(new.ceremony_step);
	hsa_event_free(&new.event);
	return rc;
}

static bool
opens_segment(const struct hsa_record *r)
{
	return r->body == HSA_BODY_SPECIAL && r->special.name != NULL &&
	       strcmp(r->special.name,
		   hsa_special(HSA_SPECIAL_SEGMENT_OPENED)->name) == 0;
}

hsa_rc
hsa_contexts_take(struct hsa_contexts *c, struct hsa_record *r)
{
	const struct hsa_record *context;

	if (opens_segment(r))
		hsa_contexts_forget(c);
	if (r->body == HSA_BODY_CONTEXT)
		return remember(c, r);
	if (r->body != HSA_BODY_COMPACT)
		return HSA_OK;
	context = hsa_contexts_find(c, r->compact.context);
	return context == NULL ? HSA_RC(E_NOT_FOUND)
			       : hsa_contexts_expand(r, context);
}

hsa_rc
hsa_contexts_skip(struct hsa_contexts *c, const void *p, size_t n)
{
	struct hsa_record r = {0};
	struct hsa_look l = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_look(&l, p, n));
	if (l.body != HSA_BODY_CONTEXT && l.body != HSA_BODY_SPECIAL)
		goto out;
	HSA_TRY(rc, hsa_record_decode(&r, p, n));
	rc = hsa_contexts_take(c, &r);
out:
	hsa_record_free(&r);
	return rc;
}
