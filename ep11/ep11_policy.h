/*
 * ep11_policy.h - what control points say of a key by itself: its algorithm,
 * curve, exponent and strength (ep11-host-api 18.4). Asked whenever a key
 * comes into being - generated, derived, unwrapped, loaded as a public key -
 * and whenever one is used, to wrap and to derive as well.
 */
#ifndef EP11_POLICY_H
#define EP11_POLICY_H
#include <stdint.h>
#include "ep11_key.h"

/*
 * ep11_policy_strength(type, bits, curve) - bits of security as NIST SP 800-57
 * part 1 (5.6.1.1) counts them, rounded down to a control point's class:
 * 0 (below 80), 80, 112, 128, 192, 256. Two-key DES counts as 80, a generic
 * secret as its length.
 */
unsigned ep11_policy_strength(
    CK_KEY_TYPE type, uint32_t bits, const struct ep11_curve *curve);

/*
 * ep11_policy_key(cp, type, bits, curve) - CKR_MECHANISM_INVALID when the
 * algorithm is off (30, 31, 32, 46), CKR_CURVE_NOT_SUPPORTED when the curve's
 * group is (33, 34, 55, 60), CKR_IBM_STATIC_POLICY when the strength is (23 to
 * 28; generic secrets are exempt while 22 allows any HMAC key).
 * ep11_policy_exponent(cp, e, n) - an RSA public exponent, big-endian:
 * CKR_ATTRIBUTE_VALUE_INVALID for even ones, 1, and longer than 8 bytes;
 * CKR_IBM_STATIC_POLICY below 0x10001 when 29 is off.
 * ep11_policy_secret_len(type, n) - is n a length in bytes of such a secret
 * key? The token does not ask.
 */
CK_RV ep11_policy_key(const uint8_t cp[16], CK_KEY_TYPE type, uint32_t bits,
    const struct ep11_curve *curve);
CK_RV ep11_policy_exponent(const uint8_t cp[16], const uint8_t *e, size_t n);
bool ep11_policy_secret_len(CK_KEY_TYPE type, uint64_t n);

/* Sizes that this engine makes and takes, beside what a mechanism says. */
#define EP11_RSA_BITS_MIN 512u
#define EP11_RSA_BITS_MAX 16384u
#define EP11_FFC_BITS_MIN 512u  /* DSA, DH */
#define EP11_FFC_BITS_MAX 8192u /* DH groups of RFC 7919 and 3526 */
#define EP11_SECRET_MAX 256u    /* bytes (ep11-host-api 10.5) */

#endif
