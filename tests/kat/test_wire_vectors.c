/* Every vector of the TKE wire, as other programs made them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "hsa_hash.h"
#include "helper_tke.h"
#include "tke_key.h"
#include "tke_oa.h"
#include "tke_part.h"
#include "tke_sig.h"
#include "tke_wire.h"
#include "wire_vectors.h"

#define OK(f) assert_string_equal(hsa_err_name(f), "OK")
#define MODULE_INDEX 3
#define DOMAIN_INDEX 22

static const struct tke_slice none;

static void
request_is(const struct hsa_buf *payload, const char *want)
{
	struct hsa_buf text = {0};

	OK(tke_request_encode(
	    &text, MODULE_INDEX, DOMAIN_INDEX, payload->p, payload->len));
	assert_string_equal(hsa_buf_cstr(&text), want);
	hsa_buf_free(&text);
}

/* Both directions of an unsigned query. */
static void
query_is(uint32_t command, const char *domain_hex, const char *input_hex,
    const char *want)
{
	struct hsa_buf domain = htke_bytes(domain_hex);
	struct hsa_buf input = htke_bytes(input_hex);
	struct hsa_buf block = {0}, payload = {0};
	struct tke_request q = {0};
	struct tke_admin_request a = {0};
	enum tke_host_error host = TKE_HOST_BAD_LENGTH;
	uint32_t fn = 0;

	OK(tke_admin_block_encode(&block, command, htke_slice(&domain), none,
	    none, htke_slice(&input)));
	OK(tke_admin_request_encode(
	    &payload, DOMAIN_INDEX, htke_slice(&block), none));
	request_is(&payload, want);

	OK(tke_request_decode(&q, &host, want, strlen(want), NULL));
	assert_int_equal(host, TKE_HOST_OK);
	assert_int_equal(q.module_index, MODULE_INDEX);
	assert_int_equal(q.domain_index, DOMAIN_INDEX);
	assert_int_equal(q.payload.n, payload.len);
	assert_memory_equal(q.payload.p, payload.p, payload.len);
	OK(tke_payload_function(&fn, q.payload.p, q.payload.n));
	assert_int_equal(fn, TKE_FN_ADMIN);
	OK(tke_admin_request_decode(&a, q.payload.p, q.payload.n, NULL));
	assert_int_equal(a.domain_index, DOMAIN_INDEX);
	assert_int_equal(a.command, command);
	assert_true(htke_is(a.domain.p, a.domain.n, domain_hex));
	assert_true(htke_is(a.input.p, a.input.n, input_hex));
	assert_int_equal(a.module.n, 0);
	assert_int_equal(a.counter.n, 0);
	assert_int_equal(a.signatures.n, 0);
	tke_request_free(&q);
	hsa_buf_free(&domain);
	hsa_buf_free(&input);
	hsa_buf_free(&block);
	hsa_buf_free(&payload);
}

static void
test_wire__18_1_query_domain_attributes(void **state)
{
	(void)state;
	query_is(TKE_QUERY_DOMAIN_ATTRIBUTES, "0000001600000000", "",
	    WV_ATTRIBUTES_QUERY);
}

static void
test_wire__18_2_query_device_certificate(void **state)
{
	(void)state;
	query_is(TKE_QUERY_DEVICE_CERT, "0000000000000000", "00000001",
	    WV_CERT1_QUERY);
}

static void
test_wire__18_3_domain_information(void **state)
{
	const struct tke_info_request info = {
	    DOMAIN_INDEX, TKE_XCP_INFO_DOMAIN};
	struct tke_info_request got = {0};
	struct tke_request q = {0};
	struct hsa_buf payload = {0};
	enum tke_host_error host = TKE_HOST_BAD_LENGTH;
	uint32_t fn = 0;

	(void)state;
	OK(tke_info_request_encode(&payload, &info));
	request_is(&payload, WV_DOMAIN_INFO);
	OK(tke_request_decode(
	    &q, &host, WV_DOMAIN_INFO, strlen(WV_DOMAIN_INFO), NULL));
	OK(tke_payload_function(&fn, q.payload.p, q.payload.n));
	assert_int_equal(fn, TKE_FN_XCP_INFO);
	OK(tke_info_request_decode(&got, q.payload.p, q.payload.n));
	assert_int_equal(got.domain_index, DOMAIN_INDEX);
	assert_int_equal(got.subtype, TKE_XCP_INFO_DOMAIN);
	tke_request_free(&q);
	hsa_buf_free(&payload);
}

