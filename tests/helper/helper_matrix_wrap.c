/* Wrapping: keys go out and OpenSSL opens them, and the other way round. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "ep11_blob.h"
#include "helper_matrix.h"

/* A key that wraps, as both sides have it. */
struct kek {
	CK_MECHANISM m;
	struct mx_bytes wrap, unwrap; /* blob; RSA: two halves */
	uint8_t value[32];
	size_t len;
	uint8_t iv[16];
	EVP_PKEY *rsa;
	const EVP_MD *md; /* OAEP; NULL: PKCS#1 v1.5 */
	size_t block;     /* CBC without padding: of the cipher */
};

static bool
rsa_there(const struct kek *k, bool encrypt, const void *in, size_t n,
    struct mx_bytes *out)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(k->rsa, NULL);
	int pad = k->md != NULL ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
	bool good;

	out->n = sizeof(out->p);
	good = (encrypt ? EVP_PKEY_encrypt_init(x)
			: EVP_PKEY_decrypt_init(x)) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(x, pad) == 1 &&
	       (k->md == NULL ||
		   (EVP_PKEY_CTX_set_rsa_oaep_md(x, k->md) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(x, k->md) == 1)) &&
	       (encrypt ? EVP_PKEY_encrypt(x, out->p, &out->n, in, n)
			: EVP_PKEY_decrypt(x, out->p, &out->n, in, n)) == 1;
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	return good;
}

static bool
there(const struct kek *k, bool encrypt, const void *in, size_t n,
    struct mx_bytes *out)
{
	bool pad = k->m.mechanism == CKM_AES_CBC_PAD ||
		   k->m.mechanism == CKM_DES3_CBC_PAD;
	bool iv = k->m.pParameter != NULL;

	if (k->rsa != NULL)
		return rsa_there(k, encrypt, in, n, out);
	return mx_openssl(mx_cipher(k->m.mechanism, k->len), encrypt, pad,
	    k->value, iv ? k->iv : NULL, in, n, out);
}

/* Zeros that CBC without padding needs to a whole block. */
static size_t
filled(const struct kek *k, size_t n)
{
	return k->block != 0 && n % k->block != 0 ? n + k->block - n % k->block
						  : n;
}

static void
secret_row(struct kek *k, CK_KEY_TYPE type, size_t n)
{
	CK_MECHANISM_TYPE mt = k->m.mechanism;
	struct mx_template t = {.n = 0};
	struct mx_bytes key, back, out, csum, value;
	uint8_t v[256] = {0};

	mx_random(v, n);
	if (!mx_ok(mt, MX_WRAP,
		mx_import(&key, NULL, CKO_SECRET_KEY, type, v, n), "import"))
		return;
	if (mx_ok(mt, MX_WRAP, mx_wrap(&key, &k->wrap, NULL, &k->m, &out),
		"type %lx, %zu bytes", type, n))
		mx_check(mt, MX_WRAP,
		    there(k, false, out.p, out.n, &value) &&
			mx_same(&value, v, filled(k, n)),
		    "type %lx, %zu bytes: OpenSSL finds another value", type,
		    n);
	mx_check(
	    mt, MX_UNWRAP, there(k, true, v, filled(k, n), &out), "OpenSSL");
	mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	mx_num(&t, CKA_KEY_TYPE, type);
	/* who filled up, must say to where */
	if (filled(k, n) != n)
		mx_num(&t, CKA_VALUE_LEN, n);
	if (!mx_ok(mt, MX_UNWRAP,
		mx_unwrap(
		    out.p, out.n, &k->unwrap, NULL, &k->m, &t, &back, &csum),
		"type %lx, %zu bytes", type, n))
		return;
	mx_check(mt, MX_UNWRAP, mx_kcv(&csum, type, v, n),
	    "type %lx, %zu bytes: checksum", type, n);
	mx_check(mt, MX_UNWRAP,
	    mx_export(&value, &back) == CKR_OK && mx_same(&value, v, n),
	    "type %lx, %zu bytes: another value came in", type, n);
	/* what somebody else wrapped, or spoilt, is no key */
	out.p[out.n / 2] ^= 0x40;
	if (mt == CKM_AES_KEY_WRAP || mt == CKM_AES_KEY_WRAP_PAD ||
	    mt == CKM_RSA_PKCS_OAEP)
		mx_check(mt, MX_UNWRAP,
		    mx_unwrap(out.p, out.n, &k->unwrap, NULL, &k->m, &t, &back,
			NULL) == CKR_WRAPPED_KEY_INVALID,
		    "a spoilt key came in");
}

