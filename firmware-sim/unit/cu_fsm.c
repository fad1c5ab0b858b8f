#include "cu_fsm.h"

enum {
	IMPRINT = 0x03f,
	NORMAL = 0xfc0,
	NEW_EMPTY = 0x0c3,
	NEW_UNCOMMITTED = 0x30c,
	NEW_COMMITTED = 0xc30
};

/* Lets the column for a reason code read NONE. */
#define HSA_REASON_NONE 0u

static const struct cu_fsm_row rows[] = {
#define CU_ROW(cmd, states, signs, action, m, n, c, ev)                        \
	{                                                                      \
	    .command = TKE_CMD_##cmd,                                          \
	    .from = (uint16_t)(states),                                        \
	    .act = (action),                                                   \
	    .who = CU_WHO_##signs,                                             \
	    .mode = CU_NEXT_##m,                                               \
	    .pending = CU_NEXT_##n,                                            \
	    .current = CU_NEXT_##c,                                            \
	    .event = HSA_ACTION_##ev,                                          \
	},
#define CU_DENY(cmd, states, code, why, ev)                                    \
	{                                                                      \
	    .command = TKE_CMD_##cmd,                                          \
	    .from = (uint16_t)(states),                                        \
	    .rc = HSA_EP11_##code,                                             \
	    .reason = HSA_REASON_##why,                                        \
	    .event = HSA_ACTION_##ev,                                          \
	},
#include "cu_fsm.def"
#undef CU_ROW
#undef CU_DENY
};

const struct cu_fsm_row *
cu_fsm_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

unsigned int
cu_fsm_state(const struct cu_state *s)
{
	unsigned int mode = s->attr.signature_threshold == 0 ? 0 : 1;
	unsigned int pending = s->pending.fill == CU_EMPTY         ? 0
			       : s->pending.fill == CU_UNCOMMITTED ? 1
								   : 2;
	unsigned int current = s->current.fill == CU_EMPTY ? 0 : 1;

	return mode * 6 + pending * 2 + current;
}

const struct cu_fsm_row *
cu_fsm_row(uint32_t command, unsigned int state)
{
	size_t i = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].command == command &&
		    (rows[i].from >> state & 1u) != 0)
			return &rows[i];
	return NULL;
}

uint32_t
cu_fsm_need(enum cu_who who, const struct tke_attributes *now,
    const struct tke_attributes *wanted)
{
	switch (who) {
	case CU_WHO_NOBODY:
	case CU_WHO_EACH_PART: /* counted where the parts are */
		return 0;
	case CU_WHO_ONE:
		return 1;
	case CU_WHO_SIGNATURE_THRESHOLD:
		return now->signature_threshold;
	case CU_WHO_REVOCATION_THRESHOLD:
		return now->revocation_threshold;
	case CU_WHO_NEW_THRESHOLD:
		return wanted->signature_threshold;
	case CU_WHO_CP_RULE:
		return (now->permissions & TKE_PERM_CP_ONE) != 0
			   ? 1
			   : now->signature_threshold;
	case CU_WHO_ZEROIZE_RULE:
		return (now->permissions & TKE_PERM_ZEROIZE_ONE) != 0
			   ? 1
			   : now->signature_threshold;
	}
	return UINT32_MAX;
}

static bool
register_arrived(enum cu_next next, const struct cu_register *before,
    const struct cu_register *after)
{
	switch (next) {
	case CU_NEXT_SAME:
		return before->fill == after->fill;
	case CU_NEXT_EMPTY:
		return after->fill == CU_EMPTY;
	case CU_NEXT_UNCOMMITTED:
		return after->fill == CU_UNCOMMITTED;
	case CU_NEXT_COMMITTED:
		return after->fill == CU_COMMITTED;
	case CU_NEXT_VALID:
		return after->fill == CU_VALID;
	case CU_NEXT_IMPRINT:
	case CU_NEXT_BY_THRESHOLD:
		break;
	}
	return false;
}

bool
cu_fsm_arrived(const struct cu_fsm_row *row, const struct cu_state *before,
    const struct cu_state *after)
{
	bool imprint = after->attr.signature_threshold == 0;
	bool was = before->attr.signature_threshold == 0;

	if (row->mode == CU_NEXT_SAME && imprint != was)
		return false;
	if (row->mode == CU_NEXT_IMPRINT && !imprint)
		return false;
	return register_arrived(
		   row->pending, &before->pending, &after->pending) &&
	       register_arrived(
		   row->current, &before->current, &after->current);
}
