/* Master-key parts on their way to a unit, ep11-tke-wire 13. */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "hsa_hash.h"
#include "tke_der.h"
#include "tke_key.h"
#include "tke_oid.h"
#include "tke_part.h"

#define VERSION_KEY_TRANSPORT 2
#define VERSION_KEY_AGREEMENT 3
#define UKM_LEN 40
#define UKM_MAX 64
#define WRAPPED_LEN (TKE_PART_LEN + 8)
#define KEK_BITS 256
#define KEK_LEN (KEK_BITS / 8)

/* ---- importer key -------------------------------------------------------- */

hsa_rc
tke_importer_spki_encode(struct hsa_buf *b, const EVP_PKEY *key)
{
	return tke_key_spki(b, NULL, key);
}

hsa_rc
tke_importer_spki_parse(EVP_PKEY **key, const void *p, size_t n)
{
	return tke_key_from_spki(key, NULL, p, n);
}

/* ---- RecipientInfo, read ------------------------------------------------- */

/* [0] { [1] { SEQ { ecPublicKey, BIT STRING } } } */
static hsa_rc
originator(struct tke_recipient *r, struct hsa_cur *c)
{
	struct hsa_cur outer = {0}, inner = {0}, key = {0};
	const uint8_t *bits = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(c, &outer, TKE_DER_CONSTRUCTED(0)));
	HSA_TRY(rc, tke_der_enter(&outer, &inner, TKE_DER_CONSTRUCTED(1)));
	HSA_TRY(rc, hsa_cur_end(&outer));
	HSA_TRY(rc, tke_der_enter(&inner, &key, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&inner));
	HSA_TRY(rc, tke_der_exact(&key, TKE_DER_OID, TKE_OID(EC_PUBLIC_KEY)));
	HSA_TRY(
	    rc, tke_der_fixed(&key, &bits, TKE_DER_BITS, 1 + TKE_POINT_LEN));
	HSA_TRY(rc, hsa_cur_end(&key));
	if (bits[0] != 0 || bits[1] != 0x04)
		return HSA_RC(E_FORMAT);
	memcpy(r->originator, bits + 1, TKE_POINT_LEN);
out:
	return rc;
}

/* SEQ { stdDH-sha256kdf, SEQ { aes256-wrap, NULL } } */
static hsa_rc
agreement(struct hsa_cur *c)
{
	struct hsa_cur in = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(c, &in, TKE_DER_SEQ));
	HSA_TRY(rc, tke_der_exact(&in, TKE_DER_OID, TKE_OID(DH_SHA256_KDF)));
	HSA_TRY(rc, tke_der_algorithm(&in, TKE_OID(AES256_WRAP)));
	rc = hsa_cur_end(&in);
out:
	return rc;
}

/* SEQ { SEQ { [0] { OS SKI }, OS wrapped } } */
static hsa_rc
encrypted_key(struct tke_recipient *r, struct hsa_cur *c)
{
	struct hsa_cur list = {0}, one = {0}, id = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(c, &list, TKE_DER_SEQ));
	HSA_TRY(rc, tke_der_enter(&list, &one, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&list));
	HSA_TRY(rc, tke_der_enter(&one, &id, TKE_DER_CONSTRUCTED(0)));
	HSA_TRY(rc, tke_der_value(&id, &r->ski, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&id));
	HSA_TRY(rc, tke_der_value(&one, &r->encrypted, TKE_DER_OCTETS));
	rc = hsa_cur_end(&one);
out:
	return rc;
}

static hsa_rc
parse_p521(struct tke_recipient *r, struct hsa_cur *c)
{
	struct hsa_cur ukm = {0};
	hsa_rc rc;

	HSA_TRY(rc, originator(r, c));
	HSA_TRY(rc, tke_der_enter(c, &ukm, TKE_DER_CONSTRUCTED(1)));
	HSA_TRY(rc, tke_der_value(&ukm, &r->ukm, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&ukm));
	HSA_TRY(rc, agreement(c));
	HSA_TRY(rc, encrypted_key(r, c));
	if (r->ukm.n > UKM_MAX || r->encrypted.n != WRAPPED_LEN)
		return HSA_RC(E_FORMAT);
	r->kind = TKE_IMPORTER_P521;
out:
	return rc;
}

