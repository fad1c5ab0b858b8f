/* Explanations: of every action, every check, every event of the corpus, true
 * to the tables and to the verdict of the validator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>

#include "helper_proto.h"
#include "val_corpus.h"
#include "val_explain.h"

static const char *
str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

/* ---- actions ------------------------------------------------------------- */

static size_t
count_fields(const char *list)
{
	struct hsa_field_spec f;
	size_t at = 0, n = 0;

	while (hsa_field_spec_next(list, &at, &f))
		n++;
	return n;
}

static void
test_val_explain__every_action_as_the_tables_have_it(void **state)
{
	static const json_int_t table21[] = {
	    400, 401, 403, 409, 424, 500, 502, 503, 504, 505, 507};
	const struct hsa_action_row *row;
	struct hsa_buf b = {0};
	size_t n, i, k, seen;

	(void)state;
	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++) {
		const json_t *list, *f;
		json_t *j = NULL;

		assert_ok(val_explain_action(&j, &row[i], row[i].name));
		assert_string_equal(str(j, "action"), row[i].name);
		assert_string_equal(str(j, "typeURI"), row[i].type_uri);
		assert_string_equal(
		    str(json_object_get(j, "success"), "severity"),
		    row[i].severity);
		assert_int_equal(
		    json_array_size(json_object_get(j, "requestData")),
		    count_fields(row[i].request_data));
		assert_int_equal(
		    json_array_size(json_object_get(j, "responseData")),
		    count_fields(row[i].response_data));
		/* each status of Table 21, in order, others between */
		list = json_object_get(j, "failures");
		seen = 0;
		json_array_foreach(list, k, f)
		{
			json_int_t code =
			    json_integer_value(json_object_get(f, "status"));

			assert_string_equal(str(f, "severity"),
			    hsa_severity(&row[i], (uint32_t)code, NULL));
			if (seen < 11 && code == table21[seen])
				seen++;
			else
				assert_int_equal(code, 408);
		}
		assert_int_equal(seen, 11);
		assert_true(
		    json_array_size(json_object_get(j, "document")) >= 1);
		hsa_buf_reset(&b);
		val_explain_action_text(&b, j);
		assert_ok(hsa_buf_rc(&b));
		assert_non_null(strstr(hsa_buf_cstr(&b), row[i].type_uri));
		json_decref(j);
	}
	hsa_buf_free(&b);
}

static void
test_val_explain__says_what_the_document_says_of_a_status(void **state)
{
	static const struct {
		enum hsa_action action;
		json_int_t status;
		size_t meanings;
		const char *word;
	} set[] = {
	    {HSA_ACTION_SECRETS_DELETE, 409, 3, "preventKeyDeletion"},
	    {HSA_ACTION_SECRETS_DELETE, 408, 1, "4 hours"},
	    {HSA_ACTION_SECRETS_ROTATE, 409, 1, "adopting service"},
	    {HSA_ACTION_SECRETS_CREATE, 409, 0, ""},
	    {HSA_ACTION_SECRETS_CREATE, 401, 1, "role"},
	    {HSA_ACTION_EP11_USE, 401, 1, "role"},
	    {HSA_ACTION_TKE_RESET, 401, 1, "access token"},
	    {HSA_ACTION_TKE_RESET, 403, 1, "access token"},
	    {HSA_ACTION_TKE_RESET, 400, 1, "not supported"},
	    {HSA_ACTION_TKE_RESET, 500, 1, "reasonForFailure"},
	    {HSA_ACTION_SECRETS_CREATE, 500, 0, ""},
	};
	const json_t *list, *f, *m;
	json_t *j = NULL;
	size_t i, k;
	bool found;

	(void)state;
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		const struct hsa_action_row *row =
		    hsa_catalogue_by_code(set[i].action);

		assert_ok(val_explain_action(&j, row, row->name));
		list = json_object_get(j, "failures");
		found = false;
		json_array_foreach(list, k, f)
		{
			if (json_integer_value(json_object_get(f, "status")) !=
			    set[i].status)
				continue;
			found = true;
			m = json_object_get(f, "meanings");
			assert_int_equal(json_array_size(m), set[i].meanings);
			if (set[i].meanings > 0)
				assert_non_null(
				    strstr(str(json_array_get(m, 0), "meaning"),
					set[i].word));
		}
		assert_true(found);
		json_decref(j);
	}
}

