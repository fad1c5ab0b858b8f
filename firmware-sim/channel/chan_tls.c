#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "chan_tls.h"
#include "hsa_addr.h"
#include "hsa_buf.h"

/*
 * tools/hsa/col_tls.c has much of this for the other side: reading PEM files,
 * TLS 1.3 alone, whom to trust. That is meant. C6 to C8 are what each side asks
 * of the other, and a mistake in one room must not open both doors; and proto/,
 * the one room that both may use, has neither files nor libssl, which every
 * program of this project would then link.
 */
#define FILE_BYTES_MAX 65536
#define CHAIN_MAX 4 /* certificates between the peer's and the CA's */

struct chan_tls {
	SSL_CTX *ctx;
	SSL *ssl;
	int64_t ends;
	int events;
	char why[128];
};

/* ---- files --------------------------------------------------------------- */

/* The file holds a key, or decides whom we trust: nobody else may write it,
 * and the key's nobody else may read. */
static hsa_rc
read_file(
    struct hsa_buf *b, const char *path, mode_t not_for, struct hsa_diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = {0};
	uint8_t *to;
	ssize_t n = -1;
	hsa_rc rc = HSA_RC(E_CONFIG);

	if (fd < 0 || fstat(fd, &st) != 0) {
		hsa_diag_set(diag, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
		hsa_diag_set(diag, "%s is no PEM file", path);
		goto out;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & not_for) != 0) {
		hsa_diag_set(diag, "%s is open to others; chmod 600", path);
		goto out;
	}
	to = hsa_buf_reserve(b, FILE_BYTES_MAX);
	if (to == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	do
		n = read(fd, to + b->len, FILE_BYTES_MAX - b->len);
	while ((n > 0 && (b->len += (size_t)n) < FILE_BYTES_MAX) ||
	       (n < 0 && errno == EINTR));
	if (n < 0)
		hsa_diag_set(diag, "%s: %s", path, strerror(errno));
	else
		rc = HSA_OK;
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Nobody is asked for a password: there is no terminal. */
static int
no_password(char *to, int size, int writing, void *ctx)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static BIO *
bio_of(const struct hsa_buf *b)
{
	return BIO_new_mem_buf(
	    b->p == NULL ? (const void *)"" : b->p, (int)b->len);
}

static hsa_rc
load_ca(SSL_CTX *ctx, const char *path, struct hsa_diag *diag)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	struct hsa_buf b = {0};
	BIO *bio = NULL;
	X509 *x;
	int n = 0;
	hsa_rc rc;

	HSA_TRY(rc, read_file(&b, path, S_IWGRP | S_IWOTH, diag));
	bio = bio_of(&b);
	while (bio != NULL &&
	       (x = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x);
		X509_free(x);
	}
	ERR_clear_error();
	if (n == 0)
		rc = hsa_fail(
		    diag, HSA_RC(E_CONFIG), "%s has no certificate", path);
out:
	BIO_free(bio);
	hsa_buf_free(&b);
	return rc;
}

static int64_t
end_of(const X509 *x)
{
	struct tm tm = {0};

	if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static bool
names_unit(const X509 *x, const uint8_t id[HSA_UUID_LEN])
{
	char urn[sizeof(HSA_CHANNEL_URN) + HSA_UUID_TEXT] = HSA_CHANNEL_URN;
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	hsa_uuid_text(urn + sizeof(HSA_CHANNEL_URN) - 1, id);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		const ASN1_IA5STRING *s = g->d.uniformResourceIdentifier;

		found =
		    found || (g->type == GEN_URI &&
				 (size_t)ASN1_STRING_length(s) == strlen(urn) &&
				 memcmp(ASN1_STRING_get0_data(s), urn,
				     strlen(urn)) == 0);
	}
	GENERAL_NAMES_free(all);
	return found;
}

/* What the collector would refuse is told here, where it can be put right. */
static hsa_rc
check_own(const X509 *x, const char *path, const uint8_t id[HSA_UUID_LEN],
    struct hsa_diag *diag)
{
	if (!names_unit(x, id))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s: the certificate is not of this unit", path);
	if (X509_cmp_current_time(X509_get0_notAfter(x)) <= 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s: the certificate has expired; cryptounitd certs", path);
	if (X509_cmp_current_time(X509_get0_notBefore(x)) >= 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s: the certificate is not valid yet; set the clock",
		    path);
	return HSA_OK;
}

static hsa_rc
load_identity(struct chan_tls *t, const struct chan_tls_config *cfg,
    struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	BIO *bio = NULL, *again = NULL;
	EVP_PKEY *key = NULL;
	X509 *own = NULL, *more;
	hsa_rc rc;

	HSA_TRY(rc, read_file(&b, cfg->identity, S_IRWXG | S_IRWXO, diag));
	bio = bio_of(&b);
	again = bio_of(&b);
	if (bio == NULL || again == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	own = PEM_read_bio_X509(again, NULL, no_password, NULL);
	if (own == NULL || SSL_CTX_use_certificate(t->ctx, own) != 1 ||
	    key == NULL || SSL_CTX_use_PrivateKey(t->ctx, key) != 1) {
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s has no certificate with its key", cfg->identity);
		goto out;
	}
	t->ends = end_of(own);
	while (
	    (more = PEM_read_bio_X509(again, NULL, no_password, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(t->ctx, more) != 1)
			X509_free(more);
	HSA_TRY(rc, check_own(own, cfg->identity, cfg->unit_id, diag));
out:
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(own);
	BIO_free(bio);
	BIO_free(again);
	hsa_buf_free(&b);
	return rc;
}

/* ---- one connection ------------------------------------------------------ */

static bool
set_rules(SSL_CTX *ctx)
{
	X509_VERIFY_PARAM *v = SSL_CTX_get0_param(ctx);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(ctx, CHAIN_MAX);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* a peer that sends what is no data must not keep us inside a read */
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	X509_VERIFY_PARAM_set_hostflags(v,
	    X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set_flags(v, X509_V_FLAG_X509_STRICT) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1;
}

static bool
start_ssl(struct chan_tls *t, const char *peer, int fd)
{
	static const char alpn[] = HSA_CHANNEL_ALPN;
	char name[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL's is not const */
	unsigned char wire[sizeof(alpn)];

	if (strlen(peer) >= sizeof(name))
		return false;
	(void)snprintf(name, sizeof(name), "%s", peer);
	wire[0] = sizeof(alpn) - 1;
	memcpy(wire + 1, alpn, sizeof(alpn) - 1);
	t->ssl = SSL_new(t->ctx);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 ||
	    SSL_set1_host(t->ssl, peer) != 1 ||
	    SSL_set_tlsext_host_name(t->ssl, name) != 1 ||
	    SSL_set_alpn_protos(t->ssl, wire, sizeof(wire)) != 0)
		return false;
	SSL_set_connect_state(t->ssl);
	return true;
}

hsa_rc
chan_tls_new(struct chan_tls **to, int64_t *ends,
    const struct chan_tls_config *cfg, int fd, struct hsa_diag *diag)
{
	struct chan_tls *t = calloc(1, sizeof(*t));
	hsa_rc rc = HSA_RC(E_CRYPTO);

	*ends = 0;
	if (t == NULL)
		return HSA_RC(E_NOMEM);
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL || !set_rules(t->ctx)) {
		hsa_diag_set(diag, "OpenSSL does not do TLS 1.3");
		goto out;
	}
	HSA_TRY(rc, load_ca(t->ctx, cfg->ca, diag));
	rc = load_identity(t, cfg, diag);
	*ends = t->ends;
	HSA_TRY(rc, rc);
	if (!start_ssl(t, cfg->peer, fd)) {
		rc = hsa_fail(diag, HSA_RC(E_CRYPTO), "OpenSSL failed");
		goto out;
	}
	*to = t;
	t = NULL;
out:
	ERR_clear_error();
	chan_tls_free(t);
	return rc;
}

void
chan_tls_free(struct chan_tls *t)
{
	if (t == NULL)
		return;
	if (t->ssl != NULL && SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	free(t);
}

static hsa_rc because(struct chan_tls *t, hsa_rc rc, const char *fmt, ...)
    HSA_PRINTF(3, 4);
static hsa_rc
because(struct chan_tls *t, hsa_rc rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	return rc;
}

/* Alerts arrive as reasons from here on (ssl(3), RFC 8446, 6). */
static bool
is_alert(int reason)
{
	return reason >= SSL_AD_REASON_OFFSET &&
	       reason < SSL_AD_REASON_OFFSET + 256;
}

/* What OpenSSL says about the call before, which was the last of this thread.
 */
static hsa_rc
judge(struct chan_tls *t, int result)
{
	int e = SSL_get_error(t->ssl, result), err = errno;
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);
	long verified = SSL_get_verify_result(t->ssl);

	ERR_clear_error();
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		t->events = e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return HSA_RC(E_BUSY);
	}
	if (e == SSL_ERROR_ZERO_RETURN)
		return because(t, HSA_RC(E_CLOSED), "it said goodbye");
	if (e == SSL_ERROR_SYSCALL)
		return because(t,
		    err == 0 || err == EPIPE || err == ECONNRESET
			? HSA_RC(E_CLOSED)
			: HSA_RC(E_IO),
		    "%s", err == 0 ? "it hung up" : strerror(err));
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return because(t, HSA_RC(E_CLOSED), "it hung up");
	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return because(t, HSA_RC(E_AUTH), "%s",
		    X509_verify_cert_error_string(verified));
	return because(t,
	    is_alert(ERR_GET_REASON(code)) ? HSA_RC(E_REMOTE) : HSA_RC(E_IO),
	    "%s", text == NULL ? "unknown error" : text);
}

static hsa_rc
check_peer(struct chan_tls *t)
{
	static const char mine[] = HSA_CHANNEL_ALPN;
	const unsigned char *alpn = NULL;
	int64_t ends = end_of(SSL_get0_peer_certificate(t->ssl));
	unsigned int n = 0;

	SSL_get0_alpn_selected(t->ssl, &alpn, &n);
	if (n != sizeof(mine) - 1 || memcmp(alpn, mine, n) != 0)
		return because(t, HSA_RC(E_AUTH), "it is no collector");
	if (ends < t->ends)
		t->ends = ends;
	return HSA_OK;
}

hsa_rc
chan_tls_handshake(struct chan_tls *t)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_do_handshake(t->ssl);
	return n == 1 ? check_peer(t) : judge(t, n);
}

hsa_rc
chan_tls_write(struct chan_tls *t, size_t *put, const void *p, size_t n)
{
	int r;

	*put = 0;
	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(t->ssl, p, n, put);
	return r == 1 ? HSA_OK : judge(t, r);
}

hsa_rc
chan_tls_read(struct chan_tls *t, size_t *got, void *p, size_t n)
{
	int r;

	*got = 0;
	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(t->ssl, p, n, got);
	return r == 1 ? HSA_OK : judge(t, r);
}

int
chan_tls_events(const struct chan_tls *t)
{
	return t->events;
}

const char *
chan_tls_why(const struct chan_tls *t)
{
	return t->why;
}

int64_t
chan_tls_ends(const struct chan_tls *t)
{
	return t->ends;
}
