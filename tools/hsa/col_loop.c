#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "col_conn.h"
#include "col_loop.h"
#include "col_peer.h"
#include "sink_run.h"
#include "vfy_utf8.h"

#define READ_SIZE (256u * 1024u)
#define HELLO_MS 10000 /* a connection must say who it is within, TLS too */
#define FRAME_MS 30000 /* a frame must be whole within */
#define CLOSE_MS 2000  /* a Refuse must be read within */
#define FRESH_MS 500   /* who is not known yet keeps a place for so long */
#define OUT_MAX (1024u * 1024u) /* acks that a peer does not read */
#define DAY_S 86400
#define WARN_DAYS 30 /* of a certificate */

struct conn {
	struct col_conn io;
	struct col_peer peer;
	int64_t since;
	int64_t deadline;   /* 0: none */
	bool greeted, said; /* said: its note was printed */
};

struct loop {
	struct col_hub *hub;
	struct col_listen *listen;
	size_t listens;
	const struct col_options *opt;
	struct conn conn[COL_PEERS];
	uint8_t *buf;
	int64_t warned; /* of our own certificate, s since 1970 */
};

static volatile sig_atomic_t stopped, hung_up;

static void
on_signal(int sig)
{
	if (sig == SIGHUP)
		hung_up = 1;
	else
		stopped = 1;
}

