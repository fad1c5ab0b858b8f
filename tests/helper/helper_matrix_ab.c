/*
 * CKM_IBM_ATTRIBUTEBOUND_WRAP, whose format is ours (ep11_attrbound.h), read
 * and written here a second time with OpenSSL alone. The way in: an
 * attribute-bound RSA public key whose private half is not in the unit. Under
 * it the MAC key and the wrapping key come out, and with those known the rest
 * is in the open.
 */
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "ep11_attr.h"
#include "helper_matrix.h"

#define TYPE CKM_IBM_ATTRIBUTEBOUND_WRAP
#define HEAD 18
#define MAC 32

static CK_MECHANISM mech = {TYPE, NULL, 0};

struct part {
	const uint8_t *p;
	size_t n;
};

static bool
take(struct part *to, const uint8_t **at, const uint8_t *end)
{
	if (end - *at < 2)
		return false;
	to->n = (size_t)(*at)[0] << 8 | (*at)[1];
	to->p = *at + 2;
	if ((size_t)(end - to->p) < to->n)
		return false;
	*at = to->p + to->n;
	return true;
}

static bool
oaep_open(EVP_PKEY *k, const struct part *in, struct mx_bytes *out)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(k, NULL);
	bool good;

	out->n = sizeof(out->p);
	good = EVP_PKEY_decrypt_init(x) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_decrypt(x, out->p, &out->n, in->p, in->n) == 1;
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	return good;
}

static bool
mac_good(const struct mx_bytes *in, const void *key, size_t n)
{
	uint8_t want[EVP_MAX_MD_SIZE];

	return in->n > MAC &&
	       HMAC(EVP_sha256(), key, (int)n, in->p, in->n - MAC, want,
		   NULL) != NULL &&
	       memcmp(want, in->p + in->n - MAC, MAC) == 0;
}

/* kek: its 32 bytes, or NULL: rsa opens the transport key. */
static bool
open_there(const struct mx_bytes *in, EVP_PKEY *rsa, const uint8_t *kek,
    struct mx_bytes *value)
{
	const uint8_t *at = in->p + HEAD, *end = in->p + in->n - MAC;
	struct part params, spki, transport;
	struct mx_bytes t;

	value->n = 0;
	if (in->n < HEAD + MAC || memcmp(in->p, "EAB\1", 4) != 0 ||
	    in->p[17] != (kek != NULL ? 1 : 2) || !take(&params, &at, end) ||
	    !take(&spki, &at, end) || !take(&transport, &at, end))
		return false;
	if (kek != NULL ? !mx_openssl(EVP_aes_256_wrap_pad(), false, false, kek,
			      NULL, transport.p, transport.n, &t)
			: !oaep_open(rsa, &transport, &t))
		return false;
	return t.n == 32 && mx_openssl(EVP_aes_256_wrap_pad(), false, false,
				t.p, NULL, at, (size_t)(end - at), value);
}

/* A secret key as somebody else would send it, with the head of one that the
 * unit sent. */
static bool
make_there(struct mx_bytes *out, const struct mx_bytes *like,
    const uint8_t *kek, const uint8_t *mac, size_t mac_len, const void *value,
    size_t n)
{
	struct mx_bytes wrapped;
	uint8_t t[32];
	unsigned len = 0;

	mx_random(t, sizeof(t));
	mx_set(out, like->p, HEAD);
	memset(out->p + out->n, 0, 4); /* no parameters, no SPKI */
	out->n += 4;
	if (!mx_openssl(EVP_aes_256_wrap_pad(), true, false, kek, NULL, t,
		sizeof(t), &wrapped))
		return false;
	out->p[out->n++] = 0;
	out->p[out->n++] = (uint8_t)wrapped.n;
	memcpy(out->p + out->n, wrapped.p, wrapped.n);
	out->n += wrapped.n;
	if (!mx_openssl(EVP_aes_256_wrap_pad(), true, false, t, NULL, value, n,
		&wrapped))
		return false;
	memcpy(out->p + out->n, wrapped.p, wrapped.n);
	out->n += wrapped.n;
	if (HMAC(EVP_sha256(), mac, (int)mac_len, out->p, out->n,
		out->p + out->n, &len) == NULL)
		return false;
	out->n += len;
	return true;
}

