/*
 * slog_ring.h - a queue of records in shared memory, from any number of threads
 * of one process to its sealer: what is in it survives a kill -9 of everything,
 * since the file lies on tmpfs and the next process that opens it drains it
 * first (FORMAT.md W6). Not a reboot: whoever needs that waits for the log.
 *
 * Slots of 128 bytes. A record takes one or several, in a row, and each slot
 * has a commit word of its own, so that bytes of a record are never taken for
 * one. Positions count slots from the file's beginning of time and never wrap.
 * Producers reserve by compare-and-swap, fill in place and publish last: no
 * lock, no system call, no allocation, no futex. A full ring makes them nap
 * until their deadline, then refuses; nothing is ever overwritten.
 */
#ifndef SLOG_RING_H
#define SLOG_RING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define SLOG_RING_SLOT 128u
#define SLOG_RING_ROOM 112u /* bytes of a record in each slot */
#define SLOG_RING_RECORD_MAX 65536u
#define SLOG_RING_SLOTS 65536u /* default; a power of two */
#define SLOG_RING_SLOTS_MIN 1024u
#define SLOG_RING_SLOTS_MAX (1u << 22)

/* A place for bytes that records in the ring refer to by its handle. */
#define SLOG_RING_CONTEXTS 256u
#define SLOG_RING_CONTEXT_MAX 4080u /* bytes */

struct slog_ring;

enum slog_ring_found {
	SLOG_RING_NEW = 1, /* there was none: made */
	SLOG_RING_OLD      /* there was one; it may hold records */
};

struct slog_ring_config {
	const char *path; /* on tmpfs */
	uint8_t unit_id[HSA_UUID_LEN];
	uint32_t slots; /* of a new one; 0: SLOG_RING_SLOTS */
	uint64_t base;  /* first position of a new one */
};

/*
 * slog_ring_open(r, found, cfg, diag) - attach the file, or make it, 0600. It
 * is locked: E_BUSY while another process has it. E_FORMAT: it is no ring, or
 * that of another unit or version. E_CORRUPT: its numbers cannot be. diag says
 * what to do. E_AUTH: it belongs
 * to somebody else, can be read by others, or is no plain file. E_IO, E_NOMEM.
 * slog_ring_close(r, remove) - let go; remove: and delete it, when nothing is
 * in it any more. NULL-safe.
 */
HSA_MUST_USE hsa_rc slog_ring_open(struct slog_ring **r,
    enum slog_ring_found *found, const struct slog_ring_config *cfg,
    struct hsa_diag *diag);
void slog_ring_close(struct slog_ring *r, bool remove);

/* ---- producers: any number of threads ------------------------------------ */

struct slog_ring_place {
	uint64_t at;
	uint32_t n; /* bytes */
};

/*
 * slog_ring_reserve(r, p, n, wait_ms) - room for a record of n bytes, 1 to
 * SLOG_RING_RECORD_MAX. E_TIMEOUT: full for that long; counted as unrecorded.
 * E_CLOSED: slog_ring_stop was called.
 * slog_ring_room(r, p, i) - where bytes i * SLOG_RING_ROOM and on go, aligned
 * to 8. slog_ring_fill(r, p, rec) - all bytes at once.
 * slog_ring_publish(r, p, kind) - the record is whole; kind 1 to 255. Each
 * reserve that succeeded is followed by it, soon: later records wait for it.
 */
HSA_MUST_USE hsa_rc slog_ring_reserve(
    struct slog_ring *r, struct slog_ring_place *p, size_t n, int wait_ms);
void *slog_ring_room(
    struct slog_ring *r, const struct slog_ring_place *p, size_t i);
void slog_ring_fill(
    struct slog_ring *r, const struct slog_ring_place *p, const void *rec);
void slog_ring_publish(
    struct slog_ring *r, const struct slog_ring_place *p, uint8_t kind);

/* slog_ring_stop(r) - every reserve from now on is E_CLOSED. */
void slog_ring_stop(struct slog_ring *r);

/*
 * slog_ring_context_put(r, handle, p, n) - keep bytes until
 * slog_ring_context_drop(r, handle); E_RANGE, E_BUSY when all places are taken.
 * A dropped place is used again only when all records that may refer to it are
 * released. One thread at a time for both.
 */
HSA_MUST_USE hsa_rc slog_ring_context_put(
    struct slog_ring *r, uint32_t *handle, const void *p, size_t n);
void slog_ring_context_drop(struct slog_ring *r, uint32_t handle);

/* ---- the sealer: one thread ---------------------------------------------- */

struct slog_ring_item {
	uint64_t at;  /* position */
	uint64_t end; /* of the record behind it */
	uint8_t kind;
	const uint8_t *p; /* until the next call, or release */
	size_t n;
};

/*
 * slog_ring_next(r, it, cursor, orphans) - the record at *cursor, which moves
 * behind it. E_NOT_FOUND: none is published there. E_CORRUPT: what is there
 * cannot be. orphans: skip what was reserved and never published, as a process
 * that was killed leaves it; only before there are producers.
 * slog_ring_tail(r) - first position that is not released.
 * slog_ring_head(r) - behind the last one that is reserved.
 * slog_ring_release(r, upto, last) - what is before upto is durable elsewhere;
 * last: number of the last such record, for slog_ring_sealed(r) after a
 * restart. slog_ring_context(r, handle, generation, p, n) - bytes put there;
 * generation: another one each time that the place is used. E_CORRUPT: no such
 * context.
 */
HSA_MUST_USE hsa_rc slog_ring_next(struct slog_ring *r,
    struct slog_ring_item *it, uint64_t *cursor, bool orphans);
uint64_t slog_ring_tail(const struct slog_ring *r);
uint64_t slog_ring_head(const struct slog_ring *r);
void slog_ring_release(struct slog_ring *r, uint64_t upto, uint64_t last);
uint64_t slog_ring_sealed(const struct slog_ring *r);
HSA_MUST_USE hsa_rc slog_ring_context(struct slog_ring *r, uint32_t handle,
    uint64_t *generation, const uint8_t **p, size_t *n);

/* slog_ring_slots(r) - capacity. slog_ring_path(r) - of its file.
 * slog_ring_unrecorded(r) - records refused since the last
 * slog_ring_unrecorded_told(r, n), which takes n off. */
uint32_t slog_ring_slots(const struct slog_ring *r);
const char *slog_ring_path(const struct slog_ring *r);
uint64_t slog_ring_unrecorded(const struct slog_ring *r);
void slog_ring_unrecorded_told(struct slog_ring *r, uint64_t n);

#endif
