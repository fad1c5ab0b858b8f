/*
 * vfy_store_impl.h - struct vfy_store and what its files share: recovery
 * (vfy_store_recover.c), what a start may leave out (vfy_store_sum.c), and all
 * the rest. Private to them.
 */
#ifndef VFY_STORE_IMPL_H
#define VFY_STORE_IMPL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_store.h"

/* The running digest of the last segment: what is written to `resume`. */
struct vfy_store_sum {
	struct evp_md_ctx_st *ctx; /* NULL: not known */
	char name[VFY_NAME_MAX];   /* of the segment */
	uint64_t bytes;            /* of it, in the digest */
	uint64_t noted;            /* of those, as `resume` has it */
	uint64_t checkpoints;      /* of the state, when that was written */
};

struct vfy_store {
	char *dir;
	int folder, fd; /* -1: none yet */
	size_t segment_bytes;
	uint64_t written; /* bytes in the last segment */
	bool dirty, broken;
	struct hsa_sha256 *h;
	struct vfy_signer *signer;
	struct vfy_state state;
	struct vfy_store_sum sum;
	struct hsa_buf note;              /* the last checkpoint */
	uint64_t before[HSA_SOURCES + 1]; /* the last header's numbers */
};

/* vfy_store_recover(s, diag) - W3, for a folder that is there and locked. */
HSA_MUST_USE hsa_rc vfy_store_recover(
    struct vfy_store *s, struct hsa_diag *diag);

/* vfy_store_broken(s, what, diag) - by errno; closes s for good, E_IO.
 * vfy_store_head(s, diag) - replace the head by s->note. */
hsa_rc vfy_store_broken(
    struct vfy_store *s, const char *what, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc vfy_store_head(struct vfy_store *s, struct hsa_diag *diag);

/*
 * vfy_store_sum_start(s, name) - the segment at hand is another, still empty.
 * vfy_store_sum_add(s, p, n) - so much was written to it.
 * vfy_store_sum_upto(s, name, bytes) - the same for what its file has.
 * vfy_store_sum_known(s, name) - how many bytes at the segment's beginning are
 * those that were checked before; 0: none that is known.
 * vfy_store_sum_note(s, now) - what is written is durable: put it down, now or
 * when it is worth it. Failures cost time at the next start, nothing else.
 */
void vfy_store_sum_start(struct vfy_store *s, const char *name);
void vfy_store_sum_add(struct vfy_store *s, const void *p, size_t n);
void vfy_store_sum_upto(struct vfy_store *s, const char *name, uint64_t bytes);
uint64_t vfy_store_sum_known(struct vfy_store *s, const char *name);
void vfy_store_sum_note(struct vfy_store *s, bool now);
void vfy_store_sum_free(struct vfy_store *s);

#endif
