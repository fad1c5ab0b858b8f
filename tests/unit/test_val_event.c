/* One event at a time: every documented action passes in every outcome, and
 * each check finds what it is for, and nothing else does. */
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

/* Over and over: in text of b, from becomes with. */
static void
all_become(struct hsa_buf *b, const char *from, const char *with)
{
	struct hsa_buf to = {0};
	const char *s = hsa_buf_cstr(b), *at;

	while ((at = strstr(s, from)) != NULL) {
		hsa_buf_put(&to, s, (size_t)(at - s));
		hsa_buf_str(&to, with);
		s = at + strlen(from);
	}
	hsa_buf_str(&to, s);
	assert_ok(hsa_buf_rc(&to));
	hsa_buf_free(b);
	*b = to;
}

/* The helper's fields have their types; now they make sense together, too. */
static void
event_text(struct hsa_buf *b, enum hsa_action action, uint32_t status)
{
	struct hsa_event ev = {0};

	hp_event(&ev, action, status);
	hsa_buf_reset(b);
	hsa_event_json(b, &ev);
	assert_ok(hsa_buf_rc(b));
	hsa_event_free(&ev);
	all_become(b, "\"keyState\":7", "\"keyState\":1");
	if (action == HSA_ACTION_TKE_ADMIN_ADD)
		all_become(b,
		    "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
		    "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
		    hp_sample("hex64"));
}

