#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "bk_core.h"
#include "bk_importer.h"
#include "bk_master.h"
#include "bk_object.h"
#include "hsa_buf.h"
#include "tke_part.h"

#define Z_LEN 66       /* x coordinate of P-521, leading zeros kept */
#define WRAPPED_LEN 40 /* RFC 3394 of a part */
#define RSA_LEN 256

/* SHA-256(01 || value), last four bytes zero: as the card reports it. */
static hsa_rc
pattern_of(struct bk_ses *s, uint8_t out[32], CK_OBJECT_HANDLE key)
{
	static const uint8_t one = 1;
	hsa_rc rc = bk_ck_digest_key(s, out, &one, 1, key, NULL, 0);

	memset(out + 28, 0, 4);
	return rc;
}

static void
secret(struct bk_attrs *t, CK_KEY_TYPE type, bool token, bool sensitive)
{
	bk_attr_num(t, CKA_CLASS, CKO_SECRET_KEY);
	bk_attr_num(t, CKA_KEY_TYPE, type);
	bk_attr_bool(t, CKA_TOKEN, token);
	bk_attr_bool(t, CKA_PRIVATE, true);
	bk_attr_bool(t, CKA_SENSITIVE, sensitive);
	bk_attr_bool(t, CKA_EXTRACTABLE, !sensitive);
}

static void
uses(struct bk_attrs *t, bool wraps)
{
	bk_attr_bool(t, CKA_WRAP, wraps);
	bk_attr_bool(t, CKA_UNWRAP, wraps);
	bk_attr_bool(t, CKA_ENCRYPT, false);
	bk_attr_bool(t, CKA_DECRYPT, false);
	bk_attr_bool(t, CKA_SIGN, false);
	bk_attr_bool(t, CKA_VERIFY, false);
	bk_attr_bool(t, CKA_DERIVE, false);
}

static void
naming(struct bk_attrs *t, const struct cu_key_id *id)
{
	bk_attr_bytes(t, CKA_ID, id->b, sizeof(id->b));
	bk_attr_bytes(t, CKA_LABEL, BK_LABEL_MASTER, strlen(BK_LABEL_MASTER));
}

/* ---- parts --------------------------------------------------------------- */

/* KEK = SHA-256(Z || 00000001 || SharedInfo), hashed in the token. It is the
 * one value that passes through our memory before it is a key again. */
static hsa_rc
kek_of(struct bk_ses *s, CK_OBJECT_HANDLE *kek, CK_OBJECT_HANDLE z,
    const struct tke_slice *ukm, int with_null)
{
	uint8_t *value = OPENSSL_secure_malloc(32);
	struct hsa_buf info = {0};
	struct bk_attrs t = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (value == NULL)
		goto out;
	HSA_TRY(rc, tke_kdf_info(&info, ukm->p, ukm->n, with_null));
	HSA_TRY(rc, hsa_buf_rc(&info));
	HSA_TRY(rc, bk_ck_digest_key(s, value, NULL, 0, z, info.p, info.len));
	secret(&t, CKK_AES, false, true);
	uses(&t, true);
	bk_attr_bytes(&t, CKA_VALUE, value, 32);
	HSA_TRY(rc, bk_ck_create(s, kek, &t));
out:
	OPENSSL_secure_clear_free(value, 32);
	hsa_buf_free(&info);
	return rc;
}

