#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "col_conn.h"

/* A unit that is gone without a word is noticed after about a minute. */
#define KEEP_IDLE_S 30
#define KEEP_EVERY_S 10
#define KEEP_COUNT 3
#define ACKS_MAX 65536 /* in the kernel, of a peer that does not read them */

static void
set_options(int fd)
{
	const int on = 1, idle = KEEP_IDLE_S, every = KEEP_EVERY_S,
		  count = KEEP_COUNT, acks = ACKS_MAX;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &acks, sizeof(acks));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

hsa_rc
col_conn_open(struct col_conn *c, int fd, const struct col_tls_config *tls,
    struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	*c = (struct col_conn){.fd = fd, .shaken = tls == NULL};
	if (tls == NULL)
		return rc;
	set_options(fd);
	rc = col_tls_new(&c->tls, tls, fd, diag);
	if (!hsa_is_ok(rc))
		col_conn_close(c);
	else
		c->ends = col_tls_own_ends(c->tls);
	return rc;
}

void
col_conn_close(struct col_conn *c)
{
	col_tls_free(c->tls);
	if (c->fd >= 0)
		(void)close(c->fd);
	*c = (struct col_conn){.fd = -1};
}

static int
or_usual(int on, int usual)
{
	return on != 0 ? on : usual;
}

int
col_conn_events(const struct col_conn *c, bool in, bool out)
{
	if (!c->shaken)
		return or_usual(col_tls_events(c->tls), POLLIN);
	return (in || c->over ? or_usual(c->read_on, POLLIN) : 0) |
	       (out && !c->over ? or_usual(c->write_on, POLLOUT) : 0);
}

bool
col_conn_can_read(const struct col_conn *c, int revents)
{
	return (revents & (c->shaken ? or_usual(c->read_on, POLLIN)
				     : POLLIN | POLLOUT)) != 0;
}

hsa_rc
col_conn_shake(struct col_conn *c)
{
	hsa_rc rc = col_tls_handshake(c->tls);
	int64_t peer;

	if (!hsa_is_ok(rc))
		return rc;
	c->shaken = true;
	peer = col_tls_peer_ends(c->tls);
	if (peer < c->ends)
		c->ends = peer;
	return rc;
}

/* One TLS record after the other, as long as the next one has room. */
static hsa_rc
recv_tls(struct col_conn *c, size_t *got, uint8_t *p, size_t n)
{
	size_t more = 0;
	hsa_rc rc = HSA_OK;

	while (n - *got >= COL_TLS_RECORD) {
		rc = col_tls_read(c->tls, &more, p + *got, n - *got);
		if (!hsa_is_ok(rc))
			break;
		*got += more;
	}
	c->read_on = rc.v == HSA_E_BUSY ? col_tls_events(c->tls) : 0;
	/* an end will be met again, behind what came before it */
	return *got != 0 ? HSA_OK : rc;
}

hsa_rc
col_conn_recv(struct col_conn *c, size_t *got, void *p, size_t n)
{
	ssize_t have;

	*got = 0;
	if (c->tls != NULL && !c->over)
		return recv_tls(c, got, p, n);
	have = recv(c->fd, p, n, 0);
	if (have > 0) {
		*got = (size_t)have;
		return HSA_OK;
	}
	if (have < 0 && (errno == EAGAIN || errno == EINTR))
		return HSA_RC(E_BUSY);
	return HSA_RC(E_CLOSED);
}

size_t
col_conn_unsent(const struct col_conn *c, const struct hsa_buf *out)
{
	return out->len - c->sent;
}

static hsa_rc
put_some(struct col_conn *c, size_t *put, const uint8_t *p, size_t n)
{
	ssize_t sent;
	hsa_rc rc;

	if (c->tls != NULL) {
		rc = col_tls_write(c->tls, put, p, n);
		c->write_on = rc.v == HSA_E_BUSY ? col_tls_events(c->tls) : 0;
		return rc;
	}
	sent = send(c->fd, p, n, MSG_NOSIGNAL);
	*put = sent < 0 ? 0 : (size_t)sent;
	if (sent >= 0)
		return HSA_OK;
	return errno == EAGAIN || errno == EINTR ? HSA_RC(E_BUSY)
						 : HSA_RC(E_CLOSED);
}

hsa_rc
col_conn_send(struct col_conn *c, struct hsa_buf *out)
{
	size_t put = 0;
	hsa_rc rc = HSA_OK;

	while (c->sent < out->len) {
		rc = put_some(c, &put, out->p + c->sent, out->len - c->sent);
		if (rc.v == HSA_E_BUSY)
			return HSA_OK;
		if (!hsa_is_ok(rc))
			return rc;
		c->sent += put;
	}
	hsa_buf_reset(out);
	c->sent = 0;
	return HSA_OK;
}

bool
col_conn_goodbye(struct col_conn *c)
{
	if (c->tls == NULL)
		return false;
	col_tls_free(c->tls); /* says it */
	c->tls = NULL;
	c->over = c->shaken = true;
	c->read_on = 0;
	return shutdown(c->fd, SHUT_WR) == 0;
}

const char *
col_conn_why(const struct col_conn *c)
{
	return c->tls == NULL ? "" : col_tls_why(c->tls);
}
