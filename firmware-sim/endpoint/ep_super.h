/*
 * ep_super.h - the supervisor: one process per unit and one for HTTP, kept
 * running, ended in order. One supervisor per state directory.
 */
#ifndef EP_SUPER_H
#define EP_SUPER_H
#include "hsa_err.h"

/*
 * ep_super_run(dir, diag) - until SIGTERM or SIGINT. dir: absolute. Prints a
 * line with "ready" on stdout once every child answers, once, or "degraded"
 * when some do not come up. A child that dies is started again: at once, then
 * after 50 ms, doubling to 1 s while it keeps dying young, or to 10 s while
 * it does not even come up. One that ends with EP_EXIT_HALTED before it came
 * up waits for SIGHUP, which `cryptounitd resume` sends. Children die with the
 * supervisor. SIGHUP also has every unit's channels over TLS connect again,
 * with the files that there are now. E_BUSY: another one runs. E_TIMEOUT: a
 * child had to be killed, or crashed, at the end.
 */
HSA_MUST_USE hsa_rc ep_super_run(const char *dir, struct hsa_diag *diag);

/* The descriptor on which a child finds the pipe for its ready byte. */
#define EP_READY_FD 3
#define EP_LOCK_FILE "lock"

/* Exit status of a unit that cannot start before somebody has mended it. */
#define EP_EXIT_HALTED 3

#endif
