/* host_key.c - keys of ep11.h: making, wrapping, deriving. */
#include "ep11.h"
#include "host_op.h"

static void
csum_to(struct host_op *o, unsigned char *csum, size_t *csum_len)
{
	if (o != NULL && csum_len != NULL)
		o->csum = (struct host_room){csum, csum_len};
}

CK_RV
m_GenerateKey(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR templ, CK_ULONG templ_len,
    const unsigned char *pin, size_t pin_len, unsigned char *key,
    size_t *key_len, unsigned char *csum, size_t *csum_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_GENERATE_KEY);

	if (o != NULL) {
		host_op_mech(o, &o->c.mech, mech);
		host_op_key(o, &o->c.pin, pin, pin_len);
	}
	host_op_template(o, templ, templ_len);
	host_op_blob(o, key, key_len);
	csum_to(o, csum, csum_len);
	return host_op_run(o, target);
}

CK_RV
m_GenerateKeyPair(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR pub_templ,
    CK_ULONG pub_len, CK_ATTRIBUTE_PTR prv_templ, CK_ULONG prv_len,
    const unsigned char *pin, size_t pin_len, unsigned char *prv,
    size_t *prv_blob_len, unsigned char *pub, size_t *pub_blob_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_GENERATE_KEY_PAIR);

	if (o != NULL) {
		host_op_mech(o, &o->c.mech, mech);
		host_op_key(o, &o->c.pin, pin, pin_len);
	}
	host_op_template(o, pub_templ, pub_len);
	host_op_template2(o, prv_templ, prv_len);
	host_op_blob(o, prv, prv_blob_len);
	host_op_pub(o, pub, pub_blob_len);
	return host_op_run(o, target);
}

CK_RV
m_WrapKey(const unsigned char *key, size_t key_len, const unsigned char *kek,
    size_t kek_len, const unsigned char *mackey, size_t mackey_len,
    CK_MECHANISM_PTR mech, CK_BYTE_PTR wrapped, CK_ULONG_PTR wrapped_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_WRAP_KEY);

	if (o != NULL) {
		host_op_key(o, &o->c.key, key, key_len);
		host_op_key(o, &o->c.key2, kek, kek_len);
		host_op_key(o, &o->c.key3, mackey, mackey_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_out(o, wrapped, wrapped_len);
	return host_op_run(o, target);
}

CK_RV
m_UnwrapKey(CK_BYTE_PTR wrapped, CK_ULONG wrapped_len, const unsigned char *kek,
    size_t kek_len, const unsigned char *mackey, size_t mackey_len,
    const unsigned char *pin, size_t pin_len, CK_MECHANISM_PTR mech,
    CK_ATTRIBUTE_PTR templ, CK_ULONG templ_len, unsigned char *key,
    size_t *key_len, CK_BYTE_PTR csum, CK_ULONG *csum_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_UNWRAP_KEY);

	if (o != NULL) {
		host_op_key(o, &o->c.key2, kek, kek_len);
		host_op_key(o, &o->c.key3, mackey, mackey_len);
		host_op_key(o, &o->c.pin, pin, pin_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_data(o, wrapped, wrapped_len);
	host_op_template(o, templ, templ_len);
	host_op_blob(o, key, key_len);
	csum_to(o, csum, csum_len);
	return host_op_run(o, target);
}

CK_RV
m_DeriveKey(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR templ, CK_ULONG templ_len,
    const unsigned char *base, size_t base_len, const unsigned char *data,
    size_t data_len, const unsigned char *pin, size_t pin_len,
    unsigned char *key, size_t *key_len, unsigned char *csum, size_t *csum_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_DERIVE_KEY);

	if (o != NULL) {
		host_op_mech(o, &o->c.mech, mech);
		host_op_key(o, &o->c.key, base, base_len);
		host_op_key(o, &o->c.pin, pin, pin_len);
	}
	/* absent, whatever the length, as a key would be */
	host_op_data(o, data, data == NULL ? 0 : data_len);
	host_op_template(o, templ, templ_len);
	host_op_blob(o, key, key_len);
	csum_to(o, csum, csum_len);
	return host_op_run(o, target);
}
