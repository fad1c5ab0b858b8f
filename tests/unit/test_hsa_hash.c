#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "helper_proto.h"
#include "hsa_buf.h"

/* FIPS 180-4 example values, as NIST publishes them. */
static const struct {
	const char *in;
	size_t repeat;
	const char *hex;
} sha_vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
     "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a", 1000000,
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void
test_hsa_sha256__nist_vectors(void **state)
{
	struct hsa_sha256 *h = hsa_sha256_new();

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < sizeof(sha_vectors) / sizeof(sha_vectors[0]);
	     i++) {
		uint8_t out[32], again[32];
		struct hsa_buf b = {0};
		char hex[65];
		size_t cut = 0;

		for (size_t k = 0; k < sha_vectors[i].repeat; k++)
			hsa_buf_str(&b, sha_vectors[i].in);
		assert_ok(hsa_buf_rc(&b));
		assert_ok(hsa_sha256(out, b.p, b.len));
		hsa_hex(hex, out, sizeof(out));
		assert_string_equal(hex, sha_vectors[i].hex);
		/* any division into three pieces is the same digest */
		for (size_t k = 0; k < 4; k++) {
			cut = b.len * k / 4;
			assert_ok(hsa_sha256_three(h, again, b.p, cut / 2,
			    b.p + cut / 2, cut - cut / 2, b.p + cut,
			    b.len - cut));
			assert_memory_equal(again, out, 32);
		}
		hsa_buf_free(&b);
	}
	hsa_sha256_free(h);
	hsa_sha256_free(NULL);
}

static void
test_hsa_verification_pattern__vector_of_the_wire_document(void **state)
{
	uint8_t key[32], out[32];
	char hex[65];

	(void)state;
	for (unsigned int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	assert_ok(hsa_verification_pattern(out, key));
	hsa_hex(hex, out, sizeof(out));
	assert_string_equal(hex,
	    "491176b0f443c65a7c7d72df47d6cbc0d04e111fb5a619f60d3e7767"
	    "00000000");
}

static void
test_hsa_hex__strict_both_ways(void **state)
{
	static const char *const bad[] = {"0", "0g", "g0", "0x00", " 00", "00 ",
	    "00f", "-1", "000", "\xc3\xa4"};
	uint8_t out[3] = {9, 9, 9};

	(void)state;
	assert_ok(hsa_unhex(out, 3, "00aBFf", 6));
	assert_memory_equal(out, "\x00\xab\xff", 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t n = 0; n <= 3; n++)
			assert_rc("E_FORMAT",
			    hsa_unhex(out, n, bad[i], strlen(bad[i])));
	assert_memory_equal(out, "\x00\xab\xff", 3);
	assert_rc("E_FORMAT", hsa_unhex(out, SIZE_MAX / 2 + 1, "", 0));
	assert_ok(hsa_unhex(out, 0, "", 0));
}

/* RFC 4648, section 10. */
static const struct {
	const char *plain, *coded;
} b64_vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static void
test_hsa_base64__rfc_4648_vectors_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(b64_vectors) / sizeof(b64_vectors[0]);
	     i++) {
		struct hsa_buf b = {0};
		const char *plain = b64_vectors[i].plain;
		const char *coded = b64_vectors[i].coded;

		hsa_base64(&b, plain, strlen(plain));
		assert_string_equal(hsa_buf_cstr(&b), coded);
		assert_int_equal(b.len, strlen(coded));
		hsa_buf_reset(&b);
		assert_ok(hsa_unbase64(&b, coded, strlen(coded)));
		assert_string_equal(hsa_buf_cstr(&b), plain);
		hsa_buf_free(&b);
	}
}

static void
test_hsa_base64__anything_but_the_canonical_spelling_is_refused(void **state)
{
	static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Z", "=",
	    "====", "Zh==", "Zm9=", "Zm8=Zm8=", "Zg==Zg==", " Zg==", "Zg== ",
	    "Zm9v\n", "\nZm9", "Zm 9", "Zm9-", "Zm9_", "Zm9\xc3", "Zm9.",
	    "=Zg=", "Z===", "Zm9v    "};
	struct hsa_buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc("E_FORMAT", hsa_unbase64(&b, bad[i], strlen(bad[i])));
	assert_rc("E_FORMAT", hsa_unbase64(&b, "Zm\0v", 4));
	assert_int_equal(b.len, 0);
	hsa_buf_free(&b);
}

