#include <openssl/crypto.h>
#include <string.h>

#include "ep11_kwp.h"
#include "hsa_hash.h"

static CK_RV
block(struct ep11_engine *e, CK_OBJECT_HANDLE kek, uint8_t b[16])
{
	CK_MECHANISM m = {.mechanism = CKM_AES_ECB};
	uint8_t out[32];
	size_t n = sizeof(out);
	CK_RV rv = ep11_trouble(
	    e->token.ops->encrypt(e->token.ctx, &m, kek, b, 16, out, &n));

	if (rv == CKR_OK && n != 16)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		memcpy(b, out, 16);
	hsa_wipe(out, sizeof(out));
	return rv;
}

/* RFC 3394 2.2.1 in its index form: w is A, R[1] ... R[n]. */
static CK_RV
rounds(struct ep11_engine *e, CK_OBJECT_HANDLE kek, uint8_t *w, size_t n)
{
	uint8_t b[16];
	CK_RV rv = CKR_OK;

	memcpy(b, w, 8);
	for (uint64_t j = 0; j < 6 && rv == CKR_OK; j++)
		for (size_t i = 1; i <= n && rv == CKR_OK; i++) {
			uint64_t t = n * j + i;

			memcpy(b + 8, w + 8 * i, 8);
			rv = block(e, kek, b);
			memcpy(w + 8 * i, b + 8, 8);
			for (unsigned k = 0; k < 8; k++)
				b[7 - k] ^= (uint8_t)(t >> (8 * k));
		}
	memcpy(w, b, 8);
	hsa_wipe(b, sizeof(b));
	return rv;
}

CK_RV
ep11_kwp_wrap(struct ep11_engine *e, struct hsa_buf *out, CK_OBJECT_HANDLE kek,
    const void *v, size_t n)
{
	static const uint8_t head[4] = {0xa6, 0x59, 0x59, 0xa6};
	size_t blocks = (n + 7) / 8, len = 8 + 8 * blocks;
	uint8_t *w = NULL;
	CK_RV rv;

	if (n == 0 || n > HSA_BLOB_MAX / 2)
		return CKR_KEY_SIZE_RANGE;
	w = OPENSSL_secure_zalloc(len);
	if (w == NULL)
		return CKR_HOST_MEMORY;
	memcpy(w, head, sizeof(head));
	for (unsigned k = 0; k < 4; k++)
		w[7 - k] = (uint8_t)(n >> (8 * k));
	memcpy(w + 8, v, n);
	rv = blocks == 1 ? block(e, kek, w) : rounds(e, kek, w, blocks);
	if (rv == CKR_OK)
		hsa_buf_put(out, w, len);
	OPENSSL_secure_clear_free(w, len);
	return rv == CKR_OK && out->failed ? CKR_HOST_MEMORY : rv;
}
