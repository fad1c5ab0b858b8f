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

			assert_int_equal(vfy_tree_settle(&u).v, 0);

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

/* With and without vector registers, in any mixture of lengths and of points
 * where the root is asked for. */
static void
test_merkle__lanes_make_no_difference(void **state)
{
	static uint8_t bytes[700];
	struct hsa_sha256 *h = hsa_sha256_new();
	uint8_t a[32], b[32];
	struct vfy_tree t, u, copy;
	uint32_t x = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13);
	for (int round = 0; round < 20; round++) {
		vfy_tree_init(&t, h);
		vfy_tree_init(&u, h);
		u.lanes = false;
		for (size_t i = 0; i < 400; i++) {
			size_t n;

			x = x * 1664525 + 1013904223;
			n = (x >> 10) % (round < 10 ? 300 : 700);
			assert_int_equal(vfy_tree_add(&t, bytes, n).v, 0);
			assert_int_equal(vfy_tree_add(&u, bytes, n).v, 0);
			if ((x >> 24) % (1 + (uint32_t)round) != 0)
				continue;
			copy = t; /* a snapshot goes its own way */
			assert_int_equal(vfy_tree_root(&copy, a).v, 0);
			assert_int_equal(vfy_tree_root(&u, b).v, 0);
			assert_memory_equal(a, b, 32);
			assert_int_equal(copy.depth, u.depth);
			assert_memory_equal(copy.hash, u.hash, 32 * u.depth);
			assert_int_equal(
			    copy.depth, __builtin_popcountll(copy.size));
		}
		assert_int_equal(vfy_tree_root(&t, a).v, 0);
		assert_int_equal(vfy_tree_root(&u, b).v, 0);
		assert_memory_equal(a, b, 32);
	}
	hsa_sha256_free(h);
}

static void
test_lanes__every_length_is_sha_256(void **state)
{
	struct hsa_sha256 *h = hsa_sha256_new();
	uint8_t in[VFY_LANE_MAX + VFY_LANES], out[VFY_LANES][32], want[32];
	struct vfy_lanes l = {0};

	(void)state;
	if (!vfy_lanes_usable())
		skip();
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= VFY_LANE_MAX; n++)
		for (size_t lanes = 1; lanes <= VFY_LANES; lanes++) {
			size_t len[VFY_LANES];

			for (size_t k = 0; k < lanes; k++) {
				len[k] = (n + k * 31) % (VFY_LANE_MAX + 1);
				vfy_lanes_put(&l, (uint8_t)k, in + k, len[k]);
			}
			vfy_lanes_hash(out, &l);
			assert_int_equal(l.len, 0);
			for (size_t k = 0; k < lanes; k++) {
				uint8_t mark = (uint8_t)k;

				assert_int_equal(
				    hsa_sha256_three(h, want, &mark, 1, in + k,
					len[k], NULL, 0)
					.v,
				    0);
				assert_memory_equal(out[k], want, 32);
			}
		}
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
	    cmocka_unit_test(test_merkle__lanes_make_no_difference),
	    cmocka_unit_test(test_lanes__every_length_is_sha_256),
	    cmocka_unit_test(test_merkle__agrees_with_the_recursive_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
