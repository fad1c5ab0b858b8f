#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_schema_impl.h"
#include "val_words.h"

/* ---- the writer ---------------------------------------------------------- */

bool
sch_wants(const struct sch *s, enum val_check c)
{
	const struct val_check_row *row = val_check_row(c);

	return s->warnings ||
	       (s->cfg->strict ? row->strict : row->lenient) == VAL_LEVEL_ERROR;
}

void
sch_open(struct sch *s, const char *key)
{
	hsa_jw_object(&s->w, key);
}

void
sch_close(struct sch *s, unsigned int n)
{
	for (; n > 0; n--)
		hsa_jw_end(&s->w);
}

void
sch_check(struct sch *s, const char *key, enum val_check c, const char *type)
{
	sch_open(s, key);
	hsa_jw_text(&s->w, "$comment", val_check_row(c)->id);
	s->said[c] = true;
	if (type != NULL)
		hsa_jw_text(&s->w, "type", type);
}

void
sch_guard(struct sch *s, enum val_check c, const char *type)
{
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", type);
	sch_close(s, 1);
	sch_check(s, "then", c, type);
}

void
sch_never(struct sch *s, enum val_check c, const char *type)
{
	hsa_jw_text(&s->w, "$comment", val_check_row(c)->id);
	s->said[c] = true;
	sch_open(s, "not");
	hsa_jw_text(&s->w, "type", type);
	sch_close(s, 1);
}

void
sch_ref(struct sch *s, const char *key, const char *name)
{
	char at[96];

	(void)snprintf(at, sizeof(at), "#/$defs/%s", name);
	sch_open(s, key);
	hsa_jw_text(&s->w, "$ref", at);
	sch_close(s, 1);
}

void
sch_list(struct sch *s, const char *key, const char *const *list)
{
	hsa_jw_array(&s->w, key);
	for (; *list != NULL; list++)
		hsa_jw_text(&s->w, NULL, *list);
	hsa_jw_end(&s->w);
}

void
sch_required(struct sch *s, const char *name)
{
	hsa_jw_array(&s->w, "required");
	hsa_jw_text(&s->w, NULL, name);
	hsa_jw_end(&s->w);
}

void
sch_codes(struct sch *s, enum val_outcome o)
{
	int64_t code, from;

	hsa_jw_array(&s->w, "anyOf");
	for (code = 0; code < 1000; code++) {
		if (!val_outcome_fits(o, code))
			continue;
		for (from = code; val_outcome_fits(o, code + 1);)
			code++;
		sch_open(s, NULL);
		hsa_jw_int(&s->w, "minimum", from);
		hsa_jw_int(&s->w, "maximum", code);
		sch_close(s, 1);
	}
	hsa_jw_end(&s->w);
}

static unsigned int
down(struct sch *s, enum val_field f, bool must, enum val_check c)
{
	const struct val_field_row *row = val_field_row(f);
	unsigned int n = 0;

	if (row->parent != VAL_F_ROOT)
		n = down(s, row->parent, must, c);
	if (must)
		sch_required(s, row->name);
	sch_open(s, "properties");
	sch_open(s, row->name);
	if ((row->kinds & VAL_K_OBJECT) != 0 &&
	    (row->kinds & VAL_K_NULL) == 0) {
		hsa_jw_text(
		    &s->w, "$comment", val_check_row(must ? c : VAL_E02)->id);
		hsa_jw_text(&s->w, "type", "object");
	}
	return n + 2;
}

unsigned int
sch_field(struct sch *s, enum val_field f)
{
	return down(s, f, false, VAL_E02);
}

unsigned int
sch_present(struct sch *s, enum val_field f, enum val_check c)
{
	return down(s, f, true, c);
}

/* ---- the whole ----------------------------------------------------------- */

/* Which action it is: by its name or the one it had. */
static void
dispatch(struct sch *s, const struct hsa_action_row *row)
{
	sch_open(s, NULL);
	sch_open(s, "if");
	sch_required(s, "action");
	sch_open(s, "properties");
	sch_open(s, "action");
	if (row->old_name[0] == '\0') {
		hsa_jw_text(&s->w, "const", row->name);
	} else {
		const char *const names[] = {row->name, row->old_name, NULL};

		sch_list(s, "enum", names);
	}
	sch_close(s, 3);
	sch_ref(s, "then", row->name);
	sch_close(s, 1);
}

