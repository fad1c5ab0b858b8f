/* ep_serve.c - see ep_serve.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "hsa_codec.h"
#include "ep_harden.h"
#include "ep_log.h"
#include "ep_serve.h"
#include "ep_sock.h"

#define WRITE_MS 30000 /* a peer that does not read is dropped */
#define STOP_MS 10000
#define FRESH_MS 500 /* for the first request, before the place may go */
#define AGAIN_MS 100 /* between two looks for a place */

struct serve;

struct slot {
	struct serve *s;
	int fd;              /* -1: free */
	uint64_t idle_since; /* 0: a request is under way, or no more wanted */
	bool answered;       /* something, once */
};

/* On the heap and left there after E_TIMEOUT, for the thread that hangs. */
struct serve {
	pthread_mutex_t lock;
	struct slot slot[EP_SERVE_MAX];
	unsigned int used;
	bool pressed; /* full, and somebody waits */
	int freed;    /* eventfd, readable when a slot came free */
	struct ep_serve_calls calls;
	void *ctx;
};

static hsa_rc
answer(struct serve *s, struct hsa_buf *out, const struct hsa_unit_request *q)
{
	struct hsa_unit_reply r = {0};
	hsa_rc rc = s->calls.fn(s->ctx, &r, q);

	if (!hsa_is_ok(rc)) {
		hsa_unit_reply_free(&r);
		r = (struct hsa_unit_reply){.kind = HSA_UNIT_ERROR};
		HSA_TRY(rc, hsa_strdup_opt(&r.error, hsa_err_text(rc)));
	}
	HSA_TRY(rc, hsa_unit_reply_encode(out, &r));
out:
	hsa_unit_reply_free(&r);
	return rc;
}

/* One request of the buffer, when it is whole. */
static hsa_rc
step(struct serve *s, int fd, struct hsa_buf *in)
{
	struct hsa_unit_request q = {0};
	struct hsa_buf out = {0}, rest = {0};
	size_t used = 0;
	hsa_rc rc = hsa_unit_request_decode(&q, &used, in->p, in->len);

	if (!hsa_is_ok(rc) && rc.v != HSA_E_TRUNCATED && rc.v != HSA_E_NOMEM &&
	    s->calls.bad != NULL)
		s->calls.bad(s->ctx, rc);
	HSA_TRY(rc, rc);
	HSA_TRY(rc, answer(s, &out, &q));
	HSA_TRY(
	    rc, ep_sock_write(fd, out.p, out.len, ep_sock_now() + WRITE_MS));
	hsa_buf_put(&rest, in->p + used, in->len - used);
	hsa_buf_free(in);
	*in = rest;
	rest = (struct hsa_buf){0};
	rc = hsa_buf_rc(in);
out:
	hsa_unit_request_free(&q);
	hsa_buf_free(&out);
	hsa_buf_free(&rest);
	return rc;
}

/* ---- when the house is full ---------------------------------------------- */

/*
 * A peer keeps its connection for the next request, so all places may be taken
 * by peers who want nothing. Half-closing is the polite way out: what they had
 * sent before is still read and answered, what they would send now fails at
 * once, and they connect anew.
 */
static void
show_out(struct slot *sl)
{
	sl->idle_since = 0;
	(void)shutdown(sl->fd, SHUT_RD);
}

static void
make_room(struct serve *s)
{
	struct slot *longest = NULL, *sl = NULL;
	uint64_t now = ep_sock_now();

	(void)pthread_mutex_lock(&s->lock);
	for (sl = s->slot; sl < s->slot + EP_SERVE_MAX; sl++)
		if (sl->fd >= 0 && sl->idle_since != 0 &&
		    (sl->answered || now - sl->idle_since >= FRESH_MS) &&
		    (longest == NULL || sl->idle_since < longest->idle_since))
			longest = sl;
	if (longest != NULL)
		show_out(longest);
	else
		s->pressed = true; /* the next that has its answer goes */
	(void)pthread_mutex_unlock(&s->lock);
}

