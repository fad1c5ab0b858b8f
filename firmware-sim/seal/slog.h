/*
 * slog.h - the sealed log of one unit: an RFC 6962 Merkle tree over records,
 * in append-only segment files, with C2SP signed-note checkpoints (FORMAT.md).
 *
 * One writer per folder (locked), any number of readers. Appends of several
 * threads are gathered into batches: write records, write a checkpoint over
 * them, fdatasync, then wake the callers. EP11 calls come through a ring in
 * shared memory (slog_ring.h), compact, and need not wait.
 */
#ifndef SLOG_H
#define SLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_sink.h"
#include "hsa_err.h"
#include "hsa_hash.h"

struct cu_clock;
struct hsa_data;
struct slog;
struct slog_os; /* slog_os.h: the calls to the file system, for fault tests */

/* How a log begins that stands for one that was damaged (FORMAT.md V11). */
struct slog_chain {
	uint64_t epoch;                 /* of its first records */
	const struct hsa_data *details; /* of NEW_CHAIN, by hsa_chain_put */
};

struct slog_config {
	const char *dir;    /* made if absent, 0700 */
	const char *origin; /* checkpoint origin and key name, no blank, no + */
	size_t segment_bytes;   /* a new file after this many; 0: 64 MiB */
	uint8_t public_key[32]; /* Ed25519, for the note's key hash */
	/* signs with the unit's checkpoint key */
	hsa_rc (*sign)(void *ctx, uint8_t sig[64], const void *msg, size_t n);
	void *sign_ctx;
	const struct slog_os *os; /* NULL: the real one */
	/* With a clock the log adds records of its own: SEGMENT_OPENED at the
	 * beginning of each segment, contexts for calls. NULL: it does not,
	 * and takes no calls. */
	const struct cu_clock *clock;
	uint8_t unit_id[HSA_UUID_LEN]; /* in them */
	/* bytes that the files may take (slog_kept's full); 0: no limit */
	uint64_t cap_bytes;
	const char *ring;    /* file for calls, on tmpfs; NULL: no calls */
	uint32_t ring_slots; /* of a new one; 0: SLOG_RING_SLOTS */
	/* a file on the log's disk that names the ring while calls may be in
	 * it alone (slog_ring_mark), which is then the one that is opened, ring
	 * NULL or not; NULL: nothing is known of a ring that is gone */
	const char *ring_mark;
	/* with a clock: the log is empty (else E_EXISTS), and when slog_open
	 * returns its first segment begins with SEGMENT_OPENED and NEW_CHAIN,
	 * durable. NULL: it is not such a log, or one with a beginning. Only
	 * read by slog_open. */
	const struct slog_chain *chain;
};

/*
 * slog_open(l, cfg, diag) - recover and start sealing. Reads the last segment
 * whole; a torn tail of the last file is cut (what it held was never
 * acknowledged) - the same damage anywhere else is E_CORRUPT and names the
 * place. E_BUSY: another writer; E_KEY: sign and public_key are no pair.
 * diag on success: empty, or what was cut. Calls that a killed process left
 * in the ring are sealed before it returns; E_CORRUPT also when the ring is
 * damaged, or knows of more than the log. With ring_mark one that is another's,
 * of another version, or an older copy is set aside, as NAME.aside-N.
 * slog_close(l) - seal what is queued, let the callers go, stop; NULL-safe;
 * readers outlive it. slog_why(l, diag) - why the log closed for good; empty
 * while it works.
 */
HSA_MUST_USE hsa_rc slog_open(
    struct slog **l, const struct slog_config *cfg, struct hsa_diag *diag);
void slog_close(struct slog *l);

void slog_why(struct slog *l, struct hsa_diag *diag);

#define SLOG_RING_WHY 128

/* What the ring holds and held (zeroed without one). */
struct slog_ring_status {
	bool found;       /* it was there when the log was opened */
	uint64_t drained; /* calls in it then; they are sealed */
	uint64_t slots, used;
	uint64_t unrecorded; /* calls that nobody took; kept over restarts */
	/* one that may have held calls of that epoch is gone, or was set aside,
	 * and no record says so yet (ring_mark) */
	bool lost;
	uint64_t lost_epoch;
	char lost_why[SLOG_RING_WHY];
};
void slog_ring_status(struct slog *l, struct slog_ring_status *st);
/* slog_ring_told(l, n) - a record tells of n unrecorded calls.
 * slog_ring_lost_told(l, diag) - one tells of the loss. E_IO.
 * slog_ring_mark(l, diag) - before the first call that is answered when it is
 * in the ring alone: from here on, until slog_close has found it empty, a ring
 * that is gone counts as lost. E_IO. */
