#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_json.h"

/* ---- strings and the writer ---------------------------------------------- */

static void
expect_quoted(const char *s, size_t n, const char *json)
{
	struct hsa_buf b = {0};

	hsa_json_string(&b, s, n);
	assert_string_equal(hsa_buf_cstr(&b), json);
	hsa_buf_free(&b);
}

static void
test_hsa_json_string__escapes_are_the_shortest(void **state)
{
	(void)state;
	expect_quoted("", 0, "\"\"");
	expect_quoted("plain /~", 8, "\"plain /~\"");
	expect_quoted("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	expect_quoted("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
	expect_quoted(
	    "\xc3\xa4\xf0\x9f\x94\x91", 6, "\"\xc3\xa4\xf0\x9f\x94\x91\"");
	expect_quoted(
	    "a\xff\xe2\x82z", 5, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
}

/* Whatever the position within a machine word. */
static void
test_hsa_json_string__every_byte_is_escaped_at_every_place(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 256; c++) {
		struct hsa_buf alone = {0};
		char byte = (char)c;

		hsa_json_string(&alone, &byte, 1);
		for (size_t at = 0; at < 20; at++) {
			struct hsa_buf got = {0}, want = {0};
			char s[20];

			memset(s, 'x', sizeof(s));
			s[at] = byte;
			hsa_json_string(&got, s, sizeof(s));
			hsa_buf_printf(&want, "\"%.*s%.*s%.*s\"", (int)at,
			    "xxxxxxxxxxxxxxxxxxxx", (int)alone.len - 2,
			    (const char *)alone.p + 1, 19 - (int)at,
			    "xxxxxxxxxxxxxxxxxxxx");
			assert_string_equal(
			    hsa_buf_cstr(&got), hsa_buf_cstr(&want));
			hsa_buf_free(&got);
			hsa_buf_free(&want);
		}
		/* it was escaped at all: nothing raw below a blank */
		for (size_t i = 0; i < alone.len; i++)
			assert_true(alone.p[i] >= 0x20);
		if (c == '"' || c == '\\')
			assert_int_equal(alone.len, 4);
		hsa_buf_free(&alone);
	}
}

static void
test_hsa_jw__commas_and_keys_fall_into_place(void **state)
{
	const uint8_t id[] = {0xde, 0xad};
	struct hsa_buf b = {0};
	struct hsa_jw w = {.b = &b};

	(void)state;
	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "t", "x\"y");
	hsa_jw_array(&w, "a");
	hsa_jw_end(&w);
	hsa_jw_array(&w, "b");
	hsa_jw_uint(&w, NULL, UINT64_MAX);
	hsa_jw_int(&w, NULL, INT64_MIN);
	hsa_jw_object(&w, NULL);
	hsa_jw_end(&w);
	hsa_jw_array(&w, NULL);
	hsa_jw_null(&w, NULL);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_jw_object(&w, "o");
	hsa_jw_bool(&w, "yes", true);
	hsa_jw_bool(&w, "no", false);
	hsa_jw_end(&w);
	hsa_jw_hex(&w, "h", id, sizeof(id));
	hsa_jw_null(&w, "n\n");
	hsa_jw_end(&w);
	assert_string_equal(hsa_buf_cstr(&b),
	    "{\"t\":\"x\\\"y\",\"a\":[],\"b\":[18446744073709551615,"
	    "-9223372036854775808,{},[null]],\"o\":{\"yes\":true,"
	    "\"no\":false},\"h\":\"dead\",\"n\\n\":null}");
	assert_int_equal(w.depth, 0);
	hsa_buf_free(&b);
}

static void
test_hsa_jw__depth_32_works_and_33_gives_no_output(void **state)
{
	struct hsa_buf b = {0};
	struct hsa_jw w = {.b = &b};

	(void)state;
	for (unsigned int i = 0; i < 32; i++) {
		hsa_jw_array(&w, NULL);
		hsa_jw_uint(&w, NULL, i);
	}
	hsa_jw_uint(&w, NULL, 99);
	for (unsigned int i = 0; i < 32; i++)
		hsa_jw_end(&w);
	assert_ok(hsa_buf_rc(&b));
	assert_memory_equal(hsa_buf_cstr(&b), "[0,[1,[2,", 9);
	assert_non_null(strstr(hsa_buf_cstr(&b), "[31,99]]"));
	hsa_buf_reset(&b);
	for (unsigned int i = 0; i < 33; i++)
		hsa_jw_object(&w, "k");
	assert_rc("E_NOMEM", hsa_buf_rc(&b));
	hsa_buf_reset(&b);
	w = (struct hsa_jw){.b = &b};
	hsa_jw_end(&w);
	assert_rc("E_NOMEM", hsa_buf_rc(&b));
	hsa_buf_free(&b);
}