static void
idle(struct slot *sl, bool answered)
{
	struct serve *s = sl->s;

	(void)pthread_mutex_lock(&s->lock);
	sl->idle_since = ep_sock_now();
	sl->answered = answered;
	if (answered && s->pressed) {
		s->pressed = false;
		show_out(sl);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

static void
busy(struct slot *sl)
{
	(void)pthread_mutex_lock(&sl->s->lock);
	sl->idle_since = 0;
	(void)pthread_mutex_unlock(&sl->s->lock);
}

/* ---- connections --------------------------------------------------------- */

static hsa_rc
talk(struct serve *s, struct slot *sl)
{
	const int fd = sl->fd;
	struct hsa_buf in = {0};
	uint8_t *room = NULL;
	size_t got = 0;
	bool answered = false;
	hsa_rc rc = HSA_OK;

	for (;;) {
		room = hsa_buf_reserve(&in, 16384);
		if (room == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		if (in.len == 0)
			idle(sl, answered);
		HSA_TRY(rc, ep_sock_read(fd, room, 16384, &got, 0));
		if (in.len == 0)
			busy(sl);
		in.len += got;
		do {
			rc = in.len == 0 ? HSA_RC(E_TRUNCATED)
					 : step(s, fd, &in);
					 answered = answered || hsa_is_ok(rc);
		} while (hsa_is_ok(rc));
		if (rc.v != HSA_E_TRUNCATED)
			goto out;
	}
out:
	hsa_buf_free(&in);
	return rc;
}

static void *
connection(void *arg)
{
	const uint64_t one = 1;
	struct slot *sl = arg;
	struct serve *s = sl->s;
	hsa_rc rc = talk(s, sl);

	if (rc.v != HSA_E_CLOSED)
		ep_log("closed a connection to the unit's socket: %s",
		    hsa_err_text(rc));
	(void)pthread_mutex_lock(&s->lock);
	(void)close(sl->fd);
	sl->fd = -1;
	sl->idle_since = 0;
	s->used--;
	s->pressed = false; /* or the one that waited would be shown out */
	/* within the lock: stop() closes the eventfd once used is 0 */
	if (write(s->freed, &one, sizeof(one)) < 0)
		ep_log("the socket's own wake-up failed");
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static bool
allowed(int fd)
{
	uid_t uid = 0;

	if (!hsa_is_ok(ep_sock_peer(&uid, fd)))
		return false;
	if (uid == geteuid())
		return true;
	ep_log("refused uid %u at the unit's socket", (unsigned int)uid);
	return false;
}

static void
take(struct serve *s, int listen_fd)
{
	pthread_attr_t attr;
	pthread_t t;
	struct slot *sl = NULL;
	unsigned int i = 0;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!allowed(fd)) {
		(void)close(fd);
		return;
	}
	(void)pthread_mutex_lock(&s->lock);
	for (i = 0; sl == NULL && i < EP_SERVE_MAX; i++)
		if (s->slot[i].fd < 0)
			sl = &s->slot[i];
	if (sl != NULL) {
		sl->fd = fd;
		s->used++;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (sl == NULL) {
		(void)close(fd);
		return;
	}
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, connection, sl) != 0) {
		ep_log("no thread for a connection; fix: raise the limit on "
		       "processes (ulimit -u)");
		(void)pthread_mutex_lock(&s->lock);
		(void)close(fd);
		sl->fd = -1;
		s->used--;
		(void)pthread_mutex_unlock(&s->lock);
	}
	(void)pthread_attr_destroy(&attr);
}

static unsigned int
in_use(struct serve *s)
{
	unsigned int n = 0;

	(void)pthread_mutex_lock(&s->lock);
	n = s->used;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* Half-closing ends a read, and leaves the reply of a request under way. */
static hsa_rc
stop(struct serve *s)
{
	const struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};
	uint64_t deadline = ep_sock_now() + STOP_MS;
	unsigned int i = 0;

	(void)pthread_mutex_lock(&s->lock);
	for (i = 0; i < EP_SERVE_MAX; i++)
		if (s->slot[i].fd >= 0)
			(void)shutdown(s->slot[i].fd, SHUT_RD);
	(void)pthread_mutex_unlock(&s->lock);
	while (in_use(s) > 0) {
		if (ep_sock_now() > deadline)
			return HSA_RC(E_TIMEOUT);
		(void)nanosleep(&nap, NULL);
	}
	return HSA_OK;
}

hsa_rc
ep_serve(
    int listen_fd, int signal_fd, const struct ep_serve_calls *calls, void *ctx)
{
	struct serve *s = calloc(1, sizeof(*s));
	struct pollfd pf[3] = {{.fd = signal_fd, .events = POLLIN},
	    {.events = POLLIN}, {.fd = listen_fd, .events = POLLIN}};
	bool waits = false; /* a peer, for a place */
	uint64_t count = 0;
	unsigned int i = 0;
	int sig = 0;
	hsa_rc rc = HSA_OK;

	if (s == NULL)
		return HSA_RC(E_NOMEM);
	s->calls = *calls;
	s->ctx = ctx;
	for (i = 0; i < EP_SERVE_MAX; i++)
		s->slot[i] = (struct slot){.s = s, .fd = -1};
	s->freed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->freed < 0 || pthread_mutex_init(&s->lock, NULL) != 0) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	pf[1].fd = s->freed;
	for (;;) {
		nfds_t n = waits ? 2 : 3;

		if (poll(pf, n, waits ? AGAIN_MS : -1) < 0 && errno != EINTR) {
			rc = HSA_RC(E_IO);
			break;
		}
		sig = ep_signals_take(signal_fd, NULL);
		if (sig != 0 && sig != SIGHUP)
			break;
		if (sig == SIGHUP && s->calls.renew != NULL)
			s->calls.renew(ctx);
		if (read(s->freed, &count, sizeof(count)) < 0 &&
		    errno != EAGAIN)
			break;
		waits = waits && in_use(s) == EP_SERVE_MAX;
		if (waits)
			make_room(s);
		if (n == 3 && (pf[2].revents & POLLIN) != 0) {
			waits = in_use(s) == EP_SERVE_MAX;
			if (waits)
				make_room(s);
			else
				take(s, listen_fd);
		}
		pf[2].revents = 0;
	}
	if (stop(s).v == HSA_E_TIMEOUT)
		return HSA_RC(E_TIMEOUT);
	(void)pthread_mutex_destroy(&s->lock);
out:
	if (s->freed >= 0)
		(void)close(s->freed);
	free(s);
	return rc;
}