static int64_t
now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
say(const struct conn *c, const char *text)
{
	struct hsa_buf b = {0};

	hsa_buf_printf(&b, "hsa collect: %s: ",
	    c->peer.unit != NULL ? c->peer.unit->name : "a peer");
	vfy_utf8_show(&b, text);
	(void)fprintf(stderr, "%s\n", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

static void
drop(struct loop *l, struct conn *c)
{
	char line[80];

	if (!l->opt->quiet && c->peer.unit != NULL && c->greeted) {
		(void)snprintf(line, sizeof(line),
		    "closed; the copy has %" PRIu64 " records",
		    vfy_store_state(c->peer.unit->store)->tree.size);
		say(c, line);
	}
	col_peer_free(&c->peer);
	col_conn_close(&c->io);
	*c = (struct conn){.io = {.fd = -1}};
}

/* No more bytes from here; the peer may still read what it was sent. */
static void
part(struct loop *l, struct conn *c)
{
	if (!col_conn_goodbye(&c->io)) {
		drop(l, c);
		return;
	}
	c->peer.done = true;
	c->deadline = -(now_ms() + CLOSE_MS);
}

/* ---- who comes ----------------------------------------------------------- */

/* The socket is 0600; this holds even where its folder was opened wide. */
static bool
is_friend(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

static bool
fits(const void *who, const uint8_t unit_id[HSA_UUID_LEN])
{
	const struct col_conn *io = who;

	return io->tls != NULL && col_tls_is_unit(io->tls, unit_id);
}

/* Anybody can connect to a port: who has not said who it is must not keep the
 * units out. */
static struct conn *
find_place(struct loop *l)
{
	struct conn *c, *oldest = NULL;

	for (c = l->conn; c < l->conn + COL_PEERS; c++) {
		if (c->io.fd < 0)
			return c;
		if (c->peer.unit == NULL && (c->io.tls != NULL || c->io.over) &&
		    (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	if (oldest == NULL || now_ms() - oldest->since < FRESH_MS)
		return NULL;
	drop(l, oldest);
	return oldest;
}

/* Once a day, and once for each certificate that is close to its end. */
static void
warn_of_end(struct loop *l, const struct conn *c)
{
	int64_t now = (int64_t)time(NULL), left = c->io.ends - now;

	if (left >= (int64_t)WARN_DAYS * DAY_S || now - l->warned < DAY_S)
		return;
	l->warned = now;
	(void)fprintf(stderr,
	    "hsa collect: our own certificate, %s, ends in %" PRId64
	    " days; put a new one there\n",
	    l->opt->tls.identity, left / DAY_S);
}

static void
take_in(struct loop *l, const struct col_listen *from)
{
	const struct col_tls_config *tls = from->tls ? &l->opt->tls : NULL;
	int fd = accept4(from->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct hsa_diag diag = {{0}};
	struct conn *c;

	if (fd < 0)
		return;
	c = find_place(l);
	if (c == NULL || (tls == NULL && !is_friend(fd))) {
		(void)fprintf(stderr, "hsa collect: a peer: %s\n",
		    c == NULL ? "too many connections" : "another user");
		(void)close(fd);
		return;
	}
	*c = (struct conn){.since = now_ms(), .deadline = now_ms() + HELLO_MS};
	if (!hsa_is_ok(col_conn_open(&c->io, fd, tls, &diag))) {
		(void)fprintf(stderr, "hsa collect: %s\n", diag.text);
		return;
	}
	col_peer_init(&c->peer, l->hub);
	if (tls == NULL)
		return;
	c->peer.fits = fits;
	c->peer.who = &c->io;
	warn_of_end(l, c);
}

/* ---- what they say ------------------------------------------------------- */

static void
shake(struct loop *l, struct conn *c)
{
	hsa_rc rc = col_conn_shake(&c->io);

	if (hsa_is_ok(rc) || rc.v == HSA_E_BUSY)
		return;
	if (rc.v != HSA_E_CLOSED)
		say(c, col_conn_why(&c->io));
	/* it gets to read which of our rules it broke */
	part(l, c);
}

static void
greet(struct loop *l, struct conn *c)
{
	int64_t left = c->io.ends - (int64_t)time(NULL);
	char line[160], certificate[80] = "";
	bool soon = c->io.tls != NULL && left < (int64_t)WARN_DAYS * DAY_S;

	c->greeted = true;
	if (soon)
		(void)snprintf(certificate, sizeof(certificate),
		    "; a certificate ends in %" PRId64 " days", left / DAY_S);
	if (l->opt->quiet && !soon)
		return;
	(void)snprintf(line, sizeof(line),
	    "connected; the copy has %" PRIu64 " records%s", c->peer.base,
	    certificate);
	say(c, line);
}

static void
take_bytes(struct loop *l, struct conn *c)
{
	size_t n = 0;
	hsa_rc rc = col_conn_recv(&c->io, &n, l->buf, READ_SIZE);

	if (rc.v == HSA_E_BUSY || (c->io.over && hsa_is_ok(rc)))
		return;
	if (!hsa_is_ok(rc)) {
		if (rc.v == HSA_E_IO)
			say(c, col_conn_why(&c->io));
		drop(l, c);
		return;
	}
	col_peer_feed(&c->peer, l->buf, n);
	if (c->peer.done)
		return;
	if (c->peer.unit == NULL)
		return; /* the deadline for Hello holds */
	if (!c->greeted)
		greet(l, c);
	if (c->peer.in.len == 0)
		c->deadline = 0;
	else if (c->deadline == 0)
		c->deadline = now_ms() + FRAME_MS;
}

/* One sync for all that this round brought, then the acks for it. */
static void
settle(struct loop *l)
{
	bool any = false;

	for (size_t i = 0; i < COL_PEERS; i++)
		any = any ||
		      (l->conn[i].io.fd >= 0 && l->conn[i].peer.acks.len != 0);
	if (!any)
		return;
	/* a failure is in hub->failed: col_peer_synced refuses then */
	if (hsa_is_ok(col_hub_sync(l->hub)))
		sink_set_wake(l->opt->sinks);
	for (size_t i = 0; i < COL_PEERS; i++)
		if (l->conn[i].io.fd >= 0 && l->conn[i].peer.acks.len != 0)
			col_peer_synced(&l->conn[i].peer);
}

static void
send_out(struct loop *l, struct conn *c)
{
	struct hsa_buf *out = &c->peer.out;

	if (c->peer.note.text[0] != '\0' && (!c->said || c->peer.fresh)) {
		c->peer.fresh = false;
		say(c, c->peer.note.text);
		c->said = true;
	}
	if (c->io.over || !c->io.shaken)
		return;
	if (!hsa_is_ok(col_conn_send(&c->io, out)) ||
	    col_conn_unsent(&c->io, out) > OUT_MAX)
		drop(l, c);
	else if (out->len == 0 && c->peer.done)
		part(l, c);
	else if (out->len == 0)
		return;
	else if (c->peer.done && c->deadline >= 0)
		c->deadline = -(now_ms() + CLOSE_MS); /* below: closing */
}

static void
look_at_clock(struct loop *l, struct conn *c, int64_t now)
{
	if (c->deadline < 0 && now > -c->deadline) {
		drop(l, c);
		return;
	}
	if (c->io.tls != NULL && (int64_t)time(NULL) >= c->io.ends) {
		say(c, "a certificate has ended");
		part(l, c);
		return;
	}
	if (c->deadline <= 0 || now <= c->deadline)
		return;
	if (!c->io.shaken) {
		say(c, "TLS was not finished in time");
		drop(l, c);
		return;
	}
	c->deadline = 0;
	col_peer_refuse(&c->peer, "%s",
	    c->peer.unit == NULL ? "no Hello in time"
				 : "a frame was not finished in time");
	send_out(l, c);
}

static void
hang_up(struct loop *l)
{
	sink_set_reopen(l->opt->sinks);
	for (size_t i = 0; i < COL_PEERS; i++)
		if (l->conn[i].io.tls != NULL)
			part(l, &l->conn[i]);
}

/* ---- the loop ------------------------------------------------------------ */

static void
ask_all(const struct loop *l, struct pollfd *fds)
{
	for (size_t i = 0; i < COL_PEERS; i++) {
		const struct conn *c = &l->conn[i];

		fds[i] = (struct pollfd){.fd = c->io.fd};
		if (c->io.fd >= 0)
			fds[i].events =
			    (short)col_conn_events(&c->io, !c->peer.done,
				col_conn_unsent(&c->io, &c->peer.out) > 0);
	}
	for (size_t i = 0; i < l->listens; i++)
		fds[COL_PEERS + i] =
		    (struct pollfd){.fd = l->listen[i].fd, .events = POLLIN};
}

static void
hear_all(struct loop *l, const struct pollfd *fds)
{
	for (size_t i = 0; i < COL_PEERS; i++) {
		struct conn *c = &l->conn[i];

		/* it may have been dropped since */
		if (c->io.fd < 0 || c->io.fd != fds[i].fd)
			continue;
		if (!c->io.shaken && fds[i].revents != 0)
			shake(l, c);
		else if (c->io.shaken &&
			 col_conn_can_read(&c->io, fds[i].revents))
			take_bytes(l, c);
		else if ((fds[i].revents & (POLLHUP | POLLERR)) != 0)
			drop(l, c);
	}
}

static hsa_rc
turn(struct loop *l, const sigset_t *mask)
{
	const struct timespec tick = {1, 0};
	struct pollfd fds[COL_PEERS + COL_LISTEN_MAX];
	int64_t now;
	int n;

	ask_all(l, fds);
	n = ppoll(fds, COL_PEERS + l->listens, &tick, mask);
	if (hung_up) {
		hung_up = 0;
		hang_up(l);
	}
	if (n < 0 && errno != EINTR)
		return hsa_fail(
		    &l->hub->why, HSA_RC(E_IO), "poll: %s", strerror(errno));
	if (n < 0)
		return HSA_OK;
	hear_all(l, fds);
	settle(l);
	now = now_ms();
	for (size_t i = 0; i < COL_PEERS; i++) {
		if (l->conn[i].io.fd >= 0)
			send_out(l, &l->conn[i]);
		if (l->conn[i].io.fd >= 0)
			look_at_clock(l, &l->conn[i], now);
	}
	/* last: fds speak of the connections that there were */
	for (size_t i = 0; i < l->listens; i++)
		if ((fds[COL_PEERS + i].revents & POLLIN) != 0)
			take_in(l, &l->listen[i]);
	return HSA_OK;
}

hsa_rc
col_loop(struct col_hub *hub, struct col_listen *listen, size_t n,
    const struct col_options *opt)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct loop *l = calloc(1, sizeof(*l));
	sigset_t mask;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (l == NULL)
		return hsa_fail(&hub->why, rc, "out of memory");
	l->hub = hub;
	l->listen = listen;
	l->listens = n;
	l->opt = opt;
	for (size_t i = 0; i < COL_PEERS; i++)
		l->conn[i].io.fd = -1;
	l->buf = malloc(READ_SIZE);
	if (l->buf == NULL) {
		hsa_diag_set(&hub->why, "out of memory");
		goto out;
	}
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	(void)sigdelset(&mask, SIGTERM);
	(void)sigdelset(&mask, SIGINT);
	(void)sigdelset(&mask, SIGHUP);
	do
		HSA_TRY(rc, turn(l, &mask));
	while (!stopped && !hub->failed &&
	       (opt->once == 0 || hub->stored < opt->once));
	rc = hub->failed ? HSA_RC(E_IO) : HSA_OK;
out:
	for (size_t i = 0; i < COL_PEERS; i++)
		if (l->conn[i].io.fd >= 0)
			drop(l, &l->conn[i]);
	free(l->buf);
	free(l);
	return rc;
}
