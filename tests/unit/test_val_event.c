/* One event at a time, beside what the corpus shows (test_val_corpus): faults
 * that several checks find, forms of time, exports, and what is no event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_json.h"
#include "val_run.h"
#include "val_sample.h"

struct found {
	char text[4096]; /* "E02 path; ..." */
	unsigned int errors, warnings;
};

static void
take(void *ctx, const struct val_finding *f)
{
	struct found *o = ctx;
	size_t n = strlen(o->text);

	(void)snprintf(o->text + n, sizeof(o->text) - n, "%s %s; ",
	    val_check_row(f->check)->id, f->path);
	if (f->level == VAL_LEVEL_ERROR)
		o->errors++;
	else
		o->warnings++;
	assert_true(f->message[0] != '\0');
}

static struct val_run run;
static struct found got;

static void
check_as(enum val_profile profile, bool strict, const char *text, size_t n)
{
	memset(&got, 0, sizeof(got));
	run.cfg.profile = profile;
	run.cfg.strict = strict;
	run.report.take = take;
	run.report.ctx = &got;
	assert_ok(val_run_text(&run, text, n));
}

static void
check(const char *text)
{
	check_as(VAL_IBM_AT, true, text, strlen(text));
}

static void
event_text(struct hsa_buf *b, enum hsa_action action, uint32_t status)
{
	struct hsa_diag diag = {{0}};
	struct val_sample s;

	val_sample_init(&s, hsa_catalogue_by_code(action), status);
	assert_ok(val_sample_json(b, &s, &diag));
}

/* ---- one thing wrong ----------------------------------------------------- */

/* In the JSON of a good event of `action` with `status`, `from` becomes `to`.
 */
struct wrong {
	enum hsa_action action;
	uint32_t status;
	const char *from, *to;
	const char *want; /* findings, without those of the good event */
};

#define ADD HSA_ACTION_TKE_ADMIN_ADD
#define CREATE HSA_ACTION_SECRETS_CREATE
/* the first is read, which has next to nothing */
#define TWO_TARGETS                                                            \
	"E01 target.x; E02 target.id; E02 target.name; "                       \
	"E02 target.typeURI; E01 target; "

static void
replace(
    struct hsa_buf *to, const char *text, const char *from, const char *with)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		fail_msg("%s is not in %s", from, text);
	hsa_buf_reset(to);
	hsa_buf_put(to, text, (size_t)(at - text));
	hsa_buf_str(to, with);
	hsa_buf_str(to, at + strlen(from));
	assert_ok(hsa_buf_rc(to));
}

/* What one check finds alone is in the corpus, test_val_corpus. */
static void
test_val_event__one_fault_may_be_one_of_several_checks(void **state)
{
	static const struct wrong set[] = {
	    {ADD, 200, "{\"action\"", "{\"x\":1,\"host\":{},\"action\"",
		"E01 x; E01 host; "},
	    {HSA_ACTION_SECRETS_ALIAS_CREATE, 200,
		"\"action\":\"hs-crypto.secrets-alias.create\"",
		"\"action\":\"hs-crypto.secrets.createalias\"",
		"W03 action; W01 severity; "},
	    {CREATE, 200, "\"reasonCode\":200", "\"reasonCode\":404",
		"E05 reason.reasonCode; W06 reason.reasonType; "},
	    {ADD, 200, "\"adminId\":\"", "\"adminId\":\"AA",
		"E10 requestData.adminId; E11 responseData.adminIds; "},
	    {HSA_ACTION_TKE_REGISTER_ADD, 200, "\"masterKeyIds\":[",
		"\"masterKeyIds\":[],\"x\":[",
		"E13 requestData.masterKeyIds; "},
	    {CREATE, 200, "\"correlationId\":", "\"correlationID\":",
		"E01 correlationID; E21 correlationId; "},
	    {ADD, 200, "\"severity\":\"critical\"", "\"severity\":\"fatal\"",
		"E25 severity; E14 severity; "},
	    /* no more than its prefix counts */
	    {CREATE, 200, "\"severity\":\"normal\"",
		"\"severity\":\"normal\\u0000x\"",
		"E01 severity; E25 severity; E14 severity; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"a\":-1e400,\"b\":9007199254740992.0,",
		"E01 requestData.a; "},
	    /* halves of pairs, alone; pairs, and what only looks like one */
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"a\":\"x\\ud83dx\",\"b\":\"\\uDD11\",",
		"E01 requestData.a; E01 requestData.b; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"a\":\"\\ud83d\\u0041\",\"b\":"
		"\"\\\\ud83d\",",
		"E01 requestData.a; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"\\ud83d\\udd11\":\"\\uD83D\\uDD11\","
		"\"x\":\"\\ud83d\\ud83d\\udd11\",\"\\ud83dx\":1,",
		"E01 requestData.x; E01 requestData.?x; "},
	    /* of two, the first is read, and told of once */
	    {ADD, 200, "\"target\":{", "\"target\":{\"x\":1,\"x\":2,",
		"E01 target.x; E01 target.x; E01 target.x; "},
	    {ADD, 200, "\"dataEvent\"", "\"target\":{\"x\":1},\"dataEvent\"",
		TWO_TARGETS},
	    {ADD, 500, "500,", "500.0,", "E05 reason.reasonCode; "},
	    {CREATE, 200, "\"reasonCode\":200", "\"reasonCode\":208",
		"W06 reason.reasonType; "},
	    {ADD, 200, "\"location\":\"[", "\"location\":\"[us-none].[A B",
		"E08 requestData.location; "},
	};
	struct hsa_buf good = {0}, bad = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		event_text(&good, set[i].action, set[i].status);
		replace(&bad, hsa_buf_cstr(&good), set[i].from, set[i].to);
		check(hsa_buf_cstr(&bad));
		if (strcmp(got.text, set[i].want) != 0)
			fail_msg("%zu: %s -> %s\n%s\nwant %s", i, set[i].from,
			    set[i].to, got.text, set[i].want);
	}
	hsa_buf_free(&good);
	hsa_buf_free(&bad);
}

