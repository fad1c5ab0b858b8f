/* GetAttributeValue and SetAttributeValue. */
#include <stdlib.h>
#include <string.h>

#include "ep11_core.h"
#include "ep11_pkey.h"
#include "ep11_spki.h"

/* ---- one value ----------------------------------------------------------- */

static CK_RV
number(struct hsa_buf *b, CK_ULONG v)
{
	hsa_buf_put(b, &v, sizeof(v));
	return CKR_OK;
}

/* Of the public half, which a private key's blob carries. */
static CK_RV
from_spki(struct hsa_buf *b, const struct ep11_key *k, CK_ATTRIBUTE_TYPE type)
{
	static const struct {
		CK_ATTRIBUTE_TYPE attr;
		CK_KEY_TYPE type;
		const char *name;
	} numbers[] = {
	    {CKA_MODULUS, CKK_RSA, "n"},
	    {CKA_PUBLIC_EXPONENT, CKK_RSA, "e"},
	    {CKA_PRIME, CKK_DSA, "p"},
	    {CKA_SUBPRIME, CKK_DSA, "q"},
	    {CKA_BASE, CKK_DSA, "g"},
	    {CKA_PRIME, CKK_DH, "p"},
	    {CKA_BASE, CKK_DH, "g"},
	};
	struct ep11_pkey pkey = {0};
	struct hsa_buf point = {0};
	CK_RV rv = ep11_pkey_public(&pkey, k->spki.p, k->spki.n);

	if (rv == CKR_OK && type == CKA_EC_POINT) {
		rv = pkey.type == CKK_EC ? ep11_pkey_point(&point, &pkey)
					 : CKR_ATTRIBUTE_TYPE_INVALID;
		if (rv == CKR_OK)
			ep11_octets(b, point.p, point.len);
	} else if (rv == CKR_OK) {
		rv = CKR_ATTRIBUTE_TYPE_INVALID;
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]);
		     i++)
			if (numbers[i].attr == type &&
			    numbers[i].type == pkey.type)
				rv = ep11_pkey_number(
				    b, &pkey, numbers[i].name, 0);
	}
	hsa_buf_free(&point);
	ep11_pkey_free(&pkey);
	return rv;
}

/* Appended; CKR_ATTRIBUTE_TYPE_INVALID when this key has no such thing. */
static CK_RV
value(struct hsa_buf *b, const struct ep11_key *k, CK_ATTRIBUTE_TYPE type)
{
	const struct ep11_bool_row *row = ep11_bool_of(type);
	bool secret = k->cls == CKO_SECRET_KEY;

	if (row != NULL) {
		hsa_buf_u8(b, (k->bools & row->bit) != 0);
		return CKR_OK;
	}
	switch (type) {
	case CKA_CLASS:
		return number(b, k->cls);
	case CKA_KEY_TYPE:
	case CKA_IBM_KEYTYPE:
		return number(b, k->type);
	case CKA_IBM_STD_COMPLIANCE1:
		return number(b, k->mode);
	case CKA_VALUE_LEN:
		return secret ? number(b, k->bits / 8)
			      : CKR_ATTRIBUTE_TYPE_INVALID;
	case CKA_MODULUS_BITS:
		return k->type == CKK_RSA ? number(b, k->bits)
					  : CKR_ATTRIBUTE_TYPE_INVALID;
	case CKA_PRIME_BITS:
		return k->type == CKK_DSA || k->type == CKK_DH
			   ? number(b, k->bits)
			   : CKR_ATTRIBUTE_TYPE_INVALID;
	case CKA_EC_PARAMS:
		if (k->curve == NULL)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		hsa_buf_put(b, k->curve->oid, k->curve->oid_len);
		return CKR_OK;
	case CKA_PUBLIC_KEY_INFO:
		if (secret)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		hsa_buf_put(b, k->spki.p, k->spki.n);
		return CKR_OK;
	default:
		return secret ? CKR_ATTRIBUTE_TYPE_INVALID
			      : from_spki(b, k, type);
	}
}

