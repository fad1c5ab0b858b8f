/*
 * sink_cursor.h - how far a sink has come with each unit, in a small file of
 * the collector's folder: DIR/sinks/<start of a hash of its name>. Replaced as
 * a whole (new file, fsync, rename, fsync of the folder), so that a reader
 * finds the old one or the new one.
 *
 * Lines:
 *   hsa-sink-cursor 1
 *   sink <name>
 *   file <device> <inode>                 the file of lines; absent: none
 *   unit <id> <next> <skip from> <skip to>     id: of a later log, <id>.<n>
 *   pending <id> <at>                     a batch of it is being written
 *   end
 */
#ifndef SINK_CURSOR_H
#define SINK_CURSOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "sink.h"

#define SINK_CURSOR_MAX (1024u * 1024u) /* bytes of the file */

struct sink_place {
	char unit[SINK_UNIT_TEXT];
	uint64_t next; /* first sequence that the sink does not have */
	/* bytes of the file of lines that may hold what comes next */
	uint64_t skip_from, skip_to;
};

struct sink_cursor {
	char *name; /* of the sink: its address without parameters */
	char *path;
	int folder; /* DIR/sinks; -1: none */
	struct sink_place *place;
	size_t len;
	bool has_file, has_pending;
	uint64_t device, inode;
	char pending[SINK_UNIT_TEXT];
	uint64_t pending_at; /* size of the file of lines before it */
};

/*
 * sink_cursor_load(c, dir, name, diag) - what is there, or an empty one. The
 * folder is made. E_CORRUPT: the file is damaged; diag says what to do.
 */
HSA_MUST_USE hsa_rc sink_cursor_load(struct sink_cursor *c, const char *dir,
    const char *name, struct hsa_diag *diag);
/* sink_cursor_save(c, diag) - E_IO. */
HSA_MUST_USE hsa_rc sink_cursor_save(
    const struct sink_cursor *c, struct hsa_diag *diag);
void sink_cursor_free(struct sink_cursor *c);

/* sink_cursor_of(c, unit) - its place, made with next 0; NULL: no memory.
 * Valid until the next call. */
struct sink_place *sink_cursor_of(struct sink_cursor *c, const char *unit);

/*
 * sink_cursor_parse(c, text, n) - the file's text into c, whose name must be
 * set and is compared. E_FORMAT. sink_cursor_print: the other way, and what
 * parses prints to the same bytes.
 */
struct hsa_buf;
HSA_MUST_USE hsa_rc sink_cursor_parse(
    struct sink_cursor *c, const char *text, size_t n);
void sink_cursor_print(struct hsa_buf *b, const struct sink_cursor *c);

#endif
