/*
 * ep11_attrbound.h - CKM_IBM_ATTRIBUTEBOUND_WRAP: a key that leaves with its
 * attributes and comes back with them, whatever the template says. IBM's
 * format is not public; this one is ours (ep11/README.md repeats it).
 *
 *   0  4  "EAB" 01
 *   4  1  class (CKO_*)
 *   5  3  key type (CKK_*)
 *   8  4  booleans, as in a blob
 *  12  4  bits, as in a blob
 *  16  1  form, as in a blob
 *  17  1  how the transport key is wrapped: 1 AES key wrap with padding,
 *         2 RSA-OAEP with SHA-1
 *  18     length(2) params: DER OID of EC keys
 *         length(2) SPKI of private keys
 *         length(2) transport key: AES-256 under the wrapping key
 *         key material to the MAC: AES key wrap with padding by the transport
 *         key
 * end 32  HMAC-SHA256 by the MAC key over all before it
 *
 * All numbers big-endian. Everything happens inside the token: the transport
 * key is made in it, wrapped, and gone.
 */
#ifndef EP11_ATTRBOUND_H
#define EP11_ATTRBOUND_H
#include "ep11_kek.h"

struct ep11_ab {
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t bools, bits;
	enum ep11_form form;
	enum ep11_ab_how {
		EP11_AB_AES = 1,
		EP11_AB_RSA
	} how;
	struct hsa_slice params, spki, transport, material;
};

/* ep11_ab_encode(b, ab) - all but the MAC, appended.
 * ep11_ab_decode(ab, p, n) - of n bytes with the MAC; slices point into p. */
HSA_MUST_USE hsa_rc ep11_ab_encode(struct hsa_buf *b, const struct ep11_ab *ab);
HSA_MUST_USE hsa_rc ep11_ab_decode(struct ep11_ab *ab, const void *p, size_t n);

/*
 * ep11_attrbound_wrap(e, c, kek, k) - c->key3: the MAC key, an attribute-bound
 * generic secret that signs. Into c->out.
 * ep11_attrbound_unwrap(e, c, kek) - of c->data: MAC first
 * (CKR_WRAPPED_KEY_INVALID), then the key into c's outputs. The template may
 * say class, type and length as they are (CKR_TEMPLATE_INCONSISTENT); the
 * booleans in it are not looked at.
 */
CK_RV ep11_attrbound_wrap(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_kek *kek, const struct ep11_key *k);
CK_RV ep11_attrbound_unwrap(
    struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek);

#endif
