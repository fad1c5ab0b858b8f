/* Verbs that ask the selected crypto units about themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_compare.h"
#include "tkc_session.h"

enum ask {
	ASK_ATTRIBUTES = 1,
	ASK_ADMINS = 2,
	ASK_REGISTERS = 4,
	ASK_POINTS = 8
};

/* States of the selected units. A unit that does not answer fails the whole:
 * a list that silently lacks one would mislead. */
struct view {
	struct tkc_unit *unit[TKC_FLEET_MAX];
	struct tkc_state *state; /* owned, len of them */
	size_t len;
	struct hsa_buf out;
	struct hsa_jw w;
	bool json;
};

static hsa_rc
view_open(struct view *v, struct tkc_session *s, unsigned int ask)
{
	size_t i;
	hsa_rc rc;

	v->json = s->opt.json;
	v->w.b = &v->out;
	HSA_TRY(rc, tkc_session_units(s, v->unit, &v->len));
	v->state = calloc(v->len, sizeof(*v->state));
	if (v->state == NULL)
		return HSA_RC(E_NOMEM);
	for (i = 0; i < v->len; i++) {
		struct tkc_state *st = &v->state[i];

		if ((ask & ASK_ATTRIBUTES) != 0)
			HSA_TRY(rc, tkc_state_attributes(
					st, &s->fleet, v->unit[i], &s->diag));
		if ((ask & ASK_ADMINS) != 0)
			HSA_TRY(rc, tkc_state_admins(st, &s->fleet, v->unit[i],
					true, &s->diag));
		if ((ask & ASK_REGISTERS) != 0)
			HSA_TRY(rc, tkc_state_registers(
					st, &s->fleet, v->unit[i], &s->diag));
		if ((ask & ASK_POINTS) != 0)
			HSA_TRY(rc, tkc_state_points(
					st, &s->fleet, v->unit[i], &s->diag));
	}
	if (v->json)
		hsa_jw_array(&v->w, NULL);
	else
		hsa_buf_printf(
		    &v->out, "SERVICE INSTANCE: %s\n", s->fleet.instance);
out:
	return rc;
}

static hsa_rc
view_print(struct view *v)
{
	if (v->json) {
		hsa_jw_end(&v->w);
		hsa_buf_str(&v->out, "\n");
	}
	return tkc_put(&v->out);
}

static void
view_close(struct view *v)
{
	free(v->state);
	hsa_buf_free(&v->out);
}

static void
unit_json(struct view *v, size_t i)
{
	hsa_jw_object(&v->w, NULL);
	hsa_jw_uint(&v->w, "cryptounit", v->unit[i]->number);
	hsa_jw_text(&v->w, "id", v->unit[i]->id);
	hsa_jw_text(&v->w, "location", v->unit[i]->location);
}

static void
admin_row(struct view *v, size_t i, size_t k)
{
	const struct tkc_state *st = &v->state[i];

	if (v->json) {
		hsa_jw_object(&v->w, NULL);
		hsa_jw_text(&v->w, "name", st->admin_name[k]);
		hsa_jw_hex(&v->w, "ski", st->admin[k], TKE_SKI_LEN);
		hsa_jw_end(&v->w);
		return;
	}
	hsa_buf_printf(
	    &v->out, "%-11u %-30s ", v->unit[i]->number, st->admin_name[k]);
	hsa_buf_hex(&v->out, st->admin[k], TKE_SKI_LEN);
	hsa_buf_str(&v->out, "\n");
}

static hsa_rc
admins(struct tkc_session *s)
{
	struct view v = {.len = 0};
	size_t i, k;
	hsa_rc rc;

	HSA_TRY(rc, view_open(&v, s, ASK_ADMINS));
	if (!v.json)
		hsa_buf_printf(&v.out, "%-11s %-30s %s\n", "CRYPTO UNIT",
		    "NAME", "SUBJECT KEY IDENTIFIER");
	for (i = 0; i < v.len; i++) {
		if (v.json) {
			unit_json(&v, i);
			hsa_jw_array(&v.w, "administrators");
		} else if (v.state[i].admins == 0) {
			hsa_buf_printf(&v.out, "%-11u no administrators\n",
			    v.unit[i]->number);
		}
		for (k = 0; k < v.state[i].admins; k++)
			admin_row(&v, i, k);
		if (v.json) {
			hsa_jw_end(&v.w);
			hsa_jw_end(&v.w);
		}
	}
	rc = view_print(&v);
out:
	view_close(&v);
	return rc;
}

static bool
point_on(const struct tkc_state *s, unsigned int n)
{
	return (s->points[n / 8] >> (7 - n % 8) & 1) != 0;
}

static hsa_rc
points(struct tkc_session *s)
{
	struct view v = {.len = 0};
	unsigned int n;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, view_open(&v, s, ASK_POINTS));
	if (!v.json)
		hsa_buf_printf(&v.out, "%-11s %s\n", "CRYPTO UNIT",
		    "CONTROL POINTS THAT ARE OFF");
	for (i = 0; i < v.len; i++) {
		const struct tkc_state *st = &v.state[i];

		if (v.json) {
			unit_json(&v, i);
			hsa_jw_hex(&v.w, "controlPoints", st->points,
			    sizeof(st->points));
			hsa_jw_end(&v.w);
			continue;
		}
		hsa_buf_printf(&v.out, "%-11u", v.unit[i]->number);
		for (n = 0; n <= TKE_CP_LAST; n++)
			if (!point_on(st, n))
				hsa_buf_printf(&v.out, " %u", n);
		hsa_buf_str(&v.out, "\n");
	}
	rc = view_print(&v);
