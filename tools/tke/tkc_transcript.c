#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "tkc_transcript.h"

void
tkc_groups(struct hsa_buf *b, const void *p, size_t n)
{
	const uint8_t *at = p;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0 && i % 2 == 0)
			hsa_buf_str(b, " ");
		hsa_buf_hex(b, at + i, 1);
	}
}

void
tkc_cell(struct hsa_buf *b, const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (strchr("|\\`*<>", *p) != NULL ||
		    (*p == '(' && p > text && p[-1] == ']'))
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(
		    b, (unsigned char)*p < 0x20 ? (uint8_t)' ' : (uint8_t)*p);
	}
}

static void
time_text(struct hsa_buf *b, uint64_t ns)
{
	char text[40];

	hsa_time_rfc3339(text, ns);
	hsa_buf_str(b, text);
}

static size_t
steps_run(const struct tkc_run *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->steps; i++)
		n += r->step[i].ran ? 1u : 0u;
	return n;
}

static bool
passed(const struct tkc_run *r)
{
	return r->deviations == 0 && steps_run(r) == r->c->steps_count;
}

/* ---- cover --------------------------------------------------------------- */

static void
cover(struct hsa_buf *b, const struct tkc_run *r)
{
	hsa_buf_str(b, "# Ceremony transcript: ");
	tkc_cell(b, r->c->name);
	hsa_buf_str(b, "\n\n");
	if (r->c->description != NULL) {
		tkc_cell(b, r->c->description);
		hsa_buf_str(b, "\n\n");
	}
	hsa_buf_str(b, "| | |\n|---|---|\n| result | **");
	hsa_buf_str(b, passed(r) ? "PASS" : "FAIL");
	hsa_buf_printf(b, "** (%zu of %u steps, %zu deviation%s) |\n",
	    steps_run(r), r->c->steps_count, r->deviations,
	    r->deviations == 1 ? "" : "s");
	hsa_buf_str(b, "| file | ");
	tkc_cell(b, r->file);
	hsa_buf_str(b, " |\n| SHA-256 of the file | ");
	tkc_groups(b, r->digest, sizeof(r->digest));
	hsa_buf_printf(b, " |\n| tool | tke %s |\n| ceremony id | %s |\n",
	    HSA_VERSION, r->id);
	hsa_buf_str(b, "| service instance | ");
	tkc_cell(b, r->fleet->instance);
	hsa_buf_str(b, " |\n| begin | ");
	time_text(b, r->start_ns);
	hsa_buf_str(b, " |\n| end | ");
	time_text(b, r->end_ns);
	hsa_buf_str(b, " |\n| events | ");
	hsa_buf_str(b, r->watch == NULL
			   ? "not compared (no --collected)"
			   : "every step compared with the collected events");
	hsa_buf_str(b, " |\n\n");
}

static void
units(struct hsa_buf *b, const struct tkc_run *r)
{
	size_t i;

	hsa_buf_str(b, "## Crypto units\n\n"
		       "| name | number | type | location | serial | id |\n"
		       "|---|---|---|---|---|---|\n");
	for (i = 0; i < r->c->units_count; i++) {
		const struct tkc_unit *u = r->unit[i];

		hsa_buf_str(b, "| ");
		tkc_cell(b, r->c->units[i].name);
		hsa_buf_printf(
		    b, " | %u | %s | ", u->number, tkc_unit_type_name(u->type));
		tkc_cell(b, u->location);
		hsa_buf_printf(b, " | %s | %s |\n", u->serial, u->id);
	}
	hsa_buf_str(b, "\n");
}

static void
heads(struct hsa_buf *b, const struct tkc_run *r)
{
	size_t i;

	if (r->watch == NULL)
		return;
	hsa_buf_str(b, "## Log heads\n\n"
		       "| unit | origin | records | root | |\n"
		       "|---|---|---|---|---|\n");
	for (i = 0; i < r->c->units_count; i++) {
		const struct tkc_head *h = &r->head[i];

		hsa_buf_str(b, "| ");
		tkc_cell(b, r->c->units[i].name);
		if (!h->there) {
			hsa_buf_str(b, " | - | - | - | not read |\n");
			continue;
		}
		hsa_buf_str(b, " | ");
		tkc_cell(b, h->origin);
		hsa_buf_printf(b, " | %llu | ", (unsigned long long)h->size);
		tkc_groups(b, h->root, sizeof(h->root));
		hsa_buf_str(b, h->bad        ? " | BAD: "
			       : h->verified ? " | verified"
					     : " | not verified");
		tkc_cell(b, h->bad ? h->finding : "");
		hsa_buf_str(b, " |\n");
	}
	hsa_buf_str(b, "\n");
}

