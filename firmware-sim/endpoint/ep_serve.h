/*
 * ep_serve.h - a unit's socket: requests in, replies out, one thread per
 * connection, at most EP_SERVE_MAX of them. When all places are taken, a new
 * peer gets the place of the one that has been idle for longest, else of the
 * first that has its answer; who is shown out so finds its next write failing
 * with nothing sent. A new peer has half a second for its first request.
 * Only processes of our own user are served.
 */
#ifndef EP_SERVE_H
#define EP_SERVE_H
#include "hsa_err.h"
#include "hsa_unit.h"

#define EP_SERVE_MAX 256

/* Answers one request; called from many threads. What it leaves in r is sent
 * and freed; an error instead is sent as that error's text. */
typedef hsa_rc ep_serve_fn(
    void *ctx, struct hsa_unit_reply *r, const struct hsa_unit_request *q);

/*
 * ep_serve(listen_fd, signal_fd, fn, ctx) - until a signal arrives. Then no
 * new connection is taken, idle ones end, and requests under way are answered:
 * when it returns, no call of fn is running. E_TIMEOUT when one still is
 * after 10 s: what fn uses must then be left alone.
 */
HSA_MUST_USE hsa_rc ep_serve(
    int listen_fd, int signal_fd, ep_serve_fn *fn, void *ctx);

#endif
