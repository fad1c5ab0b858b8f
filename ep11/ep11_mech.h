/*
 * ep11_mech.h - the mechanisms this engine serves, as a table
 * (ep11_mech.def). What is not in it is not listed and is refused with
 * CKR_MECHANISM_INVALID; nothing is faked.
 */
#ifndef EP11_MECH_H
#define EP11_MECH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "hsa_call.h"

/* Who carries it out: one handler family of ep11_do_*.c each. */
enum ep11_family {
	EP11_FAMILY_DIGEST = 1,
	EP11_FAMILY_CIPHER, /* ECB, CBC, CBC_PAD, CTR, GCM: token mechanism */
	EP11_FAMILY_MAC,    /* HMAC, CMAC, and their general forms */
	EP11_FAMILY_RSA_CRYPT, /* PKCS#1 v1.5, OAEP; X.509 also signs */
	EP11_FAMILY_RSA_SIGN,  /* PKCS#1 v1.5 and PSS, raw or with a hash */
	EP11_FAMILY_ECDSA,
	EP11_FAMILY_EDDSA,
	EP11_FAMILY_DSA,
	EP11_FAMILY_KEYGEN,
	EP11_FAMILY_PAIRGEN,
	EP11_FAMILY_ECDH,
	EP11_FAMILY_DH,
	EP11_FAMILY_SHA_DERIVE, /* a key of the hash of a key */
	EP11_FAMILY_KEY_WRAP,   /* AES key wrap, padded or not */
	EP11_FAMILY_ATTRBOUND,
	EP11_FAMILY_TRANSPORT
};

#define EP11_MECH_CPS 5

/* Key types of rows without one. */
#define EP11_KEY_NONE CK_UNAVAILABLE_INFORMATION
#define EP11_KEY_ANY (CK_UNAVAILABLE_INFORMATION - 1)

struct ep11_mech_row {
	CK_MECHANISM_TYPE type;
	const char *name; /* "CKM_AES_CBC_PAD" */
	enum ep11_family family;
	CK_KEY_TYPE key_type;    /* CKK_DES3: CKK_DES2 as well */
	CK_MECHANISM_TYPE token; /* the token's primitive under it */
	CK_MECHANISM_TYPE hash;  /* CKM_SHA256 ...; 0: none */
	enum hsa_mech_kind param;
	size_t param_len;      /* of HSA_MECH_BYTES, 0: any */
	CK_ULONG min, max;     /* key sizes as CK_MECHANISM_INFO */
	CK_FLAGS flags;        /* CKF_ENCRYPT ...: what it can be used for */
	int cp[EP11_MECH_CPS]; /* control points that must all be on; -1 ends */
};

const struct ep11_mech_row *ep11_mech_rows(size_t *n);
const struct ep11_mech_row *ep11_mech_find(CK_MECHANISM_TYPE type);
/* ep11_mech_find_name(name) - by "CKM_AES_CBC"; NULL: none.
 * ep11_mech_name(type) - its name, NULL when it has no row. */
const struct ep11_mech_row *ep11_mech_find_name(const char *name);
const char *ep11_mech_name(CK_MECHANISM_TYPE type);

/*
 * ep11_mech_flags(row, cp) - the uses that the control points leave; 0: none,
 * and the mechanism is neither listed nor told about.
 */
CK_FLAGS ep11_mech_flags(const struct ep11_mech_row *row, const uint8_t cp[16]);
/* ep11_mech_key_fits(row, type) - may a key of this CKK_* be used with it. */
bool ep11_mech_key_fits(const struct ep11_mech_row *row, CK_KEY_TYPE type);

/*
 * ep11_mech_use(row, cp, m, flag) - the row for using m as flag says
 * (one CKF_*). CKR_MECHANISM_INVALID: not here, or a control point of its
 * algorithm is off; CKR_FUNCTION_CANCELED: the control point of this use is
 * off (ep11-host-api 18.4: 2 to 13); CKR_MECHANISM_PARAM_INVALID: wrong kind
 * or length of parameter. An empty parameter stands for none, and the bare
 * point for the parameter of ECDH1 (ep11-host-api 12.3); what is inside a
 * parameter is for the family to judge.
 */
CK_RV ep11_mech_use(const struct ep11_mech_row **row, const uint8_t cp[16],
    const struct hsa_mech *m, CK_FLAGS flag);

#endif