static hsa_rc
parse_rsa(struct tke_recipient *r, struct hsa_cur *c)
{
	hsa_rc rc;

	HSA_TRY(rc, tke_der_value(c, &r->ski, TKE_DER_CONTEXT(0)));
	HSA_TRY(rc, tke_der_algorithm(c, TKE_OID(RSA)));
	HSA_TRY(rc, tke_der_value(c, &r->encrypted, TKE_DER_OCTETS));
	if (r->encrypted.n != TKE_RSA_LEN)
		return HSA_RC(E_FORMAT);
	r->kind = TKE_IMPORTER_RSA2048;
out:
	return rc;
}

hsa_rc
tke_recipient_parse(struct tke_recipient *r, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_recipient v = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	if (hsa_is_ok(tke_der_version(&in, VERSION_KEY_AGREEMENT))) {
		HSA_TRY(rc, parse_p521(&v, &in));
	} else {
		HSA_TRY(rc, tke_der_version(&in, VERSION_KEY_TRANSPORT));
		HSA_TRY(rc, parse_rsa(&v, &in));
	}
	HSA_TRY(rc, hsa_cur_end(&in));
	if (v.ski.n != TKE_SKI_LEN)
		return HSA_RC(E_FORMAT);
	*r = v;
out:
	return rc;
}

/* ---- key derivation ------------------------------------------------------ */

hsa_rc
tke_kdf_info(struct hsa_buf *b, const void *ukm, size_t n, int with_null)
{
	size_t start, at;

	hsa_buf_be32(b, 1);
	start = b->len;
	tke_der_put(b, TKE_DER_OID, TKE_OID(AES256_WRAP));
	if (with_null)
		tke_der_put(b, TKE_DER_NULL, NULL, 0);
	tke_der_wrap(b, start, TKE_DER_SEQ);
	at = b->len;
	tke_der_put(b, TKE_DER_OCTETS, ukm, n);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(0));
	at = b->len;
	tke_der_put_u32(b, KEK_BITS);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(2));
	tke_der_wrap(b, start, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

/* ---- RecipientInfo, written ---------------------------------------------- */

static hsa_rc
ecdh(uint8_t z[TKE_FIELD_LEN], EVP_PKEY *mine, EVP_PKEY *theirs)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	size_t n = TKE_FIELD_LEN;
	hsa_rc rc = HSA_OK;

	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, theirs) != 1 ||
	    EVP_PKEY_derive(ctx, z, &n) != 1 || n != TKE_FIELD_LEN)
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static hsa_rc
kek_derive(uint8_t kek[KEK_LEN], const uint8_t z[TKE_FIELD_LEN],
    const uint8_t ukm[UKM_LEN])
{
	struct hsa_sha256 *h = hsa_sha256_new();
	struct hsa_buf info = {0};
	hsa_rc rc;

	if (h == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, tke_kdf_info(&info, ukm, UKM_LEN, 1));
	rc = hsa_sha256_three(
	    h, kek, z, TKE_FIELD_LEN, info.p, info.len, NULL, 0);
out:
	hsa_buf_free(&info);
	hsa_sha256_free(h);
	return rc;
}

static hsa_rc
wrap(uint8_t out[WRAPPED_LEN], const uint8_t kek[KEK_LEN],
    const uint8_t part[TKE_PART_LEN])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t block[WRAPPED_LEN + 16] = {0};
	int n = 0, more = 0;
	hsa_rc rc = HSA_OK;

	if (ctx == NULL)
		return HSA_RC(E_NOMEM);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_EncryptInit_ex2(ctx, EVP_aes_256_wrap(), kek, NULL, NULL) !=
		1 ||
	    EVP_EncryptUpdate(ctx, block, &n, part, TKE_PART_LEN) != 1 ||
	    EVP_EncryptFinal_ex(ctx, block + n, &more) != 1 ||
	    n + more != WRAPPED_LEN)
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
	else
		memcpy(out, block, WRAPPED_LEN);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