void slog_ring_told(struct slog *l, uint64_t n);
HSA_MUST_USE hsa_rc slog_ring_lost_told(struct slog *l, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc slog_ring_mark(struct slog *l, struct hsa_diag *diag);

/* ---- how much is kept ---------------------------------------------------- */

struct slog_kept {
	uint64_t first; /* record; those before it were released */
	uint64_t bytes, cap;
	bool full; /* the cap is reached: what is still put is sealed, but the
		      unit is to refuse new work */
};
void slog_kept(struct slog *l, struct slog_kept *k);

/* slog_check(l, diag) - are the files of the log all there? When not, it is
 * closed for good, E_IO with the cause: what is sealed from here on would stand
 * on records that are gone. Not while slog_release runs. (The last file and
 * head are looked at in each batch.) */
HSA_MUST_USE hsa_rc slog_check(struct slog *l, struct hsa_diag *diag);

/* When segments may go: all three have to allow it, and the last two stay. */
struct slog_policy {
	uint64_t acknowledged; /* records that everybody has */
	uint64_t keep_bytes;   /* at least so much stays */
	int64_t keep_ns;       /* written at least so long ago */
	int64_t now_ns;
};
struct slog_plan {
	uint64_t before; /* first record that would stay */
	uint64_t files, bytes;
};
/*
 * slog_release_plan(l, p, policy) - what may go; files 0: nothing. E_IO.
 * slog_release(l, before, diag) - delete the segments whose records are all
 * before that one. First the record that says so has to be sealed (W5). E_IO:
 * some of them, or all, are still there; the next time they go along. One
 * thread at a time for both.
 */
HSA_MUST_USE hsa_rc slog_release_plan(
    struct slog *l, struct slog_plan *p, const struct slog_policy *policy);
HSA_MUST_USE hsa_rc slog_release(
    struct slog *l, uint64_t before, struct hsa_diag *diag);

/* slog_sink(l) - l as the unit's sink. seal, put: E_ARG when source_sequence is
 * not beyond the last one of its source, or is not the one in the record;
 * E_CLOSED: closing has begun. */
struct cu_sink slog_sink(struct slog *l);

/*
 * For emitters (hsa_emitter.h): a record that learns its number here. rec: of
 * hsa_record_encode with source_sequence 0, unit and epoch the log's.
 * slog_emit(l, sequence, number, rec, n) - source OUTBOX; on stable storage
 * under a checkpoint when it returns. All of a log's outbox, or none, come so.
 * slog_leave(l, number, rec, n, wait_ms) - source USE, through the ring: when
 * it returns, a kill of all processes does not lose it. E_TIMEOUT: the ring
 * was full for so long; counted. E_UNSUPPORTED: there is no ring.
 * slog_flush(l) - until all that was emitted or left before is durable.
 * E_IO, E_CLOSED as the sink's calls. No call may be running at slog_close.
 */
HSA_MUST_USE hsa_rc slog_emit(struct slog *l, uint64_t *sequence,
    uint64_t *number, const void *rec, size_t n);
HSA_MUST_USE hsa_rc slog_leave(
    struct slog *l, uint64_t *number, const void *rec, size_t n, int wait_ms);
HSA_MUST_USE hsa_rc slog_flush(struct slog *l);

/* ---- reading what is sealed and durable ---------------------------------- */

struct slog_reader;

enum slog_item_kind {
	SLOG_RECORD = 1,
	SLOG_CHECKPOINT
};
struct slog_item {
	enum slog_item_kind kind;
	uint64_t sequence; /* record: its own; checkpoint: the size it covers */
	const uint8_t *p;  /* valid until the next call on the reader */
	size_t n;
	uint8_t root[32]; /* checkpoint: of the tree at that size */
};

/*
 * slog_reader_open(r, l, from) - positioned before record `from`; E_RANGE
 * when the log is not that long, E_NOT_FOUND when that record was released.
 * Checkpoints of sizes up to `from` are passed
 * over.
 * slog_reader_next(r, it, wait_ms) - the next record or checkpoint that is on
 * stable storage; E_TIMEOUT when none came in time (negative: no limit),
 * E_CLOSED when all was read after slog_close, or at once after
 * slog_reader_stop (callable from any thread). E_CORRUPT: somebody changed a
 * file under us.
 * slog_reader_fd(r) - poll it for reading: ready when the log has moved, or
 * was closed or stopped, since a call last gave E_TIMEOUT.
 */
HSA_MUST_USE hsa_rc slog_reader_open(
    struct slog_reader **r, struct slog *l, uint64_t from);
HSA_MUST_USE hsa_rc slog_reader_next(
    struct slog_reader *r, struct slog_item *it, int wait_ms);
int slog_reader_fd(const struct slog_reader *r);
void slog_reader_stop(struct slog_reader *r);
void slog_reader_free(struct slog_reader *r);

#endif
