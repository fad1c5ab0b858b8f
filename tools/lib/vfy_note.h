/*
 * vfy_note.h - reading checkpoints (FORMAT.md section 3): C2SP signed notes
 * whose text is a C2SP tlog-checkpoint, and the lines of checkpoint.pub.
 * Strict: a checkpoint has one spelling, and no byte of it is free.
 */
#ifndef VFY_NOTE_H
#define VFY_NOTE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"
#include "vfy_log.h"

struct vfy_note {
	char origin[256];
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
	const uint8_t *text; /* what is signed; points into the input */
	size_t text_len;
	uint8_t key_hash[4]; /* of the first signature line, the log's own */
	uint8_t signature[64];
	size_t witnesses; /* signature lines by other names */
};

/*
 * vfy_note_parse(n, p, len, diag) - E_FORMAT with a diagnosis that names what
 * is wrong; E_RANGE beyond 4,096 bytes. Checks no signature.
 */
HSA_MUST_USE hsa_rc vfy_note_parse(
    struct vfy_note *n, const void *p, size_t len, struct hsa_diag *diag);

/* vfy_note_name(p, n) - a name that C2SP allows: not empty, UTF-8, no white
 * space, no +. vfy_note_base64: exactly n bytes, one spelling, or E_FORMAT. */
bool vfy_note_name(const uint8_t *p, size_t n);
HSA_MUST_USE hsa_rc vfy_note_base64(
    uint8_t *to, size_t n, const uint8_t *p, size_t len);

/* A public key ready to verify; about 100 us a signature. */
struct vfy_signer;
HSA_MUST_USE hsa_rc vfy_signer_new(
    struct vfy_signer **s, const struct vfy_key *key);
void vfy_signer_free(struct vfy_signer *s);
/* E_SIGNATURE: another key, another origin, or a wrong signature. */
HSA_MUST_USE hsa_rc vfy_signer_verify(
    struct vfy_signer *s, const struct vfy_note *n);

/*
 * vfy_note_hunt(s, origin, beyond, p, n) - is there, anywhere in these bytes,
 * a checkpoint of the log with a good signature and a size beyond that? Then
 * what looks like a torn tail was sealed once (W3).
 */
bool vfy_note_hunt(struct vfy_signer *s, const char *origin, uint64_t beyond,
    const void *p, size_t n);

/* vfy_key_parse(k, line, n, diag) - one line of checkpoint.pub, without LF. */
HSA_MUST_USE hsa_rc vfy_key_parse(
    struct vfy_key *k, const char *line, size_t n, struct hsa_diag *diag);
/* vfy_keys_parse(k, text, n, diag) - a whole file: one key a line, blank
 * lines and lines that start with # are skipped, one key for an origin. */
HSA_MUST_USE hsa_rc vfy_keys_parse(
    struct vfy_keys *k, const char *text, size_t n, struct hsa_diag *diag);
/* NULL when there is none. */
const struct vfy_key *vfy_keys_find(
    const struct vfy_keys *k, const char *origin);

/* vfy_origin_unit(id, origin) - the unit id in "cryptounit/<uuid>" or
 * "cryptounit/<uuid>.<number>"; E_FORMAT when the origin is not exactly of one
 * of these forms, lower case. vfy_origin_log: and the how manieth log of the
 * unit it is, 1 without a number. */
HSA_MUST_USE hsa_rc vfy_origin_log(
    uint8_t id[HSA_UUID_LEN], unsigned int *number, const char *origin);
HSA_MUST_USE hsa_rc vfy_origin_unit(
    uint8_t id[HSA_UUID_LEN], const char *origin);

#endif