/* Does this AES key encrypt as that value does? */
static bool
works_as(const struct mx_bytes *key, const void *value)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	struct mx_bytes here, there;
	uint8_t in[32];

	mx_random(in, sizeof(in));
	return mx_crypt(true, MX_SINGLE, key, &ecb, in, sizeof(in), &here) ==
		   CKR_OK &&
	       mx_openssl(EVP_aes_256_ecb(), true, false, value, NULL, in,
		   sizeof(in), &there) &&
	       mx_same(&here, there.p, there.n);
}

static CK_RV
generate(CK_MECHANISM_TYPE type, struct mx_bytes *key)
{
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_template t = {.n = 0};

	mx_num(&t, CKA_VALUE_LEN, 32);
	mx_bool(&t, CKA_IBM_ATTRBOUND, true);
	return mx_generate(&m, &t, key, NULL);
}

static bool
bound(const struct mx_bytes *key)
{
	CK_BBOOL ab = 0;
	CK_ATTRIBUTE a = {CKA_IBM_ATTRBOUND, &ab, sizeof(ab)};

	return mx.m_GetAttributeValue(key->p, key->n, &a, 1, mx_target) ==
		   CKR_OK &&
	       ab == 1;
}

struct keys {
	EVP_PKEY *rsa;
	struct mx_bytes pub, mac, kek, mac_value, kek_value;
};

static bool
known(struct keys *k)
{
	CK_MECHANISM m = {CKM_IBM_TRANSPORTKEY, NULL, 0};
	struct mx_template t = {.n = 0};
	struct mx_bytes out;
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k->rsa, &der);
	bool good;

	mx_bool(&t, CKA_IBM_ATTRBOUND, true);
	good = mx_ok(TYPE, MX_WRAP,
		   mx_unwrap(der, (size_t)n, NULL, NULL, &m, &t, &k->pub, NULL),
		   "public key") &&
	       mx_ok(TYPE, MX_WRAP,
		   generate(CKM_GENERIC_SECRET_KEY_GEN, &k->mac), "MAC key") &&
	       mx_ok(TYPE, MX_WRAP, generate(CKM_AES_KEY_GEN, &k->kek),
		   "wrapping key") &&
	       mx_ok(TYPE, MX_WRAP,
		   mx_wrap(&k->mac, &k->pub, &k->mac, &mech, &out),
		   "MAC key under RSA") &&
	       mx_check(TYPE, MX_WRAP,
		   open_there(&out, k->rsa, NULL, &k->mac_value) &&
		       mac_good(&out, k->mac_value.p, k->mac_value.n),
		   "MAC key: OpenSSL cannot open it") &&
	       mx_ok(TYPE, MX_WRAP,
		   mx_wrap(&k->kek, &k->pub, &k->mac, &mech, &out),
		   "wrapping key under RSA") &&
	       mx_check(TYPE, MX_WRAP,
		   open_there(&out, k->rsa, NULL, &k->kek_value) &&
		       mac_good(&out, k->mac_value.p, k->mac_value.n) &&
		       works_as(&k->kek, k->kek_value.p),
		   "wrapping key: OpenSSL cannot open it");
	OPENSSL_free(der);
	return good;
}

static void
secret(struct keys *k)
{
	struct mx_template none = {.n = 0};
	struct mx_bytes key, out, mine, back, csum, value;
	uint8_t theirs[32];

	if (!mx_ok(TYPE, MX_WRAP, generate(CKM_AES_KEY_GEN, &key), "key") ||
	    !mx_ok(TYPE, MX_WRAP, mx_wrap(&key, &k->kek, &k->mac, &mech, &out),
		"key"))
		return;
	mx_check(TYPE, MX_WRAP,
	    open_there(&out, NULL, k->kek_value.p, &value) &&
		mac_good(&out, k->mac_value.p, k->mac_value.n) &&
		works_as(&key, value.p),
	    "OpenSSL finds another key");
	if (mx_ok(TYPE, MX_UNWRAP,
		mx_unwrap(
		    out.p, out.n, &k->kek, &k->mac, &mech, &none, &back, &csum),
		"key"))
		mx_check(TYPE, MX_UNWRAP,
		    works_as(&back, value.p) && bound(&back) &&
			mx_kcv(&csum, CKK_AES, value.p, 32),
		    "another key came back");
	mx_random(theirs, sizeof(theirs));
	mx_check(TYPE, MX_UNWRAP,
	    make_there(&mine, &out, k->kek_value.p, k->mac_value.p,
		k->mac_value.n, theirs, sizeof(theirs)),
	    "OpenSSL");
	if (mx_ok(TYPE, MX_UNWRAP,
		mx_unwrap(mine.p, mine.n, &k->kek, &k->mac, &mech, &none, &back,
		    &csum),
		"OpenSSL's key"))
		mx_check(TYPE, MX_UNWRAP,
		    works_as(&back, theirs) && bound(&back) &&
			mx_kcv(&csum, CKK_AES, theirs, sizeof(theirs)),
		    "another key than OpenSSL's came in");
	/* attributes are under the MAC, the key is under the other key */
	mine.p[10] ^= 1;
	mx_check(TYPE, MX_UNWRAP,
	    mx_unwrap(mine.p, mine.n, &k->kek, &k->mac, &mech, &none, &back,
		NULL) == CKR_WRAPPED_KEY_INVALID,
	    "other attributes came in");
}

