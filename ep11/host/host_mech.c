/* host_mech.c - see host_mech.h. */
#include <string.h>
#include "host_mech.h"

/* Numbers that p11-kit's header lacks or that have no other user here. */
#define SHA3_256_RSA_PKCS_PSS 0x63UL
#define SHA3_384_RSA_PKCS_PSS 0x64UL
#define SHA3_512_RSA_PKCS_PSS 0x65UL
#define SHA3_224_RSA_PKCS_PSS 0x67UL
#define IBM_EC_X25519_RAW (CKM_VENDOR_DEFINED + 0x10029UL)
#define IBM_EC_X448_RAW (CKM_VENDOR_DEFINED + 0x10030UL)
#define IBM_KYBER (CKM_VENDOR_DEFINED + 0x10024UL)
#define IBM_EC_AGGREGATE (CKM_VENDOR_DEFINED + 0x10034UL)
#define IBM_ML_KEM (CKM_VENDOR_DEFINED + 0x10038UL)
#define IBM_BTC_DERIVE (CKM_VENDOR_DEFINED + 0x70001UL)
#define IBM_ETH_DERIVE (CKM_VENDOR_DEFINED + 0x70002UL)

/* CK_GCM_PARAMS of PKCS #11 2.20's amendment: without ulIvBits. */
struct gcm_short {
	CK_BYTE_PTR iv;
	CK_ULONG iv_len;
	CK_BYTE_PTR aad;
	CK_ULONG aad_len;
	CK_ULONG tag_bits;
};

bool
host_slice(struct hsa_slice *to, const void *p, uint64_t n, size_t max)
{
	if (n > max || (p == NULL && n > 0))
		return false;
	*to = (struct hsa_slice){n == 0 ? NULL : p, (size_t)n};
	return true;
}

static CK_RV
oaep(struct hsa_mech *to, const CK_MECHANISM *m)
{
	CK_RSA_PKCS_OAEP_PARAMS p = {0};

	if (m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	if (!host_slice(&to->a, p.source_data, p.source_data_len, HSA_BLOB_MAX))
		return CKR_MECHANISM_PARAM_INVALID;
	to->kind = HSA_MECH_OAEP;
	to->hash = p.hash_alg;
	to->mgf = p.mgf;
	to->source_type = p.source;
	return CKR_OK;
}

static CK_RV
pss(struct hsa_mech *to, const CK_MECHANISM *m)
{
	CK_RSA_PKCS_PSS_PARAMS p = {0};

	if (m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	to->kind = HSA_MECH_PSS;
	to->hash = p.hash_alg;
	to->mgf = p.mgf;
	to->salt_len = p.s_len;
	return CKR_OK;
}

/* No point of any curve here is as long as the struct. */
static CK_RV
ecdh1(struct hsa_mech *to, const CK_MECHANISM *m)
{
	CK_ECDH1_DERIVE_PARAMS p = {0};
	bool good = false;

	if (m->ulParameterLen == sizeof(p)) {
		memcpy(&p, m->pParameter, sizeof(p));
		good = host_slice(&to->a, p.public_data, p.public_data_len,
			   HSA_BLOB_MAX) &&
		       host_slice(&to->b, p.shared_data, p.shared_data_len,
			   HSA_BLOB_MAX);
		to->kdf = p.kdf;
	} else {
		good = host_slice(
		    &to->a, m->pParameter, m->ulParameterLen, HSA_BLOB_MAX);
		to->kdf = CKD_NULL;
	}
	to->kind = HSA_MECH_ECDH1;
	return good ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV
gcm(struct hsa_mech *to, const CK_MECHANISM *m)
{
	struct gcm_short p = {0};
	CK_GCM_PARAMS whole = {0};

	if (m->ulParameterLen == sizeof(whole)) {
		memcpy(&whole, m->pParameter, sizeof(whole));
		p = (struct gcm_short){whole.iv_ptr, whole.iv_len,
		    whole.aad_ptr, whole.aad_len, whole.tag_bits};
	} else if (m->ulParameterLen == sizeof(p)) {
		memcpy(&p, m->pParameter, sizeof(p));
	} else {
		return CKR_MECHANISM_PARAM_INVALID;
	}
	if (!host_slice(&to->a, p.iv, p.iv_len, HSA_BLOB_MAX) ||
	    !host_slice(&to->b, p.aad, p.aad_len, HSA_BLOB_MAX))
		return CKR_MECHANISM_PARAM_INVALID;
	to->kind = HSA_MECH_GCM;
	to->tag_bits = p.tag_bits;
	return CKR_OK;
}

static CK_RV
plain(struct hsa_mech *to, const CK_MECHANISM *m)
{
	if (!host_slice(&to->a, m->pParameter, m->ulParameterLen, HSA_BLOB_MAX))
		return CKR_MECHANISM_PARAM_INVALID;
	to->kind = HSA_MECH_BYTES;
	return CKR_OK;
}

/* Pointers mean nothing to a unit. */
static CK_RV
dropped(struct hsa_mech *to, const CK_MECHANISM *m)
{
	(void)m;
	to->kind = HSA_MECH_NONE;
	return CKR_OK;
}

typedef CK_RV convert(struct hsa_mech *to, const CK_MECHANISM *m);

static const struct {
	CK_MECHANISM_TYPE type;
	convert *f;
} table[] = {
    {CKM_RSA_PKCS_OAEP, oaep},
    {CKM_RSA_PKCS_PSS, pss},
    {CKM_SHA1_RSA_PKCS_PSS, pss},
    {CKM_SHA224_RSA_PKCS_PSS, pss},
    {CKM_SHA256_RSA_PKCS_PSS, pss},
    {CKM_SHA384_RSA_PKCS_PSS, pss},
    {CKM_SHA512_RSA_PKCS_PSS, pss},
    {SHA3_224_RSA_PKCS_PSS, pss},
    {SHA3_256_RSA_PKCS_PSS, pss},
    {SHA3_384_RSA_PKCS_PSS, pss},
    {SHA3_512_RSA_PKCS_PSS, pss},
    {CKM_ECDH1_DERIVE, ecdh1},
    {CKM_ECDH1_COFACTOR_DERIVE, ecdh1},
    {CKM_IBM_EC_X25519, ecdh1},
    {CKM_IBM_EC_X448, ecdh1},
    {IBM_EC_X25519_RAW, ecdh1},
    {IBM_EC_X448_RAW, ecdh1},
    {CKM_AES_GCM, gcm},
    {IBM_KYBER, dropped},
    {IBM_ML_KEM, dropped},
    {IBM_EC_AGGREGATE, dropped},
    {IBM_BTC_DERIVE, dropped},
    {IBM_ETH_DERIVE, dropped},
};

CK_RV
host_mech(struct hsa_mech *to, const CK_MECHANISM *m)
{
	size_t i = 0;
	CK_RV rv = CKR_OK;

	if (m == NULL)
		return CKR_ARGUMENTS_BAD;
	*to = (struct hsa_mech){.type = m->mechanism};
	if (m->ulParameterLen == 0)
		return CKR_OK;
	if (m->pParameter == NULL)
		return CKR_MECHANISM_PARAM_INVALID;
	while (i < sizeof(table) / sizeof(table[0]) &&
	       table[i].type != m->mechanism)
		i++;
	rv = i < sizeof(table) / sizeof(table[0]) ? table[i].f(to, m)
						  : plain(to, m);
	if (rv != CKR_OK)
		*to = (struct hsa_mech){.type = m->mechanism};
	return rv;
}
