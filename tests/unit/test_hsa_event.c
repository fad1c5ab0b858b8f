#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_event.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* ---- members ------------------------------------------------------------- */

static void
test_hsa_data__members_are_found_by_path_in_their_order(void **state)
{
	static const char *const order[] = {"a", "o", "b"};
	const struct hsa_field *f = NULL;
	struct hsa_data d = {0};

	(void)state;
	assert_ok(hsa_data_text(&d, "a", "x"));
	assert_ok(hsa_data_integer(&d, "o.n", -3));
	assert_ok(hsa_data_boolean(&d, "b", true));
	assert_ok(hsa_data_text(&d, "o.p.q", "deep"));
	assert_int_equal(d.len, 3);
	for (size_t i = 0; i < d.len; i++)
		assert_string_equal(d.field[i].name, order[i]);
	f = hsa_data_find(&d, "o.n");
	assert_non_null(f);
	assert_int_equal(f->kind, HSA_VALUE_INTEGER);
	assert_true(f->integer == -3);
	assert_string_equal(hsa_data_find(&d, "o.p.q")->text, "deep");
	assert_int_equal(hsa_data_find(&d, "o")->kind, HSA_VALUE_OBJECT);
	assert_null(hsa_data_find(&d, "n"));
	assert_null(hsa_data_find(&d, "o.x"));
	assert_null(hsa_data_find(&d, "a.n"));
	assert_null(hsa_data_find(&d, ""));
	hsa_data_free(&d);
	assert_int_equal(d.len, 0);
	hsa_data_free(&d);
	hsa_data_free(NULL);
}

static void
test_hsa_data__a_name_is_taken_once_and_refusals_leave_no_trace(void **state)
{
	struct hsa_data d = {0};

	(void)state;
	assert_ok(hsa_data_integer(&d, "o.n", 1));
	assert_ok(hsa_data_integer(&d, "t", 1));
	assert_rc("E_EXISTS", hsa_data_text(&d, "o.n", "x"));
	assert_rc("E_EXISTS", hsa_data_boolean(&d, "o", true));
	assert_rc("E_EXISTS", hsa_data_integer(&d, "t.n", 2));
	assert_rc("E_EXISTS", hsa_data_integer(&d, "o.n.m", 2));
	assert_rc("E_ARG", hsa_data_text(&d, "", "x"));
	assert_rc("E_ARG", hsa_data_text(&d, "new.", "x"));
	assert_rc("E_ARG", hsa_data_text(&d, ".new", "x"));
	assert_rc("E_ARG", hsa_data_text(&d, "new..x", "x"));
	assert_rc("E_RANGE", hsa_data_text(&d, "1.2.3.4.5.6.7.8.9", "x"));
	assert_int_equal(d.len, 2);
	assert_null(hsa_data_find(&d, "new"));
	assert_null(hsa_data_find(&d, "1"));
	assert_ok(hsa_data_text(&d, "1.2.3.4.5.6.7.8", "x"));
	hsa_data_free(&d);
}

static void
test_hsa_data__ids_become_lower_case_hex(void **state)
{
	const uint8_t ids[6] = {0x01, 0xab, 0xff, 0x00, 0x10, 0x7f};
	const struct hsa_field *f = NULL;
	struct hsa_data d = {0};

	(void)state;
	assert_ok(hsa_data_hex(&d, "one", ids, 6));
	assert_ok(hsa_data_hex_list(&d, "three", ids, 2, 3));
	assert_ok(hsa_data_hex_list(&d, "none", ids, 2, 0));
	assert_string_equal(hsa_data_find(&d, "one")->text, "01abff00107f");
	f = hsa_data_find(&d, "three");
	assert_int_equal(f->list_len, 3);
	assert_string_equal(f->list[0], "01ab");
	assert_string_equal(f->list[2], "107f");
	assert_int_equal(hsa_data_find(&d, "none")->kind, HSA_VALUE_LIST);
	assert_int_equal(hsa_data_find(&d, "none")->list_len, 0);
	hsa_data_free(&d);
}

/* ---- building ------------------------------------------------------------ */

struct made {
	struct hsa_event ev;
	struct hsa_diag diag;
	struct hsa_initiator who;
	struct hsa_data request, response;
	struct hsa_event_args a;
};

