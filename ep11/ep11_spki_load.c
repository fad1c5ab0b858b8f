#include <string.h>

#include "ep11_core.h"
#include "ep11_pkey.h"
#include "ep11_policy.h"
#include "ep11_spki.h"
#include "hsa_hash.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS public_key = CKO_PUBLIC_KEY;

/* Every use is open on the object: what the key may do is in its booleans,
 * and those are the engine's to hold. */
#define USES                                                                   \
	{CKA_CLASS, &public_key, sizeof(public_key)},                          \
	    {CKA_PRIVATE, &no, sizeof(no)}, {CKA_ENCRYPT, &yes, sizeof(yes)},  \
	    {CKA_VERIFY, &yes, sizeof(yes)}, {CKA_WRAP, &yes, sizeof(yes)},    \
	    {CKA_DERIVE, &yes, sizeof(yes)},
#define USES_LEN 6

/* What the token wants of each type, and what OpenSSL calls it. */
struct part {
	CK_ATTRIBUTE_TYPE type;
	const char *name;
};
static const struct part rsa[] = {
    {CKA_MODULUS, "n"}, {CKA_PUBLIC_EXPONENT, "e"}};
static const struct part dsa[] = {
    {CKA_PRIME, "p"}, {CKA_SUBPRIME, "q"}, {CKA_BASE, "g"}, {CKA_VALUE, "pub"}};
static const struct part dh[] = {
    {CKA_PRIME, "p"}, {CKA_BASE, "g"}, {CKA_VALUE, "pub"}};
#define PARTS_MAX 4

static const struct part *
parts_of(CK_KEY_TYPE type, size_t *n)
{
	switch (type) {
	case CKK_RSA:
		*n = sizeof(rsa) / sizeof(rsa[0]);
		return rsa;
	case CKK_DSA:
		*n = sizeof(dsa) / sizeof(dsa[0]);
		return dsa;
	default:
		*n = sizeof(dh) / sizeof(dh[0]);
		return dh;
	}
}

CK_KEY_TYPE
ep11_token_type(CK_KEY_TYPE type, const struct ep11_curve *curve)
{
	/* Montgomery too: SoftHSM knows no other type for them */
	return type == CKK_EC && curve != NULL &&
		       curve->kind != EP11_CURVE_PRIME
		   ? CKK_EC_EDWARDS
		   : type;
}

/* ---- into the token ------------------------------------------------------ */

static CK_RV
create_numbers(
    struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct ep11_pkey *k)
{
	CK_KEY_TYPE type = k->type;
	CK_ATTRIBUTE t[USES_LEN + 1 + PARTS_MAX] = {
	    USES{CKA_KEY_TYPE, &type, sizeof(type)}};
	struct hsa_buf v[PARTS_MAX] = {{0}};
	CK_ULONG n = USES_LEN + 1;
	size_t count = 0;
	const struct part *parts = parts_of(k->type, &count);
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < count && rv == CKR_OK; i++) {
		rv = ep11_pkey_number(&v[i], k, parts[i].name, 0);
		t[n].type = parts[i].type;
		t[n].pValue = v[i].p;
		t[n++].ulValueLen = v[i].len;
	}
	if (rv == CKR_OK)
		rv = e->token.ops->create(e->token.ctx, h, t, n);
	for (size_t i = 0; i < PARTS_MAX; i++)
		hsa_buf_free(&v[i]);
	return rv;
}

static CK_RV
create_point(
    struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct ep11_pkey *k)
{
	CK_KEY_TYPE type = ep11_token_type(k->type, k->curve);
	uint8_t oid[16];
	struct hsa_buf point = {0}, der = {0};
	CK_RV rv = ep11_pkey_point(&point, k);

	if (rv == CKR_OK) {
		ep11_octets(&der, point.p, point.len);
		memcpy(oid, k->curve->oid, k->curve->oid_len);
	}
	if (rv == CKR_OK && der.failed)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK) {
		CK_ATTRIBUTE t[] = {USES{CKA_KEY_TYPE, &type, sizeof(type)},
		    {CKA_EC_PARAMS, oid, k->curve->oid_len},
		    {CKA_EC_POINT, der.p, der.len}};

		rv = e->token.ops->create(
		    e->token.ctx, h, t, sizeof(t) / sizeof(t[0]));
	}
	hsa_buf_free(&point);
	hsa_buf_free(&der);
	return rv;
}

CK_RV
ep11_public_create(
    struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct ep11_pkey *k)
{
	CK_RV rv =
	    k->type == CKK_EC ? create_point(e, h, k) : create_numbers(e, h, k);

	/* read and checked before: what is left is the token's own trouble */
	return rv == CKR_OK || rv == CKR_HOST_MEMORY ? rv : CKR_FUNCTION_FAILED;
}