static void
participants(struct hsa_buf *b, const struct tkc_run *r)
{
	const struct tkc_key *k = NULL;
	size_t i, n;

	hsa_buf_str(b, "## Participants\n\n"
		       "| role | person | signature key | subject key "
		       "identifier |\n|---|---|---|---|\n");
	for (i = 0; i < r->c->roles_count; i++) {
		const struct tkc_c_role *role = &r->c->roles[i];

		for (k = NULL, n = 0;
		     role->sigkey != NULL && n < r->ring->sigkeys.len; n++)
			if (strcmp(r->ring->sigkeys.key[n]->name,
				role->sigkey) == 0)
				k = r->ring->sigkeys.key[n];
		hsa_buf_str(b, "| ");
		tkc_cell(b, role->name);
		hsa_buf_str(b, " | ");
		tkc_cell(b, role->person);
		hsa_buf_str(b, " | ");
		tkc_cell(b, role->sigkey == NULL ? "-" : role->sigkey);
		hsa_buf_str(b, " | ");
		if (k != NULL)
			tkc_groups(b, k->file.id, HSA_SHA256_LEN);
		else
			hsa_buf_str(b, "-");
		hsa_buf_str(b, " |\n");
	}
	hsa_buf_str(b, "\n");
	if (r->c->key_parts_count == 0)
		return;
	hsa_buf_str(b, "## Key parts\n\n"
		       "| part | holder | verification pattern |\n"
		       "|---|---|---|\n");
	for (i = 0; i < r->c->key_parts_count; i++) {
		hsa_buf_str(b, "| ");
		tkc_cell(b, r->c->key_parts[i].name);
		hsa_buf_str(b, " | ");
		tkc_cell(b, r->c->key_parts[i].holder);
		hsa_buf_str(b, " | ");
		for (n = 0; n < r->ring->parts.len; n++)
			if (strcmp(r->ring->parts.key[n]->name,
				r->c->key_parts[i].name) == 0)
				tkc_groups(b, r->ring->parts.key[n]->file.id,
				    HSA_SHA256_LEN);
		hsa_buf_str(b, " |\n");
	}
	hsa_buf_str(b, "\n");
}

/* ---- steps --------------------------------------------------------------- */

static void
signer_names(
    struct hsa_buf *b, const struct tkc_run *r, const struct hsa_record *v)
{
	const struct tkc_key *k = NULL;
	size_t i;

	if (v->signer_len == 0)
		hsa_buf_str(b, "-");
	for (i = 0; i < v->signer_len; i++) {
		hsa_buf_str(b, i == 0 ? "" : ", ");
		k = tkc_keys_by_id(&r->ring->sigkeys, v->signer_id[i]);
		if (k != NULL)
			tkc_cell(b, k->name);
		else
			hsa_buf_hex(b, v->signer_id[i], 8);
	}
}

static void
done_row(struct hsa_buf *b, const struct tkc_run *r,
    const struct tkc_step_done *d, const struct tkc_done *u)
{
	const struct tkc_outcome *o = &u->outcome;
	struct hsa_buf text = {0};
	size_t i;

	tkc_outcome_text(&text, o, &d->change);
	hsa_buf_str(b, "| ");
	tkc_cell(b, r->c->units[u->unit].name);
	hsa_buf_printf(b, " | %s | ",
	    !hsa_is_ok(o->rc) ? "error"
	    : o->ep11_rc == 0 ? "success"
			      : "refused");
	if (hsa_is_ok(o->rc))
		hsa_buf_printf(b, "%u | %u | ", o->ep11_rc, o->reason);
	else
		hsa_buf_str(b, "- | - | ");
	if (o->has_pattern && tkc_outcome_ok(o)) {
		hsa_buf_str(b, "pattern ");
		tkc_groups(b, o->pattern, sizeof(o->pattern));
	} else {
		tkc_cell(b, hsa_buf_cstr(&text));
	}
	hsa_buf_str(b, " | ");
	for (i = 0; i < u->events.len; i++)
		hsa_buf_printf(b, "%s%llu", i == 0 ? "" : ", ",
		    (unsigned long long)u->events.r[i].sequence);
	hsa_buf_str(b, u->events.len == 0 ? "- | " : " | ");
	if (u->events.len > 0)
		signer_names(b, r, &u->events.r[u->events.len - 1]);
	else
		hsa_buf_str(b, "-");
	hsa_buf_str(b, " |\n");
	hsa_buf_free(&text);
}

