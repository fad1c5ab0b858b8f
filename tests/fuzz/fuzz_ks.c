/* Covers: hsa_unit_request_decode cu_ks_check cu_ks_page_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cu_ks.h"
#include "hsa_unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What a unit does with a request before it looks anything up. */
static void
look(struct hsa_ks_request *q)
{
	uint8_t token[CU_KS_TOKEN_LEN];
	struct hsa_diag why = {{0}};
	const struct hsa_attr *attr = NULL;
	struct hsa_pool *pool = NULL;
	struct hsa_ks_reply r = {0};
	uint64_t at = 0;
	uint32_t rv = cu_ks_check(&why, q);
	size_t n = 0, i = 0;

	if (rv != HSA_KS_OK) {
		must(hsa_ks_rv(rv) != NULL && why.text[0] != '\0');
		return;
	}
	if (q->token.n != 0 && hsa_is_ok(cu_ks_page_decode(&at, q))) {
		must(hsa_is_ok(cu_ks_page_encode(token, at, q)));
		must(memcmp(token, q->token.p, sizeof(token)) == 0);
	}
	if (q->op == HSA_KS_CREATE_KEYSTORE || q->op == HSA_KS_STORE_KEY ||
	    q->op == HSA_KS_UPDATE_KEY) {
		must(hsa_is_ok(
		    cu_ks_attributes(&attr, &n, &pool, &rv, &why, q, q->blob)));
		for (i = 1; rv == HSA_KS_OK && i < n; i++)
			must(attr[i - 1].type < attr[i].type);
		must(rv == HSA_KS_OK || hsa_ks_rv(rv) != NULL);
	}
	r.memory = pool;
	hsa_ks_reply_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_unit_request q = {0};
	size_t used = 0;

	if (!hsa_is_ok(hsa_unit_request_decode(&q, &used, data, size)))
		return 0;
	if (q.kind == HSA_UNIT_KEYSTORE)
		look(&q.keystore);
	hsa_unit_request_free(&q);
	return 0;
}
