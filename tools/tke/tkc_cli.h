/*
 * tkc_cli.h - the command line of tke: its verbs, its options, its exit
 * statuses.
 */
#ifndef TKC_CLI_H
#define TKC_CLI_H
#include <stdbool.h>
#include "hsa_err.h"
#include "opt.h"
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

struct tkc_options {
	struct opt_line line;
	const char *state, *server, *oa_root, *instance, *token_file, *files;
	struct tkc_passwords passwords;
	bool json, yes;
	const char *name, *type;
	bool random;
	const char *value, *description;
	const char *signature, *revocation;
	const char *sign[TKC_SIGN_MAX];
	size_t signs;
	const char *transcript, *collected, *checkpoint_keys;
	bool keep_going;
};

struct tkc_verb {
	struct opt_verb is;
	hsa_rc (*run)(struct tkc_session *s);
};

/* One table per source file of verbs, each ended by a row without a name. */
extern const struct tkc_verb tkc_verbs_select[], tkc_verbs_key[],
    tkc_verbs_look[], tkc_verbs_change[], tkc_verbs_ceremony[];
extern const struct opt_program tkc_program;

void tkc_options_free(struct tkc_options *o);

/* tkc_exit_of(rc) - exit status for a failed call. */
enum tkc_exit tkc_exit_of(hsa_rc rc);

#endif
