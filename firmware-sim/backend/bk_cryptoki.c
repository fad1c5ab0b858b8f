#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "bk_cryptoki.h"
#include "hsa_hash.h"

#define ROW(rv)                                                                \
	{                                                                      \
		rv, #rv                                                        \
	}
static const struct {
	CK_RV rv;
	const char *name;
} names[] = {
    ROW(CKR_OK),
    ROW(CKR_HOST_MEMORY),
    ROW(CKR_SLOT_ID_INVALID),
    ROW(CKR_GENERAL_ERROR),
    ROW(CKR_FUNCTION_FAILED),
    ROW(CKR_ARGUMENTS_BAD),
    ROW(CKR_CANT_LOCK),
    ROW(CKR_ATTRIBUTE_READ_ONLY),
    ROW(CKR_ATTRIBUTE_SENSITIVE),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID),
    ROW(CKR_DATA_INVALID),
    ROW(CKR_DEVICE_ERROR),
    ROW(CKR_DEVICE_MEMORY),
    ROW(CKR_ENCRYPTED_DATA_INVALID),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE),
    ROW(CKR_FUNCTION_NOT_SUPPORTED),
    ROW(CKR_KEY_HANDLE_INVALID),
    ROW(CKR_KEY_SIZE_RANGE),
    ROW(CKR_KEY_TYPE_INCONSISTENT),
    ROW(CKR_KEY_INDIGESTIBLE),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED),
    ROW(CKR_KEY_NOT_WRAPPABLE),
    ROW(CKR_KEY_UNEXTRACTABLE),
    ROW(CKR_MECHANISM_INVALID),
    ROW(CKR_MECHANISM_PARAM_INVALID),
    ROW(CKR_OBJECT_HANDLE_INVALID),
    ROW(CKR_OPERATION_ACTIVE),
    ROW(CKR_OPERATION_NOT_INITIALIZED),
    ROW(CKR_PIN_INCORRECT),
    ROW(CKR_SESSION_HANDLE_INVALID),
    ROW(CKR_SESSION_READ_ONLY),
    ROW(CKR_TEMPLATE_INCOMPLETE),
    ROW(CKR_TEMPLATE_INCONSISTENT),
    ROW(CKR_TOKEN_NOT_PRESENT),
    ROW(CKR_TOKEN_NOT_RECOGNIZED),
    ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID),
    ROW(CKR_USER_NOT_LOGGED_IN),
    ROW(CKR_USER_PIN_NOT_INITIALIZED),
    ROW(CKR_WRAPPED_KEY_INVALID),
    ROW(CKR_WRAPPED_KEY_LEN_RANGE),
    ROW(CKR_BUFFER_TOO_SMALL),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED),
};
#undef ROW

const char *
bk_ck_rv_name(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].rv == rv)
			return names[i].name;
	return "CKR_?";
}

static hsa_rc
check(struct bk_ck *ck, CK_RV rv)
{
	if (rv == CKR_OK)
		return HSA_OK;
	ck->last = rv;
	ERR_clear_error();
	if (rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_MEMORY)
		return HSA_RC(E_NOMEM);
	if (rv == CKR_MECHANISM_INVALID)
		return HSA_RC(E_UNSUPPORTED);
	return HSA_RC(E_TOKEN);
}

/* Cryptoki 2.40 takes input through pointers that are not const. */
static void *
unconst(const void *p)
{
	void *same;

	memcpy(&same, &p, sizeof(same));
	return same;
}

