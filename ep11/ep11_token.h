/*
 * ep11_token.h - what the EP11 engine needs of the unit's PKCS #11 token: one
 * whole operation a call, on object handles. Implemented by
 * firmware-sim/backend/bk_ep11 over pooled sessions; tests wrap it to make
 * calls fail.
 *
 * Every call may come from many threads at once. The implementation takes a
 * session from its pool for it, and throws the session away after a failure
 * that may have left an operation active. Objects made here are session
 * objects: seen by every session of the process, gone when the unit stops or
 * destroy is called.
 *
 * All return the token's CK_RV, as it is: mapping it to what EP11 answers is
 * the engine's, which knows what the call was for (SoftHSM says
 * CKR_GENERAL_ERROR where others say CKR_WRAPPED_KEY_INVALID). The calling
 * thread's OpenSSL error queue is empty again after each call.
 */
#ifndef EP11_TOKEN_H
#define EP11_TOKEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"

struct ep11_token_ops {
	CK_RV (*random)(void *ctx, void *p, size_t n);
	CK_RV (*seed)(void *ctx, const void *p, size_t n);
	/* on: room of out; out: bytes written. CKR_BUFFER_TOO_SMALL. */
	CK_RV(*digest)
	(void *ctx, CK_MECHANISM_TYPE hash, const void *in, size_t n,
	    uint8_t *out, size_t *on);
	/* hash over before || value of the key || after */
	CK_RV(*digest_key)
	(void *ctx, CK_MECHANISM_TYPE hash, const void *before, size_t bn,
	    CK_OBJECT_HANDLE key, const void *after, size_t an, uint8_t *out,
	    size_t *on);
	CK_RV(*encrypt)
	(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
	    size_t n, uint8_t *out, size_t *on);
	CK_RV(*decrypt)
	(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
	    size_t n, uint8_t *out, size_t *on);
	CK_RV(*sign)
	(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
	    size_t n, uint8_t *out, size_t *on);
	CK_RV(*verify)
	(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
	    size_t n, const void *sig, size_t sn);

	/* Templates without CKA_TOKEN: it is set to false here. */
	CK_RV(*create)
	(void *ctx, CK_OBJECT_HANDLE *h, const CK_ATTRIBUTE *t, size_t n);
	CK_RV(*copy)
	(void *ctx, CK_OBJECT_HANDLE *h, CK_OBJECT_HANDLE from,
	    const CK_ATTRIBUTE *t, size_t n);
	/* as C_GetAttributeValue */
	CK_RV (*get)(void *ctx, CK_OBJECT_HANDLE h, CK_ATTRIBUTE *t, size_t n);
	CK_RV (*destroy)(void *ctx, CK_OBJECT_HANDLE h);
	CK_RV(*generate)
	(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m, const CK_ATTRIBUTE *t,
	    size_t n);
	CK_RV(*pair)
	(void *ctx, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
	    CK_MECHANISM *m, const CK_ATTRIBUTE *pub_t, size_t pub_n,
	    const CK_ATTRIBUTE *priv_t, size_t priv_n);
	CK_RV(*wrap)
	(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE by, CK_OBJECT_HANDLE key,
	    uint8_t *out, size_t *on);
	CK_RV(*unwrap)
	(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m, CK_OBJECT_HANDLE by,
	    const void *in, size_t n, const CK_ATTRIBUTE *t, size_t tn);
	CK_RV(*derive)
	(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m, CK_OBJECT_HANDLE base,
	    const CK_ATTRIBUTE *t, size_t n);
	/* A session copy of the unit's master-key object of this CKA_ID, with
	 * wrap, unwrap and derive. CKR_OBJECT_HANDLE_INVALID: no such key. */
	CK_RV (*master)(void *ctx, CK_OBJECT_HANDLE *h, const uint8_t id[16]);
};

struct ep11_token {
	const struct ep11_token_ops *ops;
	void *ctx;
};

#endif
