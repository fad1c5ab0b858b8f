/* Of the schema: what an action has of its own. */
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_field_type.h"
#include "val_schema_impl.h"
#include "val_words.h"

bool
sch_is_tke(const struct hsa_action_row *row)
{
	return strcmp(row->family, "tke") == 0;
}

/*
 * A rule that demands data begins: an "allOf" member, for which *key is to be
 * used. A collector's string cannot be looked into, so there it is an "else".
 * Returns how many objects are to be closed.
 */
unsigned int
sch_begin(struct sch *s, const char **key, enum val_field data)
{
	unsigned int n;

	*key = NULL;
	if (s->cfg->profile != VAL_AT_EXPORT)
		return 0;
	sch_open(s, NULL);
	sch_open(s, "if");
	n = sch_present(s, data, VAL_E02);
	hsa_jw_text(&s->w, "type", "string");
	sch_close(s, n + 1);
	*key = "else";
	return 1;
}

/* A rule for successes only, open in "then". */
void
sch_when_success(struct sch *s, const char *key, enum val_check c)
{
	sch_open(s, key);
	sch_ref(s, "if", "succeeded");
	sch_check(s, "then", c, "object");
}

/* ---- severity ------------------------------------------------------------ */

static void
severity_is(struct sch *s, const char *key, const char *severity)
{
	unsigned int n;

	sch_open(s, key);
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_SEVERITY);
	sch_guard(s, VAL_E14, "string");
	hsa_jw_text(&s->w, "const", severity);
	sch_close(s, n + 2);
}

/* A failure with a status that decides severity (NULL: any). */
static void
failed_with(struct sch *s, const char *key, const struct hsa_action_row *row,
    const char *severity)
{
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	const char *got;
	uint32_t code;
	unsigned int n;

	sch_open(s, key);
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	sch_open(s, NULL);
	hsa_jw_text(&s->w, "$ref", "#/$defs/failed");
	sch_close(s, 1);
	sch_open(s, NULL);
	n = sch_present(s, VAL_F_REASON_CODE, VAL_E02);
	hsa_jw_array(&s->w, "enum");
	for (code = 1; code < 1000; code++) {
		got = hsa_severity(row, code, &rule);
		if (rule == HSA_SEVERITY_STATUS &&
		    (severity == NULL || strcmp(got, severity) == 0))
			hsa_jw_uint(&s->w, NULL, code);
	}
	hsa_jw_end(&s->w);
	sch_close(s, n + 1);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
}

void
sch_severities(struct sch *s)
{
	static const char *const severities[] = {"warning", "critical"};
	const struct hsa_action_row *row;
	size_t n, i;

	row = hsa_catalogue(&n);
	while (sch_is_tke(row))
		row++;

	failed_with(s, "failedAsListed", row, NULL);
	sch_open(s, "severityByStatus");
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	for (i = 0; i < 2; i++) {
		sch_open(s, NULL);
		failed_with(s, "if", row, severities[i]);
		severity_is(s, "then", severities[i]);
		sch_close(s, 1);
	}
	hsa_jw_end(&s->w);
	sch_close(s, 1);
}

static void
severity(struct sch *s, const struct hsa_action_row *row)
{
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	const char *want = hsa_severity(row, 200, &rule);
	unsigned int n;

	if (rule == HSA_SEVERITY_TKE) {
		severity_is(s, NULL, want);
		return;
	}
	sch_open(s, NULL);
	sch_ref(s, "if", "failedAsListed");
	sch_ref(s, "then", "severityByStatus");
	severity_is(s, "else", want);
	sch_close(s, 1);
	if (rule != HSA_SEVERITY_FALLBACK || !sch_wants(s, VAL_W01))
		return;
	sch_open(s, NULL);
	sch_ref(s, "if", "failedAsListed");
	sch_open(s, "else");
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_SEVERITY);
	hsa_jw_text(&s->w, "description", "the document gives none");
	sch_never(s, VAL_W01, "string");
	sch_close(s, n + 2);
}

/* ---- outcome ------------------------------------------------------------- */

static void
plain_success(struct sch *s)
{
	unsigned int n;

	sch_when_success(s, NULL, VAL_E06);
	n = sch_present(s, VAL_F_REASON_TYPE, VAL_E06);
	hsa_jw_text(&s->w, "$comment", "E06");
	hsa_jw_text(&s->w, "const", "OK");
	sch_close(s, n + 2);
	sch_open(s, NULL);
	sch_ref(s, "if", "succeeded");
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_REASON_CODE);
	/* another success; what is none is E05's */
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "integer");
	sch_codes(s, VAL_OUTCOME_SUCCESS);
	sch_close(s, 1);
	sch_check(s, "then", VAL_E06, NULL);
	hsa_jw_int(&s->w, "const", 200);
	sch_close(s, n + 3);
}

static void
correlation(struct sch *s)
{
	unsigned int n;

	sch_check(s, NULL, VAL_E21, "object");
	n = sch_present(s, VAL_F_CORRELATION, VAL_E21);
	hsa_jw_text(&s->w, "$comment", "E21");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_int(&s->w, "minLength", 1);
	sch_close(s, n + 1);
}

/* ---- Trusted Key Entry --------------------------------------------------- */

