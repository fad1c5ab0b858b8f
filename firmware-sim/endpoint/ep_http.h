/*
 * ep_http.h - the requests of TKE clients (ep11-tke-wire 2) as HTTP: routes,
 * headers, statuses. ep_front.h gives it its sockets.
 *
 *   GET  /v1/tke                              the instances (our addition)
 *   GET  /v1/tke/{instance}/hsms              the crypto units
 *   POST /v1/tke/{instance}/hsms/{hsm_id}     one command or query
 *
 * Every POST for a unit that exists reaches that unit, also one that is
 * refused here (401, 403, 400, 413): the unit's log is the only audit trail,
 * so the unit has to know. Then its transport string is empty.
 */
#ifndef EP_HTTP_H
#define EP_HTTP_H
#include <stddef.h>
#include "hsa_err.h"

struct ep_config;
struct ep_http; /* shared by all connections; read-only but for a counter */
struct MHD_Connection;
struct MHD_Daemon;

HSA_MUST_USE hsa_rc ep_http_new(
    struct ep_http **h, const struct ep_config *cfg, const char *dir);
void ep_http_free(struct ep_http *h);

/* ep_http_start(d, h, listen_fd, diag) - serve that socket, a thread per
 * connection; the daemon owns listen_fd. */
HSA_MUST_USE hsa_rc ep_http_start(struct MHD_Daemon **d, struct ep_http *h,
    int listen_fd, struct hsa_diag *diag);
/* ep_http_stop(d, h, wait_ms) - take no more, let those under way finish for
 * at most wait_ms, end. d may be NULL. */
void ep_http_stop(struct MHD_Daemon *d, struct ep_http *h, int wait_ms);

#endif
