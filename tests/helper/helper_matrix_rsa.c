/* RSA: encryption and signatures, both ways with OpenSSL. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "helper_matrix.h"

/* One way of using RSA, as both sides take it. */
struct use {
	CK_MECHANISM m;
	int padding;
	const EVP_MD *md, *mgf; /* md: PSS and OAEP, or hashed by the other */
	int salt;
	const char *label;
	bool hashes; /* the mechanism hashes */
};

struct pair {
	EVP_PKEY *k;
	struct mx_bytes prv, pub;
	size_t len;
};

static bool
dress(EVP_PKEY_CTX *x, const struct use *u)
{
	bool good = EVP_PKEY_CTX_set_rsa_padding(x, u->padding) == 1;

	if (u->padding == RSA_PKCS1_OAEP_PADDING) {
		good = good && EVP_PKEY_CTX_set_rsa_oaep_md(x, u->md) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(x, u->mgf) == 1;
		if (u->label != NULL)
			good = good && EVP_PKEY_CTX_set0_rsa_oaep_label(x,
					   OPENSSL_strdup(u->label),
					   (int)strlen(u->label)) == 1;
	} else if (u->padding == RSA_PKCS1_PSS_PADDING) {
		good = good && EVP_PKEY_CTX_set_rsa_mgf1_md(x, u->mgf) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(x, u->salt) == 1;
	}
	return good;
}

/* ---- encryption ---------------------------------------------------------- */

static bool
there(EVP_PKEY *k, const struct use *u, bool encrypt, const void *in, size_t n,
    struct mx_bytes *out)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(k, NULL);
	bool good;

	out->n = sizeof(out->p);
	good = (encrypt ? EVP_PKEY_encrypt_init(x)
			: EVP_PKEY_decrypt_init(x)) == 1 &&
	       dress(x, u) &&
	       (encrypt ? EVP_PKEY_encrypt(x, out->p, &out->n, in, n)
			: EVP_PKEY_decrypt(x, out->p, &out->n, in, n)) == 1;
	EVP_PKEY_CTX_free(x);
	ERR_clear_error();
	return good;
}

static void
crypt_row(struct pair *p, struct use *u, size_t n)
{
	CK_MECHANISM_TYPE type = u->m.mechanism;
	uint8_t in[512];
	struct mx_bytes out, back;

	mx_random(in, sizeof(in));
	in[0] = 0; /* raw RSA: below the modulus */
	for (int f = 0; f < MX_PARTS; f++) {
		enum mx_form form = (enum mx_form)f;
		enum mx_col to = mx_col(MX_ENCRYPT, form),
			    from = mx_col(MX_DECRYPT, form);

		if (mx_ok(type, to,
			mx_crypt(true, form, &p->pub, &u->m, in, n, &out),
			"%zu bytes by a key of %zu", n, p->len))
			mx_check(type, to,
			    there(p->k, u, false, out.p, out.n, &back) &&
				mx_same(&back, in, n),
			    "%zu bytes: OpenSSL reads something else", n);
		mx_check(type, from, there(p->k, u, true, in, n, &out),
		    "OpenSSL does not encrypt %zu bytes", n);
		if (mx_ok(type, from,
			mx_crypt(
			    false, form, &p->prv, &u->m, out.p, out.n, &back),
			"%zu bytes by a key of %zu", n, p->len))
			mx_check(type, from, mx_same(&back, in, n),
			    "%zu bytes: plaintext differs", n);
	}
	mx_parts_refused(&u->m, MX_ENCRYPT, &p->pub);
	mx_parts_refused(&u->m, MX_DECRYPT, &p->prv);
}

/* The new key's parameters are the old one's; the text is seen nowhere. */
static void
reencrypt_row(struct pair *p, struct use *u, size_t n)
{
	uint8_t iv[16], in[512];
	CK_MECHANISM cbc = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	struct mx_bytes cipher, want, out, back;
	CK_MECHANISM_TYPE type = u->m.mechanism;
	CK_ULONG room = sizeof(out.p);

	cipher.n = want.n = 0;
	mx_random(in, sizeof(in));
	mx_random(iv, sizeof(iv));
	in[0] = 0;
	mx_check(type, MX_REENCRYPT,
	    there(p->k, u, true, in, n, &cipher) &&
		mx_openssl(EVP_aes_256_cbc(), true, true, mx_kek_value, iv, in,
		    n, &want),
	    "OpenSSL");
	if (mx_ok(type, MX_REENCRYPT,
		mx.m_ReencryptSingle(p->prv.p, p->prv.n, mx_kek.p, mx_kek.n,
		    &u->m, &cbc, cipher.p, cipher.n, out.p, &room, mx_target),
		"to AES")) {
		out.n = room;
		mx_check(type, MX_REENCRYPT, mx_same(&out, want.p, want.n),
		    "to AES: ciphertext differs");
	}
	room = sizeof(out.p);
	if (mx_ok(type, MX_REENCRYPT,
		mx.m_ReencryptSingle(mx_kek.p, mx_kek.n, p->pub.p, p->pub.n,
		    &cbc, &u->m, want.p, want.n, out.p, &room, mx_target),
		"from AES")) {
		out.n = room;
		mx_check(type, MX_REENCRYPT,
		    there(p->k, u, false, out.p, out.n, &back) &&
			mx_same(&back, in, n),
		    "from AES: OpenSSL reads something else");
	}
}

