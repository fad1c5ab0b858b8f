/*
 * tkc_password.h - where the password of a key file comes from: a file named
 * by --password-file (for all keys, or NAME=FILE for one), else the terminal.
 * Never the command line.
 */
#ifndef TKC_PASSWORD_H
#define TKC_PASSWORD_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "tkc_prompt.h"

struct tkc_password_source {
	char *name; /* key it is for; NULL: any */
	char *file;
};

struct tkc_passwords {
	struct tkc_prompt prompt;
	struct tkc_password_source *source;
	size_t len;
};

/* tkc_passwords_add(w, text) - "FILE" or "NAME=FILE" (the first '=' parts
 * them). tkc_passwords_add_for: the two apart, name may be NULL. */
HSA_MUST_USE hsa_rc tkc_passwords_add(
    struct tkc_passwords *w, const char *text);
HSA_MUST_USE hsa_rc tkc_passwords_add_for(
    struct tkc_passwords *w, const char *name, const char *file);
void tkc_passwords_free(struct tkc_passwords *w);

/*
 * tkc_passwords_get(w, password, what, name, fresh, diag) - append the
 * password of the key `name`; what: "signature key" for the question. fresh: a
 * new key, so a terminal asks twice.
 */
HSA_MUST_USE hsa_rc tkc_passwords_get(const struct tkc_passwords *w,
    struct hsa_buf *password, const char *what, const char *name, bool fresh,
    struct hsa_diag *diag);

#endif
