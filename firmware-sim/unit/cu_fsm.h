/* cu_fsm.h - the state table (cu_fsm.def) and how it is asked. */
#ifndef CU_FSM_H
#define CU_FSM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_state.h"
#include "hsa_catalogue.h"
#include "hsa_err.h"

struct cu_cmd;

/* Twelve states: mode * 6 + new * 2 + current, as cu_fsm_state numbers them. */
#define CU_STATES 12u

enum cu_who {
	CU_WHO_NOBODY = 0,
	CU_WHO_ONE,
	CU_WHO_SIGNATURE_THRESHOLD,
	CU_WHO_REVOCATION_THRESHOLD,
	CU_WHO_NEW_THRESHOLD, /* the threshold that the command sets */
	CU_WHO_ZEROIZE_RULE,  /* one with permission 0x40, else S */
	CU_WHO_CP_RULE,       /* one with permission 0x20, else S */
	CU_WHO_EACH_PART      /* one inside each embedded request */
};

enum cu_next {
	CU_NEXT_SAME = 0,
	CU_NEXT_IMPRINT,
	CU_NEXT_BY_THRESHOLD,
	CU_NEXT_EMPTY,
	CU_NEXT_UNCOMMITTED,
	CU_NEXT_COMMITTED,
	CU_NEXT_VALID
};

/* What a row does. Its own refusal goes into the command (cu_cmd_refuse), the
 * result is for failures of ours. */
typedef hsa_rc cu_act(struct cu_cmd *c);

struct cu_fsm_row {
	uint32_t command;
	uint16_t from; /* bit per state */
	cu_act *act;   /* NULL: denied with rc and reason */
	enum cu_who who;
	enum cu_next mode, pending, current;
	uint32_t rc, reason;
	enum hsa_action event; /* NONE: ADMIN_FUNCTION record */
};

const struct cu_fsm_row *cu_fsm_rows(size_t *n);

/* cu_fsm_state(s) - the number of the state that s is in. */
unsigned int cu_fsm_state(const struct cu_state *s);

/* cu_fsm_row(command, state) - the row that decides; NULL: no such command. */
const struct cu_fsm_row *cu_fsm_row(uint32_t command, unsigned int state);

/* cu_fsm_need(who, now, wanted) - signatures that the row needs. wanted: the
 * attributes that the command would leave, for CU_WHO_NEW_THRESHOLD. */
uint32_t cu_fsm_need(enum cu_who who, const struct tke_attributes *now,
    const struct tke_attributes *wanted);

/* cu_fsm_arrived(row, before, after) - whether the action left the state that
 * the row promises. */
bool cu_fsm_arrived(const struct cu_fsm_row *row, const struct cu_state *before,
    const struct cu_state *after);

/* The actions of the table: cu_act_admin.c, cu_act_wk.c, cu_act_cp.c. */
cu_act cu_admin_add, cu_admin_remove, cu_attributes_set;
cu_act cu_importer_generate, cu_wk_import, cu_wk_commit, cu_wk_finalize;
cu_act cu_wk_clear_current, cu_wk_clear_pending, cu_zeroize;
cu_act cu_cp_set, cu_cp_add, cu_cp_delete;

#endif