/* The calendar is ours; libc's says the same for each day of 64 bits of ns. */
static void
test_hsa_time__every_day_is_that_of_the_calendar(void **state)
{
	const uint64_t day = UINT64_C(86400) * 1000000000;

	(void)state;
	for (uint64_t ns = 0; ns < UINT64_MAX - 2 * day; ns += day - 1) {
		time_t s = (time_t)(ns / 1000000000);
		char got[40], want[48];
		struct tm tm;
		size_t n;

		assert_non_null(gmtime_r(&s, &tm));
		n = strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
		(void)snprintf(want + n, sizeof(want) - n, ".%09uZ",
		    (unsigned int)(ns % 1000000000));
		hsa_time_rfc3339(got, ns);
		if (strcmp(got, want) != 0)
			fail_msg("%s is not %s", got, want);
	}
}

static void
test_hsa_jw__numbers_are_written_to_their_limits(void **state)
{
	struct hsa_buf b = {0};
	struct hsa_jw w = {.b = &b};

	(void)state;
	hsa_jw_array(&w, NULL);
	hsa_jw_uint(&w, NULL, 0);
	hsa_jw_uint(&w, NULL, 10);
	hsa_jw_uint(&w, NULL, UINT64_MAX);
	hsa_jw_int(&w, NULL, INT64_MIN);
	hsa_jw_int(&w, NULL, -1);
	hsa_jw_int(&w, NULL, INT64_MAX);
	hsa_jw_end(&w);
	assert_string_equal(hsa_buf_cstr(&b),
	    "[0,10,18446744073709551615,-9223372036854775808,-1,"
	    "9223372036854775807]");
	hsa_buf_free(&b);
}

static void
test_hsa_time__both_forms_truncate(void **state)
{
	static const struct {
		uint64_t ns;
		const char *event, *rfc;
	} t[] = {
	    {0, "1970-01-01T00:00:00.00+0000",
		"1970-01-01T00:00:00.000000000Z"},
	    {HP_TIME, "2025-11-22T10:42:07.31+0000",
		"2025-11-22T10:42:07.319876543Z"},
	    {UINT64_C(951782399999999999), "2000-02-28T23:59:59.99+0000",
		"2000-02-28T23:59:59.999999999Z"},
	    {UINT64_C(951782400000000001), "2000-02-29T00:00:00.00+0000",
		"2000-02-29T00:00:00.000000001Z"},
	    {UINT64_MAX, "2554-07-21T23:34:33.70+0000",
		"2554-07-21T23:34:33.709551615Z"},
	};
	char event[32], rfc[40];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		hsa_event_time(event, t[i].ns);
		hsa_time_rfc3339(rfc, t[i].ns);
		assert_string_equal(event, t[i].event);
		assert_string_equal(rfc, t[i].rfc);
	}
}

/* ---- read back by jq ----------------------------------------------------- */

/* Runs jq with these arguments over text; its output, to be freed. */
static char *
jq(const char *arguments, const char *text)
{
	char path[] = "/tmp/test_hsa_json.XXXXXX", command[4096];
	char *out = NULL;
	size_t cap = 0;
	FILE *f;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_true((size_t)snprintf(command, sizeof(command), "jq %s %s",
			arguments, path) < sizeof(command));
	f = popen(command, "r");
	assert_non_null(f);
	if (getdelim(&out, &cap, '\0', f) < 0)
		fail_msg("no output of: %s", command);
	assert_int_equal(pclose(f), 0);
	(void)unlink(path);
	return out;
}

static void
expect_same_text(const char *got, const char *want)
{
	size_t line = 1, n;

	for (;; line++) {
		n = strcspn(want, "\n");
		if (strcspn(got, "\n") != n || memcmp(got, want, n) != 0)
			fail_msg("line %zu: %.*s\nshould be: %.*s", line,
			    (int)strcspn(got, "\n"), got, (int)n, want);
		if (want[n] == '\0')
			break;
		got += n + 1;
		want += n + 1;
	}
	assert_int_equal(*(got + n), '\0');
}

