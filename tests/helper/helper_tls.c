#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "helper_tls.h"

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "helper_tls: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

/* ---- certificates -------------------------------------------------------- */

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e != NULL && X509_add_ext(x, e, -1) == 1, value);
	X509_EXTENSION_free(e);
}

static X509 *
blank(EVP_PKEY *key, const char *name, X509 *issuer, long from, long until)
{
	X509 *x = X509_new();
	uint64_t serial = 0;

	must(x != NULL && X509_set_version(x, 2) == 1 &&
		 X509_set_pubkey(x, key) == 1,
	    "certificate");
	must(hsa_is_ok(hsa_random(&serial, sizeof(serial))), "random");
	must(
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1,
	    "serial");
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
		 MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1,
	    "name");
	must(X509_set_issuer_name(
		 x, X509_get_subject_name(issuer == NULL ? x : issuer)) == 1,
	    "issuer");
	must(X509_gmtime_adj(X509_getm_notBefore(x), from) != NULL &&
		 X509_gmtime_adj(X509_getm_notAfter(x), until) != NULL,
	    "times");
	return x;
}

void
helper_ca_new(struct helper_ca *ca, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;

	must(key != NULL, "key");
	x = blank(key, name, NULL, -86400 * 365L, 86400 * 365L);
	extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
	extend(x, x, NID_key_usage, "critical,keyCertSign");
	extend(x, x, NID_subject_key_identifier, "hash");
	extend(x, x, NID_authority_key_identifier, "keyid:always");
	must(X509_sign(x, key, EVP_sha256()) > 0, "sign");
	ca->key = key;
	ca->cert = x;
}

void
helper_ca_free(struct helper_ca *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	*ca = (struct helper_ca){0};
}

static FILE *
create(char next[160], const char *path)
{
	int fd;
	FILE *f;

	must(snprintf(next, 160, "%s.new", path) < 160, "path");
	(void)unlink(next);
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	must(f != NULL, next);
	return f;
}

void
helper_ca_write(const struct helper_ca *ca, const char *path)
{
	char next[160];
	FILE *f = create(next, path);

	must(PEM_write_X509(f, ca->cert) == 1 && fclose(f) == 0 &&
		 rename(next, path) == 0,
	    path);
}

void
helper_ca_issue(
    const struct helper_ca *ca, const struct helper_cert *c, const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char names[400] = "", uuid[HSA_UUID_TEXT] = "", next[160];
	X509 *x;
	FILE *f;

	must(key != NULL, "key");
	x = blank(key, "leaf", ca->cert, c->from, c->until);
	extend(x, ca->cert, NID_basic_constraints, "critical,CA:FALSE");
	extend(x, ca->cert, NID_subject_key_identifier, "hash");
	extend(x, ca->cert, NID_authority_key_identifier, "keyid:always");
	extend(x, ca->cert, NID_key_usage, "critical,digitalSignature");
	if (c->server || c->client)
		extend(x, ca->cert, NID_ext_key_usage,
		    !c->client   ? "serverAuth"
		    : !c->server ? "clientAuth"
				 : "serverAuth,clientAuth");
	if (c->unit_id != NULL)
		hsa_uuid_text(uuid, c->unit_id);
	(void)snprintf(names, sizeof(names), "%s%s%s%s%s",
	    c->dns == NULL ? "" : "DNS:", c->dns == NULL ? "" : c->dns,
	    c->dns != NULL && c->unit_id != NULL ? "," : "",
	    c->unit_id == NULL ? "" : "URI:urn:uuid:", uuid);
	if (names[0] != '\0')
		extend(x, ca->cert, NID_subject_alt_name, names);
	must(X509_sign(x, ca->key, EVP_sha256()) > 0, "sign");
	f = create(next, path);
	must(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		 PEM_write_X509(f, x) == 1 && fclose(f) == 0 &&
		 rename(next, path) == 0,
	    path);
	X509_free(x);
	EVP_PKEY_free(key);
}

