/* Digests, symmetric ciphers and MACs. */
#include <openssl/cmac.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <string.h>

#include "helper_matrix.h"

/* ---- digests ------------------------------------------------------------- */

void
mx_run_digest(void)
{
	static const CK_MECHANISM_TYPE all[] = {
	    CKM_SHA_1, CKM_SHA224, CKM_SHA256, CKM_SHA384, CKM_SHA512};
	/* about a block of both hashes, and nothing at all */
	static const size_t len[] = {0, 1, 55, 64, 112, 129, 1000};
	uint8_t in[1000], md[EVP_MAX_MD_SIZE];
	struct mx_bytes out;

	mx_random(in, sizeof(in));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t j = 0; j < sizeof(len) / sizeof(len[0]); j++)
			for (int f = 0; f < MX_FORMS; f++) {
				CK_MECHANISM m = {all[i], NULL, 0};
				enum mx_col col =
				    mx_col(MX_DIGEST, (enum mx_form)f);
				unsigned n = 0;

				(void)EVP_Digest(
				    in, len[j], md, &n, mx_hash(all[i]), NULL);
				if (!mx_ok(all[i], col,
					mx_digest((enum mx_form)f, &m, in,
					    len[j], &out),
					"%zu bytes", len[j]))
					continue;
				mx_check(all[i], col, mx_same(&out, md, n),
				    "%zu bytes: digest differs", len[j]);
			}
}

/* ---- ciphers ------------------------------------------------------------- */

static bool
gcm(bool encrypt, const CK_GCM_PARAMS *p, const void *key, size_t key_len,
    const void *in, size_t n, struct mx_bytes *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int one = 0, two = 0, tag = (int)p->ulTagBits / 8;
	bool good;

	out->n = 0;
	good = EVP_CipherInit_ex(x, mx_cipher(CKM_AES_GCM, key_len), NULL, NULL,
		   NULL, encrypt) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		   x, EVP_CTRL_AEAD_SET_IVLEN, (int)p->ulIvLen, NULL) == 1 &&
	       EVP_CipherInit_ex(x, NULL, NULL, key, p->pIv, encrypt) == 1 &&
	       (p->ulAADLen == 0 || EVP_CipherUpdate(x, NULL, &one, p->pAAD,
					(int)p->ulAADLen) == 1) &&
	       EVP_CipherUpdate(x, out->p, &one, in, (int)n) == 1 &&
	       EVP_CipherFinal_ex(x, out->p + one, &two) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		   x, EVP_CTRL_AEAD_GET_TAG, tag, out->p + one) == 1;
	out->n = good ? (size_t)(one + tag) : 0;
	EVP_CIPHER_CTX_free(x);
	return good;
}

static void
gcm_rows(const struct mx_bytes *key, const void *value, size_t key_len)
{
	static const struct {
		size_t iv, aad, tag, n;
	} rows[] = {{12, 0, 128, 0}, {12, 20, 128, 0}, {12, 0, 128, 16},
	    {12, 13, 96, 333}, {16, 64, 128, 60}, {1, 1, 32, 31}};
	uint8_t iv[16], aad[64], in[333];
	struct mx_bytes cipher, out;

	mx_random(in, sizeof(in));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CK_GCM_PARAMS p = {.pIv = iv,
		    .ulIvLen = rows[i].iv,
		    .ulIvBits = rows[i].iv * 8,
		    .pAAD = rows[i].aad != 0 ? aad : NULL,
		    .ulAADLen = rows[i].aad,
		    .ulTagBits = rows[i].tag};
		CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)};

		mx_random(iv, sizeof(iv));
		mx_random(aad, sizeof(aad));
		if (!gcm(true, &p, value, key_len, in, rows[i].n, &cipher)) {
			mx_check(CKM_AES_GCM, MX_ENCRYPT, false, "OpenSSL");
			continue;
		}
		mx_crypt_check(&m, key, in, rows[i].n, cipher.p, cipher.n);
		cipher.p[cipher.n - 1] ^= 1;
		for (int f = 0; f < MX_PARTS; f++)
			mx_check(CKM_AES_GCM,
			    mx_col(MX_DECRYPT, (enum mx_form)f),
			    mx_crypt(false, (enum mx_form)f, key, &m, cipher.p,
				cipher.n, &out) == CKR_ENCRYPTED_DATA_INVALID,
			    "another tag is good");
	}
}

