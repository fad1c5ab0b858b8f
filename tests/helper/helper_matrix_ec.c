/* Curves, ECDSA, EdDSA and their derivations, both ways with OpenSSL. */
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "helper_matrix.h"
#include "hsa_hash.h"

/* ep11-host-api 18.7, by OpenSSL's names; DER of RFC 5480, 5639, SEC 2, 8410 */
const struct mx_curve mx_curves[] = {
    {"prime192v1", "06082a8648ce3d030101", 192, MX_PRIME, false},
    {"secp224r1", "06052b81040021", 224, MX_PRIME, false},
    {"prime256v1", "06082a8648ce3d030107", 256, MX_PRIME, true},
    {"secp384r1", "06052b81040022", 384, MX_PRIME, false},
    {"secp521r1", "06052b81040023", 521, MX_PRIME, true},
    {"brainpoolP160r1", "06092b2403030208010101", 160, MX_PRIME, true},
    {"brainpoolP160t1", "06092b2403030208010102", 160, MX_PRIME, false},
    {"brainpoolP192r1", "06092b2403030208010103", 192, MX_PRIME, false},
    {"brainpoolP192t1", "06092b2403030208010104", 192, MX_PRIME, false},
    {"brainpoolP224r1", "06092b2403030208010105", 224, MX_PRIME, false},
    {"brainpoolP224t1", "06092b2403030208010106", 224, MX_PRIME, false},
    {"brainpoolP256r1", "06092b2403030208010107", 256, MX_PRIME, false},
    {"brainpoolP256t1", "06092b2403030208010108", 256, MX_PRIME, false},
    {"brainpoolP320r1", "06092b2403030208010109", 320, MX_PRIME, false},
    {"brainpoolP320t1", "06092b240303020801010a", 320, MX_PRIME, false},
    {"brainpoolP384r1", "06092b240303020801010b", 384, MX_PRIME, false},
    {"brainpoolP384t1", "06092b240303020801010c", 384, MX_PRIME, false},
    {"brainpoolP512r1", "06092b240303020801010d", 512, MX_PRIME, false},
    {"brainpoolP512t1", "06092b240303020801010e", 512, MX_PRIME, false},
    {"secp256k1", "06052b8104000a", 256, MX_PRIME, false},
    {"ED25519", "06032b6570", 255, MX_EDWARDS, true},
    {"ED448", "06032b6571", 448, MX_EDWARDS, true},
    {"X25519", "06032b656e", 255, MX_MONTGOMERY, true},
    {"X448", "06032b656f", 448, MX_MONTGOMERY, true},
};
const size_t mx_curves_len = sizeof(mx_curves) / sizeof(mx_curves[0]);

EVP_PKEY *
mx_curve_key(const struct mx_curve *c)
{
	return c->kind == MX_PRIME ? EVP_EC_gen(c->name)
				   : EVP_PKEY_Q_keygen(NULL, NULL, c->name);
}

/* ---- signatures ---------------------------------------------------------- */

bool
mx_raw_of_der(struct mx_bytes *raw, size_t width, const void *p, size_t n)
{
	const uint8_t *at = p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)n);
	bool good =
	    s != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(s), raw->p, (int)width) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), raw->p + width, (int)width) > 0;

	raw->n = good ? 2 * width : 0;
	ECDSA_SIG_free(s);
	return good;
}

bool
mx_der_of_raw(struct mx_bytes *der, const void *raw, size_t n)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	const uint8_t *p = raw;
	int half = (int)n / 2;
	uint8_t *at = der->p;
	bool good = n % 2 == 0 && n != 0 &&
		    ECDSA_SIG_set0(s, BN_bin2bn(p, half, NULL),
			BN_bin2bn(p + half, half, NULL)) == 1;
	int len = good ? i2d_ECDSA_SIG(s, &at) : 0;

	der->n = len > 0 ? (size_t)len : 0;
	ECDSA_SIG_free(s);
	return der->n != 0;
}

struct pair {
	EVP_PKEY *k;
	struct mx_bytes prv, pub, pub2;
	size_t width; /* of r and of s; 0: EdDSA */
};

