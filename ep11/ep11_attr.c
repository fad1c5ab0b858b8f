#include <string.h>

#include "ep11_attr.h"
#include "ep11_cp.h"

/* ep11-host-api 10.4; the bits it does not map have no right to change. The
 * always-retained bit has no attribute number, and no key here carries it. */
static const struct ep11_bool_row rows[] = {
    {EP11_EXTRACTABLE, CKA_EXTRACTABLE, "CKA_EXTRACTABLE", true, false},
    {EP11_NEVER_EXTRACTABLE, CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE",
	false, false},
    {EP11_MODIFIABLE, CKA_MODIFIABLE, "CKA_MODIFIABLE", true, false},
    {EP11_NEVER_MODIFIABLE, CKA_IBM_NEVER_MODIFIABLE,
	"CKA_IBM_NEVER_MODIFIABLE", false, false},
    {EP11_RESTRICTABLE, CKA_IBM_RESTRICTABLE, "CKA_IBM_RESTRICTABLE", false,
	false},
    {EP11_LOCAL, CKA_LOCAL, "CKA_LOCAL", false, false},
    {EP11_ATTRBOUND, CKA_IBM_ATTRBOUND, "CKA_IBM_ATTRBOUND", false, false},
    {EP11_USE_AS_DATA, CKA_IBM_USE_AS_DATA, "CKA_IBM_USE_AS_DATA", true, true},
    {EP11_SIGN, CKA_SIGN, "CKA_SIGN", true, true},
    {EP11_SIGN_RECOVER, CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", false, false},
    {EP11_DECRYPT, CKA_DECRYPT, "CKA_DECRYPT", true, true},
    {EP11_ENCRYPT, CKA_ENCRYPT, "CKA_ENCRYPT", true, true},
    {EP11_DERIVE, CKA_DERIVE, "CKA_DERIVE", true, true},
    {EP11_UNWRAP, CKA_UNWRAP, "CKA_UNWRAP", true, true},
    {EP11_WRAP, CKA_WRAP, "CKA_WRAP", true, true},
    {EP11_VERIFY, CKA_VERIFY, "CKA_VERIFY", true, true},
    {EP11_VERIFY_RECOVER, CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", false,
	false},
    {EP11_TRUSTED, CKA_TRUSTED, "CKA_TRUSTED", true, false},
    {EP11_WRAP_WITH_TRUSTED, CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED",
	true, true},
    {EP11_RETAINED, CKA_IBM_RETAINKEY, "CKA_IBM_RETAINKEY", false, false},
    {EP11_PROTKEY_EXTRACTABLE, CKA_IBM_PROTKEY_EXTRACTABLE,
	"CKA_IBM_PROTKEY_EXTRACTABLE", true, false},
    {EP11_PROTKEY_NEVER_EXTRACTABLE, CKA_IBM_PROTKEY_NEVER_EXTRACTABLE,
	"CKA_IBM_PROTKEY_NEVER_EXTRACTABLE", false, false},
};

const struct ep11_bool_row *
ep11_bool_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct ep11_bool_row *
ep11_bool_of(CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

/* ---- templates ----------------------------------------------------------- */

/* History of a key: written by the unit alone. */
#define UNIT_ONLY                                                              \
	(EP11_NEVER_EXTRACTABLE | EP11_NEVER_MODIFIABLE | EP11_LOCAL |         \
	    EP11_PROTKEY_NEVER_EXTRACTABLE)

/* What hosts keep for themselves. */
static const CK_ATTRIBUTE_TYPE hosts[] = {CKA_TOKEN, CKA_PRIVATE, CKA_LABEL,
    CKA_ID, CKA_SENSITIVE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_START_DATE,
    CKA_END_DATE, CKA_SUBJECT};

static const CK_ATTRIBUTE_TYPE units[] = {CKA_VALUE, CKA_MODULUS,
    CKA_PRIVATE_EXPONENT, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO,
    CKA_IBM_MACED_PUBLIC_KEY_INFO, CKA_CHECK_VALUE, CKA_ALWAYS_SENSITIVE,
    CKA_KEY_GEN_MECHANISM, CKA_IBM_LOGIN_SESSION};

static bool
among(CK_ATTRIBUTE_TYPE type, const CK_ATTRIBUTE_TYPE *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}
#define AMONG(type, list) among(type, list, sizeof(list) / sizeof((list)[0]))

/* CK_ULONG as it lies in the caller's memory: eight bytes of this machine. */
static CK_RV
number(uint64_t *v, bool *has, const struct hsa_attr *a)
{
	if (a->n != sizeof(*v) || a->p == NULL)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(v, a->p, sizeof(*v));
	*has = true;
	return CKR_OK;
}

static CK_RV
bytes(struct hsa_slice *s, const struct hsa_attr *a)
{
	if (a->n == 0 || a->p == NULL)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	s->p = a->p;
	s->n = a->n;
	return CKR_OK;
}

static CK_RV
boolean(struct ep11_template *t, const struct ep11_bool_row *row,
    const struct hsa_attr *a)
{
	if (a->n != 1 || a->p == NULL || a->p[0] > 1)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if ((row->bit & UNIT_ONLY) != 0)
		return CKR_ATTRIBUTE_READ_ONLY;
	/* a key here is neither kept inside nor handed to the processor */
	if ((row->bit & (EP11_RETAINED | EP11_PROTKEY_EXTRACTABLE)) != 0 &&
	    a->p[0] != 0)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	t->named |= row->bit;
	if (a->p[0] != 0)
		t->values |= row->bit;
	return CKR_OK;
}

static CK_RV
read_one(struct ep11_template *t, const struct hsa_attr *a)
{
	const struct ep11_bool_row *row = ep11_bool_of(a->type);
	uint64_t v = 0;
	bool has = false;
	CK_RV rv = CKR_OK;

	if (row != NULL)
		return boolean(t, row, a);
	switch (a->type) {
	case CKA_CLASS:
		rv = number(&v, &t->has_class, a);
		t->cls = v;
		return rv;
	case CKA_KEY_TYPE:
		rv = number(&v, &t->has_type, a);
		t->type = v;
		return rv;
	case CKA_VALUE_LEN:
		return number(&t->value_len, &t->has_value_len, a);
	case CKA_MODULUS_BITS:
	case CKA_PRIME_BITS:
		rv = number(&v, &has, a);
		/* one of the two at most: no key has both */
		if (rv == CKR_OK && t->has_bits)
			rv = CKR_TEMPLATE_INCONSISTENT;
		if (rv == CKR_OK)
			t->bits = v;
		t->has_bits = t->has_bits || has;
		return rv;
	case CKA_IBM_STD_COMPLIANCE1:
		return number(&t->compliance, &t->has_compliance, a);
	case CKA_PUBLIC_EXPONENT:
		return bytes(&t->exponent, a);
	case CKA_EC_PARAMS:
		return bytes(&t->ec_params, a);
	case CKA_IBM_STRUCT_PARAMS:
		return bytes(&t->struct_params, a);
	case CKA_PRIME:
		return bytes(&t->prime, a);
	case CKA_SUBPRIME:
		return bytes(&t->subprime, a);
	case CKA_BASE:
		return bytes(&t->base, a);
	default:
		break;
	}
	if (AMONG(a->type, hosts))
		return CKR_OK;
	if (AMONG(a->type, units))
		return CKR_ATTRIBUTE_READ_ONLY;
	return CKR_ATTRIBUTE_TYPE_INVALID;
}

CK_RV
ep11_template_read(struct ep11_template *t, const struct hsa_attr *a, size_t n)
{
	memset(t, 0, sizeof(*t));
	if (n > HSA_CALL_ATTR_MAX)
		return CKR_TEMPLATE_INCONSISTENT;
	for (size_t i = 0; i < n; i++) {
		CK_RV rv = CKR_OK;

		for (size_t j = 0; j < i; j++)
			if (a[j].type == a[i].type)
				return CKR_TEMPLATE_INCONSISTENT;
		rv = read_one(t, &a[i]);
		if (rv != CKR_OK)
			return rv;
	}
	return CKR_OK;
}

/* ---- the word of a new key ----------------------------------------------- */

#define CRYPT (EP11_ENCRYPT | EP11_DECRYPT)
#define WRAPS (EP11_WRAP | EP11_UNWRAP)
#define SIGNS (EP11_SIGN | EP11_VERIFY)
#define SECRET (CRYPT | WRAPS | SIGNS | EP11_DERIVE)
#define USES (SECRET | EP11_SIGN_RECOVER | EP11_VERIFY_RECOVER)

/*
 * may: uses that a template may ask for. preset: those it has when nothing is
 * said. Secret keys may have all of them, because hosts ask for all whatever
 * the type (ep11-host-api 11.2 filters for key pairs alone); the mechanism
 * then says which make sense.
 */
static const struct {
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t may, preset;
} uses[] = {
    {CKO_SECRET_KEY, CKK_GENERIC_SECRET, SECRET, SIGNS | EP11_DERIVE},
    {CKO_SECRET_KEY, CKK_AES, SECRET, SECRET},
    {CKO_SECRET_KEY, CKK_DES2, SECRET, SECRET},
    {CKO_SECRET_KEY, CKK_DES3, SECRET, SECRET},
    {CKO_PRIVATE_KEY, CKK_RSA,
	EP11_SIGN | EP11_SIGN_RECOVER | EP11_DECRYPT | EP11_UNWRAP,
	EP11_SIGN | EP11_DECRYPT | EP11_UNWRAP},
    {CKO_PUBLIC_KEY, CKK_RSA,
	EP11_VERIFY | EP11_VERIFY_RECOVER | EP11_ENCRYPT | EP11_WRAP,
	EP11_VERIFY | EP11_ENCRYPT | EP11_WRAP},
    {CKO_PRIVATE_KEY, CKK_EC, EP11_SIGN | EP11_DERIVE, EP11_SIGN | EP11_DERIVE},
    {CKO_PUBLIC_KEY, CKK_EC, EP11_VERIFY | EP11_DERIVE, EP11_VERIFY},
    {CKO_PRIVATE_KEY, CKK_DSA, EP11_SIGN, EP11_SIGN},
    {CKO_PUBLIC_KEY, CKK_DSA, EP11_VERIFY, EP11_VERIFY},
    {CKO_PRIVATE_KEY, CKK_DH, EP11_DERIVE, EP11_DERIVE},
    {CKO_PUBLIC_KEY, CKK_DH, EP11_DERIVE, 0},
};

/* Control points that hold two kinds of use apart, in the order in which a
 * preset (not the template's word) gives way: b is dropped. */
static const struct {
	enum ep11_cp cp;
	uint32_t a, b;
} apart[] = {
    {EP11_CP_WRAP_CRYPT_KEYS, CRYPT, WRAPS},
    {EP11_CP_SIGN_CRYPT_KEYS, CRYPT, SIGNS},
    {EP11_CP_WRAP_SIGN_KEYS, SIGNS, WRAPS},
};

static bool
both(uint32_t word, uint32_t a, uint32_t b)
{
	return (word & a) != 0 && (word & b) != 0;
}

CK_RV
ep11_bools_allowed(uint32_t word, const uint8_t cp[16])
{
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
		if (!ep11_cp_on(cp, apart[i].cp) &&
		    both(word, apart[i].a, apart[i].b))
			return CKR_FUNCTION_CANCELED;
	if (!ep11_cp_on(cp, EP11_CP_ALLOW_COMBINED_EXTRACT) &&
	    both(word, EP11_EXTRACTABLE, EP11_PROTKEY_EXTRACTABLE))
		return CKR_FUNCTION_CANCELED;
	return CKR_OK;
}

uint32_t
ep11_bools_may(CK_OBJECT_CLASS cls, CK_KEY_TYPE type)
{
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (uses[i].cls == cls && uses[i].type == type)
			return uses[i].may | ~(uint32_t)(USES);
	return 0;
}

CK_RV
ep11_bools_new(uint32_t *word, CK_OBJECT_CLASS cls, CK_KEY_TYPE type,
    const struct ep11_template *t, const uint8_t cp[16])
{
	uint32_t w = EP11_EXTRACTABLE | EP11_MODIFIABLE, may = 0;
	bool found = false;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (uses[i].cls != cls || uses[i].type != type)
			continue;
		found = true;
		may = uses[i].may;
		w |= uses[i].preset;
	}
	if (!found || (t->values & USES & ~may) != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	w = (w & ~t->named) | t->values;
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		uint32_t a = apart[i].a, b = apart[i].b;

		if (ep11_cp_on(cp, apart[i].cp) || !both(w, a, b))
			continue;
		/* who names one kind gets that one, else the first stays */
		w &= ~((t->values & b) != 0 ? a & ~t->values : b & ~t->values);
	}
	rv = ep11_bools_allowed(w, cp);
	if (rv != CKR_OK)
		return rv;
	if (((t->values & EP11_TRUSTED) != 0 &&
		!ep11_cp_on(cp, EP11_CP_USER_SET_TRUSTED)) ||
	    ((t->values & EP11_ATTRBOUND) != 0 &&
		!ep11_cp_on(cp, EP11_CP_USER_SET_ATTRBOUND)))
		return CKR_FUNCTION_CANCELED;
	if ((w & EP11_MODIFIABLE) == 0)
		w |= EP11_NEVER_MODIFIABLE;
	*word = w;
	return CKR_OK;
}

/* ---- changing the word --------------------------------------------------- */

CK_RV
ep11_bools_change(uint32_t *word, const struct ep11_template *t)
{
	uint32_t w = *word;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ep11_bool_row *r = &rows[i];
		bool is = (w & r->bit) != 0, want = (t->values & r->bit) != 0;

		if ((t->named & r->bit) == 0 || is == want)
			continue;
		if (!(want ? r->may_set : r->may_clear))
			return CKR_ATTRIBUTE_READ_ONLY;
		/* a restrictable key may lose rights, never gain any: to be
		 * wrapped by any key is a right, so that bit stays */
		if ((*word & EP11_MODIFIABLE) == 0 &&
		    (want || (*word & EP11_RESTRICTABLE) == 0 ||
			r->bit == EP11_WRAP_WITH_TRUSTED))
			return CKR_ATTRIBUTE_READ_ONLY;
		w = want ? w | r->bit : w & ~r->bit;
	}
	*word = w;
	return CKR_OK;
}