out:
	view_close(&v);
	return rc;
}

static hsa_rc
thresholds(struct tkc_session *s)
{
	struct view v = {.len = 0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, view_open(&v, s, ASK_ATTRIBUTES));
	if (!v.json)
		hsa_buf_printf(&v.out, "%-11s %-20s %s\n", "CRYPTO UNIT",
		    "SIGNATURE THRESHOLD", "REVOCATION THRESHOLD");
	for (i = 0; i < v.len; i++) {
		const struct tke_attributes *a = &v.state[i].attributes;
		bool imprint = a->signature_threshold == 0;

		if (v.json) {
			unit_json(&v, i);
			hsa_jw_bool(&v.w, "imprint", imprint);
			hsa_jw_uint(
			    &v.w, "signatureThreshold", a->signature_threshold);
			hsa_jw_uint(&v.w, "revocationSignatureThreshold",
			    a->revocation_threshold);
			hsa_jw_uint(&v.w, "permissions", a->permissions);
			hsa_jw_end(&v.w);
			continue;
		}
		hsa_buf_printf(&v.out, "%-11u %-20u %u%s\n", v.unit[i]->number,
		    a->signature_threshold, a->revocation_threshold,
		    imprint ? " (imprint mode)" : "");
	}
	rc = view_print(&v);
out:
	view_close(&v);
	return rc;
}

static void
register_json(struct view *v, const char *name, const char *status,
    const uint8_t pattern[32])
{
	hsa_jw_object(&v->w, name);
	hsa_jw_text(&v->w, "status", status);
	hsa_jw_hex(&v->w, "verificationPattern", pattern, 32);
	hsa_jw_end(&v->w);
}

static void
register_rows(struct view *v, bool current)
{
	size_t i;

	hsa_buf_printf(&v->out, "\n%s MASTER KEY REGISTER\n%-11s %-16s %s\n",
	    current ? "CURRENT" : "NEW", "CRYPTO UNIT", "STATUS",
	    "VERIFICATION PATTERN");
	for (i = 0; i < v->len; i++) {
		const struct tke_domain_info *d = &v->state[i].info;

		hsa_buf_printf(&v->out, "%-11u %-16s ", v->unit[i]->number,
		    current ? tkc_current_register(d) : tkc_new_register(d));
		hsa_buf_hex(&v->out, current ? d->current : d->pending, 32);
		hsa_buf_str(&v->out, "\n");
	}
}

static hsa_rc
registers(struct tkc_session *s)
{
	struct view v = {.len = 0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, view_open(&v, s, ASK_REGISTERS));
	for (i = 0; v.json && i < v.len; i++) {
		const struct tke_domain_info *d = &v.state[i].info;

		unit_json(&v, i);
		register_json(&v, "new", tkc_new_register(d), d->pending);
		register_json(
		    &v, "current", tkc_current_register(d), d->current);
		hsa_jw_end(&v.w);
	}
	if (!v.json) {
		register_rows(&v, false);
		register_rows(&v, true);
	}
	rc = view_print(&v);
out:
	view_close(&v);
	return rc;
}

static hsa_rc
compare(struct tkc_session *s)
{
	const unsigned int all = ASK_ATTRIBUTES | ASK_ADMINS | ASK_REGISTERS;
	struct view v = {.len = 0};
	bool same[TKC_ASPECTS], equal = true;
	unsigned int i;
	hsa_rc rc;

	HSA_TRY(rc, view_open(&v, s, all));
	equal = tkc_compare(same, v.state, v.len);
	for (i = 0; i < TKC_ASPECTS; i++) {
		const char *name = tkc_aspect_name((enum tkc_aspect)i);

		if (v.json) {
			hsa_jw_object(&v.w, NULL);
			hsa_jw_text(&v.w, "aspect", name);
			hsa_jw_bool(&v.w, "same", same[i]);
			hsa_jw_end(&v.w);
		} else {
			hsa_buf_printf(&v.out, "%-30s %s\n", name,
			    same[i] ? "same" : "DIFFERENT");
		}
	}
	if (!v.json)
		hsa_buf_printf(&v.out, "%zu crypto units are set up %s.\n",
		    v.len, equal ? "alike" : "DIFFERENTLY");
	s->exit = equal ? TKC_EXIT_OK : TKC_EXIT_REFUSED;
	rc = view_print(&v);
out:
	view_close(&v);
	return rc;
}

#define WITH (TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_JSON)

const struct tkc_verb tkc_verbs_look[] = {
    {{"cryptounit-admins", "",
	 "List the administrators of the selected "
	 "crypto units",
	 "", WITH, 0, 0},
	admins},
    {{"cryptounit-thrhlds", "",
	 "Show the signature thresholds of the "
	 "selected crypto units",
	 "", WITH, 0, 0},
	thresholds},
    {{"cryptounit-cps", "",
	 "Show the control points of the selected crypto units",
	 "Points are numbered as EP11 does; above 80 none has a name.", WITH, 0,
	 0},
	points},
    {{"cryptounit-mk", "",
	 "Show the master key registers of the selected "
	 "crypto units",
	 "", WITH, 0, 0},
	registers},
    {{"cryptounit-compare", "", "Compare the selected crypto units",
	 "Exit status 1 when they differ.", WITH, 0, 0},
	compare},
    {.is = {.name = NULL}},
};
