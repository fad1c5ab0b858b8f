/*
 * ep_resume.h - the way out of a halt: once its cause is gone, the unit's
 * process is started anew.
 */
#ifndef EP_RESUME_H
#define EP_RESUME_H
#include "hsa_err.h"

/* In a unit's folder: why its last start failed; removed by one that works. */
#define EP_HALTED_FILE "halted"

/*
 * ep_resume(dir, unit, diag) - end the unit's process, if there is one, let the
 * supervisor start it, and wait until it answers. E_STATE with the cause when
 * the unit has halted again, or does not start, or nobody serves dir.
 */
HSA_MUST_USE hsa_rc ep_resume(
    const char *dir, const char *unit, struct hsa_diag *diag);

#endif
