#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chan_conn.h"

/* Resume, Ack and Refuse are short: this much without a whole frame is none. */
#define IN_MAX ((size_t)64 * 1024)

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

hsa_rc
chan_conn_flush(struct chan_conn *c, bool *moved)
{
	ssize_t put;

	*moved = false;
	while (c->sent < c->out.len) {
		put = send(c->fd, c->out.p + c->sent, c->out.len - c->sent,
		    MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return HSA_OK;
		if (put < 0)
			return errno == EPIPE || errno == ECONNRESET
			    ? HSA_RC(E_CLOSED)
			    : HSA_RC(E_IO);
			    c->sent += (size_t)put;
			    *moved = true;
	}
	hsa_buf_reset(&c->out);
	c->sent = 0;
	return HSA_OK;
}

hsa_rc
chan_conn_read(struct chan_conn *c)
{
	uint8_t *to;
	ssize_t got;

	if (c->in.len >= IN_MAX)
		return HSA_OK;
	to = hsa_buf_reserve(&c->in, IN_MAX - c->in.len);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	do
		got = recv(c->fd, to, IN_MAX - c->in.len, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return HSA_OK;
	if (got < 0)
		return errno == ECONNRESET ? HSA_RC(E_CLOSED) : HSA_RC(E_IO);
	if (got == 0)
		return HSA_RC(E_CLOSED);
	c->in.len += (size_t)got;
	return HSA_OK;
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
