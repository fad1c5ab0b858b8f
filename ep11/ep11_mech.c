#include <string.h>

#include "ep11_cp.h"
#include "ep11_mech.h"

#define CRYPT (CKF_ENCRYPT | CKF_DECRYPT)
#define WRAPS (CKF_WRAP | CKF_UNWRAP)
#define SIGNS (CKF_SIGN | CKF_VERIFY)
#define CURVES (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

/* the control points that rows name, and the end of their list */
enum {
	END = -1,
	NFIPS2021 = EP11_CP_ALG_NFIPS2021,
	NFIPS2024 = EP11_CP_ALG_NFIPS2024,
	NBSI2017 = EP11_CP_ALG_NBSI2017,
	ALG_RSA = EP11_CP_ALG_RSA,
	ALG_RSA_OAEP = EP11_CP_ALG_RSA_OAEP,
	ALG_RAW_RSA = EP11_CP_ALG_RAW_RSA,
	ALG_EC = EP11_CP_ALG_EC,
	ALG_EC_25519 = EP11_CP_ALG_EC_25519,
	ALG_DSA = EP11_CP_ALG_DSA,
	ALG_DH = EP11_CP_ALG_DH,
	DERIVE = EP11_CP_DERIVE
};

static const struct ep11_mech_row rows[] = {
#define EP11_MECH(                                                             \
    name, family, key, token, hash, param, len, min, max, flags, ...)          \
	{CKM_##name, "CKM_" #name, EP11_FAMILY_##family, key, token, hash,     \
	    HSA_MECH_##param, len, min, max, flags, {__VA_ARGS__, END}},
#include "ep11_mech.def"
#undef EP11_MECH
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

enum {
#define EP11_MECH(name, ...) ROW_##name,
#include "ep11_mech.def"
#undef EP11_MECH
};

const struct ep11_mech_row *
ep11_mech_rows(size_t *n)
{
	*n = ROWS;
	return rows;
}

/* A switch: as fast as can be on the hot path, and a number given twice does
 * not compile. */
const struct ep11_mech_row *
ep11_mech_find(CK_MECHANISM_TYPE type)
{
	switch (type) {
#define EP11_MECH(name, ...)                                                   \
	case CKM_##name:                                                       \
		return &rows[ROW_##name];
#include "ep11_mech.def"
#undef EP11_MECH
	default:
		return NULL;
	}
}

const struct ep11_mech_row *
ep11_mech_find_name(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *
ep11_mech_name(CK_MECHANISM_TYPE type)
{
	const struct ep11_mech_row *row = ep11_mech_find(type);

	return row != NULL ? row->name : NULL;
}

bool
ep11_mech_key_fits(const struct ep11_mech_row *row, CK_KEY_TYPE type)
{
	if (row->key_type == EP11_KEY_ANY && row->family == EP11_FAMILY_MAC)
		return type == CKK_AES || type == CKK_DES2 || type == CKK_DES3;
	if (row->key_type == CKK_DES3)
		return type == CKK_DES3 || type == CKK_DES2;
	return row->key_type == EP11_KEY_ANY || row->key_type == type;
}

/* ---- control points ------------------------------------------------------ */

static bool
algorithm_on(const struct ep11_mech_row *row, const uint8_t cp[16])
{
	for (const int *p = row->cp; *p != END; p++)
		if (!ep11_cp_on(cp, (enum ep11_cp) * p))
			return false;
	return true;
}

/* ep11-host-api 18.4, 2 to 13: private and symmetric keys have one control
 * point a use, public keys none. */
static int
use_cp(enum ep11_family family, CK_FLAGS flag)
{
	bool symmetric = family == EP11_FAMILY_CIPHER ||
			 family == EP11_FAMILY_MAC ||
			 family == EP11_FAMILY_KEY_WRAP;

	/* which of the two it is, is up to the key that wraps */
	if (family == EP11_FAMILY_ATTRBOUND || family == EP11_FAMILY_TRANSPORT)
		return END;
	switch (flag) {
	case CKF_ENCRYPT:
		return symmetric ? (int)EP11_CP_ENCRYPT_SYMM : END;
	case CKF_DECRYPT:
		return symmetric ? EP11_CP_DECRYPT_SYMM : EP11_CP_DECRYPT_ASYMM;
	case CKF_SIGN:
		return symmetric ? EP11_CP_SIGN_SYMM : EP11_CP_SIGN_ASYMM;
	case CKF_VERIFY:
		return symmetric ? (int)EP11_CP_VERIFY_SYMM : END;
	case CKF_WRAP:
		return symmetric ? EP11_CP_WRAP_SYMM : EP11_CP_WRAP_ASYMM;
	case CKF_UNWRAP:
		return symmetric ? EP11_CP_UNWRAP_SYMM : EP11_CP_UNWRAP_ASYMM;
	case CKF_GENERATE:
		return EP11_CP_KEYGEN_SYMM;
	case CKF_GENERATE_KEY_PAIR:
		return EP11_CP_KEYGEN_ASYMM;
	case CKF_DERIVE:
		return EP11_CP_KEYGEN_SYMM;
	default:
		return END;
	}
}

static bool
use_on(const struct ep11_mech_row *row, const uint8_t cp[16], CK_FLAGS flag)
{
	int bit = use_cp(row->family, flag);

	return bit == END || ep11_cp_on(cp, (enum ep11_cp)bit);
}

CK_FLAGS
ep11_mech_flags(const struct ep11_mech_row *row, const uint8_t cp[16])
{
	CK_FLAGS left = row->flags & ~CURVES;

	if (!algorithm_on(row, cp))
		return 0;
	for (CK_FLAGS f = 1; f != 0 && f <= left; f <<= 1)
		if ((left & f) != 0 && !use_on(row, cp, f))
			left &= ~f;
	return left == 0 ? 0 : left | (row->flags & CURVES);
}

static bool
param_fits(const struct ep11_mech_row *row, const struct hsa_mech *m)
{
	bool bytes = m->kind == HSA_MECH_BYTES;

	switch (row->param) {
	case HSA_MECH_NONE:
		return m->kind == HSA_MECH_NONE || (bytes && m->a.n == 0);
	case HSA_MECH_BYTES:
		return bytes &&
		       (row->param_len == 0 || m->a.n == row->param_len);
	case HSA_MECH_ECDH1:
		return bytes || m->kind == HSA_MECH_ECDH1;
	default:
		return m->kind == row->param;
	}
}

CK_RV
ep11_mech_use(const struct ep11_mech_row **row, const uint8_t cp[16],
    const struct hsa_mech *m, CK_FLAGS flag)
{
	const struct ep11_mech_row *r = ep11_mech_find(m->type);

	if (r == NULL || (r->flags & flag) == 0 || !algorithm_on(r, cp))
		return CKR_MECHANISM_INVALID;
	if (!use_on(r, cp, flag))
		return CKR_FUNCTION_CANCELED;
	if (!param_fits(r, m))
		return CKR_MECHANISM_PARAM_INVALID;
	*row = r;
	return CKR_OK;
}
