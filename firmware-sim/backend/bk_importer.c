#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "bk_core.h"
#include "bk_importer.h"
#include "bk_object.h"
#include "hsa_buf.h"
#include "tke_part.h"

#define RSA_BITS 2048
#define RSA_BYTES (RSA_BITS / 8)

const uint8_t bk_importer_p521[BK_P521_PARAMS_LEN] = {
    0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

static const uint8_t rsa_e[] = {0x01, 0x00, 0x01};

hsa_rc
bk_importer_point(
    struct bk_ses *s, uint8_t point[TKE_POINT_LEN], CK_OBJECT_HANDLE pub)
{
	/* DER OCTET STRING, long form */
	static const uint8_t head[] = {0x04, 0x81, TKE_POINT_LEN};
	uint8_t der[sizeof(head) + TKE_POINT_LEN];
	hsa_rc rc;

	HSA_TRY(rc, bk_ck_get_exact(s, der, sizeof(der), pub, CKA_EC_POINT));
	if (memcmp(der, head, sizeof(head)) != 0)
		rc = HSA_RC(E_TOKEN);
	else
		memcpy(point, der + sizeof(head), TKE_POINT_LEN);
out:
	return rc;
}

static hsa_rc
p521_key(struct bk_ses *s, EVP_PKEY **key, CK_OBJECT_HANDLE pub)
{
	uint8_t point[TKE_POINT_LEN];
	hsa_rc rc;

	HSA_TRY(rc, bk_importer_point(s, point, pub));
	HSA_TRY(rc, tke_key_from_point(key, point));
out:
	return rc;
}

static hsa_rc
rsa_key(struct bk_ses *s, EVP_PKEY **key, CK_OBJECT_HANDLE pub)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *n = NULL, *e = NULL;
	uint8_t modulus[RSA_BYTES], exponent[8];
	size_t exponent_n = 0;
	hsa_rc rc;

	HSA_TRY(
	    rc, bk_ck_get_exact(s, modulus, sizeof(modulus), pub, CKA_MODULUS));
	HSA_TRY(rc, bk_ck_get(s, exponent, &exponent_n, sizeof(exponent), pub,
			CKA_PUBLIC_EXPONENT));
	rc = HSA_RC(E_CRYPTO);
	n = BN_bin2bn(modulus, sizeof(modulus), NULL);
	e = BN_bin2bn(exponent, (int)exponent_n, NULL);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (bld == NULL || n == NULL || e == NULL || ctx == NULL ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		goto out;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	rc = HSA_OK;
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return rc;
}

static const struct importer_type {
	enum tke_importer_kind kind;
	CK_KEY_TYPE key_type;
	CK_MECHANISM_TYPE generate;
	CK_ATTRIBUTE_TYPE use; /* of the private half, the only one */
	hsa_rc (*key)(struct bk_ses *s, EVP_PKEY **key, CK_OBJECT_HANDLE pub);
} types[] = {
    {TKE_IMPORTER_P521, CKK_EC, CKM_EC_KEY_PAIR_GEN, CKA_DERIVE, p521_key},
    {TKE_IMPORTER_RSA2048, CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKA_UNWRAP,
	rsa_key},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static void
both(struct bk_attrs *t, const struct cu_key_id *id)
{
	bk_attr_bool(t, CKA_TOKEN, true);
	bk_attr_bytes(t, CKA_ID, id->b, sizeof(id->b));
	bk_attr_bytes(
	    t, CKA_LABEL, BK_LABEL_IMPORTER, strlen(BK_LABEL_IMPORTER));
	bk_attr_bool(t, CKA_MODIFIABLE, false);
}

static hsa_rc
generate(struct bk_ses *s, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    const struct importer_type *type, const struct cu_key_id *id)
{
	struct bk_attrs pub_t = {0}, priv_t = {0};

	both(&pub_t, id);
	bk_attr_bool(&pub_t, CKA_PRIVATE, false);
	bk_attr_bool(&pub_t, CKA_VERIFY, false);
	bk_attr_bool(&pub_t, CKA_ENCRYPT, false);
	bk_attr_bool(&pub_t, CKA_WRAP, false);
	if (type->key_type == CKK_EC)
		bk_attr_bytes(&pub_t, CKA_EC_PARAMS, bk_importer_p521,
		    sizeof(bk_importer_p521));
	else {
		bk_attr_num(&pub_t, CKA_MODULUS_BITS, RSA_BITS);
		bk_attr_bytes(
		    &pub_t, CKA_PUBLIC_EXPONENT, rsa_e, sizeof(rsa_e));
	}
	both(&priv_t, id);
	bk_attr_bool(&priv_t, CKA_PRIVATE, true);
	bk_attr_bool(&priv_t, CKA_SENSITIVE, true);
	bk_attr_bool(&priv_t, CKA_EXTRACTABLE, false);
	bk_attr_bool(&priv_t, CKA_SIGN, false);
	bk_attr_bool(&priv_t, CKA_DECRYPT, false);
	bk_attr_bool(&priv_t, CKA_DERIVE, type->use == CKA_DERIVE);
	bk_attr_bool(&priv_t, CKA_UNWRAP, type->use == CKA_UNWRAP);
	return bk_ck_pair(s, pub, priv, type->generate, &pub_t, &priv_t);
}

hsa_rc
bk_importer_generate(void *ctx, struct cu_key_id *id, struct hsa_buf *spki,
    enum tke_importer_kind kind)
{
	const struct importer_type *type = NULL;
	CK_OBJECT_HANDLE pub = 0, priv = 0;
	struct cu_key_id fresh = {0};
	struct bk_ses s = {0};
	EVP_PKEY *key = NULL;
	size_t mark = spki->len;
	bool made = false;
	hsa_rc rc;

	for (size_t i = 0; i < TYPES; i++)
		if (types[i].kind == kind)
			type = &types[i];
	if (type == NULL)
		return HSA_RC(E_UNSUPPORTED);
	HSA_TRY(rc, bk_core_enter(ctx, &s));
	HSA_TRY(rc, bk_object_id(&s, &fresh));
	HSA_TRY(rc, generate(&s, &pub, &priv, type, &fresh));
	made = true;
	HSA_TRY(rc, type->key(&s, &key, pub));
	HSA_TRY(rc, tke_importer_spki_encode(spki, key));
	HSA_TRY(rc, hsa_buf_rc(spki));
	*id = fresh;
	made = false;
out:
	if (made) {
		bk_ck_discard(&s, priv);
		bk_ck_discard(&s, pub);
		spki->len = mark;
	}
	EVP_PKEY_free(key);
	bk_core_leave(ctx, &s);
	return rc;
}

hsa_rc
bk_importer_find(struct bk_ses *s, CK_OBJECT_HANDLE *priv,
    enum tke_importer_kind *kind, const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE h = 0;
	CK_KEY_TYPE type = 0;
	hsa_rc rc;

	if (!id->set)
		return HSA_RC(E_NOT_FOUND);
	HSA_TRY(
	    rc, bk_object_find(s, &h, CKO_PRIVATE_KEY, BK_LABEL_IMPORTER, id));
	HSA_TRY(rc, bk_ck_get_exact(s, &type, sizeof(type), h, CKA_KEY_TYPE));
	rc = HSA_RC(E_TOKEN);
	for (size_t i = 0; i < TYPES; i++)
		if (types[i].key_type == type) {
			*priv = h;
			*kind = types[i].kind;
			rc = HSA_OK;
		}
out:
	return rc;
}
