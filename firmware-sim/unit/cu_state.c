#include <string.h>

#include "cu_state.h"

void
cu_state_init(struct cu_state *s)
{
	memset(s, 0, sizeof(*s));
	s->attr.permissions = TKE_PERM_DEFAULT;
	ep11_cp_default(s->control_points);
	s->attr.standards = ep11_cp_compliance(s->control_points);
	s->domain_instance = 1;
}

void
cu_state_zeroize(struct cu_state *s)
{
	struct cu_state was = *s;

	cu_state_init(s);
	memcpy(s->unit_id, was.unit_id, sizeof(s->unit_id));
	memcpy(s->serial, was.serial, sizeof(s->serial));
	memcpy(s->module_instance, was.module_instance,
	    sizeof(s->module_instance));
	memcpy(s->counter, was.counter, sizeof(s->counter));
	s->domain_instance = was.domain_instance + 1;
	s->epoch = was.epoch;
	s->outbox_last = was.outbox_last;
}

size_t
cu_state_admin(const struct cu_state *s, const uint8_t ski[TKE_SKI_LEN])
{
	size_t i = 0;

	while (
	    i < s->admin_len && memcmp(s->admin[i].ski, ski, TKE_SKI_LEN) != 0)
		i++;
	return i;
}

size_t
cu_state_keep(const struct cu_state *s, struct cu_key_id id[CU_OBJECTS_MAX])
{
	size_t n = 0;

	if (s->current.key.set)
		id[n++] = s->current.key;
	if (s->pending.key.set)
		id[n++] = s->pending.key;
	if (s->importer.set)
		id[n++] = s->importer;
	return n;
}

static bool
names(const struct cu_state *s, const struct cu_key_id *id)
{
	struct cu_key_id kept[CU_OBJECTS_MAX];
	size_t n = cu_state_keep(s, kept), i = 0;

	for (i = 0; i < n; i++)
		if (memcmp(kept[i].b, id->b, sizeof(id->b)) == 0)
			return true;
	return false;
}

size_t
cu_state_lost(struct cu_object out[CU_OBJECTS_MAX],
    const struct cu_state *before, const struct cu_state *after)
{
	const struct cu_object all[CU_OBJECTS_MAX] = {
	    {CU_OBJECT_MASTER_KEY, before->current.key},
	    {CU_OBJECT_MASTER_KEY, before->pending.key},
	    {CU_OBJECT_IMPORTER, before->importer},
	};
	size_t n = 0, i = 0;

	for (i = 0; i < CU_OBJECTS_MAX; i++)
		if (all[i].id.set && !names(after, &all[i].id))
			out[n++] = all[i];
	return n;
}

const char *
cu_fill_text(enum cu_fill f)
{
	static const char *const text[] = {
	    [CU_EMPTY] = "Empty",
	    [CU_UNCOMMITTED] = "Full Uncommitted",
	    [CU_COMMITTED] = "Full Committed",
	    [CU_VALID] = "Valid",
	};

	return text[f];
}
