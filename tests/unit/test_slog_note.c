#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "slog_note.h"

static struct helper_slog h;
static struct slog_key key;
static const uint8_t root[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static int
setup(void **state)
{
	(void)state;
	helper_slog_init(&h);
	return hsa_is_ok(slog_key_init(&key, HELPER_ORIGIN, h.cfg.public_key))
		   ? 0
		   : -1;
}

static int
teardown(void **state)
{
	(void)state;
	helper_slog_free(&h);
	return 0;
}

/* Published verifier keys of Go's checksum database and its note package. */
static void
test_slog_note__key_hash_is_that_of_published_keys(void **state)
{
	static const struct {
		const char *name, *hash, *base64;
	} known[] = {
	    {"PeterNeumann", "c74f20a3",
		"ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"},
	    {"sum.golang.org", "033de0ae",
		"Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hsa_buf b = {0};
		struct slog_key k;
		char hex[9];

		assert_ok(
		    hsa_unbase64(&b, known[i].base64, strlen(known[i].base64)));
		assert_int_equal(b.len, 33);
		assert_int_equal(b.p[0], 1);
		assert_ok(slog_key_init(&k, known[i].name, b.p + 1));
		hsa_hex(hex, k.hash, 4);
		assert_string_equal(hex, known[i].hash);
		hsa_buf_free(&b);
	}
}

static void
test_slog_note__text_is_the_checkpoint_of_c2sp_byte_for_byte(void **state)
{
	static const char text[] =
	    HELPER_ORIGIN "\n18446744073709551615\n"
			  "AQIDBAUGBwgJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	static const char mark[] = "\n\xe2\x80\x94 " HELPER_ORIGIN " ";
	struct hsa_buf b = {0}, blob = {0};
	size_t at = sizeof(text) - 1;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	(void)state;
	assert_ok(slog_note_seal(&b, &key, UINT64_MAX, root, h.cfg.sign, &h));
	assert_true(b.len > at + sizeof(mark));
	assert_memory_equal(b.p, text, at);
	assert_memory_equal(b.p + at, mark, sizeof(mark) - 1);
	at += sizeof(mark) - 1;
	assert_int_equal(b.p[b.len - 1], '\n');
	assert_ok(hsa_unbase64(&blob, (const char *)b.p + at, b.len - 1 - at));
	assert_int_equal(blob.len, 68);
	assert_memory_equal(blob.p, key.hash, 4);
	/* by OpenSSL, over the text as a reader cuts it out */
	assert_int_equal(EVP_DigestVerifyInit(c, NULL, NULL, NULL, h.key), 1);
	assert_int_equal(
	    EVP_DigestVerify(c, blob.p + 4, 64, b.p, sizeof(text) - 1), 1);
	EVP_MD_CTX_free(c);
	hsa_buf_free(&b);
	hsa_buf_free(&blob);
}

static void
test_slog_note__what_was_sealed_parses_and_verifies(void **state)
{
	static const uint64_t sizes[] = {0, 1, 9, 10, 1u << 20, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct slog_note note;
		struct hsa_buf b = {0};

		assert_ok(
		    slog_note_seal(&b, &key, sizes[i], root, h.cfg.sign, &h));
		assert_ok(slog_note_parse(&note, &key, b.p, b.len));
		assert_true(note.size == sizes[i] && note.used == b.len);
		assert_memory_equal(note.root, root, 32);
		assert_ok(slog_note_verify(&note, &key));
		hsa_buf_free(&b);
	}
}

static void
test_slog_note__every_cut_and_every_flipped_byte_is_refused(void **state)
{
	struct slog_note note;
	struct hsa_buf b = {0};

	(void)state;
	assert_ok(slog_note_seal(&b, &key, 1234, root, h.cfg.sign, &h));
	for (size_t n = 0; n < b.len; n++)
		assert_false(hsa_is_ok(slog_note_parse(&note, &key, b.p, n)));
	for (size_t i = 0; i < b.len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			hsa_rc rc;

			b.p[i] ^= (uint8_t)(1u << bit);
			rc = slog_note_parse(&note, &key, b.p, b.len);
			if (hsa_is_ok(rc))
				rc = slog_note_verify(&note, &key);
			assert_false(hsa_is_ok(rc));
			b.p[i] ^= (uint8_t)(1u << bit);
		}
	hsa_buf_free(&b);
}

static void
test_slog_note__witness_lines_are_kept_and_other_bytes_refused(void **state)
{
	struct slog_note note;
	struct hsa_buf b = {0};
	size_t ours;

	(void)state;
	assert_ok(slog_note_seal(&b, &key, 7, root, h.cfg.sign, &h));
	ours = b.len;
	hsa_buf_str(&b, "\xe2\x80\x94 witness.example AAAAAAA=\n");
	assert_ok(slog_note_parse(&note, &key, b.p, b.len));
	assert_int_equal(note.used, ours);
	assert_ok(slog_note_verify(&note, &key));
	hsa_buf_str(&b, "\n");
	assert_rc("E_FORMAT", slog_note_parse(&note, &key, b.p, b.len));
	b.len--;
	hsa_buf_str(&b, "x");
	assert_rc("E_TRUNCATED", slog_note_parse(&note, &key, b.p, b.len));
	/* the prefix does not care what follows */
	assert_ok(slog_note_prefix(&note, &key, b.p, b.len));
	assert_int_equal(note.used, ours);
	hsa_buf_free(&b);
}

static void
test_slog_note__second_spellings_are_refused(void **state)
{
	static const char *const text[] = {
	    HELPER_ORIGIN "\n07\n",
	    HELPER_ORIGIN "\n+7\n",
	    HELPER_ORIGIN "\n 7\n",
	    HELPER_ORIGIN "\n\n",
	    HELPER_ORIGIN "\n18446744073709551616\n",
	    HELPER_ORIGIN "\n99999999999999999999\n",
	    HELPER_ORIGIN "x\n7\n",
	    "\n7\n",
	};
	static const char tail[] =
	    "AQIDBAUGBwgJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct hsa_buf b = {0}, good = {0};
		struct slog_note note;
		uint8_t *sig;

		assert_ok(slog_note_seal(&good, &key, 7, root, h.cfg.sign, &h));
		sig = memchr(good.p, 0xe2, good.len);
		assert_non_null(sig);
		hsa_buf_str(&b, text[i]);
		hsa_buf_str(&b, tail);
		hsa_buf_u8(&b, '\n');
		hsa_buf_put(&b, sig, good.len - (size_t)(sig - good.p));
		assert_rc("E_FORMAT", slog_note_parse(&note, &key, b.p, b.len));
		hsa_buf_free(&b);
		hsa_buf_free(&good);
	}
}

static void
test_slog_note__origins_that_a_note_cannot_carry_are_refused(void **state)
{
	char long_name[SLOG_ORIGIN_MAX + 2];
	struct slog_key k;

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	long_name[SLOG_ORIGIN_MAX + 1] = '\0';
	assert_rc("E_ARG", slog_key_init(&k, long_name, h.cfg.public_key));
	long_name[SLOG_ORIGIN_MAX] = '\0';
	assert_ok(slog_key_init(&k, long_name, h.cfg.public_key));
	assert_rc("E_ARG", slog_key_init(&k, "", h.cfg.public_key));
	assert_rc("E_ARG", slog_key_init(&k, NULL, h.cfg.public_key));
	assert_rc("E_ARG", slog_key_init(&k, "a b", h.cfg.public_key));
	assert_rc("E_ARG", slog_key_init(&k, "a+b", h.cfg.public_key));
	assert_rc("E_ARG", slog_key_init(&k, "a\nb", h.cfg.public_key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_slog_note__key_hash_is_that_of_published_keys),
	    cmocka_unit_test(
		test_slog_note__text_is_the_checkpoint_of_c2sp_byte_for_byte),
	    cmocka_unit_test(
		test_slog_note__what_was_sealed_parses_and_verifies),
	    cmocka_unit_test(
		test_slog_note__every_cut_and_every_flipped_byte_is_refused),
	    cmocka_unit_test(
		test_slog_note__witness_lines_are_kept_and_other_bytes_refused),
	    cmocka_unit_test(test_slog_note__second_spellings_are_refused),
	    cmocka_unit_test(
		test_slog_note__origins_that_a_note_cannot_carry_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
