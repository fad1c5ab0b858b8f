/*
 * ep11_blob.h - key blobs and MACed public keys as bytes (ep11-host-api 10).
 * Pure: no token, no secret in the clear; the MAC is computed and checked by
 * ep11_key.
 *
 *   0  32  session id, zero: none; never begins with 30
 *  32  16  wrapping-key id
 *  48   4  key type and class: CKK_* (24 bits), then CKO_* (8 bits)
 *  52   4  boolean word                        both words little-endian
 *  56   8  mode: compliance, little-endian
 *  64   2  version 0x1234, little-endian
 *  66  14  IV: random, so that no two blobs are equal
 *  80      clear part, public: form(1) bits(4) params length(2) params
 *          SPKI length(2) SPKI                 lengths big-endian
 *          wrapped key material to the MAC
 * end 32   MAC over all before it
 *
 * Little-endian where hosts read native words (x86-64); FORMAT.md of the
 * folder (ep11/README.md) repeats this for readers elsewhere.
 */
#ifndef EP11_BLOB_H
#define EP11_BLOB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_attr.h"
#include "ep11_wk.h"
#include "hsa_buf.h"
#include "hsa_err.h"

#define EP11_SESSION_LEN 32
#define EP11_BLOB_IV_LEN 14

/* How the material was wrapped, and so how it comes back. */
enum ep11_form {
	EP11_FORM_OBJECT = 1, /* the token's own wrap of a key of this type */
	EP11_FORM_VALUE       /* as a generic secret whose value is the key's
				 (PKCS #8 or raw): for keys that the token
				 does not wrap; ep11_exposure.def says which */
};

struct ep11_blob {
	uint8_t session[EP11_SESSION_LEN];
	uint8_t wkid[EP11_WKID_LEN];
	CK_OBJECT_CLASS cls; /* CKO_SECRET_KEY, CKO_PRIVATE_KEY */
	CK_KEY_TYPE type;
	uint32_t bools;
	uint64_t mode;
	uint8_t iv[EP11_BLOB_IV_LEN];
	enum ep11_form form;
	uint32_t bits;            /* modulus, prime, order; secret: value */
	struct hsa_slice params;  /* DER: EC parameters */
	struct hsa_slice spki;    /* private keys: the public half */
	struct hsa_slice wrapped; /* key material */
};

#define EP11_BLOB_CLEAR 80 /* where the clear part begins */

/*
 * ep11_blob_encode(b, blob) - all but the MAC, appended; at most HSA_BLOB_MAX
 * with it, else E_RANGE; E_FORMAT for what decode would refuse.
 * ep11_blob_decode(blob, p, n) - a whole blob with its MAC, which is not
 * looked at. Slices point into p. E_TRUNCATED, E_RANGE (too long), E_FORMAT:
 * another version, class or form, a secret key with a public half, a private
 * one without, material that no key wrap makes.
 * ep11_blob_set_bools(p, word) - rewrite in place (the MAC is then stale).
 */
HSA_MUST_USE hsa_rc ep11_blob_encode(
    struct hsa_buf *b, const struct ep11_blob *blob);
HSA_MUST_USE hsa_rc ep11_blob_decode(
    struct ep11_blob *blob, const void *p, size_t n);
void ep11_blob_set_bools(uint8_t *p, uint32_t word);

/* ---- public keys: SPKI and six OCTET STRINGs ----------------------------- */

struct ep11_spki {
	struct hsa_slice spki; /* DER SubjectPublicKeyInfo alone */
	uint8_t wkid[EP11_WKID_LEN];
	uint8_t session[EP11_SESSION_LEN];
	uint8_t salt[8];
	uint64_t mode;
	uint32_t bools;
	bool maced; /* false: a bare SPKI, nothing else is set */
};

/* six OCTET STRINGs of 16, 32, 8, 8, 12 and 32 bytes */
#define EP11_SPKI_TAIL (6 * 2 + 16 + 32 + 8 + 8 + 12 + EP11_MAC_LEN)

/*
 * ep11_spki_encode(b, s) - all but the MAC's OCTET STRING, appended.
 * ep11_spki_decode(s, maced, p, n) - maced: how many bytes the MAC covers; the
 * MAC itself is 32 bytes at p + maced + 2. A bare SPKI gives s->maced false and
 * maced 0. The inside of the SPKI is not looked at. Attributes: header word 1,
 * word 0, boolean word, little-endian. E_TRUNCATED, E_TRAILING, E_FORMAT,
 * E_RANGE.
 */
HSA_MUST_USE hsa_rc ep11_spki_encode(
    struct hsa_buf *b, const struct ep11_spki *s);
HSA_MUST_USE hsa_rc ep11_spki_decode(
    struct ep11_spki *s, size_t *maced, const void *p, size_t n);
/* ep11_is_spki(p, n) - a public key by its first byte.
 * ep11_is_blob(p, n) - a key blob by its version. */
bool ep11_is_spki(const void *p, size_t n);
bool ep11_is_blob(const void *p, size_t n);

#endif
