/*
 * slog_impl.h - struct slog and what its files share. Private to seal/ and its
 * tests.
 *
 * A batch goes through two threads, so that the signature over one is made
 * while the disk takes the one before: slog_seal.c gathers, hashes and signs;
 * slog_write.c writes, syncs, tells those who wait. At most one batch lies
 * between them.
 *
 * Who touches what: the fields under "mutex" belong to the mutex, those under
 * "sealing thread" and "writing thread" to that thread alone once they run
 * (recovery fills them before), a batch to the thread that has it.
 */
#ifndef SLOG_IMPL_H
#define SLOG_IMPL_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_clock.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_err.h"
#include "slog.h"
#include "slog_mark.h"
#include "slog_merkle.h"
#include "slog_note.h"
#include "slog_os.h"
#include "slog_ring.h"
#include "slog_segment.h"

#define SLOG_HEAD "head"

/* A record on its way from a caller: its bytes without sequence are in the
 * queue's. */
struct slog_queued {
	size_t at, n;
	enum hsa_source source;
	uint64_t number; /* source sequence */
	uint64_t ring;   /* calls before this position go first */
	uint64_t *told;  /* where its sequence goes; NULL: nobody asks */
};
struct slog_queue {
	struct hsa_buf bytes;
	struct slog_queued *item;
	size_t len, cap;
};

struct slog_tip { /* how far the log is sealed and on stable storage */
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
	uint64_t last[HSA_SOURCES + 1];
	uint64_t epoch;   /* of the last record that says one; 0: none */
	uint64_t segment; /* first sequence of the last segment */
	uint64_t end;     /* bytes of it; 0: there is no segment yet */
};

/* How far: queued records with tickets up to this one, calls of the ring
 * before this position. */
struct slog_upto {
	uint64_t tickets, ring;
};

struct slog_told {
	uint64_t *to;
	uint64_t sequence;
};
struct slog_batch {
	uint64_t no;
	bool new_segment;
	struct hsa_buf header;  /* of it */
	struct hsa_buf bytes;   /* entries as they are written */
	struct hsa_buf note;    /* the last of them */
	struct slog_tip tip;    /* once it is durable; end: in its segment */
	uint64_t tickets, ring; /* as slog_upto; before: up to where to go */
	unsigned int waiters;   /* callers who wait for it */
	struct slog_told *told;
	size_t told_len, told_cap;
};

/* Kinds of records in the ring: a struct cu_sink_call, all of it or up to its
 * last member; or a record as hsa_record_encode makes it, its source_sequence
 * 0 (hsa_record_seal_numbered). */
#define SLOG_RING_CALL 1
#define SLOG_RING_WHOLE 2
#define SLOG_CALL_SHORT offsetof(struct cu_sink_call, command_id)

#define SLOG_WAITS 4 /* conditions: batches that callers can wait for */

/* A context as the segment at hand has it. */
struct slog_context {
	uint64_t generation; /* 0: not sealed in it */
	uint64_t sequence;
	uint64_t order; /* the how manieth of the segment */
};

struct slog {
	/* set once */
	struct slog_key key;
	size_t segment_bytes;
	slog_sign *sign;
	void *sign_ctx;
	const struct slog_os *os;
	int dir;
	pthread_t sealer, writer;
	struct slog_ring *ring; /* NULL: no calls */
	enum slog_ring_found ring_found;
	struct slog_mark mark; /* the owner's, once the log is open */
	uint64_t cap_bytes;    /* 0: none */
	atomic_bool at_cap;    /* it is reached; set under mutex */
	uint64_t orphans; /* calls before this position: a dead process's */
	uint64_t ring_drained; /* those of them that were published */
	bool own;              /* it adds records of its own */
	uint8_t unit_id[HSA_UUID_LEN];
	const struct cu_clock *clock;
	const struct slog_chain *chain; /* until slog_open has returned */

	pthread_mutex_t mutex;
	pthread_cond_t work; /* for the sealing thread */
	pthread_cond_t full; /* a batch for the writing thread, or its end */
	pthread_cond_t room; /* the queue, or the place between, was taken */
	pthread_cond_t done_cond[SLOG_WAITS]; /* by a batch's number */
	pthread_cond_t drained; /* the ring of the process before */
	pthread_cond_t moved;   /* tip moved, or closed: for readers */
	unsigned int refs;      /* owner, readers */
	unsigned int busy;      /* callers inside the sink's calls */
	bool stopping, closed, failed;
	struct hsa_diag why; /* of failed */
	struct slog_queue queue;
	struct hsa_buf put_scratch;
	uint64_t queue_last[HSA_SOURCES + 1];
	uint64_t ticket;      /* of the record queued last */
	uint64_t want;        /* somebody waits for calls up to here */
	uint64_t gathered_no; /* of the batch gathered last */
	struct slog_upto gathered, former; /* up to it, and the one before */
	struct slog_upto done;             /* durable */
	bool stuck;                        /* the last one had nothing */
	bool idle;            /* the sealing thread waits for work */
	bool writing;         /* a batch is on its way to the disk */
	bool at_disk;         /* one of the threads uses fd, head_fd, note... */
	unsigned int waiters; /* callers who wait for what is not gathered */
	struct slog_batch *handed; /* between the threads; NULL: none */
	bool sealer_gone;
	struct slog_tip tip;
	struct slog_segments segments; /* up to tip */
	uint64_t closed_bytes;         /* of all but the last */
	uint64_t released;             /* being so: records before it */
	struct slog_reader *readers;

