/* Mechanism list and information. */
#include "ep11_core.h"

CK_RV
ep11_do_mech_list(struct ep11_engine *e, struct hsa_call *c)
{
	size_t n = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);

	for (size_t i = 0; i < n; i++) {
		uint64_t type = row[i].type;

		if (ep11_mech_flags(&row[i], e->cp) != 0)
			hsa_buf_put(&c->out, &type, sizeof(type));
	}
	return c->out.failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* With control point 22 on any HMAC key will do, not only one of half the
 * hash's length. */
static uint64_t
smallest(const struct ep11_mech_row *row, const uint8_t cp[EP11_CP_LEN])
{
	bool hmac = row->family == EP11_FAMILY_MAC && row->hash != 0;

	return hmac && ep11_cp_on(cp, EP11_CP_KEYSZ_HMAC_ANY) ? 1 : row->min;
}

CK_RV
ep11_do_mech_info(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = ep11_mech_find(c->number);
	uint64_t info[3];

	if (row == NULL || ep11_mech_flags(row, e->cp) == 0)
		return CKR_MECHANISM_INVALID;
	info[0] = smallest(row, e->cp);
	info[1] = row->max;
	info[2] = ep11_mech_flags(row, e->cp);
	hsa_buf_put(&c->out, info, sizeof(info));
	return c->out.failed ? CKR_HOST_MEMORY : CKR_OK;
}