static void
test_val_event__eventtime_has_one_strict_form_and_some_others(void **state)
{
	static const struct {
		const char *text;
		bool strict, lenient;
	} set[] = {
	    {"2025-11-22T10:42:07.31+0000", true, true},
	    {"2025-11-22T10:42:07.3+0000", false, true},
	    {"2025-11-22T10:42:07+0000", false, true},
	    {"2025-11-22T10:42:07.310000000Z", false, true},
	    {"2025-11-22T10:42:07.3100000000Z", false, false},
	    {"2025-11-22T10:42:07.31Z", false, true},
	    {"2025-11-22T10:42:07.31+00:00", false, true},
	    {"2025-11-22T10:42:07.31+0100", false, false},
	    {"2025-11-22 10:42:07.31+0000", false, false},
	    {"2024-02-29T10:42:07.31+0000", true, true},
	    {"2025-02-29T10:42:07.31+0000", false, false},
	    {"2100-02-29T10:42:07.31+0000", false, false},
	    {"2025-11-31T10:42:07.31+0000", false, false},
	    {"2025-11-22T24:42:07.31+0000", false, false},
	    {"2025-11-22T10:42:60.31+0000", true, true},
	    {"2025-11-22T10:42:61.31+0000", false, false},
	    {"2025-11-22T10:42:07.+0000", false, false},
	    {"", false, false},
	};
	struct hsa_buf good = {0}, bad = {0};
	char from[80], to[80];
	const char *at;
	size_t i;

	(void)state;
	event_text(&good, ADD, 200);
	at = strstr(hsa_buf_cstr(&good), "\"eventTime\":\"");
	assert_non_null(at);
	(void)snprintf(from, sizeof(from), "%.41s", at);
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		(void)snprintf(
		    to, sizeof(to), "\"eventTime\":\"%s\"", set[i].text);
		replace(&bad, hsa_buf_cstr(&good), from, to);
		check(hsa_buf_cstr(&bad));
		if ((got.errors == 0) != set[i].strict)
			fail_msg("%s: %s", set[i].text, got.text);
		check_as(VAL_IBM_AT, false, hsa_buf_cstr(&bad), bad.len);
		if ((got.errors == 0) != set[i].lenient)
			fail_msg("%s: %s", set[i].text, got.text);
	}
	hsa_buf_free(&good);
	hsa_buf_free(&bad);
}

