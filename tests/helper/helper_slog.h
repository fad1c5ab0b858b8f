/*
 * helper_slog.h - for tests of the sealed log: a folder of its own, a
 * checkpoint key in OpenSSL, records of any size, and file surgery.
 * Helpers end the test program when they cannot do their work.
 */
#ifndef HELPER_SLOG_H
#define HELPER_SLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "slog.h"

#define HELPER_ORIGIN "cryptounit/00010203-0405-4607-8809-0a0b0c0d0e0f"

struct helper_slog {
	char base[64];          /* a fresh folder */
	char dir[80];           /* the log's, inside it; not made yet */
	void *key;              /* EVP_PKEY */
	unsigned int signs;     /* calls so far */
	unsigned int fail_sign; /* number of the call that fails; 0: none */
	struct slog_config cfg;
};

void helper_slog_init(struct helper_slog *h);
void helper_slog_free(struct helper_slog *h);

/* helper_slog_open(h) - must succeed. */
struct slog *helper_slog_open(struct helper_slog *h);

/* helper_slog_record(b, number, text_len) - bytes for the sink: a special
 * record of the outbox with that source sequence and that much text. */
void helper_slog_record(struct hsa_buf *b, uint64_t number, size_t text_len);

/* helper_slog_use(b, number) - likewise, of an EP11 call. */
void helper_slog_use(struct hsa_buf *b, uint64_t number);

/* helper_slog_seal(l, number, text_len), helper_slog_seal_use(l, number) - seal
 * one and return the result. */
hsa_rc helper_slog_seal_use(
    struct slog *l, uint64_t *sequence, uint64_t number);
hsa_rc helper_slog_seal(
    struct slog *l, uint64_t *sequence, uint64_t number, size_t text_len);

/* helper_slog_put(l, ticket, number, rec, n), helper_slog_wait(l, ticket) - the
 * two halves of sealing a record of the outbox: several may wait for one
 * checkpoint. */
hsa_rc helper_slog_put(struct slog *l, uint64_t *ticket, uint64_t number,
    const void *rec, size_t n);
hsa_rc helper_slog_wait(struct slog *l, uint64_t ticket);

/* helper_slog_batch(l, first, count, text_len) - exactly one batch of records
 * first..first+count-1 is not promised, but all are durable on return. */
void helper_slog_batch(
    struct slog *l, uint64_t first, size_t count, size_t text_len);

/* helper_slog_count(l, last) - read the whole log through a reader: records in
 * order from 0, each with the number one above the last of its source. The
 * number of records; checkpoints: how many (may be NULL). */
uint64_t helper_slog_count(struct slog *l, uint64_t *checkpoints);

/* Files, by path relative to dir. */
void helper_file_read(struct hsa_buf *b, const char *dir, const char *name);
void helper_file_write(
    const char *dir, const char *name, const void *p, size_t n);
bool helper_file_exists(const char *dir, const char *name);
void helper_dir_copy(const char *to, const char *from);
void helper_dir_remove(const char *dir);
/* names of the segments, sorted; at most max */
size_t helper_dir_segments(char (*name)[32], size_t max, const char *dir);

#endif
