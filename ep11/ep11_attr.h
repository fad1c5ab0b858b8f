/*
 * ep11_attr.h - attributes: the boolean word of a key (ep11-host-api 10.4) and
 * templates as calls bring them (11).
 */
#ifndef EP11_ATTR_H
#define EP11_ATTR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "hsa_call.h"

enum ep11_bool {
	EP11_EXTRACTABLE = 0x000001,
	EP11_NEVER_EXTRACTABLE = 0x000002,
	EP11_MODIFIABLE = 0x000004,
	EP11_NEVER_MODIFIABLE = 0x000008,
	EP11_RESTRICTABLE = 0x000010,
	EP11_LOCAL = 0x000020,
	EP11_ATTRBOUND = 0x000040,
	EP11_USE_AS_DATA = 0x000080,
	EP11_SIGN = 0x000100,
	EP11_SIGN_RECOVER = 0x000200,
	EP11_DECRYPT = 0x000400,
	EP11_ENCRYPT = 0x000800,
	EP11_DERIVE = 0x001000,
	EP11_UNWRAP = 0x002000,
	EP11_WRAP = 0x004000,
	EP11_VERIFY = 0x008000,
	EP11_VERIFY_RECOVER = 0x010000,
	EP11_TRUSTED = 0x020000,
	EP11_WRAP_WITH_TRUSTED = 0x040000,
	EP11_RETAINED = 0x080000,
	EP11_ALWAYS_RETAINED = 0x100000,
	EP11_PROTKEY_EXTRACTABLE = 0x200000,
	EP11_PROTKEY_NEVER_EXTRACTABLE = 0x400000
};

struct ep11_bool_row {
	uint32_t bit;
	CK_ATTRIBUTE_TYPE type;
	const char *name;        /* "CKA_EXTRACTABLE" */
	bool may_clear, may_set; /* by SetAttributeValue, when modifiable */
};
const struct ep11_bool_row *ep11_bool_rows(size_t *n);
/* NULL: not one of the booleans. */
const struct ep11_bool_row *ep11_bool_of(CK_ATTRIBUTE_TYPE type);

/* Everything a template may say; absent members are zero with has_* false. */
struct ep11_template {
	uint32_t named;  /* booleans that the template names */
	uint32_t values; /* their values */
	bool has_class, has_type, has_value_len, has_bits, has_compliance;
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint64_t value_len; /* bytes */
	uint64_t bits;      /* CKA_MODULUS_BITS, CKA_PRIME_BITS */
	uint64_t compliance;
	struct hsa_slice exponent;      /* CKA_PUBLIC_EXPONENT */
	struct hsa_slice ec_params;     /* DER */
	struct hsa_slice struct_params; /* CKA_IBM_STRUCT_PARAMS */
	struct hsa_slice prime, subprime, base;
};

/*
 * ep11_template_read(t, a, n) - CKR_ATTRIBUTE_TYPE_INVALID for what no key
 * here can have, CKR_ATTRIBUTE_VALUE_INVALID for a wrong length or value,
 * CKR_TEMPLATE_INCONSISTENT for an attribute given twice,
 * CKR_ATTRIBUTE_READ_ONLY for what only the unit sets. Attributes that hosts
 * keep for themselves (CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_ID,
 * CKA_SENSITIVE, CKA_COPYABLE, dates) are passed over.
 */
CK_RV ep11_template_read(
    struct ep11_template *t, const struct hsa_attr *a, size_t n);

/*
 * ep11_bools_new(word, cls, type, t, cp) - the boolean word of a new key: the
 * class's and type's defaults (extractable, modifiable, every use that the key
 * type has), then what the template says. A default that a control point
 * forbids beside what the template asks for is dropped.
 * CKR_TEMPLATE_INCONSISTENT for a use that the key type does not have,
 * CKR_FUNCTION_CANCELED for what control points 37, 39 to 42 and 75 forbid;
 * the caller adds LOCAL and NEVER_EXTRACTABLE, which only it can know.
 */
CK_RV ep11_bools_new(uint32_t *word, CK_OBJECT_CLASS cls, CK_KEY_TYPE type,
    const struct ep11_template *t, const uint8_t cp[16]);

/*
 * ep11_bools_change(word, t) - SetAttributeValue: what the template names, by
 * the table's two columns. Saying what is so already is no change.
 * CKR_ATTRIBUTE_READ_ONLY: the table, or the key is not modifiable; a
 * restrictable one (CKA_IBM_RESTRICTABLE) may still lose rights that the
 * table lets it lose, so all but CKA_WRAP_WITH_TRUSTED. word is untouched then.
 * ep11_bools_allowed(word, cp) - CKR_FUNCTION_CANCELED when control points 39
 * to 41 or 75 forbid the combination.
 */
CK_RV ep11_bools_change(uint32_t *word, const struct ep11_template *t);
CK_RV ep11_bools_allowed(uint32_t word, const uint8_t cp[16]);
/* Everything that such a key may be given in time: uses of its type, and what
 * is no use. */
uint32_t ep11_bools_may(CK_OBJECT_CLASS cls, CK_KEY_TYPE type);

#endif
