/* Encryption and decryption, all forms; the function's number says which. */
#include "ep11_cipher.h"
#include "ep11_rsa.h"
#include "ep11_use.h"

CK_RV
ep11_crypt_once(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in)
{
	if (row->family == EP11_FAMILY_CIPHER)
		return ep11_cipher_once(e, out, encrypt, k, row, m, in);
	if (row->family == EP11_FAMILY_RSA_CRYPT)
		return ep11_rsa_crypt(e, out, encrypt, k, row, m, in);
	return CKR_MECHANISM_INVALID;
}

static bool
encrypts(enum hsa_fn fn)
{
	switch (fn) {
	case HSA_FN_ENCRYPT_INIT:
	case HSA_FN_ENCRYPT_UPDATE:
	case HSA_FN_ENCRYPT_FINAL:
	case HSA_FN_ENCRYPT:
	case HSA_FN_ENCRYPT_SINGLE:
		return true;
	default:
		return false;
	}
}

static CK_FLAGS
flag_of(bool encrypt)
{
	return encrypt ? CKF_ENCRYPT : CKF_DECRYPT;
}

static enum ep11_state_kind
kind_of(bool encrypt)
{
	return encrypt ? EP11_STATE_ENCRYPT : EP11_STATE_DECRYPT;
}

CK_RV
ep11_do_crypt_init(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	bool encrypt = encrypts(c->fn), cipher;
	struct ep11_key *k = NULL;
	CK_RV rv;

	rv = ep11_mech_use(&row, e->cp, &c->mech, flag_of(encrypt));
	if (rv != CKR_OK)
		return rv;
	cipher = row->family == EP11_FAMILY_CIPHER;
	rv = ep11_use_key(e, &k, c, c->key, row, flag_of(encrypt));
	if (rv != CKR_OK)
		return rv;
	rv = cipher ? ep11_cipher_check(row, &c->mech)
		    : ep11_rsa_check(k, row, &c->mech);
	if (rv == CKR_OK)
		rv = ep11_use_begin(e, c, kind_of(encrypt), c->key,
		    cipher ? sizeof(struct ep11_chain) : 0);
	ep11_key_put(e, k);
	return rv;
}

CK_RV
ep11_do_crypt_update(struct ep11_engine *e, struct hsa_call *c)
{
	bool encrypt = encrypts(c->fn);
	struct ep11_run r = {0};
	CK_RV rv =
	    ep11_use_resume(e, c, &r, kind_of(encrypt), flag_of(encrypt));

	/* RSA has no parts */
	if (rv == CKR_OK && r.row->family != EP11_FAMILY_CIPHER)
		rv = CKR_FUNCTION_NOT_SUPPORTED;
	if (rv == CKR_OK)
		rv = ep11_cipher_update(
		    e, &c->out, encrypt, r.k, r.row, &r.op, c->data);
	if (rv == CKR_OK)
		rv = ep11_use_suspend(e, c, &r, kind_of(encrypt));
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_crypt_final(struct ep11_engine *e, struct hsa_call *c)
{
	static const struct hsa_slice nothing;
	bool encrypt = encrypts(c->fn);
	struct ep11_run r = {0};
	CK_RV rv =
	    ep11_use_resume(e, c, &r, kind_of(encrypt), flag_of(encrypt));

	if (rv == CKR_OK && r.row->family == EP11_FAMILY_CIPHER)
		rv = ep11_cipher_final(e, &c->out, encrypt, r.k, r.row, &r.op);
	else if (rv == CKR_OK)
		rv = ep11_crypt_once(
		    e, &c->out, encrypt, r.k, r.row, &r.op.mech, nothing);
	ep11_use_close(e, &r);
	return rv;
}

/* A question about the length alone is answered without the token, where the
 * data does not decide it. A wrong tag is told when it is asked in earnest. */
static bool
length_told(struct hsa_call *c, bool encrypt, const struct ep11_mech_row *row,
    const struct hsa_mech *m, size_t n)
{
	if (!c->length_only || row->family != EP11_FAMILY_CIPHER)
		return false;
	c->needed = ep11_cipher_len(row, m, encrypt, n);
	return c->needed != 0;
}

/* On a state that nothing was fed to: the same as Single. */
CK_RV
ep11_do_crypt(struct ep11_engine *e, struct hsa_call *c)
{
	bool encrypt = encrypts(c->fn);
	struct ep11_run r = {0};
	CK_RV rv =
	    ep11_use_resume(e, c, &r, kind_of(encrypt), flag_of(encrypt));

	if (rv == CKR_OK && r.op.fed)
		rv = CKR_OPERATION_ACTIVE;
	if (rv == CKR_OK &&
	    !length_told(c, encrypt, r.row, &r.op.mech, c->data.n))
		rv = ep11_crypt_once(
		    e, &c->out, encrypt, r.k, r.row, &r.op.mech, c->data);
	ep11_use_close(e, &r);
	return rv;
}

static CK_RV
single(struct ep11_engine *e, struct hsa_call *c, struct hsa_buf *out,
    bool encrypt, struct hsa_slice blob, const struct hsa_mech *m,
    struct hsa_slice in)
{
	const struct ep11_mech_row *row = NULL;
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, m, flag_of(encrypt));

	if (rv == CKR_OK)
		rv = ep11_use_key(e, &k, c, blob, row, flag_of(encrypt));
	if (rv == CKR_OK &&
	    !(out == &c->out && length_told(c, encrypt, row, m, in.n)))
		rv = ep11_crypt_once(e, out, encrypt, k, row, m, in);
	ep11_key_put(e, k);
	return rv;
}

CK_RV
ep11_do_crypt_single(struct ep11_engine *e, struct hsa_call *c)
{
	return single(
	    e, c, &c->out, encrypts(c->fn), c->key, &c->mech, c->data);
}

/* The plain text is ours alone, and wiped. */
CK_RV
ep11_do_reencrypt_single(struct ep11_engine *e, struct hsa_call *c)
{
	struct hsa_buf plain = {0};
	CK_RV rv = single(e, c, &plain, false, c->key, &c->mech, c->data);

	if (rv == CKR_OK)
		rv = single(e, c, &c->out, true, c->key2, &c->mech2,
		    (struct hsa_slice){plain.p, plain.len});
	hsa_buf_free(&plain);
	return rv;
}
