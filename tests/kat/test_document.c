/*
 * What the document has in tables is in the corpus. document_tables.tsv was
 * taken from the document itself, apart from catalogue and checks: its Tables
 * 1 to 15 and 18 to 21 (there are no 16 and 17), row by row, with the two
 * slips of its Table 20 read as catalogue-notes 3 does, and the statuses of
 * its section about failed events. catalogue.tsv has its fields by action.
 */
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
#include "val_event.h"

#define TABLES "tests/kat/document_tables.tsv"
#define CATALOGUE "tests/kat/catalogue.tsv"

/* ---- the valid events ---------------------------------------------------- */

struct sample {
	json_t *event;
	const char *action, *outcome, *severity;
	json_int_t status;
	bool former; /* name, W03 */
	const struct hsa_action_row *row;
};

static struct sample sample[2048];
static size_t samples;

static hsa_rc
keep(void *ctx, const struct val_corpus_item *i)
{
	struct sample *s = &sample[samples];

	(void)ctx;
	if (i->check != VAL_CHECKS || i->profile != VAL_IBM_AT ||
	    strstr(i->file, ".jsonl") != NULL)
		return HSA_OK;
	assert_true(samples < sizeof(sample) / sizeof(sample[0]));
	s->event = json_loadb((const char *)i->text.p, i->text.len, 0, NULL);
	assert_int_equal(
	    json_unpack(s->event, "{s:s,s:s,s:s,s:{s:I}}", "action", &s->action,
		"outcome", &s->outcome, "severity", &s->severity, "reason",
		"reasonCode", &s->status),
	    0);
	s->former = strstr(i->warnings, "W03") != NULL;
	s->row = hsa_catalogue_by_name(s->action);
	samples++;
	return HSA_OK;
}

static int
load(void **state)
{
	struct hsa_diag diag = {{0}};

	(void)state;
	return hsa_is_ok(val_corpus_each(keep, NULL, &diag)) ? 0 : -1;
}

static int
unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < samples; i++)
		json_decref(sample[i].event);
	return 0;
}