#define FIELDS                                                                 \
	"-r '[.action,.outcome,.eventTime,.severity,.message,.dataEvent,"      \
	".saveServiceCopy,.logSourceCRN,(.correlationId//"                     \
	"\"-\"),.initiator.id,"                                                \
	".initiator.name,.initiator.typeURI,.initiator.credential.type,"       \
	".initiator.host.address,.initiator.host.addressType,"                 \
	".initiator.host.agent,.target.id,.target.name,.target.typeURI,"       \
	".observer.name,.reason.reasonCode,.reason.reasonType,"                \
	"(.reason.reasonForFailure//\"-\"),"                                   \
	"(.requestData//\"-\"|tojson),(.responseData//\"-\"|tojson)]"          \
	"|map(tostring)|join(\"\\t\")'"

/* The JSON of a row's fields, from its text alone; lists have objects of one
 * level, whose members lie together. */
static void
expect_data(struct hsa_buf *b, const char *list, bool optional)
{
	static const char ids[] =
	    "[\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
	    "a5\",\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
	    "5a5a5a\"]";
	struct hsa_field_spec f;
	char object[64] = "";
	bool any = false;
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &f)) {
		const char *dot = strchr(f.name, '.');
		size_t n = dot == NULL ? 0 : (size_t)(dot - f.name);
		const char *name = dot == NULL ? f.name : dot + 1;
		bool inside = n != 0 && strncmp(object, f.name, n) == 0 &&
			      object[n] == '\0';

		if (f.optional && !optional)
			continue;
		if (object[0] != '\0' && !inside)
			hsa_buf_u8(b, '}');
		hsa_buf_str(b, any ? "," : "{");
		any = true;
		if (n != 0 && !inside)
			hsa_buf_printf(b, "\"%.*s\":{", (int)n, f.name);
		(void)snprintf(object, sizeof(object), "%.*s", (int)n, f.name);
		hsa_buf_printf(b, "\"%s\":", name);
		if (strcmp(f.type, "int") == 0 || strcmp(f.type, "bool") == 0)
			hsa_buf_str(b, hp_sample(f.type));
		else if (strcmp(f.type, "hex64[]") == 0)
			hsa_buf_str(b, ids);
		else
			hsa_buf_printf(b, "\"%s\"", hp_sample(f.type));
	}
	if (object[0] != '\0')
		hsa_buf_u8(b, '}');
	hsa_buf_str(b, any ? "}" : "\"-\"");
}

/* What jq must print for FIELDS, from the catalogue row and the sample. */
static void
expect_line(struct hsa_buf *b, const struct hsa_action_row *row, bool failed)
{
	char object[80];
	const char *dot = strrchr(row->name, '.');

	(void)snprintf(object, sizeof(object), "%.*s",
	    (int)(dot - row->name - 10), row->name + 10);
	hsa_buf_printf(b, "%s\t%s\t2025-11-22T10:42:07.31+0000\t%s\t",
	    row->name, failed ? "failure" : "success",
	    failed ? "critical" : row->severity);
	hsa_buf_printf(b, "Hyper Protect Crypto Services: %s %s %s%s\t",
	    dot + 1, object, HP_LOCATION, failed ? " -failure" : "");
	hsa_buf_printf(b, "%s\ttrue\t%s\t%s\t",
	    row->data_event ? "true" : "false", HP_CRN,
	    strcmp(row->family, "tke") == 0 ? "-" : HP_CORRELATION);
	hsa_buf_str(b,
	    "IBMid-550000ABCD\tcustodian1@example.com\t"
	    "service/security/account/user\ttoken\t203.0.113.7\tIPv4\t"
	    "tke/0.1.0\t" HP_UNIT_CRN "\t" HP_LOCATION "\t");
	hsa_buf_printf(b, "%s\tActivityTracker\t%s\t", row->type_uri,
	    failed ? "500\tInternal Server Error\t" HP_FAILURE : "200\tOK\t-");
	expect_data(b, row->request_data, true);
	hsa_buf_u8(b, '\t');
	expect_data(b, failed ? "" : row->response_data, false);
	hsa_buf_u8(b, '\n');
}

static void
all_events(struct hsa_buf *json, struct hsa_buf *want)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0;

	r = hsa_catalogue(&n);
	for (size_t i = 0; i < 2 * n; i++) {
		struct hsa_event ev = {0};

		hp_event(&ev, r[i / 2].code, i % 2 == 0 ? 200 : 500);
		hsa_event_json(json, &ev);
		hsa_buf_u8(json, '\n');
		expect_line(want, &r[i / 2], i % 2 != 0);
		hsa_event_free(&ev);
	}
	assert_ok(hsa_buf_rc(json));
	assert_ok(hsa_buf_rc(want));
}

