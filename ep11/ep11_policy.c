#include <string.h>

#include "ep11_cp.h"
#include "ep11_policy.h"

static unsigned
of_modulus(uint32_t bits)
{
	return bits >= 15360  ? 256
	       : bits >= 7680 ? 192
	       : bits >= 3072 ? 128
	       : bits >= 2048 ? 112
	       : bits >= 1024 ? 80
			      : 0;
}

static unsigned
of_bits(uint32_t bits)
{
	return bits >= 256   ? 256
	       : bits >= 192 ? 192
	       : bits >= 128 ? 128
	       : bits >= 112 ? 112
	       : bits >= 80  ? 80
			     : 0;
}

unsigned
ep11_policy_strength(
    CK_KEY_TYPE type, uint32_t bits, const struct ep11_curve *curve)
{
	switch (type) {
	case CKK_RSA:
	case CKK_DSA:
	case CKK_DH:
		return of_modulus(bits);
	case CKK_EC:
		return of_bits(((curve != NULL ? curve->bits : bits) + 1) / 2);
	case CKK_DES2:
		return 80;
	case CKK_DES3:
		return 112;
	default:
		return of_bits(bits);
	}
}

static bool
strength_on(const uint8_t cp[16], unsigned strength)
{
	static const struct {
		unsigned strength;
		enum ep11_cp cp;
	} rows[] = {
	    {0, EP11_CP_KEYSZ_BELOW80},
	    {80, EP11_CP_KEYSZ_80},
	    {112, EP11_CP_KEYSZ_112},
	    {128, EP11_CP_KEYSZ_128},
	    {192, EP11_CP_KEYSZ_192},
	    {256, EP11_CP_KEYSZ_256},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].strength == strength)
			return ep11_cp_on(cp, rows[i].cp);
	return false;
}

CK_RV
ep11_policy_key(const uint8_t cp[16], CK_KEY_TYPE type, uint32_t bits,
    const struct ep11_curve *curve)
{
	if ((type == CKK_RSA && !ep11_cp_on(cp, EP11_CP_ALG_RSA)) ||
	    (type == CKK_DSA && !ep11_cp_on(cp, EP11_CP_ALG_DSA)) ||
	    (type == CKK_DH && !ep11_cp_on(cp, EP11_CP_ALG_DH)) ||
	    (type == CKK_EC && !ep11_cp_on(cp, EP11_CP_ALG_EC)))
		return CKR_MECHANISM_INVALID;
	if (type == CKK_EC &&
	    (curve == NULL || !ep11_cp_on(cp, (enum ep11_cp)curve->cp)))
		return CKR_CURVE_NOT_SUPPORTED;
	if (type == CKK_GENERIC_SECRET &&
	    ep11_cp_on(cp, EP11_CP_KEYSZ_HMAC_ANY))
		return CKR_OK;
	if (!strength_on(cp, ep11_policy_strength(type, bits, curve)))
		return CKR_IBM_STATIC_POLICY;
	return CKR_OK;
}

CK_RV
ep11_policy_exponent(const uint8_t cp[16], const uint8_t *e, size_t n)
{
	uint64_t v = 0;

	while (n != 0 && *e == 0) {
		e++;
		n--;
	}
	if (n > sizeof(v))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | e[i];
	if (v < 3 || v % 2 == 0)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (v < 0x10001 && !ep11_cp_on(cp, EP11_CP_KEYSZ_RSA65536))
		return CKR_IBM_STATIC_POLICY;
	return CKR_OK;
}

bool
ep11_policy_secret_len(CK_KEY_TYPE type, uint64_t n)
{
	switch (type) {
	case CKK_AES:
		return n == 16 || n == 24 || n == 32;
	case CKK_DES2:
		return n == 16;
	case CKK_DES3:
		return n == 24;
	case CKK_GENERIC_SECRET:
		return n >= 1 && n <= EP11_SECRET_MAX;
	default:
		return false;
	}
}
