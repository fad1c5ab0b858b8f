/*
 * sink_uri.h - the address of a sink:
 *
 *   SCHEME:REST[?NAME=VALUE[&NAME=VALUE]...]      file:PATH, stdout:
 *   SCHEME://HOST[:PORT][,HOST[:PORT]...][/PATH][?...]
 *
 * %XX stands for a byte, also for the ? & % x A host in [ ] is an IPv6 address.
 */
#ifndef SINK_URI_H
#define SINK_URI_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

#define SINK_URI_MAX 4096
#define SINK_PARAMS 16

struct sink_param {
	char *name, *value;
};
struct sink_uri {
	char *scheme; /* lower case */
	bool hosts;   /* the form with // */
	char *host;   /* hosts: all between // and /, as it is */
	char *path;   /* hosts: behind the /, "" when none; else REST */
	struct sink_param param[SINK_PARAMS];
	size_t params;
};

/* sink_uri_parse(u, text, diag) - E_ARG with a diagnosis. Freed by
 * sink_uri_free, which takes a zeroed struct too. */
HSA_MUST_USE hsa_rc sink_uri_parse(
    struct sink_uri *u, const char *text, struct hsa_diag *diag);
void sink_uri_free(struct sink_uri *u);

/* sink_uri_get(u, name) - the value, or NULL. */
const char *sink_uri_get(const struct sink_uri *u, const char *name);
/* sink_uri_only(u, names, diag) - no parameter but these, separated by
 * blanks. E_ARG. */
HSA_MUST_USE hsa_rc sink_uri_only(
    const struct sink_uri *u, const char *names, struct hsa_diag *diag);
/* sink_uri_host(host, port, u, diag) - exactly one HOST:PORT; both freed by
 * the caller. E_ARG. */
HSA_MUST_USE hsa_rc sink_uri_host(
    char **host, char **port, const struct sink_uri *u, struct hsa_diag *diag);

#endif
