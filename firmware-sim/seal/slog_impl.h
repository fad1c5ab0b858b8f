/*
 * slog_impl.h - struct slog and what its files share. Private to seal/ and its
 * tests.
 *
 * Who touches what: `queue`, `tip` and the flags belong to the mutex; the
 * fields under "sealing thread" belong to that thread alone once it runs
 * (recovery fills them before).
 */
#ifndef SLOG_IMPL_H
#define SLOG_IMPL_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_err.h"
#include "slog.h"
#include "slog_merkle.h"
#include "slog_note.h"
#include "slog_os.h"
#include "slog_segment.h"

#define SLOG_HEAD "head"

struct slog_span { /* a record inside slog_batch.bytes */
	size_t at, n;
};

struct slog_batch {
	struct hsa_buf bytes; /* entries as they are written */
	struct slog_span *span;
	size_t len, cap;
	uint64_t last[HSA_SOURCES + 1];
};

struct slog_tip { /* how far the log is sealed and on stable storage */
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
	uint64_t last[HSA_SOURCES + 1];
	uint64_t segment; /* first sequence of the last segment */
	uint64_t end;     /* bytes of it; 0: there is no segment yet */
};

struct slog {
	/* set once */
	struct slog_key key;
	size_t segment_bytes;
	slog_sign *sign;
	void *sign_ctx;
	const struct slog_os *os;
	int dir;
	pthread_t thread;

	pthread_mutex_t mutex;
	pthread_cond_t work;    /* something queued, or stopping */
	pthread_cond_t room;    /* the queue was taken */
	pthread_cond_t done[2]; /* by parity of the batch's number */
	pthread_cond_t moved;   /* tip moved, or closed: for readers */
	unsigned int refs;      /* owner, readers, puts that wait */
	unsigned int busy;      /* callers inside the sink's calls */
	bool stopping, closed, failed;
	struct hsa_diag why; /* of failed */
	struct slog_batch queue;
	uint64_t queue_first, queue_no; /* first sequence, batch number */
	struct hsa_buf scratch;
	struct slog_tip tip;
	struct slog_segments segments; /* up to tip */
	struct slog_reader *readers;

	/* sealing thread */
	struct slog_merkle tree;
	struct slog_batch batch;
	int fd, head_fd;  /* -1: none yet */
	uint64_t segment; /* that fd is */
	uint64_t end;     /* of its sealed bytes */
	struct hsa_buf note;
};

/* slog_recover(l, diag) - W3: fills tree, tip, segments, fd, head_fd and note
 * from the folder, cuts a torn tail, makes what stays durable. diag on
 * success: empty, or what was cut. */
HSA_MUST_USE hsa_rc slog_recover(struct slog *l, struct hsa_diag *diag);

/* slog_head_write(l) - rewrite the head file with l->note (FORMAT.md 4). */
HSA_MUST_USE hsa_rc slog_head_write(struct slog *l, struct hsa_diag *diag);

/* slog_seal_main(l) - the sealing thread. */
void *slog_seal_main(void *l);

/*
 * slog_put(l, sequence, source, source_sequence, rec, n) - queue one record,
 * without waiting for the disk. slog_wait(l, sequence) - until that record is
 * durable. Together they are the sink's seal; the caller sees to it that l is
 * not closed meanwhile.
 */
HSA_MUST_USE hsa_rc slog_put(struct slog *l, uint64_t *sequence,
    enum hsa_source source, uint64_t source_sequence, const void *rec,
    size_t n);
HSA_MUST_USE hsa_rc slog_wait(struct slog *l, uint64_t sequence);

void slog_batch_reset(struct slog_batch *b);
void slog_batch_free(struct slog_batch *b);

/* slog_unref(l) - under the mutex, which it leaves; the last one frees l. */
void slog_unref(struct slog *l);

/* slog_readers_wake(l) - under the mutex: the tip moved or the log closed. */
void slog_readers_wake(struct slog *l);

#endif