static void
start(struct made *m, enum hsa_action action, uint32_t status)
{
	*m = (struct made){0};
	m->who.id = strdup("IBMid-1");
	assert_non_null(m->who.id);
	m->a = (struct hsa_event_args){
	    .action = action,
	    .status = status,
	    .time_ns = HP_TIME,
	    .log_source_crn = HP_CRN,
	    .target_id = HP_UNIT_CRN,
	    .target_name = HP_LOCATION,
	    .initiator = &m->who,
	    .request = &m->request,
	    .response = &m->response,
	};
}

static void
stop(struct made *m)
{
	hsa_event_free(&m->ev);
	hsa_initiator_free(&m->who);
	hsa_data_free(&m->request);
	hsa_data_free(&m->response);
}

/* The commit of a new master key: the good event that the cases then break. */
static void
start_commit(struct made *m)
{
	uint8_t id[32] = {0};

	start(m, HSA_ACTION_TKE_REGISTER_COMMIT, 200);
	assert_ok(hsa_data_text(&m->request, "location", HP_LOCATION));
	assert_ok(hsa_data_text(&m->request, "verificationPattern", ID));
	assert_ok(hsa_data_hex_list(&m->response, "masterKeyIds", id, 32, 1));
}

static void
expect_refused(struct made *m, const char *words)
{
	struct hsa_event before = m->ev;

	assert_rc("E_ARG", hsa_event_build(&m->ev, &m->a, &m->diag));
	if (strstr(m->diag.text, words) == NULL)
		fail_msg("'%s' says nothing about '%s'", m->diag.text, words);
	assert_memory_equal(&before, &m->ev, sizeof(before));
	/* without a place for the diagnosis, too */
	assert_rc("E_ARG", hsa_event_build(&m->ev, &m->a, NULL));
	stop(m);
}

static void
test_hsa_event__a_success_is_filled_in_from_the_catalogue(void **state)
{
	struct made m;

	(void)state;
	start_commit(&m);
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	assert_int_equal(m.ev.action, HSA_ACTION_TKE_REGISTER_COMMIT);
	assert_string_equal(m.ev.action_name,
	    "hs-crypto.tke-cryptounit-master-key-register.commit");
	assert_string_equal(m.ev.outcome, "success");
	assert_string_equal(m.ev.severity, "critical");
	assert_string_equal(m.ev.message,
	    "Hyper Protect Crypto Services: commit "
	    "tke-cryptounit-master-key-register " HP_LOCATION);
	assert_string_equal(m.ev.log_source_crn, HP_CRN);
	assert_null(m.ev.correlation_id);
	assert_string_equal(m.ev.observer_name, "ActivityTracker");
	assert_true(m.ev.event_time_ns == HP_TIME);
	assert_false(m.ev.data_event);
	assert_true(m.ev.save_service_copy);
	assert_int_equal(m.ev.id[6] >> 4, 4);
	assert_string_equal(m.ev.initiator.id, "IBMid-1");
	assert_null(m.ev.initiator.host_address);
	assert_string_equal(m.ev.target_id, HP_UNIT_CRN);
	assert_string_equal(m.ev.target_name, HP_LOCATION);
	assert_string_equal(m.ev.target_type_uri,
	    "hs-crypto/tke-cryptounit/master-key-register");
	assert_int_equal(m.ev.reason_code, 200);
	assert_string_equal(m.ev.reason_type, "OK");
	assert_null(m.ev.reason_failure);
	assert_true(m.ev.has_request && m.ev.has_response);
	/* taken over */
	assert_int_equal(m.request.len + m.response.len, 0);
	assert_null(m.request.field);
	assert_int_equal(m.ev.request.len, 2);
	stop(&m);
	hsa_event_free(NULL);
	hsa_initiator_free(NULL);
	hsa_record_free(NULL);
}

static void
test_hsa_event__an_id_of_the_callers_is_taken(void **state)
{
	static const uint8_t id[HSA_UUID_LEN] = {
	    1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};
	struct made m;

	(void)state;
	start_commit(&m);
	m.a.id = id;
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	assert_memory_equal(m.ev.id, id, sizeof(id));
	stop(&m);
}

static void
test_hsa_event__a_failure_says_so_and_needs_no_fields(void **state)
{
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_TKE_REGISTER_COMMIT, 500);
	m.a.reason_failure = HP_FAILURE;
	m.a.response = NULL;
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	assert_string_equal(m.ev.outcome, "failure");
	assert_string_equal(m.ev.message,
	    "Hyper Protect Crypto Services: commit "
	    "tke-cryptounit-master-key-register " HP_LOCATION " -failure");
	assert_string_equal(m.ev.reason_type, "Internal Server Error");
	assert_string_equal(m.ev.reason_failure, HP_FAILURE);
	assert_false(m.ev.has_request || m.ev.has_response);
	stop(&m);
}

