#include <string.h>

#include "hsa_buf.h"
#include "hsa_field_type.h"
#include "val_answer.h"
#include "val_corpus.h"
#include "val_explain.h"
#include "val_section.h"
#include "val_tree.h"

static bool
is_listed(const struct hsa_action_row *row)
{
	return strcmp(row->listed, "table") == 0;
}

/* ---- an action ----------------------------------------------------------- */

static const char *
decided(enum hsa_severity_rule rule)
{
	static const char *const who[] = {
	    [HSA_SEVERITY_TKE] = "every Trusted Key Entry event is critical",
	    [HSA_SEVERITY_STATUS] = "Table 21 has the status",
	    [HSA_SEVERITY_ACTION] = "Table 20 has the action",
	    [HSA_SEVERITY_FALLBACK] =
		"no table has it; the verb of the action decides",
	};

	return who[rule];
}

static json_t *
severity(const struct hsa_action_row *row, uint32_t status)
{
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	const char *s = hsa_severity(row, status, &rule);

	return json_pack("{s:s,s:s}", "severity", s, "because", decided(rule));
}

static json_t *
places(const struct hsa_action_row *row, hsa_rc *rc)
{
	const struct val_family *f = val_family(row);
	json_t *to = json_array();
	const char *heading;
	size_t at = 0;

	if (is_listed(row))
		val_tree_add(
		    to, json_sprintf("Table %u. %s", f->table, f->title), rc);
	if (f->section != NULL && is_listed(row))
		val_tree_add(to, json_string(f->section), rc);
	while ((heading = val_section_next(row, &at)) != NULL)
		val_tree_add(to, json_string(heading), rc);
	if (f->success_table != 0)
		val_tree_add(to,
		    json_sprintf(
			"Table %u, values of a success", f->success_table),
		    rc);
	val_tree_add(to, json_string("Table 13, common fields"), rc);
	if (strcmp(row->severity_source, "seed") == 0)
		val_tree_add(
		    to, json_string("Table 20, severity by action"), rc);
	if (strcmp(row->severity_source, "typo-fixed") == 0)
		val_tree_add(to,
		    json_string("Table 20, severity by action, where a slip "
				"stands for it"),
		    rc);
	if (row->old_name[0] != '\0')
		val_tree_add(to, json_string("Table 1, former names"), rc);
	return to;
}

static json_t *
members(const char *list, hsa_rc *rc)
{
	const struct hsa_field_type *t;
	json_t *to = json_array();
	struct hsa_field_spec f;
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &f)) {
		t = hsa_field_type(f.type);
		val_tree_add(to,
		    json_pack("{s:s,s:s,s:s,s:b}", "name", f.name, "type",
			f.type, "form", t == NULL ? "" : t->form, "optional",
			(int)f.optional),
		    rc);
	}
	return to;
}

static json_t *
meanings(const struct hsa_action_row *row, uint32_t status, hsa_rc *rc)
{
	const struct val_answer_row *a;
	json_t *to = json_array();
	size_t at = 0;

	while ((a = val_answer_next(row, status, &at)) != NULL)
		val_tree_add(to,
		    json_pack("{s:s,s:s,s:s}", "meaning", a->meaning, "advice",
			a->advice, "section", a->section),
		    rc);
	return to;
}

/* What Table 21 or a text of the document has; other statuses go by the
 * action. */
static json_t *
failures(const struct hsa_action_row *row, hsa_rc *rc)
{
	json_t *to = json_array(), *one;
	const struct hsa_status_row *st;

	for (uint32_t code = 400; code < 600; code++) {
		size_t at = 0;

		st = hsa_status(code);
		if (st == NULL || (st->severity[0] == '\0' &&
				      val_answer_next(row, code, &at) == NULL))
			continue;
		one = severity(row, code);
		val_tree_put(one, "status", json_integer(code), rc);
		val_tree_put(one, "reasonType", json_string(st->phrase), rc);
		val_tree_put(one, "meanings", meanings(row, code, rc), rc);
		val_tree_add(to, one, rc);
	}
	return to;
}

static json_t *
success(const struct hsa_action_row *row, hsa_rc *rc)
{
	json_t *to = severity(row, 200);

	val_tree_put(to, "outcome", json_string("success"), rc);
	val_tree_put(to, "reasonCode",
	    json_string(row->success_is_200 ? "200" : "2xx"), rc);
	val_tree_put(to, "reasonType",
	    json_string(row->success_is_200 ? "OK" : "the phrase of HTTP"), rc);
	val_tree_put(to, "meanings", meanings(row, 200, rc), rc);
	return to;
}

static json_t *
initiator(const struct hsa_action_row *row)
{
	if (strcmp(row->family, "kmip") == 0)
		return json_string(
		    "a vCenter Server, CertificateID-<fingerprint of its TLS "
		    "certificate>; its address is never shown");
	return json_string("the address of its host is not shown for "
			   "requests through private networks");
}

