/*
 * helper_wrap.h - wrapping keys that OpenSSL holds too, for tests of WrapKey
 * and UnwrapKey.
 */
#ifndef HELPER_WRAP_H
#define HELPER_WRAP_H
#include "helper_pkey.h"
#include "helper_tmpl.h"

struct helper_kek {
	CK_MECHANISM_TYPE type;
	size_t len;        /* of the KEK's value; 0: RSA */
	size_t filled;     /* block that zeros fill up, 0: none */
	bool integrity;    /* a changed byte is always seen */
	bool tells;        /* lengths are told: nothing is padded */
	bool privates;     /* wraps private keys */
	bool sha256;       /* OAEP with SHA-256 and a label */
	struct hsa_mech m; /* filled in by helper_wrap_keks */
	struct hsa_buf wraps, unwraps;
};
#define HELPER_KEKS 11
extern struct helper_kek helper_keks[HELPER_KEKS];

/* Before anything else, with a fresh engine; and after the last test. */
void helper_wrap_keks(struct helper_ep11 *h);
void helper_wrap_free(void);

/* The first of a mechanism. */
struct helper_kek *helper_wrap_kek(CK_MECHANISM_TYPE type);
bool helper_wrap_fits(const struct helper_kek *kek, size_t n);

/* helper_wrap_open(kek, to, p, n) - what OpenSSL makes of wrapped bytes;
 * helper_wrap_seal - the other way round. Both return the length. */
size_t helper_wrap_open(
    const struct helper_kek *kek, uint8_t *to, const uint8_t *p, size_t n);
size_t helper_wrap_seal(
    const struct helper_kek *kek, uint8_t *to, const uint8_t *p, size_t n);

/* A private key's blob, some key. */
void helper_wrap_any(struct helper_ep11 *h, struct hsa_buf *blob);

#endif