static const struct {
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
	CK_MECHANISM_TYPE v15, pss;
} hashes[] = {
    {CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS},
    {CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS},
    {CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS},
    {CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS},
    {CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS},
};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

static void
crypt_rows(struct pair *p)
{
	struct use u = {
	    .m = {CKM_RSA_PKCS, NULL, 0}, .padding = RSA_PKCS1_PADDING};
	const size_t len[] = {0, 1, p->len - 11};

	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		crypt_row(p, &u, len[i]);
	reencrypt_row(p, &u, 33);
	u = (struct use){
	    .m = {CKM_RSA_X_509, NULL, 0}, .padding = RSA_NO_PADDING};
	crypt_row(p, &u, p->len);
	reencrypt_row(p, &u, p->len);
	for (size_t i = 0; i < HASHES; i++) {
		const EVP_MD *md = mx_hash(hashes[i].hash);
		size_t h = (size_t)EVP_MD_get_size(md);
		CK_RSA_PKCS_OAEP_PARAMS o = {
		    hashes[i].hash, hashes[i].mgf, CKZ_DATA_SPECIFIED, NULL, 0};

		if (2 * h + 2 > p->len)
			continue;
		u = (struct use){.m = {CKM_RSA_PKCS_OAEP, &o, sizeof(o)},
		    .padding = RSA_PKCS1_OAEP_PADDING,
		    .md = md,
		    .mgf = md};
		crypt_row(p, &u, p->len - 2 * h - 2);
		/* a label, and another hash to mask with */
		o.source_data = ep11_input("label");
		o.source_data_len = 5;
		o.mgf = hashes[(i + 1) % HASHES].mgf;
		u.mgf = mx_hash(hashes[(i + 1) % HASHES].hash);
		u.label = "label";
		crypt_row(p, &u, i == 0 ? 0 : 1);
		if (i < 2)
			reencrypt_row(p, &u, 16);
	}
}

/* ---- signatures ---------------------------------------------------------- */

static bool
sign_there(EVP_PKEY *k, const struct use *u, const void *in, size_t n,
    struct mx_bytes *sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *x = u->hashes ? NULL : EVP_PKEY_CTX_new(k, NULL);
	bool good;

	sig->n = sizeof(sig->p);
	if (u->hashes)
		good = EVP_DigestSignInit(c, &x, u->md, NULL, k) == 1 &&
		       dress(x, u) &&
		       EVP_DigestSign(c, sig->p, &sig->n, in, n) == 1;
	else
		good = EVP_PKEY_sign_init(x) == 1 &&
		       (u->md == NULL ||
			   EVP_PKEY_CTX_set_signature_md(x, u->md) == 1) &&
		       dress(x, u) &&
		       EVP_PKEY_sign(x, sig->p, &sig->n, in, n) == 1;
	if (!u->hashes)
		EVP_PKEY_CTX_free(x);
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good;
}

static bool
verify_there(EVP_PKEY *k, const struct use *u, const void *in, size_t n,
    const struct mx_bytes *sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *x = u->hashes ? NULL : EVP_PKEY_CTX_new(k, NULL);
	bool good;

	if (u->hashes)
		good = EVP_DigestVerifyInit(c, &x, u->md, NULL, k) == 1 &&
		       dress(x, u) &&
		       EVP_DigestVerify(c, sig->p, sig->n, in, n) == 1;
	else
		good = EVP_PKEY_verify_init(x) == 1 &&
		       (u->md == NULL ||
			   EVP_PKEY_CTX_set_signature_md(x, u->md) == 1) &&
		       dress(x, u) &&
		       EVP_PKEY_verify(x, sig->p, sig->n, in, n) == 1;
	if (!u->hashes)
		EVP_PKEY_CTX_free(x);
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good;
}

/* OpenSSL signs nothing at all, and does not verify it; but what it signs by
 * PKCS#1 v1.5 is determined. */