hsa_rc
bk_ck_load(struct bk_ck *ck, const char *module, struct hsa_diag *diag)
{
	CK_C_GetFunctionList get = NULL;
	CK_FUNCTION_LIST *f = NULL;
	void *sym = NULL;
	CK_RV rv;

	if (access(module, R_OK) != 0)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "PKCS#11 module %s: %s; install SoftHSM (package "
		    "softhsm2), or name its libsofthsm2.so",
		    module, strerror(errno));
	/* stays mapped: OpenSSL may hold its thread and exit handlers */
	ck->so = dlopen(module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (ck->so == NULL) {
		const char *why = dlerror();

		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "PKCS#11 module %s cannot be loaded: %s; name the module "
		    "of this machine's SoftHSM",
		    module, why != NULL ? why : "no reason given");
	}
	sym = dlsym(ck->so, "C_GetFunctionList");
	if (sym != NULL)
		memcpy(&get, &sym, sizeof(get));
	rv = get != NULL ? get(&f) : CKR_FUNCTION_NOT_SUPPORTED;
	if (rv != CKR_OK || f == NULL) {
		bk_ck_unload(ck);
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s is not a PKCS#11 module (C_GetFunctionList: %s); name "
		    "SoftHSM's libsofthsm2.so",
		    module, bk_ck_rv_name(rv));
	}
	ck->C_Initialize = f->C_Initialize;
	ck->C_Finalize = f->C_Finalize;
	ck->C_OpenSession = f->C_OpenSession;
	ck->C_CloseSession = f->C_CloseSession;
	ck->C_FindObjectsInit = f->C_FindObjectsInit;
	ck->C_FindObjects = f->C_FindObjects;
	ck->C_FindObjectsFinal = f->C_FindObjectsFinal;
	ck->C_GetAttributeValue = f->C_GetAttributeValue;
	ck->C_CreateObject = f->C_CreateObject;
	ck->C_CopyObject = f->C_CopyObject;
	ck->C_DestroyObject = f->C_DestroyObject;
	ck->C_SeedRandom = f->C_SeedRandom;
	ck->C_GenerateRandom = f->C_GenerateRandom;
	ck->C_GenerateKey = f->C_GenerateKey;
	ck->C_GenerateKeyPair = f->C_GenerateKeyPair;
	ck->C_DeriveKey = f->C_DeriveKey;
	ck->C_WrapKey = f->C_WrapKey;
	ck->C_UnwrapKey = f->C_UnwrapKey;
	ck->C_EncryptInit = f->C_EncryptInit;
	ck->C_Encrypt = f->C_Encrypt;
	ck->C_DecryptInit = f->C_DecryptInit;
	ck->C_Decrypt = f->C_Decrypt;
	ck->C_DigestInit = f->C_DigestInit;
	ck->C_Digest = f->C_Digest;
	ck->C_DigestUpdate = f->C_DigestUpdate;
	ck->C_DigestKey = f->C_DigestKey;
	ck->C_DigestFinal = f->C_DigestFinal;
	ck->C_SignInit = f->C_SignInit;
	ck->C_Sign = f->C_Sign;
	ck->C_VerifyInit = f->C_VerifyInit;
	ck->C_Verify = f->C_Verify;
	return HSA_OK;
}

hsa_rc
bk_ck_start(struct bk_ck *ck)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv = ck->C_Initialize(&args);

	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		rv = CKR_OK;
	return check(ck, rv);
}

void
bk_ck_unload(struct bk_ck *ck)
{
	if (ck->so != NULL)
		dlclose(ck->so);
	memset(ck, 0, sizeof(*ck));
}

hsa_rc
bk_ses_open(struct bk_ses *s, struct bk_ck *ck, CK_SLOT_ID slot)
{
	hsa_rc rc;

	s->ck = ck;
	rc = check(
	    ck, ck->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
		    NULL, NULL, &s->h));
	s->open = hsa_is_ok(rc);
	return rc;
}

void
bk_ses_close(struct bk_ses *s)
{
	if (s->open)
		(void)s->ck->C_CloseSession(s->h);
	s->open = false;
}

/* ---- attribute templates ------------------------------------------------- */

static CK_ATTRIBUTE *
next(struct bk_attrs *t, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE *a = &t->a[t->n];

	if (t->n == BK_ATTR_MAX) {
		t->overflow = true;
		return NULL;
	}
	a->type = type;
	t->n++;
	return a;
}

