#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hsa_hash.h"
#include "vfy_merkle.h"
#include "vfy_path.h"

/*
 * Leaves, roots and proofs of the reference implementation of RFC 6962 (tests
 * of certificate-transparency's merkle verifier, carried on in
 * transparency-dev/merkle). Leaves are counted from 0 here, from 1 there.
 */
static const char *const leaves[] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
static const struct {
	uint64_t from, size; /* index or old size; size */
	const char *hash[4];
} inclusion[] =
    {
	{0, 1, {NULL}},
	{0, 8,
	    {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de303"
		"1e",
		"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6"
		"e4",
		NULL}},
	{5, 8,
	    {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0a"
		"e0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614"
		"b7",
		NULL}},
	{2, 3,
	    {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		NULL}},
	{1, 5,
	    {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de303"
		"1e",
		"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e"
		"6b",
		NULL}},
},
  consistency[] = {
      {1, 1, {NULL}},
      {1, 8,
	  {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031"
	      "e",
	      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e"
	      "4",
	      NULL}},
      {6, 8,
	  {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae"
	      "0",
	      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b"
	      "7",
	      NULL}},
      {2, 5,
	  {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6"
	      "b",
	      NULL}},
      {6, 7,
	  {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	      "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5"
	      "f",
	      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b"
	      "7",
	      NULL}},
};

static struct hsa_sha256 *h;

static void
unhex(uint8_t *to, size_t n, const char *text)
{
	assert_int_equal(hsa_unhex(to, n, text, strlen(text)).v, 0);
}

static hsa_rc
node(void *ctx, const struct vfy_node *n)
{
	vfy_path_node(ctx, n);
	return HSA_OK;
}

static void
grow(struct vfy_tree *t, uint64_t size)
{
	uint8_t leaf[16];

	while (t->size < size) {
		const char *s = leaves[t->size];

		unhex(leaf, strlen(s) / 2, s);
		assert_int_equal(vfy_tree_add(t, leaf, strlen(s) / 2).v, 0);
	}
}

static void
same(const struct vfy_hashes *have, const char *const *want)
{
	uint8_t hash[32];
	size_t n = 0;

	for (; want[n] != NULL; n++) {
		unhex(hash, 32, want[n]);
		assert_true(n < have->n);
		assert_memory_equal(have->hash[n], hash, 32);
	}
	assert_int_equal(have->n, n);
}

static void
test_path__inclusion_proofs_are_those_of_rfc_6962(void **state)
{
	uint8_t leaf[32], root[32], raw[16];
	struct vfy_hashes way;
	struct vfy_path p;
	struct vfy_tree t;

	(void)state;
	for (size_t i = 0; i < sizeof(inclusion) / sizeof(inclusion[0]); i++) {
		const char *s = leaves[inclusion[i].from];

		vfy_tree_init(&t, h);
		t.on_node = node;
		t.node_ctx = &p;
		vfy_path_leaf(&p, inclusion[i].from);
		grow(&t, inclusion[i].size);
		assert_int_equal(vfy_path_end(&p, &t, &way).v, 0);
		same(&way, inclusion[i].hash);
		unhex(root, 32, roots[inclusion[i].size - 1]);
		unhex(raw, strlen(s) / 2, s);
		assert_int_equal(
		    vfy_leaf_hash(h, leaf, raw, strlen(s) / 2).v, 0);
		assert_memory_equal(leaf, p.first, 32);
		assert_int_equal(vfy_path_included(h, leaf, inclusion[i].from,
				     inclusion[i].size, &way, root)
				     .v,
		    0);
	}
}

static void
test_path__consistency_proofs_are_those_of_rfc_6962(void **state)
{
	uint8_t old[32], root[32];
	struct vfy_hashes way;
	struct vfy_path p;
	struct vfy_tree t;

	(void)state;
	for (size_t i = 0; i < sizeof(consistency) / sizeof(consistency[0]);
	     i++) {
		uint64_t from = consistency[i].from, size = consistency[i].size;

		vfy_tree_init(&t, h);
		t.on_node = node;
		t.node_ctx = &p;
		vfy_path_size(&p, from);
		grow(&t, size);
		assert_int_equal(vfy_path_consistency(&p, &t, from, &way).v, 0);
		same(&way, consistency[i].hash);
		unhex(old, 32, roots[from - 1]);
		unhex(root, 32, roots[size - 1]);
		assert_int_equal(
		    vfy_path_consistent(h, from, old, size, root, &way).v, 0);
	}
}

