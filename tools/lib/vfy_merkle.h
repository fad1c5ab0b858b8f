/*
 * vfy_merkle.h - the tree of FORMAT.md section 2 (RFC 6962, 2.1), grown leaf
 * by leaf. Kept as a stack of full subtrees, largest first, that merge when
 * two of equal height meet: from the bottom up the stack is the frontier.
 *
 * A struct vfy_tree is plain memory: an assignment is a snapshot.
 */
#ifndef VFY_MERKLE_H
#define VFY_MERKLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define VFY_TREE_MAX 64 /* subtrees of a tree of fewer than 2^64 leaves */

/*
 * What a tree tells of each subtree root as it comes into being, the leaf's
 * own first: its height, its place among those of that height, its two halves
 * (NULL for a leaf) and itself. The tree is as it was before the leaf.
 */
struct vfy_node {
	uint8_t level;
	uint64_t index;
	const uint8_t *left, *right, *hash;
};
typedef hsa_rc vfy_node_fn(void *ctx, const struct vfy_node *n);

struct vfy_tree {
	struct hsa_sha256 *h; /* not owned */
	vfy_node_fn *on_node; /* NULL allowed; its error stops the add */
	void *node_ctx;
	uint64_t size; /* leaves */
	/* the frontier */
	size_t depth; /* subtrees on the stack */
	uint8_t level[VFY_TREE_MAX];
	uint8_t hash[VFY_TREE_MAX][HSA_SHA256_LEN];
};

/* vfy_tree_init(t, h) - no leaves; h does the hashing of t and its copies. */
void vfy_tree_init(struct vfy_tree *t, struct hsa_sha256 *h);
/*
 * vfy_tree_start(t, h, size, frontier, n) - the tree of size leaves that has
 * this frontier, taken on trust. E_FORMAT when n is not the number of full
 * subtrees of a tree of that size.
 */
HSA_MUST_USE hsa_rc vfy_tree_start(struct vfy_tree *t, struct hsa_sha256 *h,
    uint64_t size, const uint8_t (*frontier)[HSA_SHA256_LEN], size_t n);
/* vfy_tree_add(t, p, n) - append a leaf with these bytes. E_RANGE when full. */
HSA_MUST_USE hsa_rc vfy_tree_add(struct vfy_tree *t, const void *p, size_t n);
/* vfy_leaf_hash(h, to, p, n), vfy_node_hash(h, to, left, right) - the two
 * hashes of the tree; to may be left or right. */
HSA_MUST_USE hsa_rc vfy_leaf_hash(
    struct hsa_sha256 *h, uint8_t to[HSA_SHA256_LEN], const void *p, size_t n);
HSA_MUST_USE hsa_rc vfy_node_hash(struct hsa_sha256 *h,
    uint8_t to[HSA_SHA256_LEN], const uint8_t *left, const uint8_t *right);
/* vfy_tree_root(t, root) - of the leaves so far. */
HSA_MUST_USE hsa_rc vfy_tree_root(
    const struct vfy_tree *t, uint8_t root[HSA_SHA256_LEN]);

#endif
