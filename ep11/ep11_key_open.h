/*
 * ep11_key_open.h - a blob or MACed public key taken apart and found genuine:
 * the one look that ep11_key, its sealing side and the rest rely on. Private to
 * ep11_key*.c.
 */
#ifndef EP11_KEY_OPEN_H
#define EP11_KEY_OPEN_H
#include "ep11_core.h"

struct ep11_opened {
	bool is_public;
	struct ep11_blob key;   /* unless is_public; slices into the bytes */
	struct ep11_spki spki;  /* is_public */
	struct hsa_slice maced; /* what the MAC covers */
	uint32_t bools;
	uint64_t mode;
	bool bound;
	uint8_t session[EP11_SESSION_LEN];
	uint8_t id[HSA_SHA256_LEN]; /* SHA-256 of the public part */
};

/*
 * ep11_key_open(e, o, blob) - master key there, wrapping-key id, MAC,
 * structure, in this order; codes as ep11_key_get. Neither session nor use is
 * looked at.
 * ep11_key_allowed(e, bound, session) - may a key of this session be used now:
 * CKR_SESSION_CLOSED, CKR_FUNCTION_CANCELED (control point 48).
 * ep11_key_named(c, id, bound, session) - for the record; c may be NULL, and
 * the first key stays.
 * ep11_key_id(id, blob, b) - key id of a blob as decoded or encoded.
 */
CK_RV ep11_key_open(
    struct ep11_engine *e, struct ep11_opened *o, struct hsa_slice blob);
CK_RV ep11_key_allowed(
    struct ep11_engine *e, bool bound, const uint8_t session[EP11_SESSION_LEN]);
void ep11_key_named(struct hsa_call *c, const uint8_t id[HSA_SHA256_LEN],
    bool bound, const uint8_t session[EP11_SESSION_LEN]);
CK_RV ep11_key_id(
    uint8_t id[HSA_SHA256_LEN], const uint8_t *blob, const struct ep11_blob *b);

/*
 * ep11_key_material(e, h, wrapped, readable) - what a blob wraps as a generic
 * secret, whatever key it is; its value can be read when readable. The caller
 * destroys h.
 */
CK_RV ep11_key_material(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    struct hsa_slice wrapped, bool readable);

#endif
