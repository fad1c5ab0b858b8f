/*
 * hsa_hash.h - the few cryptographic and text primitives that both ends
 * share: SHA-256, wiping, constant-time compare, hex, base64, UUID text.
 * Thin covers over OpenSSL, which has no part in any other file of proto/.
 */
#ifndef HSA_HASH_H
#define HSA_HASH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_buf;

#define HSA_SHA256_LEN 32
#define HSA_UUID_LEN 16
#define HSA_UUID_TEXT 37 /* with the NUL */

/*
 * Reusable SHA-256 context: about three times as fast as a fresh one per
 * digest. One thread at a time. NULL when out of memory.
 */
struct hsa_sha256;
struct hsa_sha256 *hsa_sha256_new(void);
void hsa_sha256_free(struct hsa_sha256 *h);
/* One digest over up to three pieces (n == 0 skips a piece). */
HSA_MUST_USE hsa_rc hsa_sha256_three(struct hsa_sha256 *h,
    uint8_t out[HSA_SHA256_LEN], const void *a, size_t an, const void *b,
    size_t bn, const void *c, size_t cn);

/* hsa_sha256(out, p, n) - one digest without a context of the caller's. */
HSA_MUST_USE hsa_rc hsa_sha256(
    uint8_t out[HSA_SHA256_LEN], const void *p, size_t n);

/* hsa_wipe(p, n) - overwrite in a way the compiler keeps; NULL allowed. */
void hsa_wipe(void *p, size_t n);
/* hsa_equal_ct(a, b, n) - constant-time equality, for anything secret or
 * compared against an attacker's guess. */
bool hsa_equal_ct(const void *a, const void *b, size_t n);
/* hsa_random(p, n) - from the kernel: ids, nonces, salts of the client. Keys of
 * a unit come from its token instead. OpenSSL's generator has locks that a
 * child inherits held when another thread was in it at the fork, and the host
 * library works in such children. */
HSA_MUST_USE hsa_rc hsa_random(void *p, size_t n);

/* hsa_hex(to, p, n) - lower case, NUL-terminated; to holds 2 * n + 1. */
void hsa_hex(char *to, const void *p, size_t n);
/* hsa_unhex(to, n, text, len) - len must be exactly 2 * n hex digits of
 * either case, else E_FORMAT and to untouched. */
HSA_MUST_USE hsa_rc hsa_unhex(void *to, size_t n, const char *text, size_t len);

/* hsa_base64(b, p, n) - standard alphabet with padding, appended.
 * hsa_unbase64(b, text, len) - strict: canonical padding and zero spare bits,
 * no blanks, else E_FORMAT. */
void hsa_base64(struct hsa_buf *b, const void *p, size_t n);
HSA_MUST_USE hsa_rc hsa_unbase64(
    struct hsa_buf *b, const char *text, size_t len);

/* UUIDs, RFC 9562: random version 4, lower-case text, strict parse. Many at
 * once cost a fraction of one by one; do not keep spare ones over a fork. */
HSA_MUST_USE hsa_rc hsa_uuid_new(uint8_t id[HSA_UUID_LEN]);
HSA_MUST_USE hsa_rc hsa_uuid_many(uint8_t (*id)[HSA_UUID_LEN], size_t n);
void hsa_uuid_text(char to[HSA_UUID_TEXT], const uint8_t id[HSA_UUID_LEN]);
HSA_MUST_USE hsa_rc hsa_uuid_parse(uint8_t id[HSA_UUID_LEN], const char *text);

/*
 * hsa_verification_pattern(out, key) - SHA-256(01 || key) with the last four
 * bytes zero: what an EP11 module reports for a 32-byte wrapping key or key
 * part (ep11-tke-wire 11, vector 18.4). For the client, which holds the part
 * anyway; a unit computes it inside its token.
 */
HSA_MUST_USE hsa_rc hsa_verification_pattern(
    uint8_t out[HSA_SHA256_LEN], const uint8_t key[32]);

#endif
