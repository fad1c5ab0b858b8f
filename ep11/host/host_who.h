/* host_who.h - in whose name this process calls. */
#ifndef HOST_WHO_H
#define HOST_WHO_H
#include "hsa_err.h"
#include "hsa_unit.h"

/*
 * host_who(c, initiator, diag) - initiator: $EP11_INITIATOR, 1 to 255 printable
 * ASCII characters, or NULL: "local-user:LOGIN", as the endpoint names who
 * connects without a token. The name is the login's, the agent "libep11/VERSION
 * (PROGRAM)", the address 127.0.0.1. E_ARG with cause and fix.
 */
HSA_MUST_USE hsa_rc host_who(
    struct hsa_caller *c, const char *initiator, struct hsa_diag *diag);

#endif
