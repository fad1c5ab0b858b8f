#include <string.h>

#include "ep11_hash.h"
#include "ep11_pad.h"
#include "ep11_rsa.h"
#include "ep11_use.h"
#include "hsa_hash.h"

#define MODULUS_MAX 512 /* RSA-4096, the table's largest */

/* ---- parameters ---------------------------------------------------------- */

static CK_RV
oaep_check(const struct ep11_key *k, const struct hsa_mech *m)
{
	size_t h = ep11_hash_len(m->hash);

	if (h == 0 || ep11_pad_mgf_hash(m->mgf) == 0 ||
	    ep11_use_modulus(k) < 2 * h + 2)
		return CKR_MECHANISM_PARAM_INVALID;
	if (m->source_type != CKZ_DATA_SPECIFIED &&
	    (m->source_type != 0 || m->a.n != 0))
		return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

static CK_RV
pss_check(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m)
{
	size_t h = ep11_hash_len(m->hash), em = (k->bits + 6) / 8;

	if (h == 0 || ep11_pad_mgf_hash(m->mgf) == 0 ||
	    (row->hash != 0 && row->hash != m->hash) || em < h + 2 ||
	    m->salt_len > em - h - 2)
		return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

CK_RV
ep11_rsa_check(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m)
{
	/* the rest of this file counts on it */
	if (ep11_use_modulus(k) < 64 || ep11_use_modulus(k) > MODULUS_MAX)
		return CKR_KEY_SIZE_RANGE;
	if (row->param == HSA_MECH_OAEP)
		return oaep_check(k, m);
	if (row->param == HSA_MECH_PSS)
		return pss_check(k, row, m);
	return CKR_OK;
}

/* ---- raw ----------------------------------------------------------------- */

/* The token wants as many bytes as the modulus has. */
static CK_RV
fill(uint8_t block[MODULUS_MAX], struct hsa_slice *full,
    const struct ep11_key *k, struct hsa_slice in)
{
	size_t n = ep11_use_modulus(k);

	if (in.n > n)
		return CKR_DATA_LEN_RANGE;
	memset(block, 0, n - in.n);
	if (in.n != 0)
		memcpy(block + (n - in.n), in.p, in.n);
	*full = (struct hsa_slice){block, n};
	return CKR_OK;
}

static CK_RV
raw_encrypt(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, struct hsa_slice in)
{
	CK_MECHANISM m = {.mechanism = CKM_RSA_X_509};
	uint8_t block[MODULUS_MAX];
	struct hsa_slice full = {0};
	CK_RV rv = fill(block, &full, k, in);

	if (rv == CKR_OK)
		rv = ep11_use_crypt(
		    e, out, true, &m, k->h, full, full.n, CKR_DATA_INVALID);
	hsa_wipe(block, sizeof(block));
	return rv;
}

static CK_RV
raw_sign(struct ep11_engine *e, struct hsa_buf *out, const struct ep11_key *k,
    struct hsa_slice in)
{
	CK_MECHANISM m = {.mechanism = CKM_RSA_X_509};
	uint8_t block[MODULUS_MAX];
	struct hsa_slice full = {0};
	CK_RV rv = fill(block, &full, k, in);

	if (rv == CKR_OK)
		rv = ep11_use_sign(
		    e, out, &m, k->h, full, full.n, CKR_DATA_INVALID);
	hsa_wipe(block, sizeof(block));
	return rv;
}

/* ---- encryption ---------------------------------------------------------- */

/* What SoftHSM can do by itself: SHA-1 throughout, and no label. */
static bool
token_oaep(const struct hsa_mech *m)
{
	return m->hash == CKM_SHA_1 && m->mgf == CKG_MGF1_SHA1 && m->a.n == 0;
}

static CK_RV
oaep(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct hsa_mech *m, struct hsa_slice in)
{
	CK_RSA_PKCS_OAEP_PARAMS p = {.hashAlg = CKM_SHA_1,
	    .mgf = CKG_MGF1_SHA1,
	    .source = CKZ_DATA_SPECIFIED};
	CK_MECHANISM token = {CKM_RSA_PKCS_OAEP, &p, sizeof(p)};
	CK_MECHANISM raw = {.mechanism = CKM_RSA_X_509};
	size_t n = ep11_use_modulus(k);
	uint8_t em[MODULUS_MAX], *to;
	struct hsa_buf plain = {0};
	int len;
	CK_RV rv;

	if (encrypt && in.n > n - 2 * ep11_hash_len(m->hash) - 2)
		return CKR_DATA_LEN_RANGE;
	if (token_oaep(m))
		return ep11_use_crypt(e, out, encrypt, &token, k->h, in, n,
		    encrypt ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID);
	if (encrypt) {
		rv = ep11_pad_oaep(em, n, in, m)
			 ? raw_encrypt(e, out, k, (struct hsa_slice){em, n})
			 : CKR_FUNCTION_FAILED;
		hsa_wipe(em, sizeof(em));
		return rv;
	}
	rv = ep11_use_crypt(
	    e, &plain, false, &raw, k->h, in, n, CKR_ENCRYPTED_DATA_INVALID);
	if (rv != CKR_OK)
		goto out;
	rv = CKR_HOST_MEMORY;
	to = hsa_buf_reserve(out, n);
	if (to == NULL)
		goto out;
	len = plain.len == n ? ep11_pad_oaep_undo(to, plain.p, n, m) : -1;
	rv = len < 0 ? CKR_ENCRYPTED_DATA_INVALID : CKR_OK;
	if (len > 0)
		out->len += (size_t)len;
out:
	hsa_buf_free(&plain);
	return rv;
}

CK_RV
ep11_rsa_crypt(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in)
{
	CK_MECHANISM token = {.mechanism = row->token};
	size_t n = ep11_use_modulus(k);
	CK_RV rv = ep11_rsa_check(k, row, m);

	if (rv != CKR_OK)
		return rv;
	if (!encrypt && in.n != n)
		return CKR_ENCRYPTED_DATA_LEN_RANGE;
	if (row->param == HSA_MECH_OAEP)
		return oaep(e, out, encrypt, k, m, in);
	if (row->token == CKM_RSA_X_509 && encrypt)
		return raw_encrypt(e, out, k, in);
	if (encrypt && in.n > n - 11)
		return CKR_DATA_LEN_RANGE;
	return ep11_use_crypt(e, out, encrypt, &token, k->h, in, n,
	    encrypt ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID);
}

/* ---- signatures ---------------------------------------------------------- */

/* The token has one mask for each hash, its own. */
static bool
token_pss(const struct hsa_mech *m)
{
	return ep11_pad_mgf_hash(m->mgf) == m->hash;
}

/* in: the digest, whose hash the parameter names. */
static CK_RV
pss_sign(struct ep11_engine *e, struct hsa_buf *out, const struct ep11_key *k,
    const struct hsa_mech *m, struct hsa_slice in)
{
	CK_RSA_PKCS_PSS_PARAMS p = {m->hash, m->mgf, m->salt_len};
	CK_MECHANISM token = {CKM_RSA_PKCS_PSS, &p, sizeof(p)};
	size_t n = ep11_use_modulus(k);
	uint8_t em[MODULUS_MAX];

	if (in.n != ep11_hash_len(m->hash))
		return CKR_DATA_LEN_RANGE;
	if (token_pss(m))
		return ep11_use_sign(e, out, &token, k->h, in, n, CKR_OK);
	if (!ep11_pad_pss(em, k->spki, in, m))
		return CKR_FUNCTION_FAILED;
	return raw_sign(e, out, k, (struct hsa_slice){em, n});
}

static CK_RV
pss_verify(struct ep11_engine *e, const struct ep11_key *k,
    const struct hsa_mech *m, struct hsa_slice in, struct hsa_slice sig)
{
	CK_RSA_PKCS_PSS_PARAMS p = {m->hash, m->mgf, m->salt_len};
	CK_MECHANISM token = {CKM_RSA_PKCS_PSS, &p, sizeof(p)};
	struct hsa_buf em = {0};
	CK_RV rv;

	if (in.n != ep11_hash_len(m->hash))
		return CKR_DATA_LEN_RANGE;
	if (token_pss(m))
		return ep11_use_verify(
		    e, &token, k->h, in, sig, CKR_SIGNATURE_INVALID);
	rv = raw_encrypt(e, &em, k, sig);
	if (rv == CKR_DATA_INVALID ||
	    (rv == CKR_OK && !ep11_pad_pss_good(em.p, k->spki, in, m)))
		rv = CKR_SIGNATURE_INVALID;
	hsa_buf_free(&em);
	return rv;
}

/* What PKCS #1 v1.5 signs: the data, or DigestInfo of it. */
static CK_RV
info_of(uint8_t to[19 + EP11_HASH_MAX], struct hsa_slice *in,
    const struct ep11_mech_row *row)
{
	size_t n = 0;
	const uint8_t *info = ep11_pad_digest_info(row->hash, &n);

	if (info == NULL || in->n != ep11_hash_len(row->hash))
		return CKR_FUNCTION_FAILED;
	memcpy(to, info, n);
	memcpy(to + n, in->p, in->n);
	*in = (struct hsa_slice){to, n + in->n};
	return CKR_OK;
}

/* The data's digest, in the token, for rows that have a hash; in a PSS
 * operation without one the data is the digest. */
static CK_RV
digest_of(struct ep11_engine *e, struct hsa_buf *digest, struct hsa_slice *in,
    const struct ep11_mech_row *row, bool digested)
{
	CK_RV rv;

	if (digested || row->hash == 0)
		return CKR_OK;
	rv = ep11_use_digest(e, digest, row->hash, *in);
	*in = (struct hsa_slice){digest->p, digest->len};
	return rv;
}

CK_RV
ep11_rsa_sign(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in, bool digested)
{
	CK_MECHANISM token = {.mechanism = row->token};
	uint8_t info[19 + EP11_HASH_MAX];
	size_t n = ep11_use_modulus(k);
	struct hsa_buf digest = {0};
	CK_RV rv = ep11_rsa_check(k, row, m);

	if (rv == CKR_OK)
		rv = digest_of(e, &digest, &in, row, digested);
	if (rv != CKR_OK)
		goto out;
	if (row->param == HSA_MECH_PSS) {
		rv = pss_sign(e, out, k, m, in);
		goto out;
	}
	if (row->token == CKM_RSA_X_509) {
		rv = raw_sign(e, out, k, in);
		goto out;
	}
	if (row->hash != 0)
		rv = info_of(info, &in, row);
	if (rv == CKR_OK && in.n > n - 11)
		rv = CKR_DATA_LEN_RANGE;
	if (rv == CKR_OK)
		rv = ep11_use_sign(e, out, &token, k->h, in, n, CKR_OK);
out:
	hsa_buf_free(&digest);
	return rv;
}

CK_RV
ep11_rsa_verify(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, struct hsa_slice sig, bool digested)
{
	CK_MECHANISM token = {.mechanism = row->token};
	uint8_t info[19 + EP11_HASH_MAX], block[MODULUS_MAX];
	size_t n = ep11_use_modulus(k);
	struct hsa_buf digest = {0};
	CK_RV rv = ep11_rsa_check(k, row, m);

	if (rv == CKR_OK && sig.n != n)
		rv = CKR_SIGNATURE_LEN_RANGE;
	if (rv == CKR_OK)
		rv = digest_of(e, &digest, &in, row, digested);
	if (rv != CKR_OK)
		goto out;
	if (row->param == HSA_MECH_PSS) {
		rv = pss_verify(e, k, m, in, sig);
		goto out;
	}
	if (row->token == CKM_RSA_X_509)
		rv = fill(block, &in, k, in);
	else if (row->hash != 0)
		rv = info_of(info, &in, row);
	if (rv == CKR_OK && row->token != CKM_RSA_X_509 && in.n > n - 11)
		rv = CKR_DATA_LEN_RANGE;
	if (rv == CKR_OK)
		rv = ep11_use_verify(
		    e, &token, k->h, in, sig, CKR_SIGNATURE_INVALID);
out:
	hsa_buf_free(&digest);
	return rv;
}