static void
step(struct hsa_buf *b, const struct tkc_run *r, const struct tkc_step_done *d)
{
	const struct tkc_c_step *s = d->step;
	char uuid[HSA_UUID_TEXT];
	size_t i;

	hsa_buf_str(b, "### ");
	tkc_cell(b, s->id);
	hsa_buf_str(b, ": ");
	tkc_cell(b, s->title);
	hsa_buf_printf(
	    b, "\n\n`%s`; expected: %s", s->verb, s->expect->outcome);
	if (s->expect->rc != NULL)
		hsa_buf_printf(b, ", return code %u", *s->expect->rc);
	if (s->expect->reason != NULL)
		hsa_buf_printf(b, ", reason code %u", *s->expect->reason);
	hsa_buf_str(b, "; taking part: ");
	for (i = 0; i < s->who_count; i++) {
		hsa_buf_str(b, i == 0 ? "" : ", ");
		tkc_cell(b, s->who[i]);
	}
	if (!d->ran) {
		hsa_buf_str(b, "\n\n**Not carried out.**\n\n");
		return;
	}
	hsa_buf_str(b, "\n\nbegin ");
	time_text(b, d->start_ns);
	hsa_buf_str(b, ", end ");
	time_text(b, d->end_ns);
	if (d->done_len > 0) {
		hsa_uuid_text(uuid, d->command_id);
		hsa_buf_printf(b, ", command id %s", uuid);
	}
	hsa_buf_str(
	    b, d->deviations == 0 ? ", as expected\n\n" : ", **deviates**\n\n");
	if (d->note != NULL) {
		tkc_cell(b, d->note);
		hsa_buf_str(b, "\n\n");
	}
	if (d->done_len == 0)
		return;
	hsa_buf_str(b, "| unit | outcome | rc | reason | result | events | "
		       "signed by |\n|---|---|---|---|---|---|---|\n");
	for (i = 0; i < d->done_len; i++)
		done_row(b, r, d, &d->done[i]);
	hsa_buf_str(b, "\n");
}

/* ---- final state and deviations ------------------------------------------ */

static void
state_row(struct hsa_buf *b, const struct tkc_run *r, const char *name,
    void (*cell)(struct hsa_buf *, const struct tkc_state *), bool same)
{
	size_t i;

	hsa_buf_printf(b, "| %s |", name);
	for (i = 0; i < r->c->units_count; i++) {
		hsa_buf_str(b, " ");
		if (r->has_state[i])
			cell(b, &r->state[i]);
		else
			hsa_buf_str(b, "?");
		hsa_buf_str(b, " |");
	}
	hsa_buf_str(b, same ? " yes |\n" : " **no** |\n");
}

static void
cell_signature(struct hsa_buf *b, const struct tkc_state *s)
{
	hsa_buf_printf(b, "%u%s", s->attributes.signature_threshold,
	    s->attributes.signature_threshold == 0 ? " (imprint mode)" : "");
}

static void
cell_revocation(struct hsa_buf *b, const struct tkc_state *s)
{
	hsa_buf_printf(b, "%u", s->attributes.revocation_threshold);
}

static void
cell_permissions(struct hsa_buf *b, const struct tkc_state *s)
{
	hsa_buf_printf(b, "%08x", s->attributes.permissions);
}

static void
cell_admins(struct hsa_buf *b, const struct tkc_state *s)
{
	size_t i;

	if (s->admins == 0)
		hsa_buf_str(b, "none");
	for (i = 0; i < s->admins; i++) {
		hsa_buf_str(b, i == 0 ? "" : "<br>");
		tkc_cell(b, s->admin_name[i]);
		hsa_buf_str(b, " ");
		hsa_buf_hex(b, s->admin[i], 4);
	}
}