static void
private_key(struct keys *k, CK_MECHANISM_TYPE gen, CK_MECHANISM_TYPE sign,
    const void *oid, size_t n)
{
	CK_MECHANISM m = {gen, NULL, 0}, s = {sign, NULL, 0};
	struct mx_template pub = {.n = 0}, prv = {.n = 0}, none = {.n = 0};
	struct mx_bytes key, half, out, back, value, spki, sig;
	EVP_PKEY *whole = NULL, *got = NULL;
	uint8_t in[32];

	mx_attr(&pub, CKA_EC_PARAMS, oid, n);
	mx_bool(&pub, CKA_IBM_ATTRBOUND, true);
	mx_bool(&prv, CKA_IBM_ATTRBOUND, true);
	mx_random(in, sizeof(in));
	if (!mx_ok(
		TYPE, MX_WRAP, mx_pair(&m, &pub, &prv, &key, &half), "pair") ||
	    !mx_ok(TYPE, MX_WRAP, mx_wrap(&key, &k->kek, &k->mac, &mech, &out),
		"private key"))
		return;
	got = mx_public(&half);
	if (open_there(&out, NULL, k->kek_value.p, &value)) {
		/* filled up to eight bytes by the token: DER knows its end */
		const uint8_t *at = value.p;
		long len = 0;
		int tag = 0, cls = 0;

		if ((ASN1_get_object(&at, &len, &tag, &cls, (long)value.n) &
			0x80) == 0)
			whole = mx_pkcs8_parse(
			    value.p, (size_t)(at - value.p) + (size_t)len);
	}
	mx_check(TYPE, MX_WRAP,
	    whole != NULL && got != NULL && EVP_PKEY_eq(whole, got) == 1 &&
		mac_good(&out, k->mac_value.p, k->mac_value.n),
	    "OpenSSL finds another private key");
	if (mx_ok(TYPE, MX_UNWRAP,
		mx_unwrap(
		    out.p, out.n, &k->kek, &k->mac, &mech, &none, &back, &spki),
		"private key")) {
		EVP_PKEY *again = mx_public(&spki);

		mx_check(TYPE, MX_UNWRAP,
		    again != NULL && EVP_PKEY_eq(again, got) == 1 &&
			bound(&back) &&
			mx_sign(MX_SINGLE, &back, &s, in, sizeof(in), &sig) ==
			    CKR_OK &&
			mx_verify(MX_SINGLE, &half, &s, in, sizeof(in), sig.p,
			    sig.n) == CKR_OK,
		    "another private key came back");
		EVP_PKEY_free(again);
	}
	EVP_PKEY_free(whole);
	EVP_PKEY_free(got);
}

void
mx_run_attrbound(void)
{
	static const uint8_t p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
	CK_MECHANISM cbc = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	struct mx_bytes out;
	struct keys k = {.rsa = mx_pem("rsa2048")};

	if (mx_check(TYPE, MX_WRAP, k.rsa != NULL, "rsa2048") && known(&k)) {
		secret(&k);
		private_key(
		    &k, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, p256, sizeof(p256));
		private_key(&k, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, ed25519,
		    sizeof(ed25519));
		/* the two kinds do not mix */
		mx_check(TYPE, MX_WRAP,
		    mx_wrap(&mx_kek, &k.kek, &k.mac, &mech, &out) ==
			CKR_KEY_NOT_WRAPPABLE,
		    "a key that is not bound went out bound");
		mx_check(CKM_AES_KEY_WRAP_PAD, MX_WRAP,
		    mx_wrap(&k.kek, &mx_kek, NULL, &cbc, &out) ==
			CKR_KEY_NOT_WRAPPABLE,
		    "a bound key went out without its attributes");
	}
	EVP_PKEY_free(k.rsa);
}
