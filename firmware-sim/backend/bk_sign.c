#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <string.h>

#include "bk_core.h"
#include "bk_importer.h"
#include "bk_object.h"
#include "bk_sign.h"
#include "bk_sync.h"
#include "hsa_buf.h"

#define LABEL_OA "oa"
#define LABEL_CHECKPOINT "checkpoint"
#define RAW_LEN 132 /* r and s of P-521 */

/* OBJECT IDENTIFIER Ed25519, DER. */
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

static const struct signer {
	const char *label;
	CK_MECHANISM_TYPE generate;
	const uint8_t *params;
	size_t params_len;
} signers[] = {
    {LABEL_OA, CKM_EC_KEY_PAIR_GEN, bk_importer_p521, BK_P521_PARAMS_LEN},
    {LABEL_CHECKPOINT, CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof(ed25519)},
};

static hsa_rc
make(struct bk_ses *s, const struct signer *k)
{
	struct bk_attrs pub_t = {0}, priv_t = {0};
	CK_OBJECT_HANDLE pub = 0, priv = 0;
	struct cu_key_id id = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_object_id(s, &id));
	bk_attr_bool(&pub_t, CKA_TOKEN, true);
	bk_attr_bool(&pub_t, CKA_PRIVATE, false);
	bk_attr_bytes(&pub_t, CKA_ID, id.b, sizeof(id.b));
	bk_attr_bytes(&pub_t, CKA_LABEL, k->label, strlen(k->label));
	bk_attr_bytes(&pub_t, CKA_EC_PARAMS, k->params, k->params_len);
	bk_attr_bool(&pub_t, CKA_VERIFY, true);
	bk_attr_bool(&pub_t, CKA_ENCRYPT, false);
	bk_attr_bool(&pub_t, CKA_WRAP, false);
	bk_attr_bool(&pub_t, CKA_MODIFIABLE, false);
	bk_attr_bool(&priv_t, CKA_TOKEN, true);
	bk_attr_bool(&priv_t, CKA_PRIVATE, true);
	bk_attr_bool(&priv_t, CKA_SENSITIVE, true);
	bk_attr_bool(&priv_t, CKA_EXTRACTABLE, false);
	bk_attr_bytes(&priv_t, CKA_ID, id.b, sizeof(id.b));
	bk_attr_bytes(&priv_t, CKA_LABEL, k->label, strlen(k->label));
	bk_attr_bool(&priv_t, CKA_SIGN, true);
	bk_attr_bool(&priv_t, CKA_DERIVE, false);
	bk_attr_bool(&priv_t, CKA_DECRYPT, false);
	bk_attr_bool(&priv_t, CKA_UNWRAP, false);
	bk_attr_bool(&priv_t, CKA_MODIFIABLE, false);
	HSA_TRY(rc, bk_ck_pair(s, &pub, &priv, k->generate, &pub_t, &priv_t));
out:
	return rc;
}

hsa_rc
bk_sign_make(struct bk_p11 *b, struct hsa_diag *diag)
{
	struct bk_ses s = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(b, &s));
	for (size_t i = 0; i < sizeof(signers) / sizeof(signers[0]); i++) {
		rc = make(&s, &signers[i]);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "the token cannot make the %s key: %s; use a "
			    "SoftHSM built with ECC and EdDSA",
			    signers[i].label, bk_ck_rv_name(b->ck.last));
			goto out;
		}
	}
out:
	bk_core_leave(b, &s);
	return rc;
}

/* Both halves of a signer, with the id that they share. */
static hsa_rc
pair(struct bk_ses *s, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    struct cu_key_id *id, const char *label)
{
	hsa_rc rc;

	HSA_TRY(rc, bk_object_find(s, priv, CKO_PRIVATE_KEY, label, NULL));
	HSA_TRY(rc, bk_ck_get_exact(s, id->b, sizeof(id->b), *priv, CKA_ID));
	id->set = true;
	HSA_TRY(rc, bk_object_find(s, pub, CKO_PUBLIC_KEY, label, id));
out:
	return rc;
}

hsa_rc
bk_sign_checkpoint_make(struct bk_p11 *b, struct hsa_diag *diag)
{
	CK_OBJECT_HANDLE priv = 0;
	struct bk_ses s = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(b, &s));
	rc = bk_object_find(&s, &priv, CKO_PRIVATE_KEY, LABEL_CHECKPOINT, NULL);
	/* one that is there, whole or not, is for bk_sign_load to judge */
	if (rc.v != HSA_E_NOT_FOUND) {
		rc = HSA_OK;
		goto out;
	}
	rc = make(&s, &signers[1]);
	if (hsa_is_ok(rc))
		rc = bk_sync_tree(b->path.token);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag,
		    "the token cannot make a new checkpoint key: %s",
		    hsa_err_text(rc));
