/* Of the schema: fields, and the rules for every event. */
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_schema_impl.h"
#include "val_words.h"

/* ---- fields: E01, E02 ---------------------------------------------------- */

static void
type_of(struct sch *s, unsigned int kinds)
{
	if ((kinds & VAL_K_NULL) != 0) {
		/* data; a collector's export has it as a string */
		hsa_jw_array(&s->w, "type");
		hsa_jw_text(&s->w, NULL, "object");
		hsa_jw_text(&s->w, NULL, "null");
		hsa_jw_end(&s->w);
		return;
	}
	hsa_jw_text(&s->w, "type",
	    (kinds & VAL_K_TEXT) != 0     ? "string"
	    : (kinds & VAL_K_BOOL) != 0   ? "boolean"
	    : (kinds & VAL_K_NUMBER) != 0 ? "number"
					  : "object");
}

static void
members(struct sch *s, enum val_field parent)
{
	const struct val_field_row *row;
	size_t i;

	hsa_jw_array(&s->w, "required");
	for (i = 1; i < VAL_FIELDS; i++) {
		row = val_field_row((enum val_field)i);
		if (row->parent == parent && row->need == VAL_ALWAYS)
			hsa_jw_text(&s->w, NULL, row->name);
	}
	hsa_jw_end(&s->w);
	sch_open(s, "properties");
	for (i = 1; i < VAL_FIELDS; i++) {
		row = val_field_row((enum val_field)i);
		if (row->parent != parent)
			continue;
		sch_open(s, row->name);
		hsa_jw_text(&s->w, "title", row->path);
		if (row->kinds == VAL_K_OBJECT) {
			hsa_jw_text(&s->w, "$comment",
			    "E02, additionalProperties: E01");
			hsa_jw_text(&s->w, "type", "object");
			members(s, (enum val_field)i);
		} else if ((row->kinds & VAL_K_NULL) != 0 &&
			   s->cfg->profile == VAL_AT_EXPORT) {
			hsa_jw_text(&s->w, "$comment", "E02");
			hsa_jw_array(&s->w, "anyOf");
			sch_check(s, NULL, VAL_E02, NULL);
			type_of(s, row->kinds);
			sch_close(s, 1);
			sch_check(s, NULL, VAL_E02, "string");
			hsa_jw_text(
			    &s->w, "contentMediaType", "application/json");
			sch_close(s, 1);
			hsa_jw_end(&s->w);
		} else {
			hsa_jw_text(&s->w, "$comment", "E02");
			type_of(s, row->kinds);
		}
		sch_close(s, 1);
	}
	sch_close(s, 1);
	hsa_jw_bool(&s->w, "additionalProperties", false);
}

void
sch_fields(struct sch *s)
{
	s->said[VAL_E01] = s->said[VAL_E02] = true;
	hsa_jw_text(&s->w, "$comment", "E01, required: E02");
	hsa_jw_text(&s->w, "type", "object");
	if (s->cfg->profile == VAL_AT_EXPORT) {
		/* what a collector wraps around */
		sch_open(s, "patternProperties");
		hsa_jw_bool(&s->w, "^_", true);
		sch_close(s, 1);
	}
	members(s, VAL_F_ROOT);
}

/* ---- values by themselves ------------------------------------------------ */

unsigned int
sch_string(struct sch *s, enum val_field f, enum val_check c)
{
	unsigned int n;

	sch_open(s, NULL);
	n = sch_field(s, f);
	sch_guard(s, c, "string");
	return n + 2;
}

void
sch_pattern(
    struct sch *s, enum val_field f, enum val_check c, const char *expression)
{
	unsigned int n = sch_string(s, f, c);

	hsa_jw_text(&s->w, "pattern", expression);
	sch_close(s, n);
}

static void
values(struct sch *s)
{
	size_t n, i;
	unsigned int open;
	const struct val_values *set = val_values(&n);

	for (i = 0; i < n; i++) {
		open = sch_string(s, set[i].field, VAL_E25);
		hsa_jw_text(&s->w, "description", set[i].text);
		sch_list(s, "enum", set[i].list);
		sch_close(s, open);
	}
}

enum names {
	ALL_NAMES,
	FORMER_NAMES,
	UNLISTED_NAMES
};

static void
names(struct sch *s, const char *key, enum names which)
{
	size_t n, i;
	const struct hsa_action_row *row = hsa_catalogue(&n);

	hsa_jw_array(&s->w, key);
	for (i = 0; i < n; i++) {
		if (which == ALL_NAMES ||
		    (which == UNLISTED_NAMES &&
			strcmp(row[i].listed, "table") != 0))
			hsa_jw_text(&s->w, NULL, row[i].name);
		if (which != UNLISTED_NAMES && row[i].old_name[0] != '\0')
			hsa_jw_text(&s->w, NULL, row[i].old_name);
	}
	for (i = 0; val_orphans[i].old != NULL; i++) {
		if (which != UNLISTED_NAMES)
			hsa_jw_text(&s->w, NULL, val_orphans[i].old);
		if (which != FORMER_NAMES)
			hsa_jw_text(&s->w, NULL, val_orphans[i].now);
	}
	hsa_jw_end(&s->w);
}

static void
action(struct sch *s)
{
	unsigned int n = sch_string(s, VAL_F_ACTION, VAL_E03);

	names(s, "enum", ALL_NAMES);
	sch_close(s, n);
	if (sch_wants(s, VAL_W03)) {
		n = sch_string(s, VAL_F_ACTION, VAL_W03);
		sch_open(s, "not");
		names(s, "enum", FORMER_NAMES);
		sch_close(s, n + 1);
	}
	if (sch_wants(s, VAL_W04)) {
		n = sch_string(s, VAL_F_ACTION, VAL_W04);
		sch_open(s, "not");
		names(s, "enum", UNLISTED_NAMES);
		sch_close(s, n + 1);
	}
}

