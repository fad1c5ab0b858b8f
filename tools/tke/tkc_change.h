/*
 * tkc_change.h - one change to crypto units: the commands it takes, signed as
 * the unit's thresholds ask, sent to one unit or to all selected ones. The
 * command line and ceremonies both come through here.
 */
#ifndef TKC_CHANGE_H
#define TKC_CHANGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tkc_fleet.h"
#include "tkc_ring.h"
#include "tkc_state.h"

#define TKC_PARTS_MAX 3
#define TKC_SIGNERS_MAX 64

struct tkc_change {
	uint32_t command;         /* TKE_CMD_*; WK_IMPORT: importer key first */
	struct tkc_key *admin;    /* ADMIN_ADD */
	uint8_t ski[TKE_SKI_LEN]; /* ADMIN_REMOVE */
	uint32_t signature, revocation;      /* SET_ATTRIBUTES */
	struct tkc_key *part[TKC_PARTS_MAX]; /* WK_IMPORT */
	size_t parts;
	/*
	 * Who signs. exact: all of these, be they administrators or not, and
	 * none when there are none: to rehearse refusals; an import is then
	 * sent even after the importer key was refused. Otherwise: those of
	 * them that the unit has installed, as many as it asks for.
	 */
	struct tkc_key *signer[TKC_SIGNERS_MAX];
	size_t signers;
	bool exact;
	bool replay; /* send the counter of the last command again */
	uint8_t points[TKE_CP_LEN]; /* CP_SET, CP_ADD, CP_DELETE */
	bool has_pattern; /* COMMIT, FINALIZE: instead of the register's */
	uint8_t pattern[32];
};

struct tkc_sent { /* one command and its answer: one record in the log */
	uint32_t command, rc, reason;
};

struct tkc_outcome {
	struct tkc_unit *unit;
	hsa_rc rc; /* success: the unit answered, see ep11_rc */
	struct hsa_diag diag;
	struct tkc_sent sent[2];
	size_t sents;
	uint32_t ep11_rc, reason; /* of the last command sent */
	size_t signatures;        /* on it */
	uint64_t time_ns;
	bool has_pattern; /* of the register it was about, afterwards */
	uint8_t pattern[32];
};

/*
 * tkc_change_unlock(c, r, diag) - open the key parts and the administrator's
 * key before the first unit is touched. Signers are opened when a unit needs
 * them.
 */
HSA_MUST_USE hsa_rc tkc_change_unlock(
    const struct tkc_change *c, struct tkc_ring *r, struct hsa_diag *diag);

/* tkc_change_apply(o, c, f, u, r) - to one unit. Never fails itself: o says
 * how it went. */
void tkc_change_apply(struct tkc_outcome *o, const struct tkc_change *c,
    struct tkc_fleet *f, struct tkc_unit *u, struct tkc_ring *r);

bool tkc_outcome_ok(const struct tkc_outcome *o);
/* tkc_outcome_text(b, o) - "OK" and what was done, or why not and the fix. */
void tkc_outcome_text(
    struct hsa_buf *b, const struct tkc_outcome *o, const struct tkc_change *c);

#endif
