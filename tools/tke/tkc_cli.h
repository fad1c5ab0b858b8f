/*
 * tkc_cli.h - the command line of tke: a table of verbs, a table of options,
 * and which verb takes which.
 */
#ifndef TKC_CLI_H
#define TKC_CLI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "tkc_password.h"

struct tkc_session;

enum tkc_exit {
	TKC_EXIT_OK = 0,
	TKC_EXIT_REFUSED = 1, /* a unit refused, units differ, a deviation */
	TKC_EXIT_USAGE = 2,
	TKC_EXIT_TRUST = 3 /* a unit cannot be reached or believed */
};

enum tkc_option {                 /* bits: which options a verb takes */
	TKC_OPT_SERVER = 1u << 0, /* --state --server --oa-root --instance
				     --token-file */
	TKC_OPT_FILES = 1u << 1,  /* --files */
	TKC_OPT_PASSWORD = 1u << 2,
	TKC_OPT_JSON = 1u << 3,
	TKC_OPT_YES = 1u << 4,
	TKC_OPT_NAME = 1u << 5,
	TKC_OPT_TYPE = 1u << 6,
	TKC_OPT_VALUE = 1u << 7, /* --random --value --description */
	TKC_OPT_THRESHOLDS = 1u << 8,
	TKC_OPT_SIGN = 1u << 9,
	TKC_OPT_RUN = 1u << 10 /* --transcript --collected ... */
};

#define TKC_SIGN_MAX 64

struct tkc_options { /* strings point into argv */
	const char *state, *server, *oa_root, *instance, *token_file, *files;
	struct tkc_passwords passwords;
	bool json, help, version, yes;
	const char *name, *type;
	bool random;
	const char *value, *description;
	const char *signature, *revocation;
	const char *sign[TKC_SIGN_MAX];
	size_t signs;
	const char *transcript, *collected, *checkpoint_keys;
	bool keep_going;
	const char **args; /* what is no option; owned array */
	size_t arg_count;
};

struct tkc_verb {
	const char *name;
	const char *args;    /* "NUM..." for the usage line */
	const char *summary; /* one line */
	const char *detail;  /* for --help */
	unsigned int options;
	size_t max_args;
	hsa_rc (*run)(struct tkc_session *s);
};

/* One table per source file of verbs, each ended by a row without a name. */
extern const struct tkc_verb tkc_verbs_select[], tkc_verbs_key[],
    tkc_verbs_look[], tkc_verbs_change[], tkc_verbs_ceremony[];
const struct tkc_verb *tkc_verb_find(const char *name);

/*
 * tkc_options_before(o, argv, diag) - options before the verb: those that say
 * where things are, whatever the verb will be; moves *argv on to the verb.
 * An option that the verb has no use for is then ignored, so that one alias
 * serves every verb. E_ARG with the fix.
 */
HSA_MUST_USE hsa_rc tkc_options_before(
    struct tkc_options *o, char ***argv, struct hsa_diag *diag);

/*
 * tkc_options_parse(o, verb, argv, diag) - everything behind the verb, ended
 * by NULL; "--" ends the options. Options may have their value as the next
 * word or behind '='. E_ARG with the fix.
 */
HSA_MUST_USE hsa_rc tkc_options_parse(struct tkc_options *o,
    const struct tkc_verb *verb, char **argv, struct hsa_diag *diag);
void tkc_options_free(struct tkc_options *o);

void tkc_usage(void);                       /* all verbs, on stdout */
void tkc_help(const struct tkc_verb *verb); /* one verb, on stdout */

/* tkc_exit_of(rc) - exit status for a failed call. */
enum tkc_exit tkc_exit_of(hsa_rc rc);

#endif