static bool
sign_there(const struct pair *p, const EVP_MD *md, bool raw, const void *in,
    size_t n, struct mx_bytes *sig)
{
	struct mx_bytes der = {.n = sizeof(der.p)};
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(p->k, NULL);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good;

	if (raw)
		good = EVP_PKEY_sign_init(x) == 1 &&
		       EVP_PKEY_sign(x, der.p, &der.n, in, n) == 1;
	else
		good = EVP_DigestSignInit(c, NULL, md, NULL, p->k) == 1 &&
		       EVP_DigestSign(c, der.p, &der.n, in, n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	if (good && p->width != 0)
		return mx_raw_of_der(sig, p->width, der.p, der.n);
	mx_set(sig, der.p, der.n);
	return good;
}

static bool
verify_there(const struct pair *p, const EVP_MD *md, bool raw, const void *in,
    size_t n, const struct mx_bytes *sig)
{
	struct mx_bytes der;
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(p->k, NULL);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = true;

	if (p->width == 0)
		mx_set(&der, sig->p, sig->n);
	else
		good = sig->n == 2 * p->width &&
		       mx_der_of_raw(&der, sig->p, sig->n);
	if (raw)
		good = good && EVP_PKEY_verify_init(x) == 1 &&
		       EVP_PKEY_verify(x, der.p, der.n, in, n) == 1;
	else
		good = good &&
		       EVP_DigestVerifyInit(c, NULL, md, NULL, p->k) == 1 &&
		       EVP_DigestVerify(c, der.p, der.n, in, n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	return good;
}

static void
sign_row(struct pair *p, CK_MECHANISM_TYPE type, const char *key, size_t n)
{
	const EVP_MD *md = mx_hash(type);
	CK_MECHANISM m = {type, NULL, 0};
	bool raw = md == NULL && p->width != 0;
	int forms = mx_single_part(type) ? MX_PARTS : MX_FORMS;
	struct mx_bytes sig;
	uint8_t in[200];

	mx_random(in, sizeof(in));
	for (int f = 0; f < forms; f++) {
		enum mx_form form = (enum mx_form)f;
		enum mx_col to = mx_col(MX_SIGN, form),
			    from = mx_col(MX_VERIFY, form);

		if (mx_ok(type, to, mx_sign(form, &p->prv, &m, in, n, &sig),
			"%zu bytes by %s", n, key))
			mx_check(type, to,
			    verify_there(p, md, raw, in, n, &sig),
			    "%zu bytes by %s: OpenSSL does not verify", n, key);
		mx_check(type, from, sign_there(p, md, raw, in, n, &sig),
		    "OpenSSL does not sign %zu bytes by %s", n, key);
		/* the public key that came with the private one, and the
		 * one that was brought by itself */
		mx_ok(type, from,
		    mx_verify(form, f == 0 ? &p->pub : &p->pub2, &m, in, n,
			sig.p, sig.n),
		    "%zu bytes by %s", n, key);
		if (form != MX_SINGLE)
			continue;
		sig.p[sig.n - 1] ^= 2;
		mx_check(type, from,
		    mx_verify(form, &p->pub, &m, in, n, sig.p, sig.n) ==
			CKR_SIGNATURE_INVALID,
		    "%zu bytes by %s: another signature is good", n, key);
	}
	if (forms == MX_PARTS) {
		mx_parts_refused(&m, MX_SIGN, &p->prv);
		mx_parts_refused(&m, MX_VERIFY, &p->pub);
	}
}

static bool
pair_in(struct pair *p, CK_MECHANISM_TYPE type, const char *key)
{
	return mx_check(
		   type, MX_SIGN, p->k != NULL, "OpenSSL has no %s", key) &&
	       mx_ok(type, MX_SIGN, mx_import_private(&p->prv, &p->pub, p->k),
		   "import of %s", key) &&
	       mx_ok(type, MX_VERIFY, mx_import_public(&p->pub2, p->k),
		   "import of the public half of %s", key);
}

void
mx_run_ec(void)
{
	static const CK_MECHANISM_TYPE hashed[] = {CKM_ECDSA_SHA1,
	    CKM_ECDSA_SHA224, CKM_ECDSA_SHA256, CKM_ECDSA_SHA384,
	    CKM_ECDSA_SHA512, CKM_IBM_ECDSA_SHA224, CKM_IBM_ECDSA_SHA256,
	    CKM_IBM_ECDSA_SHA384, CKM_IBM_ECDSA_SHA512};
	struct pair p;

	for (size_t i = 0; i < mx_curves_len; i++) {
		const struct mx_curve *c = &mx_curves[i];

		if (c->kind == MX_MONTGOMERY)
			continue;
		p.k = mx_curve_key(c);
		p.width = c->kind == MX_PRIME ? (c->bits + 7) / 8 : 0;
		if (!pair_in(
			&p, p.width != 0 ? CKM_ECDSA : CKM_EDDSA, c->name)) {
			EVP_PKEY_free(p.k);
			continue;
		}
		if (p.width != 0) {
			sign_row(&p, CKM_ECDSA, c->name, 20);
			/* longer than the order: its leftmost bits count */
			sign_row(&p, CKM_ECDSA, c->name, 64);
			for (size_t h = 0;
			     c->all && h < sizeof(hashed) / sizeof(hashed[0]);
			     h++)
				sign_row(&p, hashed[h], c->name, 100);
			sign_row(&p, CKM_ECDSA_SHA256, c->name, 0);
		} else {
			CK_MECHANISM_TYPE ibm = c->bits == 255
						    ? CKM_IBM_ED25519_SHA512
						    : CKM_IBM_ED448_SHA3;

			sign_row(&p, CKM_EDDSA, c->name, 0);
			sign_row(&p, CKM_EDDSA, c->name, 200);
			sign_row(&p, ibm, c->name, 77);
		}
		EVP_PKEY_free(p.k);
	}
}

void
mx_run_dsa(void)
{
	static const char *const name[] = {"dsa512", "dsa768", "dsa1024"};
	static const CK_MECHANISM_TYPE all[] = {CKM_DSA_SHA1, CKM_DSA_SHA224,
	    CKM_DSA_SHA256, CKM_DSA_SHA384, CKM_DSA_SHA512};
	struct pair p = {.width = 20};

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		p.k = mx_pem(name[i]);
		if (pair_in(&p, CKM_DSA, name[i])) {
			sign_row(&p, CKM_DSA, name[i], 20);
			for (size_t j = 0; j < sizeof(all) / sizeof(all[0]);
			     j++)
				sign_row(&p, all[j], name[i], 100);
		}
		EVP_PKEY_free(p.k);
	}
}

/* ---- derivation ---------------------------------------------------------- */

static bool
agree(EVP_PKEY *mine, EVP_PKEY *theirs, struct mx_bytes *z)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(mine, NULL);
	bool good;

	z->n = sizeof(z->p);
	good = EVP_PKEY_derive_init(x) == 1 &&
	       (EVP_PKEY_get_base_id(mine) != EVP_PKEY_DH ||
		   EVP_PKEY_CTX_set_dh_pad(x, 1) == 1) &&
	       EVP_PKEY_derive_set_peer(x, theirs) == 1 &&
	       EVP_PKEY_derive(x, z->p, &z->n) == 1;
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	return good;
}

