/*
 * tkc_state.h - what a crypto unit says about itself, and how many signatures
 * a command therefore needs (ep11-tke-wire 12).
 */
#ifndef TKC_STATE_H
#define TKC_STATE_H
#include <stdbool.h>
#include "tkc_fleet.h"
#include "tke_sig.h"

struct tkc_state {
	/* attributes: of the last signed answer */
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN];
	uint8_t counter[TKE_COUNTER_LEN];
	struct tke_attributes attributes;
	/* administrators, in the unit's order */
	uint8_t admin[TKC_ADMINS_MAX][TKE_SKI_LEN];
	char admin_name[TKC_ADMINS_MAX][TKE_NAME_MAX + 1];
	size_t admins;
	/* registers; not signed by the unit (5.2) */
	struct tke_domain_info info;
	uint8_t points[TKE_CP_LEN]; /* control points that are on */
};

/* Each asks the unit for one part of the state. names: also fetch every
 * administrator's certificate; one that does not decode is named "?". */
HSA_MUST_USE hsa_rc tkc_state_attributes(struct tkc_state *s,
    struct tkc_fleet *f, struct tkc_unit *u, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_state_admins(struct tkc_state *s, struct tkc_fleet *f,
    struct tkc_unit *u, bool names, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_state_registers(struct tkc_state *s,
    struct tkc_fleet *f, struct tkc_unit *u, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_state_points(struct tkc_state *s, struct tkc_fleet *f,
    struct tkc_unit *u, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_state_all(struct tkc_state *s, struct tkc_fleet *f,
    struct tkc_unit *u, bool names, struct hsa_diag *diag);

bool tkc_state_has_admin(
    const struct tkc_state *s, const uint8_t ski[TKE_SKI_LEN]);
/* "Empty", "Full Uncommitted", "Full Committed"; "Empty", "Valid" */
const char *tkc_new_register(const struct tke_domain_info *i);
const char *tkc_current_register(const struct tke_domain_info *i);

/*
 * tkc_signatures_needed(command, a, signature) - signatures on the command (on
 * each part, for an import). signature: the threshold that SET_ATTRIBUTES asks
 * for. In imprint mode 0 for what a unit refuses there anyway.
 */
uint32_t tkc_signatures_needed(
    uint32_t command, const struct tke_attributes *a, uint32_t signature);

#endif