static void
event(struct sch *s)
{
	const struct hsa_action_row *row;
	size_t n, i;

	sch_fields(s);
	/* what is no object has been told; the rest is for those */
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "object");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	sch_rules(s);
	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++)
		dispatch(s, &row[i]);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
}

/* What stands in another document: a string whose content is an event. */
static void
line(struct sch *s)
{
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "object");
	sch_required(s, "_line");
	sch_open(s, "properties");
	sch_open(s, "_line");
	hsa_jw_text(&s->w, "type", "string");
	sch_close(s, 2);
	sch_open(s, "not");
	sch_required(s, "action");
	sch_open(s, "properties");
	hsa_jw_bool(&s->w, "action", true);
	sch_close(s, 3);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	sch_open(s, "properties");
	sch_open(s, "_line");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_text(&s->w, "contentMediaType", "application/json");
	sch_ref(s, "contentSchema", "event");
	sch_close(s, 3);
	sch_ref(s, "else", "event");
}

static void
whole(struct sch *s)
{
	const struct hsa_action_row *row;
	const char *profile = val_profile_name(s->cfg->profile);
	const char *mode = s->cfg->strict ? "strict" : "lenient";
	char text[128];
	size_t n, i;

	sch_open(s, NULL);
	hsa_jw_text(
	    &s->w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	(void)snprintf(text, sizeof(text),
	    "urn:cryptounit:%s:hs-crypto-event:%s:%s%s%s", HSA_VERSION, profile,
	    mode, s->cfg->private_network ? ":private-network" : "",
	    s->warnings ? ":warnings" : "");
	hsa_jw_text(&s->w, "$id", text);
	(void)snprintf(text, sizeof(text),
	    "Audit event of Hyper Protect Crypto Services, %s, %s", profile,
	    mode);
	hsa_jw_text(&s->w, "title", text);
	hsa_jw_text(&s->w, "description",
	    "Generated by hsa schema from the tables of hsa validate. $comment "
	    "is the id of the check that a subschema stands for: hsa validate "
	    "--checks explains them, hsa schema --reach lists what no schema "
	    "can check.");
	if (s->cfg->profile == VAL_AT_EXPORT)
		line(s);
	else
		event(s);
	sch_open(s, "$defs");
	if (s->cfg->profile == VAL_AT_EXPORT) {
		sch_open(s, "event");
		event(s);
		sch_close(s, 1);
	}
	sch_defs(s);
	sch_severities(s);
	sch_types(s);
	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++)
		sch_action(s, &row[i]);
	sch_close(s, 2);
}

void
val_schema(struct hsa_buf *b, const struct val_config *cfg, bool warnings)
{
	struct sch s = {.w = {.b = b}, .cfg = cfg, .warnings = warnings};

	whole(&s);
}

/* ---- what it cannot say -------------------------------------------------- */

enum val_reach
val_schema_reach(const char **beyond, enum val_check c)
{
	static const struct {
		enum val_check check;
		const char *text;
	} some[] = {
	    {VAL_E01, "names that are there twice, bytes that are no JSON or "
		      "no UTF-8, NUL characters, depth: parsers see them, "
		      "schemas get what parsers made of them"},
	    {VAL_E08, "that requestData.location equals target.name: a schema "
		      "compares no two values"},
	    {VAL_E11, "that adminIds lists adminId, or does not: a schema "
		      "compares no two values"},
	    {VAL_E13, "that the pattern which is activated is the one asked "
		      "for: a schema compares no two values"},
	    {VAL_E16, "that both CRNs have the same account and instance: a "
		      "schema compares no two values"},
	    {VAL_E40, "it is of profile cadf-1.0, which has no schema here"},
	    {VAL_E41, "it is of profile cadf-1.0, which has no schema here"},
	};
	const struct val_config strict = {
	    .profile = VAL_IBM_AT, .strict = true};
	struct hsa_buf b = {0};
	struct sch s = {.w = {.b = &b}, .cfg = &strict, .warnings = true};
	size_t i;

	whole(&s);
	hsa_buf_free(&b);
	*beyond = s.said[c] ? "" : "it is about more than one event's text";
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (some[i].check == c)
			*beyond = some[i].text;
	if (!s.said[c])
		return VAL_REACH_NONE;
	return *beyond[0] != '\0' ? VAL_REACH_PART : VAL_REACH_ALL;
}