static void
test_hsa_uuid__text_and_back(void **state)
{
	static const char *const bad[] = {"", "0",
	    "00000000-0000-4000-8000-00000000000",
	    "00000000-0000-4000-8000-0000000000000",
	    "000000000000-4000-8000-0000000000000",
	    "0000000-00000-4000-8000-000000000000",
	    "00000000-0000-4000-8000-00000000000g",
	    "{0000000-0000-4000-8000-00000000000}",
	    "00000000 0000 4000 8000 000000000000"};
	static const char good[] = "0123abcd-4567-489a-bcde-f00112233445";
	uint8_t id[16];
	char text[HSA_UUID_TEXT];

	(void)state;
	assert_ok(hsa_uuid_parse(id, good));
	assert_int_equal(id[0], 0x01);
	assert_int_equal(id[15], 0x45);
	hsa_uuid_text(text, id);
	assert_string_equal(text, good);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc("E_FORMAT", hsa_uuid_parse(id, bad[i]));
	hsa_uuid_text(text, id);
	assert_string_equal(text, good);
}

static void
test_hsa_uuid__new_ones_are_version_4_and_differ(void **state)
{
	uint8_t id[64][16], seen_or[16] = {0}, seen_and[16];

	(void)state;
	memset(seen_and, 0xff, sizeof(seen_and));
	assert_ok(hsa_uuid_many(id, 32));
	for (size_t i = 0; i < 64; i++) {
		if (i >= 32) /* the others came together */
			assert_ok(hsa_uuid_new(id[i]));
		assert_int_equal(id[i][6] >> 4, 4);
		assert_int_equal(id[i][8] >> 6, 2);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(id[i], id[k], 16);
		for (size_t k = 0; k < 16; k++) {
			seen_or[k] |= id[i][k];
			seen_and[k] &= id[i][k];
		}
	}
	/* no byte is stuck: each free bit takes both values in 64 draws but
	 * with odds of 2^-56 or so */
	assert_int_equal(seen_or[0], 0xff);
	assert_int_equal(seen_and[15], 0x00);
}

static void
test_hsa_equal_ct__compares_every_byte(void **state)
{
	uint8_t a[33] = {0}, b[33] = {0};

	(void)state;
	assert_true(hsa_equal_ct(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(hsa_equal_ct(a, b, sizeof(a)));
		assert_true(hsa_equal_ct(a, b, i));
		b[i] = 0;
	}
	assert_true(hsa_equal_ct(NULL, NULL, 0));
}

static void
test_hsa_random__fills_all_and_refuses_what_openssl_cannot_count(void **state)
{
	uint8_t a[64] = {0}, b[64] = {0};

	(void)state;
	assert_ok(hsa_random(a, sizeof(a)));
	assert_ok(hsa_random(b, sizeof(b)));
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a + 32, b + 32, 32);
	assert_rc("E_RANGE", hsa_random(a, (size_t)INT32_MAX + 1));
	hsa_wipe(a, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
	hsa_wipe(NULL, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_sha256__nist_vectors),
	    cmocka_unit_test(
		test_hsa_verification_pattern__vector_of_the_wire_document),
	    cmocka_unit_test(test_hsa_hex__strict_both_ways),
	    cmocka_unit_test(test_hsa_base64__rfc_4648_vectors_both_ways),
	    cmocka_unit_test(
		test_hsa_base64__anything_but_the_canonical_spelling_is_refused),
	    cmocka_unit_test(test_hsa_uuid__text_and_back),
	    cmocka_unit_test(test_hsa_uuid__new_ones_are_version_4_and_differ),
	    cmocka_unit_test(test_hsa_equal_ct__compares_every_byte),
	    cmocka_unit_test(
		test_hsa_random__fills_all_and_refuses_what_openssl_cannot_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
