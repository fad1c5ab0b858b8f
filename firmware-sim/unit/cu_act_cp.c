/*
 * Actions of the state table on control points (ep11-host-api 18.4).
 *
 * Points above EP11_CP_LAST name nothing yet: they stay on, as hosts read them,
 * whatever a command says of them. The standards attribute shows the compliance
 * modes that the points meet, and so moves with them (ep11-tke-wire 10.1: read
 * only).
 */
#include <string.h>

#include "cu_core.h"

static uint8_t
named(size_t byte)
{
	const size_t last = EP11_CP_LAST / 8;

	if (byte < last)
		return 0xff;
	if (byte > last)
		return 0;
	return (uint8_t)(0xffu << (7 - EP11_CP_LAST % 8));
}

/* Turn on what `on` has, then off what `off` has, as far as the points that
 * now hold allow it. Turning on what is on already is no change. */
static hsa_rc
change(struct cu_cmd *c, const uint8_t on[EP11_CP_LEN],
    const uint8_t off[EP11_CP_LEN])
{
	struct cu_state *s = &c->u->next;
	uint8_t never[EP11_CP_LEN], set[EP11_CP_LEN];
	bool adds = false, deletes = false, rejected = false;
	size_t i = 0;

	ep11_cp_impossible(never);
	for (i = 0; i < sizeof(set); i++) {
		uint8_t was = s->control_points[i];

		set[i] = (uint8_t)((was | (on[i] & named(i))) &
				   ~(off[i] & named(i)));
		adds = adds || (set[i] & ~was) != 0;
		deletes = deletes || (was & ~set[i]) != 0;
		rejected = rejected || (set[i] & never[i]) != 0;
	}
	if (rejected)
		return cu_cmd_refuse(
		    c, HSA_EP11_FUNCTION_CANCELED, HSA_REASON_CPS_REJECTED);
	if (adds && !ep11_cp_on(s->control_points, EP11_CP_ADD_CPBS))
		return cu_cmd_refuse(
		    c, HSA_EP11_FUNCTION_CANCELED, HSA_REASON_CPS_PREVENT_ADD);
	if (deletes && !ep11_cp_on(s->control_points, EP11_CP_DELETE_CPBS))
		return cu_cmd_refuse(c, HSA_EP11_FUNCTION_CANCELED,
		    HSA_REASON_CPS_PREVENT_DELETE);
	memcpy(s->control_points, set, sizeof(set));
	s->attr.standards = ep11_cp_compliance(set);
	return HSA_OK;
}

hsa_rc
cu_cp_set(struct cu_cmd *c)
{
	uint8_t off[EP11_CP_LEN];
	size_t i = 0;

	for (i = 0; i < sizeof(off); i++)
		off[i] = (uint8_t)~c->in.points[i];
	return change(c, c->in.points, off);
}

hsa_rc
cu_cp_add(struct cu_cmd *c)
{
	static const uint8_t none[EP11_CP_LEN];

	return change(c, c->in.points, none);
}

hsa_rc
cu_cp_delete(struct cu_cmd *c)
{
	static const uint8_t none[EP11_CP_LEN];

	return change(c, none, c->in.points);
}
