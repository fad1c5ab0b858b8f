/* Rules for every event: JSON, names, time, outcome, values, message. */
#include <string.h>

#include "val_rule.h"
#include "val_time.h"
#include "val_words.h"

void
val_rule_json(const struct val_json *j, struct val_report *r)
{
	static const char *const text[] = {
	    [VAL_FLAW_DUPLICATE] =
		"is there twice; readers disagree about which one counts",
	    [VAL_FLAW_NUMBER] =
		("is an integer beyond 2^53; readers that use doubles get "
		 "another value"),
	    [VAL_FLAW_UTF8] = "is not valid UTF-8",
	    [VAL_FLAW_NUL] = "holds a NUL character; many readers end there",
	};
	size_t i;

	for (i = 0; i < j->flaws; i++)
		val_find(r, VAL_E01, j, &j->node[j->flaw[i].node], "%s",
		    text[j->flaw[i].kind]);
}

/* What was renamed to nothing that a table describes, by either name. */
static const struct val_renamed *
orphan(const char *name)
{
	const struct val_renamed *o;

	for (o = val_orphans; o->old != NULL; o++)
		if (strcmp(o->old, name) == 0 || strcmp(o->now, name) == 0)
			return o;
	return NULL;
}

void
val_rule_action(const struct val_event *e, struct val_report *r)
{
	const struct val_node *n = e->field[VAL_F_ACTION];
	const char *action = val_get(e, VAL_F_ACTION);
	const struct val_renamed *o;

	if (action == NULL)
		return;
	if (e->old_name) {
		val_find(
		    r, VAL_W03, e->json, n, "is now called %s", e->row->name);
		return;
	}
	if (e->row != NULL) {
		if (strcmp(e->row->listed, "table") != 0)
			val_find(r, VAL_W04, e->json, n,
			    "only the severity table names %s", action);
		return;
	}
	o = orphan(action);
	if (o == NULL)
		val_find(r, VAL_E03, e->json, n,
		    "%.120s is no documented action; hsa catalogue lists them",
		    action);
	else if (strcmp(o->old, action) == 0)
		val_find(r, VAL_W03, e->json, n,
		    "is now called %s; nothing more is documented of it",
		    o->now);
	else
		val_find(r, VAL_W04, e->json, n,
		    "only the table of former names names %s", action);
}

/* ---- time ---------------------------------------------------------------- */

static bool
time_fits(const char *s, bool strict)
{
	struct hsa_time t;

	if (!val_time_read(&t, s) || (strict && t.fraction != 2))
		return false;
	return strcmp(t.offset, "+0000") == 0 ||
	       (!strict && (strcmp(t.offset, "Z") == 0 ||
			       strcmp(t.offset, "+00:00") == 0));
}

void
val_rule_time(const struct val_event *e, struct val_report *r)
{
	const char *s = val_get(e, VAL_F_EVENT_TIME);

	if (s != NULL && !time_fits(s, e->cfg->strict))
		val_find(r, VAL_E04, e->json, e->field[VAL_F_EVENT_TIME],
		    "%.60s is not of the form 2025-11-22T10:42:07.31+0000%s", s,
		    e->cfg->strict ? "" : " (nor another UTC time)");
}

/* ---- outcome ------------------------------------------------------------- */

static void
reason_type(const struct val_event *e, struct val_report *r)
{
	const struct hsa_status_row *st =
	    e->has_code && e->code > 0 && e->code < 1000
		? hsa_status((uint32_t)e->code)
		: NULL;
	const struct val_node *n = e->field[VAL_F_REASON_TYPE];

	if (n != NULL && st != NULL && !val_is(e->json, n, st->phrase))
		val_find(r, VAL_W06, e->json, n, "%lld is \"%s\"",
		    (long long)e->code, st->phrase);
}

static void
failure(const struct val_event *e, struct val_report *r)
{
	const char *type = val_get(e, VAL_F_REASON_TYPE);
	const char *why = val_get(e, VAL_F_REASON_FAILURE);

	if (type == NULL || type[0] == '\0')
		val_find_at(r, VAL_E07, "reason.reasonType",
		    "a failure says here which kind it is, for instance "
		    "\"Conflict\"");
	if (e->tke && e->code == 500 && (why == NULL || why[0] == '\0'))
		val_find_at(r, VAL_E07, "reason.reasonForFailure",
		    "a Trusted Key Entry failure with code 500 says why");
}

