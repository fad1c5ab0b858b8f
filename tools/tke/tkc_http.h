/*
 * tkc_http.h - the HTTP layer of ep11-tke-wire 2, client side: one connection
 * to a server on a unix socket ("unix:PATH"), http://host:port or https://...
 */
#ifndef TKC_HTTP_H
#define TKC_HTTP_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_hash.h"

#define TKC_BODY_MAX (1024u * 1024u) /* bytes of an answer */

struct tkc_http;

struct tkc_http_config {
	const char *server;
	const char *token_file; /* Authorization header; NULL: none */
	long timeout_ms;        /* of one request; 0: 60 s */
};

/*
 * tkc_http_open(h, cfg, diag) - no connection is made yet. E_ARG: not an
 * address; a token never goes over plain http to another machine.
 */
HSA_MUST_USE hsa_rc tkc_http_open(struct tkc_http **h,
    const struct tkc_http_config *cfg, struct hsa_diag *diag);
void tkc_http_close(struct tkc_http *h);

/* What the requests from now on belong to; each may be NULL. Copied. */
HSA_MUST_USE hsa_rc tkc_http_tag(struct tkc_http *h,
    const uint8_t command_id[HSA_UUID_LEN], const char *ceremony_id,
    const char *ceremony_step);

/*
 * tkc_http_get(h, body, path, diag), tkc_http_post(h, body, path, json, n,
 * diag) - body: the answer of a 2xx status, appended. E_CLOSED: no connection,
 * or 503; E_TIMEOUT; E_AUTH: 401 or 403; E_NOT_FOUND: 404; E_REMOTE: another
 * status. The server's text is part of the diagnosis.
 */
HSA_MUST_USE hsa_rc tkc_http_get(struct tkc_http *h, struct hsa_buf *body,
    const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_http_post(struct tkc_http *h, struct hsa_buf *body,
    const char *path, const void *json, size_t n, struct hsa_diag *diag);

#endif
