#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "col_tls.h"
#include "hsa_addr.h"
#include "hsa_buf.h"

/* The second reading of C6 to C8; chan_tls.c says why there are two. */
#define PEM_MAX 65536
#define DEPTH_MAX 4 /* certificates between the peer's and the CA's */

struct col_tls {
	SSL_CTX *ctx;
	SSL *ssl;
	int64_t own_ends;
	int events;
	char why[160];
};

/* ---- files --------------------------------------------------------------- */

/* One read, so that key and certificate are of the same moment. */
static hsa_rc
pem_of(BIO **to, struct hsa_buf *text, const char *path, mode_t forbidden,
    struct hsa_diag *diag)
{
	FILE *f = fopen(path, "re");
	struct stat st = {0};
	uint8_t *room;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (f == NULL)
		return hsa_fail(
		    diag, HSA_RC(E_CONFIG), "%s: %s", path, strerror(errno));
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > PEM_MAX) {
		rc =
		    hsa_fail(diag, HSA_RC(E_CONFIG), "%s is no PEM file", path);
		goto out;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & forbidden) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s is open to others; chmod 600", path);
		goto out;
	}
	setbuf(f, NULL); /* no second copy of a key */
	room = hsa_buf_reserve(text, PEM_MAX);
	if (room == NULL)
		goto out;
	text->len = fread(room, 1, PEM_MAX, f);
	*to = BIO_new_mem_buf(room, (int)text->len);
	rc = *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
out:
	(void)fclose(f);
	return rc;
}

/* Nobody is asked for a password. */
static int
refuse_password(char *to, int size, int writing, void *ctx)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static X509 *
next_cert(BIO *bio)
{
	return PEM_read_bio_X509(bio, NULL, refuse_password, NULL);
}

static hsa_rc
trust(SSL_CTX *ctx, const char *path, struct hsa_diag *diag)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	struct hsa_buf text = {0};
	BIO *bio = NULL;
	X509 *x;
	bool any = false;
	hsa_rc rc;

	HSA_TRY(rc, pem_of(&bio, &text, path, S_IWGRP | S_IWOTH, diag));
	while ((x = next_cert(bio)) != NULL) {
		any =
		    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) == 1 ||
		    any;
		X509_free(x);
	}
	if (!any)
		rc = hsa_fail(
		    diag, HSA_RC(E_CONFIG), "%s has no certificate", path);
out:
	ERR_clear_error();
	BIO_free(bio);
	hsa_buf_free(&text);
	/* a peer is not told whom we trust */
	SSL_CTX_set_client_CA_list(ctx, names);
	return rc;
}

static int64_t
ends(const X509 *x)
{
	struct tm tm = {0};

	if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static hsa_rc
become(struct col_tls *t, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	BIO *bio = NULL;
	EVP_PKEY *key = NULL;
	X509 *own = NULL, *more;
	hsa_rc rc;

	HSA_TRY(rc, pem_of(&bio, &text, path, S_IRWXG | S_IRWXO, diag));
	key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);
	(void)BIO_reset(bio); /* the key may stand behind */
	own = next_cert(bio);
	if (own == NULL || SSL_CTX_use_certificate(t->ctx, own) != 1 ||
	    key == NULL || SSL_CTX_use_PrivateKey(t->ctx, key) != 1) {
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s has no certificate with its key", path);
		goto out;
	}
	t->own_ends = ends(own);
	while ((more = next_cert(bio)) != NULL)
		if (SSL_CTX_add0_chain_cert(t->ctx, more) != 1)
			X509_free(more);
	if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0)
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s: the certificate has expired; put a new one there "
		    "(cryptounitd certs)",
		    path);
out:
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(own);
	BIO_free(bio);
	hsa_buf_free(&text);
	return rc;
}

/* ---- one connection ------------------------------------------------------ */

