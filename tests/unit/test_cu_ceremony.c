/* The good way through a unit, from the first administrator to zeroize. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "helper_cu.h"
#include "hsa_hash.h"

static const uint8_t two_parts[2][32] = {{0x11, 0x22, 0x33}, {0x44, 0x55}};

static void
hex_of(char to[65], const uint8_t p[32])
{
	hsa_hex(to, p, 32);
}

/* Envelope, initiator and the fields that every event shares. */
static void
check_event(struct cu_bench *b, struct hsa_record *r, const char *action,
    uint32_t command)
{
	const struct hsa_event *e = &r->event;
	const struct hsa_field *f = NULL;

	cu_bench_last(b, r);
	assert_int_equal(r->body, HSA_BODY_EVENT);
	assert_string_equal(e->action_name, action);
	assert_string_equal(e->outcome, "success");
	assert_string_equal(e->severity, "critical");
	assert_int_equal(e->reason_code, 200);
	assert_string_equal(e->reason_type, "OK");
	assert_null(e->reason_failure);
	assert_null(e->correlation_id);
	assert_string_equal(e->target_id, CU_BENCH_TARGET);
	assert_string_equal(e->target_name, CU_BENCH_LOCATION);
	assert_string_equal(e->initiator.id, "IBMid-550000ABCD");
	assert_string_equal(e->initiator.host_address, "127.0.0.1");
	f = hsa_data_find(&e->request, "location");
	assert_non_null(f);
	assert_string_equal(f->text, CU_BENCH_LOCATION);
	assert_int_equal(r->command, command);
	assert_int_equal(r->ep11_rc, 0);
	assert_true(r->has_command_id);
	assert_int_equal(r->command_id[0], 0xc0);
	assert_string_equal(r->ceremony_id, "first-load");
	assert_string_equal(r->ceremony_step, "7");
	assert_true(r->wall_ns > 1763808127319876543u);
	assert_int_equal(r->wall_ns - r->mono_ns, 1700000000000000000u);
	assert_int_equal(r->epoch, b->epochs);
}

static void
check_text(const struct hsa_data *d, const char *name, const uint8_t p[32])
{
	const struct hsa_field *f = hsa_data_find(d, name);
	char hex[65];

	hex_of(hex, p);
	assert_non_null(f);
	assert_int_equal(f->kind, HSA_VALUE_TEXT);
	assert_string_equal(f->text, hex);
}

static void
check_list(const struct hsa_data *d, const char *name, const uint8_t (*p)[32],
    size_t n)
{
	const struct hsa_field *f = hsa_data_find(d, name);
	size_t i = 0;
	char hex[65];

	assert_non_null(f);
	assert_int_equal(f->kind, HSA_VALUE_LIST);
	assert_int_equal(f->list_len, n);
	for (i = 0; i < n; i++) {
		hex_of(hex, p[i]);
		assert_string_equal(f->list[i], hex);
	}
}

static void
check_number(const struct hsa_data *d, const char *name, int64_t v)
{
	const struct hsa_field *f = hsa_data_find(d, name);

	assert_non_null(f);
	assert_int_equal(f->kind, HSA_VALUE_INTEGER);
	assert_int_equal(f->integer, v);
}

static void
check_signers(
    const struct cu_bench *b, const struct hsa_record *r, unsigned int mask)
{
	size_t n = 0, i = 0;

	for (i = 0; i < CU_BENCH_ADMINS; i++)
		if ((mask >> i & 1u) != 0) {
			assert_true(n < r->signer_len);
			assert_memory_equal(r->signer_id[n++], b->ski[i], 32);
		}
	assert_int_equal(r->signer_len, n);
}

