#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_catalogue.h"

/*
 * Severity of a success and of a failure with an unlisted status (404), by
 * Table 20 of the document with its two slips corrected, or by verb where it
 * is silent: written from the document, not from event.def.
 */
static const struct {
	char rule; /* t: TKE, 2: Table 20, f: by verb */
	const char *severity, *name;
} actions[] = {
    {'2', "critical", "hs-crypto.secrets.delete"},
    {'t', "critical", "hs-crypto.tke-cryptounit-admin.add"},
    {'t', "critical", "hs-crypto.tke-cryptounit-admin.remove"},
    {'t', "critical",
	"hs-crypto.tke-cryptounit-current-master-key-register.clear"},
    {'t', "critical", "hs-crypto.tke-cryptounit-new-master-key-register.clear"},
    {'t', "critical", "hs-crypto.tke-cryptounit-master-key-register.add"},
    {'t', "critical", "hs-crypto.tke-cryptounit-master-key-register.commit"},
    {'t', "critical", "hs-crypto.tke-cryptounit-master-key-register.activate"},
    {'t', "critical", "hs-crypto.tke-cryptounit-threshold.set"},
    {'t', "critical", "hs-crypto.tke-cryptounit.reset"},
    {'2', "critical", "hs-crypto.mtlscert-admin-key.create"},
    {'2', "critical", "hs-crypto.mtlscert-admin-key.update"},
    {'2', "critical", "hs-crypto.mtlscert-admin-key.delete"},
    {'2', "critical", "hs-crypto.mtlscert-cert.set"},
    {'2', "critical", "hs-crypto.mtlscert-cert.delete"},
    {'2', "critical", "hs-crypto.keystore.deletekey"},
    {'2', "critical", "hs-crypto.keystore.deletekeystore"},
    {'2', "critical", "hs-crypto.keystore.updatekey"},
    {'2', "warning", "hs-crypto.secrets.rotate"},
    {'2', "warning", "hs-crypto.secrets.restore"},
    {'2', "warning", "hs-crypto.secrets.enable"},
    {'2', "warning", "hs-crypto.secrets.disable"},
    {'2', "warning", "hs-crypto.secrets.setkeyfordeletion"},
    {'2', "warning", "hs-crypto.secrets.unsetkeyfordeletion"},
    {'2', "warning", "hs-crypto.policies.write"},
    {'2', "warning", "hs-crypto.instance-policies.write"},
    {'2', "normal", "hs-crypto.secrets.create"},
    {'2', "normal", "hs-crypto.secrets.read"},
    {'2', "normal", "hs-crypto.secrets-metadata.read"},
    {'2', "normal", "hs-crypto.secrets.head"},
    {'2', "normal", "hs-crypto.secrets.list"},
    {'2', "normal", "hs-crypto.secrets.wrap"},
    {'2', "normal", "hs-crypto.secrets.unwrap"},
    {'2', "normal", "hs-crypto.secrets.rewrap"},
    {'2', "normal", "hs-crypto.secrets-key-versions.list"},
    {'2', "normal", "hs-crypto.secrets-event.ack"},
    {'2', "normal", "hs-crypto.policies.read"},
    {'2', "normal", "hs-crypto.instance-policies.read"},
    {'2', "normal", "hs-crypto.import-token.create"},
    {'2', "normal", "hs-crypto.import-token.read"},
    {'2', "normal", "hs-crypto.registrations.list"},
    {'2', "normal", "hs-crypto.mtlscert-cert.read"},
    {'2', "normal", "hs-crypto.mtlscert-cert.list"},
    {'2', "normal", "hs-crypto.mtlscert-admin-key.read"},
    {'2', "normal", "hs-crypto.keystore.createkeystore"},
    {'2', "normal", "hs-crypto.keystore.listkeysbyattributes"},
    {'2', "normal", "hs-crypto.keystore.listkeysbyids"},
    {'2', "normal", "hs-crypto.keystore.listkeystoresbyattributes"},
    {'2', "normal", "hs-crypto.keystore.listkeystoresbyids"},
    {'2', "normal", "hs-crypto.keystore.storenewkey"},
    {'2', "normal", "hs-crypto.ep11.use"},
    /* not in Table 20 */
    {'f', "normal", "hs-crypto.secrets-alias.create"},
    {'f', "normal", "hs-crypto.secrets.default"},
    {'f', "critical", "hs-crypto.secrets-alias.delete"},
    {'f', "warning", "hs-crypto.secrets.expire"},
    {'f', "warning", "hs-crypto.secrets.patch"},
    {'f', "critical", "hs-crypto.secrets.purge"},
    {'f', "normal", "hs-crypto.key-rings.create"},
    {'f', "critical", "hs-crypto.key-rings.delete"},
    {'f', "normal", "hs-crypto.key-rings.list"},
    {'f', "normal", "hs-crypto.key-rings.request"},
    {'f', "normal", "hs-crypto.policies.default"},
    {'f', "normal", "hs-crypto.instance-policies.request"},
    {'f', "normal", "hs-crypto.import-token.request"},
    {'f', "normal", "hs-crypto.registrations.default"},
    {'f', "normal", "hs-crypto.kmip-key.create"},
    {'f', "normal", "hs-crypto.kmip-key.read"},
    {'f', "normal", "hs-crypto.kmip-key-attributes.retrieve"},
    {'f', "warning", "hs-crypto.kmip-key.activate"},
    {'f', "critical", "hs-crypto.kmip-key.revoke"},
    {'f', "critical", "hs-crypto.kmip-key.destroy"},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* Table 21; anything else says nothing. */
static const struct {
	uint32_t code;
	const char *severity, *phrase;
} listed[] = {
    {400, "warning", "Bad Request"},
    {401, "critical", "Unauthorized"},
    {403, "critical", "Forbidden"},
    {409, "warning", "Conflict"},
    {424, "warning", "Failed Dependency"},
    {500, "critical", "Internal Server Error"},
    {502, "warning", "Bad Gateway"},
    {503, "critical", "Service Unavailable"},
    {504, "warning", "Gateway Timeout"},
    {505, "warning", "HTTP Version Not Supported"},
    {507, "critical", "Insufficient Storage"},
};
#define LISTED (sizeof(listed) / sizeof(listed[0]))

static void
expect_severity(size_t i, uint32_t status, const char *severity,
    enum hsa_severity_rule rule)
{
	const struct hsa_action_row *r = hsa_catalogue_by_name(actions[i].name);
	enum hsa_severity_rule by = 0;
	const char *got;

	if (r == NULL)
		fail_msg("%s is unknown", actions[i].name);
	got = hsa_severity(r, status, &by);
	if (strcmp(got, severity) != 0 || by != rule)
		fail_msg("%s %u: %s by rule %d, not %s by rule %d",
		    actions[i].name, (unsigned int)status, got, by, severity,
		    rule);
	assert_string_equal(hsa_severity(r, status, NULL), severity);
}

static enum hsa_severity_rule
own_rule(size_t i)
{
	switch (actions[i].rule) {
	case 't':
		return HSA_SEVERITY_TKE;
	case '2':
		return HSA_SEVERITY_ACTION;
	default:
		return HSA_SEVERITY_FALLBACK;
	}
}

static void
test_hsa_severity__successes_follow_the_action_table(void **state)
{
	static const uint32_t silent[] = {
	    200, 201, 202, 204, 404, 408, 429, 501, 599};

	(void)state;
	assert_int_equal(ACTIONS, 71);
	for (size_t i = 0; i < ACTIONS; i++)
		for (size_t k = 0; k < sizeof(silent) / sizeof(silent[0]); k++)
			expect_severity(
			    i, silent[k], actions[i].severity, own_rule(i));
}

static void
test_hsa_severity__failures_follow_the_status_table_but_for_tke(void **state)
{
	(void)state;
	for (size_t i = 0; i < ACTIONS; i++)
		for (size_t k = 0; k < LISTED; k++) {
			if (actions[i].rule == 't')
				expect_severity(i, listed[k].code, "critical",
				    HSA_SEVERITY_TKE);
			else
				expect_severity(i, listed[k].code,
				    listed[k].severity, HSA_SEVERITY_STATUS);
		}
}

static void
test_hsa_severity__actions_named_by_table_20_alone_have_its_severity(
    void **state)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0, only = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t i = 0; i < n; i++) {
		enum hsa_severity_rule by = 0;

		if (strcmp(r[i].listed, "severity-only") != 0)
			continue;
		only++;
		assert_string_equal(hsa_severity(&r[i], 200, &by),
		    r[i].code == HSA_ACTION_REGISTRATIONS_DELETE ? "critical"
								 : "normal");
		assert_int_equal(by, HSA_SEVERITY_ACTION);
	}
	assert_int_equal(only, 9);
}

