#include <stdlib.h>
#include <string.h>

#include "opt.h"

const struct opt_verb *
opt_next(const struct opt_program *p, const struct opt_verb *verb)
{
	return (const void *)((const char *)verb + p->verb_size);
}

const struct opt_verb *
opt_find(const struct opt_program *p, const char *name)
{
	const struct opt_verb *v = NULL;
	size_t i = 0;

	for (i = 0; i < p->table_count; i++)
		for (v = p->tables[i]; v->name != NULL; v = opt_next(p, v))
			if (strcmp(v->name, name) == 0)
				return v;
	return NULL;
}

static const struct opt_row *
row_of(const struct opt_program *p, const char *name, size_t n)
{
	const struct opt_row *r = NULL;

	for (r = p->rows; r < p->rows + p->row_count; r++)
		if (strlen(r->name) == n && strncmp(r->name, name, n) == 0)
			return r;
	return NULL;
}

static hsa_rc
store(const struct opt_program *p, struct opt_line *line,
    const struct opt_row *r, const char *value, struct hsa_diag *diag)
{
	void *at = (char *)line + r->offset;
	struct opt_list *list = at;
	const char **text = at;

	switch (r->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		return HSA_OK;
	case OPT_LIST:
		if (list->n == OPT_LIST_MAX)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--%s is given more than %d times", r->name,
			    OPT_LIST_MAX);
		list->v[list->n++] = value;
		return HSA_OK;
	case OPT_OWN:
		return p->take(line, r, value, diag);
	case OPT_TEXT:
		break;
	}
	if (*text != NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--%s is given twice", r->name);
	*text = value;
	return HSA_OK;
}

/* One word that begins with "--"; *argv stands on it and is moved on when the
 * value is the next word. */
static hsa_rc
option(const struct opt_program *p, struct opt_line *line,
    const struct opt_verb *verb, char ***argv, struct hsa_diag *diag)
{
	const char *word = **argv + 2;
	const char *eq = strchr(word, '=');
	size_t n = eq == NULL ? strlen(word) : (size_t)(eq - word);
	const struct opt_row *r = row_of(p, word, n);

	if (r == NULL || (r->group != 0 && (verb->options & r->group) == 0))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "no option --%.*s: see %s%s%s --help", (int)n, word,
		    p->name, verb->name[0] == '\0' ? "" : " ", verb->name);
	if (r->kind == OPT_FLAG && eq != NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--%s takes no value", r->name);
	if (r->kind == OPT_FLAG)
		return store(p, line, r, NULL, diag);
	if (eq != NULL)
		return store(p, line, r, eq + 1, diag);
	if ((*argv)[1] == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG), "--%s needs a value: %s",
		    r->name, r->value);
	(*argv)++;
	return store(p, line, r, **argv, diag);
}

hsa_rc
opt_before(const struct opt_program *p, struct opt_line *line, char ***argv,
    struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (; **argv != NULL && strncmp(**argv, "--", 2) == 0; (*argv)++)
		HSA_TRY(rc, option(p, line, &p->before, argv, diag));
out:
	return rc;
}

hsa_rc
opt_parse(const struct opt_program *p, struct opt_line *line,
    const struct opt_verb *verb, char **argv, struct hsa_diag *diag)
{
	size_t n = 0;
	bool only_args = false;
	hsa_rc rc = HSA_OK;

	while (argv[n] != NULL)
		n++;
	line->args = calloc(n + 1, sizeof(*line->args));
	if (line->args == NULL)
		return HSA_RC(E_NOMEM);
	for (; *argv != NULL; argv++) {
		if (!only_args && strcmp(*argv, "--") == 0)
			only_args = true;
		else if (!only_args && strncmp(*argv, "--", 2) == 0)
			HSA_TRY(rc, option(p, line, verb, &argv, diag));
		else if (!only_args && strcmp(*argv, "-h") == 0)
			line->help = true;
		else
			line->args[line->arg_count++] = *argv;
	}
	if ((line->help || line->version) && !p->counts_always)
		goto out;
	if (line->arg_count > verb->max_args)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" is one word too many: see %s %s --help",
		    line->args[verb->max_args], p->name, verb->name);
	else if (line->arg_count < verb->min_args)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "%s is missing: usage: %s %s %s", verb->args, p->name,
		    verb->name, verb->args);
out:
	return rc;
}

hsa_rc
opt_read(const struct opt_program *p, struct opt_line *line,
    const struct opt_verb **verb, char **argv, struct hsa_diag *diag)
{
	static char help[] = "--help"; /* may become an option's value */
	char *helped[] = {NULL, help, NULL}, *usage[] = {help, NULL};
	hsa_rc rc = HSA_OK;

	*verb = NULL;
	if (*argv != NULL && strcmp(*argv, "help") == 0 && argv[1] != NULL) {
		helped[0] = argv[1];
		argv = helped;
	} else if (*argv != NULL &&
		   (strcmp(*argv, "-h") == 0 || strcmp(*argv, "help") == 0)) {
		argv = usage;
	}
	HSA_TRY(rc, opt_before(p, line, &argv, diag));
	if (line->version || (line->help && *argv == NULL))
		goto out;
	if (*argv == NULL)
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "which verb? see %s --help", p->name);
	*verb = opt_find(p, *argv);
	if (*verb == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "no verb \"%s\": see %s --help", *argv, p->name);
	rc = opt_parse(p, line, *verb, argv + 1, diag);
out:
	return rc;
}

void
opt_line_free(struct opt_line *line)
{
	if (line == NULL)
		return;
	free(line->args);
	*line = (struct opt_line){.args = NULL};
}
