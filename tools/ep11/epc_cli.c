#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "epc_cli.h"

enum kind {
	KIND_FLAG, /* bool at offset */
	KIND_TEXT, /* const char * at offset, once */
	KIND_LIST  /* struct epc_list at offset */
};

struct option_row {
	const char *name;
	enum kind kind;
	unsigned int group; /* 0: every verb takes it */
	size_t offset;
	const char *value; /* name of the value in the help */
	const char *help;
};

#define AT(member) offsetof(struct epc_options, member)

static const struct option_row rows[] = {
    {"unit", KIND_TEXT, 0, AT(unit), "WHERE",
	"unix:PATH of a unit's socket or of an installation's\n"
	"folder, or embedded:DIR; default: $EP11_UNIT"},
    {"json", KIND_FLAG, 0, AT(json), NULL, "print JSON"},
    {"in", KIND_TEXT, EPC_OPT_IN, AT(in), "FILE",
	"input; default -, standard input"},
    {"out", KIND_TEXT, EPC_OPT_OUT, AT(out), "FILE",
	"output, made 0600; default -, standard output"},
    {"hex", KIND_FLAG, EPC_OPT_HEX, AT(hex), NULL,
	"write the output as a line of hexadecimal digits"},
    {"key", KIND_TEXT, EPC_OPT_KEY, AT(key), "FILE",
	"key blob or MACed public key"},
    {"mechanism", KIND_TEXT, EPC_OPT_MECH, AT(mechanism), "NAME",
	"PKCS #11 name with or without CKM_, or a number"},
    {"param", KIND_LIST, EPC_OPT_MECH, AT(param), "NAME=VALUE,...",
	"its parameter, by members: iv, aad, tag (bits), hash,\n"
	"mgf, salt (bytes), source, kdf, public, shared, bits,\n"
	"length; bytes are hexadecimal digits or @FILE"},
    {"attr", KIND_LIST, EPC_OPT_ATTR, AT(attr), "NAME[=VALUE]",
	"attribute, PKCS #11 name with or without CKA_ or a\n"
	"number; true or false, a number, hexadecimal digits,\n"
	"@FILE, or a name (aes, secret, P-256); repeatable"},
    {"public-attr", KIND_LIST, EPC_OPT_PAIR, AT(public_attr), "NAME=VALUE",
	"the same for the public key of a pair"},
    {"public", KIND_TEXT, EPC_OPT_PAIR, AT(public_out), "FILE",
	"where the public key of a private one goes"},
    {"bits", KIND_TEXT, EPC_OPT_MAKE, AT(bits), "N",
	"size of the key; default 256 (aes, generic), 2048 (rsa)"},
    {"curve", KIND_TEXT, EPC_OPT_MAKE, AT(curve), "NAME",
	"curve of an ec key; default P-256"},
    {"exponent", KIND_TEXT, EPC_OPT_MAKE, AT(exponent), "N",
	"public exponent of an rsa key; default 65537"},
    {"kek", KIND_TEXT, EPC_OPT_KEK, AT(kek), "FILE",
	"key that wraps or unwraps"},
    {"mac-key", KIND_TEXT, EPC_OPT_KEK, AT(mac_key), "FILE",
	"key that signs or verifies an attribute-bound wrap"},
    {"pin-blob", KIND_TEXT, EPC_OPT_PIN, AT(pin_blob), "FILE",
	"login that the new key is bound to, from ep11 login"},
    {"pin-file", KIND_TEXT, EPC_OPT_LOGIN, AT(pin_file), "FILE",
	"file whose first line is the PIN, 8 to 16 bytes"},
    {"nonce", KIND_TEXT, EPC_OPT_LOGIN, AT(nonce), "HEX",
	"nonce of the session, at most 32 bytes; default: random"},
    {"signature", KIND_TEXT, EPC_OPT_SIG, AT(signature), "FILE",
	"the signature to verify"},
    {"label", KIND_TEXT, EPC_OPT_LABEL, AT(label), "TEXT",
	"label of the key in its keystore"},
    {"expect", KIND_TEXT, EPC_OPT_VERSION, AT(expect), "N",
	"version that the key must have; default: what it has"},
    {"force", KIND_FLAG, EPC_OPT_FORCE, AT(force), NULL,
	"delete a keystore together with its keys"},
    {"der", KIND_FLAG, EPC_OPT_DER, AT(der), NULL, "DER instead of PEM"},
    {"help", KIND_FLAG, 0, AT(help), NULL, "this help"},
    {"version", KIND_FLAG, 0, AT(version), NULL, "version of ep11"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct epc_verb *const tables[] = {epc_verbs_look, epc_verbs_make,
    epc_verbs_key, epc_verbs_use, epc_verbs_store};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct epc_verb *
epc_verb_find(const char *name)
{
	const struct epc_verb *v = NULL;
	size_t i = 0;

	for (i = 0; i < TABLES; i++)
		for (v = tables[i]; v->name != NULL; v++)
			if (strcmp(v->name, name) == 0)
				return v;
	return NULL;
}

static const struct option_row *
row_of(const char *name, size_t n)
{
	size_t i = 0;

	for (i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == n &&
		    strncmp(rows[i].name, name, n) == 0)
			return &rows[i];
	return NULL;
}

static hsa_rc
store(struct epc_options *o, const struct option_row *r, const char *value,
    struct hsa_diag *diag)
{
	char *at = (char *)o + r->offset;
	struct epc_list *list = NULL;
	const char **text = NULL;

	if (r->kind == KIND_FLAG) {
		*(bool *)(void *)at = true;
		return HSA_OK;
	}
	if (r->kind == KIND_LIST) {
		list = (struct epc_list *)(void *)at;
		if (list->n == EPC_LIST_MAX)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--%s is given more than %d times", r->name,
			    EPC_LIST_MAX);
		list->v[list->n++] = value;
		return HSA_OK;
	}
	text = (const char **)(void *)at;
	if (*text != NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--%s is given twice", r->name);
	*text = value;
	return HSA_OK;
}

/* One word that begins with "--"; *argv stands on it and is moved on when the
 * value is the next word. */
static hsa_rc
option(struct epc_options *o, const char *verb, unsigned int groups,
    char ***argv, struct hsa_diag *diag)
{
	const char *word = **argv + 2;
	const char *eq = strchr(word, '=');
	size_t n = eq == NULL ? strlen(word) : (size_t)(eq - word);
	const struct option_row *r = row_of(word, n);

	if (r == NULL || (r->group != 0 && (groups & r->group) == 0))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "no option --%.*s: see ep11%s%s --help", (int)n, word,
		    verb[0] == '\0' ? "" : " ", verb);
	if (r->kind == KIND_FLAG && eq != NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--%s takes no value", r->name);
	if (r->kind == KIND_FLAG)
		return store(o, r, NULL, diag);
	if (eq != NULL)
		return store(o, r, eq + 1, diag);
	if ((*argv)[1] == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG), "--%s needs a value: %s",
		    r->name, r->value);
	(*argv)++;
	return store(o, r, **argv, diag);
}

hsa_rc
epc_options_before(struct epc_options *o, char ***argv, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (; **argv != NULL && strncmp(**argv, "--", 2) == 0; (*argv)++)
		HSA_TRY(rc, option(o, "", 0, argv, diag));
out:
	return rc;
}

hsa_rc
epc_options_parse(struct epc_options *o, const struct epc_verb *verb,
    char **argv, struct hsa_diag *diag)
{
	size_t n = 0;
	bool only_args = false;
	hsa_rc rc = HSA_OK;

	while (argv[n] != NULL)
		n++;
	o->args = calloc(n + 1, sizeof(*o->args));
	if (o->args == NULL)
		return HSA_RC(E_NOMEM);
	for (; *argv != NULL; argv++) {
		if (!only_args && strcmp(*argv, "--") == 0)
			only_args = true;
		else if (!only_args && strncmp(*argv, "--", 2) == 0)
			HSA_TRY(rc,
			    option(o, verb->name, verb->options, &argv, diag));
		else if (!only_args && strcmp(*argv, "-h") == 0)
			o->help = true;
		else
			o->args[o->arg_count++] = *argv;
	}
	if (o->help || o->version)
		goto out;
	if (o->arg_count > verb->max_args)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" is one word too many: see ep11 %s --help",
		    o->args[verb->max_args], verb->name);
	else if (o->arg_count < verb->min_args)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "%s is missing: usage: ep11 %s %s", verb->args, verb->name,
		    verb->args);