static void
test_hsa_status__phrases_and_severities_of_table_21(void **state)
{
	size_t with_severity = 0;

	(void)state;
	for (size_t k = 0; k < LISTED; k++) {
		const struct hsa_status_row *s = hsa_status(listed[k].code);

		assert_non_null(s);
		assert_int_equal(s->code, listed[k].code);
		assert_string_equal(s->phrase, listed[k].phrase);
		assert_string_equal(s->severity, listed[k].severity);
	}
	for (uint32_t code = 0; code < 1000; code++) {
		const struct hsa_status_row *s = hsa_status(code);

		if (s == NULL)
			continue;
		with_severity += s->severity[0] != '\0';
		assert_true(
		    (code >= 200 && code < 300) || (code >= 400 && code < 600));
		assert_true(s->phrase[0] >= 'A' && s->phrase[0] <= 'Z');
	}
	assert_int_equal(with_severity, LISTED);
	assert_string_equal(hsa_status(200)->phrase, "OK");
	assert_string_equal(hsa_status(204)->phrase, "No Content");
	assert_string_equal(hsa_status(408)->phrase, "Request Timeout");
	assert_null(hsa_status(0));
	assert_null(hsa_status(302));
}

#define LONG_NAME                                                              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_hsa_field_spec__a_list_is_walked_item_by_item(void **state)
{
	static const char list[] = "a:int,b.c:hex64[],d:string?";
	static const char *const bad[] = {"", ",", "a", "a:", ":int", "a:?",
	    "a,b:int", "a:abcdefghijklmnop", LONG_NAME ":int"};
	struct hsa_field_spec f;
	size_t at = 0;

	(void)state;
	assert_true(hsa_field_spec_next(list, &at, &f));
	assert_string_equal(f.name, "a");
	assert_string_equal(f.type, "int");
	assert_false(f.optional);
	assert_true(hsa_field_spec_next(list, &at, &f));
	assert_string_equal(f.name, "b.c");
	assert_string_equal(f.type, "hex64[]");
	assert_false(f.optional);
	assert_true(hsa_field_spec_next(list, &at, &f));
	assert_string_equal(f.name, "d");
	assert_string_equal(f.type, "string");
	assert_true(f.optional);
	assert_false(hsa_field_spec_next(list, &at, &f));
	assert_int_equal(at, sizeof(list) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		at = 0;
		assert_false(hsa_field_spec_next(bad[i], &at, &f));
		assert_int_equal(at, 0);
	}
}

