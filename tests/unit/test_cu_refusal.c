/* Every refusal a unit can give, and the event it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "helper_cu.h"
#include "hsa_hash.h"

static const uint8_t one_part[1][32] = {{0x5a}};
static const uint8_t parts4[4][32] = {{1}, {2}, {3}, {4}};

/* The newest record tells of this refusal: codes, status, words. */
static void
check_refused(struct cu_bench *b, uint32_t code, const char *action,
    uint32_t status, const char *words)
{
	struct hsa_record r = {0};
	const char *failure = NULL;
	char number[40];

	cu_bench_last(b, &r);
	assert_int_equal(CU_CODE(r.ep11_rc, r.ep11_reason), code);
	if (r.body == HSA_BODY_EVENT) {
		assert_string_equal(r.event.action_name, action);
		assert_string_equal(r.event.outcome, "failure");
		assert_string_equal(r.event.severity, "critical");
		assert_int_equal(r.event.reason_code, status);
		assert_non_null(r.event.reason_type);
		assert_false(r.event.has_response);
		failure = r.event.reason_failure;
	} else {
		assert_string_equal(r.special.name, action);
		assert_string_equal(
		    hsa_data_find(&r.special.details, "outcome")->text,
		    "failure");
		assert_int_equal(
		    hsa_data_find(&r.special.details, "status")->integer,
		    status);
		failure =
		    hsa_data_find(&r.special.details, "reasonForFailure")->text;
	}
	assert_non_null(failure);
	if (strstr(failure, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", failure, words);
	if (code != 0) {
		(void)snprintf(
		    number, sizeof(number), "return code %u", code >> 16);
		assert_non_null(strstr(failure, number));
	}
	if ((code & 0xffff) != 0) {
		(void)snprintf(
		    number, sizeof(number), "reason code %u", code & 0xffff);
		assert_non_null(strstr(failure, number));
	}
	hsa_record_free(&r);
}

#define ADD "hs-crypto.tke-cryptounit-admin.add"
#define REMOVE "hs-crypto.tke-cryptounit-admin.remove"
#define SET "hs-crypto.tke-cryptounit-threshold.set"
#define REGISTER "hs-crypto.tke-cryptounit-master-key-register."
#define RESET "hs-crypto.tke-cryptounit.reset"

#define REFUSED(b, call, rc, reason, action, status, words)                    \
	do {                                                                   \
		assert_int_equal((call), CU_CODE(rc, reason));                 \
		check_refused(                                                 \
		    (b), CU_CODE(rc, reason), (action), (status), (words));    \
	} while (0)

static uint32_t
send_order(struct cu_bench *b, const struct cu_order *o)
{
	struct cu_answer a = {0};
	uint32_t code = 0;

	cu_bench_order(b, &a, o);
	assert_int_equal(a.http, 200);
	assert_int_equal(a.envelope_rc, 0);
	code = CU_CODE(a.rc, a.reason);
	cu_answer_free(&a);
	return code;
}

static void
test_cu_unit__imprint_mode_refuses_all_key_commands(void **state)
{
	static const struct {
		uint32_t command;
		const char *action;
	} all[] = {
	    {TKE_CMD_GEN_IMPORTER, "ADMIN_FUNCTION"},
	    {TKE_CMD_WK_IMPORT, REGISTER "add"},
	    {TKE_CMD_WK_COMMIT, REGISTER "commit"},
	    {TKE_CMD_WK_FINALIZE, REGISTER "activate"},
	    {TKE_CMD_CP_SET, "ADMIN_FUNCTION"},
	    {TKE_CMD_CP_ADD, "ADMIN_FUNCTION"},
	    {TKE_CMD_CP_DELETE, "ADMIN_FUNCTION"},
	    {TKE_CMD_WK_CLEAR_CURRENT,
		"hs-crypto.tke-cryptounit-current-master-key-register"
		".clear"},
	    {TKE_CMD_WK_CLEAR_PENDING,
		"hs-crypto.tke-cryptounit-new-master-key-register.clear"},
	};
	struct cu_bench *b = cu_bench_new();
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		REFUSED(b,
		    cu_bench_command(b, all[i].command, NULL, 0, i % 2 == 0),
		    179, 34, all[i].action, 500, "imprint mode");
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__bad_signatures_are_told_apart(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_order o = {.command = TKE_CMD_WK_CLEAR_PENDING};
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 2, 2);
	o.signers = 1u;
	o.garbage = true;
	REFUSED(b, send_order(b, &o), 193, 22,
	    "hs-crypto.tke-cryptounit-new-master-key-register.clear", 500,
	    "signature");
	o.garbage = false;
	o.signers = 1u << 5; /* not installed */
	REFUSED(b, send_order(b, &o), 257, 22,
	    "hs-crypto.tke-cryptounit-new-master-key-register.clear", 500,
	    "not an administrator");
	o.signers = 3u;
	o.spoiled = 2u;
	REFUSED(b, send_order(b, &o), 192, 22,
	    "hs-crypto.tke-cryptounit-new-master-key-register.clear", 500,
	    "signature");
	/* the good one beside it is named */
	cu_bench_last(b, &r);
	assert_int_equal(r.signer_len, 1);
	assert_memory_equal(r.signer_id[0], b->ski[0], 32);
	hsa_record_free(&r);
	o.spoiled = 0;
	assert_int_equal(send_order(b, &o), 0);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__one_administrator_counts_once(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_order o = {
	    .command = TKE_CMD_ADMIN_ADD,
	    .signers = 1u,
	    .twice = 1u,
	};
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 2, 1);
	o.input = b->cert[2].p;
	o.input_len = b->cert[2].len;
	REFUSED(b, send_order(b, &o), 208, 21, ADD, 500, "too few signatures");
	cu_bench_last(b, &r);
	assert_int_equal(r.signer_len, 1);
	/* what was asked for is told even so */
	assert_non_null(hsa_data_find(&r.event.request, "adminId"));
	hsa_record_free(&r);
	o.signers = 3u;
	assert_int_equal(send_order(b, &o), 0);
	cu_bench_free(b);
}

static void
test_cu_unit__quorum_is_exact_for_every_threshold_pair(void **state)
{
	struct cu_bench *b = cu_bench_new();
	const uint32_t one = TKE_PERM_DEFAULT | TKE_PERM_ZEROIZE_ONE;
	uint32_t s = 0, r = 0, k = 0;

	(void)state;
	cu_bench_open(b);
	for (s = 1; s <= 4; s++)
		for (r = 1; r <= 4; r++) {
			const uint32_t few = CU_CODE(208, 21);

			for (k = 0; k < 5; k++)
				assert_int_equal(cu_bench_add(b, k, 0), 0);
			/* leaving imprint mode takes the new threshold */
			assert_int_equal(
			    cu_bench_attributes(
				b, s, r, TKE_PERM_DEFAULT, (1u << (s - 1)) - 1),
			    few);
			assert_int_equal(cu_bench_attributes(b, s, r,
					     TKE_PERM_DEFAULT, (1u << s) - 1),
			    0);
			for (k = 0; k < s; k++)
				assert_int_equal(
				    cu_bench_add(b, 5, (1u << k) - 1), few);
			assert_int_equal(cu_bench_add(b, 5, (1u << s) - 1), 0);
			for (k = 0; k < r; k++)
				assert_int_equal(
				    cu_bench_remove(b, 5, (1u << k) - 1), few);
			assert_int_equal(
			    cu_bench_remove(b, 5, (1u << r) - 1), 0);
			for (k = 0; k < s; k++)
				assert_int_equal(
				    cu_bench_command(b, TKE_CMD_ZEROIZE, NULL,
					0, (1u << k) - 1),
				    few);
			if (r % 2 == 0) {
				/* permission 0x40: one is enough, none not */
				assert_int_equal(cu_bench_attributes(b, s, r,
						     one, (1u << s) - 1),
				    0);
				assert_int_equal(
				    cu_bench_command(
					b, TKE_CMD_ZEROIZE, NULL, 0, 0),
				    few);
				assert_int_equal(
				    cu_bench_command(
					b, TKE_CMD_ZEROIZE, NULL, 0, 16),
				    0);
				continue;
			}
			assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE,
					     NULL, 0, (1u << s) - 1),
			    0);
		}
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__a_counter_is_good_once(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_buf first = {0}, unsigned_one = {0};
	struct cu_answer a = {0}, now = {0};
	struct cu_order o = {
	    .command = TKE_CMD_WK_CLEAR_CURRENT,
	    .signers = 1u,
	};
	uint8_t far[16], near[16];

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 1, 1);
	cu_bench_request(b, &first, &o);
	cu_bench_payload(b, &a, &first);
	b->commands++;
	assert_int_equal(a.rc, 0);
	cu_answer_free(&a);
	cu_bench_payload(b, &a, &first);
	b->commands++;
	assert_int_equal(CU_CODE(a.rc, a.reason), CU_CODE(163, 19));
	check_refused(b, CU_CODE(163, 19),
	    "hs-crypto.tke-cryptounit-current-master-key-register.clear", 500,
	    "counter");
	cu_answer_free(&a);
	/* nobody can move it without a signature */
	memset(far, 0xf0, sizeof(far));
	o.signers = 0;
	o.counter = (struct tke_slice){far, sizeof(far)};
	cu_bench_request(b, &unsigned_one, &o);
	cu_bench_payload(b, &a, &unsigned_one);
	b->commands++;
	assert_int_equal(CU_CODE(a.rc, a.reason), CU_CODE(208, 21));
	assert_true(a.counter[0] == 0);
	memcpy(near, a.counter, sizeof(near));
	cu_answer_free(&a);
	/* a stranger's signature moves it no more than none */
	o.signers = 1u << 7;
	assert_int_equal(send_order(b, &o), CU_CODE(257, 22));
	cu_bench_query(b, &now, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_memory_equal(now.counter, near, sizeof(near));
	cu_answer_free(&now);
	/* a good signature on a refused command uses its block up */
	o.signers = 1u;
	o.command = TKE_CMD_WK_COMMIT;
	assert_int_equal(send_order(b, &o), CU_CODE(101, 50));
	cu_bench_query(b, &now, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_memory_equal(now.counter, far, sizeof(far));
	cu_answer_free(&now);
	assert_int_equal(send_order(b, &o), CU_CODE(163, 19));
	/* and that outlives a restart */
	cu_bench_kill(b);
	cu_bench_open(b);
	assert_int_equal(send_order(b, &o), CU_CODE(163, 19));
	o.counter = (struct tke_slice){far, 15};
	assert_int_equal(send_order(b, &o), CU_CODE(163, 18));
	o.counter = (struct tke_slice){far, 0};
	assert_int_equal(send_order(b, &o), CU_CODE(163, 18));
	hsa_buf_free(&first);
	hsa_buf_free(&unsigned_one);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__a_block_for_another_unit_is_refused(void **state)
{
	static const uint32_t other = CU_BENCH_DOMAIN + 1;
	struct cu_bench *b = cu_bench_new();
	struct cu_answer now = {0};
	struct cu_order o = {.command = TKE_CMD_ZEROIZE, .signers = 1u};
	uint8_t id[16];
	size_t i = 0;
	static const struct {
		bool module;
		size_t at; /* byte to change */
		uint32_t reason;
	} all[] = {
	    {false, 3, 12}, {false, 7, 14}, {true, 0, 17}, {true, 15, 16}};

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	cu_bench_query(b, &now, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memcpy(id, all[i].module ? now.module : now.domain,
		    all[i].module ? 16 : 8);
		id[all[i].at] ^= 1;
		o.domain = (struct tke_slice){0};
		o.module = (struct tke_slice){0};
		if (all[i].module)
			o.module = (struct tke_slice){id, 16};
		else
			o.domain = (struct tke_slice){id, 8};
		assert_int_equal(send_order(b, &o), CU_CODE(3, all[i].reason));
		check_refused(b, CU_CODE(3, all[i].reason), RESET, 400, "");
	}
	o.module = (struct tke_slice){now.module, 15};
	assert_int_equal(send_order(b, &o), CU_CODE(3, 15));
	o.module = (struct tke_slice){0};
	o.domain = (struct tke_slice){now.domain, 7};
	assert_int_equal(send_order(b, &o), CU_CODE(3, 13));
	o.domain = (struct tke_slice){0};
	o.outer_domain = &other;
	assert_int_equal(send_order(b, &o), CU_CODE(3, 12));
	o.outer_domain = NULL;
	assert_int_equal(send_order(b, &o), 0);
	/* zeroized: the instance that was good before is now stale */
	o.domain = (struct tke_slice){now.domain, 8};
	o.signers = 0;
	assert_int_equal(send_order(b, &o), CU_CODE(3, 14));
	cu_answer_free(&now);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__administrators_are_eight_at_most_and_distinct(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t junk[40] = {0x30, 0x26};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	for (i = 0; i < 8; i++)
		assert_int_equal(cu_bench_add(b, i, 0), 0);
	REFUSED(b, cu_bench_add(b, 8, 0), 261, 39, ADD, 500, "no room");
	REFUSED(b, cu_bench_add(b, 3, 0), 256, 38, ADD, 500, "already");
	REFUSED(b, cu_bench_remove(b, 8, 0), 32, 33, REMOVE, 500,
	    "no such administrator");
	REFUSED(b, cu_bench_command(b, TKE_CMD_ADMIN_REMOVE, b->ski[0], 31, 0),
	    32, 32, REMOVE, 500, "malformed");
	REFUSED(b, cu_bench_command(b, TKE_CMD_ADMIN_ADD, NULL, 0, 0), 33, 40,
	    ADD, 400, "input missing");
	REFUSED(b,
	    cu_bench_command(b, TKE_CMD_ADMIN_ADD, junk, sizeof(junk), 0), 32,
	    40, ADD, 500, "certificate malformed");
	REFUSED(b,
	    cu_bench_command(
		b, TKE_CMD_ADMIN_ADD, b->cert[8].p, b->cert[8].len - 1, 0),
	    32, 40, ADD, 500, "certificate malformed");
	assert_int_equal(cu_bench_remove(b, 0, 0), 0);
	assert_int_equal(cu_bench_add(b, 8, 0), 0);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__removal_never_breaks_a_threshold(void **state)
{
	struct cu_bench *b = cu_bench_new();

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 3, 1, 3);
	REFUSED(b, cu_bench_remove(b, 2, 7), 209, 66, REMOVE, 500,
	    "fewer administrators");
	assert_int_equal(cu_bench_attributes(
			     b, 3, 1, TKE_PERM_DEFAULT | TKE_PERM_ONE_PART, 1),
	    0);
	REFUSED(b, cu_bench_remove(b, 2, 7), 209, 66, REMOVE, 500,
	    "fewer administrators");
	cu_bench_free(b);
}

static void
test_cu_unit__attributes_input_is_checked(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t in[40] = {0};
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	REFUSED(b, cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, NULL, 0, 0), 33,
	    41, SET, 400, "wrong size");
	in[3] = 1;
	in[7] = 1;
	REFUSED(b, cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in, 7, 0), 33,
	    41, SET, 400, "wrong size");
	in[11] = 1;
	REFUSED(b, cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in, 16, 0), 32,
	    43, SET, 500, "given twice");
	in[11] = 9;
	REFUSED(b, cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in, 16, 0), 32,
	    42, SET, 500, "unknown attribute");
	/* S alone: leaves R at 0 */
	REFUSED(b, cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in, 8, 1), 209,
	    56, SET, 500, "revocation threshold 0");
	cu_bench_last(b, &r);
	assert_non_null(hsa_data_find(&r.event.request, "signatureThreshold"));
	assert_null(
	    hsa_data_find(&r.event.request, "revocationSignatureThreshold"));
	hsa_record_free(&r);
	/* R alone, still in imprint mode: complete fields on success */
	in[3] = 2;
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in, 8, 0), 0);
	cu_bench_last(b, &r);
	assert_int_equal(
	    hsa_data_find(&r.event.request, "signatureThreshold")->integer, 0);
	hsa_record_free(&r);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__importing_is_refused_for_its_own_reasons(void **state)
{
	struct cu_bench *b = cu_bench_new();
	EVP_PKEY *key = NULL, *old = NULL;
	struct hsa_buf in = {0};
	uint8_t passed[16] = {0};
	const uint32_t perm = TKE_PERM_DEFAULT;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	assert_int_equal(cu_bench_attributes(b, 1, 1, perm, 1), 0);

	key = EVP_EC_gen("P-521");
	REFUSED(b, cu_bench_import(b, key, parts4, 2, 1), 102, 1,
	    REGISTER "add", 500, "importer key");
	assert_int_equal(cu_bench_importer(b, &old, 3, 1), 0);
	REFUSED(b, cu_bench_import(b, key, parts4, 2, 1), 32, 25,
	    REGISTER "add", 500, "does not decrypt");
	EVP_PKEY_free(key);
	key = old;
	REFUSED(b, cu_bench_import(b, key, one_part, 1, 1), 80, 81,
	    REGISTER "add", 500, "one part");
	REFUSED(b, cu_bench_import(b, key, parts4, 4, 1), 32, 75,
	    REGISTER "add", 500, "too many");
	REFUSED(b, cu_bench_import(b, key, parts4, 2, 0), 208, 9,
	    REGISTER "add", 500, "not signed");
	REFUSED(b, cu_bench_import(b, key, parts4, 2, 4), 257, 22,
	    REGISTER "add", 500, "not an administrator");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_IMPORT, NULL, 0, 0), 33, 2,
	    REGISTER "add", 400, "no key parts");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_IMPORT, "x", 1, 0), 32, 3,
	    REGISTER "add", 500, "embedded");

	/* an embedded block of another time */
	cu_bench_parts(b, &in, key, parts4, 1, 1, passed);
	cu_bench_parts(b, &in, key, parts4, 1, 1, NULL);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0), 163,
	    19, REGISTER "add", 500, "counter");
	hsa_buf_reset(&in);
	/* the counter of signed embedded blocks is used up with the outer */
	cu_bench_parts(b, &in, key, parts4, 2, 1, NULL);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0), 0);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0), 163,
	    19, REGISTER "add", 500, "counter");
	hsa_buf_reset(&in);

	/* a part signed, the other not */
	cu_bench_parts(b, &in, key, parts4, 1, 1, NULL);
	cu_bench_parts(b, &in, key, parts4, 1, 0, NULL);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0), 208,
	    9, REGISTER "add", 500, "not signed");
	hsa_buf_free(&in);

	assert_int_equal(
	    cu_bench_attributes(b, 1, 1, perm & ~TKE_PERM_IMPORT, 1), 0);
	REFUSED(b, cu_bench_import(b, key, parts4, 2, 1), 80, 80,
	    REGISTER "add", 500, "not permitted");
	EVP_PKEY_free(key);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