static void
test_val_event__every_action_passes_in_every_outcome(void **state)
{
	static const uint32_t failures[] = {
	    400, 401, 403, 404, 408, 409, 424, 500, 502, 503, 504, 505, 507};
	const struct hsa_action_row *row;
	struct hsa_buf b = {0};
	unsigned int events = 0;
	size_t n, i, k;

	(void)state;
	row = hsa_catalogue(&n);
	assert_int_equal(n, 80);
	for (i = 0; i < n; i++)
		for (k = 0; k <= sizeof(failures) / sizeof(failures[0]); k++) {
			bool unlisted = strcmp(row[i].listed, "table") != 0;
			bool fallback =
			    strcmp(row[i].severity_source, "fallback") == 0;
			const struct hsa_status_row *st = NULL;

			if (k > 0)
				st = hsa_status(failures[k - 1]);
			if (k > 0 && st == NULL)
				continue;
			event_text(
			    &b, row[i].code, k == 0 ? 200 : failures[k - 1]);
			check(hsa_buf_cstr(&b));
			if (got.errors != 0)
				fail_msg("%s\n%s", hsa_buf_cstr(&b), got.text);
			/* W04, and W01 where the action decides */
			fallback =
			    fallback && (st == NULL || st->severity[0] == '\0');
			if (got.warnings !=
			    (unlisted ? 1u : 0u) + (fallback ? 1u : 0u))
				fail_msg("%s\n%s", hsa_buf_cstr(&b), got.text);
			events++;
		}
	print_message("  %u events\n", events);
	assert_true(events > 800);
	hsa_buf_free(&b);
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

static void
test_val_event__each_check_finds_what_it_is_for(void **state)
{
	static const struct wrong set[] = {
	    /* E01 */
	    {ADD, 200, "{\"action\"", "{\"x\":1,\"action\"", "E01 x; "},
	    {ADD, 200, "\"target\":{", "\"target\":{\"x\":1,",
		"E01 target.x; "},
	    {ADD, 200, "\"outcome\":", "\"dataEvent\":false,\"outcome\":",
		"E01 dataEvent; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"a\":9007199254740993,",
		"E01 requestData.a; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"a\":\"\\u0000\",", "E01 requestData.a; "},
	    /* E02 */
	    {ADD, 200, "\"saveServiceCopy\":true,", "",
		"E02 saveServiceCopy; "},
	    {ADD, 200, "\"saveServiceCopy\":true",
		"\"saveServiceCopy\":\"true\"", "E02 saveServiceCopy; "},
	    {ADD, 200, "\"reasonCode\":200", "\"reasonCode\":\"200\"",
		"E02 reason.reasonCode; "},
	    /* E03, W03 */
	    {CREATE, 200, "hs-crypto.secrets.create\"",
		"hs-crypto.secrets.invent\"", "E03 action; "},
	    {HSA_ACTION_SECRETS_ALIAS_CREATE, 200,
		"\"action\":\"hs-crypto.secrets-alias.create\"",
		"\"action\":\"hs-crypto.secrets.createalias\"",
		"W03 action; W01 severity; "},
	    {CREATE, 200, "hs-crypto.secrets.create\"",
		"hs-crypto.secrets.defaultalias\"", "W03 action; "},
	    /* E05, E06, E07 */
	    {CREATE, 200, "\"reasonCode\":200", "\"reasonCode\":404",
		"E05 reason.reasonCode; W06 reason.reasonType; "},
	    {ADD, 200, "\"reasonCode\":200,\"reasonType\":\"OK\"",
		"\"reasonCode\":201,\"reasonType\":\"OK\"",
		"E06 reason.reasonCode; "},
	    {ADD, 200, "\"reasonType\":\"OK\"", "\"reasonType\":\"Okay\"",
		"E06 reason.reasonType; "},
	    {CREATE, 409, ",\"reasonType\":\"Conflict\"", "",
		"E07 reason.reasonType; "},
	    {CREATE, 409, "\"Conflict\"", "\"Gone\"",
		"W06 reason.reasonType; "},
	    /* E08 */
	    {ADD, 200, "\"id\":", "\"correlationId\":\"x\",\"id\":",
		"E08 correlationId; "},
	    {ADD, 200, "\"location\":\"[us-south].[AZ1-CS4].[00].[03]\"",
		"\"location\":\"[us-south].[AZ1-CS4].[00].[04]\"",
		"E08 requestData.location; "},
	    {ADD, 200, "\"location\":\"[us-south].[AZ1-CS4].[00].[03]\"",
		"\"location\":\"us-south.AZ1-CS4.00.03\"",
		"E08 requestData.location; "},
	    {ADD, 200, "\"location\":\"", "\"l\":\"",
		"E08 requestData.location; "},
	    /* E09, E10, E11, E12, E13 */
	    {ADD, 200,
		"\"adminIds\":", "\"ids\":", "E09 responseData.adminIds; "},
	    {ADD, 200, "\"adminId\":\"00112233", "\"adminId\":\"00112233AA",
		"E10 requestData.adminId; E11 responseData.adminIds; "},
	    {ADD, 200, "\"adminIds\":[\"0011", "\"adminIds\":[\"0022",
		"E11 responseData.adminIds; "},
	    {HSA_ACTION_TKE_ADMIN_REMOVE, 200, "\"adminIds\":[\"",
		"\"adminIds\":[\"00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff\",\"",
		"E11 responseData.adminIds; "},
	    {HSA_ACTION_TKE_THRESHOLD_SET, 200, "\"signatureThreshold\":7",
		"\"signatureThreshold\":9",
		"E12 requestData.signatureThreshold; "},
	    {HSA_ACTION_TKE_THRESHOLD_SET, 200,
		"\"revocationSignatureThreshold\":7",
		"\"revocationSignatureThreshold\":0",
		"E12 requestData.revocationSignatureThreshold; "},
	    {HSA_ACTION_TKE_REGISTER_ADD, 200, "\"masterKeyIds\":[",
		"\"masterKeyIds\":[],\"x\":[",
		"E13 requestData.masterKeyIds; "},
	    /* E17, E24 */
	    {ADD, 200, "\"address\":\"203.0.113.7\",", "",
		"E17 initiator.host.address; "},
	    {ADD, 200, "\"address\":\"203.0.113.7\"",
		"\"address\":\"203.0.113.700\"",
		"E17 initiator.host.address; "},
	    {ADD, 200, "\"addressType\":\"IPv4\"", "\"addressType\":\"IPv6\"",
		"E17 initiator.host.address; "},
	    {CREATE, 200, "hs-crypto:us-south:", "hs-crypto:us-north:",
		"E24 logSourceCRN; "},
	    /* E14, W01 */
	    {ADD, 200, "\"severity\":\"critical\"", "\"severity\":\"normal\"",
		"E14 severity; "},
	    {CREATE, 409, "\"severity\":\"warning\"",
		"\"severity\":\"critical\"", "E14 severity; "},
	    /* E15, E16 */
	    {ADD, 200, "hs-crypto/tke-cryptounit/admin",
		"hs-crypto/tke-cryptounit-admin", "E15 target.typeURI; "},
	    {ADD, 200, "\"logSourceCRN\":\"crn:v1:",
		"\"logSourceCRN\":\"crn:v2:", "E16 logSourceCRN; "},
	    /* E18 */
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"note\":\"-----BEGIN EC PRIVATE "
		"KEY-----\\nx\",",
		"E18 requestData.note; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"note\":\"\\u0042earer eyJhbGciOi\",",
		"E18 requestData.note; "},
	    {CREATE, 200, "\"requestData\":{",
		"\"requestData\":{\"password\":\"x\",",
		"E18 requestData.password; "},
	    /* E21, E22, E23, E25 */
	    {CREATE, 200, "\"correlationId\":", "\"correlationID\":",
		"E01 correlationID; E21 correlationId; "},
	    {CREATE, 200, "\"keyState\":", "\"keyState\":4,\"x\":",
		"E23 responseData.keyState; "},
	    {CREATE, 200, "\"keyState\":", "\"keyState\":\"1\",\"x\":",
		"E22 responseData.keyState; "},
	    {CREATE, 200,
		"\"keyType\":", "\"keytype\":", "W05 requestData.keyType; "},
	    {ADD, 200, "\"severity\":\"critical\"", "\"severity\":\"fatal\"",
		"E25 severity; E14 severity; "},
	    /* W02 */
	    {ADD, 200, "\"message\":\"Hyper", "\"message\":\"Super",
		"W02 message; "},
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
	    "{\"a\":1,}", "\xef\xbb\xbf{}"};
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
		test_val_event__every_action_passes_in_every_outcome),
	    cmocka_unit_test(test_val_event__each_check_finds_what_it_is_for),
	    cmocka_unit_test(
		test_val_event__eventtime_has_one_strict_form_and_some_others),
	    cmocka_unit_test(
		test_val_event__exports_hold_their_data_as_strings),
	    cmocka_unit_test(test_val_event__what_is_no_event_is_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