static void
expect_text(uint32_t rc, uint32_t reason, const char *text)
{
	struct hsa_buf b = {0};

	hsa_ep11_text(&b, rc, reason);
	assert_ok(hsa_buf_rc(&b));
	assert_string_equal(hsa_buf_cstr(&b), text);
	hsa_buf_free(&b);
}

static void
test_hsa_ep11_text__names_the_pair_and_what_to_do(void **state)
{
	(void)state;
	expect_text(208, 21,
	    "too few signatures: fewer signatures than the quorum (return "
	    "code 208 TEMPLATE_INCOMPLETE, reason code 21)");
	expect_text(101, 0,
	    "register does not hold what was expected (return code 101 "
	    "KEY_CHANGED)");
	expect_text(101, 9999,
	    "register does not hold what was expected (return code 101 "
	    "KEY_CHANGED, reason code 9999)");
	expect_text(4242, 39,
	    "refused: eight administrators are installed already (return code "
	    "4242, reason code 39)");
	expect_text(4242, 0, "refused (return code 4242)");
}

/* The pairs of ep11-tke-wire 14 that rehearsals meet, by number. */
static void
test_hsa_ep11__numbers_are_those_of_the_card(void **state)
{
	static const struct {
		uint32_t rc;
		const char *name;
		uint32_t status;
	} rcs[] = {{0, "OK", 200}, {3, "SLOT_ID_INVALID", 400},
	    {84, "FUNCTION_NOT_SUPPORTED", 400}, {101, "KEY_CHANGED", 500},
	    {163, "PIN_EXPIRED", 500}, {179, "SESSION_HANDLE_INVALID", 500},
	    {192, "SIGNATURE_INVALID", 500}, {208, "TEMPLATE_INCOMPLETE", 500},
	    {209, "TEMPLATE_INCONSISTENT", 500},
	    {256, "USER_ALREADY_LOGGED_IN", 500},
	    {257, "USER_NOT_LOGGED_IN", 500},
	    {261, "USER_TOO_MANY_TYPES", 500}};
	static const struct {
		uint32_t reason;
		const char *name;
	} reasons[] = {{19, "COUNTER_PASSED"}, {21, "TOO_FEW_SIGNATURES"},
	    {34, "IMPRINT_MODE"}, {38, "SKI_PRESENT"}, {39, "ADMIN_LIST_FULL"},
	    {48, "PATTERN_MISMATCH"}, {56, "REVOCATION_ZERO"},
	    {64, "NOT_COMMITTED"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rcs) / sizeof(rcs[0]); i++) {
		const struct hsa_ep11_row *r = hsa_ep11(rcs[i].rc);

		assert_non_null(r);
		assert_string_equal(r->name, rcs[i].name);
		assert_int_equal(r->status, rcs[i].status);
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct hsa_reason_row *r = hsa_reason(reasons[i].reason);

		assert_non_null(r);
		assert_string_equal(r->name, reasons[i].name);
	}
	assert_null(hsa_ep11(UINT32_MAX));
	assert_null(hsa_reason(0));
	/* each status of the table is one that an event may carry */
	for (uint32_t rc = 0; rc < 1000; rc++)
		if (hsa_ep11(rc) != NULL)
			assert_non_null(hsa_status(hsa_ep11(rc)->status));
}

