/* OA certificates in the CEX7 layout, ep11-tke-wire 8.4. */
#include <string.h>

#include <openssl/evp.h>

#include "hsa_cur.h"
#include "hsa_hash.h"
#include "tke_der.h"
#include "tke_key.h"
#include "tke_oa.h"
#include "tke_oid.h"

#define MAGIC 0x45
#define ALGORITHM 3
#define INFO_LEN 4
#define META_LEN 173 /* without the OA info */
#define OA_INFO_LEN 80
#define OA_INFO_MAX 85 /* what three bytes of SEQUENCE header allow */
#define AUX_LEN 83
#define SIGNER_LEN 207
#define TBS_LEN 544

/* Zero bytes after each section. */
#define INFO_PAD 4
#define META_PAD 3
#define AUX_PAD 5
#define KEY_PAD 2
#define SIGNER_PAD 1

static const uint8_t zeros[64];

/* Section 4 around its SKI and its fixed-width r and s. */
static const uint8_t signer_head[] = {
    0x30, 0x81, 0xcc, 0x02, 0x01, 0x03, 0x80, TKE_SKI_LEN};
static const uint8_t signer_algorithms[] =
    "\x30\x0b\x06\x09" TKE_OID_SHA512 "\x30\x0a\x06\x08" TKE_OID_ECDSA_SHA512
    "\x04\x81\x8b\x30\x81\x88";
static const uint8_t integer_head[] = {TKE_DER_INT, TKE_FIELD_LEN};

/* ---- build --------------------------------------------------------------- */

static void
put_zeros(struct hsa_buf *b, size_t n)
{
	for (; n > sizeof(zeros); n -= sizeof(zeros))
		hsa_buf_put(b, zeros, sizeof(zeros));
	hsa_buf_put(b, zeros, n);
}

static void
put_header(struct hsa_buf *b)
{
	hsa_buf_u8(b, MAGIC);
	hsa_buf_be16(b, 0);
	hsa_buf_u8(b, 5);
	hsa_buf_be32(b, TKE_OA_CERT_LEN);
	hsa_buf_be32(b, INFO_LEN);
	hsa_buf_be32(b, META_LEN + OA_INFO_LEN);
	hsa_buf_be32(b, AUX_LEN);
	hsa_buf_be32(b, TKE_SPKI_P521_LEN);
	hsa_buf_be32(b, SIGNER_LEN);
	hsa_buf_be32(b, 0);
}