static bool
x963(const char *md, const struct mx_bytes *z, const void *shared, size_t n,
    uint8_t *out, size_t out_len)
{
	EVP_KDF *f = EVP_KDF_fetch(NULL, "X963KDF", NULL);
	EVP_KDF_CTX *x = EVP_KDF_CTX_new(f);
	char name[16];
	OSSL_PARAM p[4];
	bool good;

	(void)snprintf(name, sizeof(name), "%s", md);
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
	p[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_SECRET, ep11_input(z->p), z->n);
	p[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, ep11_input(shared), n);
	p[3] = OSSL_PARAM_construct_end();
	good = EVP_KDF_derive(x, out, out_len, p) == 1;
	EVP_KDF_CTX_free(x);
	EVP_KDF_free(f);
	return good;
}

/* A secret of this type and length: is its value what the other side has? */
static void
derive_row(CK_MECHANISM *m, const struct mx_bytes *base, CK_KEY_TYPE type,
    size_t n, const void *want, const char *what)
{
	struct mx_template t = {.n = 0};
	struct mx_bytes key, csum, value;
	CK_RV rv;

	mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	mx_num(&t, CKA_KEY_TYPE, type);
	mx_num(&t, CKA_VALUE_LEN, n);
	if (!mx_ok(m->mechanism, MX_DERIVE, mx_derive(m, &t, base, &key, &csum),
		"%s, %zu bytes", what, n))
		return;
	rv = mx_export(&value, &key);
	mx_check(m->mechanism, MX_DERIVE,
	    rv == CKR_OK && mx_same(&value, want, n),
	    "%s, %zu bytes: another secret (%lx)", what, n, rv);
	mx_check(m->mechanism, MX_DERIVE, mx_kcv(&csum, type, want, n),
	    "%s: checksum", what);
}