hsa_rc
val_explain_action(
    json_t **to, const struct hsa_action_row *row, const char *asked)
{
	json_t *j = json_object();
	hsa_rc rc = HSA_OK;

	val_tree_put(j, "action", json_string(row->name), &rc);
	if (strcmp(asked, row->name) != 0 && strcmp(asked, row->old_name) == 0)
		val_tree_put(j, "askedBy", json_string(asked), &rc);
	if (row->old_name[0] != '\0')
		val_tree_put(j, "formerName", json_string(row->old_name), &rc);
	val_tree_put(j, "description", json_string(row->description), &rc);
	val_tree_put(j, "family", json_string(row->family), &rc);
	val_tree_put(j, "listed", json_boolean(is_listed(row)), &rc);
	val_tree_put(j, "document", places(row, &rc), &rc);
	val_tree_put(j, "typeURI", json_string(row->type_uri), &rc);
	val_tree_put(j, "typeURISource",
	    json_string(strcmp(row->type_uri_source, "seed") == 0
			    ? "the document"
			    : "by analogy"),
	    &rc);
	val_tree_put(j, "dataEvent", json_boolean(row->data_event), &rc);
	val_tree_put(j, "correlationId",
	    json_string(row->correlation == HSA_CORRELATION_REQUIRED
			    ? "required"
			    : "never"),
	    &rc);
	val_tree_put(j, "initiator", initiator(row), &rc);
	val_tree_put(j, "requestData", members(row->request_data, &rc), &rc);
	val_tree_put(j, "responseData", members(row->response_data, &rc), &rc);
	val_tree_put(j, "success", success(row, &rc), &rc);
	val_tree_put(j, "failures", failures(row, &rc), &rc);
	val_tree_put(j, "otherFailures", severity(row, 404), &rc);
	if (row->notes[0] != '\0')
		val_tree_put(j, "note", json_string(row->notes), &rc);
	*to = j;
	return rc;
}

/* ---- a check ------------------------------------------------------------- */

struct examples {
	enum val_check check;
	struct val_run run;
	struct val_units units; /* by their number */
	json_t *found;          /* of the one at hand */
	json_t *to;
	hsa_rc rc;
};

static void
take(void *ctx, const struct val_finding *f)
{
	struct examples *x = ctx;

	val_tree_add(x->found,
	    json_pack("{s:s,s:s}", "path", f->path, "message", f->message),
	    &x->rc);
}

static hsa_rc
validate(struct examples *x, const struct val_corpus_item *i)
{
	const char *at = (const char *)i->text.p, *end = at + i->text.len;
	bool lines = strstr(i->file, ".jsonl") != NULL;
	const char *stop;
	hsa_rc rc = HSA_OK;

	x->run.cfg = (struct val_config){
	    .profile = i->profile, .strict = i->strict, .across = true};
	x->run.report.take = take;
	x->run.report.ctx = x;
	val_across_free(&x->run.across);
	x->units.n = i->units;
	x->run.across.fan.units = i->units == 0 ? NULL : &x->units;
	for (; at < end; at = stop + 1) {
		stop = lines ? memchr(at, '\n', (size_t)(end - at)) : end;
		if (stop == NULL)
			stop = end;
		HSA_TRY(rc, val_run_text(&x->run, at, (size_t)(stop - at)));
	}
	rc = val_run_end(&x->run);
out:
	return rc;
}

static hsa_rc
example(void *ctx, const struct val_corpus_item *i)
{
	struct examples *x = ctx;
	hsa_rc rc;
	json_t *j;

	if (i->check != x->check)
		return HSA_OK;
	x->found = json_array();
	HSA_TRY(rc, validate(x, i));
	HSA_TRY(rc, x->rc);
	j = json_pack("{s:s,s:s%,s:s,s:b,s:s,s:O}", "file", i->file, "wrong",
	    (const char *)i->note.p, i->note.len, "profile",
	    val_profile_name(i->profile), "strict", (int)i->strict, "fix",
	    i->fix, "findings", x->found);
	val_tree_add(x->to, j, &x->rc);
	rc = x->rc;
out:
	json_decref(x->found);
	x->found = NULL;
	return rc;
}

static const char *
level(enum val_level l)
{
	return l == VAL_LEVEL_ERROR ? "error" : "warning";
}

hsa_rc
val_explain_check(json_t **to, enum val_check check, struct hsa_diag *diag)
{
	const struct val_check_row *c = val_check_row(check);
	struct examples x = {.check = check, .to = json_array()};
	json_t *j = NULL;
	hsa_rc rc;

	HSA_TRY(rc, val_corpus_broken(example, &x, diag));
	j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:O}", "check", c->id, "title",
	    c->title, "why", c->why, "source", c->source, "strict",
	    level(c->strict), "lenient", level(c->lenient), "examples", x.to);
	if (j == NULL)
		rc = HSA_RC(E_NOMEM);
	*to = j;
out:
	val_run_free(&x.run);
	json_decref(x.to);
	return rc;
}
