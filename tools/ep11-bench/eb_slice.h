/* eb_slice.h - the time that a few operations take, by one way. */
#ifndef EB_SLICE_H
#define EB_SLICE_H
#include "eb_run.h"

struct eb_bench {
	const struct eb_case *what;
	const struct eb_plan *plan;
	const struct eb_besides *besides;
	struct cryptounit *u;
	struct eb_call *call; /* one each caller */
	uint64_t calls;       /* of the unit so far */
	struct hsa_diag *diag;
};

/*
 * eb_slice(b, ns, way, ops) - ns per operation as one caller sees it; ops
 * operations each. The unit emits already as the way wants.
 * eb_slice_drained(b, ns, way, ops) - the same until the ring is empty.
 */
HSA_MUST_USE hsa_rc eb_slice(
    struct eb_bench *b, double *ns, enum eb_way way, unsigned int ops);
HSA_MUST_USE hsa_rc eb_slice_drained(
    struct eb_bench *b, double *ns, enum eb_way way, unsigned int ops);

#endif
