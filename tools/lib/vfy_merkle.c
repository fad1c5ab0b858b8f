#include <string.h>

#include "vfy_merkle.h"

#define LEAF 0
#define NODE 1

void
vfy_tree_init(struct vfy_tree *t, struct hsa_sha256 *h)
{
	*t = (struct vfy_tree){.h = h};
}

hsa_rc
vfy_tree_start(struct vfy_tree *t, struct hsa_sha256 *h, uint64_t size,
    const uint8_t (*frontier)[HSA_SHA256_LEN], size_t n)
{
	if (n != (size_t)__builtin_popcountll(size) || n > VFY_TREE_MAX)
		return HSA_RC(E_FORMAT);
	vfy_tree_init(t, h);
	for (unsigned int level = 64; level-- > 0;) {
		if ((size >> level & 1) == 0)
			continue;
		t->level[t->depth] = (uint8_t)level;
		memcpy(t->hash[t->depth], frontier[t->depth], HSA_SHA256_LEN);
		t->depth++;
	}
	t->size = size;
	return HSA_OK;
}

hsa_rc
vfy_leaf_hash(
    struct hsa_sha256 *h, uint8_t to[HSA_SHA256_LEN], const void *p, size_t n)
{
	static const uint8_t mark = LEAF;

	return hsa_sha256_three(h, to, &mark, 1, p, n, NULL, 0);
}

hsa_rc
vfy_node_hash(struct hsa_sha256 *h, uint8_t to[HSA_SHA256_LEN],
    const uint8_t *left, const uint8_t *right)
{
	static const uint8_t mark = NODE;

	return hsa_sha256_three(
	    h, to, &mark, 1, left, HSA_SHA256_LEN, right, HSA_SHA256_LEN);
}

static hsa_rc
tell(const struct vfy_tree *t, uint8_t level, const uint8_t *left,
    const uint8_t *right, const uint8_t *hash)
{
	struct vfy_node n = {level, t->size >> level, left, right, hash};

	return t->on_node == NULL ? HSA_OK : t->on_node(t->node_ctx, &n);
}

/* A leaf's hash, joined with every subtree of its height that is there. */
static hsa_rc
push(struct vfy_tree *t, const uint8_t hash[HSA_SHA256_LEN])
{
	uint8_t right[HSA_SHA256_LEN], h[HSA_SHA256_LEN], level = 0;
	size_t depth = t->depth;
	hsa_rc rc;

	memcpy(h, hash, sizeof(h));
	HSA_TRY(rc, tell(t, 0, NULL, NULL, h));
	while (depth > 0 && t->level[depth - 1] == level) {
		memcpy(right, h, sizeof(right));
		depth--;
		level++;
		HSA_TRY(rc, vfy_node_hash(t->h, h, t->hash[depth], right));
		HSA_TRY(rc, tell(t, level, t->hash[depth], right, h));
	}
	t->level[depth] = level;
	memcpy(t->hash[depth], h, HSA_SHA256_LEN);
	t->depth = depth + 1;
out:
	return rc;
}

hsa_rc
vfy_tree_add(struct vfy_tree *t, const void *p, size_t n)
{
	uint8_t h[HSA_SHA256_LEN];
	hsa_rc rc;

	if (t->size == UINT64_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, vfy_leaf_hash(t->h, h, p, n));
	HSA_TRY(rc, push(t, h));
	t->size++;
out:
	return rc;
}

hsa_rc
vfy_tree_root(const struct vfy_tree *t, uint8_t root[HSA_SHA256_LEN])
{
	uint8_t h[HSA_SHA256_LEN];
	size_t i = t->depth;
	hsa_rc rc = HSA_OK;

	if (i == 0)
		return hsa_sha256(root, NULL, 0);
	memcpy(h, t->hash[--i], HSA_SHA256_LEN);
	while (i > 0)
		HSA_TRY(rc, vfy_node_hash(t->h, h, t->hash[--i], h));
	memcpy(root, h, HSA_SHA256_LEN);
out:
	return rc;
}