out:
	bk_core_leave(b, &s);
	return rc;
}

static hsa_rc
checkpoint_pub(struct bk_ses *s, uint8_t out[32], CK_OBJECT_HANDLE pub)
{
	uint8_t der[34]; /* DER OCTET STRING */
	hsa_rc rc;

	HSA_TRY(rc, bk_ck_get_exact(s, der, sizeof(der), pub, CKA_EC_POINT));
	if (der[0] != 0x04 || der[1] != 32)
		rc = HSA_RC(E_TOKEN);
	else
		memcpy(out, der + 2, 32);
out:
	return rc;
}

hsa_rc
bk_sign_load(struct bk_p11 *b, struct hsa_diag *diag)
{
	CK_OBJECT_HANDLE pub = 0, priv = 0;
	const char *label = LABEL_OA;
	struct cu_key_id id = {0};
	struct bk_ses s = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(b, &s));
	HSA_TRY(rc, pair(&s, &pub, &priv, &id, label));
	HSA_TRY(rc, bk_importer_point(&s, b->oa_point, pub));
	b->oa = priv;
	label = LABEL_CHECKPOINT;
	HSA_TRY(rc, pair(&s, &pub, &priv, &id, label));
	HSA_TRY(rc, checkpoint_pub(&s, b->checkpoint_pub, pub));
	b->checkpoint = priv;
out:
	bk_core_leave(b, &s);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_RC(E_CORRUPT);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag,
		    "the token in %s does not hold one whole %s key pair "
		    "(%s); restore the unit's folder from a backup%s",
		    b->path.token, label, hsa_err_text(rc),
		    strcmp(label, LABEL_CHECKPOINT) == 0
			? ", or begin a new log with a new key: cryptounitd "
			  "new-log"
			: "");
	return rc;
}

/* PKCS#11 gives r || s, the card's format is DER. */
static hsa_rc
ecdsa_der(struct hsa_buf *b, const uint8_t raw[RAW_LEN])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, RAW_LEN / 2, NULL);
	BIGNUM *s = BN_bin2bn(raw + RAW_LEN / 2, RAW_LEN / 2, NULL);
	uint8_t *der = NULL;
	hsa_rc rc = HSA_RC(E_CRYPTO);
	int n;

	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;
	r = s = NULL;
	n = i2d_ECDSA_SIG(sig, &der);
	if (n <= 0)
		goto out;
	hsa_buf_put(b, der, (size_t)n);
	rc = hsa_buf_rc(b);
out:
	OPENSSL_free(der);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return rc;
}

hsa_rc
bk_sign_oa(void *ctx, struct hsa_buf *sig, const void *msg, size_t n)
{
	uint8_t digest[64], raw[RAW_LEN];
	struct bk_p11 *b = ctx;
	struct bk_ses s = {0};
	hsa_rc rc;

	/* the token signs digests only; what is signed is no secret */
	if (EVP_Q_digest(NULL, "SHA512", NULL, msg, n, digest, NULL) != 1)
		return HSA_RC(E_CRYPTO);
	HSA_TRY(rc, bk_core_enter(b, &s));
	HSA_TRY(rc, bk_ck_sign(&s, raw, sizeof(raw), b->oa, CKM_ECDSA, digest,
			sizeof(digest)));
	HSA_TRY(rc, ecdsa_der(sig, raw));
out:
	bk_core_leave(b, &s);
	return rc;
}

/* Without the lock: a batch of records does not wait for an administrative
 * operation, which may be the making of an RSA key. */
hsa_rc
bk_sign_checkpoint(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	CK_MECHANISM m = {.mechanism = CKM_EDDSA};
	struct ep11_token t = bk_p11_token(ctx);
	struct bk_p11 *b = ctx;
	uint8_t made[64];
	size_t len = sizeof(made);

	if (t.ops->sign(t.ctx, &m, b->checkpoint, msg, n, made, &len) !=
		CKR_OK ||
	    len != sizeof(made))
		return HSA_RC(E_TOKEN);
	memcpy(sig, made, sizeof(made));
	return HSA_OK;
}
