/*
 * cu_unit.h - one crypto unit: state, the table that moves it, the one
 * dispatcher through which everything enters (design D1), and the transaction
 * that keeps state and event together (design D5).
 */
#ifndef CU_UNIT_H
#define CU_UNIT_H
#include <stddef.h>
#include <stdint.h>
#include "cu_backend.h"
#include "cu_clock.h"
#include "cu_sink.h"
#include "hsa_err.h"
#include "hsa_unit.h"

/* What never changes about a unit; strings are the caller's and must outlive
 * the unit. */
struct cu_identity {
	uint8_t unit_id[HSA_UUID_LEN];
	const char *location;       /* "[us-south].[AZ1-CS1].[00].[03]" */
	const char *log_source_crn; /* instance CRN */
	const char *target_crn;     /* CRN of the crypto unit */
	uint32_t module_index, domain_index;
	char serial[8];                /* "SIM00001", no NUL */
	const uint8_t (*oa_cert)[752]; /* chain, certificate 0 first */
	size_t oa_cert_len;
};

struct cu_unit;    /* opaque; any number of threads */
struct ep11_token; /* ep11_token.h */

/*
 * cu_unit_open(u, id, db, backend, token, sink, clock, diag) - open or make the
 * state database, sweep the token, seal what the outbox still holds, put the
 * master key to work, and start a new epoch with a UNIT_START record. token
 * (copied) is for EP11 functions; NULL: a unit without. E_CORRUPT with a
 * diagnosis when state, token and log do not agree.
 *
 * cu_unit_close(u) - seals UNIT_STOP when the unit is not halted; NULL-safe.
 * No call may be running.
 */
HSA_MUST_USE hsa_rc cu_unit_open(struct cu_unit **u,
    const struct cu_identity *id, const char *db, struct cu_backend backend,
    const struct ep11_token *token, struct cu_sink sink,
    const struct cu_clock *clock, struct hsa_diag *diag);
void cu_unit_close(struct cu_unit *u);

/*
 * cu_unit_peek(p, db, diag) - of a unit that does not run: what its database
 * knows of its log. Nothing is changed. All 0: it never started. E_BUSY: it
 * runs; E_CORRUPT, E_IO.
 */
struct cu_peek {
	uint64_t epoch;        /* of its last start */
	uint64_t outbox_last;  /* source sequence given out last */
	uint64_t outbox_first; /* first that is at hand to be sealed again, and
				  so are all behind it; 0: none */
};
HSA_MUST_USE hsa_rc cu_unit_peek(
    struct cu_peek *p, const char *db, struct hsa_diag *diag);

/*
 * cu_unit_admin(u, reply, caller, transport, n) - one TKE request, from
 * transport string to transport string. Decide, act, seal, sync, reply: when
 * it returns, the event of a command, success or refusal, is on stable
 * storage. Queries leave no event and are counted. http_status 200 for
 * everything a module would answer; 401 and 403 as the caller was denied; 507
 * and 503 once the unit has halted; 500 for our own failures.
 *
 * Halted: 507 when the log could not be written, 503 when the state could not
 * be committed or a key could not be destroyed. Whether the command that met
 * the failure took effect shows after the restart, with its event either way.
 * Transaction counter: a valid one is used up by the first attempt that holds
 * a good signature, or by any in imprint mode, also when the command is then
 * refused. What nobody signed never moves the counter of a domain in use.
 * Denied callers: the command is not tried, neither signatures nor counter are
 * looked at; the event (or REQUEST_REFUSED record, for queries too) says so.
 */
HSA_MUST_USE hsa_rc cu_unit_admin(struct cu_unit *u,
    struct hsa_admin_reply *reply, const struct hsa_caller *caller,
    const char *transport, size_t n);

/*
 * cu_unit_call(u, c, caller) - one EP11 call: checked, carried out, recorded as
 * one hs-crypto.ep11.use event, answered in c when that is as safe as the mode
 * of emission says. Denied callers: refused with
 * CKR_USER_NOT_LOGGED_IN, and the event says so. A halted unit refuses with
 * CKR_DEVICE_ERROR and leaves no event, as it can leave none; their number
 * is told by a LOST_EVENTS of the next start, and by the status.
 */