void
bk_attr_bool(struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, bool v)
{
	CK_BBOOL *to = &t->flag[t->n % BK_ATTR_MAX];
	CK_ATTRIBUTE *a = next(t, type);

	if (a == NULL)
		return;
	*to = v ? CK_TRUE : CK_FALSE;
	a->pValue = to;
	a->ulValueLen = sizeof(*to);
}

void
bk_attr_num(struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v)
{
	CK_ULONG *to = &t->num[t->n % BK_ATTR_MAX];
	CK_ATTRIBUTE *a = next(t, type);

	if (a == NULL)
		return;
	*to = v;
	a->pValue = to;
	a->ulValueLen = sizeof(*to);
}

void
bk_attr_bytes(
    struct bk_attrs *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	CK_ATTRIBUTE *a = next(t, type);

	if (a == NULL)
		return;
	a->pValue = unconst(p);
	a->ulValueLen = n;
}

/* ---- objects ------------------------------------------------------------- */

hsa_rc
bk_ck_find(struct bk_ses *s, CK_OBJECT_HANDLE *h, size_t *n, size_t max,
    struct bk_attrs *t)
{
	CK_ULONG got = 0;
	hsa_rc rc, end;

	if (t->overflow)
		return HSA_RC(E_ARG);
	rc = check(s->ck, s->ck->C_FindObjectsInit(s->h, t->a, t->n));
	if (!hsa_is_ok(rc))
		return rc;
	rc = check(s->ck, s->ck->C_FindObjects(s->h, h, max, &got));
	end = check(s->ck, s->ck->C_FindObjectsFinal(s->h));
	if (hsa_is_ok(rc))
		rc = end;
	if (hsa_is_ok(rc))
		*n = got;
	return rc;
}

hsa_rc
bk_ck_get(struct bk_ses *s, void *p, size_t *n, size_t max,
    CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE a = {.type = type, .pValue = p, .ulValueLen = max};
	CK_RV rv = s->ck->C_GetAttributeValue(s->h, obj, &a, 1);

	if (rv == CKR_BUFFER_TOO_SMALL) {
		(void)check(s->ck, rv);
		return HSA_RC(E_RANGE);
	}
	if (rv == CKR_OK)
		*n = a.ulValueLen;
	return check(s->ck, rv);
}

hsa_rc
bk_ck_get_exact(struct bk_ses *s, void *p, size_t n, CK_OBJECT_HANDLE obj,
    CK_ATTRIBUTE_TYPE type)
{
	size_t got = 0;
	hsa_rc rc = bk_ck_get(s, p, &got, n, obj, type);

	if (hsa_is_ok(rc) && got != n)
		rc = HSA_RC(E_RANGE);
	return rc;
}

hsa_rc
bk_ck_create(struct bk_ses *s, CK_OBJECT_HANDLE *obj, struct bk_attrs *t)
{
	if (t->overflow)
		return HSA_RC(E_ARG);
	return check(s->ck, s->ck->C_CreateObject(s->h, t->a, t->n, obj));
}

hsa_rc
bk_ck_copy(struct bk_ses *s, CK_OBJECT_HANDLE *obj, CK_OBJECT_HANDLE from,
    struct bk_attrs *t)
{
	if (t->overflow)
		return HSA_RC(E_ARG);
	return check(s->ck, s->ck->C_CopyObject(s->h, from, t->a, t->n, obj));
}

hsa_rc
bk_ck_destroy(struct bk_ses *s, CK_OBJECT_HANDLE obj)
{
	return check(s->ck, s->ck->C_DestroyObject(s->h, obj));
}

void
bk_ck_discard(struct bk_ses *s, CK_OBJECT_HANDLE obj)
{
	hsa_rc rc = bk_ck_destroy(s, obj);

	(void)rc;
}

/* ---- keys ---------------------------------------------------------------- */

hsa_rc
bk_ck_random(struct bk_ses *s, void *p, size_t n)
{
	if (n == 0)
		return HSA_OK;
	return check(s->ck, s->ck->C_GenerateRandom(s->h, p, n));
}