	/* sealing thread */
	struct slog_merkle tree;
	struct slog_queue taken;
	struct slog_batch batch[2]; /* at hand, and being written */
	struct slog_tip sealed;     /* of all batches so far */
	uint64_t cursor;            /* in the ring */
	uint64_t pending_ns;        /* since when calls lie there; 0: none */
	uint64_t idle_ns;           /* how long the last nap was */
	struct slog_context context[SLOG_RING_CONTEXTS];
	uint64_t contexts;                 /* in this segment */
	uint64_t clock_offset, clock_mono; /* of the last batch; 0: none yet */
	struct hsa_buf scratch;

	/* who is at_disk */
	int fd, head_fd;  /* -1: none yet */
	uint64_t segment; /* that fd is */
	uint64_t end;     /* of its sealed bytes */
	struct hsa_buf note;
};

/* slog_recover(l, diag) - W3: fills tree, tip, segments, fd, head_fd and note
 * from the folder, cuts a torn tail, makes what stays durable. diag on
 * success: empty, or what was cut. */
HSA_MUST_USE hsa_rc slog_recover(struct slog *l, struct hsa_diag *diag);

/* slog_head_read(l, raw, note, good, diag) - the head file, if there is one:
 * raw its bytes, note (which points there) when it is good, which means that
 * the log's key signed it.
 * slog_judge(l, f, fd, what) - is what lies behind the last good checkpoint of
 * the last file a torn tail? E_CORRUPT, and why not: more was sealed. */
struct slog_found;
#define SLOG_WHAT 200
HSA_MUST_USE hsa_rc slog_head_read(struct slog *l, struct hsa_buf *raw,
    struct slog_note *note, bool *good, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc slog_judge(
    struct slog *l, const struct slog_found *f, int fd, char what[SLOG_WHAT]);

/* slog_head_write(l) - rewrite the head file with l->note (FORMAT.md 4). */
HSA_MUST_USE hsa_rc slog_head_write(struct slog *l, struct hsa_diag *diag);

/* slog_attach(l, cfg, diag) - after recovery: the ring and its mark.
 * slog_attach_end(l) - an end in order: the ring is not missed any more. */
HSA_MUST_USE hsa_rc slog_attach(
    struct slog *l, const struct slog_config *cfg, struct hsa_diag *diag);
void slog_attach_end(struct slog *l);

/* slog_seal_main(l), slog_write_main(l) - the two threads. */
void *slog_seal_main(void *l);
void *slog_write_main(void *l);
/* slog_write(l, b) - under the mutex, which it leaves meanwhile: b to the disk,
 * and those who wait for it told. One thread at a time (at_disk). false: the
 * log has failed. */
bool slog_write(struct slog *l, struct slog_batch *b);

/*
 * slog_gather(l, b) - everything that waits becomes batch b: entries, leaves of
 * the tree, and what b->tip will be but for root and end.
 */
HSA_MUST_USE hsa_rc slog_gather(
    struct slog *l, struct slog_batch *b, struct hsa_diag *why);

/* slog_gather_add(l, b, rec, n) - a record with its sequence, as the next one
 * of batch and tree. */
HSA_MUST_USE hsa_rc slog_gather_add(
    struct slog *l, struct slog_batch *b, const void *rec, size_t n);

/* slog_fail(l, rc, why) - under the mutex: the log is closed for good. */
void slog_fail(struct slog *l, hsa_rc rc, const struct hsa_diag *why);

/*
 * The two halves of sealing a record, both under the mutex, by a caller who is
 * counted in busy or sees to it that l is not closed meanwhile:
 * slog_put(l, ticket, told, source, source_sequence, rec, n) - queue it,
 * without waiting for the disk; its sequence goes to told, which may be NULL,
 * when it is durable. slog_wait(l, ticket) - until it is.
 */
HSA_MUST_USE hsa_rc slog_put(struct slog *l, uint64_t *ticket, uint64_t *told,
    enum hsa_source source, uint64_t source_sequence, const void *rec,
    size_t n);
HSA_MUST_USE hsa_rc slog_wait(struct slog *l, uint64_t ticket);

void slog_batch_reset(struct slog_batch *b);
void slog_batch_free(struct slog_batch *b);
void slog_queue_free(struct slog_queue *q);

/* slog_unref(l) - under the mutex, which it leaves; the last one frees l. */
void slog_unref(struct slog *l);

/* slog_now_ns() - the clock of naps. */
uint64_t slog_now_ns(void);

/* slog_readers_wake(l) - under the mutex: the tip moved or the log closed. */
void slog_readers_wake(struct slog *l);

#endif
