#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "col_listen.h"
#include "hsa_addr.h"

/* A path of any length is reached through its folder's descriptor: the
 * address has room for 107 bytes. */
static hsa_rc
address_of(
    struct sockaddr_un *sa, const struct col_listen *l, struct hsa_diag *diag)
{
	int n;

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s",
	    l->folder, l->name);
	if (n < 0 || (size_t)n >= sizeof(sa->sun_path))
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "%s: the name of the socket is too long; take at most 80 "
		    "characters",
		    l->name);
	return HSA_OK;
}

static hsa_rc
open_folder(struct col_listen *l, const char *path, struct hsa_diag *diag)
{
	const char *slash = strrchr(path, '/');
	char *dir;

	l->name = strdup(slash == NULL ? path : slash + 1);
	dir = slash == NULL
		  ? strdup(".")
		  : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (l->name == NULL || dir == NULL || l->name[0] == '\0') {
		free(dir);
		return hsa_fail(diag, HSA_RC(E_ARG), "unix:%s: no path", path);
	}
	l->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->folder < 0)
		(void)hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", dir, strerror(errno));
	free(dir);
	return l->folder < 0 ? HSA_RC(E_IO) : HSA_OK;
}

/* A socket file on which nobody listens is left over from a kill. */
static hsa_rc
clear_stale(const struct col_listen *l, const struct sockaddr_un *sa,
    const char *path, struct hsa_diag *diag)
{
	struct stat st;
	int fd, err;

	if (fstatat(l->folder, l->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return HSA_OK;
	if (!S_ISSOCK(st.st_mode))
		return hsa_fail(diag, HSA_RC(E_EXISTS),
		    "%s: there is something else than a socket; take another "
		    "path",
		    path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "socket: %s", strerror(errno));
	err = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0
		  ? 0
		  : errno;
	(void)close(fd);
	if (err != ECONNREFUSED)
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another collector listens there; stop it or take "
		    "another path",
		    path);
	if (unlinkat(l->folder, l->name, 0) != 0 && errno != ENOENT)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", path, strerror(errno));
	return HSA_OK;
}

static hsa_rc
open_unix(struct col_listen *to, const char *path, struct hsa_diag *diag)
{
	struct col_listen l = {.fd = -1, .folder = -1};
	struct sockaddr_un sa;
	struct stat st;
	mode_t mask;
	hsa_rc rc;
	int bound;

	HSA_TRY(rc, open_folder(&l, path, diag));
	HSA_TRY(rc, address_of(&sa, &l, diag));
	HSA_TRY(rc, clear_stale(&l, &sa, path, diag));
	l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* 0600 from the first moment: there is only this thread */
	mask = umask(0177);
	bound = l.fd < 0 ? -1
			 : bind(l.fd, (const struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (bound != 0 || listen(l.fd, 64) != 0 ||
	    fstatat(l.folder, l.name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", path, strerror(errno));
		goto out;
	}
	l.ino = st.st_ino;
	*to = l;
	l = (struct col_listen){.fd = -1, .folder = -1};
out:
	col_listen_close(&l);
	return rc;
}

/* The port that the kernel chose, when it was to. */
static hsa_rc
find_port(struct hsa_addr *a, int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa = {0};
	socklen_t n = sizeof(sa);

	if (getsockname(fd, &sa.any, &n) != 0)
		return HSA_RC(E_IO);
	a->port = ntohs(
	    sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
	return HSA_OK;
}

static hsa_rc
open_tcp(struct col_listen *l, struct hsa_addr *a, const char *address,
    struct hsa_diag *diag)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV |
			(a->numeric ? AI_NUMERICHOST : 0)};
	struct addrinfo *found = NULL;
	const int on = 1;
	char service[8];
	int e;
	hsa_rc rc = HSA_OK;

	(void)snprintf(service, sizeof(service), "%u", (unsigned int)a->port);
	e = getaddrinfo(a->host, service, &hints, &found);
	if (e != 0)
		return hsa_fail(diag, HSA_RC(E_ARG), "--listen %s: %s", address,
		    gai_strerror(e));
	l->tls = true;
	l->fd = socket(found->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(l->fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(l->fd, 64) != 0 || !hsa_is_ok(find_port(a, l->fd)))
		rc = hsa_fail(diag,
		    errno == EADDRINUSE ? HSA_RC(E_BUSY) : HSA_RC(E_IO),
		    "%s: %s%s", address, strerror(errno),
		    errno == EADDRINUSE ? "; another collector listens there"
					: "");
	freeaddrinfo(found);
	return rc;
}

hsa_rc
col_listen_open(
    struct col_listen *to, const char *address, struct hsa_diag *diag)
{
	struct col_listen l = {.fd = -1, .folder = -1};
	struct hsa_addr a = {0};
	hsa_rc rc;

	if (!hsa_is_ok(hsa_addr_parse(&a, address)))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--listen %s: give unix:PATH or tls:HOST:PORT", address);
	if (a.kind == HSA_ADDR_UNIX)
		HSA_TRY(rc, open_unix(&l, a.path, diag));
	else
		HSA_TRY(rc, open_tcp(&l, &a, address, diag));
	hsa_addr_text(&l.address, &a);
	HSA_TRY(rc, hsa_buf_rc(&l.address));
	*to = l;
	l = (struct col_listen){.fd = -1, .folder = -1};
out:
	col_listen_close(&l);
	return rc;
}

void
col_listen_close(struct col_listen *l)
{
	struct stat st;

	if (l->fd >= 0) {
		(void)close(l->fd);
		if (l->ino != 0 &&
		    fstatat(l->folder, l->name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    st.st_ino == l->ino)
			(void)unlinkat(l->folder, l->name, 0);
	}
	if (l->folder >= 0)
		(void)close(l->folder);
	free(l->name);
	hsa_buf_free(&l->address);
	*l = (struct col_listen){.fd = -1, .folder = -1};
}