out:
	return rc;
}

void
epc_options_free(struct epc_options *o)
{
	if (o == NULL)
		return;
	free(o->args);
	*o = (struct epc_options){.args = NULL};
}

/* ---- help ---------------------------------------------------------------- */

void
epc_usage(void)
{
	const struct epc_verb *v = NULL;
	size_t i = 0;

	printf("ep11 %s: keys and operations of crypto units\n\n"
	       "usage: ep11 [--unit WHERE] [--json] VERB [options]\n",
	    HSA_VERSION);
	for (i = 0; i < TABLES; i++) {
		printf("\n");
		for (v = tables[i]; v->name != NULL; v++)
			printf("  %-16s %s\n", v->name, v->summary);
	}
	printf("\nEvery verb has --help. Exit status: 0 done; 1 refused by the "
	       "unit, or a\nsignature is wrong; 2 wrong use, a file, or no "
	       "unit within reach.\n");
}

static void
print_option(const struct option_row *r)
{
	char left[40] = "";
	const char *line = r->help, *end = NULL;

	(void)snprintf(left, sizeof(left), "--%s%s%s", r->name,
	    r->value == NULL ? "" : " ", r->value == NULL ? "" : r->value);
	while (line != NULL) {
		end = strchr(line, '\n');
		printf("  %-24s %.*s\n", line == r->help ? left : "",
		    end == NULL ? (int)strlen(line) : (int)(end - line), line);
		line = end == NULL ? NULL : end + 1;
	}
}

void
epc_help(const struct epc_verb *verb)
{
	size_t i = 0;

	printf("usage: ep11 %s%s%s [options]\n\n%s.\n", verb->name,
	    verb->args[0] == '\0' ? "" : " ", verb->args, verb->summary);
	if (verb->detail[0] != '\0')
		printf("%s\n", verb->detail);
	printf("\noptions:\n");
	for (i = 0; i < ROWS; i++)
		if (rows[i].group == 0 || (rows[i].group & verb->options) != 0)
			print_option(&rows[i]);
}

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