static void
ecdh(const struct mx_curve *c)
{
	static const struct {
		CK_ULONG kdf;
		const char *md;
	} kdfs[] = {{CKD_SHA1_KDF, "SHA1"}, {CKD_SHA224_KDF, "SHA224"},
	    {CKD_SHA256_KDF, "SHA256"}, {CKD_SHA384_KDF, "SHA384"},
	    {CKD_SHA512_KDF, "SHA512"}};
	EVP_PKEY *mine = mx_curve_key(c), *theirs = mx_curve_key(c);
	CK_ECDH1_DERIVE_PARAMS p = {.kdf = CKD_NULL};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
	uint8_t shared[20], want[100], point[160];
	size_t point_len = sizeof(point);
	struct mx_bytes prv, z;

	z.n = 0;
	mx_random(shared, sizeof(shared));
	if (!mx_check(m.mechanism, MX_DERIVE,
		EVP_PKEY_get_octet_string_param(theirs,
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point),
		    &point_len) == 1 &&
		    agree(mine, theirs, &z),
		"OpenSSL, %s", c->name) ||
	    !mx_ok(m.mechanism, MX_DERIVE, mx_import_private(&prv, NULL, mine),
		"import, %s", c->name))
		goto out;
	p.public_data = point;
	p.public_data_len = point_len;
	derive_row(&m, &prv, CKK_GENERIC_SECRET, z.n, z.p, c->name);
	/* shorter: bytes go from the leading end (PKCS #11 2.3.8) */
	derive_row(&m, &prv, CKK_AES, 16, z.p + z.n - 16, c->name);
	/* the older form of the parameter: the bare point */
	m = (CK_MECHANISM){CKM_ECDH1_DERIVE, point, point_len};
	derive_row(&m, &prv, CKK_GENERIC_SECRET, z.n, z.p, c->name);
	m = (CK_MECHANISM){CKM_ECDH1_DERIVE, &p, sizeof(p)};
	if (c->kind == MX_MONTGOMERY) {
		/* by IBM's own names */
		m.mechanism =
		    c->bits == 255 ? CKM_IBM_EC_X25519 : CKM_IBM_EC_X448;
		derive_row(&m, &prv, CKK_GENERIC_SECRET, z.n, z.p, c->name);
		derive_row(&m, &prv, CKK_AES, 24, z.p + z.n - 24, c->name);
		m.mechanism = CKM_ECDH1_DERIVE;
	}
	for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++) {
		if (!c->all && i != 2)
			continue;
		p.kdf = kdfs[i].kdf;
		p.shared_data = shared;
		p.shared_data_len = sizeof(shared);
		if (mx_check(m.mechanism, MX_DERIVE,
			x963(kdfs[i].md, &z, shared, sizeof(shared), want,
			    sizeof(want)),
			"OpenSSL, %s", kdfs[i].md)) {
			derive_row(&m, &prv, CKK_GENERIC_SECRET, 100, want,
			    kdfs[i].md);
			derive_row(&m, &prv, CKK_AES, 32, want, kdfs[i].md);
		}
	}
