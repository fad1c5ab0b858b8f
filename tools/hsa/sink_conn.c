#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sink_conn.h"

#define CONNECT_MS 5000
#define SEND_MS 20000
#define SETTLE_MS 200 /* for a refusal right behind a handshake */
#define TICK_MS 100   /* how late a stop is heard */

struct sink_conn {
	const struct sink_conn_plan *plan;
	int fd;
	SSL *ssl; /* NULL: plain TCP */
};

static hsa_rc
fail_errno(
    const struct sink_conn_plan *p, const char *what, struct hsa_diag *diag)
{
	return hsa_fail(diag, HSA_RC(E_IO), "%s:%s: %s: %s", p->host, p->port,
	    what, strerror(errno));
}

static hsa_rc
fail_ssl(const struct sink_conn_plan *p, hsa_rc rc, const char *what,
    struct hsa_diag *diag)
{
	char why[256] = "closed";
	unsigned long e = ERR_peek_last_error();

	if (e != 0)
		ERR_error_string_n(e, why, sizeof(why));
	ERR_clear_error();
	return hsa_fail(diag, rc, "%s:%s: %s: %s", p->host, p->port, what, why);
}

/* Until the socket is ready for `events`, or time is up. */
static hsa_rc
wait_for(
    const struct sink_conn *c, short events, int64_t end, struct hsa_diag *diag)
{
	struct pollfd fd = {.fd = c->fd, .events = events};
	int n;

	for (;;) {
		if (sink_stop_now(c->plan->stop))
			return HSA_RC(E_STOPPED);
		n = poll(&fd, 1, TICK_MS);
		if (n > 0)
			return HSA_OK;
		if (n < 0 && errno != EINTR)
			return fail_errno(c->plan, "poll", diag);
		if (sink_now_ms() >= end)
			return hsa_fail(diag, HSA_RC(E_TIMEOUT),
			    "%s:%s: no answer in time", c->plan->host,
			    c->plan->port);
	}
}

/* ---- TLS ----------------------------------------------------------------- */

static hsa_rc
context(SSL_CTX **to, const struct sink_conn_plan *p, struct hsa_diag *diag)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const char *what = p->ca;
	int ok;

	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ok = p->ca == NULL ? SSL_CTX_set_default_verify_paths(ctx)
			   : SSL_CTX_load_verify_file(ctx, p->ca);
	if (ok == 1 && p->cert != NULL) {
		what = p->cert;
		ok = SSL_CTX_use_certificate_chain_file(ctx, p->cert);
	}
	if (ok == 1 && p->key != NULL) {
		what = p->key;
		ok = SSL_CTX_use_PrivateKey_file(ctx, p->key, SSL_FILETYPE_PEM);
	}
	if (ok == 1) {
		*to = ctx;
		return HSA_OK;
	}
	SSL_CTX_free(ctx);
	return fail_ssl(p, HSA_RC(E_ARG),
	    what == NULL ? "the system's certificates" : what, diag);
}

/* Who the peer has to be. */
static bool
set_name(SSL *ssl, const char *name)
{
	char host[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL's is not const */
	struct in6_addr a;

	if (inet_pton(AF_INET, name, &a) == 1 ||
	    inet_pton(AF_INET6, name, &a) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(ssl), name) == 1;
	if (strlen(name) >= sizeof(host))
		return false;
	(void)snprintf(host, sizeof(host), "%s", name);
	return SSL_set1_host(ssl, name) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* What a call of SSL's that returned n waits for; E_IO: it failed. */
static hsa_rc
wait_ssl(const struct sink_conn *c, int n, int64_t end, struct hsa_diag *diag)
{
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(c, POLLIN, end, diag);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(c, POLLOUT, end, diag);
	default:
		return fail_ssl(c->plan, HSA_RC(E_IO), "TLS", diag);
	}
}

static hsa_rc
handshake(struct sink_conn *c, int64_t end, struct hsa_diag *diag)
{
	const char *name =
	    c->plan->name == NULL ? c->plan->host : c->plan->name;
	SSL_CTX *ctx = NULL;
	hsa_rc rc;
	int n;

	HSA_TRY(rc, context(&ctx, c->plan, diag));
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (c->ssl == NULL || !set_name(c->ssl, name) ||
	    SSL_set_fd(c->ssl, c->fd) != 1)
		return fail_ssl(c->plan, HSA_RC(E_NOMEM), "TLS", diag);
	ERR_clear_error();
	while ((n = SSL_connect(c->ssl)) != 1) {
		long verified = SSL_get_verify_result(c->ssl);

		if (verified != X509_V_OK)
			return hsa_fail(diag, HSA_RC(E_AUTH),
			    "%s:%s: the certificate of %s: %s", c->plan->host,
			    c->plan->port, name,
			    X509_verify_cert_error_string(verified));
		HSA_TRY(rc, wait_ssl(c, n, end, diag));
	}
out:
	return rc;
}

/* ---- connecting ---------------------------------------------------------- */

static hsa_rc
connect_one(
    struct sink_conn *c, const struct addrinfo *a, struct hsa_diag *diag)
{
	int64_t end = sink_now_ms() + CONNECT_MS;
	socklen_t len = sizeof(int);
	int err = 0, on = 1;
	hsa_rc rc = HSA_OK;

	c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    a->ai_protocol);
	if (c->fd < 0)
		return fail_errno(c->plan, "socket", diag);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, a->ai_addr, a->ai_addrlen) != 0) {
		if (errno != EINPROGRESS)
			return fail_errno(c->plan, "connect", diag);
		HSA_TRY(rc, wait_for(c, POLLOUT, end, diag));
		(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err != 0) {
			errno = err;
			return fail_errno(c->plan, "connect", diag);
		}
	}
	if (c->plan->tls)
		rc = handshake(c, end, diag);
