#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_vfy.h"
#include "vfy_log.h"
#include "vfy_note.h"

#define DASH "\xe2\x80\x94"
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
/* 68 bytes */
#define SIG                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAA="

static hsa_rc
parse(struct vfy_note *n, const char *s)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc = vfy_note_parse(n, s, strlen(s), &d);

	assert_true(hsa_is_ok(rc) || d.text[0] != '\0');
	return rc;
}

static void
test_note__fields_are_read(void **state)
{
	struct vfy_note n;
	const char *s =
	    "o/1\n18446744073709551615\n" ROOT "\n\n" DASH " o/1 " SIG "\n";

	(void)state;
	assert_int_equal(parse(&n, s).v, 0);
	assert_string_equal(n.origin, "o/1");
	assert_true(n.size == UINT64_MAX);
	assert_int_equal(
	    n.text_len, strlen(s) - strlen(DASH " o/1 " SIG "\n") - 1);
	assert_int_equal(n.witnesses, 0);
	assert_int_equal(parse(&n, "o\n0\n" ROOT "\n\n" DASH " o " SIG "\n" DASH
				   " w AAAAAAA=\n" DASH " w AAAAAAA=\n")
			     .v,
	    0);
	assert_int_equal(n.witnesses, 2);
}

static void
test_note__another_spelling_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "o",
	    "o\n",
	    "o\n1\n",
	    "o\n1\n" ROOT "\n",
	    "o\n1\n" ROOT "\n\n",
	    "\n1\n" ROOT "\n\n" DASH "  " SIG "\n",
	    "o o\n1\n" ROOT "\n\n" DASH " o o " SIG "\n",
	    "o+\n1\n" ROOT "\n\n" DASH " o+ " SIG "\n",
	    "o\t\n1\n" ROOT "\n\n" DASH " o\t " SIG "\n",
	    "o\xc2\xa0\n1\n" ROOT "\n\n" DASH " o\xc2\xa0 " SIG "\n",
	    "o\xff\n1\n" ROOT "\n\n" DASH " o\xff " SIG "\n",
	    "o\n01\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n+1\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n-1\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n1 \n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n1\r\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n18446744073709551616\n" ROOT "\n\n" DASH " o " SIG "\n",
	    "o\n99999999999999999999\n" ROOT "\n\n" DASH " o " SIG "\n",
	    /* root: 31 bytes, spare bits, no padding, a blank */
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n\n" DASH
	    " o " SIG "\n",
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n" DASH
	    " o " SIG "\n",
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n" DASH
	    " o " SIG "\n",
	    "o\n1\n AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" DASH
	    " o " SIG "\n",
	    /* an extension line, two empty lines, none */
	    "o\n1\n" ROOT "\nx\n\n" DASH " o " SIG "\n",
	    "o\n1\n" ROOT "\n\n\n" DASH " o " SIG "\n",
	    "o\n1\n" ROOT "\n" DASH " o " SIG "\n",
	    /* signature lines */
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG,
	    "o\n1\n" ROOT "\n\n- o " SIG "\n",
	    "o\n1\n" ROOT "\n\n" DASH "o " SIG "\n",
	    "o\n1\n" ROOT "\n\n" DASH " p " SIG "\n",
	    "o\n1\n" ROOT "\n\n" DASH " o  " SIG "\n",
	    "o\n1\n" ROOT "\n\n" DASH " o AAAA\n",
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG " \n",
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG "\n\n",
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG "\nx",
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG "\n" DASH " o " SIG "\n",
	    "o\n1\n" ROOT "\n\n" DASH " o " SIG "\n" DASH " w AAAA\n",
	};
	struct vfy_note n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&n, bad[i]).v != HSA_E_FORMAT)
			print_error("accepted: %zu %s\n", i, bad[i]);
		assert_int_equal(parse(&n, bad[i]).v, HSA_E_FORMAT);
	}
}

static void
test_note__more_than_4096_bytes_are_refused(void **state)
{
	struct hsa_buf b = {0};
	struct hsa_diag d;
	struct vfy_note n;

	(void)state;
	hsa_buf_str(&b, "o\n1\n" ROOT "\n\n" DASH " o " SIG "\n");
	while (b.len <= HSA_NOTE_MAX - 16)
		hsa_buf_str(&b, DASH " w AAAAAAA=\n");
	assert_int_equal(vfy_note_parse(&n, b.p, b.len, &d).v, 0);
	hsa_buf_str(&b, DASH " w AAAAAAA=\n");
	assert_int_equal(vfy_note_parse(&n, b.p, b.len, &d).v, HSA_E_RANGE);
	hsa_buf_free(&b);
}

/* Key and note of the documentation of Go's golang.org/x/mod/sumdb/note, the
 * implementation that C2SP's signed notes were written down from. */
static void
test_note__the_published_example_verifies(void **state)
{
	static const char line[] = "PeterNeumann+c74f20a3+"
				   "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
				   "LDE4izWy10TW";
	static const char text[] =
	    "If you think cryptography is the answer to your problem,\n"
	    "then you don't know what your problem is.\n";
	static const char sig[] =
	    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
	    "KvqfqdngotpRZb6KE6RyyBwJnAM=";
	struct vfy_signer *s;
	struct hsa_buf raw = {0};
	struct vfy_note n = {.origin = "PeterNeumann"};
	struct hsa_diag d;
	struct vfy_key k;

	(void)state;
	assert_int_equal(vfy_key_parse(&k, line, strlen(line), &d).v, 0);
	assert_string_equal(k.origin, "PeterNeumann");
	assert_int_equal(hsa_unbase64(&raw, sig, strlen(sig)).v, 0);
	assert_int_equal(raw.len, 68);
	memcpy(n.key_hash, raw.p, 4);
	memcpy(n.signature, raw.p + 4, 64);
	n.text = (const uint8_t *)text;
	n.text_len = strlen(text);
	assert_int_equal(vfy_signer_new(&s, &k).v, 0);
	assert_int_equal(vfy_signer_verify(s, &n).v, 0);
	n.text_len--;
	assert_int_equal(vfy_signer_verify(s, &n).v, HSA_E_SIGNATURE);
	n.text_len++;
	n.signature[63] ^= 1;
	assert_int_equal(vfy_signer_verify(s, &n).v, HSA_E_SIGNATURE);
	n.signature[63] ^= 1;
	n.key_hash[0] ^= 1;
	assert_int_equal(vfy_signer_verify(s, &n).v, HSA_E_SIGNATURE);
	vfy_signer_free(s);
	hsa_buf_free(&raw);
}

