/* Covers: tke_recipient_parse tke_importer_spki_parse tke_kdf_info */
#include <stdlib.h>

#include <openssl/evp.h>

#include "tke_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_recipient r = {0};
	struct hsa_buf info = {0};
	EVP_PKEY *key = NULL;

	if (hsa_is_ok(tke_recipient_parse(&r, data, size))) {
		if (r.ski.n != TKE_SKI_LEN ||
		    (r.kind == TKE_IMPORTER_P521 && r.encrypted.n != 40) ||
		    (r.kind == TKE_IMPORTER_RSA2048 && r.encrypted.n != 256) ||
		    !hsa_is_ok(tke_kdf_info(&info, r.ukm.p, r.ukm.n, 1)))
			abort();
	}
	hsa_buf_free(&info);
	if (hsa_is_ok(tke_importer_spki_parse(&key, data, size)) && key == NULL)
		abort();
	EVP_PKEY_free(key);
	return 0;
}