static void
put_metadata(struct hsa_buf *b, const char serial[8],
    const uint8_t subject[TKE_SKI_LEN], const uint8_t signer[TKE_SKI_LEN],
    const char time16[16])
{
	static const uint8_t trust[4] = {0x00, 0x20, 0x03, 0x03};
	static const uint8_t blank[OA_INFO_LEN];
	size_t at = b->len, id;

	tke_der_put_u32(b, 2); /* object version */
	tke_der_put(b, TKE_DER_OCTETS, trust, sizeof(trust));
	tke_der_put(b, TKE_DER_OCTETS, "4769SIM ", 8);
	id = b->len;
	hsa_buf_put(b, serial, 8);
	hsa_buf_str(b, "0000");
	tke_der_wrap(b, id, TKE_DER_OCTETS);
	tke_der_put(b, TKE_DER_OCTETS, blank, 32); /* source configuration */
	tke_der_put_u32(b, 1);                     /* creation boot */
	tke_der_put_u32(b, 3);                     /* key type */
	tke_der_put(b, TKE_DER_OCTETS, subject, TKE_SKI_LEN);
	tke_der_put(b, TKE_DER_OCTETS, signer, TKE_SKI_LEN);
	tke_der_put(b, TKE_DER_OCTETS, time16, 16);
	tke_der_put(b, TKE_DER_OCTETS, blank, OA_INFO_LEN);
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

static void
put_aux(struct hsa_buf *b)
{
	size_t at = b->len;

	tke_der_put_version(b, 1);
	tke_der_put(b, TKE_DER_OCTETS, zeros, 64); /* segment hash */
	tke_der_put_u32(b, 2);                     /* owner 2 */
	tke_der_put_u32(b, 6);                     /* owner 3 */
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

hsa_rc
tke_oa_tbs(struct hsa_buf *b, const char serial[8],
    const uint8_t key_point[TKE_POINT_LEN],
    const uint8_t signer_ski[TKE_SKI_LEN], const char time16[16])
{
	struct hsa_buf spki = {0};
	uint8_t ski[TKE_SKI_LEN] = {0};
	EVP_PKEY *key = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tke_key_from_point(&key, key_point));
	HSA_TRY(rc, tke_key_spki(&spki, NULL, key));
	HSA_TRY(rc, hsa_sha256(ski, key_point, TKE_POINT_LEN));
	put_header(b);
	hsa_buf_be32(b, ALGORITHM);
	put_zeros(b, INFO_PAD);
	put_metadata(b, serial, ski, signer_ski, time16);
	put_zeros(b, META_PAD);
	put_aux(b);
	put_zeros(b, AUX_PAD);
	hsa_buf_put(b, spki.p, spki.len);
	put_zeros(b, KEY_PAD);
	rc = hsa_buf_rc(b);
out:
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	return rc;
}

static void
put_integer(struct hsa_buf *b, struct tke_slice v)
{
	hsa_buf_put(b, integer_head, sizeof(integer_head));
	put_zeros(b, TKE_FIELD_LEN - v.n);
	hsa_buf_put(b, v.p, v.n);
}

hsa_rc
tke_oa_finish(struct hsa_buf *b, const uint8_t signer_ski[TKE_SKI_LEN],
    const void *sig, size_t n)
{
	struct tke_slice r = {0}, s = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_buf_rc(b));
	if (b->len != TBS_LEN)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, tke_key_sig_split(&r, &s, sig, n));
	hsa_buf_put(b, signer_head, sizeof(signer_head));
	hsa_buf_put(b, signer_ski, TKE_SKI_LEN);
	hsa_buf_put(b, signer_algorithms, sizeof(signer_algorithms) - 1);
	put_integer(b, r);
	put_integer(b, s);
	put_zeros(b, SIGNER_PAD);
	rc = hsa_buf_rc(b);
out:
	return rc;
}

/* ---- read ---------------------------------------------------------------- */

struct sections {
	struct hsa_cur info, meta, aux, key, signer;
};

static hsa_rc
section(struct hsa_cur *c, struct hsa_cur *in, size_t n, size_t pad)
{
	const uint8_t *p = NULL, *z = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, n));
	HSA_TRY(rc, hsa_cur_bytes(c, &z, pad));
	if (memcmp(z, zeros, pad) != 0)
		return HSA_RC(E_FORMAT);
	*in = hsa_cur_of(p, n);
out:
	return rc;
}

/* Header, then the sections at the only lengths that they can have. */
static hsa_rc
sections(struct sections *s, struct tke_slice *tbs, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	uint32_t total = 0, info = 0, meta = 0, aux = 0, key = 0, signer = 0;
	uint32_t spare32 = 0;
	uint16_t spare = 0;
	uint8_t magic = 0, count = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(&c, &magic));
	HSA_TRY(rc, hsa_cur_be16(&c, &spare));
	HSA_TRY(rc, hsa_cur_u8(&c, &count));
	HSA_TRY(rc, hsa_cur_be32(&c, &total));
	HSA_TRY(rc, hsa_cur_be32(&c, &info));
	HSA_TRY(rc, hsa_cur_be32(&c, &meta));
	HSA_TRY(rc, hsa_cur_be32(&c, &aux));
	HSA_TRY(rc, hsa_cur_be32(&c, &key));
	HSA_TRY(rc, hsa_cur_be32(&c, &signer));
	HSA_TRY(rc, hsa_cur_be32(&c, &spare32));
	if (magic != MAGIC)
		return HSA_RC(E_UNSUPPORTED);
	if (total != n || info != INFO_LEN || meta < META_LEN ||
	    meta > META_LEN + OA_INFO_MAX || (aux != 0 && aux != AUX_LEN) ||
	    key != TKE_SPKI_P521_LEN || signer != SIGNER_LEN ||
	    (count != 5 && (aux != 0 || count != 4)))
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, section(&c, &s->info, info, INFO_PAD));
	HSA_TRY(rc, section(&c, &s->meta, meta, META_PAD));
	HSA_TRY(rc, section(&c, &s->aux, aux, aux == 0 ? 0 : AUX_PAD));
	HSA_TRY(rc, section(&c, &s->key, key, KEY_PAD));
	*tbs = (struct tke_slice){p, (size_t)(c.p - (const uint8_t *)p)};
	HSA_TRY(rc, section(&c, &s->signer, signer, SIGNER_PAD));
	rc = hsa_cur_end(&c);