static void
cipher_rows(CK_MECHANISM_TYPE type, const struct mx_bytes *key,
    const void *value, size_t key_len)
{
	static const size_t len[] = {0, 1, 16, 31, 48, 160, 333};
	bool aes = type != CKM_DES3_ECB && type != CKM_DES3_CBC &&
		   type != CKM_DES3_CBC_PAD;
	bool pad = type == CKM_AES_CBC_PAD || type == CKM_DES3_CBC_PAD;
	size_t block = aes ? 16 : 8;
	uint8_t iv[16], in[336];
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_bytes cipher;

	mx_random(in, sizeof(in));
	mx_random(iv, sizeof(iv));
	if (type == CKM_AES_CTR) {
		memcpy(ctr.cb, iv, sizeof(ctr.cb));
		m = (CK_MECHANISM){type, &ctr, sizeof(ctr)};
	} else if (type != CKM_AES_ECB && type != CKM_DES3_ECB) {
		m = (CK_MECHANISM){type, iv, block};
	}
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		size_t n = len[i];

		if (!pad && type != CKM_AES_CTR && n % block != 0)
			n += block - n % block;
		if (!mx_openssl(mx_cipher(type, key_len), true, pad, value, iv,
			in, n, &cipher)) {
			mx_check(type, MX_ENCRYPT, false, "OpenSSL");
			continue;
		}
		mx_crypt_check(&m, key, in, n, cipher.p, cipher.n);
	}
}

/* From one mechanism to another and back; the clear text never comes out. */
static void
reencrypt_rows(CK_MECHANISM_TYPE type, const struct mx_bytes *key,
    const void *value, size_t key_len)
{
	uint8_t iv[16], iv2[16], in[48];
	size_t block =
	    mx_cipher(type, key_len) != NULL &&
		    EVP_CIPHER_get_key_length(mx_cipher(type, key_len)) ==
			(int)key_len &&
		    EVP_CIPHER_get_iv_length(mx_cipher(type, key_len)) == 8
		? 8
		: 16;
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
	CK_GCM_PARAMS gp = {
	    .pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};
	CK_MECHANISM m = {type, NULL, 0};
	CK_MECHANISM to = {CKM_AES_CBC_PAD, iv2, sizeof(iv2)};
	bool pad = type == CKM_AES_CBC_PAD || type == CKM_DES3_CBC_PAD;
	struct mx_bytes cipher, want, out;
	bool good;

	cipher.n = want.n = 0;
	mx_random(in, sizeof(in));
	mx_random(iv, sizeof(iv));
	mx_random(iv2, sizeof(iv2));
	memcpy(ctr.cb, iv, sizeof(ctr.cb));
	if (type == CKM_AES_CTR)
		m = (CK_MECHANISM){type, &ctr, sizeof(ctr)};
	else if (type == CKM_AES_GCM)
		m = (CK_MECHANISM){type, &gp, sizeof(gp)};
	else if (type != CKM_AES_ECB && type != CKM_DES3_ECB)
		m = (CK_MECHANISM){type, iv, block};
	good = type == CKM_AES_GCM
		   ? gcm(true, &gp, value, key_len, in, sizeof(in), &cipher)
		   : mx_openssl(mx_cipher(type, key_len), true, pad, value, iv,
			 in, sizeof(in), &cipher);
	good = good && mx_openssl(EVP_aes_256_cbc(), true, true, mx_kek_value,
			   iv2, in, sizeof(in), &want);
	mx_check(type, MX_REENCRYPT, good, "OpenSSL");
	for (int way = 0; way < 2; way++) {
		const struct mx_bytes *from_key = way ? &mx_kek : key,
				      *to_key = way ? key : &mx_kek,
				      *from = way ? &want : &cipher,
				      *here = way ? &cipher : &want;
		CK_ULONG n = sizeof(out.p);

		if (!mx_ok(type, MX_REENCRYPT,
			mx.m_ReencryptSingle(from_key->p, from_key->n,
			    to_key->p, to_key->n, way ? &to : &m,
			    way ? &m : &to, ep11_input(from->p), from->n, out.p,
			    &n, mx_target),
			"way %d", way))
			continue;
		out.n = n;
		mx_check(type, MX_REENCRYPT, mx_same(&out, here->p, here->n),
		    "way %d: ciphertext differs", way);
	}
}

void
mx_run_cipher(void)
{
	static const CK_MECHANISM_TYPE aes[] = {CKM_AES_ECB, CKM_AES_CBC,
	    CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM},
				       des[] = {CKM_DES3_ECB, CKM_DES3_CBC,
					   CKM_DES3_CBC_PAD};
	uint8_t value[32];
	struct mx_bytes key;

	for (size_t n = 16; n <= 32; n += 8) {
		mx_random(value, sizeof(value));
		mx_ok(CKM_AES_ECB, MX_ENCRYPT,
		    mx_import(&key, NULL, CKO_SECRET_KEY, CKK_AES, value, n),
		    "import of an AES key of %zu bytes", n);
		for (size_t i = 0; i < sizeof(aes) / sizeof(aes[0]); i++) {
			if (aes[i] == CKM_AES_GCM)
				gcm_rows(&key, value, n);
			else
				cipher_rows(aes[i], &key, value, n);
			reencrypt_rows(aes[i], &key, value, n);
		}
	}
	for (size_t n = 16; n <= 24; n += 8) {
		mx_random(value, sizeof(value));
		mx_ok(CKM_DES3_ECB, MX_ENCRYPT,
		    mx_import(&key, NULL, CKO_SECRET_KEY,
			n == 16 ? CKK_DES2 : CKK_DES3, value, n),
		    "import of a DES key of %zu bytes", n);
		for (size_t i = 0; i < sizeof(des) / sizeof(des[0]); i++) {
			cipher_rows(des[i], &key, value, n);
			reencrypt_rows(des[i], &key, value, n);
		}
	}
}

