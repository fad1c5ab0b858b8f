/*
 * helper_tkc.h - an HTTP server on a unix socket in front of one crypto unit
 * on a bench (helper_cu), for the tests of tke's client half: it answers like
 * the real front, and lies on demand. Failures end the test by abort.
 */
#ifndef HELPER_TKC_H
#define HELPER_TKC_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "helper_cu.h"
#include "helper_vfy.h"
#include "tkc_fleet.h"
#include "tkc_http.h"
#include "tkc_ring.h"

struct htkc {
	struct cu_bench *b;
	char dir[64];     /* key files, socket, passwords; removed at the end */
	char server[128]; /* "unix:..." */
	char root_pem[128];  /* of the chain that the bench now has */
	char wrong_pem[128]; /* another root */
	char password[128];  /* a password file, 0600 */
	char id[37];         /* hsm_id */
	int fd;
	pthread_t thread;
	/* what the server does; change only between requests */
	void (*tamper)(void *ctx, struct hsa_buf *transport); /* of a reply */
	void *ctx;
	const char *list;    /* instead of the hsms object */
	const char *body;    /* instead of an answer to POST */
	unsigned int status; /* instead of 200, with `body` as text */
	unsigned int posts;
	char request[8192]; /* head of the newest POST */
	/* the collected copy: every record of the bench is put here */
	struct helper_vfy_log *log;
	char collected[128], keys[128];
	size_t copied;
	/* changes a record on its way into the copy; false: it is left out */
	bool (*bend)(void *ctx, struct hsa_record *r);
};

/* htkc_new - bench open, server running, nothing collected unless collect. */
struct htkc *htkc_new(bool collect);
void htkc_free(struct htkc *h);

/* A client of it. */
struct htkc_client {
	struct hsa_diag diag;
	struct tkc_http *http;
	struct tkc_fleet fleet;
	struct tkc_files files;
	struct tkc_passwords passwords;
	struct tkc_ring ring;
};
/* htkc_client_open(c, h) - with the right root; aborts on failure. */
void htkc_client_open(struct htkc_client *c, struct htkc *h);
void htkc_client_close(struct htkc_client *c);

#endif
