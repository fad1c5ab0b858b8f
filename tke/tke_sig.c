/* SignerInfo, ep11-tke-wire 6 and 8.1. */
#include <string.h>

#include "tke_der.h"
#include "tke_key.h"
#include "tke_oid.h"
#include "tke_sig.h"

#define VERSION 3

/* A type's two algorithms; half of one pair with half of the other is none. */
static hsa_rc
algorithms(struct hsa_cur *c, enum tke_key_type *type)
{
	hsa_rc rc;

	if (hsa_is_ok(tke_der_algorithm(c, TKE_OID(SHA512)))) {
		HSA_TRY(rc, tke_der_algorithm(c, TKE_OID(ECDSA_SHA512)));
		*type = TKE_KEY_P521;
		return rc;
	}
	HSA_TRY(rc, tke_der_algorithm(c, TKE_OID(SHA256)));
	HSA_TRY(rc, tke_der_algorithm(c, TKE_OID(RSA)));
	*type = TKE_KEY_RSA2048;
out:
	return rc;
}

hsa_rc
tke_signer_info_parse(struct tke_signer_info *s, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_signer_info v = {0};
	struct tke_slice r = {0}, t = {0};
	const uint8_t *ski = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, tke_der_version(&in, VERSION));
	HSA_TRY(rc, tke_der_fixed(&in, &ski, TKE_DER_CONTEXT(0), TKE_SKI_LEN));
	HSA_TRY(rc, algorithms(&in, &v.type));
	HSA_TRY(rc, tke_der_value(&in, &v.signature, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (v.type == TKE_KEY_P521)
		HSA_TRY(rc,
		    tke_key_sig_split(&r, &t, v.signature.p, v.signature.n));
	else if (v.signature.n != TKE_RSA_LEN)
		return HSA_RC(E_FORMAT);
	memcpy(v.ski, ski, TKE_SKI_LEN);
	v.used = n - hsa_cur_left(&all);
	*s = v;
out:
	return rc;
}

static void
put_algorithm(struct hsa_buf *b, const void *oid, size_t n)
{
	size_t at = b->len;

	tke_der_put(b, TKE_DER_OID, oid, n);
	tke_der_put(b, TKE_DER_NULL, NULL, 0);
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

hsa_rc
tke_signer_info_encode(struct hsa_buf *b, enum tke_key_type type,
    const uint8_t ski[TKE_SKI_LEN], const void *sig, size_t n)
{
	size_t at = b->len;

	tke_der_put_version(b, VERSION);
	tke_der_put(b, TKE_DER_CONTEXT(0), ski, TKE_SKI_LEN);
	if (type == TKE_KEY_P521) {
		put_algorithm(b, TKE_OID(SHA512));
		put_algorithm(b, TKE_OID(ECDSA_SHA512));
	} else {
		put_algorithm(b, TKE_OID(SHA256));
		put_algorithm(b, TKE_OID(RSA));
	}
	tke_der_put(b, TKE_DER_OCTETS, sig, n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_verify(const struct tke_signer_info *s, struct evp_pkey_st *key,
    const void *msg, size_t n)
{
	return tke_key_verify(
	    key, s->type, s->signature.p, s->signature.n, msg, n);
}

hsa_rc
tke_sign(struct hsa_buf *b, struct evp_pkey_st *key, const void *msg, size_t n)
{
	struct hsa_buf spki = {0}, sig = {0};
	uint8_t ski[TKE_SKI_LEN] = {0};
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, tke_key_spki(&spki, &type, key));
	HSA_TRY(rc, tke_ski(ski, key));
	HSA_TRY(rc, tke_key_sign(&sig, key, msg, n));
	rc = tke_signer_info_encode(b, type, ski, sig.p, sig.len);
out:
	hsa_buf_free(&spki);
	hsa_buf_free(&sig);
	return rc;
}
