/*
 * helper_vfy.h - a second writer of FORMAT.md, in memory: for tests that
 * build a good log, then break it. Shares the encoders of proto/ with the
 * real writer and nothing else: its tree is the recursive definition of RFC
 * 6962, its notes are printed, its key is an OpenSSL key made from a seed.
 */
#ifndef HELPER_VFY_H
#define HELPER_VFY_H
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_event.h"

#define HELPER_VFY_FILES 24
#define HELPER_VFY_ENTRIES 4096

struct helper_vfy_entry {
	enum hsa_entry_kind kind;
	size_t file, offset, len; /* len: with the prefix */
	uint64_t sequence;        /* records before it */
};

struct helper_vfy_file {
	char name[32];
	struct hsa_buf b;
};

struct helper_vfy_log {
	uint8_t unit_id[HSA_UUID_LEN];
	char unit[HSA_UUID_TEXT];
	char origin[64];
	EVP_PKEY *key;
	uint8_t public_key[32];
	char key_line[256]; /* of checkpoint.pub, with LF */
	struct hsa_buf *leaf;
	size_t n, cap;
	struct helper_vfy_file file[HELPER_VFY_FILES];
	size_t files;
	struct hsa_buf head;
	struct hsa_buf note; /* the last checkpoint's text */
	uint64_t epoch, source_last[HSA_SOURCES + 1];
	struct helper_vfy_entry entry[HELPER_VFY_ENTRIES];
	size_t entries;
};

/* All abort the test on failure (assert), so that tests read straight. */
void helper_vfy_init(struct helper_vfy_log *l, uint8_t seed);
void helper_vfy_free(struct helper_vfy_log *l);
/* The same for the unit's log with that number, 2 or more (FORMAT V11), which
 * the caller begins with SEGMENT_OPENED and helper_vfy_new_chain; chain: what
 * the latter says, good as it stands. */
struct hsa_chain;
void helper_vfy_init_log(
    struct helper_vfy_log *l, uint8_t seed, unsigned int number);
void helper_vfy_chain(const struct helper_vfy_log *l, struct hsa_chain *chain);
void helper_vfy_new_chain(
    struct helper_vfy_log *l, const struct hsa_chain *chain);

/* The next record in each shape. */
void helper_vfy_start(struct helper_vfy_log *l);   /* epoch + 1, UNIT_START */
void helper_vfy_special(struct helper_vfy_log *l); /* REQUEST_REFUSED */
void helper_vfy_event(struct helper_vfy_log *l);   /* thrhld.set, failure */
void helper_vfy_use(struct helper_vfy_log *l);     /* ep11.use, success */
/* The log's own (FORMAT V10), and a call that names the context there. */
void helper_vfy_opened(struct helper_vfy_log *l);  /* SEGMENT_OPENED */
void helper_vfy_context(struct helper_vfy_log *l); /* of ep11.use, success */
void helper_vfy_compact(struct helper_vfy_log *l, uint64_t context);
/* LOG_RELEASED, with a checkpoint: records before this one may be missing. */
void helper_vfy_released(struct helper_vfy_log *l, int64_t before);
/* Record bytes of the caller's, taken as they are. */
void helper_vfy_raw(struct helper_vfy_log *l, const void *p, size_t n);
/* What the next special would be, changed by the caller before encoding. */
void helper_vfy_make(const struct helper_vfy_log *l, struct hsa_record *r);
void helper_vfy_put(
    struct helper_vfy_log *l, const struct hsa_record *r, uint64_t sequence);

void helper_vfy_segment(struct helper_vfy_log *l);
void helper_vfy_checkpoint(struct helper_vfy_log *l);
/* A checkpoint that says what the caller likes, signed by key. */
void helper_vfy_forge(struct helper_vfy_log *l, const char *origin,
    uint64_t size, const uint8_t root[32], EVP_PKEY *key);
/* The text of such a checkpoint. */
void helper_vfy_note(struct hsa_buf *to, const char *origin, uint64_t size,
    const uint8_t root[32], EVP_PKEY *key);
/* n records: a start, then events, uses and specials by turns with a second
 * start in the middle; a checkpoint each `batch`, a segment each `per_segment`.
 */
void helper_vfy_fill(
    struct helper_vfy_log *l, size_t n, size_t batch, size_t per_segment);

/* n records: segments that begin with SEGMENT_OPENED, a start in the first and
 * one in the middle, contexts, and calls that name one of the last two. */
void helper_vfy_fill_calls(
    struct helper_vfy_log *l, size_t n, size_t batch, size_t per_segment);

/* RFC 6962 root of the first n leaves, straight from the definition. */
void helper_vfy_root(
    uint8_t root[32], const struct helper_vfy_log *l, size_t n);
/* The folder as files; made when absent, other files in it removed. */
void helper_vfy_write(const struct helper_vfy_log *l, const char *dir);
void helper_vfy_put_file(
    const char *dir, const char *name, const void *p, size_t n);

/* An empty folder below /dev/shm or /tmp; removed by helper_vfy_rmdir. */
void helper_vfy_tmpdir(char to[64]);
void helper_vfy_rmdir(const char *dir);

#endif
