#include <stdatomic.h>
#include <stdlib.h>

#include "hsa_unit.h"

void
hsa_caller_free(struct hsa_caller *c)
{
	if (c == NULL)
		return;
	hsa_initiator_free(&c->initiator);
	free(c->denied_text);
	free(c->ceremony_id);
	free(c->ceremony_step);
	*c = (struct hsa_caller){0};
}

uint64_t
hsa_caller_tag(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

void
hsa_unit_request_free(struct hsa_unit_request *q)
{
	if (q == NULL)
		return;
	hsa_caller_free(&q->caller);
	hsa_buf_free(&q->transport);
	hsa_ks_request_free(&q->keystore);
	hsa_call_free(&q->call);
	hsa_buf_free(&q->command);
	hsa_buf_free(&q->signatures);
	*q = (struct hsa_unit_request){0};
}

void
hsa_unit_reply_free(struct hsa_unit_reply *r)
{
	if (r == NULL)
		return;
	hsa_buf_free(&r->admin.transport);
	free(r->admin.text);
	hsa_call_free(&r->call);
	hsa_buf_free(&r->info.data);
	free(r->block.text);
	hsa_buf_free(&r->block.response);
	hsa_buf_free(&r->block.signature);
	hsa_ks_reply_free(&r->keystore);
	free(r->error);
	*r = (struct hsa_unit_reply){0};
}