/* ---- MACs ---------------------------------------------------------------- */

static size_t
cmac(const char *cipher, const void *key, size_t key_len, const void *in,
    size_t n, uint8_t mac[16])
{
	char name[16];
	OSSL_PARAM p[2];
	size_t out = 0;

	memset(name, 0, sizeof(name));
	memcpy(name, cipher, strlen(cipher) + 1);
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0);
	p[1] = OSSL_PARAM_construct_end();
	if (EVP_Q_mac(NULL, "CMAC", NULL, NULL, p, key, key_len, in, n, mac, 16,
		&out) == NULL)
		return 0;
	return out;
}

static void
mac_rows(CK_MECHANISM_TYPE type, CK_MECHANISM_TYPE general,
    const struct mx_bytes *key, const void *value, size_t key_len, bool aes)
{
	static const size_t len[] = {0, 16, 40, 64, 300};
	static const char *const name[] = {
	    "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"};
	uint8_t in[300], mac[64], three[24];
	const EVP_MD *md = mx_hash(type);

	mx_random(in, sizeof(in));
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		CK_MECHANISM m = {type, NULL, 0};
		CK_ULONG cut;
		unsigned n = 0;

		if (md != NULL) {
			(void)HMAC(
			    md, value, (int)key_len, in, len[i], mac, &n);
		} else if (aes) {
			n = (unsigned)cmac(name[key_len / 8 - 2], value,
			    key_len, in, len[i], mac);
		} else {
			/* two-key DES is three-key DES with K3 = K1 */
			memcpy(three, value, 16);
			memcpy(three + 16,
			    (const uint8_t *)value + (key_len == 24 ? 16 : 0),
			    8);
			n = (unsigned)cmac(name[3], three, 24, in, len[i], mac);
		}
		mx_check(type, MX_SIGN, n != 0, "OpenSSL");
		mx_mac_check(&m, key, in, len[i], mac, n);
		if (general == 0)
			continue;
		m = (CK_MECHANISM){general, &cut, sizeof(cut)};
		for (cut = i == 0 ? 1 : 4; cut <= n; cut += n - 4) {
			mx_mac_check(&m, key, in, len[i], mac, cut);
			if (i != 2)
				break;
		}
	}
}

void
mx_run_mac(void)
{
	static const CK_MECHANISM_TYPE hmac[][2] = {
	    {CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL},
	    {CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL},
	    {CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL},
	    {CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL},
	    {CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL}};
	uint8_t value[256];
	struct mx_bytes key;

	for (size_t i = 0; i < sizeof(hmac) / sizeof(hmac[0]); i++) {
		const CK_MECHANISM_INFO *info = mx_info(hmac[i][0]);
		size_t n[3];

		if (!mx_check(hmac[i][0], MX_SIGN, info != NULL, "not listed"))
			continue;
		/* 67: longer than no hash's block, and no multiple of 8 */
		n[0] = info->ulMinKeySize;
		n[1] = 67;
		n[2] = info->ulMaxKeySize;
		for (size_t j = 0; j < 3; j++) {
			mx_random(value, sizeof(value));
			if (mx_ok(hmac[i][0], MX_SIGN,
				mx_import(&key, NULL, CKO_SECRET_KEY,
				    CKK_GENERIC_SECRET, value, n[j]),
				"import of %zu bytes", n[j]))
				mac_rows(hmac[i][0], hmac[i][1], &key, value,
				    n[j], false);
		}
	}
	for (size_t n = 16; n <= 32; n += 8) {
		mx_random(value, 32);
		mx_ok(CKM_AES_CMAC, MX_SIGN,
		    mx_import(&key, NULL, CKO_SECRET_KEY, CKK_AES, value, n),
		    "import of %zu bytes", n);
		mac_rows(
		    CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, &key, value, n, true);
		mac_rows(CKM_IBM_CMAC, 0, &key, value, n, true);
	}
	for (size_t n = 16; n <= 24; n += 8) {
		mx_random(value, 32);
		mx_ok(CKM_DES3_CMAC, MX_SIGN,
		    mx_import(&key, NULL, CKO_SECRET_KEY,
			n == 16 ? CKK_DES2 : CKK_DES3, value, n),
		    "import of %zu bytes", n);
		mac_rows(CKM_DES3_CMAC, CKM_DES3_CMAC_GENERAL, &key, value, n,
		    false);
		mac_rows(CKM_IBM_CMAC, 0, &key, value, n, false);
	}
}
