/*
 * ep_unit.h - the process of one crypto unit: the unit (ep_inside) behind its
 * socket.
 */
#ifndef EP_UNIT_H
#define EP_UNIT_H
#include "hsa_err.h"

/*
 * ep_unit_run(dir, name, ready_fd, diag) - until SIGTERM or SIGINT. dir:
 * absolute. ready_fd: gets one byte once the unit answers, then is closed; -1:
 * none. Errors are the unit's failure to open, with the reason.
 */
HSA_MUST_USE hsa_rc ep_unit_run(
    const char *dir, const char *name, int ready_fd, struct hsa_diag *diag);

#endif
