#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "eb_socket.h"
#include "hsa_unit.h"

#define ROOM 65536u

static hsa_rc
write_all(int fd, const struct hsa_buf *b)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = send(fd, b->p + at, b->len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return HSA_RC(E_CLOSED);
		at += (size_t)n;
	}
	return HSA_OK;
}

static hsa_rc
read_some(int fd, struct hsa_buf *b)
{
	uint8_t *to = hsa_buf_reserve(b, ROOM);
	ssize_t n;

	if (to == NULL)
		return HSA_RC(E_NOMEM);
	do
		n = recv(fd, to, ROOM, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return HSA_RC(E_CLOSED);
	b->len += (size_t)n;
	return HSA_OK;
}

/* ---- the server ---------------------------------------------------------- */

static hsa_rc
serve_one(struct cryptounit *u, int fd, struct hsa_buf *b)
{
	struct hsa_unit_request q = {0};
	struct hsa_unit_reply r = {0};
	size_t used = 0;
	hsa_rc rc = HSA_RC(E_TRUNCATED);

	hsa_buf_reset(b);
	while (rc.v == HSA_E_TRUNCATED) {
		HSA_TRY(rc, read_some(fd, b));
		rc = hsa_unit_request_decode(&q, &used, b->p, b->len);
	}
	if (!hsa_is_ok(rc))
		goto out;
	HSA_TRY(rc, cryptounit_request(u, &r, &q));
	hsa_buf_reset(b);
	HSA_TRY(rc, hsa_unit_reply_encode(b, &r));
	HSA_TRY(rc, write_all(fd, b));
out:
	hsa_unit_request_free(&q);
	hsa_unit_reply_free(&r);
	return rc;
}

static void *
serve(void *arg)
{
	struct eb_socket *s = arg;
	struct hsa_buf b = {0};

	while (hsa_is_ok(serve_one(s->u, s->fd[1], &b)))
		;
	/* the other side sees the end of it */
	(void)shutdown(s->fd[1], SHUT_RDWR);
	hsa_buf_free(&b);
	return NULL;
}

/* ---- the client ---------------------------------------------------------- */

hsa_rc
eb_socket_open(struct eb_socket *s, struct cryptounit *u, struct hsa_diag *diag)
{
	s->u = u;
	s->fd[0] = s->fd[1] = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->fd) != 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "no socket: %s", strerror(errno));
	s->running = pthread_create(&s->server, NULL, serve, s) == 0;
	if (!s->running) {
		eb_socket_close(s);
		return hsa_fail(diag, HSA_RC(E_NOMEM), "no thread to serve");
	}
	return HSA_OK;
}

void
eb_socket_close(struct eb_socket *s)
{
	if (s->u == NULL)
		return;
	if (s->running) {
		(void)shutdown(s->fd[0], SHUT_RDWR);
		(void)pthread_join(s->server, NULL);
	}
	for (int i = 0; i < 2; i++)
		if (s->fd[i] >= 0)
			(void)close(s->fd[i]);
	hsa_buf_free(&s->buf);
	memset(s, 0, sizeof(*s));
}

hsa_rc
eb_socket_call(
    struct eb_socket *s, struct hsa_call *c, const struct hsa_caller *caller)
{
	struct hsa_unit_reply r = {0};
	struct hsa_buf *b = &s->buf;
	size_t used = 0;
	hsa_rc rc;

	hsa_buf_reset(b);
	HSA_TRY(rc, hsa_unit_request_encode_call(b, caller, c));
	HSA_TRY(rc, write_all(s->fd[0], b));
	hsa_buf_reset(b);
	do {
		HSA_TRY(rc, read_some(s->fd[0], b));
		rc = hsa_unit_reply_decode(&r, &used, b->p, b->len);
	} while (rc.v == HSA_E_TRUNCATED);
	if (!hsa_is_ok(rc))
		goto out;
	rc = r.kind == HSA_UNIT_EP11 ? hsa_call_take_reply(c, &r.call)
				     : HSA_RC(E_REMOTE);
out:
	hsa_unit_reply_free(&r);
	return rc;
}