static hsa_rc
unwrap_p521(struct bk_ses *s, CK_OBJECT_HANDLE *out, CK_OBJECT_HANDLE priv,
    const struct tke_recipient *part, struct bk_attrs *as)
{
	CK_OBJECT_HANDLE z = 0, kek = 0;
	struct bk_attrs t = {0};
	EVP_PKEY *point = NULL;
	hsa_rc rc = HSA_RC(E_KEY);

	if (part->encrypted.n != WRAPPED_LEN)
		goto out;
	/* off the curve is the sender's mistake, not the token's */
	HSA_TRY(rc, tke_key_from_point(&point, part->originator));
	secret(&t, CKK_GENERIC_SECRET, false, true);
	bk_attr_num(&t, CKA_VALUE_LEN, Z_LEN);
	HSA_TRY(rc, bk_ck_ecdh(s, &z, priv, part->originator,
			sizeof(part->originator), &t));
	/* the SharedInfo has two spellings; the wrap's check value decides */
	for (int with_null = 1; with_null >= 0; with_null--) {
		HSA_TRY(rc, kek_of(s, &kek, z, &part->ukm, with_null));
		rc = bk_ck_unwrap(s, out, kek, CKM_AES_KEY_WRAP,
		    part->encrypted.p, part->encrypted.n, as);
		if (rc.v != HSA_E_KEY)
			break;
	}
out:
	EVP_PKEY_free(point);
	return rc;
}

static hsa_rc
unwrap_rsa(struct bk_ses *s, CK_OBJECT_HANDLE *out, CK_OBJECT_HANDLE priv,
    const struct tke_recipient *part, struct bk_attrs *as)
{
	if (part->encrypted.n != RSA_LEN)
		return HSA_RC(E_KEY);
	return bk_ck_unwrap(s, out, priv, CKM_RSA_PKCS, part->encrypted.p,
	    part->encrypted.n, as);
}

static hsa_rc
unwrap(struct bk_ses *s, CK_OBJECT_HANDLE *out, CK_OBJECT_HANDLE priv,
    enum tke_importer_kind kind, const struct tke_recipient *part,
    struct bk_attrs *as)
{
	if (part->kind != kind)
		return HSA_RC(E_KEY);
	if (kind == TKE_IMPORTER_P521)
		return unwrap_p521(s, out, priv, part, as);
	return unwrap_rsa(s, out, priv, part, as);
}

/* ---- import -------------------------------------------------------------- */

/* PKCS#1 carries any length, and SoftHSM takes any for an AES key. Asked for
 * without a buffer: the value stays where it is. */
static hsa_rc
length_of_part(struct bk_ses *s, CK_OBJECT_HANDLE h)
{
	size_t n = 0;
	hsa_rc rc = bk_ck_get(s, NULL, &n, 0, h, CKA_VALUE);

	if (hsa_is_ok(rc) && n != TKE_PART_LEN)
		rc = HSA_RC(E_KEY);
	return rc;
}

/* One part is the key: its value never leaves the token. It goes through a
 * session object, so that a failing unwrap can only mean the part. An RSA part
 * becomes sensitive with the copy only, because the token does not tell the
 * length of a sensitive value; a P-521 part has no other length. */
static hsa_rc
master_of_one(struct bk_ses *s, CK_OBJECT_HANDLE *master, uint8_t part_id[][32],
    size_t *bad, CK_OBJECT_HANDLE priv, enum tke_importer_kind kind,
    const struct tke_recipient *part, const struct cu_key_id *id)
{
	bool sensitive = kind == TKE_IMPORTER_P521;
	struct bk_attrs as = {0}, t = {0};
	CK_OBJECT_HANDLE h = 0;
	hsa_rc rc;

	*bad = 0;
	secret(&as, CKK_AES, false, sensitive);
	uses(&as, true);
	HSA_TRY(rc, unwrap(s, &h, priv, kind, part, &as));
	if (!sensitive) {
		HSA_TRY(rc, length_of_part(s, h));
		bk_attr_bool(&t, CKA_SENSITIVE, true);
		bk_attr_bool(&t, CKA_EXTRACTABLE, false);
	}
	HSA_TRY(rc, pattern_of(s, part_id[0], h));
	bk_attr_bool(&t, CKA_TOKEN, true);
	naming(&t, id);
	HSA_TRY(rc, bk_ck_copy(s, master, h, &t));
out:
	return rc;
}