static void
counting(uint8_t *to, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(first + i);
}

static void
test_wire__18_4_verification_pattern(void **state)
{
	uint8_t key[32], pattern[HSA_SHA256_LEN] = {0};

	(void)state;
	counting(key, sizeof(key), 0);
	OK(hsa_verification_pattern(pattern, key));
	assert_true(htke_is(pattern, sizeof(pattern), WV_PATTERN));
}

static void
test_wire__18_5_block_is_encoded_as_the_client_does(void **state)
{
	struct hsa_buf domain = htke_bytes("0000001600000002");
	struct hsa_buf module = htke_bytes("53494d30303030310000000000000001");
	struct hsa_buf counter = htke_bytes("00000000000000000000000000000042");
	struct hsa_buf pattern = htke_bytes(WV_PATTERN), block = {0};
	struct hsa_buf sigs = htke_bytes(WV_SIGNATURES), request = {0};
	struct hsa_buf head = htke_bytes(WV_REQUEST_HEAD);
	struct tke_admin_request a = {0};
	static const uint8_t after[] = {0x04, 0x82, 0x02, 0x1e};

	(void)state;
	OK(tke_admin_block_encode(&block, TKE_CMD_WK_COMMIT,
	    htke_slice(&domain), htke_slice(&module), htke_slice(&counter),
	    htke_slice(&pattern)));
	assert_true(htke_is(block.p, block.len, WV_BLOCK));

	OK(tke_admin_request_encode(
	    &request, DOMAIN_INDEX, htke_slice(&block), htke_slice(&sigs)));
	assert_memory_equal(request.p, head.p, head.len);
	/* 4 of SEQUENCE, two OS of 6, block in an OS of 2 + 88 */
	assert_memory_equal(request.p + 4 + 12 + 2 + 88, after, 4);
	assert_int_equal(request.len, 4 + 0x288);
	OK(tke_admin_request_decode(&a, request.p, request.len, NULL));
	assert_int_equal(a.command, TKE_CMD_WK_COMMIT);
	assert_true(htke_is(a.block.p, a.block.n, WV_BLOCK));
	assert_true(htke_is(a.signatures.p, a.signatures.n, WV_SIGNATURES));
	assert_true(htke_is(a.input.p, a.input.n, WV_PATTERN));
	assert_memory_equal(a.module.p, module.p, module.len);
	assert_memory_equal(a.counter.p, counter.p, counter.len);
	hsa_buf_free(&domain);
	hsa_buf_free(&module);
	hsa_buf_free(&counter);
	hsa_buf_free(&pattern);
	hsa_buf_free(&block);
	hsa_buf_free(&sigs);
	hsa_buf_free(&request);
	hsa_buf_free(&head);
}

static EVP_PKEY *
point_key(const char *hex)
{
	struct hsa_buf point = htke_bytes(hex);
	EVP_PKEY *key = NULL;

	assert_int_equal(point.len, TKE_POINT_LEN);
	OK(tke_key_from_point(&key, point.p));
	hsa_buf_free(&point);
	return key;
}

