/*
 * eb_lttng.h - what users would otherwise call: an LTTng-UST tracepoint with
 * the fields of a compact record. libep11-bench-lttng.so has it, which is
 * built where LTTng-UST is installed; a session must be recording
 * (tools/ep11-bench/with-lttng.sh makes one that blocks rather than drops).
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

struct eb_lttng {
	void *so;
	void (*emit)(const struct eb_lttng_call *c);
};

/* eb_lttng_open(l, diag) - from ../lib beside this program, or by the
 * linker's ways. E_NOT_FOUND: not built or no LTTng here; E_STATE: nobody
 * records. eb_lttng_close: repeatable. */
HSA_MUST_USE hsa_rc eb_lttng_open(struct eb_lttng *l, struct hsa_diag *diag);
void eb_lttng_close(struct eb_lttng *l);

#endif
