/*
 * slog_note.h - checkpoints: C2SP signed notes over size and root, signed with
 * the unit's Ed25519 key (FORMAT.md 3).
 */
#ifndef SLOG_NOTE_H
#define SLOG_NOTE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

struct hsa_buf;

#define SLOG_ORIGIN_MAX 255
#define SLOG_SIG_LEN 64

/* Who signs: the log's name and public key, with the note's key hash. */
struct slog_key {
	char origin[SLOG_ORIGIN_MAX + 1];
	uint8_t public_key[32];
	uint8_t hash[4];
};

/* A checkpoint as read; text points into what was parsed. */
struct slog_note {
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
	const uint8_t *text; /* what is signed */
	size_t text_len;
	uint8_t sig[SLOG_SIG_LEN];
	size_t used; /* text, empty line and our signature line */
};

/* Signs n bytes at msg with the key of a slog_key. */
typedef hsa_rc slog_sign(
    void *ctx, uint8_t sig[SLOG_SIG_LEN], const void *msg, size_t n);

/* slog_key_init(k, origin, public_key) - E_ARG when origin is empty, too long,
 * or has a blank, a plus, or a control character. */
HSA_MUST_USE hsa_rc slog_key_init(
    struct slog_key *k, const char *origin, const uint8_t public_key[32]);

/* slog_key_text(b, k) - append the verifier key, a line of checkpoint.pub
 * without its end. */
void slog_key_text(struct hsa_buf *b, const struct slog_key *k);

/* slog_note_seal(b, k, size, root, sign, ctx) - append a signed checkpoint. */
HSA_MUST_USE hsa_rc slog_note_seal(struct hsa_buf *b, const struct slog_key *k,
    uint64_t size, const uint8_t root[HSA_SHA256_LEN], slog_sign *sign,
    void *ctx);

/*
 * slog_note_parse(note, k, p, n) - exactly n bytes: a checkpoint of k's origin
 * whose first signature line has k's name and hash; lines of other names may
 * follow. slog_note_prefix: the same, looking no further than our line.
 * E_TRUNCATED, E_FORMAT. Neither verifies the signature.
 */
HSA_MUST_USE hsa_rc slog_note_parse(
    struct slog_note *note, const struct slog_key *k, const void *p, size_t n);
HSA_MUST_USE hsa_rc slog_note_prefix(
    struct slog_note *note, const struct slog_key *k, const void *p, size_t n);

/* slog_note_verify(note, k) - E_SIGNATURE unless it is k's. */
HSA_MUST_USE hsa_rc slog_note_verify(
    const struct slog_note *note, const struct slog_key *k);

#endif
