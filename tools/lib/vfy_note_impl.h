/*
 * vfy_note_impl.h - the lines of a signed note, for its two readers
 * (vfy_note.c, vfy_cosign.c), and verifier keys. Private to tools/lib.
 */
#ifndef VFY_NOTE_IMPL_H
#define VFY_NOTE_IMPL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_cur.h"
#include "vfy_log.h"
#include "vfy_note.h"

/* vfy_note_line(to, c) - the line at c, without its LF, which must be there. */
HSA_MUST_USE hsa_rc vfy_note_line(struct hsa_slice *to, struct hsa_cur *c);
/* vfy_note_decimal(v, s) - without leading zeros. */
bool vfy_note_decimal(uint64_t *v, const struct hsa_slice *s);
/* vfy_note_signature(name, b64, l) - "EM-DASH SPACE name SPACE base64". */
HSA_MUST_USE hsa_rc vfy_note_signature(
    struct hsa_slice *name, struct hsa_slice *b64, const struct hsa_slice *l);

#define VFY_KEY_ED25519 1u /* signature types of C2SP signed-note */
#define VFY_KEY_COSIGNATURE 4u

/* vfy_key_line(k, type, line, n, diag) - "<name>+<hash>+<base64>", of this
 * type alone. vfy_key_text(k, text, n, one, add, diag) -
 * a file of such lines. */
HSA_MUST_USE hsa_rc vfy_key_line(struct vfy_key *k, uint8_t type,
    const char *line, size_t n, struct hsa_diag *diag);
typedef hsa_rc vfy_key_one_fn(
    struct vfy_key *k, const char *line, size_t n, struct hsa_diag *diag);
typedef hsa_rc vfy_key_add_fn(
    struct vfy_keys *k, const struct vfy_key *key, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc vfy_key_text(struct vfy_keys *to, const char *text,
    size_t n, vfy_key_one_fn *one, vfy_key_add_fn *add, struct hsa_diag *diag);
/* vfy_key_put(k, key) - at the end, unconditionally. */
HSA_MUST_USE hsa_rc vfy_key_put(struct vfy_keys *k, const struct vfy_key *key);
/* vfy_key_file(b, what, path, fix, diag) - a file of such lines, appended;
 * what: "key file"; fix: what to give instead. */
HSA_MUST_USE hsa_rc vfy_key_file(struct hsa_buf *b, const char *what,
    const char *path, const char *fix, struct hsa_diag *diag);

/* vfy_signer_check(s, sig, p, n) - Ed25519 over these bytes. E_SIGNATURE. */
HSA_MUST_USE hsa_rc vfy_signer_check(
    struct vfy_signer *s, const uint8_t sig[64], const void *p, size_t n);

#endif
