#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan_impl.h"

/* A peer that is gone without a word is noticed after about a minute. */
#define KEEP_IDLE_S 30
#define KEEP_EVERY_S 10
#define KEEP_COUNT 3
#define GONE_MS 60000

/* ---- names --------------------------------------------------------------- */

/*
 * A question to a name server, asked by a thread of its own: chan_stop must not
 * wait for the answer, and there is no calling it off. Whoever of the two comes
 * last frees it. (getaddrinfo_a does the same, in threads that sanitizers do
 * not know of.)
 */
struct question {
	pthread_mutex_t lock;
	bool done, left; /* answered; nobody waits for it any more */
	int fd;          /* eventfd: answered */
	int error;       /* of getaddrinfo */
	struct addrinfo hints, *found;
	char host[HSA_HOST_MAX + 1], service[8];
};

static void
question_free(struct question *q)
{
	if (q->found != NULL)
		freeaddrinfo(q->found);
	if (q->fd >= 0)
		(void)close(q->fd);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

static void *
answer(void *arg)
{
	const uint64_t one = 1;
	struct question *q = arg;
	struct addrinfo *found = NULL;
	int e = getaddrinfo(q->host, q->service, &q->hints, &found);
	bool left;

	(void)pthread_mutex_lock(&q->lock);
	q->error = e;
	q->found = e == 0 ? found : NULL;
	q->done = true;
	left = q->left;
	/* an eventfd with room for it takes eight bytes at once */
	if (!left && write(q->fd, &one, sizeof(one)) < 0)
		q->error = EAI_SYSTEM;
	(void)pthread_mutex_unlock(&q->lock);
	if (left)
		question_free(q);
	return NULL;
}

static struct question *
question_new(const struct hsa_addr *to)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL || pthread_mutex_init(&q->lock, NULL) != 0) {
		free(q);
		return NULL;
	}
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	memcpy(q->host, to->host, sizeof(q->host));
	(void)snprintf(
	    q->service, sizeof(q->service), "%u", (unsigned int)to->port);
	q->hints.ai_socktype = SOCK_STREAM;
	q->hints.ai_flags = AI_NUMERICSERV | (to->numeric ? AI_NUMERICHOST : 0);
	if (q->fd >= 0)
		return q;
	question_free(q);
	return NULL;
}

/* Takes q over. found: NULL without an answer in time. */
static int
wait_answer(
    struct addrinfo **found, struct chan *c, struct question *q, int64_t until)
{
	struct pollfd now = {.fd = q->fd, .events = POLLIN};
	bool done;
	int e;

	while (poll(&now, 1, 0) == 0 &&
	       hsa_is_ok(chan_wait(c, q->fd, POLLIN, until)))
		continue;
	(void)pthread_mutex_lock(&q->lock);
	done = q->done;
	q->left = true;
	e = done ? q->error : EAI_INPROGRESS;
	*found = q->found;
	if (done)
		q->found = NULL;
	(void)pthread_mutex_unlock(&q->lock);
	if (done)
		question_free(q);
	return e;
}

static hsa_rc
resolve(struct addrinfo **found, struct chan *c, int64_t until)
{
	struct question *q = question_new(&c->to);
	pthread_t thread;
	int e;

	if (q == NULL)
		return HSA_RC(E_NOMEM);
	/* it inherits that no signal is for it */
	if (pthread_create(&thread, NULL, answer, q) != 0) {
		question_free(q);
		return HSA_RC(E_NOMEM);
	}
	(void)pthread_detach(thread);
	e = wait_answer(found, c, q, until);
	if (e != 0 && !c->lasting)
		chan_show(c, false, "%s: %s; see that the name is right",
		    c->address,
		    e == EAI_INPROGRESS ? "no answer about the name"
					: gai_strerror(e));
	return e == 0 ? HSA_OK : HSA_RC(E_IO);
}

/* ---- one address --------------------------------------------------------- */

static void
set_options(int fd)
{
	const int on = 1, idle = KEEP_IDLE_S, every = KEEP_EVERY_S,
		  count = KEEP_COUNT, gone = GONE_MS;

	/* frames are whole, and an Ack is waited for: send at once */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone, sizeof(gone));
}

/* errno in *err. */
static hsa_rc
wait_connected(struct chan *c, int fd, int64_t until, int *err)
{
	struct pollfd now = {.fd = fd, .events = POLLOUT};
	socklen_t n = sizeof(*err);
	hsa_rc rc = HSA_OK;

	*err = ETIMEDOUT;
	while (hsa_is_ok(rc) && poll(&now, 1, 0) == 0)
		rc = chan_wait(c, fd, POLLOUT, until);
	if (!hsa_is_ok(rc))
		return rc;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, err, &n) != 0)
		*err = errno;
	return *err == 0 ? HSA_OK : HSA_RC(E_IO);
}

