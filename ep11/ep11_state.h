/*
 * ep11_state.h - operation states: byte strings that hold a whole operation
 * (ep11-host-api 13): whoever has the bytes can go on, copy them, go back to
 * an older copy, or use them in another process. Length is constant for the
 * life of the operation.
 *
 *   0  4  "EP11" state magic, version, kind (digest, encrypt ... verify)
 *   4 16  wrapping-key id        36: a state made before a key change is
 *  20 16  IV of the body             refused with CKR_IBM_WKID_MISMATCH
 *  36  2  body length, big-endian
 *  38     body, encrypted by the state key
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

enum ep11_state_kind {
	EP11_STATE_DIGEST = 1,
	EP11_STATE_ENCRYPT,
	EP11_STATE_DECRYPT,
	EP11_STATE_SIGN,
	EP11_STATE_VERIFY
};

#define EP11_STATE_MAX 12288u /* crypt and sign (ep11-host-api 4) */
#define EP11_STATE_DIGEST_MAX 1024u

/*
 * ep11_state_seal(e, out, kind, body, n) - appended.
 * ep11_state_open(e, body, kind, state) - body: out, wiped by the caller.
 * CKR_IBM_WKID_MISMATCH; CKR_SAVED_STATE_INVALID for anything else that is
 * wrong with it, another kind included.
 */
CK_RV ep11_state_seal(struct ep11_engine *e, struct hsa_buf *out,
    enum ep11_state_kind kind, const void *body, size_t n);
CK_RV ep11_state_open(struct ep11_engine *e, struct hsa_buf *body,
    enum ep11_state_kind kind, struct hsa_slice state);

#endif
