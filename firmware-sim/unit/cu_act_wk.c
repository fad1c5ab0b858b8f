/* Actions of the state table on the importer key and the registers. */
#include <string.h>

#include "cu_core.h"
#include "hsa_hash.h"

hsa_rc
cu_importer_generate(struct cu_cmd *c)
{
	const struct cu_backend *b = &c->u->backend;
	struct cu_state *s = &c->u->next;
	struct cu_key_id id = {0};
	hsa_rc rc =
	    b->ops->importer_generate(b->ctx, &id, &c->output, c->in.kind);

	if (rc.v == HSA_E_UNSUPPORTED)
		return cu_cmd_refuse(
		    c, HSA_EP11_DATA_INVALID, HSA_REASON_IMPORTER_KIND);
	if (!hsa_is_ok(rc))
		return cu_cmd_refuse(c, HSA_EP11_FUNCTION_FAILED, 0);
	s->importer = id;
	s->importer.set = true;
	s->importer_kind = c->in.kind;
	return HSA_OK;
}

/* What the unit can see of the parts before it asks its token. */
static bool
parts_refused(struct cu_cmd *c, const struct cu_state *s)
{
	size_t i = 0;

	if ((s->attr.permissions & TKE_PERM_IMPORT) == 0)
		(void)cu_cmd_refuse(c, HSA_EP11_FUNCTION_CANCELED,
		    HSA_REASON_IMPORT_PROHIBITED);
	if (c->in.part_len == 1 &&
	    (s->attr.permissions & TKE_PERM_ONE_PART) == 0)
		(void)cu_cmd_refuse(c, HSA_EP11_FUNCTION_CANCELED,
		    HSA_REASON_SINGLE_PART_PROHIBITED);
	if (!s->importer.set)
		(void)cu_cmd_refuse(
		    c, HSA_EP11_KEY_NEEDED, HSA_REASON_NO_IMPORTER);
	for (i = 0; i < c->in.part_len; i++)
		if (c->in.part[i].recipient.kind != s->importer_kind)
			(void)cu_cmd_refuse(c, HSA_EP11_DATA_INVALID,
			    HSA_REASON_RECIPIENT_MALFORMED);
	return c->rc != HSA_EP11_OK;
}

hsa_rc
cu_wk_import(struct cu_cmd *c)
{
	const struct cu_backend *b = &c->u->backend;
	struct cu_state *s = &c->u->next;
	struct tke_recipient part[CU_PARTS_MAX] = {0};
	struct cu_register r = {.fill = CU_UNCOMMITTED};
	size_t bad = 0, i = 0;
	hsa_rc rc;

	if (parts_refused(c, s))
		return HSA_OK;
	for (i = 0; i < c->in.part_len; i++)
		part[i] = c->in.part[i].recipient;
	r.part_len = c->in.part_len;
	rc = b->ops->master_key_import(b->ctx, &r.key, r.pattern, r.part_id,
	    &bad, &s->importer, part, r.part_len);
	if (rc.v == HSA_E_KEY)
		return cu_cmd_refuse(
		    c, HSA_EP11_DATA_INVALID, HSA_REASON_ECDH_FAILED);
	if (rc.v == HSA_E_NOT_FOUND)
		return cu_cmd_refuse(
		    c, HSA_EP11_KEY_NEEDED, HSA_REASON_NO_IMPORTER);
	if (!hsa_is_ok(rc))
		return cu_cmd_refuse(c, HSA_EP11_FUNCTION_FAILED, 0);
	r.key.set = true;
	s->pending = r;
	return HSA_OK;
}

/* Commit and finalize name the key that they mean; all 32 bytes count, so
 * that request and register show one value in the events. */
static bool
pattern_refused(struct cu_cmd *c, const struct cu_register *r)
{
	if (hsa_equal_ct(r->pattern, c->in.pattern, sizeof(r->pattern)))
		return false;
	(void)cu_cmd_refuse(
	    c, HSA_EP11_KEY_CHANGED, HSA_REASON_PATTERN_MISMATCH);
	return true;
}

hsa_rc
cu_wk_commit(struct cu_cmd *c)
{
	struct cu_state *s = &c->u->next;

	if (!pattern_refused(c, &s->pending))
		s->pending.fill = CU_COMMITTED;
	return HSA_OK;
}

hsa_rc
cu_wk_finalize(struct cu_cmd *c)
{
	struct cu_state *s = &c->u->next;

	if (pattern_refused(c, &s->pending))
		return HSA_OK;
	s->current = s->pending;
	s->current.fill = CU_VALID;
	memset(&s->pending, 0, sizeof(s->pending));
	return HSA_OK;
}

hsa_rc
cu_wk_clear_current(struct cu_cmd *c)
{
	memset(&c->u->next.current, 0, sizeof(c->u->next.current));
	return HSA_OK;
}

hsa_rc
cu_wk_clear_pending(struct cu_cmd *c)
{
	memset(&c->u->next.pending, 0, sizeof(c->u->next.pending));
	return HSA_OK;
}
