/* How an event got its verdict: each check, whether it is about this event,
 * what it looked at, what it found. Nothing of it runs during validation; the
 * findings are those that the rules made. */
#include <string.h>

#include "val_explain.h"
#include "val_look.h"
#include "val_tree.h"

/* ---- why it is right ------------------------------------------------------
 */

static const char *
because(const struct val_event *e, enum val_check c)
{
	static const char *const who[] = {
	    [HSA_SEVERITY_TKE] = "every Trusted Key Entry event is critical",
	    [HSA_SEVERITY_STATUS] = "Table 21 has it so for the status",
	    [HSA_SEVERITY_ACTION] = "Table 20 has it so for the action",
	    [HSA_SEVERITY_FALLBACK] = "the verb of the action decides",
	};
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	uint32_t status = 200;

	if (e->row == NULL)
		return NULL;
	if (e->outcome == VAL_OUTCOME_FAILURE && e->has_code && e->code > 0 &&
	    e->code < 1000)
		status = (uint32_t)e->code;
	(void)hsa_severity(e->row, status, &rule);
	switch ((unsigned int)c) {
	case VAL_E14:
	case VAL_W01:
		return who[rule];
	case VAL_E15:
		return strcmp(e->row->type_uri_source, "seed") == 0
			   ? "the document has it so"
			   : "so by analogy with what the document has";
	default:
		return NULL;
	}
}

/* ---- the event ------------------------------------------------------------
 */

static json_t *
step(const struct val_run *run, const struct val_envelope *v,
    const json_t *found, enum val_check c, hsa_rc *rc)
{
	const struct val_check_row *row = val_check_row(c);
	json_t *j = json_object(), *mine = json_array(), *seen = json_array();
	const char *why = val_look_off(run, c), *verdict = "passed";
	json_t *f;
	size_t i;

	json_array_foreach(found, i, f)
	{
		const char *id = json_string_value(json_object_get(f, "check"));

		if (id == NULL || strcmp(id, row->id) != 0)
			continue;
		if (json_array_append(mine, f) != 0)
			*rc = HSA_RC(E_NOMEM);
		verdict = json_string_value(json_object_get(f, "level"));
		why = NULL; /* it found something, so it looked */
	}
	if (why != NULL)
		verdict = "skipped";
	else
		val_look(seen, run, v, c, rc);
	if (why == NULL)
		why = because(&run->event, c);
	val_tree_put(j, "check", json_string(row->id), rc);
	val_tree_put(j, "title", json_string(row->title), rc);
	val_tree_put(j, "verdict", json_string(verdict), rc);
	if (json_array_size(mine) > 0)
		val_tree_put(j, "why", json_string(row->why), rc);
	if (why != NULL)
		val_tree_put(j, "because", json_string(why), rc);
	val_tree_put(j, "looked", seen, rc);
	val_tree_put(j, "findings", mine, rc);
	return j;
}

hsa_rc
val_explain_event(json_t **to, const struct val_run *run,
    const struct val_envelope *envelope, const json_t *found)
{
	const struct val_event *e = &run->event;
	const char *action = e->json == NULL ? NULL : val_get(e, VAL_F_ACTION);
	json_t *j = json_object(), *steps = json_array(), *f;
	unsigned int errors = 0, warnings = 0;
	hsa_rc rc = HSA_OK;
	size_t i;

	val_tree_put(j, "action",
	    val_look_text(action == NULL ? "" : action,
		action == NULL ? 0 : strlen(action)),
	    &rc);
	if (e->row != NULL)
		val_tree_put(
		    j, "description", json_string(e->row->description), &rc);
	json_array_foreach(found, i, f)
	{
		if (strcmp(json_string_value(json_object_get(f, "level")),
			"error") == 0)
			errors++;
		else
			warnings++;
	}
	for (i = 0; i < VAL_CHECKS; i++)
		val_tree_add(steps,
		    step(run, envelope, found, (enum val_check)i, &rc), &rc);
	val_tree_put(j, "steps", steps, &rc);
	val_tree_put(
	    j, "verdict", json_string(errors > 0 ? "error" : "passed"), &rc);
	val_tree_put(j, "errors", json_integer(errors), &rc);
	val_tree_put(j, "warnings", json_integer(warnings), &rc);
	*to = j;
	return rc;
}

hsa_rc
val_explain_end(json_t **to, const struct val_run *run, const json_t *found)
{
	json_t *steps;
	hsa_rc rc;
	size_t i;

	HSA_TRY(rc, val_explain_event(to, run, NULL, found));
	val_tree_put(*to, "end", json_true(), &rc);
	steps = json_object_get(*to, "steps");
	for (i = json_array_size(steps); i > 0; i--)
		if (json_array_size(json_object_get(
			json_array_get(steps, i - 1), "findings")) == 0)
			(void)json_array_remove(steps, i - 1);
out:
	return rc;
}