static void
test_hsa_special__rows_lie_under_their_code(void **state)
{
	(void)state;
	assert_string_equal(
	    hsa_special(HSA_SPECIAL_UNIT_START)->name, "UNIT_START");
	assert_int_equal(hsa_special(HSA_SPECIAL_UNIT_START)->category, 3);
	assert_string_equal(
	    hsa_special(HSA_SPECIAL_UNIT_STOP)->name, "UNIT_STOP");
	assert_string_equal(
	    hsa_special(HSA_SPECIAL_ADMIN_FUNCTION)->name, "ADMIN_FUNCTION");
	assert_string_equal(
	    hsa_special(HSA_SPECIAL_REQUEST_REFUSED)->name, "REQUEST_REFUSED");
	assert_null(hsa_special(HSA_SPECIAL_COUNT));
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (text = strstr(text, what); text != NULL;
	     text = strstr(text + 1, what))
		n++;
	return n;
}

static void
test_hsa_catalogue_markdown__every_row_has_its_place(void **state)
{
	const struct hsa_action_row *r = NULL;
	struct hsa_buf b = {0};
	const char *page;
	size_t n = 0;

	(void)state;
	hsa_catalogue_markdown(&b);
	assert_ok(hsa_buf_rc(&b));
	page = hsa_buf_cstr(&b);
	r = hsa_catalogue(&n);
	assert_int_equal(count(page, "\n### `"), n);
	for (size_t i = 0; i < n; i++) {
		char line[160];

		(void)snprintf(line, sizeof(line), "\n### `%s`\n", r[i].name);
		assert_int_equal(count(page, line), 1);
		(void)snprintf(line, sizeof(line), "\n| `%s` | ", r[i].name);
		assert_int_equal(count(page, line), 1);
	}
	assert_non_null(strstr(page, "| 208 | TEMPLATE_INCOMPLETE |"));
	assert_non_null(strstr(page, "| 21 | TOO_FEW_SIGNATURES |"));
	assert_non_null(
	    strstr(page, "| 507 | Insufficient Storage | critical"));
	assert_non_null(strstr(page, "| REQUEST_REFUSED |"));
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_severity__successes_follow_the_action_table),
	    cmocka_unit_test(
		test_hsa_severity__failures_follow_the_status_table_but_for_tke),
	    cmocka_unit_test(
		test_hsa_severity__actions_named_by_table_20_alone_have_its_severity),
	    cmocka_unit_test(
		test_hsa_status__phrases_and_severities_of_table_21),
	    cmocka_unit_test(
		test_hsa_field_spec__a_list_is_walked_item_by_item),
	    cmocka_unit_test(test_hsa_ep11_text__names_the_pair_and_what_to_do),
	    cmocka_unit_test(test_hsa_ep11__numbers_are_those_of_the_card),
	    cmocka_unit_test(test_hsa_special__rows_lie_under_their_code),
	    cmocka_unit_test(
		test_hsa_catalogue_markdown__every_row_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
