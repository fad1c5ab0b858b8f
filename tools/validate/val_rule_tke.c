/* Rules for Trusted Key Entry, and for requestData and responseData. */
#include <stdio.h>
#include <string.h>

#include "hsa_field_type.h"
#include "val_rule.h"
#include "val_words.h"

#define PART "requestData"

static const struct val_node *
in(const struct val_event *e, enum val_field data, const char *name)
{
	return e->field[data] == NULL
		   ? NULL
		   : val_member(e->json, e->field[data], name);
}

/* ---- documented fields --------------------------------------------------- */

static bool
fits_text(const struct val_event *e, const struct hsa_field_type *t,
    const struct val_node *n)
{
	return n->kind == VAL_TEXT && t->fits(val_text(e->json, n));
}

static bool
fits(const struct val_event *e, const struct hsa_field_type *t,
    const struct val_node *n)
{
	const struct val_node *i;
	int64_t v;

	switch (t->kind) {
	case HSA_VALUE_INTEGER:
		return val_integer(e->json, n, &v);
	case HSA_VALUE_BOOLEAN:
		return n->kind == VAL_BOOL;
	case HSA_VALUE_LIST:
		if (n->kind != VAL_ARRAY)
			return false;
		for (i = val_child(e->json, n); i != NULL;
		     i = val_next(e->json, i))
			if (!fits_text(e, t, i))
				return false;
		return true;
	case HSA_VALUE_TEXT:
	default:
		return fits_text(e, t, n);
	}
}

static void
misfit(const struct val_event *e, struct val_report *r,
    const struct hsa_field_spec *f, const struct hsa_field_type *t,
    const struct val_node *n)
{
	bool hash = strncmp(f->type, "hex64", 5) == 0;

	/* location is E08's, and said there with what it must equal */
	if (strcmp(f->type, "location") == 0 && e->tke)
		return;
	val_find(
	    r, hash ? VAL_E10 : VAL_E22, e->json, n, "must be %s", t->form);
}

static void
key_state(const struct val_event *e, struct val_report *r, const char *name,
    const struct val_node *n)
{
	int64_t v = 0;

	if (val_is_key_state(name) && val_integer(e->json, n, &v) &&
	    !val_key_state_fits(v))
		val_find(r, VAL_E23, e->json, n,
		    "%lld is no key state: 0, 1, 2, 3 or 5", (long long)v);
}

static void
documented(const struct val_event *e, struct val_report *r, enum val_field data,
    const char *list)
{
	struct hsa_field_spec f;
	const struct hsa_field_type *t;
	const struct val_node *n;
	char path[96];
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &f)) {
		t = hsa_field_type(f.type);
		n = in(e, data, f.name);
		if (n == NULL && val_name_alias(f.name) != NULL)
			n = in(e, data, val_name_alias(f.name));
		if (n != NULL) {
			if (!fits(e, t, n))
				misfit(e, r, &f, t, n);
			key_state(e, r, f.name, n);
		} else if (!f.optional && e->outcome == VAL_OUTCOME_SUCCESS &&
			   strcmp(f.type, "location") != 0) {
			(void)snprintf(path, sizeof(path), "%s.%s",
			    val_field_row(data)->path, f.name);
			val_find_at(r, e->tke ? VAL_E09 : VAL_W05, path,
			    "is missing; the document has it for a success of "
			    "%s",
			    e->row->name);
		}
	}
}

void
val_rule_data(const struct val_event *e, struct val_report *r)
{
	if (e->row == NULL)
		return;
	documented(e, r, VAL_F_REQUEST, e->row->request_data);
	documented(e, r, VAL_F_RESPONSE, e->row->response_data);
}

/* ---- Trusted Key Entry --------------------------------------------------- */

static void
location(const struct val_event *e, struct val_report *r)
{
	const struct hsa_field_type *t = hsa_field_type("location");
	const struct val_node *n = in(e, VAL_F_REQUEST, "location");
	const char *name = val_get(e, VAL_F_TARGET_NAME);

	if (n == NULL) {
		val_find_at(r, VAL_E08, PART ".location",
		    "is missing; every Trusted Key Entry event has it");
		return;
	}
	if (!fits_text(e, t, n))
		val_find(r, VAL_E08, e->json, n, "must be %s", t->form);
	else if (name != NULL && !val_is(e->json, n, name))
		val_find(r, VAL_E08, e->json, n,
		    "differs from target.name, %.80s", name);
}

