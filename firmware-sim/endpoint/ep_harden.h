/*
 * ep_harden.h - what every process of the daemon does first, and the signals
 * that end it.
 */
#ifndef EP_HARDEN_H
#define EP_HARDEN_H
#include <sys/types.h>
#include "hsa_err.h"

/*
 * ep_harden(keep, diag) - umask 077, no core dumps, not dumpable (so no
 * debugger of the same user either), SIGPIPE ignored, 0 to 2 open, every
 * other descriptor but keep (-1: none) closed.
 */
HSA_MUST_USE hsa_rc ep_harden(int keep, struct hsa_diag *diag);

/* ep_harden_child(parent) - SIGTERM when the parent ends. False when it has
 * ended already. */
int ep_harden_child(pid_t parent);

/* ep_signals(fd, with_child, diag) - block SIGTERM, SIGINT, SIGHUP (and
 * SIGCHLD) in this and all later threads; they arrive on fd, a signalfd. */
HSA_MUST_USE hsa_rc ep_signals(int *fd, int with_child, struct hsa_diag *diag);
/* ep_signals_take(fd, from) - the next signal number, 0 when none waits. from:
 * out unless NULL, the process that sent it, 0 for the kernel. */
int ep_signals_take(int fd, long *from);
/* ep_signals_default() - unblock all, before exec. */
void ep_signals_default(void);

#endif
