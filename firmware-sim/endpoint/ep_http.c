/* ep_http.c - see ep_http.h. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <microhttpd.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "ep_ask.h"
#include "ep_body.h"
#include "ep_config.h"
#include "ep_http.h"
#include "ep_log.h"
#include "ep_route.h"
#include "ep_sock.h"
#include "ep_who.h"

#define CONNECTIONS_MAX 128
#define IDLE_S 30
#define UNIT_MS 60000
#define DISCARD_MAX 16777216u /* read and dropped before a 413 */

struct ep_http {
	const struct ep_config *cfg;
	char *dir;
	atomic_uint active;
};

/* One request, from its first header to the answer. */
struct request {
	struct hsa_buf body;
	size_t seen; /* bytes of body, kept or not */
};

/* What to answer. */
struct answer {
	unsigned int status;
	const char *type;
	const char *allow; /* header, with 405 */
	struct hsa_buf body;
};

static void
say(struct answer *a, unsigned int status, const char *text)
{
	hsa_buf_reset(&a->body);
	hsa_buf_str(&a->body, text);
	hsa_buf_str(&a->body, "\n");
	a->status = status;
	a->type = "text/plain; charset=utf-8";
}

static const char *
header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* ---- POST ---------------------------------------------------------------- */

/* The ids of the request; false with text when one is malformed. A new
 * command id stands in, so that the refusal has one, too. */
static hsa_rc
read_ids(struct hsa_caller *who, const char **wrong, struct MHD_Connection *c)
{
	const char *id = header(c, "Cryptounit-Command-Id");
	const char *ceremony = header(c, "Cryptounit-Ceremony-Id");
	const char *step = header(c, "Cryptounit-Ceremony-Step");
	hsa_rc rc = HSA_OK;

	*wrong = NULL;
	HSA_TRY(rc, hsa_uuid_new(who->command_id));
	if (id != NULL && !hsa_is_ok(hsa_uuid_parse(who->command_id, id)))
		*wrong = "Cryptounit-Command-Id is not a UUID; fix: send a "
			 "UUID of 36 characters, or leave the header out";
	else if (ceremony != NULL &&
		 !ep_who_printable(ceremony, EP_CEREMONY_MAX))
		*wrong = "Cryptounit-Ceremony-Id is not 1 to 128 printable "
			 "characters; fix: shorten it";
	else if (step != NULL && !ep_who_printable(step, EP_CEREMONY_MAX))
		*wrong = "Cryptounit-Ceremony-Step is not 1 to 128 printable "
			 "characters; fix: shorten it";
	else if (step != NULL && ceremony == NULL)
		*wrong = "Cryptounit-Ceremony-Step without "
			 "Cryptounit-Ceremony-Id; fix: send both";
	if (*wrong != NULL)
		goto out;
	HSA_TRY(rc, hsa_strdup_opt(&who->ceremony_id, ceremony));
	HSA_TRY(rc, hsa_strdup_opt(&who->ceremony_step, step));
out:
	return rc;
}

static void
from_unit(struct answer *a, const struct hsa_unit_reply *r)
{
	if (r->kind == HSA_UNIT_ADMIN && r->admin.http_status == 200) {
		hsa_buf_reset(&a->body);
		ep_body_response(
		    &a->body, r->admin.transport.p, r->admin.transport.len);
		a->status = 200;
		a->type = "application/json";
	} else if (r->kind == HSA_UNIT_ADMIN && r->admin.http_status >= 400 &&
		   r->admin.http_status <= 599) {
		say(a, r->admin.http_status,
		    r->admin.text != NULL ? r->admin.text : "refused");
	} else {
		say(a, 500,
		    r->kind == HSA_UNIT_ERROR && r->error != NULL
			? r->error
			: "the unit gave an answer that makes no sense");
	}
}

/* E_NOT_FOUND and E_CLOSED: nobody was there to take the request. */
static void
unit_down(struct answer *a, const struct ep_unit_config *u, hsa_rc rc,
    const struct hsa_diag *d)
{
	struct hsa_buf text = {0};

	if (rc.v == HSA_E_CLOSED || rc.v == HSA_E_NOT_FOUND)
		hsa_buf_printf(&text,
		    "the crypto unit %s is down; nothing happened; fix: see "
		    "`cryptounitd status`, then repeat",
		    u->name);
	else
		hsa_buf_printf(&text,
		    "the crypto unit %s did not answer (%s); whether the "
		    "command took effect is open; fix: query the unit before "
		    "you repeat it",
		    u->name, d->text[0] != '\0' ? d->text : hsa_err_text(rc));
	ep_log("%s", hsa_buf_cstr(&text));
	say(a, rc.v == HSA_E_TIMEOUT ? 504 : 503, hsa_buf_cstr(&text));
	hsa_buf_free(&text);
}

