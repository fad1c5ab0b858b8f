/*
 * vfy_path.h - proofs of RFC 6962: the way from a subtree's root up to the
 * root of the tree, collected while the tree grows (no leaf is kept), and the
 * check of such a proof by who has nothing else.
 */
#ifndef VFY_PATH_H
#define VFY_PATH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"
#include "vfy_merkle.h"

/* A way has a hash a level at most, a consistency proof one more. */
#define VFY_PROOF_MAX 64

struct vfy_hashes {
	uint8_t hash[VFY_PROOF_MAX][HSA_SHA256_LEN];
	size_t n;
};

/* Plain memory: an assignment is a snapshot. */
struct vfy_path {
	uint8_t level; /* where the way has come to */
	uint64_t index;
	bool found;                    /* the subtree has come into being */
	uint8_t first[HSA_SHA256_LEN]; /* its own root */
	struct vfy_hashes way;
};

/*
 * vfy_path_leaf(p, index) - the way of a leaf. vfy_path_size(p, size) - of the
 * last full subtree of the first size leaves (size > 0), which is what a
 * consistency proof from there begins with. Both before the tree gets there.
 * vfy_path_node(p, n) - to be called for every node of the tree.
 * vfy_path_begin(p, t) - of a tree that does not grow from nothing: it may be
 * among the subtrees that t began with.
 */
void vfy_path_leaf(struct vfy_path *p, uint64_t index);
void vfy_path_size(struct vfy_path *p, uint64_t size);
void vfy_path_node(struct vfy_path *p, const struct vfy_node *n);
void vfy_path_begin(struct vfy_path *p, const struct vfy_tree *t);

/*
 * vfy_path_end(p, t, to) - the whole way to the root of the tree as it is now
 * (RFC 6962, 2.1.1: from the sibling up). E_NOT_FOUND: the subtree is not in
 * this tree, or came before it was taken up.
 * vfy_path_consistency(p, t, size, to) - the consistency proof from size to
 * the tree as it is now (2.1.2); p was begun by vfy_path_size with that size.
 */
HSA_MUST_USE hsa_rc vfy_path_end(
    const struct vfy_path *p, const struct vfy_tree *t, struct vfy_hashes *to);
HSA_MUST_USE hsa_rc vfy_path_consistency(const struct vfy_path *p,
    const struct vfy_tree *t, uint64_t size, struct vfy_hashes *to);

/*
 * vfy_path_included(h, leaf, index, size, proof, root) - E_CORRUPT unless the
 * proof leads from the leaf's hash to root. vfy_path_consistent(h, old_size,
 * old_root, size, root, proof) - E_CORRUPT unless it shows that the tree of
 * old_size leaves is the beginning of the other. RFC 9162, 2.1.3.2 and
 * 2.1.4.2. From size 0 nothing can be shown: E_CORRUPT.
 */
HSA_MUST_USE hsa_rc vfy_path_included(struct hsa_sha256 *h,
    const uint8_t leaf[HSA_SHA256_LEN], uint64_t index, uint64_t size,
    const struct vfy_hashes *proof, const uint8_t root[HSA_SHA256_LEN]);
HSA_MUST_USE hsa_rc vfy_path_consistent(struct hsa_sha256 *h, uint64_t old_size,
    const uint8_t old_root[HSA_SHA256_LEN], uint64_t size,
    const uint8_t root[HSA_SHA256_LEN], const struct vfy_hashes *proof);

#endif
