/*
 * helper_cosign.h - a witness for tests: C2SP tlog-cosignature with an Ed25519
 * key made from a seed, by OpenSSL and printf.
 */
#ifndef HELPER_COSIGN_H
#define HELPER_COSIGN_H
#include <stdint.h>
#include "hsa_buf.h"

/* All abort the test on failure. */

/* The verifier key of a witness, with LF. type: 4 for a true one. */
void helper_cosign_key(
    struct hsa_buf *to, const char *name, uint8_t seed, uint8_t type);
/* Its line over the text of note (up to the empty line), appended to to. */
void helper_cosign_line(struct hsa_buf *to, const void *note, size_t n,
    const char *name, uint8_t seed, uint64_t time);

#endif
