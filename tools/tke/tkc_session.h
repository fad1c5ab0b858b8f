/*
 * tkc_session.h - what a verb works with, opened when it is first asked for.
 */
#ifndef TKC_SESSION_H
#define TKC_SESSION_H
#include "tkc_cli.h"
#include "tkc_files.h"
#include "tkc_fleet.h"
#include "tkc_http.h"
#include "tkc_ring.h"
#include "tkc_select.h"

struct tkc_session {
	const struct opt_verb *verb;
	struct tkc_options opt;
	struct hsa_diag diag;
	enum tkc_exit exit; /* of a verb that ran to its end */
	/* private: use the functions below */
	struct tkc_files files;
	struct tkc_selection selection;
	struct tkc_ring ring;
	bool has_ring;
	struct tkc_http *http;
	struct tkc_fleet fleet;
	bool has_fleet;
};

/* tkc_session_files(s) - directory and selection. _keys: key files too.
 * tkc_session_fleet - the server and its list of units. */
HSA_MUST_USE hsa_rc tkc_session_files(struct tkc_session *s);
HSA_MUST_USE hsa_rc tkc_session_keys(struct tkc_session *s);
HSA_MUST_USE hsa_rc tkc_session_fleet(struct tkc_session *s);
void tkc_session_close(struct tkc_session *s);

/* tkc_session_units(s, list, n) - the selected units, in listed order;
 * E_ARG when none is selected. list holds TKC_FLEET_MAX. */
HSA_MUST_USE hsa_rc tkc_session_units(
    struct tkc_session *s, struct tkc_unit **list, size_t *n);

/*
 * tkc_session_words(s, words, question, option) - the verb's arguments, or the
 * words of an answer at the terminal. words is freed by tkc_words_free.
 */
struct tkc_words {
	const char **word;
	size_t len;
	struct hsa_buf held;
};
HSA_MUST_USE hsa_rc tkc_session_words(struct tkc_session *s,
    struct tkc_words *words, const char *question, const char *option);
void tkc_words_free(struct tkc_words *w);

/* tkc_session_text(s, b, given, question, option) - an option's value, or an
 * answer. */
HSA_MUST_USE hsa_rc tkc_session_text(struct tkc_session *s, struct hsa_buf *b,
    const char *given, const char *question, const char *option);
/* tkc_session_confirm(s, question) - --yes, or the answer y. */
HSA_MUST_USE hsa_rc tkc_session_confirm(
    struct tkc_session *s, const char *question);

/* tkc_put(b) - write a buffer to stdout; E_IO when that fails. */
HSA_MUST_USE hsa_rc tkc_put(const struct hsa_buf *b);

#endif
