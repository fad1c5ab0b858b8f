/*
 * ep_inside.h - one crypto unit of an installation, opened: token, log, state
 * and channels, in that order, closed in the reverse one. Whoever holds it
 * answers requests: a unit's process behind its socket (ep_unit), or any
 * process that embeds the unit (cryptounit.h).
 */
#ifndef EP_INSIDE_H
#define EP_INSIDE_H
#include "cu_unit.h"
#include "ep_config.h"
#include "hsa_err.h"
#include "hsa_unit.h"

struct ep_inside;

/*
 * ep_inside_open(u, dir, name, wait_ms, diag) - dir: the installation's
 * folder, absolute; name NULL: its first unit. Takes the unit's lock: E_BUSY,
 * naming the holder, who has it for longer than wait_ms. Starts threads, which
 * take no signals; sets SOFTHSM2_CONF. ep_inside_close(u) - waits a while for
 * connected collectors; NULL-safe. No request may be under way.
 */
HSA_MUST_USE hsa_rc ep_inside_open(struct ep_inside **u, const char *dir,
    const char *name, int wait_ms, struct hsa_diag *diag);
void ep_inside_close(struct ep_inside *u);

/* ep_inside_request(u, r, q) - as an ep_serve_fn. Any number of threads. */
hsa_rc ep_inside_request(
    void *u, struct hsa_unit_reply *r, const struct hsa_unit_request *q);

/* ep_inside_emission(u, mode, diag) - cu_unit_emission; from the first call in
 * mode ring on, a ring that is gone at a start is told of. */
HSA_MUST_USE hsa_rc ep_inside_emission(
    struct ep_inside *u, enum cu_emission mode, struct hsa_diag *diag);

/* ep_inside_unreadable(u, why) - as an ep_serve_bad_fn: leaves a record. */
void ep_inside_unreadable(void *u, hsa_rc why);

/* ep_inside_renew(u) - as an ep_serve_renew_fn: channels over TLS connect again
 * with the certificates that there are now. */
void ep_inside_renew(void *u);

/* The unit itself, and what its configuration says of it. */
struct cu_unit *ep_inside_unit(struct ep_inside *u);
const struct ep_unit_config *ep_inside_config(const struct ep_inside *u);
const char *ep_inside_folder(struct ep_inside *u);

#endif
