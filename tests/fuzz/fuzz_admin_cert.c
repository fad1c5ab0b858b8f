/* Covers: tke_admin_cert_parse */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tke_sig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_admin_cert c = {0};
	uint8_t ski[TKE_SKI_LEN] = {0};

	if (hsa_is_ok(tke_admin_cert_parse(&c, data, size)) &&
	    (!hsa_is_ok(tke_ski(ski, c.key)) ||
		memcmp(ski, c.ski, sizeof(ski)) != 0 ||
		strlen(c.name) > TKE_NAME_MAX ||
		strpbrk(c.name, "\n\r\t\x1b") != NULL))
		abort();
	tke_admin_cert_free(&c);
	if (ERR_peek_error() != 0)
		abort();
	return 0;
}
