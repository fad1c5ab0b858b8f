/*
 * opt.h - a command line of verbs and options: a program gives a table of
 * options, tables of verbs and which verb takes which; this reads the words,
 * answers --help and --version, and says what is wrong.
 */
#ifndef OPT_H
#define OPT_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

#define OPT_LIST_MAX 64

enum opt_kind {
	OPT_FLAG, /* bool at offset */
	OPT_TEXT, /* const char * at offset, once */
	OPT_LIST, /* struct opt_list at offset, repeatable */
	OPT_OWN   /* the program's own to take */
};

struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

/* What every program reads; the first member of its options, which begin
 * zeroed. Strings point into argv. */
struct opt_line {
	bool help, version;
	const char **args; /* what is no option; owned array */
	size_t arg_count;
};

struct opt_row {
	const char *name;
	enum opt_kind kind;
	unsigned int group; /* bit; 0: every verb takes it */
	size_t offset;      /* in the program's options */
	const char *value;  /* name of the value in the help */
	const char *help;   /* lines, the last without its newline */
};

/* The first member of a program's verbs, beside the function that runs it. */
struct opt_verb {
	const char *name;
	const char *args;     /* "KEYSTORE KEY" for the usage line */
	const char *summary;  /* one line */
	const char *detail;   /* for --help; "" or lines with their newlines */
	unsigned int options; /* bits: which groups it takes */
	size_t min_args, max_args;
};

struct opt_program {
	const char *name;
	const char *about;   /* what it is for */
	const char *usage;   /* usage line behind the name */
	const char *closing; /* end of the usage */
	const struct opt_row *rows;
	size_t row_count;
	/* one table per source file of verbs, of rows of verb_size bytes that
	 * begin with struct opt_verb, ended by a row without a name */
	const void *const *tables;
	size_t table_count, verb_size;
	/* stands for the verb while none is known: its name in messages, and
	 * the options that may come before */
	struct opt_verb before;
	/* take(line, row, value, diag) - an OPT_OWN; NULL without any */
	hsa_rc (*take)(struct opt_line *line, const struct opt_row *row,
	    const char *value, struct hsa_diag *diag);
	int verb_width, option_width; /* left columns of usage and help */
	bool parted;                  /* an empty line before each table */
	bool counts_always;           /* arguments, even beside --help */
};

/* opt_find(p, name) - the verb, or NULL. */
const struct opt_verb *opt_find(const struct opt_program *p, const char *name);

/*
 * opt_before(p, line, argv, diag) - options before the verb; moves *argv on to
 * the verb. One that the verb has no use for is ignored, so that one alias
 * serves every verb.
 * opt_parse(p, line, verb, argv, diag) - everything behind the verb, ended by
 * NULL; "--" ends the options. Options may have their value as the next word
 * or behind '='. line: the caller's to free, whatever is returned.
 * opt_read(p, line, verb, argv, diag) - both, and what is between; argv is
 * without the program's name. *verb is set as soon as it is known, and stays
 * NULL when --help or --version of the program is asked for. "help [VERB]" and
 * "-h" are other spellings of --help.
 * All: E_ARG with the fix.
 */
HSA_MUST_USE hsa_rc opt_before(const struct opt_program *p,
    struct opt_line *line, char ***argv, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc opt_parse(const struct opt_program *p,
    struct opt_line *line, const struct opt_verb *verb, char **argv,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc opt_read(const struct opt_program *p, struct opt_line *line,
    const struct opt_verb **verb, char **argv, struct hsa_diag *diag);
void opt_line_free(struct opt_line *line);

/* opt_answer(p, line, verb) - --help and --version, on stdout; whether it was
 * one of them. verb may be NULL for the help of all verbs. */
bool opt_answer(const struct opt_program *p, const struct opt_line *line,
    const struct opt_verb *verb);

/* opt_complain(p, verb, rc, diag) - why not, on stderr; verb may be NULL. */
void opt_complain(const struct opt_program *p, const struct opt_verb *verb,
    hsa_rc rc, const struct hsa_diag *diag);

/* opt_next(p, verb) - the row behind a verb in its table. */
const struct opt_verb *opt_next(
    const struct opt_program *p, const struct opt_verb *verb);

#endif
