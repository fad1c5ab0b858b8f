#include "ep11_hash.h"
#include "ep11_mac.h"
#include "ep11_rsa.h"
#include "ep11_sign.h"
#include "ep11_use.h"
#include "hsa_hash.h"

#define RAW_MAX 132 /* r and s of P-521; Ed448 has 114 */

static bool
is_rsa(const struct ep11_mech_row *row)
{
	return row->family == EP11_FAMILY_RSA_CRYPT ||
	       row->family == EP11_FAMILY_RSA_SIGN;
}

CK_RV
ep11_sign_check(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m)
{
	size_t n = 0;

	if (row->family == EP11_FAMILY_MAC)
		return ep11_mac_len(&n, k, row, m);
	return is_rsa(row) ? ep11_rsa_check(k, row, m) : CKR_OK;
}

/* m: MACs only */
size_t
ep11_sign_len(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m)
{
	size_t n = 0;

	switch (row->family) {
	case EP11_FAMILY_MAC:
		return ep11_mac_len(&n, k, row, m) == CKR_OK ? n : 0;
	case EP11_FAMILY_ECDSA:
		return 2 * ep11_use_order(k);
	case EP11_FAMILY_EDDSA: /* RFC 8032: 57 bytes for a half of Ed448 */
		return k->curve->number == 24 ? 114 : 64;
	case EP11_FAMILY_DSA:
		return 0;
	default:
		return ep11_use_modulus(k);
	}
}

/* ---- ECDSA, EdDSA, DSA --------------------------------------------------- */

/* Digests longer than the order are cut by OpenSSL inside the token, as FIPS
 * 186-4 6.4 and 4.6 say. */
static CK_RV
curve_sign(struct ep11_engine *e, struct hsa_buf *out, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct hsa_slice in, bool digested)
{
	CK_MECHANISM m = {.mechanism = row->token};
	struct hsa_buf digest = {0};
	CK_RV rv = CKR_OK;

	if (row->hash != 0 && !digested) {
		rv = ep11_use_digest(e, &digest, row->hash, in);
		in = (struct hsa_slice){digest.p, digest.len};
	}
	if (rv == CKR_OK)
		rv = ep11_use_sign(e, out, &m, k->h, in, RAW_MAX, CKR_OK);
	hsa_buf_free(&digest);
	return rv;
}

static CK_RV
curve_verify(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct hsa_slice in, struct hsa_slice sig,
    bool digested)
{
	CK_MECHANISM m = {.mechanism = row->token};
	size_t len = ep11_sign_len(k, row, NULL);
	struct hsa_buf digest = {0};
	CK_RV rv = CKR_OK;

	if (len != 0 && sig.n != len)
		return CKR_SIGNATURE_LEN_RANGE;
	if (row->hash != 0 && !digested) {
		rv = ep11_use_digest(e, &digest, row->hash, in);
		in = (struct hsa_slice){digest.p, digest.len};
	}
	if (rv == CKR_OK)
		rv = ep11_use_verify(
		    e, &m, k->h, in, sig, CKR_SIGNATURE_INVALID);
	hsa_buf_free(&digest);
	return rv;
}

/* ---- by family ----------------------------------------------------------- */

static CK_RV
sign(struct ep11_engine *e, struct hsa_buf *out, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, bool digested)
{
	if (is_rsa(row))
		return ep11_rsa_sign(e, out, k, row, m, in, digested);
	return curve_sign(e, out, k, row, in, digested);
}

static CK_RV
verify(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, struct hsa_slice sig, bool digested)
{
	if (is_rsa(row))
		return ep11_rsa_verify(e, k, row, m, in, sig, digested);
	return curve_verify(e, k, row, in, sig, digested);
}

static CK_RV
mac_out(struct hsa_buf *out, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    const uint8_t *mac)
{
	size_t n = 0;
	CK_RV rv = ep11_mac_len(&n, k, row, m);

	if (rv == CKR_OK)
		hsa_buf_put(out, mac, n);
	return out->failed ? CKR_HOST_MEMORY : rv;
}

