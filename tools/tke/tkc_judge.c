/* tkc_run.h: what was expected against what happened. */
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "tkc_run.h"

/* ---- the units' answers -------------------------------------------------- */

static void
expected_text(struct hsa_buf *b, const struct tkc_c_expected *e)
{
	hsa_buf_str(b, e->success ? "success" : "refused");
	if (e->has_rc)
		hsa_buf_printf(b, ", return code %u", e->rc);
	if (e->has_reason)
		hsa_buf_printf(b, ", reason code %u", e->reason);
}

hsa_rc
tkc_run_judge(struct tkc_run *r, struct tkc_step_done *d)
{
	struct hsa_buf want = {0}, got = {0};
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < d->done_len; i++) {
		const struct tkc_outcome *o = &d->done[i].outcome;
		const char *name = r->c->units[d->done[i].unit].name;
		struct tkc_c_expected e;

		tkc_c_expected(&e, d->step, name);
		if (hsa_is_ok(o->rc) && e.success == (o->ep11_rc == 0) &&
		    (!e.has_rc || e.rc == o->ep11_rc) &&
		    (!e.has_reason || e.reason == o->reason))
			continue;
		hsa_buf_reset(&want);
		hsa_buf_reset(&got);
		expected_text(&want, &e);
		tkc_outcome_text(&got, o, &d->change);
		HSA_TRY(rc, hsa_buf_rc(&want));
		HSA_TRY(rc, hsa_buf_rc(&got));
		HSA_TRY(
		    rc, tkc_run_deviate(r, d, name, hsa_buf_cstr(&want), "%s%s",
			    !hsa_is_ok(o->rc) ? "error: "
			    : o->ep11_rc != 0 ? "refused: "
					      : "success: ",
			    hsa_buf_cstr(&got)));
	}
out:
	hsa_buf_free(&want);
	hsa_buf_free(&got);
	return rc;
}

/* ---- their events -------------------------------------------------------- */

/* Name of the event that a command must leave. */
static const char *
action_of(uint32_t command)
{
	static const struct {
		uint32_t id;
		enum hsa_action action;
	} rows[] = {
#define NONE HSA_ACTION_NONE
#define TKE_CMD(NAME, number, act, text) {number, HSA_ACTION_##act},
#include "tke_cmd.def"
#undef TKE_CMD
#undef NONE
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].id == command) {
			const struct hsa_action_row *row =
			    hsa_catalogue_by_code(rows[i].action);

			return row != NULL
				   ? row->name
				   : hsa_special(HSA_SPECIAL_ADMIN_FUNCTION)
					 ->name;
		}
	return "";
}

static const char *
name_of(const struct hsa_record *v)
{
	const char *s =
	    v->body == HSA_BODY_EVENT ? v->event.action_name : v->special.name;

	return s == NULL ? "" : s;
}

static bool
same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
field_is(const struct hsa_data *data, const char *name, const uint8_t *id)
{
	const struct hsa_field *f = hsa_data_find(data, name);
	char hex[2 * HSA_SHA256_LEN + 1];

	hsa_hex(hex, id, HSA_SHA256_LEN);
	return f != NULL && f->kind == HSA_VALUE_TEXT &&
	       same_text(f->text, hex);
}

/* The event must name the pattern that the register shows. */
static bool
pattern_agrees(
    const struct tkc_outcome *o, uint32_t command, const struct hsa_event *ev)
{
	if (!o->has_pattern)
		return true;
	return field_is(
	    command == TKE_CMD_WK_COMMIT ? &ev->request : &ev->response,
	    "verificationPattern", o->pattern);
}

/* And a load must name exactly the parts that were loaded, in their order. */
static bool
parts_agree(const struct tkc_change *c, const struct hsa_event *ev)
{
	const struct hsa_field *f = hsa_data_find(&ev->request, "masterKeyIds");
	char hex[2 * HSA_SHA256_LEN + 1];
	size_t i;

	if (f == NULL || f->kind != HSA_VALUE_LIST || f->list_len != c->parts)
		return false;
	for (i = 0; i < c->parts; i++) {
		hsa_hex(hex, c->part[i]->file.id, HSA_SHA256_LEN);
		if (!same_text(f->list[i], hex))
			return false;
	}
	return true;
}

