/*
 * OpenSSL's padding functions are deprecated since 3.0 in favour of whole
 * operations on an EVP_PKEY, which need the private key; they are the only
 * ones that pad for a raw operation done elsewhere. Hence this one file that
 * asks for no warning about them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ep11_hash.h"
#include "ep11_pad.h"

static const EVP_MD *
md_of(uint64_t hash)
{
	switch (hash) {
	case CKM_SHA_1:
		return EVP_sha1();
	case CKM_SHA224:
		return EVP_sha224();
	case CKM_SHA256:
		return EVP_sha256();
	case CKM_SHA384:
		return EVP_sha384();
	case CKM_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

uint64_t
ep11_pad_mgf_hash(uint64_t mgf)
{
	switch (mgf) {
	case CKG_MGF1_SHA1:
		return CKM_SHA_1;
	case CKG_MGF1_SHA224:
		return CKM_SHA224;
	case CKG_MGF1_SHA256:
		return CKM_SHA256;
	case CKG_MGF1_SHA384:
		return CKM_SHA384;
	case CKG_MGF1_SHA512:
		return CKM_SHA512;
	default:
		return 0;
	}
}

/* ---- OAEP ---------------------------------------------------------------- */

bool
ep11_pad_oaep(
    uint8_t *em, size_t n, struct hsa_slice in, const struct hsa_mech *m)
{
	int ok =
	    RSA_padding_add_PKCS1_OAEP_mgf1(em, (int)n, in.p, (int)in.n, m->a.p,
		(int)m->a.n, md_of(m->hash), md_of(ep11_pad_mgf_hash(m->mgf)));

	ERR_clear_error();
	return ok == 1;
}

int
ep11_pad_oaep_undo(
    uint8_t *out, const uint8_t *em, size_t n, const struct hsa_mech *m)
{
	int len = RSA_padding_check_PKCS1_OAEP_mgf1(out, (int)n, em, (int)n,
	    (int)n, m->a.p, (int)m->a.n, md_of(m->hash),
	    md_of(ep11_pad_mgf_hash(m->mgf)));

	ERR_clear_error();
	return len;
}

/* ---- PSS ----------------------------------------------------------------- */

static EVP_PKEY *
public_of(struct hsa_slice spki)
{
	const unsigned char *p = spki.p;

	return d2i_PUBKEY(NULL, &p, (long)spki.n);
}

bool
ep11_pad_pss(uint8_t *em, struct hsa_slice spki, struct hsa_slice digest,
    const struct hsa_mech *m)
{
	EVP_PKEY *pkey = public_of(spki);
	RSA *rsa = pkey != NULL ? EVP_PKEY_get1_RSA(pkey) : NULL;
	int ok = rsa != NULL
		     ? RSA_padding_add_PKCS1_PSS_mgf1(rsa, em, digest.p,
			   md_of(m->hash), md_of(ep11_pad_mgf_hash(m->mgf)),
			   (int)m->salt_len)
		     : 0;

	RSA_free(rsa);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return ok == 1;
}

bool
ep11_pad_pss_good(const uint8_t *em, struct hsa_slice spki,
    struct hsa_slice digest, const struct hsa_mech *m)
{
	EVP_PKEY *pkey = public_of(spki);
	RSA *rsa = pkey != NULL ? EVP_PKEY_get1_RSA(pkey) : NULL;
	int ok =
	    rsa != NULL
		? RSA_verify_PKCS1_PSS_mgf1(rsa, digest.p, md_of(m->hash),
		      md_of(ep11_pad_mgf_hash(m->mgf)), em, (int)m->salt_len)
		: 0;

	RSA_free(rsa);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return ok == 1;
}

/* ---- PKCS #1 v1.5 -------------------------------------------------------- */

const uint8_t *
ep11_pad_digest_info(uint64_t hash, size_t *n)
{
	static const uint8_t sha1[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b,
	    0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
	/* SEQUENCE length, last arc of the OID, length of the digest differ */
	static const uint8_t sha2[4][19] = {
#define INFO(all, arc, len)                                                    \
	{0x30, all, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,      \
	    0x03, 0x04, 0x02, arc, 0x05, 0x00, 0x04, len}
	    INFO(0x2d, 0x04, 28), INFO(0x31, 0x01, 32), INFO(0x41, 0x02, 48),
	    INFO(0x51, 0x03, 64)
#undef INFO
	};

	*n = sizeof(sha2[0]);
	switch (hash) {
	case CKM_SHA_1:
		*n = sizeof(sha1);
		return sha1;
	case CKM_SHA224:
		return sha2[0];
	case CKM_SHA256:
		return sha2[1];
	case CKM_SHA384:
		return sha2[2];
	case CKM_SHA512:
		return sha2[3];
	default:
		return NULL;
	}
}