void
helper_ca_issue_collector(
    const struct helper_ca *ca, const char *name, const char *path)
{
	const struct helper_cert c = {
	    .dns = name, .server = true, .from = -3600, .until = 86400 * 40L};

	helper_ca_issue(ca, &c, path);
}

void
helper_ca_issue_unit(const struct helper_ca *ca,
    const uint8_t unit_id[HSA_UUID_LEN], const char *path)
{
	const struct helper_cert c = {.unit_id = unit_id,
	    .client = true,
	    .from = -3600,
	    .until = 86400 * 40L};

	helper_ca_issue(ca, &c, path);
}

/* ---- one end ------------------------------------------------------------- */

static const unsigned char alpn[] = "\x12"
				    "cryptounit-audit/1";

static int
choose(SSL *ssl, const unsigned char **out, unsigned char *n,
    const unsigned char *in, unsigned int in_n, void *arg)
{
	unsigned char *got = NULL;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&got, n, alpn, sizeof(alpn) - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = got;
	return SSL_TLSEXT_ERR_OK;
}

void *
helper_end_tls(int fd, const struct helper_end *e)
{
	SSL_CTX *ctx =
	    SSL_CTX_new(e->server ? TLS_server_method() : TLS_client_method());
	SSL *ssl;
	int n;

	(void)signal(SIGPIPE, SIG_IGN);
	must(ctx != NULL, "context");
	if (e->identity != NULL)
		must(
		    SSL_CTX_use_certificate_chain_file(ctx, e->identity) == 1 &&
			SSL_CTX_use_PrivateKey_file(
			    ctx, e->identity, SSL_FILETYPE_PEM) == 1,
		    e->identity);
	if (e->ca != NULL) {
		must(SSL_CTX_load_verify_locations(ctx, e->ca, NULL) == 1,
		    e->ca);
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	if (e->tls12)
		must(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) == 1,
		    "TLS 1.2");
	if (e->server && !e->no_alpn)
		SSL_CTX_set_alpn_select_cb(ctx, choose, NULL);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	must(ssl != NULL && SSL_set_fd(ssl, fd) == 1, "connection");
	if (!e->server && !e->no_alpn)
		must(SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) == 0,
		    "protocol");
	if (e->host != NULL)
		must(SSL_set1_host(ssl, e->host) == 1, "host");
	n = e->server ? SSL_accept(ssl) : SSL_connect(ssl);
	ERR_clear_error();
	if (n == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

void
helper_end_free(void *ssl)
{
	if (ssl == NULL)
		return;
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	ERR_clear_error();
}

bool
helper_end_put(void *ssl, int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		size_t put = 0;
		ssize_t sent;

		if (ssl != NULL) {
			if (SSL_write_ex(ssl, at, n, &put) != 1) {
				ERR_clear_error();
				return false;
			}
		} else {
			sent = send(fd, at, n, MSG_NOSIGNAL);
			if (sent <= 0)
				return false;
			put = (size_t)sent;
		}
		at += put;
		n -= put;
	}
	return true;
}

size_t
helper_end_get(void *ssl, int fd, void *p, size_t n)
{
	size_t got = 0;
	ssize_t have;

	if (ssl != NULL) {
		if (SSL_read_ex(ssl, p, n, &got) != 1) {
			ERR_clear_error();
			return 0;
		}
		return got;
	}
	have = recv(fd, p, n, 0);
	return have <= 0 ? 0 : (size_t)have;
}

/* ---- sockets ------------------------------------------------------------- */

static const struct sockaddr_in loopback = {.sin_family = AF_INET};

int
helper_tcp_listen(unsigned int *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = loopback;
	socklen_t n = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 &&
		 listen(fd, 64) == 0 &&
		 getsockname(fd, (struct sockaddr *)&a, &n) == 0,
	    "listen");
	*port = ntohs(a.sin_port);
	return fd;
}

int
helper_tcp_connect(unsigned int port)
{
	const int on = 1, small = 65536;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = loopback;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)port);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		(void)close(fd);
		return -1;
	}
	if (fd >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		/* so that one that does not read is noticed soon */
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	}
	return fd;
}