CK_RV
ep11_public_policy(const struct ep11_engine *e, const struct ep11_pkey *k)
{
	struct hsa_buf exponent = {0};
	CK_RV rv = ep11_policy_key(e->cp, k->type, k->bits, k->curve);

	if (rv == CKR_OK && k->type == CKK_RSA) {
		rv = ep11_pkey_number(&exponent, k, "e", 0);
		if (rv == CKR_OK)
			rv = ep11_policy_exponent(
			    e->cp, exponent.p, exponent.len);
		if (rv == CKR_ATTRIBUTE_VALUE_INVALID)
			rv = CKR_PUBLIC_KEY_INVALID;
	}
	hsa_buf_free(&exponent);
	return rv;
}

CK_RV
ep11_key_load_spki(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    struct ep11_key *what, struct hsa_slice spki)
{
	struct ep11_pkey k = {0};
	CK_RV rv = ep11_pkey_public(&k, spki.p, spki.n);

	if (rv == CKR_OK)
		rv = ep11_public_policy(e, &k);
	if (rv == CKR_OK)
		rv = ep11_public_create(e, h, &k);
	if (rv == CKR_OK) {
		what->h = *h;
		what->cls = CKO_PUBLIC_KEY;
		what->type = k.type;
		what->bits = k.bits;
		what->curve = k.curve;
		what->spki = spki;
	}
	ep11_pkey_free(&k);
	return rv;
}

/* ---- out of the token ---------------------------------------------------- */

void
ep11_octets(struct hsa_buf *b, const void *p, size_t n)
{
	hsa_buf_u8(b, 0x04);
	if (n >= 256) {
		hsa_buf_u8(b, 0x82);
		hsa_buf_be16(b, (uint16_t)n);
	} else {
		if (n >= 128)
			hsa_buf_u8(b, 0x81);
		hsa_buf_u8(b, (uint8_t)n);
	}
	hsa_buf_put(b, p, n);
}

/* One attribute, appended. */
static CK_RV
fetch(struct ep11_engine *e, struct hsa_buf *b, CK_OBJECT_HANDLE h,
    CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE a = {.type = type};
	CK_RV rv = e->token.ops->get(e->token.ctx, h, &a, 1);

	if (rv != CKR_OK || a.ulValueLen > HSA_BLOB_MAX)
		return rv != CKR_OK ? ep11_trouble(rv) : CKR_FUNCTION_FAILED;
	a.pValue = hsa_buf_reserve(b, a.ulValueLen);
	if (a.pValue == NULL)
		return CKR_HOST_MEMORY;
	rv = e->token.ops->get(e->token.ctx, h, &a, 1);
	if (rv == CKR_OK)
		b->len += a.ulValueLen;
	return ep11_trouble(rv);
}

static CK_RV
public_point(struct ep11_engine *e, struct ep11_pkey *k, CK_OBJECT_HANDLE h,
    const struct ep11_curve *curve)
{
	struct hsa_buf der = {0};
	size_t head = 2;
	CK_RV rv = fetch(e, &der, h, CKA_EC_POINT);

	/* OCTET STRING, at most 133 bytes in it */
	if (rv == CKR_OK && der.len > 2 && der.p[1] == 0x81)
		head = 3;
	if (rv == CKR_OK && (der.len <= head || der.p[0] != 0x04 ||
				der.p[head - 1] != der.len - head))
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		rv = ep11_pkey_of_point(k, curve, der.p + head, der.len - head);
	hsa_buf_free(&der);
	return rv;
}

CK_RV
ep11_public_read(struct ep11_engine *e, struct ep11_pkey *k, CK_OBJECT_HANDLE h,
    CK_KEY_TYPE type, const struct ep11_curve *curve)
{
	struct hsa_buf v[PARTS_MAX] = {{0}};
	struct hsa_slice p[PARTS_MAX];
	const char *names[PARTS_MAX];
	size_t count = 0;
	const struct part *parts = parts_of(type, &count);
	CK_RV rv = CKR_OK;

	if (type == CKK_EC)
		return public_point(e, k, h, curve);
	for (size_t i = 0; i < count && rv == CKR_OK; i++) {
		rv = fetch(e, &v[i], h, parts[i].type);
		names[i] = parts[i].name;
		p[i] = (struct hsa_slice){v[i].p, v[i].len};
	}
	if (rv == CKR_OK)
		rv = ep11_pkey_of_numbers(k, type, names, p, count);
	for (size_t i = 0; i < PARTS_MAX; i++)
		hsa_buf_free(&v[i]);
	return rv;
}
