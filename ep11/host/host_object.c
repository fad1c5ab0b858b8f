/* host_object.c - attributes and logins of ep11.h. */
#include <string.h>
#include "ep11.h"
#include "host_op.h"

static void
ask_for(struct host_op *o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	size_t i = 0;

	if (n > HSA_CALL_ATTR_MAX || (a == NULL && n > 0)) {
		o->bad = CKR_ARGUMENTS_BAD;
		return;
	}
	for (i = 0; i < n; i++)
		o->attr[i] = (struct hsa_attr){.type = a[i].type,
		    .p = a[i].pValue,
		    .n = a[i].pValue == NULL ? 0 : a[i].ulValueLen};
	o->c.attr = o->attr;
	o->c.attr_len = (size_t)n;
}

/* Each attribute by itself: one that is not there does not hide the others. */
static void
answer(CK_ATTRIBUTE *a, const struct hsa_attr *got)
{
	if (got->n == HSA_ATTR_UNAVAILABLE) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return;
	}
	if (a->pValue != NULL && got->p != NULL && got->n <= a->ulValueLen)
		memcpy(a->pValue, got->p, got->n);
	a->ulValueLen = got->n;
}

CK_RV
m_GetAttributeValue(const unsigned char *blob, size_t n, CK_ATTRIBUTE_PTR templ,
    CK_ULONG templ_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_GET_ATTRIBUTE_VALUE);
	size_t i = 0, j = 0;
	CK_RV rv = CKR_OK;

	if (o != NULL) {
		host_op_key(o, &o->c.key, blob, n);
		ask_for(o, templ, templ_len);
	}
	rv = host_op_call(o, target);
	for (i = 0; o != NULL && o->c.got_len > 0 && i < templ_len; i++)
		for (j = 0; j < o->c.got_len; j++)
			if (o->c.got[j].type == templ[i].type) {
				answer(&templ[i], &o->c.got[j]);
				break;
			}
	host_op_free(o);
	return rv;
}

CK_RV
m_SetAttributeValue(unsigned char *blob, size_t n, CK_ATTRIBUTE_PTR templ,
    CK_ULONG templ_len, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_SET_ATTRIBUTE_VALUE);

	host_op_object(o, blob, n);
	host_op_template(o, templ, templ_len);
	return host_op_run(o, target);
}

/* ---- logins -------------------------------------------------------------- */

CK_RV
m_Login(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, const unsigned char *nonce,
    size_t nonce_len, unsigned char *pinblob, size_t *pinblob_len,
    target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_LOGIN);

	if (o != NULL) {
		host_op_key(o, &o->c.pin, pin, pin_len);
		host_op_key(o, &o->c.nonce, nonce, nonce_len);
	}
	host_op_blob(o, pinblob, pinblob_len);
	return host_op_run(o, target);
}

CK_RV
m_Logout(const unsigned char *pinblob, size_t n, target_t target)
{
	struct host_op *o = host_op_new(HSA_FN_LOGOUT);

	if (o != NULL)
		host_op_key(o, &o->c.pin, pinblob, n);
	return host_op_run(o, target);
}

static struct host_op *
extended(enum hsa_fn fn, const CK_UTF8CHAR *pin, CK_ULONG pin_len,
    const unsigned char *nonce, size_t nonce_len, const unsigned char *xstruct,
    size_t xstruct_len)
{
	struct host_op *o = host_op_new(fn);

	if (o != NULL) {
		host_op_key(o, &o->c.pin, pin, pin_len);
		host_op_key(o, &o->c.nonce, nonce, nonce_len);
	}
	host_op_data(o, xstruct, xstruct_len);
	return o;
}

CK_RV
m_LoginExtended(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
    const unsigned char *nonce, size_t nonce_len, const unsigned char *xstruct,
    size_t xstruct_len, unsigned char *pinblob, size_t *pinblob_len,
    target_t target)
{
	struct host_op *o = extended(HSA_FN_LOGIN_EXTENDED, pin, pin_len, nonce,
	    nonce_len, xstruct, xstruct_len);

	host_op_blob(o, pinblob, pinblob_len);
	return host_op_run(o, target);
}

CK_RV
m_LogoutExtended(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
    const unsigned char *nonce, size_t nonce_len, const unsigned char *xstruct,
    size_t xstruct_len, target_t target)
{
	struct host_op *o = extended(HSA_FN_LOGOUT_EXTENDED, pin, pin_len,
	    nonce, nonce_len, xstruct, xstruct_len);

	return host_op_run(o, target);
}
