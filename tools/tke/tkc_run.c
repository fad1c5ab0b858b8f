#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hsa_buf.h"
#include "tkc_run.h"

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

hsa_rc
tkc_run_deviate(struct tkc_run *r, struct tkc_step_done *d, const char *unit,
    const char *expected, const char *fmt, ...)
{
	struct tkc_deviation *more = NULL, v = {.step = ""};
	va_list ap;
	hsa_rc rc;

	more = realloc(r->deviation, (r->deviations + 1) * sizeof(*more));
	if (more == NULL)
		return HSA_RC(E_NOMEM);
	r->deviation = more;
	snprintf(v.step, sizeof(v.step), "%s", d == NULL ? "" : d->step->id);
	snprintf(v.unit, sizeof(v.unit), "%s", unit == NULL ? "" : unit);
	HSA_TRY(rc, hsa_strdup_opt(&v.expected, expected));
	va_start(ap, fmt);
	if (vasprintf(&v.happened, fmt, ap) < 0) {
		v.happened = NULL;
		rc = HSA_RC(E_NOMEM);
	}
	va_end(ap);
	if (!hsa_is_ok(rc))
		goto out;
	r->deviation[r->deviations++] = v;
	if (d != NULL)
		d->deviations++;
	return HSA_OK;
out:
	free(v.expected);
	free(v.happened);
	return rc;
}

/* ---- local steps --------------------------------------------------------- */

static hsa_rc
note(struct tkc_step_done *d, const char *what, const struct tkc_key *k)
{
	char hex[2 * HSA_SHA256_LEN + 1];

	hsa_hex(hex, k->file.id, HSA_SHA256_LEN);
	free(d->note);
	d->note = NULL;
	return asprintf(&d->note, "%s %s: %s", what, k->name, hex) < 0
	    ? HSA_RC(E_NOMEM)
	    : HSA_OK;
}

static hsa_rc
make_sigkey(struct tkc_run *r, struct tkc_step_done *d, struct hsa_diag *diag)
{
	const struct tkc_c_with *w = d->step->with;
	bool rsa = w->type != NULL && strcmp(w->type, "rsa2048") == 0;
	struct tkc_key *k = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tkc_ring_add_sigkey(r->ring, &k,
			tkc_c_role_find(r->c, w->role)->sigkey,
			rsa ? TKE_KEY_RSA2048 : TKE_KEY_P521, diag));
	HSA_TRY(rc, note(d, "signature key", k));
out:
	return rc;
}

static hsa_rc
make_part(struct tkc_run *r, struct tkc_step_done *d, struct hsa_diag *diag)
{
	const struct tkc_c_with *w = d->step->with;
	struct hsa_buf path = {0}, text = {0};
	uint8_t value[TKE_PART_LEN] = {0};
	struct tkc_key *k = NULL;
	hsa_rc rc = HSA_OK;

	if (w->value_file != NULL) {
		HSA_TRY(rc, tkc_run_path(&path, r->base, w->value_file));
		HSA_TRY(rc, tkc_slurp_line(&text, hsa_buf_cstr(&path), diag));
		rc = hsa_unhex(
		    value, sizeof(value), hsa_buf_cstr(&text), text.len);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "%s: a key part is 64 hexadecimal digits",
			    w->value_file);
			goto out;
		}
	}
	HSA_TRY(rc, tkc_ring_add_part(r->ring, &k, w->part,
			w->value_file == NULL ? NULL : value, diag));
	HSA_TRY(rc, note(d, "key part", k));
out:
	hsa_wipe(value, sizeof(value));
	hsa_buf_free(&path);
	hsa_buf_free(&text);
	return rc;
}

/* Indices of the step's units in the ceremony. */
static size_t
units_of(const struct tkc_run *r, const struct tkc_c_step *s,
    size_t at[TKC_CEREMONY_UNITS])
{
	size_t i;

	if (s->units_count == 0) {
		for (i = 0; i < r->c->units_count; i++)
			at[i] = i;
		return i;
	}
	for (i = 0; i < s->units_count; i++)
		at[i] = tkc_c_unit_index(r->c, s->units[i]);
	return i;
}

