/*
 * sink_options.h - settings that go to librdkafka as they are. What is secret
 * comes from a file that nobody else can read, never from the command line,
 * which every process can read.
 */
#ifndef SINK_OPTIONS_H
#define SINK_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

#define SINK_OPTIONS_MAX (64u * 1024u) /* bytes of such a file */

struct sink_option {
	char *name, *value;
};
struct sink_options {
	struct sink_option *option;
	size_t len;
};

/*
 * sink_options_add(o, text, diag) - NAME=VALUE of the command line. E_ARG: not
 * of that form, a secret, or one that the sink sets itself.
 */
HSA_MUST_USE hsa_rc sink_options_add(
    struct sink_options *o, const char *text, struct hsa_diag *diag);
/* sink_options_load(o, path, diag) - a file of them. E_AUTH: others can read
 * it; E_ARG, E_IO, E_NOT_FOUND. */
HSA_MUST_USE hsa_rc sink_options_load(
    struct sink_options *o, const char *path, struct hsa_diag *diag);
/*
 * sink_options_parse(o, text, n, diag) - lines of NAME=VALUE; blank ones and
 * those that begin with # say nothing. diag never holds a value.
 */
HSA_MUST_USE hsa_rc sink_options_parse(
    struct sink_options *o, const char *text, size_t n, struct hsa_diag *diag);
/* Wipes the values. */
void sink_options_free(struct sink_options *o);

bool sink_options_secret(const char *name);

#endif