static hsa_rc
connect_one(struct chan *c, const struct addrinfo *a, int64_t until, int *err)
{
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	hsa_rc rc = HSA_OK;

	if (fd < 0) {
		*err = errno;
		return HSA_RC(E_IO);
	}
	set_options(fd);
	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
		*err = errno;
		rc = *err == EINPROGRESS || *err == EINTR
			 ? wait_connected(c, fd, until, err)
			 : HSA_RC(E_IO);
	}
	if (hsa_is_ok(rc))
		c->conn.fd = fd;
	else
		(void)close(fd);
	return rc;
}

/* From a on; never 0. */
static int
addresses(const struct addrinfo *a)
{
	int n = 1;

	while ((a = a->ai_next) != NULL)
		n++;
	return n;
}

/* Every address of the name in turn; a silent one must not cost the others
 * their time. */
static hsa_rc
connect_any(struct chan *c, int64_t until)
{
	struct addrinfo *all = NULL;
	int64_t left;
	int err = 0;
	hsa_rc rc;

	HSA_TRY(rc, resolve(&all, c, until));
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		left = until - chan_now_ms();
		rc = connect_one(
		    c, a, chan_now_ms() + left / addresses(a), &err);
		if (hsa_is_ok(rc) || rc.v == HSA_E_STOPPED)
			break;
	}
	if (!hsa_is_ok(rc) && !c->lasting)
		chan_show(c, false, "%s: %s; start the collector there",
		    c->address, strerror(err));
out:
	if (all != NULL)
		freeaddrinfo(all);
	return rc;
}

/* ---- TLS ----------------------------------------------------------------- */

static hsa_rc
shake_hands(struct chan *c, int64_t until)
{
	struct chan_tls *t = c->conn.tls;
	hsa_rc rc, waited = HSA_OK;

	for (;;) {
		rc = chan_tls_handshake(t);
		if (rc.v != HSA_E_BUSY)
			break;
		waited = chan_wait(c, c->conn.fd, chan_tls_events(t), until);
		if (!hsa_is_ok(waited))
			break;
	}
	if (waited.v == HSA_E_TIMEOUT)
		chan_show(c, false, "the collector did not finish TLS in %g s",
		    c->hello_ms / 1000.0);
	else if (rc.v == HSA_E_AUTH)
		chan_show(c, true, "the collector's certificate, for %s: %s",
		    c->tls_name, chan_tls_why(t));
	else if (!hsa_is_ok(rc) && rc.v != HSA_E_BUSY)
		chan_show(c, rc.v == HSA_E_REMOTE,
		    "no TLS with the collector: "
		    "%s",
		    chan_tls_why(t));
	return hsa_is_ok(waited) ? rc : waited;
}

static hsa_rc
secure(struct chan *c, int64_t until)
{
	struct chan_tls_config cfg = {
	    .ca = c->tls_ca, .identity = c->tls_identity, .peer = c->tls_name};
	struct hsa_diag diag = {{0}};
	int64_t own = 0;
	hsa_rc rc;

	memcpy(cfg.unit_id, c->unit_id, sizeof(cfg.unit_id));
	rc = chan_tls_new(&c->conn.tls, &own, &cfg, c->conn.fd, &diag);
	chan_show_ends(c, own);
	if (!hsa_is_ok(rc)) {
		chan_show(c, true, "%s", diag.text);
		return rc;
	}
	HSA_TRY(rc, shake_hands(c, until));
	c->ends = chan_tls_ends(c->conn.tls);
out:
	return rc;
}

/* ---- both ---------------------------------------------------------------- */

hsa_rc
chan_dial(struct chan *c)
{
	int64_t until = chan_now_ms() + c->hello_ms;
	int err = 0;
	hsa_rc rc;

	c->ends = 0;
	if (c->to.kind == HSA_ADDR_UNIX) {
		rc = chan_conn_open(&c->conn, &err, c->to.path);
		if (!hsa_is_ok(rc) && !c->lasting)
			chan_show(c, false, "%s: %s; start the collector there",
			    c->to.path, strerror(err));
		return rc;
	}
	HSA_TRY(rc, connect_any(c, until));
	HSA_TRY(rc, secure(c, until));
out:
	if (!hsa_is_ok(rc))
		chan_conn_close(&c->conn);
	return rc;
}