/* outcome "refused" here means: they differ, as expected. */
static hsa_rc
compare_units(struct tkc_run *r, struct tkc_step_done *d, struct hsa_diag *diag)
{
	size_t at[TKC_CEREMONY_UNITS], n = units_of(r, d->step, at), i;
	struct tkc_state *s = calloc(n, sizeof(*s));
	bool same[TKC_ASPECTS], equal = false, want = false;
	struct hsa_buf text = {0};
	hsa_rc rc = HSA_OK;

	if (s == NULL)
		return HSA_RC(E_NOMEM);
	for (i = 0; i < n; i++)
		HSA_TRY(rc, tkc_state_all(
				&s[i], r->fleet, r->unit[at[i]], false, diag));
	equal = tkc_compare(same, s, n);
	want = strcmp(d->step->expect->outcome, "success") == 0;
	hsa_buf_printf(
	    &text, "%zu units %s", n, equal ? "are set up alike" : "differ:");
	for (i = 0; i < TKC_ASPECTS; i++)
		if (!same[i])
			hsa_buf_printf(
			    &text, " %s,", tkc_aspect_name((enum tkc_aspect)i));
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(rc, hsa_strdup_opt(&d->note, hsa_buf_cstr(&text)));
	if (equal != want)
		HSA_TRY(
		    rc, tkc_run_deviate(r, d, NULL,
			    want ? "units are set up alike" : "units differ",
			    "%s", d->note));
out:
	hsa_buf_free(&text);
	free(s);
	return rc;
}

static hsa_rc
local_step(struct tkc_run *r, struct tkc_step_done *d)
{
	struct hsa_diag diag = {.text = ""};
	bool compare = strcmp(d->step->verb, "cryptounit-compare") == 0;
	bool sig = strcmp(d->step->verb, "sigkey-add") == 0;
	hsa_rc rc;

	rc = compare ? compare_units(r, d, &diag)
	     : sig   ? make_sigkey(r, d, &diag)
		     : make_part(r, d, &diag);
	if (hsa_is_ok(rc) || rc.v == HSA_E_NOMEM)
		return rc;
	return tkc_run_deviate(r, d, NULL, "the step succeeds", "%s",
	    diag.text[0] != '\0' ? diag.text : hsa_err_text(rc));
}

/* ---- steps that send commands -------------------------------------------- */

static hsa_rc
add_signer(struct tkc_run *r, struct tkc_change *c, const char *role, bool must,
    struct hsa_diag *diag)
{
	const struct tkc_c_role *who = tkc_c_role_find(r->c, role);
	struct tkc_key *k = NULL;
	hsa_rc rc;

	if (who->sigkey == NULL)
		return HSA_OK;
	rc = tkc_keys_find(
	    &k, &r->ring->sigkeys, "signature key", who->sigkey, diag);
	if (!hsa_is_ok(rc))
		return must ? rc : HSA_OK;
	if (c->signers < TKC_SIGNERS_MAX)
		c->signer[c->signers++] = k;
	return HSA_OK;
}

/* Those who take part in the step sign, unless a refusal is rehearsed. */
static hsa_rc
set_signers(struct tkc_run *r, struct tkc_change *c, const struct tkc_c_step *s,
    struct hsa_diag *diag)
{
	const struct tkc_c_rehearse *x = s->rehearse;
	size_t i;
	hsa_rc rc = HSA_OK;

	c->exact = x != NULL && (x->unsigned_ || x->signers_count > 0);
	for (i = 0; c->exact && i < x->signers_count; i++)
		HSA_TRY(rc, add_signer(r, c, x->signers[i], true, diag));
	for (i = 0; !c->exact && i < s->who_count; i++)
		HSA_TRY(rc, add_signer(r, c, s->who[i], false, diag));
	if (x != NULL) {
		c->replay = x->replay;
		c->has_pattern = x->pattern != NULL;
		if (c->has_pattern)
			rc = hsa_unhex(c->pattern, sizeof(c->pattern),
			    x->pattern, strlen(x->pattern));
	}
out:
	return rc;
}

static hsa_rc
set_change(struct tkc_run *r, struct tkc_change *c, const struct tkc_c_step *s,
    struct hsa_diag *diag)
{
	const struct tkc_c_with *w = s->with;
	struct tkc_key *k = NULL;
	size_t i;
	hsa_rc rc;

