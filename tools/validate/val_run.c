#include <string.h>

#include "val_cadf.h"
#include "val_rule.h"
#include "val_run.h"

static val_rule *const rules[] = {
    val_rule_action,
    val_rule_time,
    val_rule_outcome,
    val_rule_values,
    val_rule_severity,
    val_rule_message,
    val_rule_data,
    val_rule_tke,
    val_rule_target,
    val_rule_host,
    val_rule_secret,
    val_rule_unit,
};

/* What a collector's export wraps around an event and turns into strings. */
static hsa_rc
unwrap(struct val_run *v)
{
	static const char *const data[] = {"requestData", "responseData"};
	struct val_json *j = &v->json;
	const struct val_node *n;
	hsa_rc rc = HSA_OK;
	size_t i;

	if (j->node[0].kind != VAL_OBJECT)
		return rc;
	n = val_member(j, &j->node[0], "_line");
	if (n != NULL && n->kind == VAL_TEXT &&
	    val_member(j, &j->node[0], "action") == NULL)
		HSA_TRY(rc, val_json_graft(j, 0, (size_t)(n - j->node)));
	for (i = 0; i < 2; i++) {
		n = val_member(j, &j->node[0], data[i]);
		if (n == NULL || n->kind != VAL_TEXT)
			continue;
		HSA_TRY(rc, val_json_graft(j, (size_t)(n - j->node),
				(size_t)(n - j->node)));
	}
out:
	return rc;
}

/* A record as its event, when it is one; what is around it stays v's. */
static void
unwrap_record(struct val_run *v)
{
	bool event = false;

	if (!val_envelope_is(&v->json, &event))
		return;
	v->no_event = !event;
	val_envelope_unwrap(&v->envelope, &v->json, &v->report);
	if (event)
		v->event.envelope = &v->envelope;
}

/* The tree as an event; false: no rule can say anything of it. */
static bool
read_event(struct val_run *v)
{
	const struct val_envelope *envelope = v->event.envelope;

	if (v->json.node[0].kind != VAL_OBJECT) {
		val_rule_json(&v->json, &v->report);
		val_find_at(&v->report, VAL_E01, "", "is no JSON object");
		return false;
	}
	if (v->cfg.profile == VAL_CADF_1_0) {
		val_rule_json(&v->json, &v->report);
		val_cadf_check(&v->cfg, &v->json, &v->report);
		if (val_cadf_map(&v->event, &v->cfg, &v->json)) {
			val_cadf_target(&v->event, &v->report);
			return true;
		}
		val_rule_secret(&v->event, &v->report);
		return false;
	}
	val_event_read(&v->event, &v->report, &v->cfg, &v->json);
	v->event.envelope = envelope;
	val_rule_json(&v->json, &v->report);
	return true;
}

static hsa_rc
check(struct val_run *v, const struct val_text *t)
{
	struct hsa_diag diag = {{0}};
	size_t at = 0, i;
	hsa_rc rc;

	rc = val_json_parse(&v->json, &at, &diag, t->p, t->n);
	if (rc.v == HSA_E_NOMEM)
		return rc;
	if (!hsa_is_ok(rc)) {
		val_find_place(
		    &v->report, VAL_E01, (uint32_t)at, "%s", diag.text);
		val_across_unread(&v->across);
		return HSA_OK;
	}
	if (v->cfg.profile == VAL_AT_EXPORT)
		HSA_TRY(rc, unwrap(v));
	v->event.envelope = t->envelope;
	if (t->envelope == NULL && v->cfg.profile != VAL_CADF_1_0)
		unwrap_record(v);
	if (v->no_event) {
		val_rule_json(&v->json, &v->report);
		if (v->cfg.across)
			rc = val_across_special(
			    &v->across, &v->envelope, &v->report);
		goto out;
	}
	if (!read_event(v))
		goto out;
	/* CADF has a form of time of its own, checked already */
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (v->cfg.profile != VAL_CADF_1_0 || rules[i] != val_rule_time)
			rules[i](&v->event, &v->report);
	if (v->cfg.across)
		rc = val_across_event(&v->across, &v->event, &v->report);
out:
	return rc;
}

hsa_rc
val_run_take(struct val_run *v, const struct val_text *t)
{
	hsa_rc rc = HSA_OK;

	memset(&v->event, 0, sizeof(v->event));
	v->no_event = t->envelope != NULL && t->envelope->special;
	v->report.strict = v->cfg.strict;
	if (t->bad != NULL) {
		val_find_place(&v->report, VAL_E01, 0, "%s", t->bad);
		val_across_unread(&v->across);
	} else if (!v->no_event) {
		HSA_TRY(rc, check(v, t));
	} else if (v->cfg.across) {
		HSA_TRY(rc,
		    val_across_special(&v->across, t->envelope, &v->report));
	}
	if (v->report.nomem)
		rc = HSA_RC(E_NOMEM);
out:
	return rc;
}

hsa_rc
val_run_text(struct val_run *v, const void *p, size_t n)
{
	return val_run_take(v, &(const struct val_text){.p = p, .n = n});
}

hsa_rc
val_run_end(struct val_run *v)
{
	memset(&v->event, 0, sizeof(v->event));
	v->no_event = false;
	if (v->cfg.across)
		val_across_end(&v->across, &v->report);
	return v->report.nomem ? HSA_RC(E_NOMEM) : HSA_OK;
}

void
val_run_free(struct val_run *v)
{
	val_json_free(&v->json);
	val_report_free(&v->report);
	val_across_free(&v->across);
}
