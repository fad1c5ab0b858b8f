/* host_conn.c - see host_conn.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "host_conn.h"

#define READ_STEP 16384u

uint64_t
host_conn_now(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int
left(uint64_t deadline)
{
	uint64_t now = host_conn_now();

	return now >= deadline            ? 0
	       : deadline - now > 3600000 ? 3600000
					  : (int)(deadline - now);
}

/* An address has room for 107 characters; longer paths go through the
 * folder's descriptor, which stays open as long as the address is used. */
static hsa_rc
address(struct sockaddr_un *sa, int *dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = NULL;
	hsa_rc rc = HSA_OK;
	int n = 0;

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) < sizeof(sa->sun_path)) {
		memcpy(sa->sun_path, path, strlen(path) + 1);
		return HSA_OK;
	}
	if (slash == NULL)
		return HSA_RC(E_RANGE);
	folder = strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL)
		return HSA_RC(E_NOMEM);
	*dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s",
	    *dir, slash + 1);
	if (*dir < 0)
		rc = HSA_RC(E_CLOSED);
	else if (n < 0 || (size_t)n >= sizeof(sa->sun_path))
		rc = HSA_RC(E_RANGE);
	free(folder);
	return rc;
}

static hsa_rc
connected(int *fd, const char *path, uint64_t deadline)
{
	struct sockaddr_un sa = {0};
	struct timeval tv = {0};
	int dir = -1, got = -1, ms = left(deadline);
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, address(&sa, &dir, path));
	/* The limit on sending holds for the kernel's queue of connections too.
	 * Zero would mean none. */
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000 + 1;
	got = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (got < 0 ||
	    setsockopt(got, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0 ||
	    setsockopt(got, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (connect(got, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		rc = errno == EAGAIN ? HSA_RC(E_TIMEOUT)
		    : errno == EACCES || errno == EPERM
			? HSA_RC(E_AUTH)
			: HSA_RC(E_CLOSED);
			goto out;
	}
	*fd = got;
	got = -1;
out:
	if (got >= 0)
		(void)close(got);
	if (dir >= 0)
		(void)close(dir);
	return rc;
}

hsa_rc
host_conn_open(struct host_conn **c, const char *path, uint64_t deadline)
{
	struct host_conn *got = calloc(1, sizeof(*got));
	hsa_rc rc = HSA_OK;

	if (got == NULL)
		return HSA_RC(E_NOMEM);
	got->fd = -1;
	HSA_TRY(rc, connected(&got->fd, path, deadline));
	*c = got;
	got = NULL;
out:
	host_conn_free(got);
	return rc;
}

void
host_conn_free(struct host_conn *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		(void)close(c->fd);
	hsa_buf_free(&c->out);
	hsa_buf_free(&c->in);
	free(c);
}

bool
host_conn_alive(const struct host_conn *c)
{
	uint8_t byte = 0;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* Blocking, by the limits that connected() has set for each call: a peek, a
 * send and a receive are all that a short exchange costs. */
static hsa_rc
put(struct host_conn *c, uint64_t deadline)
{
	const uint8_t *p = c->out.p;
	size_t n = c->out.len;
	ssize_t done = 0;

	while (n > 0) {
		done = send(c->fd, p, n, MSG_NOSIGNAL);
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return HSA_RC(E_TIMEOUT);
		} else if (errno != EINTR) {
			return HSA_RC(E_CLOSED);
		}
		if (n > 0 && left(deadline) == 0)
			return HSA_RC(E_TIMEOUT);
	}
	return HSA_OK;
}

/* Appends at least one byte to c->in. */
static hsa_rc
get(struct host_conn *c, uint64_t deadline)
{
	uint8_t *room = hsa_buf_reserve(&c->in, READ_STEP);
	ssize_t done = 0;

	if (room == NULL)
		return HSA_RC(E_NOMEM);
	for (;;) {
		done = recv(c->fd, room, READ_STEP, 0);
		if (done > 0) {
			c->in.len += (size_t)done;
			return HSA_OK;
		}
		if (done == 0)
			return HSA_RC(E_CLOSED);
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return HSA_RC(E_TIMEOUT);
		if (errno != EINTR)
			return HSA_RC(E_CLOSED);
		if (left(deadline) == 0)
			return HSA_RC(E_TIMEOUT);
	}
}

hsa_rc
host_conn_ask(struct host_conn *c, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q, bool *sent, uint64_t deadline)
{
	size_t used = 0;
	hsa_rc rc = HSA_OK;

	*sent = false;
	HSA_TRY(rc, hsa_unit_request_encode(&c->out, q));
	HSA_TRY(rc, put(c, deadline));
	*sent = true;
	do {
		if (c->in.len > 0 && left(deadline) == 0) {
			rc = HSA_RC(E_TIMEOUT);
			goto out;
		}
		HSA_TRY(rc, get(c, deadline));
		rc = hsa_unit_reply_decode(r, &used, c->in.p, c->in.len);
	} while (rc.v == HSA_E_TRUNCATED);
	if (hsa_is_ok(rc) && used != c->in.len) {
		hsa_unit_reply_free(r);
		rc = HSA_RC(E_FORMAT);
	} else if (rc.v == HSA_E_RANGE || rc.v == HSA_E_ARG) {
		rc = HSA_RC(E_FORMAT); /* of the reply: not the caller's */
	}
out:
	hsa_buf_reset(&c->out);
	hsa_buf_reset(&c->in);
	return rc;
}
