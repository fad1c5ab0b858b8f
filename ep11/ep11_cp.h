/*
 * ep11_cp.h - control points of a domain (ep11-host-api 18.4): what it may do.
 * Bit 0 is the top bit of byte 0.
 */
#ifndef EP11_CP_H
#define EP11_CP_H
#include <stdbool.h>
#include <stdint.h>

#define EP11_CP_LEN 16
#define EP11_CP_LAST 80 /* highest index that get_xcp_info reports */

enum ep11_cp {
	EP11_CP_ADD_CPBS = 0,
	EP11_CP_DELETE_CPBS = 1,
	EP11_CP_SIGN_ASYMM = 2,
	EP11_CP_SIGN_SYMM = 3,
	EP11_CP_VERIFY_SYMM = 4,
	EP11_CP_ENCRYPT_SYMM = 5,
	EP11_CP_DECRYPT_ASYMM = 6,
	EP11_CP_DECRYPT_SYMM = 7,
	EP11_CP_WRAP_ASYMM = 8,
	EP11_CP_WRAP_SYMM = 9,
	EP11_CP_UNWRAP_ASYMM = 10,
	EP11_CP_UNWRAP_SYMM = 11,
	EP11_CP_KEYGEN_ASYMM = 12,
	EP11_CP_KEYGEN_SYMM = 13,
	EP11_CP_RETAINKEYS = 14,
	EP11_CP_SKIP_KEYTESTS = 15,
	EP11_CP_NON_ATTRBOUND = 16,
	EP11_CP_MODIFY_OBJECTS = 17,
	EP11_CP_RNG_SEED = 18,
	EP11_CP_ALG_RAW_RSA = 19,
	EP11_CP_ALG_NFIPS2009 = 20,
	EP11_CP_ALG_NBSI2009 = 21,
	EP11_CP_KEYSZ_HMAC_ANY = 22,
	EP11_CP_KEYSZ_BELOW80 = 23,
	EP11_CP_KEYSZ_80 = 24,
	EP11_CP_KEYSZ_112 = 25,
	EP11_CP_KEYSZ_128 = 26,
	EP11_CP_KEYSZ_192 = 27,
	EP11_CP_KEYSZ_256 = 28,
	EP11_CP_KEYSZ_RSA65536 = 29,
	EP11_CP_ALG_RSA = 30,
	EP11_CP_ALG_DSA = 31,
	EP11_CP_ALG_EC = 32,
	EP11_CP_ALG_EC_BPOOL = 33,
	EP11_CP_ALG_EC_NIST = 34,
	EP11_CP_ALG_NFIPS2011 = 35,
	EP11_CP_ALG_NBSI2011 = 36,
	EP11_CP_USER_SET_TRUSTED = 37,
	EP11_CP_SKIP_DOUBLE_CHECK = 38,
	EP11_CP_WRAP_CRYPT_KEYS = 39,
	EP11_CP_SIGN_CRYPT_KEYS = 40,
	EP11_CP_WRAP_SIGN_KEYS = 41,
	EP11_CP_USER_SET_ATTRBOUND = 42,
	EP11_CP_ALLOW_PASSPHRASE = 43,
	EP11_CP_WRAP_STRONGER_KEY = 44,
	EP11_CP_WRAP_WITH_RAW_SPKI = 45,
	EP11_CP_ALG_DH = 46,
	EP11_CP_DERIVE = 47,
	EP11_CP_ALLOW_NONSESSION = 48,
	EP11_CP_ALG_EC_25519 = 55,
	EP11_CP_ALG_EC_SECG = 60,
	EP11_CP_ALG_NBSI2017 = 61,
	EP11_CP_CPACF_PK = 64,
	EP11_CP_ALG_PQC = 65,
	EP11_CP_BTC = 66,
	EP11_CP_ECDSA_OTHER = 67,
	EP11_CP_ALG_NFIPS2021 = 68,
	EP11_CP_ALG_NFIPS2024 = 69,
	EP11_CP_COMPAT_LEGACY_SHA3 = 70,
	EP11_CP_DSA_PARAMETER_GEN = 71,
	EP11_CP_DERIVE_NON_AB_KEYS = 72,
	EP11_CP_ALLOW_LOGIN_PRE_F2021 = 73,
	EP11_CP_ALG_RSA_OAEP = 74,
	EP11_CP_ALLOW_COMBINED_EXTRACT = 75,
	EP11_CP_ALG_EC_PAIRING = 76,
	EP11_CP_ALG_PQC_DILITHIUM = 77,
	EP11_CP_ALG_PQC_KYBER = 78,
	EP11_CP_ALG_PQC_ML_DSA = 79,
	EP11_CP_ALG_PQC_ML_KEM = 80
};

static inline bool
ep11_cp_on(const uint8_t cp[EP11_CP_LEN], enum ep11_cp bit)
{
	return (cp[(unsigned)bit / 8] >> (7 - (unsigned)bit % 8) & 1) != 0;
}

/*
 * ep11_cp_default(cp) - a new domain's: everything this engine can do is on;
 * what no unit here can do (post-quantum, BTC, other EC signatures, pairing,
 * protected keys, retained keys) is off, so that hosts do not offer it
 * (ep11-host-api 9.1). Bits above EP11_CP_LAST are on, as hosts expect.
 * ep11_cp_impossible(cp) - those that can never be turned on (query 13).
 * ep11_cp_compliance(cp) - the compliance modes (standards attribute bits)
 * that this set meets.
 */
void ep11_cp_default(uint8_t cp[EP11_CP_LEN]);
void ep11_cp_impossible(uint8_t cp[EP11_CP_LEN]);
uint32_t ep11_cp_compliance(const uint8_t cp[EP11_CP_LEN]);

#endif
