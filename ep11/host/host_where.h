/*
 * host_where.h - where crypto units are: $EP11_UNIT, or the places where a
 * system's own installation lies.
 */
#ifndef HOST_WHERE_H
#define HOST_WHERE_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_buf.h"
#include "hsa_err.h"

#define HOST_UNITS_MAX 64u    /* as many bits as a target's set has */
#define HOST_WHERE_MAX 16384u /* characters of $EP11_UNIT */
#define HOST_PATH_MAX 4096u   /* characters of one path */
#define HOST_DEFAULT_RUN "/run/cryptounit"
#define HOST_DEFAULT_LIB "/var/lib/cryptounit"

struct host_where {
	bool embedded, named;
	struct hsa_buf text; /* NUL-terminated strings, back to back */
	size_t at[HOST_UNITS_MAX + 1]; /* where each begins; the name last */
	size_t n;
};

/* host_where_path(w, i) - i < n. Embedded: the installation's folder.
 * Otherwise sockets, or folders as written.
 * host_where_name(w) - of the embedded unit, or NULL: the first. */
const char *host_where_path(const struct host_where *w, size_t i);
const char *host_where_name(const struct host_where *w);

/*
 * host_where_parse(w, text, n, diag) - `unix:PATH[,unix:PATH...]` or
 * `embedded:DIR[#NAME]`. Looks at nothing but the text. E_FORMAT with cause
 * and fix, E_RANGE: too long or too many.
 * host_where_look(w, diag) - put the sockets DIR/units/NAME/unit.sock, in order
 * of names, in the place of each folder DIR. E_NOT_FOUND: a folder has none.
 * host_where_default(w, diag) - the sockets below HOST_DEFAULT_RUN, or if there
 * are none below HOST_DEFAULT_LIB. E_NOT_FOUND.
 */
HSA_MUST_USE hsa_rc host_where_parse(
    struct host_where *w, const char *text, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc host_where_look(
    struct host_where *w, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc host_where_default(
    struct host_where *w, struct hsa_diag *diag);
void host_where_free(struct host_where *w); /* repeatable */

#endif