/* ---- checks -------------------------------------------------------------- */

static void
test_val_explain__every_check_with_examples_that_it_finds(void **state)
{
	struct hsa_diag diag = {{0}};
	struct hsa_buf b = {0};
	const json_t *list, *x;
	size_t c, i, examples = 0;
	json_t *j = NULL;

	(void)state;
	for (c = 0; c < VAL_CHECKS; c++) {
		assert_ok(val_explain_check(&j, (enum val_check)c, &diag));
		assert_string_equal(
		    str(j, "check"), val_check_row((enum val_check)c)->id);
		list = json_object_get(j, "examples");
		json_array_foreach(list, i, x)
		{
			assert_true(json_array_size(
					json_object_get(x, "findings")) > 0);
			assert_true(str(x, "fix")[0] != '\0');
			examples++;
		}
		hsa_buf_reset(&b);
		val_explain_check_text(&b, j);
		assert_non_null(strstr(hsa_buf_cstr(&b), "level"));
		json_decref(j);
	}
	assert_true(examples >= 90);
	hsa_buf_free(&b);
}

static void
test_val_explain__says_of_every_check_what_it_looks_at(void **state)
{
	static const enum val_check looks[] = {
#define VAL_LOOK(CHECK, scope, members) VAL_##CHECK,
#include "val_look.def"
#undef VAL_LOOK
	};
	size_t n = sizeof(looks) / sizeof(looks[0]), i;
	bool has[VAL_CHECKS] = {false};

	(void)state;
	for (i = 0; i < n; i++)
		has[looks[i]] = true;
	for (i = 0; i < VAL_CHECKS; i++)
		if (!has[i])
			fail_msg("%s has no row in val_look.def",
			    val_check_row((enum val_check)i)->id);
}

/* ---- events -------------------------------------------------------------- */

struct job {
	struct val_run run;
	struct val_units units; /* by their number */
	json_t *found;
	size_t ends;
	unsigned int errors, warnings, events, steps;
};

static void
take(void *ctx, const struct val_finding *f)
{
	struct job *j = ctx;

	if (f->level == VAL_LEVEL_ERROR)
		j->errors++;
	else
		j->warnings++;
	assert_int_equal(
	    json_array_append_new(
		j->found, json_pack("{s:s,s:s,s:s,s:s}", "check",
			      val_check_row(f->check)->id, "level",
			      f->level == VAL_LEVEL_ERROR ? "error" : "warning",
			      "path", f->path, "message", f->message)),
	    0);
}

/* With the findings a check has its verdict; without, it is not skipped: that
 * a check is not about an event is never said of one in which it finds
 * something. */
static void
explained(struct job *j, const struct val_corpus_item *i)
{
	json_t *with = NULL, *without = NULL, *none = json_array();
	const struct val_envelope *v =
	    j->run.no_event ? &j->run.envelope : j->run.event.envelope;
	const json_t *s, *t;
	struct hsa_buf b = {0};
	size_t c, n;

	assert_ok(val_explain_event(&with, &j->run, v, j->found));
	assert_ok(val_explain_event(&without, &j->run, v, none));
	assert_int_equal(
	    json_integer_value(json_object_get(with, "errors")), j->errors);
	assert_string_equal(
	    str(with, "verdict"), j->errors > 0 ? "error" : "passed");
	n = json_array_size(json_object_get(with, "steps"));
	assert_int_equal(n, VAL_CHECKS);
	for (c = 0; c < n; c++) {
		s = json_array_get(json_object_get(with, "steps"), c);
		t = json_array_get(json_object_get(without, "steps"), c);
		if (json_array_size(json_object_get(s, "findings")) == 0) {
			assert_string_equal(
			    str(s, "verdict"), str(t, "verdict"));
		} else {
			if (strcmp(str(t, "verdict"), "passed") != 0)
				fail_msg("%s: %s finds something, but is %s: "
					 "%s",
				    i->file, str(s, "check"), str(t, "verdict"),
				    str(t, "because"));
			assert_true(str(s, "why")[0] != '\0');
		}
		j->steps++;
	}
	val_explain_event_text(&b, with, false);
	assert_ok(hsa_buf_rc(&b));
	assert_non_null(strstr(hsa_buf_cstr(&b), "=> "));
	hsa_buf_free(&b);
	json_decref(with);
	json_decref(without);
	json_decref(none);
}

