#include <string.h>

#include "ep11_wk.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What the token encrypts by the master key to get each key: two AES blocks
 * that no wrapped key can contain on its way (AES key wrap starts with its own
 * constants). */
static const uint8_t mac_text[32] = "cryptounit: MAC key of a domain.";
static const uint8_t state_text[32] = "cryptounit: state key of domain.";

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static CK_RV
derive(const struct ep11_token *t, CK_OBJECT_HANDLE *h, CK_OBJECT_HANDLE from,
    const uint8_t text[32], CK_KEY_TYPE type)
{
	CK_KEY_DERIVATION_STRING_DATA data = {ep11_input(text), 32};
	CK_MECHANISM m = {CKM_AES_ECB_ENCRYPT_DATA, &data, sizeof(data)};
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_ULONG len = 32;
	bool mac = type == CKK_GENERIC_SECRET;
	const CK_ATTRIBUTE as[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &no, sizeof(no)},
	    {CKA_SIGN, mac ? &yes : &no, sizeof(yes)},
	    {CKA_VERIFY, &no, sizeof(no)},
	    {CKA_ENCRYPT, mac ? &no : &yes, sizeof(yes)},
	    {CKA_DECRYPT, &no, sizeof(no)}, {CKA_WRAP, &no, sizeof(no)},
	    {CKA_UNWRAP, &no, sizeof(no)}, {CKA_DERIVE, &no, sizeof(no)},
	    {CKA_VALUE_LEN, &len, sizeof(len)}};

	return t->ops->derive(t->ctx, h, &m, from, as, LEN(as));
}

hsa_rc
ep11_wk_open(struct ep11_wk *wk, const struct ep11_token *token,
    const struct ep11_wk_name *name)
{
	struct ep11_wk w = {.set = true};
	CK_RV rv;

	memcpy(w.id, name->pattern, sizeof(w.id));
	rv = token->ops->master(token->ctx, &w.kwp, name->object);
	if (rv != CKR_OK)
		return HSA_RC(E_TOKEN);
	rv = derive(token, &w.mac, w.kwp, mac_text, CKK_GENERIC_SECRET);
	if (rv != CKR_OK) {
		w.mac = 0;
		ep11_wk_close(&w, token);
		return HSA_RC(E_TOKEN);
	}
	rv = derive(token, &w.state, w.kwp, state_text, CKK_AES);
	if (rv != CKR_OK) {
		w.state = 0;
		ep11_wk_close(&w, token);
		return HSA_RC(E_TOKEN);
	}
	*wk = w;
	return HSA_OK;
}

/* What is not destroyed here goes with the token's sessions. */
void
ep11_wk_close(struct ep11_wk *wk, const struct ep11_token *token)
{
	const CK_OBJECT_HANDLE h[] = {wk->kwp, wk->mac, wk->state};

	for (size_t i = 0; i < LEN(h); i++)
		if (wk->set && h[i] != 0)
			(void)token->ops->destroy(token->ctx, h[i]);
	memset(wk, 0, sizeof(*wk));
}

CK_RV
ep11_wk_mac(const struct ep11_wk *wk, const struct ep11_token *token,
    uint8_t mac[EP11_MAC_LEN], const void *p, size_t n)
{
	CK_MECHANISM m = {.mechanism = CKM_SHA256_HMAC};
	uint8_t out[EP11_MAC_LEN];
	size_t len = sizeof(out);
	CK_RV rv;

	if (!wk->set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	rv = token->ops->sign(token->ctx, &m, wk->mac, p, n, out, &len);
	if (rv == CKR_OK && len != sizeof(out))
		rv = CKR_GENERAL_ERROR;
	if (rv == CKR_OK)
		memcpy(mac, out, sizeof(out));
	return rv;
}

CK_RV
ep11_wk_wrap(const struct ep11_wk *wk, const struct ep11_token *token,
    struct hsa_buf *out, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM m = {.mechanism = CKM_AES_KEY_WRAP_PAD};
	uint8_t wrapped[HSA_BLOB_MAX];
	size_t n = sizeof(wrapped);
	CK_RV rv;

	if (!wk->set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	rv = token->ops->wrap(token->ctx, &m, wk->kwp, key, wrapped, &n);
	if (rv == CKR_OK)
		hsa_buf_put(out, wrapped, n);
	return rv;
}

CK_RV
ep11_wk_unwrap(const struct ep11_wk *wk, const struct ep11_token *token,
    CK_OBJECT_HANDLE *h, const void *p, size_t n, const CK_ATTRIBUTE *t,
    size_t tn)
{
	CK_MECHANISM m = {.mechanism = CKM_AES_KEY_WRAP_PAD};

	if (!wk->set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	return token->ops->unwrap(token->ctx, h, &m, wk->kwp, p, n, t, tn);
}

CK_RV
ep11_wk_crypt(const struct ep11_wk *wk, const struct ep11_token *token,
    const uint8_t iv[16], void *p, size_t n)
{
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
	CK_MECHANISM m = {CKM_AES_CTR, &ctr, sizeof(ctr)};
	size_t len = n;
	CK_RV rv;

	if (!wk->set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (n == 0)
		return CKR_OK;
	memcpy(ctr.cb, iv, sizeof(ctr.cb));
	/* counter mode is its own inverse */
	rv = token->ops->encrypt(token->ctx, &m, wk->state, p, n, p, &len);
	if (rv == CKR_OK && len != n)
		rv = CKR_GENERAL_ERROR;
	return rv;
}
