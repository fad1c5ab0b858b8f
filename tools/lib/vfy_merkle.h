/*
 * vfy_merkle.h - the tree of FORMAT.md section 2 (RFC 6962, 2.1), grown leaf
 * by leaf. Kept as a stack of full subtrees, largest first, that merge when
 * two of equal height meet: from the bottom up the stack is the frontier.
 * Up to VFY_TREE_BATCH leaves wait to be hashed together (vfy_lanes.h).
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
#include "vfy_lanes.h"

#define VFY_TREE_MAX 64   /* subtrees of a tree of fewer than 2^64 leaves */
#define VFY_TREE_BATCH 64 /* a power of two */

struct vfy_tree {
	struct hsa_sha256 *h; /* not owned */
	uint64_t size;        /* leaves, with those that wait */
	/* the frontier, once settled */
	size_t depth; /* subtrees on the stack */
	uint8_t level[VFY_TREE_MAX];
	uint8_t hash[VFY_TREE_MAX][HSA_SHA256_LEN];
	/* leaves that wait */
	bool lanes; /* this machine has them */
	size_t waiting;
	uint8_t leaf[VFY_TREE_BATCH][HSA_SHA256_LEN];
	uint8_t slot[VFY_LANES]; /* of leaf, for each message in lane */
	struct vfy_lanes lane;
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
/* vfy_tree_settle(t) - no leaf waits: depth, level and hash are the frontier.
 */
HSA_MUST_USE hsa_rc vfy_tree_settle(struct vfy_tree *t);
/* vfy_tree_root(t, root) - of the leaves so far; settles. */
HSA_MUST_USE hsa_rc vfy_tree_root(
    struct vfy_tree *t, uint8_t root[HSA_SHA256_LEN]);

#endif