static void
test_note__key_lines_have_one_spelling_too(void **state)
{
	struct helper_vfy_log l;
	struct hsa_diag d;
	struct vfy_key k;
	char line[256];
	size_t n;

	(void)state;
	helper_vfy_init(&l, 1);
	n = strlen(l.key_line) - 1;
	assert_int_equal(vfy_key_parse(&k, l.key_line, n, &d).v, 0);
	assert_memory_equal(k.public_key, l.public_key, 32);
	/* any other byte anywhere, and any other length */
	for (size_t i = 0; i < n; i++) {
		memcpy(line, l.key_line, n);
		line[i] ^= 0x01;
		if (hsa_is_ok(vfy_key_parse(&k, line, n, &d)))
			print_error("%.*s\n", (int)n, line);
		assert_false(hsa_is_ok(vfy_key_parse(&k, line, n, &d)));
		assert_false(hsa_is_ok(vfy_key_parse(&k, l.key_line, i, &d)));
	}
	helper_vfy_free(&l);
}

static void
test_note__a_key_file_has_one_key_for_an_origin(void **state)
{
	struct helper_vfy_log a, b;
	struct vfy_keys k = {0};
	struct hsa_diag d;
	struct hsa_buf f = {0};
	struct vfy_key forged;

	(void)state;
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	hsa_buf_printf(
	    &f, "# units\n\n%s%s%s", a.key_line, b.key_line, a.key_line);
	f.len--; /* the last LF may be missing */
	assert_int_equal(vfy_keys_parse(&k, (const char *)f.p, f.len, &d).v, 0);
	assert_int_equal(k.len, 2);
	assert_ptr_equal(vfy_keys_find(&k, b.origin), &k.key[1]);
	assert_null(vfy_keys_find(&k, "cryptounit/none"));
	forged = k.key[0];
	forged.public_key[0] ^= 1;
	assert_int_equal(vfy_keys_add(&k, &(struct vfy_keys){&forged, 1}, &d).v,
	    HSA_E_EXISTS);
	vfy_keys_free(&k);
	hsa_buf_reset(&f);
	hsa_buf_printf(&f, "%snonsense\n", a.key_line);
	assert_int_equal(
	    vfy_keys_parse(&k, (const char *)f.p, f.len, &d).v, HSA_E_FORMAT);
	assert_non_null(strstr(d.text, "line 2"));
	assert_int_equal(vfy_keys_parse(&k, "#\n", 2, &d).v, HSA_E_NOT_FOUND);
	assert_int_equal(
	    vfy_keys_load(&k, "/nonexistent", &d).v, HSA_E_NOT_FOUND);
	hsa_buf_free(&f);
	helper_vfy_free(&a);
	helper_vfy_free(&b);
}

static void
test_note__a_unit_is_named_by_its_origin(void **state)
{
	static const struct {
		const char *text;
		unsigned int number;
	} later[] = {
	    {"", 1},
	    {".2", 2},
	    {".10", 10},
	    {".9999", 9999},
	    {".", 0},
	    {".0", 0},
	    {".1", 0},
	    {".02", 0},
	    {".10000", 0},
	    {".2x", 0},
	    {".-2", 0},
	    {".2.2", 0},
	    {"/2", 0},
	    {"2", 0},
	};
	unsigned int number = 0;
	uint8_t id[16];

	(void)state;
	assert_int_equal(vfy_origin_unit(id,
			     "cryptounit/01020304-0506-4708-890a-0b0c0d0e0f10")
			     .v,
	    0);
	assert_int_equal(id[15], 16);
	assert_false(hsa_is_ok(vfy_origin_unit(
	    id, "cryptounit/01020304-0506-4708-890A-0B0C0D0E0F10")));
	assert_false(hsa_is_ok(vfy_origin_unit(
	    id, "cryptounits/01020304-0506-4708-890a-0b0c0d0e0f10")));
	assert_false(hsa_is_ok(vfy_origin_unit(id, "cryptounit/../../x")));
	assert_false(hsa_is_ok(vfy_origin_unit(id, "")));
	/* its later logs have a number, from 2 on, in one spelling */
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		char origin[80];

		number = 0;
		(void)snprintf(origin, sizeof(origin),
		    "cryptounit/01020304-0506-4708-890a-0b0c0d0e0f10%s",
		    later[i].text);
		assert_int_equal(hsa_is_ok(vfy_origin_log(id, &number, origin)),
		    later[i].number != 0);
		assert_int_equal(number, later[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_note__fields_are_read),
	    cmocka_unit_test(test_note__another_spelling_is_refused),
	    cmocka_unit_test(test_note__more_than_4096_bytes_are_refused),
	    cmocka_unit_test(test_note__the_published_example_verifies),
	    cmocka_unit_test(test_note__key_lines_have_one_spelling_too),
	    cmocka_unit_test(test_note__a_key_file_has_one_key_for_an_origin),
	    cmocka_unit_test(test_note__a_unit_is_named_by_its_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
