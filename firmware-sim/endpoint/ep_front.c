/* ep_front.c - see ep_front.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_front.h"
#include "ep_harden.h"
#include "ep_http.h"
#include "ep_log.h"
#include "ep_sock.h"

#define LOCK_MS 8000
#define STOP_MS 5000

struct front {
	struct ep_config *cfg;
	struct ep_http *http;
	struct MHD_Daemon *local, *tcp;
	struct hsa_buf sock;
	int lock, signals;
};

static hsa_rc
tcp_socket(int *fd, const char *address, struct hsa_diag *diag)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	char host[EP_HOST_MAX] = "";
	uint16_t port = 0;
	const int on = 1;
	bool six = false;
	int got = -1, bad = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_listen_parse(host, &port, address));
	six = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
	if (!six)
		(void)inet_pton(AF_INET, host, &v4.sin_addr);
	v4.sin_port = v6.sin6_port = htons(port);
	got = socket(six ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bad = got < 0 ||
	      setsockopt(got, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0;
	if (!bad && six)
		bad = setsockopt(got, IPPROTO_IPV6, IPV6_V6ONLY, &on,
			  sizeof(on)) != 0 ||
		      bind(got, (struct sockaddr *)&v6, sizeof(v6)) != 0;
	else if (!bad)
		bad = bind(got, (struct sockaddr *)&v4, sizeof(v4)) != 0;
	if (bad || listen(got, 128) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot listen on %s: %s; fix: choose a free port in "
		    "admin_listen",
		    address, strerror(errno));
		goto out;
	}
	*fd = got;
	got = -1;
out:
	if (got >= 0)
		(void)close(got);
	return rc;
}

static hsa_rc
start_tcp(struct front *f, struct hsa_diag *diag)
{
	int fd = -1;
	hsa_rc rc = HSA_OK;

	if (f->cfg->admin_listen == NULL || f->cfg->admin_listen[0] == '\0')
		return HSA_OK;
	HSA_TRY(rc, tcp_socket(&fd, f->cfg->admin_listen, diag));
	HSA_TRY(rc, ep_http_start(&f->tcp, f->http, fd, diag));
	fd = -1;
	ep_log("serving http://%s", f->cfg->admin_listen);
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static hsa_rc
start(struct front *f, const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf lock = {0};
	int fd = -1;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_signals(&f->signals, 0, diag));
	hsa_buf_printf(&lock, "%s/front.lock", dir);
	HSA_TRY(rc, hsa_buf_rc(&lock));
	HSA_TRY(rc, ep_lock(&f->lock, hsa_buf_cstr(&lock), LOCK_MS, diag));
	HSA_TRY(rc, ep_http_new(&f->http, f->cfg, dir));
	/* TCP first: a port that is taken is the likelier failure */
	HSA_TRY(rc, start_tcp(f, diag));
	hsa_buf_printf(&f->sock, "%s/%s", dir, f->cfg->admin_socket);
	HSA_TRY(rc, hsa_buf_rc(&f->sock));
	HSA_TRY(rc, ep_sock_listen(&fd, hsa_buf_cstr(&f->sock), diag));
	HSA_TRY(rc, ep_http_start(&f->local, f->http, fd, diag));
	fd = -1;
	ep_log("serving %s", hsa_buf_cstr(&f->sock));
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&lock);
	return rc;
}

static void
stop(struct front *f)
{
	if (f->local != NULL)
		(void)unlink(hsa_buf_cstr(&f->sock));
	ep_http_stop(f->local, f->http, STOP_MS);
	ep_http_stop(f->tcp, f->http, STOP_MS);
	ep_http_free(f->http);
	if (f->signals >= 0)
		(void)close(f->signals);
	if (f->lock >= 0)
		(void)close(f->lock);
	hsa_buf_free(&f->sock);
	ep_config_free(f->cfg);
}

hsa_rc
ep_front_run(const char *dir, int ready_fd, struct hsa_diag *diag)
{
	struct front f = {.lock = -1, .signals = -1};
	struct pollfd pf = {.events = POLLIN};
	int sig = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_config_load(&f.cfg, dir, diag));
	HSA_TRY(rc, start(&f, dir, diag));
	if (ready_fd >= 0) {
		if (write(ready_fd, "R", 1) != 1)
			ep_log("the supervisor does not listen any more");
		(void)close(ready_fd);
	}
	pf.fd = f.signals;
	do {
		(void)poll(&pf, 1, -1);
		sig = ep_signals_take(f.signals, NULL);
	} while (sig == 0 || sig == SIGHUP); /* which is for channels */
out:
	stop(&f);
	return rc;
}
