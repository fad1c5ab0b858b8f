/*
 * vfy_log.h - reading and verifying a sealed log, a second reading of
 * proto/FORMAT.md that shares proto/ with the writer and nothing else. Works on
 * a unit's log folder and on a collected copy of it: both are segment files.
 */
#ifndef VFY_LOG_H
#define VFY_LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_event.h"
#include "vfy_merkle.h"

/* A key that signs checkpoints, from a line of checkpoint.pub: C2SP note
 * verifier key "<origin>+<hash>+<base64>". */
struct vfy_key {
	char origin[256];
	uint8_t public_key[32];
	uint8_t key_hash[4];
};
struct vfy_keys {
	struct vfy_key *key;
	size_t len;
};
HSA_MUST_USE hsa_rc vfy_keys_load(
    struct vfy_keys *k, const char *path, struct hsa_diag *diag);
/* vfy_keys_add(k, more, diag) - E_EXISTS: two different keys for an origin. */
HSA_MUST_USE hsa_rc vfy_keys_add(
    struct vfy_keys *k, const struct vfy_keys *more, struct hsa_diag *diag);
void vfy_keys_free(struct vfy_keys *k);

struct vfy_place { /* where the first bad thing is */
	char file[256];
	uint64_t offset;   /* byte in that file */
	uint64_t sequence; /* record that was expected there */
};

/* What a log says of the one before it, which was damaged (V11). */
struct vfy_chain {
	bool has; /* it is such a log, and its beginning is here */
	char old_origin[256];
	uint64_t verified; /* records of the old one that could be verified */
	uint8_t root[32];  /* there */
	uint64_t found;
	char rule[8]; /* "": nothing was wrong with it */
	char why[512];
};

struct vfy_result {
	char origin[256];
	uint64_t first;   /* record; those before it were released (V1) */
	uint64_t records; /* of the log: read and in place, from first on */
	uint64_t sealed;  /* records covered by a good checkpoint */
	uint64_t epochs, checkpoints, events, specials, contexts;
	uint64_t calls;   /* of the events: EP11 calls */
	uint8_t root[32]; /* over the sealed records */
	struct vfy_chain chain;
	bool bad;
	struct vfy_place place;
	char rule[8];      /* of FORMAT.md, "V6" */
	char finding[512]; /* what is wrong, in words */
};

/* A checkpoint from elsewhere (V9), its signature checked. */
struct vfy_anchor {
	char path[256];
	char origin[256];
	uint64_t size;
	uint8_t root[32];
	size_t signatures; /* lines, the log's own among them */
	size_t witnessed;  /* of the witnesses asked for */
	char forged[256];  /* why none of them counts: a line is not good */
};
/*
 * vfy_anchor_load(a, path, keys, diag) - a file that holds a checkpoint, as
 * text or as a `head` file. E_NOT_FOUND, E_FORMAT, E_SIGNATURE; E_KEY when
 * keys has none for its origin. vfy_anchor_load_witnessed: and counts those of
 * the witnesses who cosigned it.
 */
HSA_MUST_USE hsa_rc vfy_anchor_load(struct vfy_anchor *a, const char *path,
    const struct vfy_keys *keys, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc vfy_anchor_load_witnessed(struct vfy_anchor *a,
    const char *path, const struct vfy_keys *keys,
    const struct vfy_keys *witnesses, struct hsa_diag *diag);

struct vfy_point { /* a size in; out: the root that the log has there */
	uint64_t size;
	uint8_t root[32];
	bool reached;
};

/* Called for each record in place, before it is known to be sealed; NULL
 * allowed. A compact record comes as the event that it stands for
 * (hsa_contexts.h), raw being what is stored; contexts come, too. Returning an
 * error stops the walk with it. */
typedef hsa_rc vfy_record_fn(
    void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n);

/*
 * For who makes something of the tree while it grows; each may be NULL, and an
 * error stops the walk with it. begin: t is as the log begins, empty unless
 * records were released. node: vfy_merkle.h. leaf: the record is in place, t
 * the tree with it. checkpoint: it is good, and over t.
 */
struct vfy_watch {
	hsa_rc (*begin)(void *ctx, const struct vfy_tree *t);
	vfy_node_fn *node;
	hsa_rc (*leaf)(
	    void *ctx, const struct vfy_tree *t, const uint8_t *raw, size_t n);
	hsa_rc (*checkpoint)(
	    void *ctx, const struct vfy_tree *t, const uint8_t *note, size_t n);
	void *ctx;
};

struct vfy_options {
	const struct vfy_keys *keys; /* required */
	const char *anchor;          /* file with a checkpoint the log must
					contain, or NULL */
	vfy_record_fn *on_record;
	void *ctx;
	const struct vfy_anchor *anchors; /* more, loaded; those of other
					     origins are passed over */
	size_t anchors_len;
	struct vfy_point *points;
	size_t points_len;
	const struct vfy_watch *watch;
	int settle_ms; /* a log that ends in the middle of a batch may be
			  being written: wait so long for the rest */
};

/*
 * vfy_log(res, dir, opt, diag) - walk a log folder. Success with res->bad set
 * when the log is damaged; an error only when it cannot be read at all.
 */
HSA_MUST_USE hsa_rc vfy_log(struct vfy_result *res, const char *dir,
    const struct vfy_options *opt, struct hsa_diag *diag);

/*
 * Following a log that is being written, without verifying: for `hsa tail -f`
 * and for a ceremony that waits for the events of its steps. Gives only what
 * stands before a checkpoint, so that nothing is shown that a recovery cuts.
 * The folder must exist; the first segment may come later. Compact records come
 * as the events that they stand for, and contexts come, too.
 * vfy_follow_next: E_TIMEOUT when no sealed record came within wait_ms (0:
 * look once). On success the caller frees r. E_FORMAT: the bytes are no log;
 * vfy_follow_place says where.
 */
struct vfy_follow;
HSA_MUST_USE hsa_rc vfy_follow_open(
    struct vfy_follow **f, const char *dir, struct hsa_diag *diag);
/* vfy_follow_from(f, sequence) - before the first next: skip what is before.
 */
void vfy_follow_from(struct vfy_follow *f, uint64_t sequence);
HSA_MUST_USE hsa_rc vfy_follow_next(
    struct vfy_follow *f, struct hsa_record *r, int wait_ms);
/* vfy_follow_raw(f) - the stored bytes of the record that the last next gave;
 * valid until the next call. */
struct hsa_slice vfy_follow_raw(const struct vfy_follow *f);
void vfy_follow_place(const struct vfy_follow *f, struct vfy_place *place);
/* vfy_follow_checkpoints(f) - passed so far; all of the log's when next has
 * said E_TIMEOUT and nothing was skipped. */
uint64_t vfy_follow_checkpoints(const struct vfy_follow *f);
void vfy_follow_free(struct vfy_follow *f);

#endif
