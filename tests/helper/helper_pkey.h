/*
 * helper_pkey.h - asymmetric keys of every kind, made by OpenSSL for tests.
 */
#ifndef HELPER_PKEY_H
#define HELPER_PKEY_H
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"

struct helper_der {
	uint8_t *p;
	size_t n;
};
void helper_der_free(struct helper_der *d);

struct helper_pkey {
	CK_KEY_TYPE type;
	const char *name;  /* of the algorithm in OpenSSL */
	const char *group; /* EC, DH: group name, NULL: none */
	uint32_t bits;
	bool prime; /* EC: a curve with points x, y */
};
#define HELPER_PKEYS 28
extern const struct helper_pkey helper_pkeys[HELPER_PKEYS];

/* helper_pkey_make(i, pub, priv) - a key of row i; pub: its SPKI, priv: its
 * PKCS #8 (both may be NULL). The caller frees. */
EVP_PKEY *helper_pkey_make(
    size_t i, struct helper_der *pub, struct helper_der *priv);

#endif
