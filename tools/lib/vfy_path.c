#include <string.h>

#include "vfy_path.h"

void
vfy_path_leaf(struct vfy_path *p, uint64_t index)
{
	*p = (struct vfy_path){.index = index};
}

void
vfy_path_size(struct vfy_path *p, uint64_t size)
{
	uint8_t level = (uint8_t)__builtin_ctzll(size);

	*p = (struct vfy_path){.level = level, .index = (size >> level) - 1};
}

void
vfy_path_node(struct vfy_path *p, const struct vfy_node *n)
{
	if (!p->found) {
		if (n->level != p->level || n->index != p->index)
			return;
		p->found = true;
		memcpy(p->first, n->hash, sizeof(p->first));
		return;
	}
	if (n->level != p->level + 1 || n->index != p->index / 2)
		return;
	/* a tree of 2^64 - 1 leaves at most has no node above level 63 */
	memcpy(p->way.hash[p->way.n++], p->index % 2 == 0 ? n->right : n->left,
	    HSA_SHA256_LEN);
	p->level++;
	p->index /= 2;
}

/* Which subtree of the frontier ours has come to. */
static bool
place(size_t *at, const struct vfy_path *p, const struct vfy_tree *t)
{
	uint64_t from = 0;

	for (size_t i = 0; i < t->depth; i++) {
		if (t->level[i] == p->level && from >> p->level == p->index) {
			*at = i;
			return true;
		}
		from += UINT64_C(1) << t->level[i];
	}
	return false;
}

void
vfy_path_begin(struct vfy_path *p, const struct vfy_tree *t)
{
	size_t at;

	if (p->found || !place(&at, p, t))
		return;
	p->found = true;
	memcpy(p->first, t->hash[at], sizeof(p->first));
}

static hsa_rc
put(struct vfy_hashes *to, const uint8_t *hash)
{
	if (to->n == VFY_PROOF_MAX)
		return HSA_RC(E_RANGE);
	memcpy(to->hash[to->n++], hash, HSA_SHA256_LEN);
	return HSA_OK;
}

hsa_rc
vfy_path_end(
    const struct vfy_path *p, const struct vfy_tree *t, struct vfy_hashes *to)
{
	uint8_t right[HSA_SHA256_LEN];
	struct vfy_hashes way = p->way;
	size_t at, i = t->depth;
	hsa_rc rc = HSA_OK;

	if (!p->found || !place(&at, p, t))
		return HSA_RC(E_NOT_FOUND);
	/* what is right of it is one subtree: its sibling */
	if (--i > at) {
		memcpy(right, t->hash[i], sizeof(right));
		while (--i > at)
			HSA_TRY(
			    rc, vfy_node_hash(t->h, right, t->hash[i], right));
		HSA_TRY(rc, put(&way, right));
	}
	while (at > 0)
		HSA_TRY(rc, put(&way, t->hash[--at]));
	*to = way;
out:
	return rc;
}

hsa_rc
vfy_path_consistency(const struct vfy_path *p, const struct vfy_tree *t,
    uint64_t size, struct vfy_hashes *to)
{
	struct vfy_hashes whole = {.n = 0}, way;
	hsa_rc rc;

	HSA_TRY(rc, vfy_path_end(p, t, &way));
	if (size == t->size) {
		*to = whole;
		return HSA_OK;
	}
	/* one full tree: its root is what the verifier has */
	if ((size & (size - 1)) != 0)
		HSA_TRY(rc, put(&whole, p->first));
	for (size_t i = 0; i < way.n; i++)
		HSA_TRY(rc, put(&whole, way.hash[i]));
	*to = whole;
out:
	return rc;
}

/* ---- checking ------------------------------------------------------------ */

hsa_rc
vfy_path_included(struct hsa_sha256 *h, const uint8_t leaf[HSA_SHA256_LEN],
    uint64_t index, uint64_t size, const struct vfy_hashes *proof,
    const uint8_t root[HSA_SHA256_LEN])
{
	uint8_t r[HSA_SHA256_LEN];
	uint64_t fn = index, sn = size - 1;
	hsa_rc rc = HSA_OK;

	if (index >= size)
		return HSA_RC(E_CORRUPT);
	memcpy(r, leaf, sizeof(r));
	for (size_t i = 0; i < proof->n; i++) {
		if (sn == 0)
			return HSA_RC(E_CORRUPT);
		if (fn % 2 == 1 || fn == sn) {
			HSA_TRY(rc, vfy_node_hash(h, r, proof->hash[i], r));
			while (fn % 2 == 0 && fn != 0) {
				fn /= 2;
				sn /= 2;
			}
		} else
			HSA_TRY(rc, vfy_node_hash(h, r, r, proof->hash[i]));
		fn /= 2;
		sn /= 2;
	}
	if (sn != 0 || memcmp(r, root, sizeof(r)) != 0)
		rc = HSA_RC(E_CORRUPT);
out:
	return rc;
}

hsa_rc
vfy_path_consistent(struct hsa_sha256 *h, uint64_t old_size,
    const uint8_t old_root[HSA_SHA256_LEN], uint64_t size,
    const uint8_t root[HSA_SHA256_LEN], const struct vfy_hashes *proof)
{
	uint8_t fr[HSA_SHA256_LEN], sr[HSA_SHA256_LEN];
	uint64_t fn = old_size - 1, sn = size - 1;
	const uint8_t *seed = old_root;
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	if (old_size == 0 || old_size > size)
		return HSA_RC(E_CORRUPT);
	if (old_size == size)
		return proof->n == 0 && memcmp(old_root, root, sizeof(fr)) == 0
			   ? HSA_OK
			   : HSA_RC(E_CORRUPT);
	if ((old_size & (old_size - 1)) != 0) {
		if (proof->n == 0)
			return HSA_RC(E_CORRUPT);
		seed = proof->hash[i++];
	}
	while (fn % 2 == 1) {
		fn /= 2;
		sn /= 2;
	}
	memcpy(fr, seed, sizeof(fr));
	memcpy(sr, seed, sizeof(sr));
	for (; i < proof->n; i++) {
		if (sn == 0)
			return HSA_RC(E_CORRUPT);
		if (fn % 2 == 1 || fn == sn) {
			HSA_TRY(rc, vfy_node_hash(h, fr, proof->hash[i], fr));
			HSA_TRY(rc, vfy_node_hash(h, sr, proof->hash[i], sr));
			while (fn % 2 == 0 && fn != 0) {
				fn /= 2;
				sn /= 2;
			}
		} else
			HSA_TRY(rc, vfy_node_hash(h, sr, sr, proof->hash[i]));
		fn /= 2;
		sn /= 2;
	}
	if (sn != 0 || memcmp(fr, old_root, sizeof(fr)) != 0 ||
	    memcmp(sr, root, sizeof(sr)) != 0)
		rc = HSA_RC(E_CORRUPT);
out:
	return rc;
}
