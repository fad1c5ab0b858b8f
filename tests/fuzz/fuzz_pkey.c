/* Covers: ep11_pkey_public ep11_pkey_private */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_pkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What was taken is written again byte for byte. */
static void
public_key(const uint8_t *data, size_t size)
{
	struct ep11_pkey k = {0};
	struct hsa_buf point = {0};

	if (ep11_pkey_public(&k, data, size) != CKR_OK)
		return;
	must(k.key != NULL && k.bits != 0);
	if (k.type == CKK_EC) {
		must(ep11_pkey_point(&point, &k) == CKR_OK);
		must(point.len == ep11_curve_public_len(k.curve));
	}
	hsa_buf_free(&point);
	ep11_pkey_free(&k);
}

/* A private key survives being written and read. */
static void
private_key(const uint8_t *data, size_t size)
{
	struct ep11_pkey k = {0}, again = {0};
	struct hsa_buf a = {0}, b = {0};
	uint8_t *p = NULL;
	size_t n = 0;

	if (ep11_pkey_private(&k, data, size) != CKR_OK)
		return;
	must(ep11_pkey_pkcs8(&p, &n, &k) == CKR_OK);
	must(ep11_pkey_private(&again, p, n) == CKR_OK);
	must(ep11_pkey_spki(&a, &k) == CKR_OK);
	must(ep11_pkey_spki(&b, &again) == CKR_OK);
	must(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
	OPENSSL_secure_clear_free(p, n);
	hsa_buf_free(&a);
	hsa_buf_free(&b);
	ep11_pkey_free(&k);
	ep11_pkey_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	public_key(data, size);
	private_key(data, size);
	return 0;
}
