#include <stddef.h>

#include "tkc_cli.h"

#define AT(member) offsetof(struct tkc_options, member)

static const struct opt_row rows[] = {
    {"state", OPT_TEXT, TKC_OPT_SERVER, AT(state), "DIR",
	"state directory of a local cryptounitd: short for\n"
	"--server unix:DIR/admin.sock --oa-root DIR/oa-root.pem"},
    {"server", OPT_TEXT, TKC_OPT_SERVER, AT(server), "ADDRESS",
	"unix:PATH, http://host:port or https://host:port"},
    {"oa-root", OPT_TEXT, TKC_OPT_SERVER, AT(oa_root), "FILE",
	"public key (PEM) that every unit's chain must lead to"},
    {"instance", OPT_TEXT, TKC_OPT_SERVER, AT(instance), "ID",
	"service instance; default: the only one of the server"},
    {"token-file", OPT_TEXT, TKC_OPT_SERVER, AT(token_file), "FILE",
	"file (0600) whose line is sent as Authorization"},
    {"files", OPT_TEXT, TKC_OPT_FILES, AT(files), "DIR",
	"directory of key files and selection; default: the\n"
	"environment variable CLOUDTKEFILES; made 0700 if absent"},
    {"password-file", OPT_OWN, TKC_OPT_PASSWORD, AT(passwords), "[NAME=]FILE",
	"file (0600) with the password of key NAME, or of all;\n"
	"may be repeated; default: ask at the terminal"},
    {"json", OPT_FLAG, TKC_OPT_JSON, AT(json), NULL, "print JSON"},
    {"yes", OPT_FLAG, TKC_OPT_YES, AT(yes), NULL,
	"do not ask for confirmation"},
    {"name", OPT_TEXT, TKC_OPT_NAME, AT(name), "NAME",
	"name of the administrator, at most 30 characters"},
    {"type", OPT_TEXT, TKC_OPT_TYPE, AT(type), "TYPE",
	"p521 (default) or rsa2048"},
    {"random", OPT_FLAG, TKC_OPT_VALUE, AT(random), NULL, "a random value"},
    {"value", OPT_TEXT, TKC_OPT_VALUE, AT(value), "FILE",
	"file (0600) with the value as 64 hexadecimal digits;\n"
	"- asks at the terminal"},
    {"description", OPT_TEXT, TKC_OPT_VALUE, AT(description), "TEXT",
	"name of the part in lists; at most 64 characters"},
    {"signature", OPT_TEXT, TKC_OPT_THRESHOLDS, AT(signature), "N",
	"new signature threshold, 1 to 8"},
    {"revocation", OPT_TEXT, TKC_OPT_THRESHOLDS, AT(revocation), "N",
	"new revocation signature threshold, 1 to 8"},
    {"sign", OPT_OWN, TKC_OPT_SIGN, AT(sign), "KEY",
	"sign with exactly this key (repeatable), installed or\n"
	"not, instead of the selected ones; none: no signature"},
    {"transcript", OPT_TEXT, TKC_OPT_RUN, AT(transcript), "FILE",
	"where the record goes; default transcript.md; must not\n"
	"exist"},
    {"collected", OPT_TEXT, TKC_OPT_RUN, AT(collected), "DIR",
	"what hsa collect writes: each step's events are awaited\n"
	"and compared there"},
    {"checkpoint-keys", OPT_TEXT, TKC_OPT_RUN, AT(checkpoint_keys), "FILE",
	"checkpoint.pub: verify the collected logs at the end"},
    {"continue", OPT_FLAG, TKC_OPT_RUN, AT(keep_going), NULL,
	"go on after a deviation"},
    {"help", OPT_FLAG, 0, AT(line.help), NULL, "this help"},
    {"version", OPT_FLAG, 0, AT(line.version), NULL, "version of tke"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const void *const tables[] = {tkc_verbs_select, tkc_verbs_key,
    tkc_verbs_look, tkc_verbs_change, tkc_verbs_ceremony};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static hsa_rc
take(struct opt_line *line, const struct opt_row *r, const char *value,
    struct hsa_diag *diag)
{
	struct tkc_options *o = (struct tkc_options *)line;

	if (r->offset == AT(passwords))
		return tkc_passwords_add(&o->passwords, value);
	if (o->signs >= TKC_SIGN_MAX)
		return hsa_fail(diag, HSA_RC(E_ARG), "too many --sign");
	o->sign[o->signs++] = value;
	return HSA_OK;
}

const struct opt_program tkc_program = {
    .name = "tke",
    .about = "administer crypto units with signed commands",
    .usage = "[options] VERB [options]",
    .closing =
	"Options that say where the units, key files and\n"
	"passwords are may stand before the verb, too. Exit status: 0 done; "
	"1 refused by a unit, units differ\nor a ceremony deviated; 2 wrong "
	"use; 3 a unit cannot be reached or believed.",
    .rows = rows,
    .row_count = ROWS,
    .tables = tables,
    .table_count = TABLES,
    .verb_size = sizeof(struct tkc_verb),
    .before = {.name = "VERB",
	.options =
	    TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_PASSWORD | TKC_OPT_JSON},
    .take = take,
    .verb_width = 22,
    .option_width = 28,
    .counts_always = true,
};

void
tkc_options_free(struct tkc_options *o)
{
	if (o == NULL)
		return;
	tkc_passwords_free(&o->passwords);
	opt_line_free(&o->line);
	*o = (struct tkc_options){.signs = 0};
}

enum tkc_exit
tkc_exit_of(hsa_rc rc)
{
	switch (rc.v) {
	case 0:
		return TKC_EXIT_OK;
	case HSA_E_REMOTE:
	case HSA_E_AUTH:
	case HSA_E_STATE:
	case HSA_E_STOPPED:
		return TKC_EXIT_REFUSED;
	case HSA_E_CLOSED:
	case HSA_E_TIMEOUT:
	case HSA_E_SIGNATURE:
		return TKC_EXIT_TRUST;
	default:
		return TKC_EXIT_USAGE;
	}
}
