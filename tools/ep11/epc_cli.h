/*
 * epc_cli.h - the command line of ep11: a table of verbs, a table of options,
 * and which verb takes which.
 */
#ifndef EPC_CLI_H
#define EPC_CLI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct epc_session;

enum epc_exit {
	EPC_EXIT_OK = 0,
	EPC_EXIT_REFUSED = 1, /* by the unit; a signature that is wrong */
	EPC_EXIT_USAGE = 2    /* wrong use, a file, a unit out of reach */
};

enum epc_option {             /* bits: which options a verb takes */
	EPC_OPT_IN = 1u << 0, /* --in */
	EPC_OPT_OUT = 1u << 1,
	EPC_OPT_KEY = 1u << 2,
	EPC_OPT_MECH = 1u << 3, /* --mechanism --param */
	EPC_OPT_ATTR = 1u << 4,
	EPC_OPT_PIN = 1u << 5,    /* --pin-blob */
	EPC_OPT_SIG = 1u << 6,    /* --signature */
	EPC_OPT_KEK = 1u << 7,    /* --kek --mac-key */
	EPC_OPT_PAIR = 1u << 8,   /* --public */
	EPC_OPT_MAKE = 1u << 9,   /* --bits --curve --exponent ... */
	EPC_OPT_LOGIN = 1u << 10, /* --pin-file --nonce */
	EPC_OPT_LABEL = 1u << 11,
	EPC_OPT_VERSION = 1u << 12, /* --expect */
	EPC_OPT_FORCE = 1u << 13,
	EPC_OPT_DER = 1u << 14,
	EPC_OPT_HEX = 1u << 15
};

#define EPC_LIST_MAX 64

struct epc_list {
	const char *v[EPC_LIST_MAX];
	size_t n;
};

struct epc_options { /* strings point into argv */
	const char *unit;
	bool json, help, version, hex, force, der;
	const char *in, *out, *key, *mechanism, *signature, *pin_blob;
	const char *kek, *mac_key, *public_out, *bits, *curve, *exponent;
	const char *pin_file, *nonce, *label, *expect;
	struct epc_list param, attr, public_attr;
	const char **args; /* what is no option; owned array */
	size_t arg_count;
};

struct epc_verb {
	const char *name;
	const char *args;    /* "KEYSTORE KEY" for the usage line */
	const char *summary; /* one line */
	const char *detail;  /* for --help; "" or lines with their newlines */
	unsigned int options;
	size_t min_args, max_args;
	hsa_rc (*run)(struct epc_session *s);
};

/* One table per source file of verbs, each ended by a row without a name. */
extern const struct epc_verb epc_verbs_look[], epc_verbs_make[],
    epc_verbs_key[], epc_verbs_use[], epc_verbs_store[];
const struct epc_verb *epc_verb_find(const char *name);

/*
 * epc_options_before(o, argv, diag) - options before the verb: --unit, --json,
 * --help, --version; moves *argv on to the verb. E_ARG with the fix.
 * epc_options_parse(o, verb, argv, diag) - everything behind the verb, ended
 * by NULL; "--" ends the options. Options may have their value as the next
 * word or behind '='. E_ARG with the fix.
 */
HSA_MUST_USE hsa_rc epc_options_before(
    struct epc_options *o, char ***argv, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_options_parse(struct epc_options *o,
    const struct epc_verb *verb, char **argv, struct hsa_diag *diag);
void epc_options_free(struct epc_options *o);

void epc_usage(void);                       /* all verbs, on stdout */
void epc_help(const struct epc_verb *verb); /* one verb, on stdout */

/* epc_exit_of(rc) - exit status for a failed call. */
enum epc_exit epc_exit_of(hsa_rc rc);

#endif