static hsa_rc
ask_unit(struct ep_http *h, struct hsa_unit_reply *r,
    const struct ep_unit_config *u, const struct hsa_unit_request *q,
    struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/units/%s/unit.sock", h->dir, u->name);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, ep_ask(r, hsa_buf_cstr(&path), q, UNIT_MS, diag));
out:
	hsa_buf_free(&path);
	return rc;
}

/* status and text are already set when the request is refused here; then the
 * unit is only told, and what it answers changes nothing. */
static hsa_rc
post(struct ep_http *h, struct answer *a, const struct ep_unit_config *u,
    struct hsa_unit_request *q)
{
	struct hsa_unit_reply r = {0};
	struct hsa_diag d = {{0}};
	bool refused = a->status != 0;
	hsa_rc rc = HSA_OK;

	if (refused)
		hsa_buf_reset(&q->transport);
	rc = ask_unit(h, &r, u, q, &d);
	if (rc.v == HSA_E_NOMEM)
		goto out;
	if (refused && !hsa_is_ok(rc))
		ep_log("a refusal (%u) is not in the log of unit %s, which "
		       "is down",
		    a->status, u->name);
	else if (!refused && !hsa_is_ok(rc))
		unit_down(a, u, rc, &d);
	else if (!refused)
		from_unit(a, &r);
	rc = HSA_OK;
out:
	hsa_unit_reply_free(&r);
	return rc;
}

static hsa_rc
read_body(
    struct answer *a, struct hsa_unit_request *q, const struct request *rq)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc = HSA_OK;

	if (rq->seen > EP_BODY_MAX) {
		say(a, 413,
		    "the body has more than 1 MiB; fix: send one "
		    "command");
		return HSA_OK;
	}
	rc = ep_body_request(&q->transport, rq->body.p, rq->body.len, &d);
	if (rc.v == HSA_E_FORMAT) {
		say(a, 400, d.text);
		rc = HSA_OK;
	}
	return rc;
}

static hsa_rc
on_post(struct ep_http *h, struct answer *a, struct MHD_Connection *c,
    const struct ep_unit_config *u, struct hsa_unit_request *q,
    const struct request *rq)
{
	const char *wrong = NULL;
	hsa_rc rc = HSA_OK;

	q->kind = HSA_UNIT_ADMIN;
	HSA_TRY(rc, read_ids(&q->caller, &wrong, c));
	HSA_TRY(rc, read_body(a, q, rq));
	if (a->status == 0 && wrong != NULL)
		say(a, 400, wrong);
	/* The unit names the command of a denied caller in its event, so it
	 * gets the transport string when there is one. */
	HSA_TRY(rc, post(h, a, u, q));
out:
	return rc;
}

/* ---- dispatch ------------------------------------------------------------ */

static hsa_rc
who_asks(struct hsa_caller *who, struct ep_http *h, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *fd =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *peer =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct ep_who_facts facts = {0};

	if (fd == NULL || peer == NULL)
		return HSA_RC(E_IO);
	facts.fd = fd->connect_fd;
	facts.peer = peer->client_addr;
	facts.authorization = header(c, MHD_HTTP_HEADER_AUTHORIZATION);
	facts.agent = header(c, MHD_HTTP_HEADER_USER_AGENT);
	return ep_who(who, h->cfg, &facts);
}

static hsa_rc
dispatch(struct ep_http *h, struct answer *a, struct MHD_Connection *c,
    const char *url, const char *method, const struct request *rq)
{
	const struct ep_unit_config *unit = NULL;
	struct hsa_unit_request q = {0};
	const char *missing = NULL;
	enum ep_route to = ep_route(h->cfg, url, &unit, &missing);
	bool get = strcmp(method, "GET") == 0;
	bool known_post = strcmp(method, "POST") == 0 && to == EP_ROUTE_UNIT;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, who_asks(&q.caller, h, c));
	if (known_post) {
		HSA_TRY(rc, on_post(h, a, c, unit, &q, rq));
	}
	/* who may not ask learns nothing else */
	if (q.caller.denied != 0) {
		say(a, q.caller.denied, q.caller.denied_text);
	} else if (known_post) {
		goto out;
	} else if (to == EP_ROUTE_NONE) {
		say(a, 404, missing);
	} else if (to == EP_ROUTE_UNIT) {
		say(a, 405, "fix: use POST here");
		a->allow = "POST";
	} else if (!get) {
		say(a, 405, "fix: use GET here");
		a->allow = "GET";
	} else {
		if (to == EP_ROUTE_INSTANCES)
			ep_body_instances(&a->body, h->cfg);
		else
			ep_body_units(&a->body, h->cfg);
		a->status = 200;
		a->type = "application/json";
	}
out:
	hsa_unit_request_free(&q);
	return rc;
}

