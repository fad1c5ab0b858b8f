/*
 * helper_tls.h - for tests of TLS: authorities and certificates by OpenSSL,
 * good ones and bad ones, and one end of a connection that does as it is told.
 * Helpers end the test program when they cannot do their work.
 */
#ifndef HELPER_TLS_H
#define HELPER_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_hash.h"

struct helper_ca {
	void *key, *cert; /* EVP_PKEY, X509 */
};

void helper_ca_new(struct helper_ca *ca, const char *name);
void helper_ca_free(struct helper_ca *ca);
/* Its certificate as PEM. */
void helper_ca_write(const struct helper_ca *ca, const char *path);

struct helper_cert {
	const char *dns;        /* NULL: none */
	const uint8_t *unit_id; /* NULL: no URI */
	bool server, client;    /* extended key usage */
	long from, until;       /* seconds from now */
};

/* A new key and its certificate, as PEM, 0600, replaced in one step. */
void helper_ca_issue(
    const struct helper_ca *ca, const struct helper_cert *c, const char *path);
/* The usual two. */
void helper_ca_issue_collector(
    const struct helper_ca *ca, const char *name, const char *path);
void helper_ca_issue_unit(const struct helper_ca *ca,
    const uint8_t unit_id[HSA_UUID_LEN], const char *path);

struct helper_end {
	const char *ca, *identity; /* NULL identity: no certificate */
	bool server;
	bool tls12; /* at most */
	bool no_alpn;
	const char *host; /* of a client: name to ask for; NULL: not checked */
};

/* helper_end_tls(fd, e) - the SSL after the handshake on a blocking socket, or
 * NULL when it failed. helper_end_free(ssl). */
void *helper_end_tls(int fd, const struct helper_end *e);
void helper_end_free(void *ssl);

/* On either kind of connection: ssl NULL is a plain socket. False: broken. */
bool helper_end_put(void *ssl, int fd, const void *p, size_t n);
/* What is there now, waiting for the first byte; 0: broken or timed out. */
size_t helper_end_get(void *ssl, int fd, void *p, size_t n);

/* A listening TCP socket on 127.0.0.1, its port; and connecting to one. */
int helper_tcp_listen(unsigned int *port);
int helper_tcp_connect(unsigned int port);

#endif