static void
cell_new(struct hsa_buf *b, const struct tkc_state *s)
{
	hsa_buf_str(b, tkc_new_register(&s->info));
	if ((s->info.flags & TKE_DOMINFO_PENDING) != 0) {
		hsa_buf_str(b, "<br>");
		tkc_groups(b, s->info.pending, 32);
	}
}

static void
cell_current(struct hsa_buf *b, const struct tkc_state *s)
{
	hsa_buf_str(b, tkc_current_register(&s->info));
	if ((s->info.flags & TKE_DOMINFO_CURRENT) != 0) {
		hsa_buf_str(b, "<br>");
		tkc_groups(b, s->info.current, 32);
	}
}

static void
matrix(struct hsa_buf *b, const struct tkc_run *r)
{
	size_t i;

	hsa_buf_str(b, "## Final state\n\n| |");
	for (i = 0; i < r->c->units_count; i++) {
		hsa_buf_str(b, " ");
		tkc_cell(b, r->c->units[i].name);
		hsa_buf_str(b, " |");
	}
	hsa_buf_str(b, " same |\n|---|");
	for (i = 0; i <= r->c->units_count; i++)
		hsa_buf_str(b, "---|");
	hsa_buf_str(b, "\n");
	state_row(b, r, "signature threshold", cell_signature,
	    r->same[TKC_SAME_SIGNATURE_THRESHOLD]);
	state_row(b, r, "revocation threshold", cell_revocation,
	    r->same[TKC_SAME_REVOCATION_THRESHOLD]);
	state_row(b, r, "permissions", cell_permissions,
	    r->same[TKC_SAME_PERMISSIONS]);
	state_row(
	    b, r, "administrators", cell_admins, r->same[TKC_SAME_ADMINS]);
	state_row(b, r, "new master key register", cell_new,
	    r->same[TKC_SAME_NEW_REGISTER]);
	state_row(b, r, "current master key register", cell_current,
	    r->same[TKC_SAME_CURRENT_REGISTER]);
	hsa_buf_str(b, "\n");
}

static void
deviations(struct hsa_buf *b, const struct tkc_run *r)
{
	size_t i;

	hsa_buf_str(b, "## Deviations\n\n");
	if (r->deviations == 0) {
		hsa_buf_str(b, "None.\n\n");
		return;
	}
	hsa_buf_str(b, "| step | unit | expected | happened |\n"
		       "|---|---|---|---|\n");
	for (i = 0; i < r->deviations; i++) {
		const struct tkc_deviation *v = &r->deviation[i];

		hsa_buf_str(b, "| ");
		tkc_cell(b, v->step[0] == '\0' ? "-" : v->step);
		hsa_buf_str(b, " | ");
		tkc_cell(b, v->unit[0] == '\0' ? "-" : v->unit);
		hsa_buf_str(b, " | ");
		tkc_cell(b, v->expected);
		hsa_buf_str(b, " | ");
		tkc_cell(b, v->happened);
		hsa_buf_str(b, " |\n");
	}
	hsa_buf_str(b, "\n");
}

void
tkc_transcript_markdown(struct hsa_buf *b, const struct tkc_run *r)
{
	size_t i;

	cover(b, r);
	units(b, r);
	heads(b, r);
	participants(b, r);
	hsa_buf_str(b, "## Steps\n\n");
	for (i = 0; i < r->steps; i++)
		step(b, r, &r->step[i]);
	matrix(b, r);
	deviations(b, r);
	hsa_buf_printf(b,
	    "## Conclusion\n\n**%s**: %zu of %u steps carried "
	    "out, %zu deviation%s.\n",
	    passed(r) ? "PASS" : "FAIL", steps_run(r), r->c->steps_count,
	    r->deviations, r->deviations == 1 ? "" : "s");
}

void
tkc_transcript_step(
    struct hsa_buf *b, const struct tkc_run *r, const struct tkc_step_done *d)
{
	size_t i;

	hsa_buf_printf(b, "%-9s %-18s %s\n",
	    d->deviations == 0 ? "ok" : "DEVIATES", d->step->id,
	    d->step->title);
	for (i = 0; i < r->deviations; i++) {
		const struct tkc_deviation *v = &r->deviation[i];

		if (d->deviations > 0 && strcmp(v->step, d->step->id) == 0)
			hsa_buf_printf(b,
			    "          %s expected: %s; happened: %s\n",
			    v->unit, v->expected, v->happened);
	}
}
