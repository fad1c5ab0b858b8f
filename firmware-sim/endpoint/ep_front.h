/* ep_front.h - the process that serves HTTP: DIR/admin.sock and, when
 * configured, a loopback port. */
#ifndef EP_FRONT_H
#define EP_FRONT_H
#include "hsa_err.h"

/* ep_front_run(dir, ready_fd, diag) - until SIGTERM or SIGINT; ready_fd as
 * for ep_unit_run. */
HSA_MUST_USE hsa_rc ep_front_run(
    const char *dir, int ready_fd, struct hsa_diag *diag);

#endif