static void
test_wire__18_5_administrators_and_their_signatures(void **state)
{
	EVP_PKEY *key[] = {point_key(WV_ADMIN_P521_POINT),
	    htke_rsa_of(WV_ADMIN_RSA_MODULUS, "010001", NULL)};
	static const char *const ski[] = {WV_ADMIN_P521_SKI, WV_ADMIN_RSA_SKI};
	static const enum tke_key_type type[] = {TKE_KEY_P521, TKE_KEY_RSA2048};
	struct hsa_buf block = htke_bytes(WV_BLOCK), again = {0};
	struct hsa_buf sigs = htke_bytes(WV_SIGNATURES);
	struct tke_signer_info s = {0};
	uint8_t id[TKE_SKI_LEN] = {0};
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		OK(tke_signer_info_parse(&s, sigs.p + at, sigs.len - at));
		assert_int_equal(s.type, type[i]);
		assert_true(htke_is(s.ski, sizeof(s.ski), ski[i]));
		OK(tke_ski(id, key[i]));
		assert_memory_equal(id, s.ski, sizeof(id));
		OK(tke_verify(&s, key[i], block.p, block.len));
		assert_string_equal(hsa_err_name(tke_verify(
					&s, key[1 - i], block.p, block.len)),
		    "E_SIGNATURE");
		assert_string_equal(hsa_err_name(tke_verify(
					&s, key[i], block.p, block.len - 1)),
		    "E_SIGNATURE");
		OK(tke_signer_info_encode(
		    &again, s.type, s.ski, s.signature.p, s.signature.n));
		at += s.used;
	}
	assert_int_equal(at, sigs.len);
	assert_int_equal(again.len, sigs.len);
	assert_memory_equal(again.p, sigs.p, sigs.len);
	EVP_PKEY_free(key[0]);
	EVP_PKEY_free(key[1]);
	hsa_buf_free(&block);
	hsa_buf_free(&sigs);
	hsa_buf_free(&again);
}

/* ---- 18.6 ---------------------------------------------------------------- */

static EVP_PKEY *
chain_walk(void)
{
	struct hsa_buf c0 = htke_bytes(WV_OA_CERT0);
	struct hsa_buf c1 = htke_bytes(WV_OA_CERT1);
	const struct tke_slice chain[] = {htke_slice(&c0), htke_slice(&c1)};
	const struct tke_slice swapped[] = {htke_slice(&c1), htke_slice(&c0)};
	EVP_PKEY *root = point_key(WV_ROOT_POINT), *key = NULL;
	struct hsa_diag diag = {0};

	OK(tke_oa_chain_verify(&key, chain, 2, root, &diag));
	assert_string_equal(
	    hsa_err_name(tke_oa_chain_verify(&root, chain, 1, root, &diag)),
	    "E_SIGNATURE");
	assert_non_null(strstr(diag.text, "certificate 0"));
	assert_string_equal(
	    hsa_err_name(tke_oa_chain_verify(&root, swapped, 2, root, &diag)),
	    "E_SIGNATURE");
	EVP_PKEY_free(root);
	hsa_buf_free(&c0);
	hsa_buf_free(&c1);
	return key;
}

static void
test_wire__18_6_chain_walks_from_certificate_0_to_the_root(void **state)
{
	struct hsa_buf c0 = htke_bytes(WV_OA_CERT0);
	struct tke_oa_cert cert = {0};
	uint8_t point[TKE_POINT_LEN] = {0};
	EVP_PKEY *key = chain_walk();

	(void)state;
	OK(tke_oa_parse(&cert, c0.p, c0.len));
	assert_string_equal(cert.adapter_id, "SIM000010000");
	assert_int_equal(cert.tbs.n, 544);
	OK(tke_point(point, key));
	assert_memory_equal(point, cert.point, sizeof(point));
	EVP_PKEY_free(key);
	hsa_buf_free(&c0);
}