static void
check_registers(struct cu_bench *b, const char *new_register,
    const char *current, const uint8_t *new_pattern,
    const uint8_t *current_pattern, size_t objects)
{
	static const uint8_t zeros[32];
	struct hsa_unit_status st;

	cu_bench_status(b, &st);
	assert_string_equal(st.new_register, new_register);
	assert_string_equal(st.current_register, current);
	assert_memory_equal(
	    st.new_pattern, new_pattern != NULL ? new_pattern : zeros, 32);
	assert_memory_equal(st.current_pattern,
	    current_pattern != NULL ? current_pattern : zeros, 32);
	assert_int_equal(st.token_object_len, objects);
	assert_int_equal(strlen(st.new_object), new_pattern != NULL ? 32 : 0);
	assert_int_equal(
	    strlen(st.current_object), current_pattern != NULL ? 32 : 0);
	assert_string_equal(st.halted, "");
}

static void
test_cu_unit__ceremony_leaves_every_event_with_its_fields(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_record r = {0};
	EVP_PKEY *key = NULL;
	uint8_t ids[2][32], sum[32], pattern[32];
	size_t i = 0;

	(void)state;
	for (i = 0; i < 32; i++)
		sum[i] = two_parts[0][i] ^ two_parts[1][i];
	for (i = 0; i < 2; i++)
		assert_true(
		    hsa_is_ok(hsa_verification_pattern(ids[i], two_parts[i])));
	assert_true(hsa_is_ok(hsa_verification_pattern(pattern, sum)));
	cu_bench_open(b);

	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	check_event(b, &r, "hs-crypto.tke-cryptounit-admin.add", 2);
	check_text(&r.event.request, "adminId", b->ski[0]);
	check_list(
	    &r.event.response, "adminIds", (const uint8_t(*)[32])b->ski, 1);
	check_signers(b, &r, 0);
	hsa_record_free(&r);
	assert_int_equal(cu_bench_add(b, 1, 0), 0);
	check_event(b, &r, "hs-crypto.tke-cryptounit-admin.add", 2);
	check_list(
	    &r.event.response, "adminIds", (const uint8_t(*)[32])b->ski, 2);
	hsa_record_free(&r);

	assert_int_equal(cu_bench_attributes(b, 2, 1, TKE_PERM_DEFAULT, 3), 0);
	check_event(b, &r, "hs-crypto.tke-cryptounit-threshold.set", 8);
	check_number(&r.event.request, "signatureThreshold", 2);
	check_number(&r.event.request, "revocationSignatureThreshold", 1);
	check_number(&r.event.response, "signatureThreshold", 2);
	check_number(&r.event.response, "revocationSignatureThreshold", 1);
	check_signers(b, &r, 3);
	hsa_record_free(&r);

	assert_int_equal(cu_bench_importer(b, &key, TKE_IMPORTER_P521, 2), 0);
	cu_bench_last(b, &r);
	assert_int_equal(r.body, HSA_BODY_SPECIAL);
	assert_string_equal(r.special.name, "ADMIN_FUNCTION");
	assert_int_equal(r.special.category, 2);
	assert_true(r.special.has_initiator);
	assert_string_equal(
	    hsa_data_find(&r.special.details, "outcome")->text, "success");
	assert_string_equal(hsa_data_find(&r.special.details, "command")->text,
	    "generate importer key");
	assert_int_equal(r.command, 9);
	check_signers(b, &r, 2);
	hsa_record_free(&r);

	assert_int_equal(cu_bench_import(b, key, two_parts, 2, 1), 0);
	check_event(
	    b, &r, "hs-crypto.tke-cryptounit-master-key-register.add", 0x0c);
	check_list(
	    &r.event.request, "masterKeyIds", (const uint8_t(*)[32])ids, 2);
	check_text(&r.event.response, "verificationPattern", pattern);
	check_signers(b, &r, 1);
	hsa_record_free(&r);
	check_registers(b, "Full Uncommitted", "Empty", pattern, NULL, 1);

	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 3), 0);
	check_event(
	    b, &r, "hs-crypto.tke-cryptounit-master-key-register.commit", 0x0d);
	check_text(&r.event.request, "verificationPattern", pattern);
	check_list(
	    &r.event.response, "masterKeyIds", (const uint8_t(*)[32])ids, 2);
	hsa_record_free(&r);
	check_registers(b, "Full Committed", "Empty", pattern, NULL, 1);

	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	check_event(b, &r,
	    "hs-crypto.tke-cryptounit-master-key-register.activate", 0x0e);
	check_text(&r.event.request, "verificationPattern", pattern);
	check_text(&r.event.response, "verificationPattern", pattern);
	hsa_record_free(&r);
	check_registers(b, "Empty", "Valid", NULL, pattern, 1);

	assert_int_equal(cu_bench_remove(b, 0, 1), CU_CODE(209, 66));
	assert_int_equal(cu_bench_add(b, 2, 3), 0);
	assert_int_equal(cu_bench_remove(b, 0, 1), 0);
	check_event(b, &r, "hs-crypto.tke-cryptounit-admin.remove", 4);
	check_text(&r.event.request, "adminId", b->ski[0]);
	check_list(&r.event.response, "adminIds",
	    (const uint8_t(*)[32]) & b->ski[1], 2);
	hsa_record_free(&r);

	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_CLEAR_CURRENT, NULL, 0, 2), 0);
	check_event(b, &r,
	    "hs-crypto.tke-cryptounit-current-master-key-register.clear", 0x1b);
	assert_false(r.event.has_response);
	hsa_record_free(&r);
	check_registers(b, "Empty", "Empty", NULL, NULL, 0);

	assert_int_equal(cu_bench_import(b, key, two_parts, 2, 2), 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_CLEAR_PENDING, NULL, 0, 4), 0);
	check_event(b, &r,
	    "hs-crypto.tke-cryptounit-new-master-key-register.clear", 0x1c);
	hsa_record_free(&r);
	check_registers(b, "Empty", "Empty", NULL, NULL, 0);

	assert_int_equal(bk_mock_count(b->bk, CU_OBJECT_IMPORTER), 1);
	assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE, NULL, 0, 6), 0);
	check_event(b, &r, "hs-crypto.tke-cryptounit.reset", 0x10);
	hsa_record_free(&r);
	assert_int_equal(bk_mock_count(b->bk, CU_OBJECT_IMPORTER), 0);
	cu_bench_check_log(b);
	EVP_PKEY_free(key);
	cu_bench_free(b);
}

