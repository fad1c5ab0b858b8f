/* host_crypt.c - encryption and decryption of ep11.h: pairs of functions that
 * differ in nothing but their number. */
#include "ep11.h"
#include "host_op.h"

CK_RV
m_EncryptInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    const unsigned char *key, size_t key_len, target_t target)
{
	return host_op_init(
	    HSA_FN_ENCRYPT_INIT, state, state_len, mech, key, key_len, target);
}

CK_RV
m_DecryptInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    const unsigned char *key, size_t key_len, target_t target)
{
	return host_op_init(
	    HSA_FN_DECRYPT_INIT, state, state_len, mech, key, key_len, target);
}

static CK_RV
whole(enum hsa_fn fn, const unsigned char *state, size_t state_len,
    CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
    target_t target)
{
	struct host_op *o = host_op_new(fn);

	host_op_state(o, state, state_len);
	host_op_data(o, in, n);
	host_op_out(o, out, out_len);
	return host_op_run(o, target);
}

CK_RV
m_Encrypt(const unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	return whole(
	    HSA_FN_ENCRYPT, state, state_len, in, n, out, out_len, target);
}

CK_RV
m_Decrypt(const unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	return whole(
	    HSA_FN_DECRYPT, state, state_len, in, n, out, out_len, target);
}

static CK_RV
update(enum hsa_fn fn, unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	struct host_op *o = host_op_new(fn);

	host_op_update(o, state, state_len);
	host_op_data(o, in, n);
	host_op_out(o, out, out_len);
	return host_op_run(o, target);
}

CK_RV
m_EncryptUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	return update(HSA_FN_ENCRYPT_UPDATE, state, state_len, in, n, out,
	    out_len, target);
}

CK_RV
m_DecryptUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	return update(HSA_FN_DECRYPT_UPDATE, state, state_len, in, n, out,
	    out_len, target);
}

static CK_RV
final(enum hsa_fn fn, const unsigned char *state, size_t state_len,
    CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target)
{
	struct host_op *o = host_op_new(fn);

	host_op_state(o, state, state_len);
	host_op_out(o, out, out_len);
	return host_op_run(o, target);
}

CK_RV
m_EncryptFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR out,
    CK_ULONG_PTR out_len, target_t target)
{
	return final(
	    HSA_FN_ENCRYPT_FINAL, state, state_len, out, out_len, target);
}

CK_RV
m_DecryptFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR out,
    CK_ULONG_PTR out_len, target_t target)
{
	return final(
	    HSA_FN_DECRYPT_FINAL, state, state_len, out, out_len, target);
}

static CK_RV
single(enum hsa_fn fn, const unsigned char *key, size_t key_len,
    const CK_MECHANISM *mech, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out,
    CK_ULONG_PTR out_len, target_t target)
{
	struct host_op *o = host_op_new(fn);

	if (o != NULL) {
		host_op_key(o, &o->c.key, key, key_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_data(o, in, n);
	host_op_out(o, out, out_len);
	return host_op_run(o, target);
}

CK_RV
m_EncryptSingle(const unsigned char *key, size_t key_len, CK_MECHANISM_PTR mech,
    CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
    target_t target)
{
	return single(HSA_FN_ENCRYPT_SINGLE, key, key_len, mech, in, n, out,
	    out_len, target);
}

CK_RV
m_DecryptSingle(const unsigned char *key, size_t key_len, CK_MECHANISM_PTR mech,
    CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
    target_t target)
{
	return single(HSA_FN_DECRYPT_SINGLE, key, key_len, mech, in, n, out,
	    out_len, target);
}

CK_RV
m_ReencryptSingle(const unsigned char *decrypt_key, size_t decrypt_len,
    const unsigned char *encrypt_key, size_t encrypt_len,
    CK_MECHANISM_PTR decrypt_mech, CK_MECHANISM_PTR encrypt_mech,
    CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_REENCRYPT_SINGLE);

	if (o != NULL) {
		host_op_key(o, &o->c.key, decrypt_key, decrypt_len);
		host_op_key(o, &o->c.key2, encrypt_key, encrypt_len);
		host_op_mech(o, &o->c.mech, decrypt_mech);
		host_op_mech(o, &o->c.mech2, encrypt_mech);
	}
	host_op_data(o, in, n);
	host_op_out(o, out, out_len);
	return host_op_run(o, target);
}
