#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "slog_merkle.h"

/* Inputs and roots of the reference implementation of RFC 6962. */
static const struct {
	const char *leaf, *root;
} reference[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c"
	 "78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9d"
	   "baf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264"
	   "db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398f"
	     "a2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3"
	     "bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f"
		 "98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd7892"
			 "9c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2"
					 "ab9d823aad2f4960cfe370eff4604328"},
};
static const char empty_root[] = "e3b0c44298fc1c149afbf4c8996fb924"
				 "27ae41e4649b934ca495991b7852b855";

static void
root_is(const struct slog_merkle *m, const char *hex)
{
	uint8_t root[32] = {0};
	char text[65];

	assert_true(hsa_is_ok(slog_merkle_root(m, root)));
	hsa_hex(text, root, 32);
	assert_string_equal(text, hex);
}

static void
test_slog_merkle__known_roots_of_rfc6962(void **state)
{
	struct slog_merkle m;
	uint8_t leaf[16];

	(void)state;
	assert_true(hsa_is_ok(slog_merkle_init(&m)));
	root_is(&m, empty_root);
	for (size_t i = 0; i < sizeof(reference) / sizeof(reference[0]); i++) {
		size_t n = strlen(reference[i].leaf) / 2;

		assert_true(
		    hsa_is_ok(hsa_unhex(leaf, n, reference[i].leaf, 2 * n)));
		assert_true(hsa_is_ok(slog_merkle_add(&m, leaf, n)));
		root_is(&m, reference[i].root);
	}
	slog_merkle_free(&m);
}

/* The definition of RFC 6962 2.1, word for word. */
static void
mth(uint8_t out[32], uint64_t first, uint64_t n)
{
	uint8_t in[65];
	uint64_t k = 1;

	if (n == 1) {
		in[0] = 0;
		(void)memcpy(in + 1, &first, 8);
		assert_true(hsa_is_ok(hsa_sha256(out, in, 9)));
		return;
	}
	while (2 * k < n)
		k *= 2;
	in[0] = 1;
	mth(in + 1, first, k);
	mth(in + 33, first + k, n - k);
	assert_true(hsa_is_ok(hsa_sha256(out, in, 65)));
}

static void
test_slog_merkle__every_size_equals_the_recursive_definition(void **state)
{
	struct slog_merkle m, again;
	uint8_t want[32], got[32];

	(void)state;
	assert_true(hsa_is_ok(slog_merkle_init(&m)));
	assert_true(hsa_is_ok(slog_merkle_init(&again)));
	for (uint64_t i = 0; i < 300; i++) {
		assert_true(hsa_is_ok(slog_merkle_add(&m, &i, sizeof(i))));
		mth(want, 0, i + 1);
		assert_true(hsa_is_ok(slog_merkle_root(&m, got)));
		assert_memory_equal(got, want, 32);
		/* the frontier alone is enough to go on from */
		assert_true(hsa_is_ok(slog_merkle_set(
		    &again, m.size, (const uint8_t(*)[32])m.frontier, m.len)));
		assert_true(hsa_is_ok(slog_merkle_root(&again, got)));
		assert_memory_equal(got, want, 32);
	}
	slog_merkle_free(&m);
	slog_merkle_free(&again);
}

static void
test_slog_merkle__frontier_is_the_full_subtrees_from_the_left(void **state)
{
	struct slog_merkle m;
	uint8_t want[32];

	(void)state;
	assert_true(hsa_is_ok(slog_merkle_init(&m)));
	for (uint64_t i = 0; i < 13; i++) /* 8 + 4 + 1 */
		assert_true(hsa_is_ok(slog_merkle_add(&m, &i, sizeof(i))));
	assert_int_equal(m.len, 3);
	mth(want, 0, 8);
	assert_memory_equal(m.frontier[0], want, 32);
	mth(want, 8, 4);
	assert_memory_equal(m.frontier[1], want, 32);
	mth(want, 12, 1);
	assert_memory_equal(m.frontier[2], want, 32);
	slog_merkle_free(&m);
}

static void
test_slog_merkle__frontier_of_a_wrong_length_is_refused(void **state)
{
	static const uint8_t f[65][32];
	struct slog_merkle m;

	(void)state;
	assert_true(hsa_is_ok(slog_merkle_init(&m)));
	assert_int_equal(slog_merkle_set(&m, 5, f, 1).v, HSA_E_FORMAT);
	assert_int_equal(slog_merkle_set(&m, 5, f, 3).v, HSA_E_FORMAT);
	assert_int_equal(slog_merkle_set(&m, 0, f, 1).v, HSA_E_FORMAT);
	assert_int_equal(slog_merkle_set(&m, 1, NULL, 0).v, HSA_E_FORMAT);
	assert_int_equal(slog_merkle_set(&m, 5, f, 65).v, HSA_E_FORMAT);
	assert_int_equal(m.size, 0);
	/* the largest tree there is takes no further leaf */
	assert_true(hsa_is_ok(slog_merkle_set(&m, UINT64_MAX, f, 64)));
	assert_int_equal(slog_merkle_add(&m, "", 0).v, HSA_E_RANGE);
	slog_merkle_free(&m);
	slog_merkle_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slog_merkle__known_roots_of_rfc6962),
	    cmocka_unit_test(
		test_slog_merkle__every_size_equals_the_recursive_definition),
	    cmocka_unit_test(
		test_slog_merkle__frontier_is_the_full_subtrees_from_the_left),
	    cmocka_unit_test(
		test_slog_merkle__frontier_of_a_wrong_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