static enum MHD_Result
send_answer(struct MHD_Connection *c, struct answer *a)
{
	struct MHD_Response *r = NULL;
	enum MHD_Result done = MHD_NO;

	if (!hsa_is_ok(hsa_buf_rc(&a->body)))
		return MHD_NO;
	r = MHD_create_response_from_buffer(
	    a->body.len, a->body.p, MHD_RESPMEM_MUST_COPY);
	if (r == NULL)
		return MHD_NO;
	if (MHD_add_response_header(r, "Content-Type", a->type) == MHD_NO ||
	    MHD_add_response_header(r, "Cache-Control", "no-store") == MHD_NO)
		goto out;
	if (a->allow != NULL &&
	    MHD_add_response_header(r, "Allow", a->allow) == MHD_NO)
		goto out;
	if (a->status == 401 &&
	    MHD_add_response_header(r, "WWW-Authenticate", "Bearer") == MHD_NO)
		goto out;
	done = MHD_queue_response(c, a->status, r);
out:
	MHD_destroy_response(r);
	return done;
}

/* ---- what libmicrohttpd calls -------------------------------------------- */

/* By its own announcement. */
static bool
too_long(struct MHD_Connection *c)
{
	const char *n = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return n != NULL && strtoull(n, NULL, 10) > EP_BODY_MAX;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	struct ep_http *h = cls;
	struct request *rq = *state;
	struct answer a = {0};
	enum MHD_Result done = MHD_NO;
	hsa_rc rc = HSA_OK;

	(void)version;
	if (rq == NULL) {
		rq = calloc(1, sizeof(*rq));
		if (rq == NULL)
			return MHD_NO;
		*state = rq;
		atomic_fetch_add(&h->active, 1);
		if (!too_long(c))
			return MHD_YES;
		rq->seen = EP_BODY_MAX + 1; /* answered without reading it */
	}
	if (*n > 0) {
		rq->seen += *n;
		if (rq->seen <= EP_BODY_MAX)
			hsa_buf_put(&rq->body, data, *n);
		else
			hsa_buf_free(&rq->body);
		*n = 0;
		return rq->seen <= DISCARD_MAX ? MHD_YES : MHD_NO;
	}
	rc = hsa_buf_rc(&rq->body);
	if (hsa_is_ok(rc))
		rc = dispatch(h, &a, c, url, method, rq);
	if (!hsa_is_ok(rc) || a.status == 0) {
		ep_log("request failed here: %s", hsa_err_text(rc));
		say(&a, 500, hsa_err_text(rc));
	}
	done = send_answer(c, &a);
	hsa_buf_free(&a.body);
	return done;
}

static void
on_completed(void *cls, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct ep_http *h = cls;
	struct request *rq = *state;

	(void)c;
	(void)why;
	if (rq == NULL)
		return;
	hsa_buf_free(&rq->body);
	free(rq);
	*state = NULL;
	atomic_fetch_sub(&h->active, 1);
}

static HSA_PRINTF(2, 0) void on_log(void *cls, const char *fmt, va_list ap)
{
	char line[512] = "";

	(void)cls;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	ep_log("http: %s", line);
}

hsa_rc
ep_http_new(struct ep_http **h, const struct ep_config *cfg, const char *dir)
{
	struct ep_http *got = calloc(1, sizeof(*got));
	hsa_rc rc = HSA_OK;

	if (got == NULL)
		return HSA_RC(E_NOMEM);
	got->cfg = cfg;
	atomic_init(&got->active, 0);
	rc = hsa_strdup_opt(&got->dir, dir);
	if (hsa_is_ok(rc))
		*h = got;
	else
		free(got);
	return rc;
}

void
ep_http_free(struct ep_http *h)
{
	if (h == NULL)
		return;
	free(h->dir);
	free(h);
}

hsa_rc
ep_http_start(struct MHD_Daemon **d, struct ep_http *h, int listen_fd,
    struct hsa_diag *diag)
{
	struct MHD_Daemon *got = MHD_start_daemon(
	    MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(64 * 1024),
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);

	if (got == NULL)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "the HTTP service does not start; fix: raise the limits "
		    "on threads and open files (ulimit -u, -n)");
	*d = got;
	return HSA_OK;
}

void
ep_http_stop(struct MHD_Daemon *d, struct ep_http *h, int wait_ms)
{
	const struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};
	uint64_t deadline = ep_sock_now() + (uint64_t)wait_ms;
	int fd = -1;

	if (d == NULL)
		return;
	fd = MHD_quiesce_daemon(d);
	while (atomic_load(&h->active) > 0 && ep_sock_now() < deadline)
		(void)nanosleep(&nap, NULL);
	MHD_stop_daemon(d);
	if (fd >= 0)
		(void)close(fd);
}