out:
	return rc;
}

static hsa_rc
metadata(struct tke_oa_cert *v, struct hsa_cur c)
{
	static const size_t before_id[] = {4, 4, 8};
	static const size_t before_ski[] = {32, 4, 4};
	const uint8_t *id = NULL, *subject = NULL, *signer = NULL, *skip = NULL;
	struct hsa_cur in = {0};
	struct tke_slice oa_info = {0};
	hsa_rc rc;

	/* the fixed offsets need one long-form length byte here (8.4) */
	if (hsa_cur_left(&c) < 2 || c.p[1] != 0x81)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, tke_der_enter(&c, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&c));
	for (size_t i = 0; i < 3; i++)
		HSA_TRY(rc,
		    tke_der_fixed(&in, &skip, TKE_DER_OCTETS, before_id[i]));
	HSA_TRY(rc, tke_der_fixed(&in, &id, TKE_DER_OCTETS, 12));
	for (size_t i = 0; i < 3; i++)
		HSA_TRY(rc,
		    tke_der_fixed(&in, &skip, TKE_DER_OCTETS, before_ski[i]));
	HSA_TRY(rc, tke_der_fixed(&in, &subject, TKE_DER_OCTETS, TKE_SKI_LEN));
	HSA_TRY(rc, tke_der_fixed(&in, &signer, TKE_DER_OCTETS, TKE_SKI_LEN));
	HSA_TRY(rc, tke_der_fixed(&in, &skip, TKE_DER_OCTETS, 16));
	HSA_TRY(rc, tke_der_value(&in, &oa_info, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	for (size_t i = 0; i < 12; i++)
		v->adapter_id[i] =
		    (char)(id[i] >= 0x20 && id[i] < 0x7f ? id[i] : '?');
	memcpy(v->subject_ski, subject, TKE_SKI_LEN);
	memcpy(v->signer_ski, signer, TKE_SKI_LEN);
out:
	return rc;
}

static hsa_rc
literal(struct hsa_cur *c, const void *want, size_t n)
{
	const uint8_t *p = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, n));
	if (memcmp(p, want, n) != 0)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

/* The signer's SKI stands here too, outside what is signed: it must agree. */
static hsa_rc
signer_info(struct tke_oa_cert *v, struct hsa_cur c)
{
	hsa_rc rc;

	HSA_TRY(rc, literal(&c, signer_head, sizeof(signer_head)));
	HSA_TRY(rc, literal(&c, v->signer_ski, TKE_SKI_LEN));
	HSA_TRY(
	    rc, literal(&c, signer_algorithms, sizeof(signer_algorithms) - 1));
	v->r.n = v->s.n = TKE_FIELD_LEN;
	HSA_TRY(rc, literal(&c, integer_head, sizeof(integer_head)));
	HSA_TRY(rc, hsa_cur_bytes(&c, &v->r.p, v->r.n));
	HSA_TRY(rc, literal(&c, integer_head, sizeof(integer_head)));
	HSA_TRY(rc, hsa_cur_bytes(&c, &v->s.p, v->s.n));
	rc = hsa_cur_end(&c);
out:
	return rc;
}

