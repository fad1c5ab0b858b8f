/*
 * host_lib.h - the library's one state: units, their connections, targets. All
 * of it under one lock that is never held across input or output, and that
 * fork takes, so that a child finds everything whole.
 */
#ifndef HOST_LIB_H
#define HOST_LIB_H
#include <stdbool.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "host_target.h"
#include "hsa_err.h"
#include "hsa_unit.h"

#define HOST_IDLE_MAX 16u /* open connections kept per unit while idle */
#define HOST_TIMEOUT_MS 60000

struct host_lib; /* counted references */

/*
 * host_lib_open(diag) - find the units by the environment and reach at least
 * one. Again: nothing happens. In a child after fork an embedded unit is
 * E_STATE. host_lib_close() - let go; ends when calls under way have ended.
 */
HSA_MUST_USE hsa_rc host_lib_open(struct hsa_diag *diag);
void host_lib_close(void);

/* host_lib_get() - the state, or NULL before host_lib_open; to be given back
 * with host_lib_put. */
struct host_lib *host_lib_get(void);
void host_lib_put(struct host_lib *l);

/*
 * host_lib_call(l, c, units) - one EP11 call on the first of these units that
 * is there. Leaves c->rv and the reply, for hsa_call_free. A request that may
 * have reached a unit is not sent again: CKR_DEVICE_ERROR, outcome unknown.
 * host_lib_request(l, r, q, units) - the same for other requests; r is zeroed
 * before and freed after. CKR_OK: r holds an answer of the kind asked for.
 */
void host_lib_call(struct host_lib *l, struct hsa_call *c, host_units units);
CK_RV host_lib_request(struct host_lib *l, struct hsa_unit_reply *r,
    struct hsa_unit_request *q, host_units units);

/* ---- targets ------------------------------------------------------------- */

/* What m_add_module and m_rm_module look for. */
struct host_want {
	bool any;              /* all units, whatever the rest says */
	uint32_t module;       /* number */
	const uint8_t *domain; /* mask[32], all zero: any */
};

/*
 * host_lib_match(l, want, has_module, mask, domains) - units that fit, learning
 * first what is not known of them; has_module: out, whether the module is
 * there at all; mask[32]: out, domains that fit; domains: out, how many.
 */
host_units host_lib_match(struct host_lib *l, const struct host_want *want,
    bool *has_module, uint8_t mask[32], uint32_t *domains);
/* Those of units that answer now. */
host_units host_lib_probe(struct host_lib *l, host_units units);

/*
 * host_lib_units(l, units, target) - of a target: CKR_IBM_TARGET_INVALID when
 * there is none, CKR_FUNCTION_NOT_SUPPORTED when the request is to be captured
 * instead of sent. Target 0 is all units.
 * host_lib_target_*: make one, add to one, take away from one (which drops it
 * when nothing is left). E_NOT_FOUND: no such target.
 */
CK_RV host_lib_units(struct host_lib *l, host_units *units, uint64_t target);
HSA_MUST_USE hsa_rc host_lib_target_new(uint64_t *target, host_units units);
HSA_MUST_USE hsa_rc host_lib_target_add(uint64_t target, host_units units);
HSA_MUST_USE hsa_rc host_lib_target_take(uint64_t target, host_units units);

#endif