static bool
has(const struct val_event *e, const struct val_node *list,
    const struct val_node *text)
{
	const struct val_node *n;

	for (n = val_child(e->json, list); n != NULL; n = val_next(e->json, n))
		if (n->kind == VAL_TEXT && n->text_len == text->text_len &&
		    memcmp(val_text(e->json, n), val_text(e->json, text),
			n->text_len) == 0)
			return true;
	return false;
}

static void
administrators(const struct val_event *e, struct val_report *r)
{
	const struct val_node *id = in(e, VAL_F_REQUEST, "adminId");
	const struct val_node *all = in(e, VAL_F_RESPONSE, "adminIds");
	bool add = e->row->code == HSA_ACTION_TKE_ADMIN_ADD;

	if (e->outcome != VAL_OUTCOME_SUCCESS ||
	    (!add && e->row->code != HSA_ACTION_TKE_ADMIN_REMOVE) ||
	    id == NULL || id->kind != VAL_TEXT || all == NULL ||
	    all->kind != VAL_ARRAY)
		return;
	if (has(e, all, id) != add)
		val_find(r, VAL_E11, e->json, all,
		    add ? "lacks the administrator that was added, %.64s"
			: "still has the administrator that was removed, %.64s",
		    val_text(e->json, id));
}

static void
thresholds(const struct val_event *e, struct val_report *r)
{
	static const enum val_field data[] = {VAL_F_REQUEST, VAL_F_RESPONSE};
	const struct val_node *n;
	size_t i, k;
	int64_t v = 0;

	/* a refused one may have been out of range: that is why */
	if (e->outcome != VAL_OUTCOME_SUCCESS)
		return;
	for (i = 0; i < 2; i++)
		for (k = 0; val_thresholds[k] != NULL; k++) {
			n = in(e, data[i], val_thresholds[k]);
			if (val_integer(e->json, n, &v) &&
			    (v < VAL_THRESHOLD_MIN || v > VAL_THRESHOLD_MAX))
				val_find(r, VAL_E12, e->json, n,
				    "%lld is not %d to %d", (long long)v,
				    VAL_THRESHOLD_MIN, VAL_THRESHOLD_MAX);
		}
}

/* Bytes of a verification pattern that every card sets, as hex digits. */
#define PATTERN ((size_t)2 * 28)

/* What is activated is what was asked for. */
static void
pattern(const struct val_event *e, struct val_report *r)
{
	const struct val_node *of = in(e, VAL_F_REQUEST, "verificationPattern");
	const struct val_node *is =
	    in(e, VAL_F_RESPONSE, "verificationPattern");

	if (e->outcome == VAL_OUTCOME_SUCCESS &&
	    e->row->code == HSA_ACTION_TKE_REGISTER_ACTIVATE && of != NULL &&
	    of->kind == VAL_TEXT && is != NULL && is->kind == VAL_TEXT &&
	    strncmp(val_text(e->json, of), val_text(e->json, is), PATTERN) != 0)
		val_find(r, VAL_E13, e->json, is,
		    "is not the requested verification pattern");
}

static void
parts(const struct val_event *e, struct val_report *r)
{
	static const enum val_field data[] = {VAL_F_REQUEST, VAL_F_RESPONSE};
	const struct val_node *n, *k;
	size_t i, many;

	if (e->outcome != VAL_OUTCOME_SUCCESS)
		return;
	for (i = 0; i < 2; i++) {
		n = in(e, data[i], "masterKeyIds");
		if (n == NULL || n->kind != VAL_ARRAY)
			continue;
		many = 0;
		for (k = val_child(e->json, n); k != NULL;
		     k = val_next(e->json, k))
			many++;
		if (many < VAL_PARTS_MIN || many > VAL_PARTS_MAX)
			val_find(r, VAL_E13, e->json, n,
			    "names %zu key parts; a master key has 2 or 3",
			    many);
	}
}

void
val_rule_tke(const struct val_event *e, struct val_report *r)
{
	if (!e->tke)
		return;
	if (e->field[VAL_F_CORRELATION] != NULL)
		val_find(r, VAL_E08, e->json, e->field[VAL_F_CORRELATION],
		    "is not supported in Trusted Key Entry events");
	location(e, r);
	administrators(e, r);
	thresholds(e, r);
	parts(e, r);
	pattern(e, r);
}
