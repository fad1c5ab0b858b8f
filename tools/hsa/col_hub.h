/*
 * col_hub.h - what all connections of a collector share: the keys that it
 * trusts, and one store per log: a unit that began a new one has two keys and
 * two stores. A store is opened, and thereby recovered,
 * when its unit first says Hello.
 */
#ifndef COL_HUB_H
#define COL_HUB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "vfy_find.h"
#include "vfy_log.h"
#include "vfy_store.h"

#define COL_PENDING_PEER (64u * 1024u * 1024u) /* unsealed, of one peer */
#define COL_PENDING_ALL (256u * 1024u * 1024u) /* of all together */

struct col_unit {
	char name[VFY_LOG_NAME]; /* the subfolder's */
	const struct vfy_key *key;
	struct vfy_store *store;
	bool dirty; /* appended, not yet synced */
};

struct col_hub {
	char *dir;
	const struct vfy_keys *keys;
	size_t segment_bytes;  /* 0: the store's own */
	struct col_unit *unit; /* one for each key */
	size_t len;
	uint64_t stored; /* records since the start */
	size_t pending;  /* bytes of all peers not yet sealed */
	bool failed;     /* storing failed: nothing more is taken */
	struct hsa_diag why;
};

/*
 * col_hub_open(h, dir, keys, diag) - dir is made, 0700. keys must outlive h.
 */
HSA_MUST_USE hsa_rc col_hub_open(struct col_hub *h, const char *dir,
    const struct vfy_keys *keys, struct hsa_diag *diag);
void col_hub_close(struct col_hub *h);

/* col_hub_unit(u, h, origin, diag) - its store opened. E_KEY: no key for it;
 * E_CORRUPT, E_BUSY: see vfy_store_open. */
HSA_MUST_USE hsa_rc col_hub_unit(struct col_unit **u, struct col_hub *h,
    const char *origin, struct hsa_diag *diag);
/*
 * col_hub_keep(h, u, next, entries, note, note_len) - a verified batch goes
 * into the store. On failure h->failed is set for good (STOP).
 */
HSA_MUST_USE hsa_rc col_hub_keep(struct col_hub *h, struct col_unit *u,
    const struct vfy_state *next, const struct hsa_buf *entries,
    const void *note, size_t note_len);
/* col_hub_sync(h) - all that was kept is on stable storage. */
HSA_MUST_USE hsa_rc col_hub_sync(struct col_hub *h);

#endif
