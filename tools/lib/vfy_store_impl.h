/*
 * vfy_store_impl.h - struct vfy_store and what its two files share: recovery
 * (vfy_store_recover.c), and all the rest. Private to them.
 */
#ifndef VFY_STORE_IMPL_H
#define VFY_STORE_IMPL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_store.h"

struct vfy_store {
	char *dir;
	int folder, fd; /* -1: none yet */
	size_t segment_bytes;
	uint64_t written; /* bytes in the last segment */
	bool dirty, broken;
	struct hsa_sha256 *h;
	struct vfy_signer *signer;
	struct vfy_state state;
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

#endif
