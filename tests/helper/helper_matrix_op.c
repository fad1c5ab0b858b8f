/* Calls in their three forms: Single; Init and one call; Init, Update, Final.
 */
#include <string.h>

#include "helper_matrix.h"

struct state {
	unsigned char p[12288];
	size_t n;
};

/* Odd on purpose: nothing begins or ends where a block does. */
static size_t
next_part(size_t done, size_t n)
{
	size_t part = done == 0 ? 1 : done == 1 ? 18 : n - done;

	return part < n - done ? part : n - done;
}

CK_RV
mx_crypt(bool encrypt, enum mx_form form, const struct mx_bytes *key,
    CK_MECHANISM *m, const void *in, size_t n, struct mx_bytes *out)
{
	struct state s = {.n = sizeof(s.p)};
	CK_ULONG room = sizeof(out->p), all = 0;
	CK_RV rv;

	out->n = 0;
	if (form == MX_SINGLE) {
		rv = (encrypt ? mx.m_EncryptSingle : mx.m_DecryptSingle)(key->p,
		    key->n, m, ep11_input(in), n, out->p, &room, mx_target);
		out->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	rv = (encrypt ? mx.m_EncryptInit : mx.m_DecryptInit)(
	    s.p, &s.n, m, key->p, key->n, mx_target);
	if (rv != CKR_OK)
		return rv;
	if (form == MX_ONESHOT) {
		rv = (encrypt ? mx.m_Encrypt : mx.m_Decrypt)(
		    s.p, s.n, ep11_input(in), n, out->p, &room, mx_target);
		out->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	for (size_t done = 0, part; done < n; done += part) {
		const uint8_t *at = (const uint8_t *)in + done;

		part = next_part(done, n);
		room = sizeof(out->p) - all;
		rv = (encrypt ? mx.m_EncryptUpdate : mx.m_DecryptUpdate)(s.p,
		    s.n, ep11_input(at), part, out->p + all, &room, mx_target);
		if (rv != CKR_OK)
			return rv;
		all += room;
	}
	room = sizeof(out->p) - all;
	rv = (encrypt ? mx.m_EncryptFinal : mx.m_DecryptFinal)(
	    s.p, s.n, out->p + all, &room, mx_target);
	out->n = rv == CKR_OK ? all + room : 0;
	return rv;
}

CK_RV
mx_sign(enum mx_form form, const struct mx_bytes *key, CK_MECHANISM *m,
    const void *in, size_t n, struct mx_bytes *sig)
{
	struct state s = {.n = sizeof(s.p)};
	CK_ULONG room = sizeof(sig->p);
	CK_RV rv;

	sig->n = 0;
	if (form == MX_SINGLE) {
		rv = mx.m_SignSingle(key->p, key->n, m, ep11_input(in), n,
		    sig->p, &room, mx_target);
		sig->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	rv = mx.m_SignInit(s.p, &s.n, m, key->p, key->n, mx_target);
	if (rv != CKR_OK)
		return rv;
	if (form == MX_ONESHOT) {
		rv = mx.m_Sign(
		    s.p, s.n, ep11_input(in), n, sig->p, &room, mx_target);
		sig->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	for (size_t done = 0, part; done < n; done += part) {
		const uint8_t *at = (const uint8_t *)in + done;

		part = next_part(done, n);
		rv = mx.m_SignUpdate(s.p, s.n, ep11_input(at), part, mx_target);
		if (rv != CKR_OK)
			return rv;
	}
	rv = mx.m_SignFinal(s.p, s.n, sig->p, &room, mx_target);
	sig->n = rv == CKR_OK ? room : 0;
	return rv;
}

CK_RV
mx_verify(enum mx_form form, const struct mx_bytes *key, CK_MECHANISM *m,
    const void *in, size_t n, const void *sig, size_t sig_len)
{
	struct state s = {.n = sizeof(s.p)};
	CK_RV rv;

	if (form == MX_SINGLE)
		return mx.m_VerifySingle(key->p, key->n, m, ep11_input(in), n,
		    ep11_input(sig), sig_len, mx_target);
	rv = mx.m_VerifyInit(s.p, &s.n, m, key->p, key->n, mx_target);
	if (rv != CKR_OK)
		return rv;
	if (form == MX_ONESHOT)
		return mx.m_Verify(s.p, s.n, ep11_input(in), n, ep11_input(sig),
		    sig_len, mx_target);
	for (size_t done = 0, part; done < n; done += part) {
		const uint8_t *at = (const uint8_t *)in + done;

		part = next_part(done, n);
		rv = mx.m_VerifyUpdate(
		    s.p, s.n, ep11_input(at), part, mx_target);
		if (rv != CKR_OK)
			return rv;
	}
	return mx.m_VerifyFinal(s.p, s.n, ep11_input(sig), sig_len, mx_target);
}

CK_RV
mx_digest(enum mx_form form, CK_MECHANISM *m, const void *in, size_t n,
    struct mx_bytes *out)
{
	struct state s = {.n = sizeof(s.p)};
	CK_ULONG room = sizeof(out->p);
	CK_RV rv;

	out->n = 0;
	if (form == MX_SINGLE) {
		rv = mx.m_DigestSingle(
		    m, ep11_input(in), n, out->p, &room, mx_target);
		out->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	rv = mx.m_DigestInit(s.p, &s.n, m, mx_target);
	if (rv != CKR_OK)
		return rv;
	if (form == MX_ONESHOT) {
		rv = mx.m_Digest(
		    s.p, s.n, ep11_input(in), n, out->p, &room, mx_target);
		out->n = rv == CKR_OK ? room : 0;
		return rv;
	}
	for (size_t done = 0, part; done < n; done += part) {
		const uint8_t *at = (const uint8_t *)in + done;

		part = next_part(done, n);
		rv = mx.m_DigestUpdate(
		    s.p, s.n, ep11_input(at), part, mx_target);
		if (rv != CKR_OK)
			return rv;
	}
	rv = mx.m_DigestFinal(s.p, s.n, out->p, &room, mx_target);
	out->n = rv == CKR_OK ? room : 0;
	return rv;
}

/* ---- and what they must give --------------------------------------------- */

static const char *const form_name[MX_FORMS] = {"Single", "one call", "parts"};

void
mx_crypt_check(CK_MECHANISM *m, const struct mx_bytes *key, const void *plain,
    size_t n, const void *cipher, size_t cn)
{
	bool whole = mx_single_part(m->mechanism);
	struct mx_bytes out;

	for (int f = 0; f < (whole ? MX_PARTS : MX_FORMS); f++) {
		enum mx_form form = (enum mx_form)f;
		enum mx_col to = mx_col(MX_ENCRYPT, form),
			    from = mx_col(MX_DECRYPT, form);

		if (mx_ok(m->mechanism, to,
			mx_crypt(true, form, key, m, plain, n, &out),
			"%s of %zu bytes", form_name[f], n))
			mx_check(m->mechanism, to, mx_same(&out, cipher, cn),
			    "%s of %zu bytes: ciphertext differs", form_name[f],
			    n);
		if (mx_ok(m->mechanism, from,
			mx_crypt(false, form, key, m, cipher, cn, &out),
			"%s of %zu bytes", form_name[f], cn))
			mx_check(m->mechanism, from, mx_same(&out, plain, n),
			    "%s of %zu bytes: plaintext differs", form_name[f],
			    cn);
	}
	if (whole) {
		mx_parts_refused(m, MX_ENCRYPT, key);
		mx_parts_refused(m, MX_DECRYPT, key);
	}
}

void
mx_mac_check(CK_MECHANISM *m, const struct mx_bytes *key, const void *in,
    size_t n, const void *mac, size_t mn)
{
	struct mx_bytes out;

	for (int f = 0; f < MX_FORMS; f++) {
		enum mx_form form = (enum mx_form)f;
		enum mx_col sign = mx_col(MX_SIGN, form),
			    verify = mx_col(MX_VERIFY, form);

		if (mx_ok(m->mechanism, sign,
			mx_sign(form, key, m, in, n, &out), "%s of %zu bytes",
			form_name[f], n))
			mx_check(m->mechanism, sign, mx_same(&out, mac, mn),
			    "%s of %zu bytes: MAC differs", form_name[f], n);
		mx_ok(m->mechanism, verify,
		    mx_verify(form, key, m, in, n, mac, mn), "%s of %zu bytes",
		    form_name[f], n);
		mx_set(&out, mac, mn);
		out.p[mn / 2] ^= 0x10;
		mx_check(m->mechanism, verify,
		    mx_verify(form, key, m, in, n, out.p, mn) ==
			CKR_SIGNATURE_INVALID,
		    "%s of %zu bytes: another MAC is good", form_name[f], n);
	}
}

void
mx_parts_refused(
    CK_MECHANISM *m, enum mx_col function, const struct mx_bytes *key)
{
	struct mx_bytes in = {.n = 32}, out;
	CK_RV rv;

	memset(in.p, 1, in.n);
	switch (function) {
	case MX_ENCRYPT:
	case MX_DECRYPT:
		rv = mx_crypt(
		    function == MX_ENCRYPT, MX_PARTS, key, m, in.p, in.n, &out);
		break;
	case MX_SIGN:
		rv = mx_sign(MX_PARTS, key, m, in.p, in.n, &out);
		break;
	default:
		rv = mx_verify(MX_PARTS, key, m, in.p, in.n, in.p, in.n);
		break;
	}
	mx_check(m->mechanism, mx_col(function, MX_PARTS),
	    rv == CKR_FUNCTION_NOT_SUPPORTED,
	    "Update of a single-part mechanism: %lx", rv);
}
