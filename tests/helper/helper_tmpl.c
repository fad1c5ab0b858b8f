#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_spki.h"
#include "helper_tmpl.h"
#include "hsa_hash.h"

static struct hsa_attr *
next(struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type)
{
	assert_in_range(t->n, 0, 23);
	t->a[t->n].type = type;
	return &t->a[t->n++];
}

struct helper_tmpl *
tmpl_num(struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, uint64_t v)
{
	uint64_t *to = &t->num[t->n];
	struct hsa_attr *a = next(t, type);

	*to = v;
	a->p = (const uint8_t *)to;
	a->n = sizeof(*to);
	return t;
}

struct helper_tmpl *
tmpl_bool(struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, bool v)
{
	uint8_t *to = &t->flag[t->n];
	struct hsa_attr *a = next(t, type);

	*to = v;
	a->p = to;
	a->n = 1;
	return t;
}

struct helper_tmpl *
tmpl_bytes(
    struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	struct hsa_attr *a = next(t, type);

	a->p = p;
	a->n = n;
	return t;
}

struct hsa_mech
helper_mech(CK_MECHANISM_TYPE type)
{
	return (struct hsa_mech){.type = type};
}

struct hsa_mech
helper_mech_bytes(CK_MECHANISM_TYPE type, const void *p, size_t n)
{
	return (struct hsa_mech){
	    .type = type, .kind = HSA_MECH_BYTES, .a = {p, n}};
}

CK_RV
helper_generate(struct helper_ep11 *h, struct hsa_call *c,
    CK_MECHANISM_TYPE mech, const struct helper_tmpl *t)
{
	c->mech = helper_mech(mech);
	c->attr = t != NULL ? t->a : NULL;
	c->attr_len = t != NULL ? t->n : 0;
	return helper_ep11_call(h, c, HSA_FN_GENERATE_KEY);
}

CK_RV
helper_generate_pair(struct helper_ep11 *h, struct hsa_call *c,
    CK_MECHANISM_TYPE mech, const struct helper_tmpl *pub,
    const struct helper_tmpl *priv)
{
	c->mech = helper_mech(mech);
	c->attr = pub != NULL ? pub->a : NULL;
	c->attr_len = pub != NULL ? pub->n : 0;
	c->attr2 = priv != NULL ? priv->a : NULL;
	c->attr2_len = priv != NULL ? priv->n : 0;
	return helper_ep11_call(h, c, HSA_FN_GENERATE_KEY_PAIR);
}

static uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint32_t
helper_blob_bools(const struct hsa_buf *blob)
{
	assert_true(blob->len > 80);
	return word(blob->p + 52);
}

EVP_PKEY *
helper_public(const struct hsa_buf *spki, uint32_t *bools)
{
	const uint8_t *p = spki->p;
	EVP_PKEY *k = d2i_PUBKEY(NULL, &p, (long)spki->len);

	assert_non_null(k);
	/* six OCTET STRINGs follow: 16, 32, 8, 8, 12, 32 */
	assert_int_equal(
	    spki->p + spki->len - p, 6 * 2 + 16 + 32 + 8 + 8 + 12 + 32);
	if (bools != NULL)
		*bools = word(spki->p + spki->len - 34 - 4);
	return k;
}

/* ---- does it do what it says --------------------------------------------- */

/* OpenSSL's ephemeral key agrees with pub; so must the token's. */
static bool
agrees(struct helper_ep11 *h, const struct ep11_key *k, EVP_PKEY *pub)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	struct hsa_buf der = {0};
	EVP_PKEY *own = NULL;
	uint8_t z[1024], hash[32], want[32], point[1024];
	size_t n = sizeof(z), pn = 0, hn = sizeof(hash);
	CK_OBJECT_HANDLE got = 0;
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG len = 0;
	CK_ECDH1_DERIVE_PARAMS p = {.kdf = CKD_NULL};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_VALUE_LEN, &len, sizeof(len)}};
	bool same;

	assert_int_equal(EVP_PKEY_keygen_init(x), 1);
	assert_int_equal(EVP_PKEY_generate(x, &own), 1);
	EVP_PKEY_CTX_free(x);
	x = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	assert_int_equal(EVP_PKEY_derive_init(x), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(x, pub), 1);
	if (EVP_PKEY_is_a(pub, "DH"))
		assert_int_equal(EVP_PKEY_CTX_set_dh_pad(x, 1), 1);
	assert_int_equal(EVP_PKEY_derive(x, z, &n), 1);
	EVP_PKEY_CTX_free(x);
	assert_int_equal(hsa_sha256(want, z, n).v, 0);
	if (EVP_PKEY_is_a(pub, "DH")) {
		BIGNUM *y = NULL;

		assert_int_equal(EVP_PKEY_get_bn_param(own, "pub", &y), 1);
		pn = (size_t)BN_bn2bin(y, point);
		BN_free(y);
		m = (CK_MECHANISM){CKM_DH_PKCS_DERIVE, point, pn};
	} else {
		assert_int_equal(
		    EVP_PKEY_get_octet_string_param(
			own, "encoded-pub-key", point, sizeof(point), &pn),
		    1);
		/* a raw point can pass for an OCTET STRING */
		ep11_octets(&der, point, pn);
		p.pPublicData = der.p;
		p.ulPublicDataLen = der.len;
	}
	len = n;
	assert_int_equal(
	    h->token.ops->derive(h->token.ctx, &got, &m, k->h, t, 3), CKR_OK);
	assert_int_equal(h->token.ops->digest_key(h->token.ctx, CKM_SHA256,
			     NULL, 0, got, NULL, 0, hash, &hn),
	    CKR_OK);
	same = memcmp(hash, want, sizeof(want)) == 0;
	assert_int_equal(h->token.ops->destroy(h->token.ctx, got), CKR_OK);
	hsa_buf_free(&der);
	EVP_PKEY_free(own);
	return same;
}