static void
test_hsa_event__every_action_builds_for_success_and_failure(void **state)
{
	const struct hsa_action_row *r = NULL;
	uint8_t last[HSA_UUID_LEN] = {0};
	size_t n = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t i = 0; i < 2 * n; i++) {
		const struct hsa_action_row *row = &r[i / 2];
		struct hsa_event ev = {0};

		hp_event(&ev, row->code, i % 2 == 0 ? 200 : 403);
		assert_string_equal(ev.action_name, row->name);
		assert_string_equal(ev.target_type_uri, row->type_uri);
		assert_int_equal(ev.data_event, row->data_event);
		assert_memory_not_equal(ev.id, last, sizeof(last));
		memcpy(last, ev.id, sizeof(last));
		hsa_event_free(&ev);
	}
}

static void
test_hsa_event__only_200_is_a_success_where_the_document_says_so(void **state)
{
	struct hsa_event ev = {0};
	struct made m;

	(void)state;
	start_commit(&m);
	m.a.status = 204;
	expect_refused(&m, "200 only");
	hp_event(&ev, HSA_ACTION_SECRETS_ROTATE, 204);
	assert_string_equal(ev.outcome, "success");
	assert_string_equal(ev.reason_type, "No Content");
	hsa_event_free(&ev);
}

static void
test_hsa_event__unknown_actions_and_statuses_are_refused(void **state)
{
	static const uint32_t bad[] = {
	    0, 100, 199, 300, 302, 399, 499, 600, UINT32_MAX};
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_NONE, 200);
	expect_refused(&m, "not in the catalogue");
	start(&m, (enum hsa_action)0x7fff, 200);
	expect_refused(&m, "not in the catalogue");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&m, HSA_ACTION_SECRETS_LIST, bad[i]);
		m.a.reason_failure = HP_FAILURE;
		expect_refused(&m, "status");
	}
}

static void
test_hsa_event__a_failure_without_a_reason_is_refused(void **state)
{
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_TKE_RESET, 500);
	expect_refused(&m, "reason");
	start(&m, HSA_ACTION_TKE_RESET, 500);
	m.a.reason_failure = "";
	expect_refused(&m, "reason");
}

static void
test_hsa_event__correlation_id_is_as_the_catalogue_has_it(void **state)
{
	struct made m;

	(void)state;
	start_commit(&m);
	m.a.correlation_id = HP_CORRELATION;
	expect_refused(&m, "correlationId");
	start(&m, HSA_ACTION_EP11_USE, 200);
	expect_refused(&m, "correlationId");
	start(&m, HSA_ACTION_EP11_USE, 200);
	m.a.correlation_id = HP_CORRELATION;
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	assert_string_equal(m.ev.correlation_id, HP_CORRELATION);
	stop(&m);
}

static void
test_hsa_event__the_parties_must_be_named(void **state)
{
	struct made m;

	(void)state;
	start_commit(&m);
	m.a.initiator = NULL;
	expect_refused(&m, "initiator");
	start_commit(&m);
	m.a.log_source_crn = NULL;
	expect_refused(&m, "log source");
	start_commit(&m);
	m.a.target_id = "";
	expect_refused(&m, "target");
	start_commit(&m);
	m.a.target_name = NULL;
	expect_refused(&m, "target");
}

static void
test_hsa_event__a_missing_field_is_refused_on_success_only(void **state)
{
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_TKE_RESET, 200);
	expect_refused(&m, "requestData.location");
	start_commit(&m);
	m.a.response = NULL;
	expect_refused(&m, "responseData.masterKeyIds");
	start(&m, HSA_ACTION_TKE_REGISTER_COMMIT, 500);
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_text(&m.request, "location", HP_LOCATION));
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	stop(&m);
}

