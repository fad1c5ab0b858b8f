#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_cli.h"

enum kind {
	KIND_FLAG,     /* bool at offset */
	KIND_TEXT,     /* const char * at offset, once */
	KIND_PASSWORD, /* repeatable */
	KIND_SIGN      /* repeatable */
};

struct option_row {
	const char *name;
	enum kind kind;
	unsigned int group; /* 0: every verb takes it */
	size_t offset;
	const char *value; /* name of the value in the help */
	const char *help;
};

#define AT(member) offsetof(struct tkc_options, member)

static const struct option_row rows[] = {
    {"state", KIND_TEXT, TKC_OPT_SERVER, AT(state), "DIR",
	"state directory of a local cryptounitd: short for\n"
	"--server unix:DIR/admin.sock --oa-root DIR/oa-root.pem"},
    {"server", KIND_TEXT, TKC_OPT_SERVER, AT(server), "ADDRESS",
	"unix:PATH, http://host:port or https://host:port"},
    {"oa-root", KIND_TEXT, TKC_OPT_SERVER, AT(oa_root), "FILE",
	"public key (PEM) that every unit's chain must lead to"},
    {"instance", KIND_TEXT, TKC_OPT_SERVER, AT(instance), "ID",
	"service instance; default: the only one of the server"},
    {"token-file", KIND_TEXT, TKC_OPT_SERVER, AT(token_file), "FILE",
	"file (0600) whose line is sent as Authorization"},
    {"files", KIND_TEXT, TKC_OPT_FILES, AT(files), "DIR",
	"directory of key files and selection; default: the\n"
	"environment variable CLOUDTKEFILES; made 0700 if absent"},
    {"password-file", KIND_PASSWORD, TKC_OPT_PASSWORD, 0, "[NAME=]FILE",
	"file (0600) with the password of key NAME, or of all;\n"
	"may be repeated; default: ask at the terminal"},
    {"json", KIND_FLAG, TKC_OPT_JSON, AT(json), NULL, "print JSON"},
    {"yes", KIND_FLAG, TKC_OPT_YES, AT(yes), NULL,
	"do not ask for confirmation"},
    {"name", KIND_TEXT, TKC_OPT_NAME, AT(name), "NAME",
	"name of the administrator, at most 30 characters"},
    {"type", KIND_TEXT, TKC_OPT_TYPE, AT(type), "TYPE",
	"p521 (default) or rsa2048"},
    {"random", KIND_FLAG, TKC_OPT_VALUE, AT(random), NULL, "a random value"},
    {"value", KIND_TEXT, TKC_OPT_VALUE, AT(value), "FILE",
	"file (0600) with the value as 64 hexadecimal digits;\n"
	"- asks at the terminal"},
    {"description", KIND_TEXT, TKC_OPT_VALUE, AT(description), "TEXT",
	"name of the part in lists; at most 64 characters"},
    {"signature", KIND_TEXT, TKC_OPT_THRESHOLDS, AT(signature), "N",
	"new signature threshold, 1 to 8"},
    {"revocation", KIND_TEXT, TKC_OPT_THRESHOLDS, AT(revocation), "N",
	"new revocation signature threshold, 1 to 8"},
    {"sign", KIND_SIGN, TKC_OPT_SIGN, 0, "KEY",
	"sign with exactly this key (repeatable), installed or\n"
	"not, instead of the selected ones; none: no signature"},
    {"transcript", KIND_TEXT, TKC_OPT_RUN, AT(transcript), "FILE",
	"where the record goes; default transcript.md; must not\n"
	"exist"},
    {"collected", KIND_TEXT, TKC_OPT_RUN, AT(collected), "DIR",
	"what hsa collect writes: each step's events are awaited\n"
	"and compared there"},
    {"checkpoint-keys", KIND_TEXT, TKC_OPT_RUN, AT(checkpoint_keys), "FILE",
	"checkpoint.pub: verify the collected logs at the end"},
    {"continue", KIND_FLAG, TKC_OPT_RUN, AT(keep_going), NULL,
	"go on after a deviation"},
    {"help", KIND_FLAG, 0, AT(help), NULL, "this help"},
    {"version", KIND_FLAG, 0, AT(version), NULL, "version of tke"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct tkc_verb *const tables[] = {tkc_verbs_select, tkc_verbs_key,
    tkc_verbs_look, tkc_verbs_change, tkc_verbs_ceremony};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct tkc_verb *
tkc_verb_find(const char *name)
{
	const struct tkc_verb *v = NULL;
	size_t i;

	for (i = 0; i < TABLES; i++)
		for (v = tables[i]; v->name != NULL; v++)
			if (strcmp(v->name, name) == 0)
				return v;
	return NULL;
}

static const struct option_row *
row_of(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == n &&
		    strncmp(rows[i].name, name, n) == 0)
			return &rows[i];
	return NULL;
}

static hsa_rc
store(struct tkc_options *o, const struct option_row *r, const char *value,
    struct hsa_diag *diag)
{
	char *base = (char *)o;
	const char **text = NULL;

	switch (r->kind) {
	case KIND_FLAG:
		*(bool *)(void *)(base + r->offset) = true;
		return HSA_OK;
	case KIND_PASSWORD:
		return tkc_passwords_add(&o->passwords, value);
	case KIND_SIGN:
		if (o->signs >= TKC_SIGN_MAX)
			return hsa_fail(diag, HSA_RC(E_ARG), "too many --sign");
		o->sign[o->signs++] = value;
		return HSA_OK;
	case KIND_TEXT:
		break;
	}
	text = (const char **)(void *)(base + r->offset);
	if (*text != NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--%s is given twice", r->name);
	*text = value;
	return HSA_OK;
}

/* One word that begins with "--"; *argv stands on it and is moved on when the
 * value is the next word. */
static hsa_rc
parse_option(struct tkc_options *o, const struct tkc_verb *verb, char ***argv,
    struct hsa_diag *diag)
{
	const char *word = **argv + 2;
	const char *eq = strchr(word, '=');
	size_t n = eq == NULL ? strlen(word) : (size_t)(eq - word);
	const struct option_row *r = row_of(word, n);

	if (r == NULL || (r->group != 0 && (verb->options & r->group) == 0))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "no option --%.*s: see tke %s --help", (int)n, word,
		    verb->name);
	if (r->kind == KIND_FLAG) {
		if (eq != NULL)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--%s takes no value", r->name);
		return store(o, r, NULL, diag);
	}
	if (eq != NULL)
		return store(o, r, eq + 1, diag);
	if ((*argv)[1] == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG), "--%s needs a value: %s",
		    r->name, r->value);
	(*argv)++;
	return store(o, r, **argv, diag);
}

