/* tkc_run.h: the end of a ceremony. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "vfy_note.h"
#include "tkc_run.h"

#define SETTLE_MS 3000

static hsa_rc
final_state(struct tkc_run *r)
{
	size_t i;
	hsa_rc rc;

	for (i = 0; i < r->c->units_count; i++) {
		struct hsa_diag diag = {.text = ""};

		rc = tkc_state_all(
		    &r->state[i], r->fleet, r->unit[i], true, &diag);
		r->has_state[i] = hsa_is_ok(rc);
		if (hsa_is_ok(rc))
			continue;
		rc = tkc_run_deviate(r, NULL, r->c->units[i].name,
		    "the unit tells its final state", "%s", diag.text);
		if (!hsa_is_ok(rc))
			return rc;
	}
	return HSA_OK;
}

static uint64_t
last_event(const struct tkc_run *r, size_t unit)
{
	uint64_t last = 0;
	size_t i, k;

	for (i = 0; i < r->steps; i++)
		for (k = 0; k < r->step[i].done_len; k++) {
			const struct tkc_done *d = &r->step[i].done[k];

			if (d->unit == unit && d->events.len > 0)
				last = d->events.r[d->events.len - 1].sequence;
		}
	return last;
}

static hsa_rc
verified_head(struct tkc_run *r, size_t unit, const char *path,
    const struct vfy_keys *keys)
{
	const struct vfy_options opt = {.keys = keys, .settle_ms = SETTLE_MS};
	struct tkc_head *h = &r->head[unit];
	struct hsa_diag diag = {.text = ""};
	struct vfy_result res;
	hsa_rc rc;

	memset(&res, 0, sizeof(res));
	rc = vfy_log(&res, path, &opt, &diag);
	if (!hsa_is_ok(rc))
		return tkc_run_deviate(r, NULL, r->c->units[unit].name,
		    "the collected log can be verified", "%s", diag.text);
	*h = (struct tkc_head){.there = true,
	    .verified = !res.bad,
	    .bad = res.bad,
	    .size = res.sealed};
	memcpy(h->origin, res.origin, sizeof(h->origin));
	memcpy(h->root, res.root, sizeof(h->root));
	snprintf(h->finding, sizeof(h->finding), "%s", res.finding);
	if (res.bad)
		return tkc_run_deviate(r, NULL, r->c->units[unit].name,
		    "the collected log verifies", "%s (record %llu)",
		    res.finding, (unsigned long long)res.place.sequence);
	if (res.sealed <= last_event(r, unit))
		return tkc_run_deviate(r, NULL, r->c->units[unit].name,
		    "every event of the ceremony is under a checkpoint",
		    "only %llu records are", (unsigned long long)res.sealed);
	return HSA_OK;
}

/* Without keys the newest checkpoint is copied, and called unverified. */
static void
claimed_head(struct tkc_head *h, const char *dir)
{
	struct hsa_buf path = {0}, text = {0};
	struct vfy_note note;
	hsa_rc rc;

	hsa_buf_printf(&path, "%s/head", dir);
	HSA_TRY(rc,
	    tkc_slurp(&text, hsa_buf_cstr(&path), HSA_NOTE_MAX, false, NULL));
	HSA_TRY(rc, vfy_note_parse(&note, text.p, text.len, NULL));
	memcpy(h->origin, note.origin, sizeof(h->origin));
	memcpy(h->root, note.root, sizeof(h->root));
	h->size = note.size;
	h->there = true;
out:
	hsa_buf_free(&path);
	hsa_buf_free(&text);
}

static hsa_rc
heads(struct tkc_run *r)
{
	struct hsa_diag diag = {.text = ""};
	struct hsa_buf path = {0};
	struct vfy_keys keys = {0};
	size_t i;
	hsa_rc rc = HSA_OK;

	if (r->checkpoint_keys != NULL) {
		rc = vfy_keys_load(&keys, r->checkpoint_keys, &diag);
		if (!hsa_is_ok(rc)) {
			rc = tkc_run_deviate(r, NULL, NULL,
			    "checkpoint keys can be read", "%s", diag.text);
			goto out;
		}
	}
	for (i = 0; i < r->c->units_count; i++) {
		hsa_buf_reset(&path);
		tkc_watch_path(&path, r->watch, i);
		HSA_TRY(rc, hsa_buf_rc(&path));
		if (r->checkpoint_keys != NULL)
			HSA_TRY(rc,
			    verified_head(r, i, hsa_buf_cstr(&path), &keys));
		else
			claimed_head(&r->head[i], hsa_buf_cstr(&path));
	}
out:
	vfy_keys_free(&keys);
	hsa_buf_free(&path);
	return rc;
}

/* Commands that reached a unit meanwhile and were not ours. */
static hsa_rc
strangers(struct tkc_run *r)
{
	size_t i, k;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < r->c->units_count; i++) {
		struct tkc_records none = {.len = 0};

		rc = tkc_watch_gather(r->watch, i, &none, NULL, 0, 0, NULL);
		tkc_records_free(&none);
		if (!hsa_is_ok(rc) && rc.v == HSA_E_NOMEM)
			return rc;
		for (k = 0; k < r->watch->unit[i].strange.len; k++) {
			const struct hsa_record *v =
			    &r->watch->unit[i].strange.r[k];
			const char *what = v->body == HSA_BODY_EVENT
					       ? v->event.action_name
					       : v->special.name;

			rc = tkc_run_deviate(r, NULL, r->c->units[i].name,
			    "no command but the ceremony's",
			    "record %llu: %s, step \"%s\"",
			    (unsigned long long)v->sequence,
			    what == NULL ? "?" : what,
			    v->ceremony_step == NULL ? "" : v->ceremony_step);
			if (!hsa_is_ok(rc))
				return rc;
		}
	}
	return HSA_OK;
}

hsa_rc
tkc_run_finish(struct tkc_run *r)
{
	hsa_rc rc;

	HSA_TRY(rc, final_state(r));
	(void)tkc_compare(r->same, r->state, r->c->units_count);
	if (r->watch == NULL)
		return HSA_OK;
	HSA_TRY(rc, strangers(r));
	HSA_TRY(rc, heads(r));
out:
	return rc;
}