/* ---- against the definitions --------------------------------------------- */

#define MANY 70

static void
mth(uint8_t to[32], uint64_t from, uint64_t n)
{
	uint8_t pair[64];
	uint8_t leaf[2] = {0, (uint8_t)from};
	uint64_t half = 1;

	if (n == 1) {
		assert_int_equal(hsa_sha256(to, leaf, 2).v, 0);
		return;
	}
	while (2 * half < n)
		half *= 2;
	mth(pair, from, half);
	mth(pair + 32, from + half, n - half);
	assert_int_equal(vfy_node_hash(h, to, pair, pair + 32).v, 0);
}

/* RFC 6962, 2.1.1 */
static void
path(struct vfy_hashes *to, uint64_t m, uint64_t from, uint64_t n)
{
	uint64_t half = 1;

	if (n == 1)
		return;
	while (2 * half < n)
		half *= 2;
	if (m < half) {
		path(to, m, from, half);
		mth(to->hash[to->n++], from + half, n - half);
	} else {
		path(to, m - half, from + half, n - half);
		mth(to->hash[to->n++], from, half);
	}
}

/* RFC 6962, 2.1.2 */
static void
subproof(struct vfy_hashes *to, uint64_t m, uint64_t from, uint64_t n, bool b)
{
	uint64_t half = 1;

	if (m == n) {
		if (!b)
			mth(to->hash[to->n++], from, n);
		return;
	}
	while (2 * half < n)
		half *= 2;
	if (m <= half) {
		subproof(to, m, from, half, b);
		mth(to->hash[to->n++], from + half, n - half);
	} else {
		subproof(to, m - half, from + half, n - half, false);
		mth(to->hash[to->n++], from, half);
	}
}

static hsa_rc
all_nodes(void *ctx, const struct vfy_node *n)
{
	struct vfy_path *p = ctx;

	for (size_t i = 0; i < 2 * MANY; i++)
		vfy_path_node(&p[i], n);
	return HSA_OK;
}

static void
test_path__agrees_with_the_definitions_at_every_pair_of_sizes(void **state)
{
	static struct vfy_path p[2 * MANY]; /* leaves, then sizes */
	uint8_t leaf[32], root[32], old[32], c;
	struct vfy_hashes have, want;
	unsigned int checked = 0;
	struct vfy_tree t;

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		vfy_path_leaf(&p[i], i);
		vfy_path_size(&p[MANY + i], i + 1);
	}
	vfy_tree_init(&t, h);
	t.on_node = all_nodes;
	t.node_ctx = p;
	for (uint64_t n = 1; n <= MANY; n++) {
		c = (uint8_t)(n - 1);
		assert_int_equal(vfy_tree_add(&t, &c, 1).v, 0);
		assert_int_equal(vfy_tree_root(&t, root).v, 0);
		for (uint64_t m = 0; m < n; m++) {
			assert_int_equal(vfy_path_end(&p[m], &t, &have).v, 0);
			want.n = 0;
			path(&want, m, 0, n);
			assert_int_equal(have.n, want.n);
			assert_memory_equal(have.hash, want.hash, 32 * want.n);
			mth(leaf, m, 1);
			assert_int_equal(
			    vfy_path_included(h, leaf, m, n, &have, root).v, 0);
			assert_int_equal(
			    vfy_path_consistency(&p[MANY + m], &t, m + 1, &have)
				.v,
			    0);
			want.n = 0;
			subproof(&want, m + 1, 0, n, true);
			assert_int_equal(have.n, want.n);
			assert_memory_equal(have.hash, want.hash, 32 * want.n);
			mth(old, 0, m + 1);
			assert_int_equal(
			    vfy_path_consistent(h, m + 1, old, n, root, &have)
				.v,
			    0);
			checked += 2;
		}
		if (n < MANY)
			assert_int_equal(
			    vfy_path_end(&p[n], &t, &have).v, HSA_E_NOT_FOUND);
	}
	printf(
	    "COUNT proofs against the definitions of RFC 6962: %u\n", checked);
}

/* ---- what no proof may do -------------------------------------------------
 */

static void
refused_in(uint64_t index, uint64_t size, const uint8_t *leaf,
    const struct vfy_hashes *way, const uint8_t *root)
{
	assert_int_equal(vfy_path_included(h, leaf, index, size, way, root).v,
	    HSA_E_CORRUPT);
}