static void
test_hsa_event_json__jq_reads_every_action_as_it_was_built(void **state)
{
	struct hsa_buf json = {0}, want = {0};
	char *got;

	(void)state;
	all_events(&json, &want);
	got = jq(FIELDS, hsa_buf_cstr(&json));
	expect_same_text(got, hsa_buf_cstr(&want));
	free(got);
	hsa_buf_free(&json);
	hsa_buf_free(&want);
}

static void
test_hsa_event_json__is_already_what_jq_prints_compactly(void **state)
{
	struct hsa_buf json = {0}, want = {0};
	char *got;

	(void)state;
	all_events(&json, &want);
	got = jq("-c .", hsa_buf_cstr(&json));
	expect_same_text(got, hsa_buf_cstr(&json));
	free(got);
	hsa_buf_free(&json);
	hsa_buf_free(&want);
}

static void
test_hsa_event_json__keys_stand_in_the_documented_order(void **state)
{
	struct hsa_event ev = {0};
	struct hsa_buf json = {0};
	char *got;

	(void)state;
	hp_event(&ev, HSA_ACTION_SECRETS_DELETE, 409);
	assert_ok(hsa_data_integer(&ev.response, "keyState", 1));
	ev.has_response = true;
	hsa_event_json(&json, &ev);
	got = jq("-r '[paths|map(tostring)|join(\".\")]|join(\" \")'",
	    hsa_buf_cstr(&json));
	assert_string_equal(got,
	    "action outcome eventTime severity message dataEvent "
	    "saveServiceCopy logSourceCRN correlationId id initiator "
	    "initiator.id initiator.name initiator.typeURI "
	    "initiator.credential initiator.credential.type initiator.host "
	    "initiator.host.address initiator.host.addressType "
	    "initiator.host.agent target target.id target.name target.typeURI "
	    "observer observer.name reason reason.reasonCode "
	    "reason.reasonType reason.reasonForFailure requestData "
	    "requestData.requestURI requestData.instanceID responseData "
	    "responseData.keyState\n");
	free(got);
	hsa_buf_free(&json);
	hsa_event_free(&ev);
}

static void
test_hsa_event_json__what_is_absent_is_not_there(void **state)
{
	struct hsa_event ev = {0};
	struct hsa_buf json = {0};
	char *got;

	(void)state;
	hp_event(&ev, HSA_ACTION_TKE_RESET, 200);
	free(ev.initiator.host_address);
	ev.initiator.host_address = NULL;
	free(ev.initiator.name);
	ev.initiator.name = NULL;
	hsa_data_free(&ev.request);
	hsa_event_json(&json, &ev);
	got = jq("-c '[has(\"correlationId\"),has(\"responseData\"),"
		 "(.initiator|has(\"host\")),(.reason|has("
		 "\"reasonForFailure\")),.requestData,.initiator.name]'",
	    hsa_buf_cstr(&json));
	/* has_request with no member is an empty object; a required name is
	 * there even if empty */
	assert_string_equal(got, "[false,false,false,false,{},\"\"]\n");
	free(got);
	hsa_buf_free(&json);
	hsa_event_free(&ev);
}

static void
test_hsa_event_json__hostile_texts_stay_inside_their_string(void **state)
{
	static const char nasty[] =
	    "\",\"outcome\":\"success\\\n\x01\xc0\x80\xff";
	struct hsa_event ev = {0};
	struct hsa_buf json = {0};
	char *got;

	(void)state;
	hp_event(&ev, HSA_ACTION_TKE_RESET, 500);
	free(ev.initiator.name);
	ev.initiator.name = strdup(nasty);
	assert_non_null(ev.initiator.name);
	assert_ok(hsa_data_text(&ev.request, nasty, nasty));
	hsa_event_json(&json, &ev);
	got = jq("-c '[.outcome,(keys|length),.initiator.name,"
		 "(.requestData|keys_unsorted)]'",
	    hsa_buf_cstr(&json));
	assert_string_equal(got,
	    "[\"failure\",14,\"\\\",\\\"outcome\\\":\\\"success\\\\\\n\\u0001"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",[\"location\",\"\\\","
	    "\\\"outcome\\\":\\\"success\\\\\\n\\u0001"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]]\n");
	free(got);
	hsa_buf_free(&json);
	hsa_event_free(&ev);
}