static void
test_hsa_event__undocumented_members_are_refused(void **state)
{
	struct made m;

	(void)state;
	start_commit(&m);
	assert_ok(hsa_data_text(&m.request, "password", "x"));
	expect_refused(&m, "requestData.password");
	start_commit(&m);
	assert_ok(hsa_data_text(&m.request, "requestURI", "/x"));
	expect_refused(&m, "requestData.requestURI");
	start_commit(&m);
	assert_ok(hsa_data_text(&m.response, "location", HP_LOCATION));
	expect_refused(&m, "responseData.location");
	/* nested where it is documented flat, and the other way round */
	start(&m, HSA_ACTION_TKE_RESET, 200);
	assert_ok(hsa_data_text(&m.request, "location.region", "us-south"));
	expect_refused(&m, "requestData.location");
	start(&m, HSA_ACTION_SECRETS_PATCH, 500);
	m.a.correlation_id = HP_CORRELATION;
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_text(&m.request, "initialValue", "x"));
	expect_refused(&m, "requestData.initialValue");
	start(&m, HSA_ACTION_SECRETS_PATCH, 500);
	m.a.correlation_id = HP_CORRELATION;
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_text(&m.request, "initialValue.other", "x"));
	expect_refused(&m, "requestData.initialValue.other");
	/* a name longer than any documented one */
	start_commit(&m);
	assert_ok(hsa_data_text(&m.request,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaa",
	    "x"));
	expect_refused(&m, "not documented");
}

static void
test_hsa_event__wrong_types_are_refused_on_failure_too(void **state)
{
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_TKE_THRESHOLD_SET, 500);
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_text(&m.request, "signatureThreshold", "2"));
	expect_refused(&m, "requestData.signatureThreshold");
	start(&m, HSA_ACTION_TKE_ADMIN_ADD, 500);
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_text(&m.response, "adminIds", ID));
	expect_refused(&m, "responseData.adminIds");
	start(&m, HSA_ACTION_TKE_ADMIN_ADD, 500);
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_hex_list(
	    &m.request, "adminId", (const uint8_t *)ID, 32, 1));
	expect_refused(&m, "requestData.adminId");
	start(&m, HSA_ACTION_TKE_ADMIN_ADD, 500);
	m.a.reason_failure = HP_FAILURE;
	assert_ok(hsa_data_hex_list(
	    &m.response, "adminIds", (const uint8_t *)ID, 31, 2));
	expect_refused(&m, "responseData.adminIds");
}

/* Field, its action, and forms that pass and do not. */
static const struct {
	enum hsa_action action;
	const char *field, *good[5], *bad[16];
} forms[] = {
    {HSA_ACTION_TKE_RESET, "location",
	{"[us-south].[AZ1-CS4].[00].[03]", "[eu-de].[AZ2-CSSTAG2].[11].[99]",
	    "[a].[b].[00].[00]"},
	{"", "us-south.AZ1.00.03", "[us-south].[AZ1].[0].[03]",
	    "[us-south].[AZ1].[00].[3]", "[us-south].[AZ1].[00]",
	    "[us-south].[AZ1].[00].[03].[04]", "[us-south].[AZ1].[00].[03] ",
	    "[].[AZ1].[00].[03]", "[us-south] [AZ1].[00].[03]",
	    "[us-south].[AZ1].[0a].[03]", "[us-south].[AZ1].[00].[03"}},
    {HSA_ACTION_TKE_REGISTER_COMMIT, "verificationPattern", {ID},
	{"", "00",
	    "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
	    ID "0", "g" ID,
	    "0011223344556677889 aabbccddeeff00112233445566778899aabbccddeef"
	    "f"}},
    {HSA_ACTION_SECRETS_LIST, "instanceID",
	{"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11"},
	{"", "1f2d1a0e58ab4a2b8b3d2a6f5f0f7a11",
	    "1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a1"}},
    {HSA_ACTION_SECRETS_LIST, "requestURI",
	{"/", "/api/v2/keys?a=b#c", "https://h/x", "urn:x"},
	{"", "api/v2", "/with blank", "//x\n", ":x", "1a:x", "a:", "/del\x7f"}},
    {HSA_ACTION_SECRETS_EXPIRE, "expirationDate",
	{"2026-01-31T09:00:00Z", "2026-01-31T09:00:00.123456Z",
	    "2026-01-31T09:00:00+01:00", "2026-01-31T09:00:00.1-00:30"},
	{"", "2026-01-31", "2026-01-31 09:00:00Z", "2026-01-31T09:00:00",
	    "2026-01-31T09:00:00.Z", "2026-01-31T09:00:00+0000",
	    "2026-01-31T09:00:00z", "2026-01-31T09:00:00Zx",
	    "2026-1-31T09:00:00Z", "2026-01-31T09:00:00+01:00x",
	    "2026-13-31T09:00:00Z", "2026-00-31T09:00:00Z",
	    "2026-01-32T09:00:00Z", "2026-01-31T24:00:00Z",
	    "2026-01-31T09:60:00Z", "2026-01-31T09:00:00+24:00"}},
    {HSA_ACTION_SECRETS_EXPIRE, "keyType", {"root key", ""}, {NULL}},
};