static void
private_row(struct kek *k, EVP_PKEY *pkey, const char *what)
{
	CK_MECHANISM_TYPE mt = k->m.mechanism;
	struct mx_template t = {.n = 0};
	struct mx_bytes key, back, out, der, pub, value;
	EVP_PKEY *got = NULL;

	der.n = 0;
	if (!mx_check(mt, MX_WRAP, pkey != NULL && mx_pkcs8(&der, pkey), "%s",
		what) ||
	    !mx_ok(mt, MX_WRAP, mx_import_private(&key, NULL, pkey),
		"import of %s", what))
		return;
	if (mx_ok(mt, MX_WRAP, mx_wrap(&key, &k->wrap, NULL, &k->m, &out), "%s",
		what)) {
		if (there(k, false, out.p, out.n, &value))
			got = mx_pkcs8_parse(value.p, value.n);
		mx_check(mt, MX_WRAP,
		    got != NULL && EVP_PKEY_eq(got, pkey) == 1,
		    "%s: OpenSSL finds another key", what);
		EVP_PKEY_free(got);
	}
	mx_check(mt, MX_UNWRAP, there(k, true, der.p, der.n, &out),
	    "OpenSSL, %s", what);
	mx_num(&t, CKA_CLASS, CKO_PRIVATE_KEY);
	mx_num(&t, CKA_KEY_TYPE, mx_key_type(pkey));
	if (!mx_ok(mt, MX_UNWRAP,
		mx_unwrap(
		    out.p, out.n, &k->unwrap, NULL, &k->m, &t, &back, &pub),
		"%s", what))
		return;
	got = mx_public(&pub);
	mx_check(mt, MX_UNWRAP, got != NULL && EVP_PKEY_eq(got, pkey) == 1,
	    "%s: another public half", what);
	EVP_PKEY_free(got);
	got = mx_export_private(&back);
	mx_check(mt, MX_UNWRAP, got != NULL && EVP_PKEY_eq(got, pkey) == 1,
	    "%s: another private half", what);
	EVP_PKEY_free(got);
}

static void
secrets(struct kek *k, bool any_length)
{
	secret_row(k, CKK_AES, 16);
	secret_row(k, CKK_AES, 24);
	secret_row(k, CKK_AES, 32);
	secret_row(k, CKK_DES2, 16);
	secret_row(k, CKK_DES3, 24);
	secret_row(k, CKK_GENERIC_SECRET, 64);
	if (any_length) {
		secret_row(k, CKK_GENERIC_SECRET, 21);
		secret_row(k, CKK_GENERIC_SECRET, 1);
	}
}

static void
privates(struct kek *k)
{
	static const char *const pem[] = {
	    "rsa1024", "rsa4096", "dsa1024", "dh_ffdhe2048"};

	for (size_t i = 0; i < sizeof(pem) / sizeof(pem[0]); i++) {
		EVP_PKEY *key = mx_pem(pem[i]);

		private_row(k, key, pem[i]);
		EVP_PKEY_free(key);
	}
	for (size_t i = 0; i < mx_curves_len; i++) {
		EVP_PKEY *key =
		    mx_curves[i].all ? mx_curve_key(&mx_curves[i]) : NULL;

		if (key != NULL)
			private_row(k, key, mx_curves[i].name);
		EVP_PKEY_free(key);
	}
}