hsa_rc
bk_ck_pair(struct bk_ses *s, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    CK_MECHANISM_TYPE mech, struct bk_attrs *pub_t, struct bk_attrs *priv_t)
{
	CK_MECHANISM m = {.mechanism = mech};

	if (pub_t->overflow || priv_t->overflow)
		return HSA_RC(E_ARG);
	return check(s->ck, s->ck->C_GenerateKeyPair(s->h, &m, pub_t->a,
				pub_t->n, priv_t->a, priv_t->n, pub, priv));
}

hsa_rc
bk_ck_ecdh(struct bk_ses *s, CK_OBJECT_HANDLE *obj, CK_OBJECT_HANDLE priv,
    const void *point, size_t n, struct bk_attrs *t)
{
	CK_ECDH1_DERIVE_PARAMS p = {.kdf = CKD_NULL,
	    .pPublicData = unconst(point),
	    .ulPublicDataLen = n};
	CK_MECHANISM m = {.mechanism = CKM_ECDH1_DERIVE,
	    .pParameter = &p,
	    .ulParameterLen = sizeof(p)};

	if (t->overflow)
		return HSA_RC(E_ARG);
	return check(
	    s->ck, s->ck->C_DeriveKey(s->h, &m, priv, t->a, t->n, obj));
}

hsa_rc
bk_ck_unwrap(struct bk_ses *s, CK_OBJECT_HANDLE *obj, CK_OBJECT_HANDLE key,
    CK_MECHANISM_TYPE mech, const void *p, size_t n, struct bk_attrs *t)
{
	CK_MECHANISM m = {.mechanism = mech};
	hsa_rc rc;

	if (t->overflow)
		return HSA_RC(E_ARG);
	rc = check(s->ck,
	    s->ck->C_UnwrapKey(s->h, &m, key, unconst(p), n, t->a, t->n, obj));
	if (hsa_is_ok(rc))
		return rc;
	switch (s->ck->last) {
	case CKR_GENERAL_ERROR:
	case CKR_WRAPPED_KEY_INVALID:
	case CKR_WRAPPED_KEY_LEN_RANGE:
	case CKR_ENCRYPTED_DATA_INVALID:
	case CKR_ENCRYPTED_DATA_LEN_RANGE:
		return HSA_RC(E_KEY);
	default:
		return rc;
	}
}

hsa_rc
bk_ck_digest_key(struct bk_ses *s, uint8_t out[32], const void *before,
    size_t bn, CK_OBJECT_HANDLE key, const void *after, size_t an)
{
	CK_MECHANISM m = {.mechanism = CKM_SHA256};
	struct bk_ck *ck = s->ck;
	CK_ULONG n = 32;
	hsa_rc rc;

	HSA_TRY(rc, check(ck, ck->C_DigestInit(s->h, &m)));
	if (bn != 0)
		HSA_TRY(rc,
		    check(ck, ck->C_DigestUpdate(s->h, unconst(before), bn)));
	HSA_TRY(rc, check(ck, ck->C_DigestKey(s->h, key)));
	if (an != 0)
		HSA_TRY(rc,
		    check(ck, ck->C_DigestUpdate(s->h, unconst(after), an)));
	HSA_TRY(rc, check(ck, ck->C_DigestFinal(s->h, out, &n)));
	if (n != 32)
		rc = HSA_RC(E_TOKEN);
out:
	if (!hsa_is_ok(rc))
		hsa_wipe(out, 32);
	return rc;
}

hsa_rc
bk_ck_sign(struct bk_ses *s, uint8_t *sig, size_t n, CK_OBJECT_HANDLE key,
    CK_MECHANISM_TYPE mech, const void *msg, size_t msg_n)
{
	CK_MECHANISM m = {.mechanism = mech};
	CK_ULONG got = n;
	hsa_rc rc;

	HSA_TRY(rc, check(s->ck, s->ck->C_SignInit(s->h, &m, key)));
	HSA_TRY(rc,
	    check(s->ck, s->ck->C_Sign(s->h, unconst(msg), msg_n, sig, &got)));
	if (got != n)
		rc = HSA_RC(E_TOKEN);
out:
	return rc;
}
