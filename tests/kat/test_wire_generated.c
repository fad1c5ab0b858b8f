/* Vectors of gen_wire.py, a second implementation without OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "helper_tke.h"
#include "tke_key.h"
#include "tke_part.h"
#include "tke_sig.h"
#include "tke_wire.h"
#include "wire_generated.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

static void
block_is(size_t n, const char *want)
{
	struct hsa_buf domain = htke_bytes("0000001600000002");
	struct hsa_buf module = htke_bytes("53494d30303030310000000000000001");
	struct hsa_buf counter = htke_bytes("0000000000000000000000000000002a");
	struct hsa_buf input = htke_bytes(WG_INPUT), b = {0};

	OK(tke_admin_block_encode(&b, TKE_CMD_ADMIN_ADD, htke_slice(&domain),
	    htke_slice(&module), htke_slice(&counter),
	    (struct tke_slice){input.p, n}));
	assert_true(htke_is(b.p, b.len, want));
	hsa_buf_free(&domain);
	hsa_buf_free(&module);
	hsa_buf_free(&counter);
	hsa_buf_free(&input);
	hsa_buf_free(&b);
}

static void
test_wire_generated__blocks_at_the_edges_of_length_forms(void **state)
{
	(void)state;
	block_is(0, WG_BLOCK_0);
	block_is(44, WG_BLOCK_44);
	block_is(45, WG_BLOCK_45);
	block_is(172, WG_BLOCK_172);
	block_is(173, WG_BLOCK_173);
	block_is(400, WG_BLOCK_400);
}

static void
verifies(EVP_PKEY *key, const char *message_hex, const char *signer_info)
{
	struct hsa_buf message = htke_bytes(message_hex);
	struct hsa_buf b = htke_bytes(signer_info);
	struct tke_signer_info s = {0};

	OK(tke_signer_info_parse(&s, b.p, b.len));
	assert_int_equal(s.used, b.len);
	OK(tke_verify(&s, key, message.p, message.len));
	message.p[0] ^= 1;
	ERR(tke_verify(&s, key, message.p, message.len), "E_SIGNATURE");
	hsa_buf_free(&message);
	hsa_buf_free(&b);
}

static void
signs(EVP_PKEY *key, const char *message_hex, const char *signer_info)
{
	struct hsa_buf message = htke_bytes(message_hex), b = {0};

	OK(tke_sign(&b, key, message.p, message.len));
	assert_true(htke_is(b.p, b.len, signer_info));
	hsa_buf_free(&message);
	hsa_buf_free(&b);
}

static void
test_wire_generated__x931_is_raw_and_both_roots_verify(void **state)
{
	EVP_PKEY *key = htke_rsa_of(WG_RSA_N, "010001", WG_RSA_D);
	uint8_t ski[TKE_SKI_LEN] = {0};

	(void)state;
	OK(tke_ski(ski, key));
	assert_true(htke_is(ski, sizeof(ski), WG_RSA_SKI));
	signs(key, WG_RSA_SMALL_MESSAGE, WG_RSA_SMALL_SIGNER_INFO);
	signs(key, WG_RSA_BIG_MESSAGE, WG_RSA_BIG_SIGNER_INFO);
	verifies(key, WG_RSA_SMALL_MESSAGE, WG_RSA_SMALL_SIGNER_INFO);
	verifies(key, WG_RSA_BIG_MESSAGE, WG_RSA_BIG_SIGNER_INFO);
	verifies(key, WG_RSA_SMALL_MESSAGE, WG_RSA_SMALL_OTHER);
	verifies(key, WG_RSA_BIG_MESSAGE, WG_RSA_BIG_OTHER);
	EVP_PKEY_free(key);
}

static void
test_wire_generated__ecdsa_verifies_minimal_and_padded(void **state)
{
	struct hsa_buf point = htke_bytes(WG_EC_POINT);
	EVP_PKEY *key = NULL;
	uint8_t ski[TKE_SKI_LEN] = {0};

	(void)state;
	OK(tke_key_from_point(&key, point.p));
	OK(tke_ski(ski, key));
	assert_true(htke_is(ski, sizeof(ski), WG_EC_SKI));
	assert_true(strlen(WG_EC_MINIMAL) < strlen(WG_EC_PADDED));
	verifies(key, "73686f7274", WG_EC_MINIMAL);
	verifies(key, "73686f7274", WG_EC_PADDED);
	EVP_PKEY_free(key);
	hsa_buf_free(&point);
}

static void
kdf_is(size_t n, int with_null, const char *want)
{
	struct hsa_buf ukm = htke_bytes(WG_INPUT), b = {0};

	OK(tke_kdf_info(&b, ukm.p, n, with_null));
	assert_true(htke_is(b.p, b.len, want));
	hsa_buf_free(&ukm);
	hsa_buf_free(&b);
}

static void
test_wire_generated__kdf_info(void **state)
{
	(void)state;
	kdf_is(1, 1, WG_KDF_1_NULL);
	kdf_is(1, 0, WG_KDF_1);
	kdf_is(40, 1, WG_KDF_40_NULL);
	kdf_is(40, 0, WG_KDF_40);
	kdf_is(64, 1, WG_KDF_64_NULL);
	kdf_is(64, 0, WG_KDF_64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_wire_generated__blocks_at_the_edges_of_length_forms),
	    cmocka_unit_test(
		test_wire_generated__x931_is_raw_and_both_roots_verify),
	    cmocka_unit_test(
		test_wire_generated__ecdsa_verifies_minimal_and_padded),
	    cmocka_unit_test(test_wire_generated__kdf_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
