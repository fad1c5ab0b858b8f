/*
 * tail_run.h - the records of all logs that were named, log by log, in a
 * format: what tail and export do.
 */
#ifndef TAIL_RUN_H
#define TAIL_RUN_H
#include <stdbool.h>
#include "cmd.h"
#include "record_filter.h"

struct render;
struct tail_log;

struct tail_job {
	const struct cmd *cmd;
	const struct render *format;
	struct record_filter filter;
	bool follow, colour;
	const char *output; /* a file; NULL: standard output */
	char **dirs;
	int dirs_len;
};

/* tail_run(j) - the exit code.
 * tail_damage(c, l, rc) - say where reading l ended with rc; the exit code. */
int tail_run(const struct tail_job *j);
int tail_damage(const struct cmd *c, const struct tail_log *l, hsa_rc rc);

#endif