static void
why_500(struct sch *s)
{
	unsigned int n;

	sch_open(s, NULL);
	sch_open(s, "if");
	hsa_jw_array(&s->w, "allOf");
	sch_open(s, NULL);
	hsa_jw_text(&s->w, "$ref", "#/$defs/failed");
	sch_close(s, 1);
	sch_open(s, NULL);
	n = sch_present(s, VAL_F_REASON_CODE, VAL_E02);
	hsa_jw_int(&s->w, "const", 500);
	sch_close(s, n + 1);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
	sch_check(s, "then", VAL_E07, "object");
	n = sch_present(s, VAL_F_REASON_FAILURE, VAL_E07);
	hsa_jw_text(&s->w, "$comment", "E07");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_int(&s->w, "minLength", 1);
	sch_close(s, n + 2);
}

/* "requestData":{"if":{object},"then":{"type":"object" - to be closed by n. */
unsigned int
sch_within(struct sch *s, enum val_field data)
{
	unsigned int n = sch_field(s, data);

	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "object");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	return n + 1;
}

static void
location(struct sch *s)
{
	unsigned int n, outer;
	const char *key;

	sch_open(s, NULL);
	n = sch_field(s, VAL_F_CORRELATION);
	sch_never(s, VAL_E08, "string");
	sch_close(s, n + 1);
	outer = sch_begin(s, &key, VAL_F_REQUEST);
	sch_check(s, key, VAL_E08, "object");
	n = sch_present(s, VAL_F_REQUEST, VAL_E08);
	hsa_jw_text(&s->w, "$comment", "E08");
	hsa_jw_text(&s->w, "type", "object");
	sch_required(s, "location");
	sch_open(s, "properties");
	sch_check(s, "location", VAL_E08, "string");
	hsa_jw_text(&s->w, "description", hsa_field_type("location")->form);
	hsa_jw_text(&s->w, "pattern", hsa_field_type("location")->pattern);
	sch_close(s, n + 3 + outer);
}

/* The region of a location is that of the log's CRN. */
static void
regions(struct sch *s)
{
	char expression[96];
	unsigned int n;
	size_t i;

	for (i = 0; val_regions[i] != NULL; i++) {
		sch_open(s, NULL);
		sch_open(s, "if");
		sch_required(s, "logSourceCRN");
		sch_open(s, "properties");
		sch_open(s, "logSourceCRN");
		hsa_jw_text(&s->w, "type", "string");
		hsa_jw_array(&s->w, "allOf");
		sch_open(s, NULL);
		hsa_jw_text(&s->w, "pattern", VAL_PATTERN_CRN);
		sch_close(s, 1);
		sch_open(s, NULL);
		(void)snprintf(expression, sizeof(expression),
		    VAL_PATTERN_CRN_HEAD "%s:", val_regions[i]);
		hsa_jw_text(&s->w, "pattern", expression);
		sch_close(s, 1);
		hsa_jw_end(&s->w);
		sch_close(s, 3);
		sch_open(s, "then");
		hsa_jw_text(&s->w, "type", "object");
		n = sch_within(s, VAL_F_REQUEST);
		sch_open(s, "properties");
		sch_open(s, "location");
		/* what has another form is E08's */
		sch_open(s, "if");
		hsa_jw_text(&s->w, "type", "string");
		hsa_jw_text(
		    &s->w, "pattern", hsa_field_type("location")->pattern);
		sch_close(s, 1);
		sch_check(s, "then", VAL_E24, "string");
		(void)snprintf(expression, sizeof(expression), "^\\[%s\\]",
		    val_regions[i]);
		hsa_jw_text(&s->w, "pattern", expression);
		sch_close(s, n + 5);
	}
}

static void
thresholds(struct sch *s)
{
	static const enum val_field data[] = {VAL_F_REQUEST, VAL_F_RESPONSE};
	unsigned int n;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		sch_open(s, NULL);
		sch_ref(s, "if", "succeeded");
		sch_open(s, "then");
		hsa_jw_text(&s->w, "type", "object");
		n = sch_within(s, data[i]);
		sch_open(s, "properties");
		for (k = 0; val_thresholds[k] != NULL; k++) {
			sch_open(s, val_thresholds[k]);
			sch_guard(s, VAL_E12, "integer");
			hsa_jw_int(&s->w, "minimum", VAL_THRESHOLD_MIN);
			hsa_jw_int(&s->w, "maximum", VAL_THRESHOLD_MAX);
			sch_close(s, 2);
		}
		sch_open(s, "masterKeyIds");
		sch_guard(s, VAL_E13, "array");
		hsa_jw_int(&s->w, "minItems", VAL_PARTS_MIN);
		hsa_jw_int(&s->w, "maxItems", VAL_PARTS_MAX);
		sch_close(s, n + 5);
	}
}

/* ---- together ------------------------------------------------------------ */

void
sch_action(struct sch *s, const struct hsa_action_row *row)
{
	unsigned int n;

	sch_open(s, row->name);
	hsa_jw_text(&s->w, "title", row->name);
	hsa_jw_text(&s->w, "description", row->description);
	hsa_jw_text(&s->w, "type", "object");
	hsa_jw_array(&s->w, "allOf");
	sch_open(s, NULL);
	n = sch_field(s, VAL_F_TARGET_TYPE);
	sch_guard(s, VAL_E15, "string");
	hsa_jw_text(&s->w, "const", row->type_uri);
	sch_close(s, n + 2);
	severity(s, row);
	if (row->success_is_200)
		plain_success(s);
	if (sch_is_tke(row)) {
		location(s);
		if (sch_wants(s, VAL_E24))
			regions(s);
		thresholds(s);
		why_500(s);
	} else {
		correlation(s);
	}
	sch_data(s, row);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
}