static bool
there_too(const struct pair *p, const struct use *u, const void *in, size_t n,
    const struct mx_bytes *sig)
{
	struct mx_bytes theirs;

	if (n != 0 || u->hashes || u->padding != RSA_PKCS1_PADDING)
		return verify_there(p->k, u, in, n, sig);
	return sign_there(p->k, u, in, n, &theirs) &&
	       mx_same(&theirs, sig->p, sig->n);
}

static void
sign_row(struct pair *p, struct use *u, size_t n)
{
	CK_MECHANISM_TYPE type = u->m.mechanism;
	uint8_t in[512];
	struct mx_bytes sig;
	int forms = mx_single_part(type) ? MX_PARTS : MX_FORMS;

	mx_random(in, sizeof(in));
	in[0] = 0;
	for (int f = 0; f < forms; f++) {
		enum mx_form form = (enum mx_form)f;
		enum mx_col to = mx_col(MX_SIGN, form),
			    from = mx_col(MX_VERIFY, form);

		if (mx_ok(type, to, mx_sign(form, &p->prv, &u->m, in, n, &sig),
			"%zu bytes by a key of %zu", n, p->len))
			mx_check(type, to, there_too(p, u, in, n, &sig),
			    "%zu bytes: OpenSSL does not verify", n);
		mx_check(type, from, sign_there(p->k, u, in, n, &sig),
		    "OpenSSL does not sign %zu bytes", n);
		mx_ok(type, from,
		    mx_verify(form, &p->pub, &u->m, in, n, sig.p, sig.n),
		    "%zu bytes by a key of %zu", n, p->len);
		sig.p[sig.n - 1] ^= 2;
		mx_check(type, from,
		    mx_verify(form, &p->pub, &u->m, in, n, sig.p, sig.n) ==
			CKR_SIGNATURE_INVALID,
		    "%zu bytes: another signature is good", n);
	}
	if (forms == MX_PARTS) {
		mx_parts_refused(&u->m, MX_SIGN, &p->prv);
		mx_parts_refused(&u->m, MX_VERIFY, &p->pub);
	}
}

static void
sign_rows(struct pair *p)
{
	struct use u = {
	    .m = {CKM_RSA_PKCS, NULL, 0}, .padding = RSA_PKCS1_PADDING};
	const size_t len[] = {0, 35, p->len - 11};

	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		sign_row(p, &u, len[i]);
	u = (struct use){
	    .m = {CKM_RSA_X_509, NULL, 0}, .padding = RSA_NO_PADDING};
	sign_row(p, &u, p->len);
	for (size_t i = 0; i < HASHES; i++) {
		const EVP_MD *md = mx_hash(hashes[i].hash);
		size_t h = (size_t)EVP_MD_get_size(md);
		CK_RSA_PKCS_PSS_PARAMS s = {hashes[i].hash, hashes[i].mgf, h};

		u = (struct use){.m = {hashes[i].v15, NULL, 0},
		    .padding = RSA_PKCS1_PADDING,
		    .md = md,
		    .hashes = true};
		sign_row(p, &u, i == 0 ? 0 : 100);
		if (2 * h + 2 > p->len) /* SHA-512 and 1024 bits */
			s.sLen = 20;
		u = (struct use){.m = {CKM_RSA_PKCS_PSS, &s, sizeof(s)},
		    .padding = RSA_PKCS1_PSS_PADDING,
		    .md = md,
		    .mgf = md,
		    .salt = (int)s.sLen};
		sign_row(p, &u, h);
		u.m.mechanism = hashes[i].pss;
		u.hashes = true;
		sign_row(p, &u, 100);
		/* no salt, and another hash to mask with */
		s.sLen = 0;
		s.mgf = hashes[(i + 2) % HASHES].mgf;
		u.salt = 0;
		u.mgf = mx_hash(hashes[(i + 2) % HASHES].hash);
		sign_row(p, &u, 1);
	}
}

void
mx_run_rsa(void)
{
	static const char *const name[] = {"rsa1024", "rsa2048", "rsa4096"};
	struct pair p;

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		p.k = mx_pem(name[i]);
		if (!mx_check(
			CKM_RSA_PKCS, MX_SIGN, p.k != NULL, "%s", name[i]))
			continue;
		p.len = (size_t)EVP_PKEY_get_size(p.k);
		/* both ways to a public key: with the private one, by itself */
		if (mx_ok(CKM_RSA_PKCS, MX_SIGN,
			mx_import_private(&p.prv, &p.pub, p.k), "import of %s",
			name[i]))
			sign_rows(&p);
		if (mx_ok(CKM_RSA_PKCS, MX_ENCRYPT,
			mx_import_public(&p.pub, p.k), "public half of %s",
			name[i]))
			crypt_rows(&p);
		EVP_PKEY_free(p.k);
	}
}
