/* ep_sock.c - see ep_sock.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_sock.h"

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* The folder of path, opened, and the name in it: an address short enough
 * whatever the folder's path. dir stays open as long as the address is used. */
static hsa_rc
address_of(struct sockaddr_un *sa, int *dir, const char **name,
    const char *path, struct hsa_diag *diag)
{
	struct hsa_buf folder = {0};
	const char *slash = strrchr(path, '/');
	hsa_rc rc = HSA_OK;
	int fd = -1, n = 0;

	*name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		hsa_buf_str(&folder, ".");
	else
		hsa_buf_put(
		    &folder, path, slash == path ? 1 : (size_t)(slash - path));
	HSA_TRY(rc, hsa_buf_rc(&folder));
	fd = open(hsa_buf_cstr(&folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		rc = hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO),
		    "cannot open the folder %s: %s; fix: check the path",
		    hsa_buf_cstr(&folder), strerror(errno));
		goto out;
	}
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s",
	    fd, *name);
	if (n < 0 || (size_t)n >= sizeof(sa->sun_path) || **name == '\0') {
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "the socket name \"%s\" is too long; fix: one of at most "
		    "64 characters",
		    *name);
		goto out;
	}
	*dir = fd;
	fd = -1;
out:
	close_fd(fd);
	hsa_buf_free(&folder);
	return rc;
}

static hsa_rc
clear_old(int dir, const char *name, const char *path, struct hsa_diag *diag)
{
	struct stat st = {0};

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return HSA_OK;
	if (!S_ISSOCK(st.st_mode))
		return hsa_fail(diag, HSA_RC(E_EXISTS),
		    "%s is there and is no socket; fix: move it away", path);
	if (unlinkat(dir, name, 0) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot remove the old socket %s: %s; fix: remove it", path,
		    strerror(errno));
	return HSA_OK;
}

hsa_rc
ep_sock_listen(int *fd, const char *path, struct hsa_diag *diag)
{
	struct sockaddr_un sa = {0};
	const char *name = NULL;
	int dir = -1, got = -1;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, address_of(&sa, &dir, &name, path, diag));
	HSA_TRY(rc, clear_old(dir, name, path, diag));
	got = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set before listen: until then nobody can connect. */
	if (got < 0 || bind(got, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    fchmodat(dir, name, 0600, 0) != 0 || listen(got, 128) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot listen on %s: %s; fix: a folder that you can "
		    "write, on a local file system",
		    path, strerror(errno));
		goto out;
	}
	*fd = got;
	got = -1;
out:
	close_fd(got);
	close_fd(dir);
	return rc;
}

hsa_rc
ep_sock_connect(
    int *fd, const char *path, int timeout_ms, struct hsa_diag *diag)
{
	const struct timeval tv = {
	    .tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
	struct sockaddr_un sa = {0};
	const char *name = NULL;
	int dir = -1, got = -1;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, address_of(&sa, &dir, &name, path, diag));
	got = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (got < 0 ||
	    setsockopt(got, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "no socket: %s; fix: allow more open files (ulimit -n)",
		    strerror(errno));
		goto out;
	}
	if (connect(got, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		rc = errno == EAGAIN ? HSA_RC(E_TIMEOUT)
		    : errno == EACCES ? HSA_RC(E_AUTH)
				      : HSA_RC(E_CLOSED);
				      rc = hsa_fail(diag, rc,
					  "cannot connect to %s: %s", path,
					  strerror(errno));
				      goto out;
	}
	*fd = got;
	got = -1;
out:
	close_fd(got);
	close_fd(dir);
	return rc;
}

hsa_rc
ep_sock_peer(uid_t *uid, int fd)
{
	struct ucred who = {0};
	socklen_t n = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 ||
	    n != sizeof(who) || who.pid == 0)
		return HSA_RC(E_AUTH);
	*uid = who.uid;
	return HSA_OK;
}

uint64_t
ep_sock_now(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static hsa_rc
wait_for(int fd, short what, uint64_t deadline)
{
	struct pollfd pf = {.fd = fd, .events = what};
	uint64_t now = 0;
	int left = -1, n = 0;

	for (;;) {
		if (deadline != 0) {
			now = ep_sock_now();
			if (now >= deadline)
				return HSA_RC(E_TIMEOUT);
			left = deadline - now > 60000 ? 60000
						      : (int)(deadline - now);
		}
		n = poll(&pf, 1, left);
		if (n > 0)
			return HSA_OK;
		if (n < 0 && errno != EINTR)
			return HSA_RC(E_IO);
	}
}

hsa_rc
ep_sock_write(int fd, const void *p, size_t n, uint64_t deadline)
{
	const char *at = p;
	ssize_t done = 0;
	hsa_rc rc = HSA_OK;

	while (n > 0) {
		done = send(fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done >= 0) {
			at += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			HSA_TRY(rc, wait_for(fd, POLLOUT, deadline));
		} else if (errno != EINTR) {
			return HSA_RC(E_CLOSED);
		}
	}
out:
	return rc;
}

hsa_rc
ep_sock_read(int fd, void *p, size_t n, size_t *got, uint64_t deadline)
{
	ssize_t done = 0;
	hsa_rc rc = HSA_OK;

	for (;;) {
		done = recv(fd, p, n, MSG_DONTWAIT);
		if (done > 0) {
			*got = (size_t)done;
			return HSA_OK;
		}
		if (done == 0)
			return HSA_RC(E_CLOSED);
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			HSA_TRY(rc, wait_for(fd, POLLIN, deadline));
		else if (errno != EINTR)
			return HSA_RC(E_CLOSED);
	}
out:
	return rc;
}
