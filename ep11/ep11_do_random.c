/* GenerateRandom and SeedRandom. */
#include "ep11_core.h"

CK_RV
ep11_do_random(struct ep11_engine *e, struct hsa_call *c)
{
	size_t n = (size_t)c->number;
	uint8_t *to;
	CK_RV rv;

	if (c->number > HSA_CALL_DATA_MAX)
		return CKR_DATA_LEN_RANGE;
	if (c->length_only) {
		c->needed = n;
		return CKR_OK;
	}
	to = hsa_buf_reserve(&c->out, n);
	if (to == NULL)
		return CKR_HOST_MEMORY;
	rv = ep11_trouble(e->token.ops->random(e->token.ctx, to, n));
	if (rv == CKR_OK)
		c->out.len += n;
	return rv;
}

CK_RV
ep11_do_seed(struct ep11_engine *e, struct hsa_call *c)
{
	if (!ep11_cp_on(e->cp, EP11_CP_RNG_SEED))
		return CKR_FUNCTION_CANCELED;
	if (c->data.n == 0)
		return CKR_ARGUMENTS_BAD;
	return ep11_trouble(
	    e->token.ops->seed(e->token.ctx, c->data.p, c->data.n));
}
