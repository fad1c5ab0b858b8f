/* opt.h: what the reader of a command line prints. */
#include <stdio.h>
#include <string.h>

#include "opt.h"

static void
print_usage(const struct opt_program *p)
{
	const struct opt_verb *v = NULL;
	size_t i = 0;

	printf("%s %s: %s\n\nusage: %s %s\n", p->name, HSA_VERSION, p->about,
	    p->name, p->usage);
	for (i = 0; i < p->table_count; i++) {
		if (p->parted || i == 0)
			printf("\n");
		for (v = p->tables[i]; v->name != NULL; v = opt_next(p, v))
			printf(
			    "  %-*s %s\n", p->verb_width, v->name, v->summary);
	}
	printf("\nEvery verb has --help. %s\n", p->closing);
}

static void
print_option(const struct opt_program *p, const struct opt_row *r)
{
	char left[40] = "";
	const char *line = r->help, *end = NULL;

	(void)snprintf(left, sizeof(left), "--%s%s%s", r->name,
	    r->value == NULL ? "" : " ", r->value == NULL ? "" : r->value);
	while (line != NULL) {
		end = strchr(line, '\n');
		printf("  %-*s %.*s\n", p->option_width,
		    line == r->help ? left : "",
		    end == NULL ? (int)strlen(line) : (int)(end - line), line);
		line = end == NULL ? NULL : end + 1;
	}
}

static void
print_help(const struct opt_program *p, const struct opt_verb *verb)
{
	const struct opt_row *r = NULL;

	printf("usage: %s %s%s%s [options]\n\n%s.\n", p->name, verb->name,
	    verb->args[0] == '\0' ? "" : " ", verb->args, verb->summary);
	if (verb->detail[0] != '\0')
		printf("%s\n", verb->detail);
	printf("\noptions:\n");
	for (r = p->rows; r < p->rows + p->row_count; r++)
		if (r->group == 0 || (r->group & verb->options) != 0)
			print_option(p, r);
}

bool
opt_answer(const struct opt_program *p, const struct opt_line *line,
    const struct opt_verb *verb)
{
	if (line->version)
		printf("%s %s\n", p->name, HSA_VERSION);
	else if (line->help && verb == NULL)
		print_usage(p);
	else if (line->help)
		print_help(p, verb);
	return line->version || line->help;
}

void
opt_complain(const struct opt_program *p, const struct opt_verb *verb,
    hsa_rc rc, const struct hsa_diag *diag)
{
	fprintf(stderr, "%s%s%s: %s\n", p->name, verb == NULL ? "" : " ",
	    verb == NULL ? "" : verb->name,
	    diag->text[0] != '\0' ? diag->text : hsa_err_text(rc));
}