/* One embedded request, made wrong in one place. */
static uint32_t
import_embedded(struct cu_bench *b, struct cu_order inner)
{
	struct hsa_buf in = {0};
	uint32_t code = 0;

	inner.signers = 1;
	cu_bench_request(b, &in, &inner);
	code = cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0);
	hsa_buf_free(&in);
	return code;
}

static void
test_cu_unit__embedded_requests_must_say_what_the_outer_says(void **state)
{
	static const uint32_t other = CU_BENCH_DOMAIN + 1;
	static const uint8_t nothing[16];
	struct cu_bench *b = cu_bench_new();
	struct cu_order o = {.command = TKE_CMD_WK_COMMIT};
	EVP_PKEY *key = NULL;
	struct hsa_buf part = {0}, rsa_part = {0};
	EVP_PKEY *rsa = EVP_RSA_gen(2048);

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	assert_int_equal(cu_bench_importer(b, &key, 3, 1), 0);
	assert_true(hsa_is_ok(tke_recipient_build(&part, one_part[0], key)));
	assert_true(
	    hsa_is_ok(tke_recipient_build(&rsa_part, one_part[0], rsa)));
	o.input = part.p;
	o.input_len = part.len;
	REFUSED(b, import_embedded(b, o), 32, 6, REGISTER "add", 500,
	    "another function");
	o.command = TKE_CMD_WK_IMPORT;
	o.outer_domain = &other;
	REFUSED(b, import_embedded(b, o), 32, 7, REGISTER "add", 500,
	    "another domain");
	o.outer_domain = NULL;
	o.domain = (struct tke_slice){nothing, 8};
	REFUSED(b, import_embedded(b, o), 32, 7, REGISTER "add", 500,
	    "another domain");
	o.domain = (struct tke_slice){0};
	o.module = (struct tke_slice){nothing, 16};
	REFUSED(
	    b, import_embedded(b, o), 32, 16, REGISTER "add", 500, "module");
	o.module = (struct tke_slice){0};
	o.input_len--;
	REFUSED(b, import_embedded(b, o), 32, 23, REGISTER "add", 500,
	    "key part malformed");
	o.input = rsa_part.p;
	o.input_len = rsa_part.len;
	REFUSED(b, import_embedded(b, o), 32, 23, REGISTER "add", 500,
	    "key part malformed");
	o.input = part.p;
	o.input_len = part.len;
	assert_int_equal(import_embedded(b, o), 0);
	hsa_buf_free(&part);
	hsa_buf_free(&rsa_part);
	EVP_PKEY_free(key);
	EVP_PKEY_free(rsa);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__registers_refuse_what_they_do_not_hold(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t pattern[32], wrong[32];

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 2, 2);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_COMMIT, one_part, 32, 3), 101,
	    50, REGISTER "commit", 500, "empty");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_FINALIZE, one_part, 32, 1),
	    101, 64, REGISTER "activate", 500, "not committed");
	cu_bench_load(b, pattern, one_part, 1, 1);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1),
	    101, 64, REGISTER "activate", 500, "not committed");
	memcpy(wrong, pattern, sizeof(wrong));
	wrong[27] ^= 1;
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_COMMIT, wrong, 32, 3), 101,
	    48, REGISTER "commit", 500, "pattern differs");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 31, 3), 33,
	    48, REGISTER "commit", 400, "input missing");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 208,
	    21, REGISTER "commit", 500, "too few");
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 3), 0);
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 3), 101,
	    0, REGISTER "commit", 500, "expected");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_FINALIZE, wrong, 32, 1), 101,
	    48, REGISTER "activate", 500, "pattern differs");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 0),
	    208, 21, REGISTER "activate", 500, "too few");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_CLEAR_PENDING, NULL, 0, 0),
	    208, 21, "hs-crypto.tke-cryptounit-new-master-key-register.clear",
	    500, "too few");
	REFUSED(b, cu_bench_command(b, TKE_CMD_WK_CLEAR_PENDING, "x", 1, 1), 33,
	    0, "hs-crypto.tke-cryptounit-new-master-key-register.clear", 400,
	    "none is expected");
	REFUSED(b, cu_bench_command(b, TKE_CMD_ZEROIZE, "x", 1, 3), 33, 0,
	    RESET, 400, "none is expected");
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 2), 0);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__importer_kinds_are_checked(void **state)
{
	struct cu_bench *b = cu_bench_new();

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	REFUSED(b, cu_bench_importer(b, NULL, 1, 1), 32, 54, "ADMIN_FUNCTION",
	    500, "kind");
	REFUSED(b, cu_bench_command(b, TKE_CMD_GEN_IMPORTER, "\0\0", 2, 1), 33,
	    54, "ADMIN_FUNCTION", 400, "kind");
	REFUSED(b, cu_bench_importer(b, NULL, 3, 0), 208, 21, "ADMIN_FUNCTION",
	    500, "too few");
	b->bk->fail_rc = HSA_RC(E_UNSUPPORTED);
	b->bk->fail_at[BK_MOCK_IMPORTER] = 1;
	REFUSED(b, cu_bench_importer(b, NULL, 0, 1), 32, 54, "ADMIN_FUNCTION",
	    500, "kind");
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__unknown_commands_are_refused_and_recorded(void **state)
{
	static const uint32_t ids[] = {
	    0x00, 0x01, 0x03, 0x0a, 0x0b, 0x16, 0x17, 0x26, 0x27, 0xfffeffff};
	struct cu_bench *b = cu_bench_new();
	struct hsa_record r = {0};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		REFUSED(b, cu_bench_command(b, ids[i], NULL, 0, 0), 84, 11,
		    "REQUEST_REFUSED", 400, "not supported");
		cu_bench_last(b, &r);
		assert_int_equal(r.command, ids[i]);
		assert_true(r.special.has_initiator);
		hsa_record_free(&r);
	}
	assert_int_equal(cu_bench_counter(b, "refused.unknown-command"), i);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__denied_callers_are_recorded_and_turned_away(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	struct hsa_buf payload = {0}, info = {0};
	struct cu_order o = {.command = TKE_CMD_ADMIN_ADD};
	const struct tke_info_request q = {CU_BENCH_DOMAIN, 3};
	struct hsa_record r = {0};
	struct hsa_unit_status st;

	(void)state;
	cu_bench_open(b);
	o.input = b->cert[0].p;
	o.input_len = b->cert[0].len;
	cu_bench_request(b, &payload, &o);
	b->caller.denied = 403;
	assert_true(hsa_is_ok(
	    hsa_strdup_opt(&b->caller.denied_text, "role Manager needed")));
	cu_bench_payload(b, &a, &payload);
	b->commands++;
	assert_int_equal(a.http, 403);
	assert_string_equal(a.text, "role Manager needed");
	check_refused(b, 0, ADD, 403, "role Manager needed");
	cu_bench_last(b, &r);
	assert_string_equal(r.event.reason_type, "Forbidden");
	assert_non_null(hsa_data_find(&r.event.request, "adminId"));
	assert_int_equal(r.signer_len, 0);
	hsa_record_free(&r);
	cu_answer_free(&a);

	b->caller.denied = 401;
	free(b->caller.denied_text);
	b->caller.denied_text = NULL;
	cu_bench_payload(b, &a, &payload);
	b->commands++;
	assert_int_equal(a.http, 401);
	check_refused(b, 0, ADD, 401, "not authorized");
	cu_answer_free(&a);
	/* even what is malformed, and even queries */
	cu_bench_send(b, &a, "12;junk", 7);
	b->commands++;
	assert_int_equal(a.http, 401);
	check_refused(b, 0, "REQUEST_REFUSED", 401, "not authorized");
	cu_answer_free(&a);
	assert_true(hsa_is_ok(tke_info_request_encode(&info, &q)));
	cu_bench_payload(b, &a, &info);
	b->commands++;
	assert_int_equal(a.http, 401);
	check_refused(b, 0, "REQUEST_REFUSED", 401, "not authorized");
	cu_answer_free(&a);
	b->caller.denied = 0;
	cu_bench_status(b, &st);
	assert_int_equal(st.admin_len, 0);
	assert_int_equal(cu_bench_counter(b, "refused.unauthorized"), 4);
	hsa_buf_free(&payload);
	hsa_buf_free(&info);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__malformed_requests_are_answered_and_recorded(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	struct hsa_buf payload = {0}, transport = {0};
	struct cu_order o = {.command = TKE_CMD_ZEROIZE};
	struct hsa_record r = {0};
	size_t n = 0;

	(void)state;
	cu_bench_open(b);
	cu_bench_send(b, &a, "", 0);
	assert_true(a.host_error);
	check_refused(b, 0, "REQUEST_REFUSED", 400, "length");
	b->commands++;
	cu_answer_free(&a);
	cu_bench_request(b, &payload, &o);
	/* a whole transport string, but for the wrong module or domain */
	for (n = 0; n < 2; n++) {
		hsa_buf_reset(&transport);
		assert_true(hsa_is_ok(tke_request_encode(&transport,
		    CU_BENCH_MODULE + (n == 0 ? 1u : 0u),
		    CU_BENCH_DOMAIN + (n == 1 ? 1u : 0u), payload.p,
		    payload.len)));
		cu_bench_send(b, &a, (const char *)transport.p, transport.len);
		b->commands++;
		assert_true(a.host_error);
		assert_non_null(strstr(a.text, n == 0 ? "module" : "domain"));
		check_refused(
		    b, 0, "REQUEST_REFUSED", 400, "index is not this unit's");
		cu_answer_free(&a);
	}
	/* the payload cut at every byte: never a command, always a record */
	for (n = 0; n < payload.len; n++) {
		struct hsa_buf cut = {0};

		hsa_buf_put(&cut, payload.p, n);
		cu_bench_payload(b, &a, &cut);
		b->commands++;
		assert_int_equal(a.http, 200);
		assert_int_equal(a.envelope_rc, 7);
		cu_bench_last(b, &r);
		assert_int_equal(r.ep11_rc, 7);
		assert_string_equal(r.special.name, "REQUEST_REFUSED");
		assert_int_equal(
		    hsa_data_find(&r.special.details, "status")->integer, 400);
		hsa_record_free(&r);
		cu_answer_free(&a);
		hsa_buf_free(&cut);
	}
	assert_int_equal(
	    cu_bench_counter(b, "refused.malformed"), 3 + payload.len);
	cu_bench_payload(b, &a, &payload);
	b->commands++;
	assert_int_equal(a.rc, 0);
	cu_answer_free(&a);
	hsa_buf_free(&payload);
	hsa_buf_free(&transport);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__strings_of_callers_cannot_break_the_record(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_record r = {0};
	char *huge = malloc(200001);

	(void)state;
	assert_non_null(huge);
	memset(huge, 'x', 200000);
	huge[200000] = '\0';
	cu_bench_open(b);
	free(b->caller.initiator.name);
	b->caller.initiator.name = huge;
	free(b->caller.initiator.host_agent);
	assert_true(hsa_is_ok(hsa_strdup_opt(
	    &b->caller.initiator.host_agent, "bad \xff\xc3 text")));
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	cu_bench_last(b, &r);
	assert_int_equal(strlen(r.event.initiator.name), 1024);
	assert_string_equal(
	    r.event.initiator.host_agent, "bad \xef\xbf\xbd\xef\xbf\xbd text");
	hsa_record_free(&r);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_unit__imprint_mode_refuses_all_key_commands),
	    cmocka_unit_test(test_cu_unit__bad_signatures_are_told_apart),
	    cmocka_unit_test(test_cu_unit__one_administrator_counts_once),
	    cmocka_unit_test(
		test_cu_unit__quorum_is_exact_for_every_threshold_pair),
	    cmocka_unit_test(test_cu_unit__a_counter_is_good_once),
	    cmocka_unit_test(test_cu_unit__a_block_for_another_unit_is_refused),
	    cmocka_unit_test(
		test_cu_unit__administrators_are_eight_at_most_and_distinct),
	    cmocka_unit_test(test_cu_unit__removal_never_breaks_a_threshold),
	    cmocka_unit_test(test_cu_unit__attributes_input_is_checked),
	    cmocka_unit_test(
		test_cu_unit__importing_is_refused_for_its_own_reasons),
	    cmocka_unit_test(
		test_cu_unit__embedded_requests_must_say_what_the_outer_says),
	    cmocka_unit_test(
		test_cu_unit__registers_refuse_what_they_do_not_hold),
	    cmocka_unit_test(test_cu_unit__importer_kinds_are_checked),
	    cmocka_unit_test(
		test_cu_unit__unknown_commands_are_refused_and_recorded),
	    cmocka_unit_test(
		test_cu_unit__denied_callers_are_recorded_and_turned_away),
	    cmocka_unit_test(
		test_cu_unit__malformed_requests_are_answered_and_recorded),
	    cmocka_unit_test(
		test_cu_unit__strings_of_callers_cannot_break_the_record),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	/* and the same by m_admin's way in: what differs is the envelope */
	cu_bench_blocks = true;
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