static CK_RV
mac_equal(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, const uint8_t *mac, struct hsa_slice sig)
{
	size_t n = 0;
	CK_RV rv = ep11_mac_len(&n, k, row, m);

	if (rv != CKR_OK)
		return rv;
	if (sig.n != n)
		return CKR_SIGNATURE_LEN_RANGE;
	return hsa_equal_ct(mac, sig.p, n) ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV
ep11_sign_once(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in)
{
	uint8_t mac[EP11_MAC_MAX];
	CK_RV rv;

	if (row->family != EP11_FAMILY_MAC)
		return sign(e, out, k, row, m, in, false);
	rv = ep11_sign_check(k, row, m);
	if (rv == CKR_OK)
		rv = ep11_mac_once(e, mac, k, row, in);
	if (rv == CKR_OK)
		rv = mac_out(out, k, row, m, mac);
	hsa_wipe(mac, sizeof(mac));
	return rv;
}

CK_RV
ep11_verify_once(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, struct hsa_slice sig)
{
	uint8_t mac[EP11_MAC_MAX];
	CK_RV rv;

	if (row->family != EP11_FAMILY_MAC)
		return verify(e, k, row, m, in, sig, false);
	rv = ep11_sign_check(k, row, m);
	if (rv == CKR_OK)
		rv = ep11_mac_once(e, mac, k, row, in);
	if (rv == CKR_OK)
		rv = mac_equal(k, row, m, mac, sig);
	hsa_wipe(mac, sizeof(mac));
	return rv;
}

/* ---- in parts ------------------------------------------------------------ */

size_t
ep11_sign_work(const struct ep11_mech_row *row)
{
	if (row->family == EP11_FAMILY_MAC)
		return ep11_mac_work(row);
	return row->hash != 0 ? EP11_HASH_SAVED : 0;
}

static CK_RV
hash_of(struct ep11_hash *h, const struct ep11_mech_row *row,
    const struct ep11_op *op)
{
	if (op->work_len != EP11_HASH_SAVED)
		return CKR_SAVED_STATE_INVALID;
	if (!op->fed) {
		ep11_hash_init(h, row->hash);
		return CKR_OK;
	}
	if (!hsa_is_ok(ep11_hash_decode(h, op->work)) || h->type != row->hash)
		return CKR_SAVED_STATE_INVALID;
	return CKR_OK;
}

CK_RV
ep11_sign_update(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice in)
{
	struct ep11_hash h;
	CK_RV rv;

	if (row->family == EP11_FAMILY_MAC)
		return ep11_mac_update(e, k, row, op, in);
	if (row->hash == 0)
		return CKR_FUNCTION_NOT_SUPPORTED;
	rv = hash_of(&h, row, op);
	if (rv != CKR_OK)
		return rv;
	ep11_hash_update(&h, in.p, in.n);
	ep11_hash_save(op->work, &h);
	return CKR_OK;
}

static CK_RV
digest_of(uint8_t digest[EP11_HASH_MAX], struct hsa_slice *in,
    const struct ep11_mech_row *row, const struct ep11_op *op)
{
	struct ep11_hash h;
	CK_RV rv = hash_of(&h, row, op);

	if (rv != CKR_OK)
		return rv;
	ep11_hash_final(&h, digest);
	*in = (struct hsa_slice){digest, ep11_hash_len(row->hash)};
	return CKR_OK;
}

CK_RV
ep11_sign_final(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op)
{
	uint8_t got[EP11_HASH_MAX];
	struct hsa_slice in = {0};
	CK_RV rv;

	if (!op->fed)
		return ep11_sign_once(e, out, k, row, &op->mech, in);
	if (row->family == EP11_FAMILY_MAC) {
		rv = ep11_mac_final(e, got, k, row, op);
		if (rv == CKR_OK)
			rv = mac_out(out, k, row, &op->mech, got);
		hsa_wipe(got, sizeof(got));
		return rv;
	}
	rv = digest_of(got, &in, row, op);
	return rv == CKR_OK ? sign(e, out, k, row, &op->mech, in, true) : rv;
}

CK_RV
ep11_verify_final(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice sig)
{
	uint8_t got[EP11_HASH_MAX];
	struct hsa_slice in = {0};
	CK_RV rv;

	if (!op->fed)
		return ep11_verify_once(e, k, row, &op->mech, in, sig);
	if (row->family == EP11_FAMILY_MAC) {
		rv = ep11_mac_final(e, got, k, row, op);
		if (rv == CKR_OK)
			rv = mac_equal(k, row, &op->mech, got, sig);
		hsa_wipe(got, sizeof(got));
		return rv;
	}
	rv = digest_of(got, &in, row, op);
	return rv == CKR_OK ? verify(e, k, row, &op->mech, in, sig, true) : rv;
}
