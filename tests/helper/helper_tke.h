/*
 * helper_tke.h - keys and damage for the tests of tke/. Failures end the test
 * through cmocka's assertions.
 */
#ifndef HELPER_TKE_H
#define HELPER_TKE_H
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "tke_wire.h"

/* htke_unhex(b, hex) - append the bytes of a hex literal. */
void htke_unhex(struct hsa_buf *b, const char *hex);
/* htke_bytes(hex) - the same as a buffer of its own. */
struct hsa_buf htke_bytes(const char *hex);
struct tke_slice htke_slice(const struct hsa_buf *b);
/* htke_is(p, n, hex) - these bytes and no others. */
bool htke_is(const void *p, size_t n, const char *hex);

/* One key of each kind and program, made at first use; a second P-521 key is
 * index 1. Freed by htke_keys_free. */
EVP_PKEY *htke_p521(size_t index);
EVP_PKEY *htke_rsa(void);
void htke_keys_free(void);
/* RSA key from hexadecimal n, e and (or NULL) d; the caller's. */
EVP_PKEY *htke_rsa_of(const char *n, const char *e, const char *d);

/*
 * Give every damaged copy of p to try: cut at every byte, longer by one, every
 * byte changed in several ways. Copies are of exactly their size, so that a
 * sanitizer sees a byte read too many. try returns whether it accepted the
 * copy; accepted copies are counted by kind. Before: the undamaged one must be
 * accepted.
 */
struct htke_damage {
	size_t cut, extended, changed; /* how many of each were accepted */
	size_t tried;
};
typedef bool (*htke_try)(const uint8_t *p, size_t n, void *arg);
struct htke_damage htke_damage(
    const void *p, size_t n, htke_try try, void *arg);

#endif