out:
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
}

void
mx_run_ecdh(void)
{
	for (size_t i = 0; i < mx_curves_len; i++)
		if (mx_curves[i].kind != MX_EDWARDS)
			ecdh(&mx_curves[i]);
}

/* CKM_SHA*_KEY_DERIVATION: the hash of a key, as a key. */
void
mx_run_sha(void)
{
	static const CK_MECHANISM_TYPE all[][2] = {
	    {CKM_SHA1_KEY_DERIVATION, CKM_SHA_1},
	    {CKM_SHA224_KEY_DERIVATION, CKM_SHA224},
	    {CKM_SHA256_KEY_DERIVATION, CKM_SHA256},
	    {CKM_SHA384_KEY_DERIVATION, CKM_SHA384},
	    {CKM_SHA512_KEY_DERIVATION, CKM_SHA512}};
	static const size_t len[] = {16, 37, 256};
	uint8_t value[256], md[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t j = 0; j < sizeof(len) / sizeof(len[0]); j++) {
			CK_MECHANISM m = {all[i][0], NULL, 0};
			struct mx_template t = {.n = 0};
			struct mx_bytes base, key, out;
			unsigned n = 0;

			mx_random(value, sizeof(value));
			(void)EVP_Digest(
			    value, len[j], md, &n, mx_hash(all[i][1]), NULL);
			if (!mx_ok(all[i][0], MX_DERIVE,
				mx_import(&base, NULL, CKO_SECRET_KEY,
				    CKK_GENERIC_SECRET, value, len[j]),
				"import of %zu bytes", len[j]))
				continue;
			derive_row(&m, &base, CKK_AES, 16, md, "AES");
			derive_row(
			    &m, &base, CKK_GENERIC_SECRET, 7, md, "secret");
			/* no length: the hash's */
			mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
			mx_num(&t, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
			if (mx_ok(all[i][0], MX_DERIVE,
				mx_derive(&m, &t, &base, &key, NULL),
				"of %zu bytes, without a length", len[j]))
				mx_check(all[i][0], MX_DERIVE,
				    mx_export(&out, &key) == CKR_OK &&
					mx_same(&out, md, n),
				    "another secret");
		}
}

void
mx_run_dh(void)
{
	static const char *const name[] = {
	    "dh512", "dh_modp_1536", "dh_ffdhe2048", "dh_modp_4096"};

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		EVP_PKEY *mine = mx_pem(name[i]), *theirs = NULL;
		EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(mine, NULL);
		CK_MECHANISM m = {CKM_DH_PKCS_DERIVE, NULL, 0};
		struct mx_bytes prv, z;
		uint8_t peer[512];
		size_t n = sizeof(peer);

		z.n = 0;
		if (mx_check(m.mechanism, MX_DERIVE,
			mine != NULL && EVP_PKEY_keygen_init(x) == 1 &&
			    EVP_PKEY_generate(x, &theirs) == 1 &&
			    agree(mine, theirs, &z) &&
			    EVP_PKEY_get_octet_string_param(theirs,
				OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, peer,
				sizeof(peer), &n) == 1,
			"OpenSSL, %s", name[i]) &&
		    mx_ok(m.mechanism, MX_DERIVE,
			mx_import_private(&prv, NULL, mine), "import of %s",
			name[i])) {
			m.pParameter = peer;
			m.ulParameterLen = n;
			if (z.n <= 256)
				derive_row(&m, &prv, CKK_GENERIC_SECRET, z.n,
				    z.p, name[i]);
			derive_row(
			    &m, &prv, CKK_AES, 32, z.p + z.n - 32, name[i]);
			derive_row(&m, &prv, CKK_GENERIC_SECRET, 13,
			    z.p + z.n - 13, name[i]);
		}
		EVP_PKEY_CTX_free(x);
		EVP_PKEY_free(mine);
		EVP_PKEY_free(theirs);
	}
}
