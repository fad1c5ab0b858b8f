/* host_sign.c - signatures and their verification of ep11.h. */
#include "ep11.h"
#include "host_op.h"

CK_RV
m_SignInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    const unsigned char *key, size_t key_len, target_t target)
{
	return host_op_init(
	    HSA_FN_SIGN_INIT, state, state_len, mech, key, key_len, target);
}

CK_RV
m_VerifyInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    const unsigned char *key, size_t key_len, target_t target)
{
	return host_op_init(
	    HSA_FN_VERIFY_INIT, state, state_len, mech, key, key_len, target);
}

CK_RV
m_Sign(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR sig_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_SIGN);

	host_op_state(o, state, state_len);
	host_op_data(o, data, n);
	host_op_out(o, sig, sig_len);
	return host_op_run(o, target);
}

CK_RV
m_Verify(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG sig_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_VERIFY);

	host_op_state(o, state, state_len);
	host_op_data(o, data, n);
	host_op_signature(o, sig, sig_len);
	return host_op_run(o, target);
}

static CK_RV
update(enum hsa_fn fn, unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target)
{
	struct host_op *o = host_op_new(fn);

	host_op_update(o, state, state_len);
	host_op_data(o, data, n);
	return host_op_run(o, target);
}

CK_RV
m_SignUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target)
{
	return update(HSA_FN_SIGN_UPDATE, state, state_len, data, n, target);
}

CK_RV
m_VerifyUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target)
{
	return update(HSA_FN_VERIFY_UPDATE, state, state_len, data, n, target);
}

CK_RV
m_SignFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR sig,
    CK_ULONG_PTR sig_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_SIGN_FINAL);

	host_op_state(o, state, state_len);
	host_op_out(o, sig, sig_len);
	return host_op_run(o, target);
}

CK_RV
m_VerifyFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR sig,
    CK_ULONG sig_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_VERIFY_FINAL);

	host_op_state(o, state, state_len);
	host_op_signature(o, sig, sig_len);
	return host_op_run(o, target);
}

CK_RV
m_SignSingle(const unsigned char *key, size_t key_len, CK_MECHANISM_PTR mech,
    CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR sig_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_SIGN_SINGLE);

	if (o != NULL) {
		host_op_key(o, &o->c.key, key, key_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_data(o, data, n);
	host_op_out(o, sig, sig_len);
	return host_op_run(o, target);
}

CK_RV
m_VerifySingle(const unsigned char *key, size_t key_len, CK_MECHANISM_PTR mech,
    CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG sig_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_VERIFY_SINGLE);

	if (o != NULL) {
		host_op_key(o, &o->c.key, key, key_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_data(o, data, n);
	host_op_signature(o, sig, sig_len);
	return host_op_run(o, target);
}