static void
test_path__a_changed_inclusion_proof_is_refused(void **state)
{
	uint8_t root[32], leaf[32], other[32];
	struct vfy_hashes way, bad;

	(void)state;
	for (uint64_t n = 1; n <= 20; n++)
		for (uint64_t m = 0; m < n; m++) {
			mth(root, 0, n);
			mth(leaf, m, 1);
			way.n = 0;
			path(&way, m, 0, n);
			memcpy(other, leaf, 32);
			other[31] ^= 1;
			refused_in(m, n, other, &way, root);
			memcpy(other, root, 32);
			other[0] ^= 0x80;
			refused_in(m, n, leaf, &way, other);
			refused_in(n, n, leaf, &way, root);
			refused_in(m, 0, leaf, &way, root);
			refused_in(m, 2 * n + 1, leaf, &way, root);
			refused_in(UINT64_MAX, n, leaf, &way, root);
			for (size_t i = 0; i < way.n; i++) {
				bad = way;
				bad.hash[i][i % 32] ^= 4;
				refused_in(m, n, leaf, &bad, root);
				bad = way;
				bad.n = i;
				refused_in(m, n, leaf, &bad, root);
			}
			bad = way;
			memcpy(bad.hash[bad.n++], root, 32);
			refused_in(m, n, leaf, &bad, root);
			if (n > 1) {
				refused_in((m + 1) % n, n, leaf, &way, root);
				refused_in(m ^ 1, n, leaf, &way, root);
			}
		}
}

static void
refused_co(uint64_t m, uint64_t n, const uint8_t *old, const uint8_t *root,
    const struct vfy_hashes *way)
{
	assert_int_equal(
	    vfy_path_consistent(h, m, old, n, root, way).v, HSA_E_CORRUPT);
}

static void
test_path__a_changed_consistency_proof_is_refused(void **state)
{
	uint8_t root[32], old[32], other[32];
	struct vfy_hashes way, bad;

	(void)state;
	for (uint64_t n = 1; n <= 20; n++)
		for (uint64_t m = 1; m <= n; m++) {
			mth(root, 0, n);
			mth(old, 0, m);
			way.n = 0;
			subproof(&way, m, 0, n, true);
			memcpy(other, old, 32);
			other[5] ^= 1;
			refused_co(m, n, other, root, &way);
			memcpy(other, root, 32);
			other[6] ^= 1;
			refused_co(m, n, old, other, &way);
			refused_co(0, n, old, root, &way);
			refused_co(n + 1, n, old, root, &way);
			if (m < n) {
				refused_co(m, n, root, old, &way);
				refused_co(m + 1, n, old, root, &way);
			}
			for (size_t i = 0; i < way.n; i++) {
				bad = way;
				bad.hash[i][i % 32] ^= 4;
				refused_co(m, n, old, root, &bad);
				bad = way;
				bad.n = i;
				refused_co(m, n, old, root, &bad);
			}
			bad = way;
			memcpy(bad.hash[bad.n++], root, 32);
			refused_co(m, n, old, root, &bad);
		}
}

static void
test_path__what_came_before_it_was_asked_for_has_no_proof(void **state)
{
	struct vfy_hashes way;
	struct vfy_path p;
	struct vfy_tree t;

	(void)state;
	vfy_tree_init(&t, h);
	grow(&t, 3);
	t.on_node = node;
	t.node_ctx = &p;
	vfy_path_leaf(&p, 2);
	grow(&t, 8);
	assert_int_equal(vfy_path_end(&p, &t, &way).v, HSA_E_NOT_FOUND);
	vfy_path_size(&p, 3);
	assert_int_equal(
	    vfy_path_consistency(&p, &t, 3, &way).v, HSA_E_NOT_FOUND);
}

static int
setup(void **state)
{
	(void)state;
	h = hsa_sha256_new();
	return h == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	hsa_sha256_free(h);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path__inclusion_proofs_are_those_of_rfc_6962),
	    cmocka_unit_test(
		test_path__consistency_proofs_are_those_of_rfc_6962),
	    cmocka_unit_test(
		test_path__agrees_with_the_definitions_at_every_pair_of_sizes),
	    cmocka_unit_test(test_path__a_changed_inclusion_proof_is_refused),
	    cmocka_unit_test(test_path__a_changed_consistency_proof_is_refused),
	    cmocka_unit_test(
		test_path__what_came_before_it_was_asked_for_has_no_proof),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
