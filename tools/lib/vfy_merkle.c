#include <string.h>

#include "vfy_merkle.h"

#define LEAF 0
#define NODE 1
/* Fewer messages than this are faster one by one. */
#define LANES_WORTH 4

void
vfy_tree_init(struct vfy_tree *t, struct hsa_sha256 *h)
{
	*t = (struct vfy_tree){.h = h, .lanes = vfy_lanes_usable()};
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

static hsa_rc
one(const struct vfy_tree *t, uint8_t out[HSA_SHA256_LEN], uint8_t mark,
    const void *p, size_t n)
{
	return hsa_sha256_three(t->h, out, &mark, 1, p, n, NULL, 0);
}

static hsa_rc
join(const struct vfy_tree *t, uint8_t out[HSA_SHA256_LEN], const uint8_t *left,
    const uint8_t *right)
{
	static const uint8_t mark = NODE;

	return hsa_sha256_three(
	    t->h, out, &mark, 1, left, HSA_SHA256_LEN, right, HSA_SHA256_LEN);
}

static hsa_rc
push(struct vfy_tree *t, uint8_t level, const uint8_t hash[HSA_SHA256_LEN])
{
	uint8_t h[HSA_SHA256_LEN];
	size_t depth = t->depth;
	hsa_rc rc = HSA_OK;

	memcpy(h, hash, sizeof(h));
	while (depth > 0 && t->level[depth - 1] == level) {
		HSA_TRY(rc, join(t, h, t->hash[depth - 1], h));
		depth--;
		level++;
	}
	t->level[depth] = level;
	memcpy(t->hash[depth], h, HSA_SHA256_LEN);
	t->depth = depth + 1;
out:
	return rc;
}

/* Digests of the leaves in the lanes go to their slots. */
static void
empty_lanes(struct vfy_tree *t)
{
	uint8_t out[VFY_LANES][HSA_SHA256_LEN];
	size_t n = t->lane.len;

	vfy_lanes_hash(out, &t->lane);
	for (size_t k = 0; k < n; k++)
		memcpy(t->leaf[t->slot[k]], out[k], HSA_SHA256_LEN);
}

/* The n hashes at p become the n / 2 above them, in place: what is written
 * was read before. */
static hsa_rc
halve(struct vfy_tree *t, uint8_t (*p)[HSA_SHA256_LEN], size_t n)
{
	size_t some;
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < n / 2; i += some) {
		some = n / 2 - i < VFY_LANES ? n / 2 - i : VFY_LANES;
		if (!t->lanes || some < LANES_WORTH) {
			some = 1;
			HSA_TRY(rc, join(t, p[i], p[2 * i], p[2 * i + 1]));
			continue;
		}
		for (size_t k = 0; k < some; k++)
			vfy_lanes_put(
			    &t->lane, NODE, p[2 * (i + k)], 2 * HSA_SHA256_LEN);
		vfy_lanes_hash(p + i, &t->lane);
	}
out:
	return rc;
}

/*
 * Leaves that wait go to the stack as the largest full subtrees that they
 * make at their place.
 */
hsa_rc
vfy_tree_settle(struct vfy_tree *t)
{
	uint64_t base = t->size - t->waiting;
	size_t from = 0, n;
	uint8_t level;
	hsa_rc rc = HSA_OK;

	if (t->lane.len != 0)
		empty_lanes(t);
	while (from < t->waiting) {
		for (n = 1, level = 0;
		     from + 2 * n <= t->waiting && (base + from) % (2 * n) == 0;
		     n *= 2)
			level++;
		for (size_t width = n; width > 1; width /= 2)
			HSA_TRY(rc, halve(t, t->leaf + from, width));
		HSA_TRY(rc, push(t, level, t->leaf[from]));
		from += n;
	}
	t->waiting = 0;
out:
	return rc;
}

hsa_rc
vfy_tree_add(struct vfy_tree *t, const void *p, size_t n)
{
	hsa_rc rc = HSA_OK;

	if (t->size == UINT64_MAX)
		return HSA_RC(E_RANGE);
	if (t->lanes && n <= VFY_LANE_MAX) {
		t->slot[t->lane.len] = (uint8_t)t->waiting;
		vfy_lanes_put(&t->lane, LEAF, p, n);
		if (t->lane.len == VFY_LANES)
			empty_lanes(t);
	} else
		HSA_TRY(rc, one(t, t->leaf[t->waiting], LEAF, p, n));
	t->size++;
	/* at a multiple of the batch, so that whole batches are one subtree */
	if (++t->waiting == VFY_TREE_BATCH || t->size % VFY_TREE_BATCH == 0)
		rc = vfy_tree_settle(t);
out:
	return rc;
}

hsa_rc
vfy_tree_root(struct vfy_tree *t, uint8_t root[HSA_SHA256_LEN])
{
	uint8_t h[HSA_SHA256_LEN];
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, vfy_tree_settle(t));
	i = t->depth;
	if (i == 0)
		return hsa_sha256(root, NULL, 0);
	memcpy(h, t->hash[--i], HSA_SHA256_LEN);
	while (i > 0)
		HSA_TRY(rc, join(t, h, t->hash[--i], h));
	memcpy(root, h, HSA_SHA256_LEN);
out:
	return rc;
}