/* ---- the envelope -------------------------------------------------------- */

static void
test_hsa_record_json__envelope_of_an_event(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf json = {0};
	char *got;

	(void)state;
	hp_record(&r, HSA_ACTION_TKE_REGISTER_COMMIT, 500);
	hsa_record_json(&json, &r);
	got = jq("-c '.event|=.action'", hsa_buf_cstr(&json));
	assert_string_equal(got,
	    "{\"unit\":\"11111111-1111-1111-1111-111111111111\","
	    "\"sequence\":41,\"epoch\":3,"
	    "\"time\":\"2025-11-22T10:42:07.319876543Z\","
	    "\"bootTime\":\"8.123456789\",\"source\":\"outbox\","
	    "\"sourceSequence\":42,"
	    "\"commandId\":\"22222222-2222-2222-2222-222222222222\","
	    "\"ceremonyId\":\"ceremony-2025-11\",\"ceremonyStep\":\"7.2\","
	    "\"command\":13,\"ep11\":{\"rc\":208,"
	    "\"rcName\":\"TEMPLATE_INCOMPLETE\",\"reason\":21,"
	    "\"reasonName\":\"TOO_FEW_SIGNATURES\"},\"signers\":["
	    "\"3333333333333333333333333333333333333333333333333333333333333333"
	    "\",\"4444444444444444444444444444444444444444444444444444444444"
	    "444444\"],"
	    "\"event\":\"hs-crypto.tke-cryptounit-master-key-register."
	    "commit\"}\n");
	free(got);
	hsa_buf_free(&json);
	hsa_record_free(&r);
}

static void
test_hsa_record_json__envelope_of_a_special_record(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf json = {0};
	char *got;

	(void)state;
	hp_special(&r);
	r.has_command_id = false;
	r.command = r.ep11_rc = r.ep11_reason = 0;
	r.signer_len = 0;
	free(r.ceremony_id);
	r.ceremony_id = NULL;
	hsa_record_json(&json, &r);
	got = jq("-c '[keys_unsorted,.special]'", hsa_buf_cstr(&json));
	assert_string_equal(got,
	    "[[\"unit\",\"sequence\",\"epoch\",\"time\",\"bootTime\","
	    "\"source\",\"sourceSequence\",\"ceremonyStep\",\"special\"],"
	    "{\"name\":\"ADMIN_FUNCTION\",\"category\":2,\"specific\":9,"
	    "\"text\":\"control points set, "
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91\","
	    "\"initiator\":{\"id\":\"IBMid-550000ABCD\","
	    "\"name\":\"custodian1@example.com\","
	    "\"typeURI\":\"service/security/account/user\","
	    "\"credential\":{\"type\":\"token\"},"
	    "\"host\":{\"address\":\"203.0.113.7\",\"addressType\":\"IPv4\","
	    "\"agent\":\"tke/0.1.0\"}},"
	    "\"details\":{\"text\":\"\",\"deep\":{\"er\":{\"number\":-5},"
	    "\"no\":false},\"zero\":0,\"id\":\"abcd\",\"none\":[]}}]\n");
	free(got);
	hsa_buf_free(&json);
	hsa_record_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_json_string__escapes_are_the_shortest),
	    cmocka_unit_test(
		test_hsa_json_string__every_byte_is_escaped_at_every_place),
	    cmocka_unit_test(test_hsa_jw__commas_and_keys_fall_into_place),
	    cmocka_unit_test(
		test_hsa_jw__depth_32_works_and_33_gives_no_output),
	    cmocka_unit_test(test_hsa_time__every_day_is_that_of_the_calendar),
	    cmocka_unit_test(test_hsa_jw__numbers_are_written_to_their_limits),
	    cmocka_unit_test(test_hsa_time__both_forms_truncate),
	    cmocka_unit_test(
		test_hsa_event_json__jq_reads_every_action_as_it_was_built),
	    cmocka_unit_test(
		test_hsa_event_json__is_already_what_jq_prints_compactly),
	    cmocka_unit_test(
		test_hsa_event_json__keys_stand_in_the_documented_order),
	    cmocka_unit_test(test_hsa_event_json__what_is_absent_is_not_there),
	    cmocka_unit_test(
		test_hsa_event_json__hostile_texts_stay_inside_their_string),
	    cmocka_unit_test(test_hsa_record_json__envelope_of_an_event),
	    cmocka_unit_test(
		test_hsa_record_json__envelope_of_a_special_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
