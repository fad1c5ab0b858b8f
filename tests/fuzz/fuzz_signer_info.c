/* Covers: tke_signer_info_parse tke_key_sig_split tke_key_spki_parse */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tke_key.h"
#include "tke_sig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written again it is DER, and read again the same. */
static void
again(const struct tke_signer_info *s)
{
	struct hsa_buf b = {0};
	struct tke_signer_info r = {0};

	if (!hsa_is_ok(tke_signer_info_encode(
		&b, s->type, s->ski, s->signature.p, s->signature.n)) ||
	    !hsa_is_ok(tke_signer_info_parse(&r, b.p, b.len)) ||
	    r.used != b.len || r.type != s->type ||
	    r.signature.n != s->signature.n ||
	    memcmp(r.ski, s->ski, sizeof(r.ski)) != 0 ||
	    memcmp(r.signature.p, s->signature.p, r.signature.n) != 0)
		abort();
	hsa_buf_free(&b);
}

static void
public_key(const uint8_t *data, size_t size)
{
	struct tke_slice bits = {0};
	enum tke_key_type type = TKE_KEY_P521;
	EVP_PKEY *key = NULL;

	if (!hsa_is_ok(tke_key_spki_parse(&type, &bits, data, size)))
		return;
	if (bits.p < data || bits.p + bits.n != data + size)
		abort();
	(void)tke_key_from_spki(&key, &type, data, size).v;
	EVP_PKEY_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_signer_info s = {0};
	size_t at = 0;

	for (; hsa_is_ok(tke_signer_info_parse(&s, data + at, size - at));
	     at += s.used) {
		if (s.used == 0 || s.used > size - at)
			abort();
		again(&s);
	}
	public_key(data, size);
	return 0;
}
