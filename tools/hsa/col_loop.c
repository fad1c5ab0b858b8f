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

#include "col_loop.h"
#include "col_peer.h"
#include "sink_run.h"
#include "vfy_utf8.h"

#define READ_SIZE (256u * 1024u)
#define HELLO_MS 10000          /* a connection must say who it is within */
#define FRAME_MS 30000          /* a frame must be whole within */
#define CLOSE_MS 2000           /* a Refuse must be read within */
#define OUT_MAX (1024u * 1024u) /* acks that a peer does not read */

struct conn {
	int fd; /* -1: free */
	struct col_peer peer;
	size_t sent;        /* of peer.out */
	int64_t deadline;   /* 0: none */
	bool greeted, said; /* said: its note was printed */
};

struct loop {
	struct col_hub *hub;
	struct col_listen *listen;
	const struct col_options *opt;
	struct conn conn[COL_PEERS];
	uint8_t *buf;
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

	if (!l->opt->quiet && c->peer.unit != NULL) {
		(void)snprintf(line, sizeof(line),
		    "closed; the copy has %" PRIu64 " records",
		    vfy_store_state(c->peer.unit->store)->tree.size);
		say(c, line);
	}
	col_peer_free(&c->peer);
	(void)close(c->fd);
	*c = (struct conn){.fd = -1};
}

/* The socket is 0600; this holds even where its folder was opened wide. */
static bool
is_friend(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

static void
take_in(struct loop *l)
{
	struct conn *c = NULL;
	int fd =
	    accept4(l->listen->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < COL_PEERS && c == NULL; i++)
		if (l->conn[i].fd < 0)
			c = &l->conn[i];
	if (c == NULL || !is_friend(fd)) {
		(void)fprintf(stderr, "hsa collect: a peer: %s\n",
		    c == NULL ? "too many connections" : "another user");
		(void)close(fd);
		return;
	}
	*c = (struct conn){.fd = fd, .deadline = now_ms() + HELLO_MS};
	col_peer_init(&c->peer, l->hub);
}

static void
take_bytes(struct loop *l, struct conn *c)
{
	ssize_t n = recv(c->fd, l->buf, READ_SIZE, 0);
	char line[80];

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(l, c);
		return;
	}
	col_peer_feed(&c->peer, l->buf, (size_t)n);
	if (c->peer.done)
		return;
	if (c->peer.unit == NULL)
		return; /* the deadline for Hello holds */
	if (!c->greeted && !l->opt->quiet) {
		(void)snprintf(line, sizeof(line),
		    "connected; the copy has %" PRIu64 " records",
		    c->peer.base);
		say(c, line);
	}
	c->greeted = true;
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
		      (l->conn[i].fd >= 0 && l->conn[i].peer.acks.len != 0);
	if (!any)
		return;
	/* a failure is in hub->failed: col_peer_synced refuses then */
	if (hsa_is_ok(col_hub_sync(l->hub)))
		sink_set_wake(l->opt->sinks);
	for (size_t i = 0; i < COL_PEERS; i++)
		if (l->conn[i].fd >= 0 && l->conn[i].peer.acks.len != 0)
			col_peer_synced(&l->conn[i].peer);
}

static void
send_out(struct loop *l, struct conn *c)
{
	struct hsa_buf *out = &c->peer.out;
	ssize_t n = 0;

	if (c->peer.note.text[0] != '\0' && !c->said) {
		say(c, c->peer.note.text);
		c->said = true;
	}
	while (c->sent < out->len) {
		n = send(
		    c->fd, out->p + c->sent, out->len - c->sent, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		c->sent += (size_t)n;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		drop(l, c);
		return;
	}
	if (c->sent == out->len) {
		hsa_buf_reset(out);
		c->sent = 0;
		if (c->peer.done)
			drop(l, c);
	} else if (out->len - c->sent > OUT_MAX)
		drop(l, c);
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
	if (c->deadline <= 0 || now <= c->deadline)
		return;
	c->deadline = 0;
	col_peer_refuse(&c->peer, "%s",
	    c->peer.unit == NULL ? "no Hello in time"
				 : "a frame was not finished in time");
	send_out(l, c);
}

static hsa_rc
turn(struct loop *l, const sigset_t *mask)
{
	const struct timespec tick = {1, 0};
	struct pollfd fds[COL_PEERS + 1];
	int64_t now;
	int n;

	fds[0] = (struct pollfd){.fd = l->listen->fd, .events = POLLIN};
	for (size_t i = 0; i < COL_PEERS; i++) {
		const struct conn *c = &l->conn[i];
		bool in = !c->peer.done;

		fds[i + 1] = (struct pollfd){.fd = c->fd};
		fds[i + 1].events =
		    (short)((in ? POLLIN : 0) |
			    (c->peer.out.len > c->sent ? POLLOUT : 0));
	}
	n = ppoll(fds, COL_PEERS + 1, &tick, mask);
	if (hung_up) {
		hung_up = 0;
		sink_set_reopen(l->opt->sinks);
	}
	if (n < 0 && errno != EINTR)
		return hsa_fail(
		    &l->hub->why, HSA_RC(E_IO), "poll: %s", strerror(errno));
	if (n < 0)
		return HSA_OK;
	for (size_t i = 0; i < COL_PEERS; i++) {
		struct conn *c = &l->conn[i];

		if (c->fd < 0)
			continue;
		if ((fds[i + 1].revents & POLLIN) != 0)
			take_bytes(l, c);
		else if ((fds[i + 1].revents & (POLLHUP | POLLERR)) != 0)
			drop(l, c);
	}
	settle(l);
	now = now_ms();
	for (size_t i = 0; i < COL_PEERS; i++) {
		if (l->conn[i].fd >= 0)
			send_out(l, &l->conn[i]);
		if (l->conn[i].fd >= 0)
			look_at_clock(l, &l->conn[i], now);
	}
	/* last: fds speak of the connections that there were */
	if ((fds[0].revents & POLLIN) != 0)
		take_in(l);
	return HSA_OK;
}

hsa_rc
col_loop(struct col_hub *hub, struct col_listen *listen,
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
	l->opt = opt;
	for (size_t i = 0; i < COL_PEERS; i++)
		l->conn[i].fd = -1;
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
		if (l->conn[i].fd >= 0)
			drop(l, &l->conn[i]);
	free(l->buf);
	free(l);
	return rc;
}
