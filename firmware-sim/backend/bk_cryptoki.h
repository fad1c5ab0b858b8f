/*
 * bk_cryptoki.h - direct Cryptoki for what libp11 lacks: secret keys, derive,
 * unwrap, digest of a key, EdDSA, attributes. A struct of only the calls
 * used, so that tests can make one fail, and one checked wrapper for each.
 *
 * Every administrative operation runs in a session of its own (1.5 us on
 * SoftHSM). Closing it ends whatever a failure left active and destroys the
 * session objects made in it: one release for every path. EP11 operations
 * come from a pool instead: bk_ep11_pool.h.
 *
 * Wrappers return E_NOMEM, E_UNSUPPORTED (mechanism) or E_TOKEN unless they
 * say more; ck->last keeps the CK_RV. They clear OpenSSL's error queue after
 * a failure, because SoftHSM fills the caller's.
 */
#ifndef BK_CRYPTOKI_H
#define BK_CRYPTOKI_H
#include <p11-kit-1/p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct bk_ck {
	void *so; /* dlopen handle */
	CK_RV last;
	CK_C_Initialize C_Initialize;
	CK_C_Finalize C_Finalize;
	CK_C_OpenSession C_OpenSession;
	CK_C_CloseSession C_CloseSession;
	CK_C_FindObjectsInit C_FindObjectsInit;
	CK_C_FindObjects C_FindObjects;
	CK_C_FindObjectsFinal C_FindObjectsFinal;
	CK_C_GetAttributeValue C_GetAttributeValue;
	CK_C_CreateObject C_CreateObject;
	CK_C_CopyObject C_CopyObject;
	CK_C_DestroyObject C_DestroyObject;
	CK_C_SeedRandom C_SeedRandom;
	CK_C_GenerateRandom C_GenerateRandom;
	CK_C_GenerateKey C_GenerateKey;
	CK_C_GenerateKeyPair C_GenerateKeyPair;
	CK_C_DeriveKey C_DeriveKey;
	CK_C_WrapKey C_WrapKey;
	CK_C_UnwrapKey C_UnwrapKey;
	CK_C_EncryptInit C_EncryptInit;
	CK_C_Encrypt C_Encrypt;
	CK_C_DecryptInit C_DecryptInit;
	CK_C_Decrypt C_Decrypt;
	CK_C_DigestInit C_DigestInit;
	CK_C_Digest C_Digest;
	CK_C_DigestUpdate C_DigestUpdate;
	CK_C_DigestKey C_DigestKey;
	CK_C_DigestFinal C_DigestFinal;
	CK_C_SignInit C_SignInit;
	CK_C_Sign C_Sign;
	CK_C_VerifyInit C_VerifyInit;
	CK_C_Verify C_Verify;
};

/*
 * bk_ck_load(ck, module, diag) - the module's calls, without initialising it.
 * bk_ck_start(ck) - C_Initialize with OS locks; a module that runs already is
 * success. C_Finalize is libp11's (PKCS11_CTX_unload), which must come after
 * every direct use. bk_ck_unload(ck): repeatable.
 */