/* The member, dots for nesting. */
static const json_t *
at(const struct sample *s, const char *path)
{
	const json_t *j = s->event;
	char name[64];
	size_t n;

	for (; j != NULL && *path != '\0'; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		(void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
		j = json_object_get(j, name);
	}
	return j;
}

static bool
is(const struct sample *s, const char *path, const char *value)
{
	const json_t *j = at(s, path);

	return json_is_integer(j)
		   ? json_integer_value(j) == atoll(value)
		   : json_is_string(j) &&
			 strcmp(json_string_value(j), value) == 0;
}

static bool
succeeded(const struct sample *s)
{
	return strcmp(s->outcome, "success") == 0;
}

/* ---- how a row is shown -------------------------------------------------- */

struct row {
	const char *cell[5]; /* table, row, proof, value, read as */
};
enum {
	TABLE,
	ROW,
	PROOF,
	VALUE,
	READ_AS,
	CELLS
};

/* The name of a sample that this row is about, as the corpus has it. */
static bool
about(const struct row *r, const struct sample *s)
{
	const char *name =
	    r->cell[READ_AS][0] != '\0' ? r->cell[READ_AS] : r->cell[ROW];

	return strcmp(name, s->action) == 0;
}

static bool
shows_former(const struct row *r)
{
	const struct hsa_action_row *old =
	    hsa_catalogue_by_old_name(r->cell[ROW]);

	/* of four, only the renaming is known */
	if (old == NULL && hsa_catalogue_by_name(r->cell[VALUE]) != NULL)
		return false;
	if (old != NULL && strcmp(old->name, r->cell[VALUE]) != 0)
		return false;
	for (size_t i = 0; i < samples; i++)
		if (about(r, &sample[i]) && sample[i].former)
			return true;
	return false;
}

static bool
shows_action(const struct row *r)
{
	bool success = false, failure = false;

	for (size_t i = 0; i < samples; i++) {
		if (!about(r, &sample[i]))
			continue;
		success |= succeeded(&sample[i]);
		failure |= !succeeded(&sample[i]);
	}
	return success && failure;
}

static bool
shows_region(const struct row *r)
{
	char part[32];

	(void)snprintf(part, sizeof(part), ":hs-crypto:%s:", r->cell[VALUE]);
	for (size_t i = 0; i < samples; i++)
		if (strstr(json_string_value(at(&sample[i], "logSourceCRN")),
			part) != NULL)
			return true;
	return false;
}

/* Every event has it, but for those that the document says do not. */
static bool
shows_field(const struct row *r)
{
	unsigned int n = 0;
	bool tke;

	for (size_t i = 0; i < samples; i++) {
		const struct sample *s = &sample[i];

		/* Trusted Key Entry says in its own section what it has */
		tke = s->row != NULL && strcmp(s->row->family, "tke") == 0;
		if (strcmp(r->cell[VALUE], "not in TKE") == 0) {
			if ((at(s, r->cell[ROW]) == NULL) != tke)
				return false;
			n++;
		} else if (at(s, r->cell[ROW]) != NULL) {
			n++;
		}
	}
	return n > 900;
}

static bool
shows_success(const struct row *r)
{
	const char *family = r->cell[PROOF] + strlen("success of ");
	unsigned int n = 0;

	for (size_t i = 0; i < samples; i++) {
		if (!succeeded(&sample[i]) || sample[i].row == NULL ||
		    strcmp(sample[i].row->family, family) != 0)
			continue;
		if (!is(&sample[i], r->cell[ROW], r->cell[VALUE]))
			return false;
		n++;
	}
	return n > 0;
}

static bool
shows_severity(const struct row *r)
{
	unsigned int n = 0;

	for (size_t i = 0; i < samples; i++) {
		if (!about(r, &sample[i]) || !succeeded(&sample[i]))
			continue;
		if (strcmp(sample[i].severity, r->cell[VALUE]) != 0)
			return false;
		n++;
	}
	return n > 0;
}

static bool
shows_status(const struct row *r)
{
	const char *whom = r->cell[PROOF] + strlen("severity of ");
	unsigned int n = 0;
	bool tke;

	for (size_t i = 0; i < samples; i++) {
		const struct sample *s = &sample[i];

		if (s->row == NULL || s->status != atoll(r->cell[ROW]))
			continue;
		tke = strcmp(s->row->family, "tke") == 0;
		if (strcmp(whom, "TKE") == 0 && !tke)
			continue;
		if (strcmp(whom, "others") == 0 && tke)
			continue;
		/* "for all TKE events" goes before the table */
		if (strcmp(s->severity, tke && strcmp(whom, "TKE") != 0
					    ? "critical"
					    : r->cell[VALUE]) != 0)
			return false;
		n++;
	}
	return n >= 9;
}

static bool
concerns(const struct row *r, const struct sample *s)
{
	static const char *const lifecycle[] = {"hs-crypto.secrets.delete",
	    "hs-crypto.secrets.disable", "hs-crypto.secrets.enable",
	    "hs-crypto.secrets.restore", "hs-crypto.secrets.rotate"};

	if (strcmp(r->cell[ROW], "*") == 0)
		return true;
	if (strcmp(r->cell[ROW], "tke") == 0)
		return strcmp(s->row->family, "tke") == 0;
	for (size_t i = 0; i < 5 && strcmp(r->cell[ROW], "lifecycle") == 0; i++)
		if (strcmp(lifecycle[i], s->action) == 0)
			return true;
	return about(r, s);
}

/* A status that a text is about: with a reason, and what else it names. */
static bool
shows_failure(const struct row *r)
{
	bool registrations = strstr(r->cell[PROOF], "registrations") != NULL;
	unsigned int n = 0, want = 1;

	if (strcmp(r->cell[ROW], "*") == 0)
		want = 80;
	else if (strcmp(r->cell[ROW], "tke") == 0)
		want = 9;
	else if (registrations)
		want = 5;
	else if (strstr(r->cell[PROOF], "two") != NULL)
		want = 2;
	for (size_t i = 0; i < samples; i++) {
		const struct sample *s = &sample[i];

		if (s->row == NULL || s->status != atoll(r->cell[VALUE]) ||
		    !concerns(r, s))
			continue;
		if (at(s, "reason.reasonForFailure") == NULL || succeeded(s))
			return false;
		n += registrations ? at(s, "responseData.resourceCRN") &&
					 at(s, "responseData.reasonForFailure")
				   : at(s, "responseData") == NULL;
	}
	return n >= want;
}

static bool
shows_value(const struct row *r)
{
	char path[64];
	size_t n = strcspn(r->cell[VALUE], "=");

	(void)snprintf(path, sizeof(path), "%.*s", (int)n, r->cell[VALUE]);
	for (size_t i = 0; i < samples; i++)
		if (about(r, &sample[i]) && succeeded(&sample[i]) &&
		    is(&sample[i], path, r->cell[VALUE] + n + 1))
			return true;
	return false;
}

static bool
shown(const struct row *r)
{
	static const struct {
		const char *proof; /* begins with it */
		bool (*shows)(const struct row *r);
	} all[] = {
	    {"now", shows_former},
	    {"action", shows_action},
	    {"region", shows_region},
	    {"field", shows_field},
	    {"success of ", shows_success},
	    {"success", shows_value},
	    {"severity of ", shows_status},
	    {"severity", shows_severity},
	    {"failure", shows_failure},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(r->cell[PROOF], all[i].proof,
			strlen(all[i].proof)) == 0)
			return all[i].shows(r);
	return false;
}

/* ---- the tests ----------------------------------------------------------- */

/* Cells of a line, which ends them with NULs; false at the end of the file. */
static bool
next(FILE *f, char **line, const char **cell, size_t cells)
{
	size_t cap = 0;
	char *s;

	free(*line);
	*line = NULL;
	if (getline(line, &cap, f) <= 0)
		return false;
	s = *line;
	s[strcspn(s, "\n")] = '\0';
	for (size_t i = 0; i < cells; i++) {
		cell[i] = s;
		s += strcspn(s, "\t");
		assert_int_equal(*s == '\0', i + 1 == cells);
		*s++ = '\0';
	}
	return true;
}

static void
test_document__each_row_of_its_tables_is_in_the_corpus(void **state)
{
	static const unsigned int rows[22] = {9, 19, 23, 4, 6, 3, 2, 9, 8, 6, 9,
	    1, 9, 3, 3, 3, 0, 0, 3, 3, 60, 12};
	unsigned int n[22] = {0};
	FILE *f = fopen(TABLES, "r");
	struct row r;
	char *line = NULL;
	char text[512] = "";
	size_t table, len = 0;

	(void)state;
	assert_non_null(f);
	assert_true(next(f, &line, r.cell, CELLS));
	while (next(f, &line, r.cell, CELLS)) {
		/* 0: the section about failed events */
		table = (size_t)strtoul(r.cell[TABLE], NULL, 10);
		assert_true(table < 22);
		if (!shown(&r))
			fail_msg("Table %s: %s (%s %s) is in no event",
			    r.cell[TABLE], r.cell[ROW], r.cell[PROOF],
			    r.cell[VALUE]);
		n[table]++;
	}
	free(line);
	(void)fclose(f);
	for (table = 1; table < 22; table++) {
		assert_int_equal(n[table], rows[table]);
		if (rows[table] != 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    " %zu:%u", table, n[table]);
	}
	assert_int_equal(n[0], rows[0]);
	print_message("COUNT rows of the document's tables shown by the "
		      "corpus, table:rows%s, failed events:%u\n",
	    text, n[0]);
}

static void
test_document__what_is_not_in_the_corpus_is_missed(void **state)
{
	static const struct row none[] = {
	    {{"1", "hs-crypto.keys.make", "now", "hs-crypto.key.make", ""}},
	    {{"1", "hs-crypto.keyrings.list", "now", "hs-crypto.secrets.list",
		""}},
	    {{"2", "hs-crypto.secrets.invent", "action", "", ""}},
	    {{"12", "us-north", "region", "us-north", ""}},
	    {{"13", "requestData.colour", "field", "", ""}},
	    {{"13", "target.id", "field", "not in TKE", ""}},
	    {{"14", "reason.reasonCode", "success of tke", "201", ""}},
	    {{"14", "outcome", "success of none", "success", ""}},
	    {{"20", "hs-crypto.secrets.list", "severity", "critical", ""}},
	    {{"20", "hs-crypto.secrets.invent", "severity", "normal", ""}},
	    {{"21", "409", "severity of all", "critical", ""}},
	    {{"21", "400", "severity of TKE", "warning", ""}},
	    {{"21", "418", "severity of all", "warning", ""}},
	    {{"failed", "*", "failure", "418", ""}},
	    {{"failed", "hs-crypto.secrets.list", "failure, two texts", "409",
		""}},
	    {{"failed", "hs-crypto.secrets.list", "success",
		"responseData.totalResources=-1", ""}},
	    {{"99", "x", "rumour", "", ""}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (shown(&none[i]))
			fail_msg(
			    "%s %s", none[i].cell[ROW], none[i].cell[PROOF]);
}

/* ---- catalogue.tsv ------------------------------------------------------- */

enum {
	C_ACTION = 0,
	C_TYPE_URI = 4,
	C_SEVERITY = 6,
	C_DATA = 8,
	C_CODE = 9,
	C_CORRELATION = 10,
	C_REQUEST = 11,
	C_RESPONSE = 12,
	C_OLD = 13,
	C_CELLS = 15
};

/* Some event of the action has the member. */
static bool
some_has(const char *action, const char *data, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s.%s", data, name);
	for (size_t i = 0; i < samples; i++)
		if (strcmp(sample[i].action, action) == 0 &&
		    at(&sample[i], path) != NULL)
			return true;
	return false;
}

static unsigned int
fields(const char *action, const char *data, const char *list)
{
	struct hsa_field_spec f;
	unsigned int n = 0;
	size_t k = 0;

	while (hsa_field_spec_next(list, &k, &f)) {
		if (!some_has(action, data, f.name))
			fail_msg(
			    "%s: %s.%s is in no event", action, data, f.name);
		n++;
	}
	return n;
}

static bool
some_is_named(const char *action)
{
	for (size_t i = 0; i < samples; i++)
		if (strcmp(sample[i].action, action) == 0)
			return true;
	return false;
}

static void
success(const struct sample *s, const char *const *cell)
{
	const json_t *data = at(s, "dataEvent");

	assert_string_equal(
	    json_string_value(at(s, "target.typeURI")), cell[C_TYPE_URI]);
	assert_string_equal(s->severity, cell[C_SEVERITY]);
	assert_string_equal(
	    json_is_true(data) ? "true" : "false", cell[C_DATA]);
	assert_true(s->status / 100 == 2);
	if (strcmp(cell[C_CODE], "200") == 0)
		assert_int_equal(s->status, 200);
	assert_string_equal(
	    at(s, "correlationId") == NULL ? "forbidden" : "required",
	    cell[C_CORRELATION]);
}

static void
test_document__each_cell_of_the_catalogue_is_in_the_corpus(void **state)
{
	const char *cell[C_CELLS];
	FILE *f = fopen(CATALOGUE, "r");
	unsigned int rows = 0, members = 0, events = 0, old = 0, n;
	char *line = NULL;

	(void)state;
	assert_non_null(f);
	assert_true(next(f, &line, cell, C_CELLS));
	for (; next(f, &line, cell, C_CELLS); rows++) {
		n = 0;
		for (size_t i = 0; i < samples; i++)
			if (strcmp(sample[i].action, cell[C_ACTION]) == 0 &&
			    succeeded(&sample[i])) {
				success(&sample[i], cell);
				n++;
			}
		if (n == 0)
			fail_msg("%s has no success", cell[C_ACTION]);
		events += n;
		members +=
		    fields(cell[C_ACTION], "requestData", cell[C_REQUEST]);
		members +=
		    fields(cell[C_ACTION], "responseData", cell[C_RESPONSE]);
		if (cell[C_OLD][0] == '\0')
			continue;
		assert_true(some_is_named(cell[C_OLD]));
		old++;
	}
	free(line);
	(void)fclose(f);
	print_message("COUNT catalogue.tsv in the corpus: %u rows by %u "
		      "successes, %u fields, %u former names\n",
	    rows, events, members, old);
	assert_int_equal(rows, 80);
	assert_int_equal(members, 252);
	assert_int_equal(old, 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_document__each_row_of_its_tables_is_in_the_corpus),
	    cmocka_unit_test(
		test_document__what_is_not_in_the_corpus_is_missed),
	    cmocka_unit_test(
		test_document__each_cell_of_the_catalogue_is_in_the_corpus),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