	c->command = tkc_c_verb_find(s->verb)->command;
	HSA_TRY(rc, set_signers(r, c, s, diag));
	if (w == NULL)
		return HSA_OK;
	if (w->role != NULL) {
		HSA_TRY(
		    rc, tkc_keys_find(&k, &r->ring->sigkeys, "signature key",
			    tkc_c_role_find(r->c, w->role)->sigkey, diag));
		if (c->command == TKE_CMD_ADMIN_ADD)
			c->admin = k;
		memcpy(c->ski, k->file.id, sizeof(c->ski));
	}
	if (w->ski != NULL)
		HSA_TRY(rc,
		    hsa_unhex(c->ski, sizeof(c->ski), w->ski, strlen(w->ski)));
	if (w->signature != NULL) {
		c->signature = *w->signature;
		c->revocation = *w->revocation;
	}
	for (i = 0; i < w->parts_count; i++) {
		HSA_TRY(rc, tkc_keys_find(&c->part[i], &r->ring->parts,
				"key part", w->parts[i], diag));
		c->parts++;
	}
out:
	return rc;
}

static hsa_rc
command_step(struct tkc_run *r, struct tkc_step_done *d)
{
	struct hsa_diag diag = {.text = ""};
	size_t at[TKC_CEREMONY_UNITS], n = units_of(r, d->step, at), i;
	hsa_rc rc;

	rc = set_change(r, &d->change, d->step, &diag);
	if (hsa_is_ok(rc))
		rc = tkc_change_unlock(&d->change, r->ring, &diag);
	if (!hsa_is_ok(rc))
		return rc.v == HSA_E_NOMEM
			   ? rc
			   : tkc_run_deviate(r, d, NULL, "the command is sent",
				 "%s", diag.text);
	d->done = calloc(n, sizeof(*d->done));
	if (d->done == NULL)
		return HSA_RC(E_NOMEM);
	d->done_len = n;
	HSA_TRY(rc, hsa_uuid_new(d->command_id));
	HSA_TRY(rc,
	    tkc_http_tag(r->fleet->http, d->command_id, r->id, d->step->id));
	for (i = 0; i < n; i++) {
		d->done[i].unit = at[i];
		tkc_change_apply(&d->done[i].outcome, &d->change, r->fleet,
		    r->unit[at[i]], r->ring);
	}
	HSA_TRY(rc, tkc_run_judge(r, d));
	if (r->watch != NULL)
		HSA_TRY(rc, tkc_run_judge_events(r, d));
out:
	return rc;
}

static hsa_rc
one_step(struct tkc_run *r, size_t i)
{
	struct tkc_step_done *d = &r->step[i];
	hsa_rc rc;

	d->start_ns = now_ns();
	if (tkc_c_verb_find(d->step->verb)->command == 0)
		rc = local_step(r, d);
	else
		rc = command_step(r, d);
	d->end_ns = now_ns();
	d->ran = true;
	if (hsa_is_ok(rc) && r->on_step != NULL)
		r->on_step(r->ctx, r, d);
	return rc;
}

hsa_rc
tkc_run(struct tkc_run *r, struct hsa_diag *diag)
{
	uint8_t id[HSA_UUID_LEN];
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, hsa_uuid_new(id));
	hsa_uuid_text(r->id, id);
	r->start_ns = now_ns();
	r->step = calloc(r->c->steps_count, sizeof(*r->step));
	r->state = calloc(r->c->units_count, sizeof(*r->state));
	if (r->step == NULL || r->state == NULL)
		return HSA_RC(E_NOMEM);
	r->steps = r->c->steps_count;
	for (i = 0; i < r->steps; i++)
		r->step[i].step = &r->c->steps[i];
	/* a unit that is not to be trusted is found before the first step */
	for (i = 0; i < r->c->units_count; i++)
		HSA_TRY(rc, tkc_fleet_trust(r->fleet, r->unit[i], diag));
	for (i = 0; i < r->steps; i++) {
		HSA_TRY(rc, one_step(r, i));
		if (r->deviations > 0 && !r->keep_going)
			break;
	}
	HSA_TRY(rc, tkc_http_tag(r->fleet->http, NULL, r->id, NULL));
	HSA_TRY(rc, tkc_run_finish(r));
	r->end_ns = now_ns();
out:
	return rc;
}

void
tkc_run_free(struct tkc_run *r)
{
	size_t i, k;

	if (r == NULL)
		return;
	for (i = 0; i < r->steps; i++) {
		for (k = 0; k < r->step[i].done_len; k++)
			tkc_records_free(&r->step[i].done[k].events);
		free(r->step[i].done);
		free(r->step[i].note);
	}
	for (i = 0; i < r->deviations; i++) {
		free(r->deviation[i].expected);
		free(r->deviation[i].happened);
	}
	free(r->step);
	free(r->state);
	free(r->deviation);
	*r = (struct tkc_run){.c = NULL};
}
