/*
 * eb_lttng.h - what users would otherwise call: an LTTng-UST tracepoint with
 * all that the event of a call says; and, to see what is LTTng's own, one with
 * the fields of a compact record alone, of which nobody could make the event.
 * libep11-bench-lttng.so has them, which is built where LTTng-UST is installed;
 * a session must be recording (tools/ep11-bench/with-lttng.sh makes one that
 * blocks rather than drops).
 */
#ifndef EB_LTTNG_H
#define EB_LTTNG_H
#include <stdint.h>
#include "hsa_err.h"

struct eb_lttng_call {
	uint64_t mono_ns, mechanism, bytes_in, bytes_out, duration_ns;
	uint32_t context, function, rv, reason;
	uint8_t key_id[32], correlation_id[16], command_id[16];
};

/* What hs-crypto.ep11.use has besides. */
struct eb_lttng_event {
	const char *action, *outcome, *severity, *message, *log_source_crn;
	const char *initiator_id, *initiator_name, *initiator_type_uri,
	    *credential_type, *host_address, *host_address_type;
	const char *target_id, *target_name, *target_type_uri, *reason_type;
	uint32_t reason_code;
	uint8_t unit_id[16], id[16];
};

struct eb_lttng {
	void *so;
	void (*call)(const struct eb_lttng_call *c);
	void (*event)(
	    const struct eb_lttng_event *e, const struct eb_lttng_call *c);
};

/* eb_lttng_open(l, diag) - from ../lib beside this program, or by the
 * linker's ways. E_NOT_FOUND: not built or no LTTng here; E_STATE: nobody
 * records. eb_lttng_close: repeatable. */
HSA_MUST_USE hsa_rc eb_lttng_open(struct eb_lttng *l, struct hsa_diag *diag);
void eb_lttng_close(struct eb_lttng *l);

#endif
