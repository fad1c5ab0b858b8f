/*
 * vfy_store.h - a collector's own log folder of one unit (FORMAT.md sections
 * 4 to 6): opens with recovery (W3), takes batches that are verified already,
 * and says that they are kept only after fdatasync. One writer per folder.
 */
#ifndef VFY_STORE_H
#define VFY_STORE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "vfy_log.h"
#include "vfy_state.h"

#define VFY_STORE_SEGMENT (64u * 1024u * 1024u)

struct vfy_store;

/*
 * vfy_store_open(s, dir, key, segment_bytes, diag) - dir is made, 0700, when
 * the first batch comes. A torn tail is cut. E_BUSY: another writer has it;
 * E_CORRUPT: the copy is damaged where it was acknowledged, diag says where
 * and what to do. segment_bytes 0: VFY_STORE_SEGMENT.
 */
HSA_MUST_USE hsa_rc vfy_store_open(struct vfy_store **s, const char *dir,
    const struct vfy_key *key, size_t segment_bytes, struct hsa_diag *diag);
/* vfy_store_state(s) - after the last checkpoint that was appended; valid
 * until the next append. Its tree and signer are borrowed from s. */
const struct vfy_state *vfy_store_state(const struct vfy_store *s);
/*
 * vfy_store_append(s, next, entries, n, note, note_len) - write delimited
 * record and checkpoint entries that led from vfy_store_state(s) to next and
 * end with the checkpoint `note`. Nothing is checked here. A segment begins
 * where next says one does (V10), so contexts stand in the same one as in the
 * log. E_IO: s is closed for good (STOP).
 */
HSA_MUST_USE hsa_rc vfy_store_append(struct vfy_store *s,
    const struct vfy_state *next, const void *entries, size_t n,
    const void *note, size_t note_len, struct hsa_diag *diag);
/* vfy_store_sync(s) - everything appended is on stable storage, and `head`
 * says so. E_IO as above. */
HSA_MUST_USE hsa_rc vfy_store_sync(struct vfy_store *s, struct hsa_diag *diag);
void vfy_store_free(struct vfy_store *s);

#endif
