/*
 * cmd.h - the verbs of hsa and what they share. A verb gets argv from its own
 * name on and returns the exit code.
 */
#ifndef CMD_H
#define CMD_H
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

struct hsa_buf;

enum cmd_exit {
	CMD_OK = 0,
	CMD_FOUND = 1, /* damage, findings */
	CMD_USAGE = 2  /* wrong usage, or something cannot be read */
};

struct cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* one line */
	const char *help;    /* usage, options, exit codes */
};

extern const struct cmd cmd_verify, cmd_prove, cmd_collect, cmd_tail,
    cmd_export, cmd_stats, cmd_catalogue, cmd_validate, cmd_schema, cmd_corpus,
    cmd_explain;

/* cmd_help(c) - to stdout; CMD_OK. */
int cmd_help(const struct cmd *c);
/* cmd_usage(c, fmt, ...) - "hsa NAME: ..." and where the help is, to stderr;
 * CMD_USAGE. cmd_error: the same without the hint, for what is no misuse. */
int cmd_usage(const struct cmd *c, const char *fmt, ...) HSA_PRINTF(2, 3);
int cmd_error(const struct cmd *c, const char *fmt, ...) HSA_PRINTF(2, 3);
/* cmd_bad_option(c, argv) - after getopt_long returned ? or :. */
int cmd_bad_option(const struct cmd *c, char **argv);

/* cmd_print(c, b) - write b to stdout and empty it; false, with a message,
 * when that fails (full disk; a closed pipe is quiet). */
bool cmd_print(const struct cmd *c, struct hsa_buf *b);
/* cmd_flush(c, code) - everything is out: code; else CMD_USAGE. */
int cmd_flush(const struct cmd *c, int code);

#endif