hsa_rc
tkc_options_before(struct tkc_options *o, char ***argv, struct hsa_diag *diag)
{
	static const struct tkc_verb any = {.name = "VERB",
	    .options = TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_PASSWORD |
		       TKC_OPT_JSON};
	hsa_rc rc = HSA_OK;

	for (; **argv != NULL && strncmp(**argv, "--", 2) == 0; (*argv)++)
		HSA_TRY(rc, parse_option(o, &any, argv, diag));
out:
	return rc;
}

hsa_rc
tkc_options_parse(struct tkc_options *o, const struct tkc_verb *verb,
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
			HSA_TRY(rc, parse_option(o, verb, &argv, diag));
		else if (!only_args && strcmp(*argv, "-h") == 0)
			o->help = true;
		else
			o->args[o->arg_count++] = *argv;
	}
	if (o->arg_count > verb->max_args)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" is one word too many: see tke %s --help",
		    o->args[verb->max_args], verb->name);
out:
	return rc;
}

void
tkc_options_free(struct tkc_options *o)
{
	if (o == NULL)
		return;
	tkc_passwords_free(&o->passwords);
	free(o->args);
	*o = (struct tkc_options){.args = NULL};
}

void
tkc_usage(void)
{
	const struct tkc_verb *v = NULL;
	size_t i;

	printf("tke %s: administer crypto units with signed commands\n\n"
	       "usage: tke [options] VERB [options]\n\n",
	    HSA_VERSION);
	for (i = 0; i < TABLES; i++)
		for (v = tables[i]; v->name != NULL; v++)
			printf("  %-22s %s\n", v->name, v->summary);
	printf("\nEvery verb has --help. Options that say where the units, key "
	       "files and\npasswords are may stand before the verb, too. "
	       "Exit status: 0 done; 1 refused by a "
	       "unit, units differ\nor a ceremony deviated; 2 wrong use; 3 a "
	       "unit cannot be reached or believed.\n");
}

static void
print_option(const struct option_row *r)
{
	char left[40];
	const char *line = r->help, *end = NULL;

	snprintf(left, sizeof(left), "--%s%s%s", r->name,
	    r->value == NULL ? "" : " ", r->value == NULL ? "" : r->value);
	while (line != NULL) {
		end = strchr(line, '\n');
		printf("  %-28s %.*s\n", line == r->help ? left : "",
		    end == NULL ? (int)strlen(line) : (int)(end - line), line);
		line = end == NULL ? NULL : end + 1;
	}
}

void
tkc_help(const struct tkc_verb *verb)
{
	size_t i;

	printf("usage: tke %s%s%s [options]\n\n%s.\n", verb->name,
	    verb->args[0] == '\0' ? "" : " ", verb->args, verb->summary);
	if (verb->detail[0] != '\0')
		printf("%s\n", verb->detail);
	printf("\noptions:\n");
	for (i = 0; i < ROWS; i++)
		if (rows[i].group == 0 || (rows[i].group & verb->options) != 0)
			print_option(&rows[i]);
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