HSA_MUST_USE hsa_rc bk_ck_load(
    struct bk_ck *ck, const char *module, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc bk_ck_start(struct bk_ck *ck);
void bk_ck_unload(struct bk_ck *ck);

/* "CKR_PIN_INCORRECT"; "CKR_?" when the table has no row. */
const char *bk_ck_rv_name(CK_RV rv);

struct bk_ses {
	struct bk_ck *ck;
	CK_SESSION_HANDLE h;
	bool open;
};
/* Read-write. bk_ses_close: repeatable, a zeroed struct is closed. */
HSA_MUST_USE hsa_rc bk_ses_open(
    struct bk_ses *s, struct bk_ck *ck, CK_SLOT_ID slot);
void bk_ses_close(struct bk_ses *s);

/* ---- attribute templates ------------------------------------------------- */

#define BK_ATTR_MAX 20
/*
 * An attribute list that owns its numbers and borrows its bytes; a zeroed
 * struct is empty. Do not copy it: entries point into it. One entry too many
 * is remembered, and the call that gets the list answers E_ARG.
 */
struct bk_attrs {
	CK_ATTRIBUTE a[BK_ATTR_MAX];
	CK_ULONG num[BK_ATTR_MAX];
	CK_BBOOL flag[BK_ATTR_MAX];
	CK_ULONG n;
	bool overflow;
};
void bk_attr_bool(struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, bool v);
void bk_attr_num(struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v);
void bk_attr_bytes(
    struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

/* ---- objects ------------------------------------------------------------- */

/*
 * bk_ck_find(s, h, n, max, t) - handles of the objects that match, at most max.
 * bk_ck_get(s, p, n, max, obj, type) - one attribute; E_RANGE when it is longer
 * than max. With p NULL and max 0: its length alone. bk_ck_get_exact - E_RANGE
 * unless it has exactly n bytes.
 */
HSA_MUST_USE hsa_rc bk_ck_find(struct bk_ses *s, CK_OBJECT_HANDLE *h, size_t *n,
    size_t max, struct bk_attrs *t);
HSA_MUST_USE hsa_rc bk_ck_get(struct bk_ses *s, void *p, size_t *n, size_t max,
    CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type);
HSA_MUST_USE hsa_rc bk_ck_get_exact(struct bk_ses *s, void *p, size_t n,
    CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type);
HSA_MUST_USE hsa_rc bk_ck_create(
    struct bk_ses *s, CK_OBJECT_HANDLE *obj, struct bk_attrs *t);
HSA_MUST_USE hsa_rc bk_ck_copy(struct bk_ses *s, CK_OBJECT_HANDLE *obj,
    CK_OBJECT_HANDLE from, struct bk_attrs *t);
HSA_MUST_USE hsa_rc bk_ck_destroy(struct bk_ses *s, CK_OBJECT_HANDLE obj);
/* The same after a failure, when its result can change nothing: what stays
 * is a stray, and collect() sweeps it. */
void bk_ck_discard(struct bk_ses *s, CK_OBJECT_HANDLE obj);

/* ---- keys ---------------------------------------------------------------- */

HSA_MUST_USE hsa_rc bk_ck_random(struct bk_ses *s, void *p, size_t n);
HSA_MUST_USE hsa_rc bk_ck_pair(struct bk_ses *s, CK_OBJECT_HANDLE *pub,
    CK_OBJECT_HANDLE *priv, CK_MECHANISM_TYPE mech, struct bk_attrs *pub_t,
    struct bk_attrs *priv_t);
/* ECDH with CKD_NULL; point: uncompressed, and on the curve (caller's duty). */
HSA_MUST_USE hsa_rc bk_ck_ecdh(struct bk_ses *s, CK_OBJECT_HANDLE *obj,
    CK_OBJECT_HANDLE priv, const void *point, size_t n, struct bk_attrs *t);
/* E_KEY when the bytes do not unwrap, which SoftHSM reports as a general
 * error: only unwrap to session objects, where nothing else can fail so. */
HSA_MUST_USE hsa_rc bk_ck_unwrap(struct bk_ses *s, CK_OBJECT_HANDLE *obj,
    CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mech, const void *p, size_t n,
    struct bk_attrs *t);
/* SHA-256 over before || value of the key || after; a length of 0 skips. */
HSA_MUST_USE hsa_rc bk_ck_digest_key(struct bk_ses *s, uint8_t out[32],
    const void *before, size_t bn, CK_OBJECT_HANDLE key, const void *after,
    size_t an);
/* Exactly n bytes of signature, else E_TOKEN. */
HSA_MUST_USE hsa_rc bk_ck_sign(struct bk_ses *s, uint8_t *sig, size_t n,
    CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mech, const void *msg,
    size_t msg_n);

#endif
