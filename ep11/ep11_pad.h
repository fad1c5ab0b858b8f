/*
 * ep11_pad.h - RSA paddings that the token does not have (ep11_exposure.def):
 * OAEP and PSS with any hash and mask, by OpenSSL, around the token's raw RSA.
 */
#ifndef EP11_PAD_H
#define EP11_PAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_call.h"

/* All: em has n bytes, the modulus's length; m names hash, mgf, label or salt
 * length, checked by the caller. */
bool ep11_pad_oaep(
    uint8_t *em, size_t n, struct hsa_slice in, const struct hsa_mech *m);
/* Returns how many bytes were written to out (room n), or -1: no such
 * padding, found out in constant time. */
int ep11_pad_oaep_undo(
    uint8_t *out, const uint8_t *em, size_t n, const struct hsa_mech *m);
/* spki: the public key, whose modulus decides how many bits are used. */
bool ep11_pad_pss(uint8_t *em, struct hsa_slice spki, struct hsa_slice digest,
    const struct hsa_mech *m);
bool ep11_pad_pss_good(const uint8_t *em, struct hsa_slice spki,
    struct hsa_slice digest, const struct hsa_mech *m);

/* Known numbers only: CKM_SHA_1 and SHA-2, CKG_MGF1_*; the mask's hash as a
 * mechanism, 0 when there is none. */
uint64_t ep11_pad_mgf_hash(uint64_t mgf);

/* DigestInfo before a digest (RFC 8017 9.2); NULL: no such hash. */
const uint8_t *ep11_pad_digest_info(uint64_t hash, size_t *n);

#endif
