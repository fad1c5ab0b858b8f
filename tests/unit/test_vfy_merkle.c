#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "helper_vfy.h"
#include "hsa_hash.h"
#include "vfy_merkle.h"

/* The eight leaves of the reference implementation of RFC 6962 and the roots
 * of their prefixes, from certificate-transparency's own tests. */
static const char *const leaves[] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void
test_merkle__roots_are_those_of_rfc_6962(void **state)
{
	struct hsa_sha256 *h = hsa_sha256_new();
	uint8_t root[32], want[32], leaf[16];
	struct vfy_tree t;

	(void)state;
	assert_non_null(h);
	vfy_tree_init(&t, h);
	for (size_t i = 0;; i++) {
		assert_int_equal(hsa_unhex(want, 32, roots[i], 64).v, 0);
		assert_int_equal(vfy_tree_root(&t, root).v, 0);
		assert_memory_equal(root, want, 32);
		if (i == 8)
			break;
		assert_int_equal(hsa_unhex(leaf, strlen(leaves[i]) / 2,
				     leaves[i], strlen(leaves[i]))
				     .v,
		    0);
		assert_int_equal(
		    vfy_tree_add(&t, leaf, strlen(leaves[i]) / 2).v, 0);
		assert_int_equal(t.size, i + 1);
	}
	hsa_sha256_free(h);
}

static void
test_merkle__a_tree_goes_on_from_its_frontier(void **state)
{
	struct hsa_sha256 *h = hsa_sha256_new();
	uint8_t a[32], b[32];
	struct vfy_tree t, u;

	(void)state;
	vfy_tree_init(&t, h);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(vfy_tree_add(&t, &i, 4).v, 0);
	vfy_tree_init(&u, h);
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(vfy_tree_add(&u, &i, 4).v, 0);
		if (i % 7 == 0) {
			struct vfy_tree v;

			assert_int_equal(
			    vfy_tree_start(&v, h, u.size,
				(const uint8_t(*)[32])u.hash, u.depth)
				.v,
			    0);
			u = v;
		}
	}
	assert_int_equal(vfy_tree_root(&t, a).v, 0);
	assert_int_equal(vfy_tree_root(&u, b).v, 0);
	assert_memory_equal(a, b, 32);
	hsa_sha256_free(h);
}

static void
test_merkle__a_frontier_of_a_wrong_length_is_refused(void **state)
{
	static const uint8_t f[3][32];
	struct hsa_sha256 *h = hsa_sha256_new();
	struct vfy_tree t;

	(void)state;
	assert_int_equal(vfy_tree_start(&t, h, 7, f, 2).v, HSA_E_FORMAT);
	assert_int_equal(vfy_tree_start(&t, h, 8, f, 3).v, HSA_E_FORMAT);
	assert_int_equal(vfy_tree_start(&t, h, 0, f, 1).v, HSA_E_FORMAT);
	assert_int_equal(vfy_tree_start(&t, h, 7, f, 3).v, 0);
	t.size = UINT64_MAX;
	assert_int_equal(vfy_tree_add(&t, "x", 1).v, HSA_E_RANGE);
	hsa_sha256_free(h);
}

static void
test_merkle__agrees_with_the_recursive_definition(void **state)
{
	struct hsa_sha256 *h = hsa_sha256_new();
	struct helper_vfy_log l;
	uint8_t a[32], b[32];
	struct vfy_tree t;

	(void)state;
	helper_vfy_init(&l, 1);
	helper_vfy_segment(&l);
	vfy_tree_init(&t, h);
	for (size_t i = 0; i < 150; i++) {
		helper_vfy_special(&l);
		assert_int_equal(
		    vfy_tree_add(&t, l.leaf[i].p, l.leaf[i].len).v, 0);
		helper_vfy_root(a, &l, l.n);
		assert_int_equal(vfy_tree_root(&t, b).v, 0);
		assert_memory_equal(a, b, 32);
	}
	helper_vfy_free(&l);
	hsa_sha256_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_merkle__roots_are_those_of_rfc_6962),
	    cmocka_unit_test(test_merkle__a_tree_goes_on_from_its_frontier),
	    cmocka_unit_test(
		test_merkle__a_frontier_of_a_wrong_length_is_refused),
	    cmocka_unit_test(test_merkle__agrees_with_the_recursive_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