/* Our builder makes the same bytes from the same facts. */
static void
oa_rebuild(const char *hex)
{
	struct hsa_buf want = htke_bytes(hex), sig = {0}, b = {0};
	struct tke_oa_cert c = {0};

	OK(tke_oa_parse(&c, want.p, want.len));
	OK(tke_oa_tbs(
	    &b, "SIM00001", c.point, c.signer_ski, "20260101000000Z"));
	assert_int_equal(b.len, c.tbs.n);
	assert_memory_equal(b.p, c.tbs.p, c.tbs.n);
	hsa_buf_put(&sig, "\x30\x81\x88\x02\x42", 5);
	hsa_buf_put(&sig, c.r.p, c.r.n);
	hsa_buf_put(&sig, "\x02\x42", 2);
	hsa_buf_put(&sig, c.s.p, c.s.n);
	OK(tke_oa_finish(&b, c.signer_ski, sig.p, sig.len));
	assert_int_equal(b.len, want.len);
	assert_memory_equal(b.p, want.p, want.len);
	hsa_buf_free(&want);
	hsa_buf_free(&sig);
	hsa_buf_free(&b);
}

static void
test_wire__18_6_certificates_are_rebuilt_byte_for_byte(void **state)
{
	(void)state;
	oa_rebuild(WV_OA_CERT0);
	oa_rebuild(WV_OA_CERT1);
}

struct answer {
	struct hsa_buf cprb, text;
	struct tke_admin_reply reply;
};

/* Field 2 of an answer within a whole transport string, decoded; and the same
 * field made by our unit's half from the request. */
static struct answer
answer(const char *hex, const char *request)
{
	struct answer a = {0};
	struct tke_slice payload = {0};
	struct tke_request q = {0};
	enum tke_host_error host = TKE_HOST_OK;

	OK(tke_request_decode(&q, &host, request, strlen(request), NULL));
	hsa_buf_printf(&a.text, "%zu;00%154s;%s", strlen(hex) + 158, "", hex);
	OK(tke_reply_decode(
	    &a.cprb, &payload, hsa_buf_cstr(&a.text), a.text.len, NULL));
	OK(tke_admin_reply_decode(&a.reply, payload.p, payload.n, NULL));
	hsa_buf_reset(&a.text);
	OK(tke_reply_encode(&a.text, &q, payload.p, payload.n));
	assert_string_equal(strrchr(hsa_buf_cstr(&a.text), ';') + 1, hex);
	tke_request_free(&q);
	return a;
}

static void
answer_verifies(const struct answer *a)
{
	const struct tke_admin_reply *r = &a->reply;
	struct tke_signer_info s = {0};
	EVP_PKEY *key = chain_walk();
	uint8_t ski[TKE_SKI_LEN] = {0};
	struct hsa_buf block = {0}, payload = {0};

	OK(tke_signer_info_parse(&s, r->signature.p, r->signature.n));
	assert_int_equal(s.used, r->signature.n);
	OK(tke_ski(ski, key));
	assert_memory_equal(ski, s.ski, sizeof(ski));
	OK(tke_verify(&s, key, r->block.p, r->block.n));
	/* and our encoder makes the block that was signed */
	OK(tke_admin_reply_block_encode(&block, r->command, r->domain.p,
	    r->module.p, r->counter.p, r->rc, r->output));
	OK(tke_verify(&s, key, block.p, block.len));
	OK(tke_admin_reply_encode(
	    &payload, r->domain_index, htke_slice(&block), r->signature));
	assert_int_equal(payload.len, a->cprb.len - 32);
	assert_memory_equal(payload.p, a->cprb.p + 32, payload.len);
	EVP_PKEY_free(key);
	hsa_buf_free(&block);
	hsa_buf_free(&payload);
}

