/* host_random.c - random bytes and digests of ep11.h. */
#include "ep11.h"
#include "host_op.h"

CK_RV
m_GenerateRandom(CK_BYTE_PTR out, CK_ULONG n, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_GENERATE_RANDOM);
	CK_ULONG got = n;
	CK_RV rv = CKR_OK;

	if (o != NULL) {
		host_op_blob(o, out, &got);
		o->c.number = n;
	}
	rv = host_op_run(o, target);
	return rv == CKR_OK && got != n ? CKR_DEVICE_ERROR : rv;
}

CK_RV
m_SeedRandom(CK_BYTE_PTR seed, CK_ULONG n, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_SEED_RANDOM);

	host_op_data(o, seed, n);
	return host_op_run(o, target);
}

CK_RV
m_DigestInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST_INIT);

	if (o != NULL)
		host_op_mech(o, &o->c.mech, mech);
	host_op_new_state(o, state, state_len);
	return host_op_run(o, target);
}

CK_RV
m_Digest(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST);

	host_op_state(o, state, state_len);
	host_op_data(o, data, n);
	host_op_out(o, digest, digest_len);
	return host_op_run(o, target);
}

CK_RV
m_DigestUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST_UPDATE);

	host_op_update(o, state, state_len);
	host_op_data(o, data, n);
	return host_op_run(o, target);
}

CK_RV
m_DigestKey(unsigned char *state, size_t state_len, const unsigned char *key,
    size_t key_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST_KEY);

	host_op_update(o, state, state_len);
	if (o != NULL)
		host_op_key(o, &o->c.key, key, key_len);
	return host_op_run(o, target);
}

CK_RV
m_DigestFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR digest,
    CK_ULONG_PTR digest_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST_FINAL);

	host_op_state(o, state, state_len);
	host_op_out(o, digest, digest_len);
	return host_op_run(o, target);
}

CK_RV
m_DigestSingle(CK_MECHANISM_PTR mech, CK_BYTE_PTR data, CK_ULONG n,
    CK_BYTE_PTR digest, CK_ULONG_PTR digest_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DIGEST_SINGLE);

	if (o != NULL)
		host_op_mech(o, &o->c.mech, mech);
	host_op_data(o, data, n);
	host_op_out(o, digest, digest_len);
	return host_op_run(o, target);
}