hsa_rc
tke_oa_parse(struct tke_oa_cert *c, const void *p, size_t n)
{
	struct tke_oa_cert v = {0};
	struct sections s = {0};
	enum tke_key_type type = TKE_KEY_P521;
	struct tke_slice point = {0};
	hsa_rc rc;

	HSA_TRY(rc, sections(&s, &v.tbs, p, n));
	HSA_TRY(rc, metadata(&v, s.meta));
	HSA_TRY(rc,
	    tke_key_spki_parse(&type, &point, s.key.p, hsa_cur_left(&s.key)));
	if (type != TKE_KEY_P521)
		return HSA_RC(E_UNSUPPORTED);
	memcpy(v.point, point.p, TKE_POINT_LEN);
	HSA_TRY(rc, signer_info(&v, s.signer));
	*c = v;
out:
	return rc;
}

/* ---- chain --------------------------------------------------------------- */

static hsa_rc
signed_by(const struct tke_oa_cert *c, EVP_PKEY *parent)
{
	struct hsa_buf sig = {0};
	hsa_rc rc;

	tke_der_put_unsigned(&sig, c->r.p, c->r.n);
	tke_der_put_unsigned(&sig, c->s.p, c->s.n);
	tke_der_wrap(&sig, 0, TKE_DER_SEQ);
	HSA_TRY(rc, hsa_buf_rc(&sig));
	rc = tke_key_verify(
	    parent, TKE_KEY_P521, sig.p, sig.len, c->tbs.p, c->tbs.n);
out:
	hsa_buf_free(&sig);
	return rc;
}

static hsa_rc
link_check(const struct tke_oa_cert *c, size_t i, EVP_PKEY *parent,
    const uint8_t parent_ski[TKE_SKI_LEN], struct hsa_diag *diag)
{
	hsa_rc rc;

	if (memcmp(c->subject_ski, c->signer_ski, TKE_SKI_LEN) == 0)
		return hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "OA certificate %zu is self-signed: a module's chain must "
		    "end in the installation's root, not in itself",
		    i);
	if (memcmp(c->signer_ski, parent_ski, TKE_SKI_LEN) != 0)
		return hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "OA certificate %zu names another signer than the key "
		    "above it: is this the root of the module's installation?",
		    i);
	rc = signed_by(c, parent);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, rc,
		    "signature of OA certificate %zu does not verify (%s): do "
		    "not trust this module's answers",
		    i, hsa_err_text(rc));
	return rc;
}

hsa_rc
tke_oa_chain_verify(EVP_PKEY **oa_key, const struct tke_slice *certs, size_t n,
    EVP_PKEY *root, struct hsa_diag *diag)
{
	uint8_t parent_ski[TKE_SKI_LEN] = {0};
	struct tke_oa_cert c = {0};
	EVP_PKEY *parent = NULL, *key = NULL;
	hsa_rc rc;

	if (n == 0 || n > TKE_OA_CHAIN_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "chain of %zu OA certificates: between 1 and %d are "
		    "accepted",
		    n, TKE_OA_CHAIN_MAX);
	HSA_TRY(rc, tke_ski(parent_ski, root));
	/* from the root down, so no key is used before it is vouched for */
	for (size_t i = n; i > 0; i--) {
		rc = tke_oa_parse(&c, certs[i - 1].p, certs[i - 1].n);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "OA certificate %zu is not in the CEX7 layout (%s)",
			    i - 1, hsa_err_text(rc));
			goto out;
		}
		HSA_TRY(
		    rc, link_check(&c, i - 1, parent == NULL ? root : parent,
			    parent_ski, diag));
		rc = tke_key_from_point(&key, c.point);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "OA certificate %zu holds a point that is not on "
			    "curve P-521",
			    i - 1);
			goto out;
		}
		EVP_PKEY_free(parent);
		parent = key;
		key = NULL;
		memcpy(parent_ski, c.subject_ski, TKE_SKI_LEN);
	}
	*oa_key = parent;
	parent = NULL;
out:
	EVP_PKEY_free(parent);
	return rc;
}