/* ---- outcome ------------------------------------------------------------- */

static void
outcome_is(struct sch *s, const char *key, const char *outcome)
{
	sch_open(s, key);
	hsa_jw_text(&s->w, "type", "object");
	sch_required(s, "outcome");
	sch_open(s, "properties");
	sch_open(s, "outcome");
	hsa_jw_text(&s->w, "const", outcome);
	sch_close(s, 3);
}

static void
outcome(struct sch *s)
{
	static const struct {
		enum val_outcome outcome;
		const char *name;
	} all[] = {
	    {VAL_OUTCOME_SUCCESS, "success"},
	    {VAL_OUTCOME_FAILURE, "failure"},
	    {VAL_OUTCOME_PENDING, "pending"},
	};
	unsigned int n;
	size_t i;

	sch_open(s, NULL);
	n = sch_field(s, VAL_F_REASON_CODE);
	sch_guard(s, VAL_E05, "number");
	hsa_jw_int(&s->w, "multipleOf", 1);
	hsa_jw_int(&s->w, "minimum", -((int64_t)1 << 53));
	hsa_jw_int(&s->w, "maximum", (int64_t)1 << 53);
	sch_close(s, n + 2);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		sch_open(s, NULL);
		outcome_is(s, "if", all[i].name);
		sch_open(s, "then");
		hsa_jw_text(&s->w, "type", "object");
		n = sch_field(s, VAL_F_REASON_CODE);
		sch_guard(s, VAL_E05, "integer");
		sch_codes(s, all[i].outcome);
		sch_close(s, n + 3);
	}
	sch_open(s, NULL);
	sch_ref(s, "if", "failed");
	sch_check(s, "then", VAL_E07, "object");
	n = sch_present(s, VAL_F_REASON_TYPE, VAL_E07);
	hsa_jw_text(&s->w, "$comment", "E07");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_int(&s->w, "minLength", 1);
	sch_close(s, n + 2);
}

/* reasonType is the phrase of reasonCode, but where E06 says so itself. */
static void
phrases(struct sch *s)
{
	const struct hsa_status_row *st;
	uint32_t code;
	unsigned int n;

	sch_open(s, NULL);
	sch_open(s, "if");
	sch_ref(s, "not", "plainSuccess");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	for (code = 1; code < 1000; code++) {
		st = hsa_status(code);
		if (st == NULL)
			continue;
		sch_open(s, NULL);
		sch_open(s, "if");
		n = sch_present(s, VAL_F_REASON_CODE, VAL_E02);
		hsa_jw_uint(&s->w, "const", code);
		sch_close(s, n + 1);
		sch_open(s, "then");
		hsa_jw_text(&s->w, "type", "object");
		n = sch_field(s, VAL_F_REASON_TYPE);
		sch_guard(s, VAL_W06, "string");
		hsa_jw_text(&s->w, "const", st->phrase);
		sch_close(s, n + 3);
	}
	hsa_jw_end(&s->w);
	sch_close(s, 2);
}

/* ---- message --------------------------------------------------------------
 */

static void
message(struct sch *s)
{
	unsigned int n = sch_string(s, VAL_F_MESSAGE, VAL_W02);

	hsa_jw_text(&s->w, "pattern", "^" VAL_SERVICE);
	hsa_jw_uint(&s->w, "minLength", sizeof(VAL_SERVICE));
	sch_close(s, n);
	sch_open(s, NULL);
	sch_ref(s, "if", "failed");
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_MESSAGE);
	sch_guard(s, VAL_W02, "string");
	hsa_jw_text(&s->w, "pattern", "failure");
	sch_close(s, n + 3);
}

void
sch_rules(struct sch *s)
{
	action(s);
	sch_pattern(s, VAL_F_EVENT_TIME, VAL_E04,
	    s->cfg->strict ? VAL_PATTERN_TIME : VAL_PATTERN_TIME_LENIENT);
	outcome(s);
	if (sch_wants(s, VAL_W06))
		phrases(s);
	if (sch_wants(s, VAL_E25))
		values(s);
	sch_crns(s);
	if (sch_wants(s, VAL_E17))
		sch_host(s);
	if (sch_wants(s, VAL_E42))
		sch_vcenter(s);
	if (sch_wants(s, VAL_W02))
		message(s);
	sch_open(s, NULL);
	hsa_jw_text(&s->w, "$ref", "#/$defs/noSecret");
	sch_close(s, 1);
}

/* ---- $defs --------------------------------------------------------------- */

/* A success where it is 200 and OK, nothing else. */
static void
plain_success(struct sch *s)
{
	size_t n, i;
	const struct hsa_action_row *row = hsa_catalogue(&n);

	sch_open(s, "plainSuccess");
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	outcome_is(s, NULL, "success");
	sch_open(s, NULL);
	sch_required(s, "action");
	sch_open(s, "properties");
	sch_open(s, "action");
	hsa_jw_array(&s->w, "enum");
	for (i = 0; i < n; i++) {
		if (!row[i].success_is_200)
			continue;
		hsa_jw_text(&s->w, NULL, row[i].name);
		if (row[i].old_name[0] != '\0')
			hsa_jw_text(&s->w, NULL, row[i].old_name);
	}
	hsa_jw_end(&s->w);
	sch_close(s, 3);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
}

void
sch_defs(struct sch *s)
{
	outcome_is(s, "succeeded", "success");
	outcome_is(s, "failed", "failure");
	if (sch_wants(s, VAL_W06))
		plain_success(s);
	sch_no_secret(s);
}