/* Several parts: the token has no XOR, so their values are read once. */
static hsa_rc
master_of_many(struct bk_ses *s, CK_OBJECT_HANDLE *master,
    uint8_t part_id[][32], size_t *bad, CK_OBJECT_HANDLE priv,
    enum tke_importer_kind kind, const struct tke_recipient *part, size_t n,
    const struct cu_key_id *id)
{
	uint8_t *sum = OPENSSL_secure_zalloc(TKE_PART_LEN);
	uint8_t *value = OPENSSL_secure_malloc(TKE_PART_LEN);
	struct bk_attrs as = {0}, t = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (sum == NULL || value == NULL)
		goto out;
	secret(&as, CKK_AES, false, false);
	uses(&as, false);
	for (size_t i = 0; i < n; i++) {
		CK_OBJECT_HANDLE h = 0;

		*bad = i;
		HSA_TRY(rc, unwrap(s, &h, priv, kind, &part[i], &as));
		HSA_TRY(rc, pattern_of(s, part_id[i], h));
		rc = bk_ck_get_exact(s, value, TKE_PART_LEN, h, CKA_VALUE);
		if (rc.v == HSA_E_RANGE)
			rc = HSA_RC(E_KEY);
		if (!hsa_is_ok(rc))
			goto out;
		for (size_t j = 0; j < TKE_PART_LEN; j++)
			sum[j] ^= value[j];
		HSA_TRY(rc, bk_ck_destroy(s, h));
	}
	secret(&t, CKK_AES, true, true);
	uses(&t, true);
	naming(&t, id);
	bk_attr_bytes(&t, CKA_VALUE, sum, TKE_PART_LEN);
	HSA_TRY(rc, bk_ck_create(s, master, &t));
out:
	OPENSSL_secure_clear_free(sum, TKE_PART_LEN);
	OPENSSL_secure_clear_free(value, TKE_PART_LEN);
	return rc;
}

hsa_rc
bk_master_import(void *ctx, struct cu_key_id *id, uint8_t pattern[32],
    uint8_t part_id[][32], size_t *bad, const struct cu_key_id *importer,
    const struct tke_recipient *part, size_t n)
{
	uint8_t pat[32] = {0}, ids[CU_PARTS_MAX][32] = {{0}};
	CK_OBJECT_HANDLE priv = 0, master = 0;
	enum tke_importer_kind kind = TKE_IMPORTER_P521;
	struct cu_key_id fresh = {0};
	struct bk_ses s = {0};
	bool made = false;
	size_t at = 0;
	hsa_rc rc;

	if (n < 1 || n > CU_PARTS_MAX)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, bk_core_enter(ctx, &s));
	HSA_TRY(rc, bk_importer_find(&s, &priv, &kind, importer));
	HSA_TRY(rc, bk_object_id(&s, &fresh));
	if (n == 1)
		rc = master_of_one(
		    &s, &master, ids, &at, priv, kind, part, &fresh);
	else
		rc = master_of_many(
		    &s, &master, ids, &at, priv, kind, part, n, &fresh);
	if (!hsa_is_ok(rc))
		goto out;
	made = true;
	HSA_TRY(rc, pattern_of(&s, pat, master));
	made = false;
	memcpy(pattern, pat, sizeof(pat));
	memcpy(part_id, ids, n * sizeof(ids[0]));
	*id = fresh;
out:
	if (made)
		bk_ck_discard(&s, master);
	if (rc.v == HSA_E_KEY)
		*bad = at;
	bk_core_leave(ctx, &s);
	return rc;
}

hsa_rc
bk_master_pattern(void *ctx, uint8_t pattern[32], const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE h = 0;
	struct bk_ses s = {0};
	uint8_t pat[32];
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(ctx, &s));
	rc = HSA_RC(E_NOT_FOUND);
	if (!id->set)
		goto out;
	HSA_TRY(
	    rc, bk_object_find(&s, &h, CKO_SECRET_KEY, BK_LABEL_MASTER, id));
	HSA_TRY(rc, pattern_of(&s, pat, h));
	memcpy(pattern, pat, sizeof(pat));
out:
	bk_core_leave(ctx, &s);
	return rc;
}
