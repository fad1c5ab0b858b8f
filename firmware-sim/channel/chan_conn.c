#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chan_conn.h"

/* Resume, Ack and Refuse are short: this much without a whole frame is none. */
#define IN_MAX ((size_t)64 * 1024)
#define READ_MAX ((size_t)CHAN_TLS_RECORD)

hsa_rc
chan_conn_open(struct chan_conn *c, int *err, const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd;

	if (n == 0 || n >= sizeof(to.sun_path)) {
		*err = ENAMETOOLONG;
		return HSA_RC(E_IO);
	}
	memcpy(to.sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		*err = errno;
		return HSA_RC(E_IO);
	}
	/* a unix socket connects at once or not at all (EAGAIN: backlog) */
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		*err = errno;
		(void)close(fd);
		return HSA_RC(E_IO);
	}
	c->fd = fd;
	return HSA_OK;
}

void
chan_conn_close(struct chan_conn *c)
{
	chan_tls_free(c->tls);
	c->tls = NULL;
	c->read_on = c->write_on = 0;
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	hsa_buf_reset(&c->out);
	hsa_buf_reset(&c->in);
	c->sent = 0;
}

void
chan_conn_free(struct chan_conn *c)
{
	chan_conn_close(c);
	hsa_buf_free(&c->out);
	hsa_buf_free(&c->in);
}

size_t
chan_conn_unsent(const struct chan_conn *c)
{
	return c->out.len - c->sent;
}

hsa_rc
chan_conn_send(struct chan_conn *c, const struct hsa_frame *f)
{
	return hsa_frame_encode(&c->out, f);
}

static int
or_usual(int on, int usual)
{
	return on != 0 ? on : usual;
}

int
chan_conn_events(const struct chan_conn *c, bool send)
{
	int in = or_usual(c->read_on, POLLIN);

	return send ? in | or_usual(c->write_on, POLLOUT) : in;
}

bool
chan_conn_can_send(const struct chan_conn *c, int revents)
{
	return (revents & or_usual(c->write_on, POLLOUT)) != 0;
}

bool
chan_conn_can_read(const struct chan_conn *c, int revents)
{
	return (revents & (or_usual(c->read_on, POLLIN) | POLLHUP | POLLERR)) !=
	       0;
}

/* E_BUSY: not now. */
static hsa_rc
put_some(struct chan_conn *c, size_t *put, const void *p, size_t n)
{
	ssize_t sent;
	hsa_rc rc;

	if (c->tls != NULL) {
		rc = chan_tls_write(c->tls, put, p, n);
		c->write_on = rc.v == HSA_E_BUSY ? chan_tls_events(c->tls) : 0;
		return rc;
	}
	do
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	*put = sent < 0 ? 0 : (size_t)sent;
	if (sent >= 0)
		return HSA_OK;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return HSA_RC(E_BUSY);
	return errno == EPIPE || errno == ECONNRESET ? HSA_RC(E_CLOSED)
						     : HSA_RC(E_IO);
}

hsa_rc
chan_conn_flush(struct chan_conn *c, bool *moved)
{
	size_t put = 0;
	hsa_rc rc;

	*moved = false;
	while (c->sent < c->out.len) {
		rc =
		    put_some(c, &put, c->out.p + c->sent, c->out.len - c->sent);
		if (rc.v == HSA_E_BUSY)
			return HSA_OK;
		HSA_TRY(rc, rc);
		c->sent += put;
		*moved = true;
	}
	hsa_buf_reset(&c->out);
	c->sent = 0;
	return HSA_OK;
out:
	return rc;
}

/* n: at least CHAN_TLS_RECORD. E_BUSY: nothing now. */
static hsa_rc
get_some(struct chan_conn *c, size_t *got, void *p, size_t n)
{
	ssize_t have;
	hsa_rc rc;

	if (c->tls != NULL) {
		rc = chan_tls_read(c->tls, got, p, n);
		c->read_on = rc.v == HSA_E_BUSY ? chan_tls_events(c->tls) : 0;
		return rc;
	}
	do
		have = recv(c->fd, p, n, 0);
	while (have < 0 && errno == EINTR);
	*got = have < 0 ? 0 : (size_t)have;
	if (have > 0)
		return HSA_OK;
	if (have < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return HSA_RC(E_BUSY);
	return have == 0 || errno == ECONNRESET ? HSA_RC(E_CLOSED)
						: HSA_RC(E_IO);
}

hsa_rc
chan_conn_read(struct chan_conn *c)
{
	size_t got = 0;
	uint8_t *to;
	hsa_rc rc;

	if (c->in.len >= IN_MAX)
		return HSA_OK;
	to = hsa_buf_reserve(&c->in, READ_MAX);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	rc = get_some(c, &got, to, READ_MAX);
	c->in.len += got;
	return rc.v == HSA_E_BUSY ? HSA_OK : rc;
}

hsa_rc
chan_conn_frame(struct chan_conn *c, struct hsa_frame *f)
{
	size_t used = 0;
	hsa_rc rc;

	if (c->in.len == 0)
		return HSA_RC(E_NOT_FOUND);
	HSA_TRY(rc, hsa_frame_decode(f, &used, c->in.p, c->in.len));
	c->in.len -= used;
	if (c->in.len != 0)
		memmove(c->in.p, c->in.p + used, c->in.len);
out:
	if (rc.v == HSA_E_TRUNCATED)
		rc = c->in.len >= IN_MAX ? HSA_RC(E_RANGE)
					 : HSA_RC(E_NOT_FOUND);
					 return rc;
}