/* A peer that does not offer our protocol came here by mistake, or was sent. */
static int
choose(SSL *ssl, const unsigned char **to, unsigned char *n,
    const unsigned char *in, unsigned int in_n, void *ctx)
{
	static const unsigned char alpn[] = HSA_CHANNEL_ALPN;

	(void)ssl;
	(void)ctx;
	for (unsigned int i = 0; i < in_n; i += in[i] + 1u)
		if (in[i] == sizeof(alpn) - 1 && in_n - i > in[i] &&
		    memcmp(in + i + 1, alpn, sizeof(alpn) - 1) == 0) {
			*to = in + i + 1;
			*n = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool
limit(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(ctx, DEPTH_MAX);
	SSL_CTX_set_alpn_select_cb(ctx, choose, NULL);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* a peer that sends what is no data must not keep us inside a read */
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	return X509_VERIFY_PARAM_set_flags(
		   SSL_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1;
}

hsa_rc
col_tls_new(struct col_tls **to, const struct col_tls_config *cfg, int fd,
    struct hsa_diag *diag)
{
	struct col_tls *t = calloc(1, sizeof(*t));
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (t == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	t->ctx = SSL_CTX_new(TLS_server_method());
	if (t->ctx == NULL || !limit(t->ctx)) {
		hsa_diag_set(diag, "OpenSSL does not do TLS 1.3");
		goto out;
	}
	HSA_TRY(rc, trust(t->ctx, cfg->ca, diag));
	HSA_TRY(rc, become(t, cfg->identity, diag));
	if (fd >= 0) {
		t->ssl = SSL_new(t->ctx);
		if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1) {
			rc = hsa_fail(diag, HSA_RC(E_CRYPTO), "OpenSSL failed");
			goto out;
		}
		SSL_set_accept_state(t->ssl);
	}
	*to = t;
	t = NULL;
out:
	ERR_clear_error();
	col_tls_free(t);
	return rc;
}

void
col_tls_free(struct col_tls *t)
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

static void
because(struct col_tls *t, const char *what, const char *detail)
{
	(void)snprintf(t->why, sizeof(t->why), "%s%s", what,
	    detail == NULL ? "unknown error" : detail);
}

/* What OpenSSL says about the call before. */
static hsa_rc
judge(struct col_tls *t, int result)
{
	int e = SSL_get_error(t->ssl, result), err = errno;
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	long verified = SSL_get_verify_result(t->ssl);

	ERR_clear_error();
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		t->events = e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return HSA_RC(E_BUSY);
	}
	if (e == SSL_ERROR_ZERO_RETURN ||
	    reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
	    (e == SSL_ERROR_SYSCALL && (err == 0 || err == ECONNRESET)))
		return HSA_RC(E_CLOSED);
	if (e == SSL_ERROR_SYSCALL)
		because(t, "", strerror(err));
	else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		because(t, "its certificate: ",
		    X509_verify_cert_error_string(verified));
	else
		because(t, "TLS: ", ERR_reason_error_string(code));
	return HSA_RC(E_IO);
}

hsa_rc
col_tls_handshake(struct col_tls *t)
{
	const unsigned char *alpn = NULL;
	unsigned int chosen = 0;
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_do_handshake(t->ssl);
	if (n != 1)
		return judge(t, n);
	/* the callback is not asked when a peer offers nothing at all */
	SSL_get0_alpn_selected(t->ssl, &alpn, &chosen);
	if (chosen == 0) {
		because(t, "it does not speak ", HSA_CHANNEL_ALPN);
		return HSA_RC(E_IO);
	}
	return HSA_OK;
}

hsa_rc
col_tls_write(struct col_tls *t, size_t *put, const void *p, size_t n)
{
	int r;

	*put = 0;
	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(t->ssl, p, n, put);
	return r == 1 ? HSA_OK : judge(t, r);
}

hsa_rc
col_tls_read(struct col_tls *t, size_t *got, void *p, size_t n)
{
	int r;

	*got = 0;
	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(t->ssl, p, n, got);
	return r == 1 ? HSA_OK : judge(t, r);
}

int
col_tls_events(const struct col_tls *t)
{
	return t->events;
}

const char *
col_tls_why(const struct col_tls *t)
{
	return t->why;
}

bool
col_tls_is_unit(const struct col_tls *t, const uint8_t unit_id[HSA_UUID_LEN])
{
	const X509 *x = SSL_get0_peer_certificate(t->ssl);
	char urn[sizeof(HSA_CHANNEL_URN) + HSA_UUID_TEXT] = HSA_CHANNEL_URN;
	GENERAL_NAMES *all;
	bool found = false;

	if (x == NULL)
		return false;
	hsa_uuid_text(urn + sizeof(HSA_CHANNEL_URN) - 1, unit_id);
	all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		const ASN1_IA5STRING *uri;

		if (g->type != GEN_URI)
			continue;
		uri = g->d.uniformResourceIdentifier;
		found =
		    (size_t)ASN1_STRING_length(uri) == strlen(urn) &&
		    memcmp(ASN1_STRING_get0_data(uri), urn, strlen(urn)) == 0;
	}
	GENERAL_NAMES_free(all);
	return found;
}

int64_t
col_tls_own_ends(const struct col_tls *t)
{
	return t->own_ends;
}

int64_t
col_tls_peer_ends(const struct col_tls *t)
{
	return ends(SSL_get0_peer_certificate(t->ssl));
}
