/*
 * eb_others.h - other units of the installation, each in a process of its own
 * as cryptounitd runs them, kept busy with the case at hand in the same way as
 * the unit that is measured: so every core has a unit and its sealer.
 */
#ifndef EB_OTHERS_H
#define EB_OTHERS_H
#include "eb_case.h"

#define EB_OTHERS_MAX 63

struct eb_others;

/*
 * eb_others_start(o, state, names, n, many, diag) - n processes, their keys
 * made (many: for uncached cases, too). Before this process opens a unit.
 * E_CONFIG, E_BUSY... as cryptounit_open; diag says which unit.
 *
 * eb_others_work(o, what, mode, diag) - when it returns all of them emit so and
 * make calls without end. eb_others_rest(o, diag) - none does.
 * E_TIMEOUT, E_STOPPED: one hangs, or ended.
 *
 * eb_others_stop(o) - they seal what they have and end. NULL-safe.
 */
HSA_MUST_USE hsa_rc eb_others_start(struct eb_others **o, const char *state,
    const char *const *names, size_t n, bool many, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc eb_others_work(struct eb_others *o,
    const struct eb_case *what, enum cryptounit_emission mode,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc eb_others_rest(struct eb_others *o, struct hsa_diag *diag);
void eb_others_stop(struct eb_others *o);

#endif
