/* Actions of the state table on administrators and attributes. */
#include <string.h>

#include "cu_core.h"

hsa_rc
cu_admin_add(struct cu_cmd *c)
{
	struct cu_state *s = &c->u->next;
	struct cu_admin *a = NULL;

	if (cu_state_admin(s, c->in.ski) != s->admin_len)
		return cu_cmd_refuse(
		    c, HSA_EP11_USER_ALREADY_LOGGED_IN, HSA_REASON_SKI_PRESENT);
	if (s->admin_len == CU_ADMINS_MAX)
		return cu_cmd_refuse(c, HSA_EP11_USER_TOO_MANY_TYPES,
		    HSA_REASON_ADMIN_LIST_FULL);
	a = &s->admin[s->admin_len++];
	memcpy(a->ski, c->in.ski, sizeof(a->ski));
	memcpy(a->cert, c->q.input.p, c->q.input.n);
	a->cert_len = c->q.input.n;
	return HSA_OK;
}

hsa_rc
cu_admin_remove(struct cu_cmd *c)
{
	struct cu_state *s = &c->u->next;
	size_t at = cu_state_admin(s, c->in.ski);

	if (at == s->admin_len)
		return cu_cmd_refuse(
		    c, HSA_EP11_DATA_INVALID, HSA_REASON_SKI_NOT_FOUND);
	if (s->admin_len - 1 < s->attr.signature_threshold ||
	    s->admin_len - 1 < s->attr.revocation_threshold)
		return cu_cmd_refuse(c, HSA_EP11_TEMPLATE_INCONSISTENT,
		    HSA_REASON_BELOW_THRESHOLD);
	memmove(&s->admin[at], &s->admin[at + 1],
	    (s->admin_len - at - 1) * sizeof(s->admin[0]));
	s->admin_len--;
	memset(&s->admin[s->admin_len], 0, sizeof(s->admin[0]));
	return HSA_OK;
}

hsa_rc
cu_attributes_set(struct cu_cmd *c)
{
	struct cu_state *s = &c->u->next;
	uint32_t reason = 0;
	uint32_t rc =
	    cu_attributes_check(&reason, &s->attr, &c->in.attr, s->admin_len);

	if (rc != HSA_EP11_OK)
		return cu_cmd_refuse(c, rc, reason);
	s->attr = c->in.attr;
	return HSA_OK;
}

hsa_rc
cu_zeroize(struct cu_cmd *c)
{
	cu_state_zeroize(&c->u->next);
	return HSA_OK;
}