/* What shows at the end only is told of those checks alone. */
static void
ends(struct job *j)
{
	json_t *e = NULL;
	size_t k, n = 0;
	const json_t *s;

	j->found = json_array();
	assert_ok(val_run_end(&j->run));
	assert_ok(val_explain_end(&e, &j->run, j->found));
	json_array_foreach(json_object_get(e, "steps"), k, s) n +=
	    json_array_size(json_object_get(s, "findings"));
	assert_int_equal(n, json_array_size(j->found));
	j->ends += n;
	json_decref(e);
	json_decref(j->found);
	j->found = NULL;
}

static hsa_rc
one(void *ctx, const struct val_corpus_item *i)
{
	const char *at = (const char *)i->text.p, *end = at + i->text.len;
	bool lines = strstr(i->file, ".jsonl") != NULL;
	struct job *j = ctx;
	const char *stop;

	j->run.cfg = (struct val_config){
	    .profile = i->profile, .strict = i->strict, .across = true};
	val_across_free(&j->run.across);
	j->units.n = i->units;
	j->run.across.fan.units = i->units == 0 ? NULL : &j->units;
	for (; at < end; at = stop + 1) {
		stop = lines ? memchr(at, '\n', (size_t)(end - at)) : end;
		assert_non_null(stop);
		j->found = json_array();
		j->errors = j->warnings = 0;
		assert_ok(val_run_text(&j->run, at, (size_t)(stop - at)));
		if (!j->run.no_event || json_array_size(j->found) > 0)
			explained(j, i);
		j->events++;
		json_decref(j->found);
		j->found = NULL;
	}
	ends(j);
	return HSA_OK;
}

static void
test_val_explain__every_event_of_the_corpus_to_its_verdict(void **state)
{
	struct job *j = calloc(1, sizeof(*j));
	struct hsa_diag diag = {{0}};

	(void)state;
	assert_non_null(j);
	j->run.report.take = take;
	j->run.report.ctx = j;
	assert_ok(val_corpus_each(one, j, &diag));
	print_message("COUNT events of the corpus explained: %u, in %u steps\n",
	    j->events, j->steps);
	assert_true(j->events > 1500);
	assert_true(j->ends > 0); /* E19 */
	val_run_free(&j->run);
	free(j);
}

static void
test_val_explain__shows_nothing_that_a_terminal_obeys(void **state)
{
	static const char text[] =
	    "{\"action\":\"\\u001b[31m\",\"outcome\":\"\\u0007\xff\","
	    "\"reason\":{\"reasonCode\":99999999999999999999999}}";
	struct job *j = calloc(1, sizeof(*j));
	struct hsa_buf b = {0};
	json_t *e = NULL;
	size_t i;

	(void)state;
	assert_non_null(j);
	j->run.report.take = take;
	j->run.report.ctx = j;
	j->run.cfg = (struct val_config){.profile = VAL_IBM_AT, .strict = true};
	j->found = json_array();
	assert_ok(val_run_text(&j->run, text, sizeof(text) - 1));
	assert_ok(val_explain_event(&e, &j->run, NULL, j->found));
	val_explain_event_text(&b, e, false);
	assert_ok(hsa_buf_rc(&b));
	for (i = 0; i < b.len; i++)
		assert_true(
		    b.p[i] == '\n' || (b.p[i] >= ' ' && b.p[i] != 0x7f));
	hsa_buf_free(&b);
	json_decref(e);
	json_decref(j->found);
	val_run_free(&j->run);
	free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_explain__every_action_as_the_tables_have_it),
	    cmocka_unit_test(
		test_val_explain__says_what_the_document_says_of_a_status),
	    cmocka_unit_test(
		test_val_explain__every_check_with_examples_that_it_finds),
	    cmocka_unit_test(
		test_val_explain__says_of_every_check_what_it_looks_at),
	    cmocka_unit_test(
		test_val_explain__every_event_of_the_corpus_to_its_verdict),
	    cmocka_unit_test(
		test_val_explain__shows_nothing_that_a_terminal_obeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
