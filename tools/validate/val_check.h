/*
 * val_check.h - the checks by id, and where their findings go.
 */
#ifndef VAL_CHECK_H
#define VAL_CHECK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "val_json.h"

enum val_check {
#define VAL_CHECK(ID, ...) VAL_##ID,
#include "val_check.def"
#undef VAL_CHECK
	VAL_CHECKS
};

enum val_level {
	VAL_LEVEL_WARNING = 1,
	VAL_LEVEL_ERROR
};

struct val_check_row {
	const char *id; /* "E01" */
	enum val_level strict, lenient;
	const char *title, *why, *source;
};
const struct val_check_row *val_check_row(enum val_check c);
/* val_check_find(c, id) - false: no such check. */
bool val_check_find(enum val_check *c, const char *id);

struct val_finding {
	enum val_check check;
	enum val_level level;
	const char *path, *message; /* valid during the call */
	uint32_t at; /* bytes into the event's text, 0: the whole of it */
};

/*
 * Takes the findings of one event. Whoever makes one sets strict, off, take
 * and ctx; the rest is its own, zeroed before the first event, freed by
 * val_report_free.
 */
struct val_report {
	bool strict;
	bool off[VAL_CHECKS]; /* disabled */
	void (*take)(void *ctx, const struct val_finding *f);
	void *ctx;

	bool nomem; /* a finding could not be told */
	struct hsa_buf path, message;
};
void val_report_free(struct val_report *r);

/*
 * val_find(r, check, json, node, fmt, ...) - a finding at a node (NULL: at
 * path, or the whole event). val_find_at: at a path that has no node.
 * val_find_place: so many bytes into a text that has no tree.
 */
void val_find(struct val_report *r, enum val_check c, const struct val_json *j,
    const struct val_node *n, const char *fmt, ...) HSA_PRINTF(5, 6);
void val_find_at(struct val_report *r, enum val_check c, const char *path,
    const char *fmt, ...) HSA_PRINTF(4, 5);
void val_find_place(struct val_report *r, enum val_check c, uint32_t at,
    const char *fmt, ...) HSA_PRINTF(4, 5);

#endif
