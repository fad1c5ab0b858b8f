#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_cosign.h"
#include "hsa_hash.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

static EVP_PKEY *
key_of(uint8_t seed, uint8_t pub[32])
{
	uint8_t secret[32];
	size_t n = 32;
	EVP_PKEY *key;

	memset(secret, seed, sizeof(secret));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	MUST(key != NULL);
	MUST(EVP_PKEY_get_raw_public_key(key, pub, &n) == 1);
	return key;
}

static void
key_id(uint8_t to[4], const char *name, uint8_t type, const uint8_t pub[32])
{
	struct hsa_buf in = {0};
	uint8_t hash[32];

	hsa_buf_printf(&in, "%s\n", name);
	hsa_buf_u8(&in, type);
	hsa_buf_put(&in, pub, 32);
	MUST(hsa_is_ok(hsa_sha256(hash, in.p, in.len)));
	memcpy(to, hash, 4);
	hsa_buf_free(&in);
}

void
helper_cosign_key(
    struct hsa_buf *to, const char *name, uint8_t seed, uint8_t type)
{
	uint8_t raw[33] = {type}, id[4];

	EVP_PKEY_free(key_of(seed, raw + 1));
	key_id(id, name, type, raw + 1);
	hsa_buf_printf(to, "%s+", name);
	hsa_buf_hex(to, id, 4);
	hsa_buf_u8(to, '+');
	hsa_base64(to, raw, 33);
	hsa_buf_u8(to, '\n');
	MUST(hsa_is_ok(hsa_buf_rc(to)));
}

void
helper_cosign_line(struct hsa_buf *to, const void *note, size_t n,
    const char *name, uint8_t seed, uint64_t time)
{
	const uint8_t *end = memmem(note, n, "\n\n", 2);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct hsa_buf said = {0}, sig = {0};
	uint8_t pub[32], id[4], raw[64];
	size_t len = sizeof(raw);
	EVP_PKEY *key = key_of(seed, pub);

	MUST(end != NULL && ctx != NULL);
	hsa_buf_printf(&said, "cosignature/v1\ntime %" PRIu64 "\n", time);
	hsa_buf_put(&said, note, (size_t)(end - (const uint8_t *)note) + 1);
	MUST(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	MUST(EVP_DigestSign(ctx, raw, &len, said.p, said.len) == 1);
	key_id(id, name, 4, pub);
	hsa_buf_put(&sig, id, 4);
	hsa_buf_be64(&sig, time);
	hsa_buf_put(&sig, raw, 64);
	hsa_buf_printf(to, "\xe2\x80\x94 %s ", name);
	hsa_base64(to, sig.p, sig.len);
	hsa_buf_u8(to, '\n');
	MUST(hsa_is_ok(hsa_buf_rc(to)));
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	hsa_buf_free(&said);
	hsa_buf_free(&sig);
}