static void
test_wire__18_6_answer_with_attributes(void **state)
{
	struct answer a = answer(WV_ATTRIBUTES_ANSWER, WV_ATTRIBUTES_QUERY);
	struct tke_attributes attr = {9, 9, 9, 9, 9};
	uint32_t present = 0;

	(void)state;
	assert_int_equal(a.reply.command, TKE_QUERY_DOMAIN_ATTRIBUTES);
	assert_int_equal(a.reply.domain_index, DOMAIN_INDEX);
	assert_int_equal(a.reply.rc, 0);
	assert_int_equal(a.reply.reason, 0);
	assert_true(htke_is(a.reply.domain.p, 8, "0000001600000001"));
	assert_true(
	    htke_is(a.reply.module.p, 16, "53494d30303030310000000000000001"));
	assert_true(
	    htke_is(a.reply.counter.p, 16, "00d5e00d40b61b97e85b2927e0f95b62"));
	answer_verifies(&a);
	OK(tke_attributes_decode(
	    &attr, &present, a.reply.output.p, a.reply.output.n, true));
	assert_int_equal(present, 0x3e);
	assert_int_equal(attr.signature_threshold, 0);
	assert_int_equal(attr.revocation_threshold, 0);
	assert_int_equal(attr.permissions, TKE_PERM_DEFAULT);
	assert_int_equal(attr.operational_mode, 0x00040000);
	assert_int_equal(attr.standards, 1);
	hsa_buf_reset(&a.text);
	tke_attributes_encode_all(&a.text, &attr);
	assert_int_equal(a.text.len, a.reply.output.n);
	assert_memory_equal(a.text.p, a.reply.output.p, a.text.len);
	hsa_buf_free(&a.cprb);
	hsa_buf_free(&a.text);
}

static void
test_wire__18_6_answer_past_the_last_certificate(void **state)
{
	struct answer a = answer(WV_CERT2_ANSWER, WV_CERT1_QUERY);

	(void)state;
	assert_int_equal(a.reply.command, TKE_QUERY_DEVICE_CERT);
	assert_int_equal(a.reply.rc, 96);
	assert_int_equal(a.reply.reason, 60);
	answer_verifies(&a);
	hsa_buf_free(&a.cprb);
	hsa_buf_free(&a.text);
}

/* ---- 18.7 ---------------------------------------------------------------- */

static void
kdf_is(int with_null, size_t info_len, const char *kek_hex,
    const char *wrapped_hex)
{
	uint8_t z[66], ukm[40], part[TKE_PART_LEN], kek[32] = {0}, out[56];
	struct hsa_buf info = {0}, all = {0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, more = 0;

	counting(z, sizeof(z), 0);
	counting(ukm, sizeof(ukm), 0x40);
	counting(part, sizeof(part), 0);
	OK(tke_kdf_info(&info, ukm, sizeof(ukm), with_null));
	assert_int_equal(info.len, 4 + info_len);
	hsa_buf_put(&all, z, sizeof(z));
	hsa_buf_put(&all, info.p, info.len);
	OK(hsa_sha256(kek, all.p, all.len));
	assert_true(htke_is(kek, sizeof(kek), kek_hex));
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(
	    EVP_EncryptInit_ex2(ctx, EVP_aes_256_wrap(), kek, NULL, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, part, 32), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + n, &more), 1);
	assert_true(htke_is(out, (size_t)(n + more), wrapped_hex));
	EVP_CIPHER_CTX_free(ctx);
	hsa_buf_free(&info);
	hsa_buf_free(&all);
}

static void
test_wire__18_7_key_derivation_and_wrap(void **state)
{
	(void)state;
	kdf_is(1, 69, WV_KEK_WITH_NULL, WV_WRAPPED_WITH_NULL);
	kdf_is(0, 67, WV_KEK_WITHOUT_NULL, WV_WRAPPED_WITHOUT_NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wire__18_1_query_domain_attributes),
	    cmocka_unit_test(test_wire__18_2_query_device_certificate),
	    cmocka_unit_test(test_wire__18_3_domain_information),
	    cmocka_unit_test(test_wire__18_4_verification_pattern),
	    cmocka_unit_test(
		test_wire__18_5_block_is_encoded_as_the_client_does),
	    cmocka_unit_test(
		test_wire__18_5_administrators_and_their_signatures),
	    cmocka_unit_test(
		test_wire__18_6_chain_walks_from_certificate_0_to_the_root),
	    cmocka_unit_test(
		test_wire__18_6_certificates_are_rebuilt_byte_for_byte),
	    cmocka_unit_test(test_wire__18_6_answer_with_attributes),
	    cmocka_unit_test(test_wire__18_6_answer_past_the_last_certificate),
	    cmocka_unit_test(test_wire__18_7_key_derivation_and_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