static void
put_p521(struct hsa_buf *b, const uint8_t point[TKE_POINT_LEN],
    const uint8_t ukm[UKM_LEN], const uint8_t ski[TKE_SKI_LEN],
    const uint8_t wrapped[WRAPPED_LEN])
{
	size_t start = b->len, at, inner;

	tke_der_put_version(b, VERSION_KEY_AGREEMENT);
	at = b->len;
	tke_der_put(b, TKE_DER_OID, TKE_OID(EC_PUBLIC_KEY));
	inner = b->len;
	hsa_buf_u8(b, 0);
	hsa_buf_put(b, point, TKE_POINT_LEN);
	tke_der_wrap(b, inner, TKE_DER_BITS);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(1));
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(0));
	at = b->len;
	tke_der_put(b, TKE_DER_OCTETS, ukm, UKM_LEN);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(1));
	at = b->len;
	tke_der_put(b, TKE_DER_OID, TKE_OID(DH_SHA256_KDF));
	inner = b->len;
	tke_der_put(b, TKE_DER_OID, TKE_OID(AES256_WRAP));
	tke_der_put(b, TKE_DER_NULL, NULL, 0);
	tke_der_wrap(b, inner, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	at = b->len;
	tke_der_put(b, TKE_DER_OCTETS, ski, TKE_SKI_LEN);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(0));
	tke_der_put(b, TKE_DER_OCTETS, wrapped, WRAPPED_LEN);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, start, TKE_DER_SEQ);
}

static hsa_rc
build_p521(
    struct hsa_buf *b, const uint8_t part[TKE_PART_LEN], EVP_PKEY *importer)
{
	EVP_PKEY *ephemeral = EVP_EC_gen("P-521");
	uint8_t point[TKE_POINT_LEN] = {0}, ukm[UKM_LEN] = {0};
	uint8_t ski[TKE_SKI_LEN] = {0}, wrapped[WRAPPED_LEN] = {0};
	uint8_t z[TKE_FIELD_LEN] = {0}, kek[KEK_LEN] = {0};
	hsa_rc rc;

	if (ephemeral == NULL)
		return tke_key_refused(HSA_RC(E_CRYPTO));
	HSA_TRY(rc, tke_point(point, ephemeral));
	HSA_TRY(rc, tke_ski(ski, importer));
	HSA_TRY(rc, hsa_random(ukm, sizeof(ukm)));
	HSA_TRY(rc, ecdh(z, ephemeral, importer));
	HSA_TRY(rc, kek_derive(kek, z, ukm));
	HSA_TRY(rc, wrap(wrapped, kek, part));
	put_p521(b, point, ukm, ski, wrapped);
	rc = hsa_buf_rc(b);
out:
	hsa_wipe(z, sizeof(z));
	hsa_wipe(kek, sizeof(kek));
	EVP_PKEY_free(ephemeral);
	return rc;
}

static hsa_rc
build_rsa(
    struct hsa_buf *b, const uint8_t part[TKE_PART_LEN], EVP_PKEY *importer)
{
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t ski[TKE_SKI_LEN] = {0}, encrypted[TKE_RSA_LEN] = {0};
	size_t n = sizeof(encrypted), start = b->len, at;
	hsa_rc rc;

	HSA_TRY(rc, tke_ski(ski, importer));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, importer, NULL);
	if (ctx == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_encrypt(ctx, encrypted, &n, part, TKE_PART_LEN) != 1 ||
	    n != sizeof(encrypted)) {
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
		goto out;
	}
	tke_der_put_version(b, VERSION_KEY_TRANSPORT);
	tke_der_put(b, TKE_DER_CONTEXT(0), ski, TKE_SKI_LEN);
	at = b->len;
	tke_der_put(b, TKE_DER_OID, TKE_OID(RSA));
	tke_der_put(b, TKE_DER_NULL, NULL, 0);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_put(b, TKE_DER_OCTETS, encrypted, sizeof(encrypted));
	tke_der_wrap(b, start, TKE_DER_SEQ);
	rc = hsa_buf_rc(b);
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

hsa_rc
tke_recipient_build(
    struct hsa_buf *b, const uint8_t part[TKE_PART_LEN], EVP_PKEY *importer)
{
	struct hsa_buf spki = {0};
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, tke_key_spki(&spki, &type, importer));
	rc = type == TKE_KEY_P521 ? build_p521(b, part, importer)
				  : build_rsa(b, part, importer);
out:
	hsa_buf_free(&spki);
	return rc;
}
