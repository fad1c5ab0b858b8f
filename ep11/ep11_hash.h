/*
 * ep11_hash.h - SHA-1 and SHA-2 outside the token, for data that comes in
 * parts: the token gives no hash state away (ep11_exposure.def,
 * DIGEST_MULTIPART). The state is ours, field by field, so that it has the
 * same bytes wherever it goes on.
 */
#ifndef EP11_HASH_H
#define EP11_HASH_H
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "hsa_err.h"

#define EP11_HASH_MAX 64        /* SHA-512 */
#define EP11_HASH_BLOCK_MAX 128 /* SHA-384, SHA-512 */

struct ep11_hash {
	CK_MECHANISM_TYPE type;
	uint64_t bytes; /* so far; what is held is the rest by the block */
	uint64_t h[8];  /* 32 bits each but for SHA-384 and SHA-512 */
	uint8_t held[EP11_HASH_BLOCK_MAX];
};

/* Bytes of a digest and of a block; 0 for anything but CKM_SHA_1, CKM_SHA224,
 * CKM_SHA256, CKM_SHA384 and CKM_SHA512. */
size_t ep11_hash_len(CK_MECHANISM_TYPE type);
size_t ep11_hash_block(CK_MECHANISM_TYPE type);

/* type must be one of the five.
 * ep11_hash_final(h, out) - ep11_hash_len bytes; wipes h. */
void ep11_hash_init(struct ep11_hash *h, CK_MECHANISM_TYPE type);
void ep11_hash_update(struct ep11_hash *h, const void *p, size_t n);
void ep11_hash_final(struct ep11_hash *h, uint8_t *out);

/*
 * As bytes: type(4) bytes(8) h(8 each) held(128), big-endian, what is not
 * used is zero. ep11_hash_decode: E_FORMAT for anything that save does not
 * write.
 */
#define EP11_HASH_SAVED (4 + 8 + 64 + EP11_HASH_BLOCK_MAX)
void ep11_hash_save(uint8_t to[EP11_HASH_SAVED], const struct ep11_hash *h);
HSA_MUST_USE hsa_rc ep11_hash_decode(
    struct ep11_hash *h, const uint8_t from[EP11_HASH_SAVED]);

#endif
