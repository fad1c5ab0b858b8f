/* tkc_transcript.h: the same for programs. */
#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "tkc_transcript.h"

static void
time_member(struct hsa_jw *w, const char *key, uint64_t ns)
{
	char text[40];

	hsa_time_rfc3339(text, ns);
	hsa_jw_text(w, key, text);
}

static void
done(struct hsa_jw *w, const struct tkc_run *r, const struct tkc_done *u)
{
	const struct tkc_outcome *o = &u->outcome;
	size_t i;

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "unit", r->c->units[u->unit].name);
	hsa_jw_text(w, "outcome",
	    !hsa_is_ok(o->rc) ? "error"
	    : o->ep11_rc == 0 ? "success"
			      : "refused");
	if (hsa_is_ok(o->rc)) {
		hsa_jw_uint(w, "rc", o->ep11_rc);
		hsa_jw_uint(w, "reason", o->reason);
	} else {
		hsa_jw_text(w, "error", o->diag.text);
	}
	if (o->has_pattern)
		hsa_jw_hex(w, "verificationPattern", o->pattern, 32);
	hsa_jw_array(w, "events");
	for (i = 0; i < u->events.len; i++)
		hsa_jw_uint(w, NULL, u->events.r[i].sequence);
	hsa_jw_end(w);
	hsa_jw_end(w);
}

static void
step(struct hsa_jw *w, const struct tkc_run *r, const struct tkc_step_done *d)
{
	char uuid[HSA_UUID_TEXT];
	size_t i;

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "id", d->step->id);
	hsa_jw_text(w, "do", d->step->verb);
	hsa_jw_bool(w, "ran", d->ran);
	if (d->ran) {
		time_member(w, "begin", d->start_ns);
		time_member(w, "end", d->end_ns);
	}
	if (d->note != NULL)
		hsa_jw_text(w, "note", d->note);
	if (d->done_len > 0) {
		hsa_uuid_text(uuid, d->command_id);
		hsa_jw_text(w, "commandId", uuid);
		hsa_jw_array(w, "units");
		for (i = 0; i < d->done_len; i++)
			done(w, r, &d->done[i]);
		hsa_jw_end(w);
	}
	hsa_jw_uint(w, "deviations", d->deviations);
	hsa_jw_end(w);
}

static void
heads(struct hsa_jw *w, const struct tkc_run *r)
{
	size_t i;

	hsa_jw_array(w, "logs");
	for (i = 0; r->watch != NULL && i < r->c->units_count; i++) {
		const struct tkc_head *h = &r->head[i];

		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "unit", r->c->units[i].name);
		hsa_jw_text(w, "origin", h->origin);
		hsa_jw_uint(w, "records", h->size);
		hsa_jw_hex(w, "root", h->root, sizeof(h->root));
		hsa_jw_bool(w, "verified", h->verified);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

void
tkc_transcript_json(struct hsa_buf *b, const struct tkc_run *r)
{
	struct hsa_jw w = {.b = b};
	bool all = r->deviations == 0;
	size_t i;

	for (i = 0; i < r->steps; i++)
		all = all && r->step[i].ran;
	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "ceremony", r->c->name);
	hsa_jw_text(&w, "id", r->id);
	hsa_jw_hex(&w, "fileSha256", r->digest, sizeof(r->digest));
	hsa_jw_text(&w, "tool", "tke " HSA_VERSION);
	hsa_jw_text(&w, "instance", r->fleet->instance);
	time_member(&w, "begin", r->start_ns);
	time_member(&w, "end", r->end_ns);
	hsa_jw_text(&w, "result", all ? "PASS" : "FAIL");
	hsa_jw_array(&w, "steps");
	for (i = 0; i < r->steps; i++)
		step(&w, r, &r->step[i]);
	hsa_jw_end(&w);
	heads(&w, r);
	hsa_jw_array(&w, "deviations");
	for (i = 0; i < r->deviations; i++) {
		const struct tkc_deviation *v = &r->deviation[i];

		hsa_jw_object(&w, NULL);
		hsa_jw_text(&w, "step", v->step);
		hsa_jw_text(&w, "unit", v->unit);
		hsa_jw_text(&w, "expected", v->expected);
		hsa_jw_text(&w, "happened", v->happened);
		hsa_jw_end(&w);
	}
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_buf_str(b, "\n");
}