/* ---- GetAttributeValue --------------------------------------------------- */

/* The room was checked, so that what is copied fits. */
static CK_RV
answer(struct hsa_call *c, const struct ep11_key *k, size_t at[], bool given[])
{
	CK_RV all = CKR_OK;

	for (size_t i = 0; i < c->attr_len; i++) {
		const struct hsa_attr *asked = &c->attr[i];
		struct hsa_attr *got = &c->got[i];
		size_t start = c->out.len;
		CK_RV rv = value(&c->out, k, asked->type);

		if (rv == CKR_HOST_MEMORY || c->out.failed)
			return CKR_HOST_MEMORY;
		got->type = asked->type;
		got->typed = asked->typed;
		got->n = c->out.len - start;
		at[i] = start;
		given[i] = rv == CKR_OK;
		if (rv != CKR_OK) {
			/* not available is no error (ep11-host-api 11.1) */
			got->n = HSA_ATTR_UNAVAILABLE;
			c->out.len = start;
		} else if (!asked->typed &&
			   (asked->p == NULL || asked->n < got->n)) {
			if (asked->p != NULL)
				all = CKR_BUFFER_TOO_SMALL;
			given[i] = false;
			c->out.len = start;
		}
	}
	return all;
}

CK_RV
ep11_do_attr_get(struct ep11_engine *e, struct hsa_call *c)
{
	size_t at[HSA_CALL_ATTR_MAX] = {0};
	bool given[HSA_CALL_ATTR_MAX] = {false};
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_key_get(e, &k, c, c->key, 0);

	if (rv != CKR_OK)
		return rv;
	c->got = calloc(c->attr_len == 0 ? 1 : c->attr_len, sizeof(*c->got));
	if (c->got == NULL) {
		ep11_key_put(e, k);
		return CKR_HOST_MEMORY;
	}
	c->got_len = c->attr_len;
	rv = answer(c, k, at, given);
	/* the buffer stays where it is from here on */
	for (size_t i = 0; i < c->got_len; i++)
		if (given[i])
			c->got[i].p = c->out.p + at[i];
	if (rv == CKR_HOST_MEMORY) {
		free(c->got);
		c->got = NULL;
		c->got_len = 0;
	}
	ep11_key_put(e, k);
	return rv;
}

/* ---- SetAttributeValue --------------------------------------------------- */

static bool
booleans_only(const struct hsa_call *c)
{
	for (size_t i = 0; i < c->attr_len; i++)
		if (ep11_bool_of(c->attr[i].type) == NULL)
			return false;
	return true;
}

CK_RV
ep11_do_attr_set(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_template t;
	struct ep11_key *k = NULL;
	uint32_t word = 0, gained = 0;
	CK_RV rv;

	if (!ep11_cp_on(e->cp, EP11_CP_MODIFY_OBJECTS))
		return CKR_FUNCTION_CANCELED;
	rv = ep11_template_read(&t, c->attr, c->attr_len);
	if (rv == CKR_OK && !booleans_only(c))
		rv = CKR_ATTRIBUTE_READ_ONLY;
	if (rv == CKR_OK)
		rv = ep11_key_get(e, &k, c, c->key, 0);
	if (rv != CKR_OK)
		return rv;
	word = k->bools;
	rv = ep11_bools_change(&word, &t);
	gained = word & ~k->bools;
	/* no use that the key could not have been made with */
	if (rv == CKR_OK && (gained & ~ep11_bools_may(k->cls, k->type)) != 0)
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (rv == CKR_OK && gained != 0)
		rv = ep11_bools_allowed(word, e->cp);
	if (rv == CKR_OK)
		rv = ep11_key_rewrite(e, &c->out, c->key, word);
	ep11_key_put(e, k);
	return rv;
}