/* First thing about a record that is not as it must be; NULL: all is. */
static const char *
fault_of(const struct tkc_run *r, const struct tkc_step_done *d,
    const struct tkc_done *u, const struct hsa_record *v,
    const struct tkc_sent *s, const char *action)
{
	const struct tkc_outcome *o = &u->outcome;

	if (v->command != s->command)
		return "command number";
	if (v->ep11_rc != s->rc)
		return "return code";
	if (v->ep11_reason != s->reason)
		return "reason code";
	if (!same_text(v->ceremony_id, r->id) ||
	    !same_text(v->ceremony_step, d->step->id))
		return "ceremony id or step";
	if (strcmp(name_of(v), action) != 0)
		return "action";
	if (v->body != HSA_BODY_EVENT)
		return NULL;
	if (!same_text(v->event.outcome, s->rc == 0 ? "success" : "failure"))
		return "outcome";
	if (!same_text(v->event.target_name, r->unit[u->unit]->location))
		return "target";
	if (s->rc == 0 && !pattern_agrees(o, s->command, &v->event))
		return "verification pattern";
	if (s->rc == 0 && s->command == TKE_CMD_WK_IMPORT &&
	    !parts_agree(&d->change, &v->event))
		return "ids of the key parts";
	return NULL;
}

static hsa_rc
judge_unit(struct tkc_run *r, struct tkc_step_done *d, struct tkc_done *u)
{
	const char *name = r->c->units[u->unit].name;
	const struct tkc_outcome *o = &u->outcome;
	const int wait_ms =
	    r->event_wait_ms != 0 ? r->event_wait_ms : TKC_EVENT_WAIT_MS;
	struct tkc_c_expected e;
	struct hsa_diag diag = {.text = ""};
	char text[128];
	size_t i;
	hsa_rc rc;

	tkc_c_expected(&e, d->step, name);
	rc = tkc_watch_gather(r->watch, u->unit, &u->events, d->command_id,
	    o->sents, wait_ms, &diag);
	if (!hsa_is_ok(rc) && rc.v != HSA_E_TIMEOUT)
		return rc.v == HSA_E_NOMEM
			   ? rc
			   : tkc_run_deviate(r, d, name,
				 "a readable collected copy", "%s", diag.text);
	if (u->events.len != o->sents) {
		snprintf(text, sizeof(text), "%zu event%s for the step",
		    o->sents, o->sents == 1 ? "" : "s");
		return tkc_run_deviate(r, d, name, text,
		    "%zu came within %d ms", u->events.len, wait_ms);
	}
	rc = HSA_OK;
	for (i = 0; i < o->sents; i++) {
		const struct hsa_record *v = &u->events.r[i];
		bool last = i + 1 == o->sents;
		const char *action = last && e.action != NULL
					 ? e.action
					 : action_of(o->sent[i].command);
		const char *fault = fault_of(r, d, u, v, &o->sent[i], action);

		snprintf(text, sizeof(text), "%s, return code %u, reason %u",
		    action, o->sent[i].rc, o->sent[i].reason);
		if (fault != NULL)
			HSA_TRY(
			    rc, tkc_run_deviate(r, d, name, text,
				    "record %llu says %s, return code %u, "
				    "reason %u: its %s differs",
				    (unsigned long long)v->sequence, name_of(v),
				    v->ep11_rc, v->ep11_reason, fault));
		u->signers = (uint32_t)v->signer_len;
	}
out:
	return rc;
}

hsa_rc
tkc_run_judge_events(struct tkc_run *r, struct tkc_step_done *d)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < d->done_len && hsa_is_ok(rc); i++)
		rc = judge_unit(r, d, &d->done[i]);
	return rc;
}