static void
test_val_event__exports_hold_their_data_as_strings(void **state)
{
	struct hsa_buf good = {0}, with = {0}, line = {0};
	const char *s, *at, *end;

	(void)state;
	event_text(&good, ADD, 200);
	s = hsa_buf_cstr(&good);
	at = strstr(s, "\"requestData\":") + strlen("\"requestData\":");
	end = strstr(s, ",\"responseData\":");
	assert_non_null(end);
	hsa_buf_put(&with, s, (size_t)(at - s));
	hsa_json_string(&with, at, (size_t)(end - at));
	at = end + strlen(",\"responseData\":");
	hsa_buf_put(&with, end, (size_t)(at - end));
	hsa_json_string(&with, at, strlen(at) - 1);
	hsa_buf_str(&with, "}");
	check_as(VAL_AT_EXPORT, false, hsa_buf_cstr(&with), with.len);
	if (got.errors != 0)
		fail_msg("%s", got.text);
	/* and wrapped once more */
	hsa_buf_str(&line, "{\"_host\":\"h\",\"_line\":");
	hsa_json_string(&line, s, good.len);
	hsa_buf_str(&line, "}");
	check_as(VAL_AT_EXPORT, false, hsa_buf_cstr(&line), line.len);
	if (got.errors != 0)
		fail_msg("%s", got.text);
	/* the rules still see what is in the strings */
	replace(&line, hsa_buf_cstr(&with), "\\\"location\\\"", "\\\"l\\\"");
	check_as(VAL_AT_EXPORT, false, hsa_buf_cstr(&line), line.len);
	assert_non_null(strstr(got.text, "E08 requestData.location"));
	/* what is doubtful in a string that is no object */
	replace(&line, hsa_buf_cstr(&with), "\"requestData\":\"",
	    "\"requestData\":\"9007199254740993\",\"_x\":\"");
	check_as(VAL_AT_EXPORT, false, hsa_buf_cstr(&line), line.len);
	assert_non_null(strstr(got.text, "E02 requestData; "));
	assert_non_null(strstr(got.text, "E01 requestData; "));
	replace(&line, hsa_buf_cstr(&with), "\"requestData\":\"",
	    "\"requestData\":\"\\\"Bearer eyJ\\\"\",\"_x\":\"");
	check_as(VAL_AT_EXPORT, false, hsa_buf_cstr(&line), line.len);
	assert_non_null(strstr(got.text, "E02 requestData; "));
	assert_non_null(strstr(got.text, "E18 requestData; "));
	/* which are none of the service's own form */
	check(hsa_buf_cstr(&with));
	assert_non_null(strstr(got.text, "E02 requestData;"));
	hsa_buf_free(&good);
	hsa_buf_free(&with);
	hsa_buf_free(&line);
}

static void
test_val_event__what_is_no_event_is_a_finding(void **state)
{
	static const char *const set[] = {"", "{", "nul", "[]", "1", "\"x\"",
	    "{}{}", "{\"a\":NaN}", "{\"a\":01}", "{\"a\":\"\xff\"}",
	    "{\"a\":1,}", "\xef\xbb\xbf{}",
	    /* what yajl takes */
	    "{}\"", "{}\"x", "{\"a\":1} \"\\\"", "{}\v", "\f{}", "{\v\"a\":1}"};
	struct hsa_buf deep = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		check(set[i]);
		if (strncmp(got.text, "E01 ", 4) != 0)
			fail_msg("%s: %s", set[i], got.text);
	}
	for (i = 0; i < 64; i++)
		hsa_buf_str(&deep, "{\"a\":");
	hsa_buf_str(&deep, "1");
	for (i = 0; i < 64; i++)
		hsa_buf_str(&deep, "}");
	check(hsa_buf_cstr(&deep));
	assert_null(strstr(got.text, "E01 ;")); /* deep enough still */
	hsa_buf_reset(&deep);
	for (i = 0; i < 100000; i++)
		hsa_buf_str(&deep, "[");
	check(hsa_buf_cstr(&deep));
	assert_string_equal(got.text, "E01 ; ");
	hsa_buf_free(&deep);
}

static int
done(void **state)
{
	(void)state;
	val_run_free(&run);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_event__one_fault_may_be_one_of_several_checks),
	    cmocka_unit_test(
		test_val_event__eventtime_has_one_strict_form_and_some_others),
	    cmocka_unit_test(
		test_val_event__exports_hold_their_data_as_strings),
	    cmocka_unit_test(test_val_event__what_is_no_event_is_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