void cu_unit_call(
    struct cu_unit *u, struct hsa_call *c, const struct hsa_caller *caller);

/*
 * cu_unit_keystore(u, reply, caller, q) - one keystore operation: a change and
 * its hs-crypto.keystore.* event are one transaction, a list leaves its event
 * as well, and so does every refusal, of a denied caller too. When it returns
 * the event is on stable storage. reply is zeroed here, hsa_ks_reply_free is
 * the caller's. A halted unit refuses with CKR_DEVICE_ERROR and leaves no
 * event; the operation that met the failure answers CKR_IBM_GREP11_DBINTERNAL,
 * and whether it took effect shows after the restart, with its event.
 */
void cu_unit_keystore(struct cu_unit *u, struct hsa_ks_reply *reply,
    const struct hsa_caller *caller, const struct hsa_ks_request *q);

/*
 * cu_unit_block(u, r, caller, cmd, sigs) - an administrative block as m_admin
 * brings it: the command block and the concatenated SignerInfos, without
 * transport string and envelope around them; otherwise as cu_unit_admin.
 * Re-encipher (25) is an EP11 call and leaves that event.
 * cu_unit_info(u, rv, out, query, subquery) - get_xcp_info as the host library
 * asks (ep11-host-api 6.1, 18.2); counted, no event.
 */
HSA_MUST_USE hsa_rc cu_unit_block(struct cu_unit *u, struct hsa_block_reply *r,
    const struct hsa_caller *caller, struct hsa_slice cmd,
    struct hsa_slice sigs);
HSA_MUST_USE hsa_rc cu_unit_info(struct cu_unit *u, uint32_t *rv,
    struct hsa_buf *out, uint32_t query, uint32_t subquery);

/*
 * cu_unit_unreadable(u, caller, text) - what came was no request at all: leaves
 * a REQUEST_REFUSED record. One at once, and then one a second at most, which
 * says in details.requests how many it stands for; closing the unit tells the
 * rest.
 */
void cu_unit_unreadable(
    struct cu_unit *u, const struct hsa_caller *caller, const char *text);

/*
 * When an EP11 call may be answered (design D7): when its event is on stable
 * storage, as each start begins; when it survives a kill of all processes; or
 * (for measuring) without one. Turning events off and on are special records,
 * EMISSION_OFF and EMISSION_ON, the latter with the number of calls that left
 * none; closing the unit turns them on first. E_STATE: halted.
 */
enum cu_emission {
	CU_EMIT_SEALED = 1,
	CU_EMIT_RING,
	CU_EMIT_OFF
};
HSA_MUST_USE hsa_rc cu_unit_emission(struct cu_unit *u, enum cu_emission mode);
/* cu_unit_flush(u) - wait until calls that returned before are on stable
 * storage. E_STATE: the log does not take any more. */
HSA_MUST_USE hsa_rc cu_unit_flush(struct cu_unit *u);

/*
 * cu_unit_check(u) - has the log closed meanwhile? Then the unit halts now, not
 * with its next call. cu_unit_released(u, before, bytes, who, diag) - seal the
 * LOG_RELEASED that has to stand before segments are deleted (FORMAT W5); who:
 * the collectors that have them. E_STATE: halted.
 */
void cu_unit_check(struct cu_unit *u);
/* cu_unit_health(u, text, room, lost) - 0, or the status that callers are told,
 * with the cause; and how many were refused without a record. */
uint32_t cu_unit_health(
    struct cu_unit *u, char *text, size_t room, uint64_t *lost);
HSA_MUST_USE hsa_rc cu_unit_released(struct cu_unit *u, uint64_t before,
    uint64_t bytes, const char *who, struct hsa_diag *diag);

/* cu_unit_status(u, st) - all of hsa_unit_status but pid and collectors. */
HSA_MUST_USE hsa_rc cu_unit_status(
    struct cu_unit *u, struct hsa_unit_status *st);

#endif
