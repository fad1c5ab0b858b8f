/* ep_ask.h - one question to a unit's socket (FORMAT section 7). */
#ifndef EP_ASK_H
#define EP_ASK_H
#include "hsa_err.h"
#include "hsa_unit.h"

/*
 * ep_ask(r, path, q, timeout_ms, diag) - connect, send q, read the reply.
 * E_CLOSED: the unit is down, and q never reached it; E_IO: it went down
 * between question and answer, so what became of q is open; E_TIMEOUT,
 * E_FORMAT: likewise.
 */
HSA_MUST_USE hsa_rc ep_ask(struct hsa_unit_reply *r, const char *path,
    const struct hsa_unit_request *q, int timeout_ms, struct hsa_diag *diag);

#endif