static hsa_rc
build_with(size_t i, const char *text)
{
	struct made m;
	hsa_rc rc;

	start(&m, forms[i].action, 500);
	m.a.reason_failure = HP_FAILURE;
	if (hsa_catalogue_by_code(forms[i].action)->correlation ==
	    HSA_CORRELATION_REQUIRED)
		m.a.correlation_id = HP_CORRELATION;
	assert_ok(hsa_data_text(&m.request, forms[i].field, text));
	rc = hsa_event_build(&m.ev, &m.a, &m.diag);
	if (!hsa_is_ok(rc))
		assert_non_null(strstr(m.diag.text, forms[i].field));
	stop(&m);
	return rc;
}

static void
test_hsa_event__each_documented_form_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (size_t k = 0; k < 5 && forms[i].good[k] != NULL; k++)
			assert_ok(build_with(i, forms[i].good[k]));
		for (size_t k = 0; k < 16 && forms[i].bad[k] != NULL; k++) {
			if (build_with(i, forms[i].bad[k]).v != HSA_E_ARG)
				fail_msg("'%s' passed as %s", forms[i].bad[k],
				    forms[i].field);
		}
	}
}

static void
test_hsa_event__an_empty_target_name_leaves_no_blank(void **state)
{
	struct made m;

	(void)state;
	start(&m, HSA_ACTION_EP11_USE, 200);
	m.a.correlation_id = HP_CORRELATION;
	m.a.target_name = "";
	assert_ok(hsa_event_build(&m.ev, &m.a, &m.diag));
	assert_string_equal(
	    m.ev.message, "Hyper Protect Crypto Services: use ep11");
	stop(&m);
}

static void
test_hsa_initiator__a_copy_owns_its_strings(void **state)
{
	struct hsa_initiator copy = {0};
	struct hsa_event ev = {0};
	char *none = NULL;

	(void)state;
	hp_event(&ev, HSA_ACTION_EP11_USE, 200);
	assert_ok(hsa_initiator_copy(&copy, &ev.initiator));
	assert_ptr_not_equal(copy.id, ev.initiator.id);
	hsa_event_free(&ev);
	assert_string_equal(copy.id, "IBMid-550000ABCD");
	assert_string_equal(copy.name, "custodian1@example.com");
	assert_string_equal(copy.type_uri, "service/security/account/user");
	assert_string_equal(copy.credential_type, "token");
	assert_string_equal(copy.host_address, "203.0.113.7");
	assert_string_equal(copy.host_address_type, "IPv4");
	assert_string_equal(copy.host_agent, "tke/0.1.0");
	hsa_initiator_free(&copy);
	assert_ok(hsa_strdup_opt(&none, NULL));
	assert_null(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_data__members_are_found_by_path_in_their_order),
	    cmocka_unit_test(
		test_hsa_data__a_name_is_taken_once_and_refusals_leave_no_trace),
	    cmocka_unit_test(test_hsa_data__ids_become_lower_case_hex),
	    cmocka_unit_test(
		test_hsa_event__a_success_is_filled_in_from_the_catalogue),
	    cmocka_unit_test(test_hsa_event__an_id_of_the_callers_is_taken),
	    cmocka_unit_test(
		test_hsa_event__a_failure_says_so_and_needs_no_fields),
	    cmocka_unit_test(
		test_hsa_event__every_action_builds_for_success_and_failure),
	    cmocka_unit_test(
		test_hsa_event__only_200_is_a_success_where_the_document_says_so),
	    cmocka_unit_test(
		test_hsa_event__unknown_actions_and_statuses_are_refused),
	    cmocka_unit_test(
		test_hsa_event__a_failure_without_a_reason_is_refused),
	    cmocka_unit_test(
		test_hsa_event__correlation_id_is_as_the_catalogue_has_it),
	    cmocka_unit_test(test_hsa_event__the_parties_must_be_named),
	    cmocka_unit_test(
		test_hsa_event__a_missing_field_is_refused_on_success_only),
	    cmocka_unit_test(test_hsa_event__undocumented_members_are_refused),
	    cmocka_unit_test(
		test_hsa_event__wrong_types_are_refused_on_failure_too),
	    cmocka_unit_test(test_hsa_event__each_documented_form_is_held),
	    cmocka_unit_test(
		test_hsa_event__an_empty_target_name_leaves_no_blank),
	    cmocka_unit_test(test_hsa_initiator__a_copy_owns_its_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