/* r || s to the SEQUENCE that OpenSSL wants */
static size_t
der_of(uint8_t *der, const uint8_t *sig, size_t n)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	uint8_t *at = der;
	int len;

	assert_int_equal(ECDSA_SIG_set0(s, BN_bin2bn(sig, (int)(n / 2), NULL),
			     BN_bin2bn(sig + n / 2, (int)(n / 2), NULL)),
	    1);
	len = i2d_ECDSA_SIG(s, &at);
	ECDSA_SIG_free(s);
	assert_true(len > 0);
	return (size_t)len;
}

static bool
signs(struct helper_ep11 *h, const struct ep11_key *k, EVP_PKEY *pub)
{
	static const uint8_t digest[20] = "twenty bytes to sign";
	bool ed = k->curve != NULL && k->curve->kind == EP11_CURVE_EDWARDS;
	CK_MECHANISM m = {.mechanism = k->type == CKK_RSA   ? CKM_RSA_PKCS
				       : k->type == CKK_DSA ? CKM_DSA
				       : ed                 ? CKM_EDDSA
							    : CKM_ECDSA};
	uint8_t sig[2048], der[256];
	size_t n = sizeof(sig);
	EVP_PKEY_CTX *x = NULL;
	EVP_MD_CTX *md = NULL;
	int good;

	assert_int_equal(h->token.ops->sign(h->token.ctx, &m, k->h, digest,
			     sizeof(digest), sig, &n),
	    CKR_OK);
	if (ed) {
		md = EVP_MD_CTX_new();
		assert_int_equal(
		    EVP_DigestVerifyInit(md, NULL, NULL, NULL, pub), 1);
		good = EVP_DigestVerify(md, sig, n, digest, sizeof(digest));
		EVP_MD_CTX_free(md);
		return good == 1;
	}
	x = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	assert_int_equal(EVP_PKEY_verify_init(x), 1);
	if (k->type == CKK_RSA) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_PADDING), 1);
		good = EVP_PKEY_verify(x, sig, n, digest, sizeof(digest));
	} else {
		good = EVP_PKEY_verify(
		    x, der, der_of(der, sig, n), digest, sizeof(digest));
	}
	EVP_PKEY_CTX_free(x);
	return good == 1;
}

bool
helper_proves(struct helper_ep11 *h, const struct hsa_buf *blob, EVP_PKEY *pub)
{
	struct ep11_key *k = NULL;
	bool good = true;

	assert_int_equal(
	    ep11_key_get(h->e, &k, NULL, helper_slice(blob), 0), CKR_OK);
	if (k->type == CKK_DH ||
	    (k->type == CKK_EC && k->curve->kind != EP11_CURVE_EDWARDS))
		good = agrees(h, k, pub);
	if (k->type != CKK_DH &&
	    (k->type != CKK_EC || k->curve->kind != EP11_CURVE_MONTGOMERY))
		good = good && signs(h, k, pub);
	ep11_key_put(h->e, k);
	return good;
}

size_t
helper_value(
    struct helper_ep11 *h, const struct hsa_buf *blob, uint8_t *v, size_t room)
{
	struct ep11_key *k = NULL;
	uint8_t *p = NULL;
	size_t n = 0;

	assert_int_equal(
	    ep11_key_get(h->e, &k, NULL, helper_slice(blob), 0), CKR_OK);
	assert_int_equal(
	    ep11_key_value(h->e, k, EP11_EXPOSURE_WRAP_CBC, &p, &n), CKR_OK);
	assert_in_range(n, 1, room);
	memcpy(v, p, n);
	OPENSSL_secure_clear_free(p, n);
	ep11_key_put(h->e, k);
	return n;
}

void
helper_cp(struct helper_ep11 *h, const int *off, size_t n)
{
	uint8_t cp[EP11_CP_LEN];

	ep11_cp_default(cp);
	for (size_t i = 0; i < n; i++)
		cp[off[i] / 8] &= (uint8_t) ~(0x80u >> off[i] % 8);
	ep11_engine_control_points(h->e, cp, 0);
}
