/*
 * export_out.h - where a long output goes, piece by piece: standard output, or
 * a file that is there with everything or not at all.
 */
#ifndef EXPORT_OUT_H
#define EXPORT_OUT_H
#include <stdbool.h>
#include "cmd.h"

struct export_out {
	const struct cmd *cmd;
	const char *path; /* NULL: standard output */
	char *beside;     /* what is written until it is whole */
	int fd;
};

/* export_out_open(o, c, path) - path NULL: standard output. false, with a
 * message. */
bool export_out_open(
    struct export_out *o, const struct cmd *c, const char *path);
/* export_out_put(o, b) - write b and empty it; false, with a message. */
bool export_out_put(struct export_out *o, struct hsa_buf *b);
/*
 * export_out_close(o, code) - the exit code. Standard output: flushed. A file:
 * on stable storage and then renamed over path when code is CMD_OK, else
 * removed, so that what was at path stays.
 */
int export_out_close(struct export_out *o, int code);

#endif