static void
test_cu_unit__zeroize_goes_back_to_imprint_under_a_new_instance(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer before = {0}, after = {0};
	struct hsa_unit_status st;
	struct tke_attributes a = {0};
	uint32_t present = 0;
	uint8_t pattern[32];

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 2, 2);
	cu_bench_load(b, pattern, two_parts, 2, 1);
	cu_bench_query(b, &before, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE, NULL, 0, 3), 0);
	cu_bench_query(b, &after, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_memory_not_equal(before.domain, after.domain, TKE_DOMAIN_LEN);
	assert_memory_equal(before.domain, after.domain, 4);
	assert_memory_equal(before.module, after.module, TKE_MODULE_LEN);
	assert_true(tke_counter_compare(after.counter, before.counter) > 0);
	assert_true(hsa_is_ok(tke_attributes_decode(
	    &a, &present, after.output.p, after.output.len, false)));
	assert_int_equal(present, 0x3e);
	assert_int_equal(a.signature_threshold, 0);
	assert_int_equal(a.revocation_threshold, 0);
	assert_int_equal(a.permissions, TKE_PERM_DEFAULT);
	cu_bench_status(b, &st);
	assert_true(st.imprint);
	assert_int_equal(st.admin_len, 0);
	assert_int_equal(st.token_object_len, 0);
	assert_int_equal(bk_mock_count(b->bk, CU_OBJECT_MASTER_KEY), 0);
	cu_answer_free(&before);
	cu_answer_free(&after);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__a_new_key_replaces_and_destroys_the_old_ones(void **state)
{
	static const uint8_t one[1][32] = {{1}}, two[1][32] = {{2}},
			     three[1][32] = {{3}};
	struct cu_bench *b = cu_bench_new();
	uint8_t p1[32], p2[32], p3[32];

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	cu_bench_load(b, p1, one, 1, 1);
	check_registers(b, "Full Uncommitted", "Empty", p1, NULL, 1);
	/* loading again replaces, committed or not */
	cu_bench_load(b, p2, two, 1, 1);
	check_registers(b, "Full Uncommitted", "Empty", p2, NULL, 1);
	assert_int_equal(bk_mock_count(b->bk, CU_OBJECT_IMPORTER), 1);
	assert_int_equal(cu_bench_command(b, TKE_CMD_WK_COMMIT, p2, 32, 1), 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, p2, 32, 1), 0);
	cu_bench_load(b, p3, three, 1, 1);
	check_registers(b, "Full Uncommitted", "Valid", p3, p2, 2);
	assert_int_equal(cu_bench_command(b, TKE_CMD_WK_COMMIT, p3, 32, 1), 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, p3, 32, 1), 0);
	check_registers(b, "Empty", "Valid", NULL, p3, 1);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__rsa_administrator_and_rsa_importer_work(void **state)
{
	struct cu_bench *b = cu_bench_new();
	const unsigned int rsa = 1u << CU_BENCH_RSA;
	EVP_PKEY *key = NULL;
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_add(b, CU_BENCH_RSA, 0), 0);
	assert_int_equal(
	    cu_bench_attributes(b, 1, 1, TKE_PERM_DEFAULT, rsa), 0);
	assert_int_equal(
	    cu_bench_importer(b, &key, TKE_IMPORTER_RSA2048, rsa), 0);
	assert_int_equal(cu_bench_import(b, key, two_parts, 2, rsa), 0);
	cu_bench_last(b, &r);
	check_signers(b, &r, rsa);
	hsa_record_free(&r);
	EVP_PKEY_free(key);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__state_survives_a_restart_and_epochs_count(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_unit_status st, again;
	struct cu_answer a1 = {0}, a2 = {0};
	struct hsa_record r = {0};
	uint8_t pattern[32];
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 3, 2, 3);
	cu_bench_load(b, pattern, two_parts, 2, 4);
	cu_bench_status(b, &st);
	cu_bench_query(b, &a1, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	cu_bench_close(b);
	cu_bench_last(b, &r);
	assert_string_equal(r.special.name, "UNIT_STOP");
	assert_int_equal(r.epoch, 1);
	hsa_record_free(&r);
	for (i = 2; i < 5; i++) {
		cu_bench_open(b);
		cu_bench_last(b, &r);
		assert_string_equal(r.special.name, "UNIT_START");
		assert_int_equal(r.epoch, i);
		assert_int_equal(
		    hsa_data_find(&r.special.details, "resealedRecords")
			->integer,
		    0);
		hsa_record_free(&r);
		cu_bench_status(b, &again);
		assert_int_equal(again.epoch, i);
		assert_int_equal(again.admin_len, 3);
		assert_memory_equal(again.admin, st.admin, sizeof(st.admin));
		assert_int_equal(again.signature_threshold, 2);
		assert_int_equal(again.revocation_threshold, 3);
		assert_memory_equal(again.new_pattern, pattern, 32);
		assert_string_equal(again.new_object, st.new_object);
		cu_bench_query(b, &a2, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
		assert_memory_equal(a2.domain, a1.domain, sizeof(a1.domain));
		assert_memory_equal(a2.module, a1.module, sizeof(a1.module));
		assert_memory_equal(a2.counter, a1.counter, sizeof(a1.counter));
		assert_memory_equal(a2.output.p, a1.output.p, a1.output.len);
		cu_answer_free(&a2);
		cu_bench_close(b);
	}
	cu_answer_free(&a1);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_unit__ceremony_leaves_every_event_with_its_fields),
	    cmocka_unit_test(
		test_cu_unit__zeroize_goes_back_to_imprint_under_a_new_instance),
	    cmocka_unit_test(
		test_cu_unit__a_new_key_replaces_and_destroys_the_old_ones),
	    cmocka_unit_test(
		test_cu_unit__rsa_administrator_and_rsa_importer_work),
	    cmocka_unit_test(
		test_cu_unit__state_survives_a_restart_and_epochs_count),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	/* and the same by m_admin's way in: what differs is the envelope */
	cu_bench_blocks = true;
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