static void
symmetric(CK_MECHANISM_TYPE type, CK_KEY_TYPE key, size_t len)
{
	struct kek k = {.m = {type, NULL, 0}, .len = len};
	bool pad = type == CKM_AES_CBC_PAD || type == CKM_DES3_CBC_PAD ||
		   type == CKM_AES_KEY_WRAP_PAD;

	mx_random(k.value, sizeof(k.value));
	mx_random(k.iv, sizeof(k.iv));
	if (!mx_ok(type, MX_WRAP,
		mx_import(&k.wrap, NULL, CKO_SECRET_KEY, key, k.value, len),
		"import"))
		return;
	k.unwrap = k.wrap;
	if (type != CKM_AES_KEY_WRAP && type != CKM_AES_KEY_WRAP_PAD) {
		k.m.pParameter = k.iv;
		k.m.ulParameterLen = key == CKK_AES ? 16 : 8;
		k.block = pad ? 0 : k.m.ulParameterLen;
	}
	secrets(&k, type != CKM_AES_KEY_WRAP);
	if (pad && len == (key == CKK_AES ? 32 : 24))
		privates(&k);
}

static void
asymmetric(const char *pem, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf)
{
	CK_RSA_PKCS_OAEP_PARAMS o = {hash, mgf, CKZ_DATA_SPECIFIED, NULL, 0};
	struct kek k = {.m = {CKM_RSA_PKCS, NULL, 0}, .rsa = mx_pem(pem)};

	if (hash != 0) {
		k.m = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, &o, sizeof(o)};
		k.md = mx_hash(hash);
	}
	if (mx_ok(k.m.mechanism, MX_WRAP,
		mx_import_private(&k.unwrap, &k.wrap, k.rsa), "%s", pem))
		secrets(&k, true);
	EVP_PKEY_free(k.rsa);
}

/* A public key that is brought by itself: back it comes as it was, with what
 * proves that the unit has seen it. */
static void
transport(void)
{
	for (size_t i = 0; i < mx_curves_len; i++) {
		EVP_PKEY *k = mx_curve_key(&mx_curves[i]), *got = NULL;
		struct mx_bytes maced;

		if (mx_ok(CKM_IBM_TRANSPORTKEY, MX_UNWRAP,
			mx_import_public(&maced, k), "%s", mx_curves[i].name)) {
			got = mx_public(&maced);
			mx_check(CKM_IBM_TRANSPORTKEY, MX_UNWRAP,
			    got != NULL && EVP_PKEY_eq(got, k) == 1 &&
				(size_t)i2d_PUBKEY(k, NULL) + EP11_SPKI_TAIL ==
				    maced.n,
			    "%s: another key", mx_curves[i].name);
		}
		EVP_PKEY_free(got);
		EVP_PKEY_free(k);
	}
}

void
mx_run_wrap(void)
{
	static const CK_MECHANISM_TYPE aes[] = {CKM_AES_CBC, CKM_AES_CBC_PAD,
	    CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD};

	for (size_t i = 0; i < sizeof(aes) / sizeof(aes[0]); i++)
		for (size_t n = 16; n <= 32; n += 8)
			symmetric(aes[i], CKK_AES, n);
	symmetric(CKM_DES3_CBC, CKK_DES2, 16);
	symmetric(CKM_DES3_CBC, CKK_DES3, 24);
	symmetric(CKM_DES3_CBC_PAD, CKK_DES2, 16);
	symmetric(CKM_DES3_CBC_PAD, CKK_DES3, 24);
	asymmetric("rsa1024", 0, 0);
	asymmetric("rsa4096", 0, 0);
	asymmetric("rsa2048", CKM_SHA_1, CKG_MGF1_SHA1);
	asymmetric("rsa2048", CKM_SHA224, CKG_MGF1_SHA224);
	asymmetric("rsa2048", CKM_SHA256, CKG_MGF1_SHA256);
	asymmetric("rsa4096", CKM_SHA384, CKG_MGF1_SHA384);
	asymmetric("rsa4096", CKM_SHA512, CKG_MGF1_SHA512);
	transport();
}
