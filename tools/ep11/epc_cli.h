/*
 * epc_cli.h - the command line of ep11: its verbs, its options, its exit
 * statuses.
 */
#ifndef EPC_CLI_H
#define EPC_CLI_H
#include <stdbool.h>
#include "hsa_err.h"
#include "opt.h"

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

struct epc_options {
	struct opt_line line;
	const char *unit;
	bool json, hex, force, der;
	const char *in, *out, *key, *mechanism, *signature, *pin_blob;
	const char *kek, *mac_key, *public_out, *bits, *curve, *exponent;
	const char *pin_file, *nonce, *label, *expect;
	struct opt_list param, attr, public_attr;
};

struct epc_verb {
	struct opt_verb is;
	hsa_rc (*run)(struct epc_session *s);
};

/* One table per source file of verbs, each ended by a row without a name. */
extern const struct epc_verb epc_verbs_look[], epc_verbs_make[],
    epc_verbs_key[], epc_verbs_use[], epc_verbs_store[];
extern const struct opt_program epc_program;

/* epc_exit_of(rc) - exit status for a failed call. */
enum epc_exit epc_exit_of(hsa_rc rc);

#endif