out:
	return rc;
}

/* Is there anything but silence from the peer? Syslog's never talks, but TLS
 * brings tickets and refusals. */
static hsa_rc
listen_to_peer(struct sink_conn *c, struct hsa_diag *diag)
{
	char part[512];
	ssize_t n;

	if (c->ssl == NULL) {
		while ((n = recv(c->fd, part, sizeof(part), 0)) > 0)
			;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return HSA_OK;
	} else {
		ERR_clear_error();
		while ((n = SSL_read(c->ssl, part, sizeof(part))) > 0)
			;
		if (SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ)
			return HSA_OK;
		return fail_ssl(
		    c->plan, HSA_RC(E_CLOSED), "the peer refuses", diag);
	}
	return hsa_fail(diag, HSA_RC(E_CLOSED), "%s:%s: the peer closed",
	    c->plan->host, c->plan->port);
}

hsa_rc
sink_conn_open(struct sink_conn **to, const struct sink_conn_plan *plan,
    struct hsa_diag *diag)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	struct sink_conn *c = NULL;
	hsa_rc rc = HSA_RC(E_IO);
	int err;

	err = getaddrinfo(plan->host, plan->port, &hints, &list);
	if (err != 0)
		return hsa_fail(diag, rc, "%s:%s: %s", plan->host, plan->port,
		    gai_strerror(err));
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		struct pollfd fd = {.events = POLLIN};

		sink_conn_close(c);
		c = calloc(1, sizeof(*c));
		if (c == NULL) {
			rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
			break;
		}
		c->plan = plan;
		c->fd = -1;
		rc = connect_one(c, a, diag);
		if (!hsa_is_ok(rc))
			continue;
		/* TLS 1.3: whether our certificate pleases comes later */
		fd.fd = c->fd;
		if (plan->tls && poll(&fd, 1, SETTLE_MS) > 0)
			rc = listen_to_peer(c, diag);
		if (hsa_is_ok(rc))
			break;
	}
	freeaddrinfo(list);
	if (!hsa_is_ok(rc)) {
		sink_conn_close(c);
		return rc;
	}
	*to = c;
	return HSA_OK;
}

hsa_rc
sink_conn_check(const struct sink_conn_plan *plan, struct hsa_diag *diag)
{
	SSL_CTX *ctx = NULL;
	hsa_rc rc;

	if (!plan->tls)
		return HSA_OK;
	rc = context(&ctx, plan, diag);
	SSL_CTX_free(ctx);
	return rc;
}

void
sink_conn_close(struct sink_conn *c)
{
	if (c == NULL)
		return;
	if (c->ssl != NULL) {
		if (SSL_is_init_finished(c->ssl))
			(void)SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
		ERR_clear_error();
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c);
}

/* ---- sending ------------------------------------------------------------- */

static hsa_rc
some(struct sink_conn *c, const uint8_t *p, size_t n, size_t *done, int64_t end,
    struct hsa_diag *diag)
{
	ssize_t w;

	if (c->ssl != NULL) {
		ERR_clear_error();
		if (SSL_write_ex(c->ssl, p, n, done) == 1)
			return HSA_OK;
		*done = 0;
		return wait_ssl(c, 0, end, diag);
	}
	w = send(c->fd, p, n, MSG_NOSIGNAL);
	*done = w > 0 ? (size_t)w : 0;
	if (w >= 0)
		return HSA_OK;
	if (errno == EAGAIN || errno == EINTR)
		return wait_for(c, POLLOUT, end, diag);
	return fail_errno(c->plan, "send", diag);
}

/* All that we sent is in the peer's kernel. */
static hsa_rc
delivered(struct sink_conn *c, int64_t end, struct hsa_diag *diag)
{
	struct timespec nap = {0, 200000};
	int left = 0;

	for (;;) {
		if (ioctl(c->fd, SIOCOUTQ, &left) != 0)
			return fail_errno(c->plan, "SIOCOUTQ", diag);
		if (left == 0)
			return HSA_OK;
		if (sink_stop_now(c->plan->stop))
			return HSA_RC(E_STOPPED);
		if (sink_now_ms() >= end)
			return hsa_fail(diag, HSA_RC(E_TIMEOUT),
			    "%s:%s: the peer takes nothing", c->plan->host,
			    c->plan->port);
		(void)nanosleep(&nap, NULL);
		if (nap.tv_nsec < 20000000)
			nap.tv_nsec *= 2;
	}
}

hsa_rc
sink_conn_send(
    struct sink_conn *c, const void *p, size_t n, struct hsa_diag *diag)
{
	int64_t end = sink_now_ms() + SEND_MS;
	const uint8_t *at = p;
	size_t done = 0;
	hsa_rc rc;

	/* a peer that has gone meanwhile takes nothing more */
	HSA_TRY(rc, listen_to_peer(c, diag));
	for (; n > 0; at += done, n -= done)
		HSA_TRY(rc, some(c, at, n, &done, end, diag));
	HSA_TRY(rc, delivered(c, end, diag));
	rc = listen_to_peer(c, diag);
out:
	return rc;
}
