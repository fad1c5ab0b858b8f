#include <stddef.h>

#include "epc_cli.h"

#define AT(member) offsetof(struct epc_options, member)

static const struct opt_row rows[] = {
    {"unit", OPT_TEXT, 0, AT(unit), "WHERE",
	"unix:PATH of a unit's socket or of an installation's\n"
	"folder, or embedded:DIR; default: $EP11_UNIT"},
    {"json", OPT_FLAG, 0, AT(json), NULL, "print JSON"},
    {"in", OPT_TEXT, EPC_OPT_IN, AT(in), "FILE",
	"input; default -, standard input"},
    {"out", OPT_TEXT, EPC_OPT_OUT, AT(out), "FILE",
	"output, made 0600; default -, standard output"},
    {"hex", OPT_FLAG, EPC_OPT_HEX, AT(hex), NULL,
	"write the output as a line of hexadecimal digits"},
    {"key", OPT_TEXT, EPC_OPT_KEY, AT(key), "FILE",
	"key blob or MACed public key"},
    {"mechanism", OPT_TEXT, EPC_OPT_MECH, AT(mechanism), "NAME",
	"PKCS #11 name with or without CKM_, or a number"},
    {"param", OPT_LIST, EPC_OPT_MECH, AT(param), "NAME=VALUE,...",
	"its parameter, by members: iv, aad, tag (bits), hash,\n"
	"mgf, salt (bytes), source, kdf, public, shared, bits,\n"
	"length; bytes are hexadecimal digits or @FILE"},
    {"attr", OPT_LIST, EPC_OPT_ATTR, AT(attr), "NAME[=VALUE]",
	"attribute, PKCS #11 name with or without CKA_ or a\n"
	"number; true or false, a number, hexadecimal digits,\n"
	"@FILE, or a name (aes, secret, P-256); repeatable"},
    {"public-attr", OPT_LIST, EPC_OPT_PAIR, AT(public_attr), "NAME=VALUE",
	"the same for the public key of a pair"},
    {"public", OPT_TEXT, EPC_OPT_PAIR, AT(public_out), "FILE",
	"where the public key of a private one goes"},
    {"bits", OPT_TEXT, EPC_OPT_MAKE, AT(bits), "N",
	"size of the key; default 256 (aes, generic), 2048 (rsa)"},
    {"curve", OPT_TEXT, EPC_OPT_MAKE, AT(curve), "NAME",
	"curve of an ec key; default P-256"},
    {"exponent", OPT_TEXT, EPC_OPT_MAKE, AT(exponent), "N",
	"public exponent of an rsa key; default 65537"},
    {"kek", OPT_TEXT, EPC_OPT_KEK, AT(kek), "FILE",
	"key that wraps or unwraps"},
    {"mac-key", OPT_TEXT, EPC_OPT_KEK, AT(mac_key), "FILE",
	"key that signs or verifies an attribute-bound wrap"},
    {"pin-blob", OPT_TEXT, EPC_OPT_PIN, AT(pin_blob), "FILE",
	"login that the new key is bound to, from ep11 login"},
    {"pin-file", OPT_TEXT, EPC_OPT_LOGIN, AT(pin_file), "FILE",
	"file whose first line is the PIN, 8 to 16 bytes"},
    {"nonce", OPT_TEXT, EPC_OPT_LOGIN, AT(nonce), "HEX",
	"nonce of the session, at most 32 bytes; default: random"},
    {"signature", OPT_TEXT, EPC_OPT_SIG, AT(signature), "FILE",
	"the signature to verify"},
    {"label", OPT_TEXT, EPC_OPT_LABEL, AT(label), "TEXT",
	"label of the key in its keystore"},
    {"expect", OPT_TEXT, EPC_OPT_VERSION, AT(expect), "N",
	"version that the key must have; default: what it has"},
    {"force", OPT_FLAG, EPC_OPT_FORCE, AT(force), NULL,
	"delete a keystore together with its keys"},
    {"der", OPT_FLAG, EPC_OPT_DER, AT(der), NULL, "DER instead of PEM"},
    {"help", OPT_FLAG, 0, AT(line.help), NULL, "this help"},
    {"version", OPT_FLAG, 0, AT(line.version), NULL, "version of ep11"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const void *const tables[] = {epc_verbs_look, epc_verbs_make,
    epc_verbs_key, epc_verbs_use, epc_verbs_store};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct opt_program epc_program = {
    .name = "ep11",
    .about = "keys and operations of crypto units",
    .usage = "[--unit WHERE] [--json] VERB [options]",
    .closing = "Exit status: 0 done; 1 refused by the unit, or a\n"
	       "signature is wrong; 2 wrong use, a file, or no unit within "
	       "reach.",
    .rows = rows,
    .row_count = ROWS,
    .tables = tables,
    .table_count = TABLES,
    .verb_size = sizeof(struct epc_verb),
    .before = {.name = ""},
    .verb_width = 16,
    .option_width = 24,
    .parted = true,
};

enum epc_exit
epc_exit_of(hsa_rc rc)
{
	switch (rc.v) {
	case 0:
		return EPC_EXIT_OK;
	case HSA_E_REMOTE:
	case HSA_E_SIGNATURE:
		return EPC_EXIT_REFUSED;
	default:
		return EPC_EXIT_USAGE;
	}
}
