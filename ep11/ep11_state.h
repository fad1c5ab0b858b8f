/*
 * ep11_state.h - operation states: byte strings that hold a whole operation
 * (ep11-host-api 13): whoever has the bytes can go on, copy them, go back to
 * an older copy, or use them in another process. Length is constant for the
 * life of the operation.
 *
 *   0  4  "ES", layout 1, kind (digest, encrypt ... verify)
 *   4 16  IV of the body, fresh each time
 *  20 12  zero
 *  32 16  wrapping-key id: where key blobs have it, so that hosts that look
 *         for it during a key change find it; a state made before the change
 *         is refused with CKR_IBM_WKID_MISMATCH
 *  48 16  zero
 *  64  2  34 12, as in key blobs
 *  66  2  length of the body, big-endian
 *  68     body (ep11_op.h), encrypted by the state key
 * end 32  MAC by the MAC key over all before it
 *
 * Digest states need no master key on the real module; here they are under it
 * like the others, and a unit without one answers
 * CKR_IBM_WK_NOT_INITIALIZED to DigestInit (DigestSingle works without).
 */
#ifndef EP11_STATE_H
#define EP11_STATE_H
#include <stddef.h>
#include <stdint.h>
#include "ep11_engine.h"
#include "ep11_wk.h"

enum ep11_state_kind {
	EP11_STATE_DIGEST = 1,
	EP11_STATE_ENCRYPT,
	EP11_STATE_DECRYPT,
	EP11_STATE_SIGN,
	EP11_STATE_VERIFY
};

#define EP11_STATE_MAX 12288u /* crypt and sign (ep11-host-api 4) */
#define EP11_STATE_DIGEST_MAX 1024u
#define EP11_STATE_HEAD 68

/*
 * ep11_state_seal(e, out, kind, body, n) - appended. CKR_DATA_LEN_RANGE: the
 * state would be longer than hosts have room for, which only a mechanism
 * parameter or key of thousands of bytes can make it.
 * ep11_state_open(e, body, kind, state) - body: out, wiped by the caller.
 * CKR_IBM_WK_NOT_INITIALIZED; CKR_IBM_WKID_MISMATCH; CKR_SAVED_STATE_INVALID
 * for anything else that is wrong with it, another kind included.
 */
CK_RV ep11_state_seal(struct ep11_engine *e, struct hsa_buf *out,
    enum ep11_state_kind kind, const void *body, size_t n);
CK_RV ep11_state_open(struct ep11_engine *e, struct hsa_buf *body,
    enum ep11_state_kind kind, struct hsa_slice state);

/* The bytes alone, nothing of it proven yet (ep11_state_head.c). */
struct ep11_state_head {
	enum ep11_state_kind kind;
	const uint8_t *iv, *wkid, *mac;
	struct hsa_slice body;  /* encrypted */
	struct hsa_slice maced; /* what the MAC is over */
};
/* E_TRUNCATED, E_FORMAT, E_TRAILING, E_RANGE (limits). */
HSA_MUST_USE hsa_rc ep11_state_decode(
    struct ep11_state_head *h, const void *p, size_t n);
/* Appends everything before the body. */
void ep11_state_head_put(struct hsa_buf *b, enum ep11_state_kind kind,
    const uint8_t iv[16], const uint8_t wkid[EP11_WKID_LEN], size_t body_len);

#endif
