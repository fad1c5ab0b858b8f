/*
 * ep11_key.h - keys in use: from blob or MACed public key to a handle in the
 * token and back, through the cache.
 *
 * The one place where blobs are trusted: wrapping-key id, MAC, session and
 * structure are checked here, in this order, and nowhere else.
 */
#ifndef EP11_KEY_H
#define EP11_KEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_blob.h"
#include "ep11_engine.h"
#include "ep11_exposure.h"

/* A curve by the DER of its OID (ep11-host-api 18.7). */
struct ep11_curve {
	const char *name;   /* "P-256", as OpenSSL's group names where it has */
	const uint8_t *oid; /* DER */
	size_t oid_len;
	/* Prime curves: of the order, ECDSA: r and s have (bits+7)/8. Others:
	 * 255 and 448, as PKCS #11 counts them. */
	uint32_t bits;
	uint8_t number; /* query 10 */
	enum ep11_curve_kind {
		EP11_CURVE_PRIME = 1, /* ECDSA, ECDH */
		EP11_CURVE_EDWARDS,
		EP11_CURVE_MONTGOMERY
	} kind;
	int cp; /* control point beside 32: 33, 34, 55, 60 */
};
const struct ep11_curve *ep11_curve_find(const void *oid, size_t n);
const struct ep11_curve *ep11_curve_rows(size_t *n);
/* Bytes of a public value: 04 || x || y on prime curves, else as RFC 7748 and
 * RFC 8032 write it. */
size_t ep11_curve_public_len(const struct ep11_curve *curve);

struct ep11_key {
	CK_OBJECT_HANDLE h; /* session object; every use is allowed on it, what
			       the key may do is in bools */
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t bits; /* as in struct ep11_blob */
	uint32_t bools;
	uint64_t mode;
	const struct ep11_curve *curve; /* EC keys */
	bool bound;                     /* to a session */
	uint8_t session[EP11_SESSION_LEN];
	uint8_t id[HSA_SHA256_LEN]; /* key id of the record */
	struct hsa_slice spki;      /* private and public keys */
	uint32_t refs;              /* private to ep11_cache */
	struct ep11_cached *home;   /* the same */
};

/*
 * ep11_key_get(e, k, c, blob, use) - the key of a blob or MACed SPKI, held
 * until ep11_key_put. use: one boolean that it must have (0: none), else
 * CKR_KEY_FUNCTION_NOT_PERMITTED. Leaves key id and session in c for the
 * record (c NULL: no record; the first key of a call names it).
 *   CKR_IBM_WK_NOT_INITIALIZED  the unit has no current master key
 *   CKR_IBM_WKID_MISMATCH       the blob is under another master key
 *   CKR_IBM_BLOB_ERROR          malformed, or its MAC is wrong
 *   CKR_SESSION_CLOSED          bound to a session that is not logged in
 *   CKR_KEY_HANDLE_INVALID      empty blob
 *   CKR_FUNCTION_CANCELED       control point 48: a blob without a session
 * A bare SPKI is CKR_IBM_BLOB_ERROR: ep11_key_load_spki is for those.
 */
CK_RV ep11_key_get(struct ep11_engine *e, struct ep11_key **k,
    struct hsa_call *c, struct hsa_slice blob, uint32_t use);
void ep11_key_put(struct ep11_engine *e, struct ep11_key *k); /* NULL-safe */

/* What a new key is, beside its object in the token. */
struct ep11_key_new {
	CK_OBJECT_HANDLE h; /* the caller's, destroyed by it afterwards */
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t bits, bools;
	struct hsa_slice params;  /* EC: DER OID */
	struct hsa_slice spki;    /* private keys */
	struct hsa_slice value;   /* EP11_FORM_VALUE, when h is 0: PKCS #8 of an
				     Edwards or Montgomery private key */
	struct hsa_slice session; /* 32 bytes or empty */
};

/*
 * ep11_key_seal(e, out, c, n) - the blob of a new secret or private key,
 * appended; its id becomes the call's key id (c may be NULL).
 * ep11_key_seal_public(e, out, spki, bools, session) - the MACed SPKI.
 * ep11_key_session(e, session, c) - the session that c->pin names, for new
 * keys: empty when there is none; CKR_SESSION_CLOSED, CKR_PIN_INCORRECT.
 */
CK_RV ep11_key_seal(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_call *c, const struct ep11_key_new *n);
CK_RV ep11_key_seal_public(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_slice spki, uint32_t bools, struct hsa_slice session);
CK_RV ep11_key_session(struct ep11_engine *e, uint8_t session[EP11_SESSION_LEN],
    bool *bound, struct hsa_call *c);

/*
 * ep11_key_rewrite(e, out, blob, bools) - the same blob with other booleans
 * and a new MAC. ep11_key_rewrap(e, out, c, blob) - under the next master key;
 * CKR_IBM_WK_NOT_INITIALIZED with reason 49 when there is no current one, 50
 * when no next one is committed. MACed public keys too.
 */
CK_RV ep11_key_rewrite(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_slice blob, uint32_t bools);
CK_RV ep11_key_rewrap(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_call *c, struct hsa_slice blob);

/* ep11_key_value(e, k, why, v, n) - the value of a secret key, or PKCS #8 of a
 * private one, in secure memory of *n bytes (OPENSSL_secure_clear_free). k is
 * of ep11_key_get. Every caller names its row of ep11_exposure.def, one with
 * VALUE 1. */
CK_RV ep11_key_value(struct ep11_engine *e, const struct ep11_key *k,
    enum ep11_exposure why, uint8_t **v, size_t *n);
/* ep11_key_read(e, why, v, n, h) - likewise the value of an object that was
 * made readable, at most HSA_BLOB_MAX bytes. */
CK_RV ep11_key_read(struct ep11_engine *e, enum ep11_exposure why, uint8_t **v,
    size_t *n, CK_OBJECT_HANDLE h);

/* ep11_key_load_spki(e, h, spki) - a public-key object of a bare SPKI, with
 * what it is: spki in it points into the argument. The caller destroys h.
 * CKR_PUBLIC_KEY_INVALID for what is not DER, has bytes behind it, is a point
 * not on its curve or a key of nonsense numbers; CKR_CURVE_NOT_SUPPORTED,
 * CKR_KEY_SIZE_RANGE for what no unit here can have; and what ep11_policy_key
 * refuses. */
CK_RV ep11_key_load_spki(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    struct ep11_key *what, struct hsa_slice spki);

#endif
