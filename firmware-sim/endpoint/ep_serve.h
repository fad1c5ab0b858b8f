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

/* Told of bytes that are no request, before their connection is closed. */
typedef void ep_serve_bad_fn(void *ctx, hsa_rc why);

/* Told of SIGHUP. */
typedef void ep_serve_renew_fn(void *ctx);

struct ep_serve_calls {
	ep_serve_fn *fn;
	ep_serve_bad_fn *bad;     /* NULL: none */
	ep_serve_renew_fn *renew; /* NULL: none */
};

/*
 * ep_serve(listen_fd, signal_fd, calls, ctx) - until a signal arrives. Then
 * no new connection is taken, idle ones end, and requests under way are
 * answered: when it returns, no call of fn or bad is running. E_TIMEOUT when
 * one still is after 10 s: what they use must then be left alone. SIGHUP ends
 * nothing. */
HSA_MUST_USE hsa_rc ep_serve(int listen_fd, int signal_fd,
    const struct ep_serve_calls *calls, void *ctx);

#endif