void
val_rule_outcome(const struct val_event *e, struct val_report *r)
{
	const struct val_node *type = e->field[VAL_F_REASON_TYPE];

	if (e->has_code && !val_outcome_fits(e->outcome, e->code))
		val_find(r, VAL_E05, e->json, e->field[VAL_F_REASON_CODE],
		    "%lld does not go with outcome %s", (long long)e->code,
		    val_get(e, VAL_F_OUTCOME));
	if (e->field[VAL_F_REASON_CODE] != NULL && !e->has_code)
		val_find(r, VAL_E05, e->json, e->field[VAL_F_REASON_CODE],
		    "is no HTTP status");
	if (e->outcome == VAL_OUTCOME_SUCCESS && e->row != NULL &&
	    e->row->success_is_200) {
		if (e->has_code && val_outcome_fits(e->outcome, e->code) &&
		    e->code != 200)
			val_find(r, VAL_E06, e->json,
			    e->field[VAL_F_REASON_CODE],
			    "a success of this action is exactly 200");
		if (!val_is(e->json, type, "OK"))
			val_find_at(r, VAL_E06, "reason.reasonType",
			    "a success of this action has \"OK\" here");
	} else {
		reason_type(e, r);
	}
	if (e->outcome == VAL_OUTCOME_FAILURE)
		failure(e, r);
}

/* ---- documented values --------------------------------------------------- */

static bool
listed(const char *s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

void
val_rule_values(const struct val_event *e, struct val_report *r)
{
	size_t n, i;
	const struct val_values *set = val_values(&n);
	const char *s;

	for (i = 0; i < n; i++) {
		s = val_get(e, set[i].field);
		if (s != NULL && !listed(s, set[i].list))
			val_find(r, VAL_E25, e->json, e->field[set[i].field],
			    "%.60s is not documented: %s", s, set[i].text);
	}
}

/* ---- severity and message ------------------------------------------------ */

void
val_rule_severity(const struct val_event *e, struct val_report *r)
{
	static const char *const who[] = {
	    [HSA_SEVERITY_TKE] = "every Trusted Key Entry event is",
	    [HSA_SEVERITY_STATUS] = "Table 21 has it so for the status",
	    [HSA_SEVERITY_ACTION] = "Table 20 has it so for the action",
	    [HSA_SEVERITY_FALLBACK] = "the verb of the action decides",
	};
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	const char *want, *s = val_get(e, VAL_F_SEVERITY);
	uint32_t status = 200;

	if (e->row == NULL || s == NULL)
		return;
	if (e->outcome == VAL_OUTCOME_FAILURE && e->has_code && e->code > 0 &&
	    e->code < 1000)
		status = (uint32_t)e->code;
	want = hsa_severity(e->row, status, &rule);
	if (rule == HSA_SEVERITY_FALLBACK)
		val_find(r, VAL_W01, e->json, e->field[VAL_F_SEVERITY],
		    "the document gives no severity for %s: by its verb it "
		    "is %s",
		    e->row->name, want);
	if (strcmp(s, want) != 0)
		val_find(r, VAL_E14, e->json, e->field[VAL_F_SEVERITY],
		    "%.40s should be %s: %s", s, want, who[rule]);
}

void
val_rule_message(const struct val_event *e, struct val_report *r)
{
	const struct val_node *n = e->field[VAL_F_MESSAGE];
	const char *s = val_get(e, VAL_F_MESSAGE);

	if (s == NULL)
		return;
	if (strncmp(s, VAL_SERVICE, sizeof(VAL_SERVICE) - 1) != 0 ||
	    s[sizeof(VAL_SERVICE) - 1] == '\0')
		val_find(r, VAL_W02, e->json, n,
		    "should begin \"" VAL_SERVICE
		    "\" and go on with what happened");
	else if (e->outcome == VAL_OUTCOME_FAILURE &&
		 strstr(s, "failure") == NULL)
		val_find(
		    r, VAL_W02, e->json, n, "should say -failure at its end");
}
