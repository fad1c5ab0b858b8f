/*
 * val_out.h - findings on their way out: one struct of functions per format.
 * Formats stream; only JUnit, whose head has the sums, spools to a temporary
 * file.
 */
#ifndef VAL_OUT_H
#define VAL_OUT_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "hsa_err.h"
#include "val_check.h"

struct val_place { /* of an event or a finding in an input */
	const char *input;
	uint64_t index; /* of the event in it, from 0 */
	/* "event"; "before event": a record without one, "after event": what
	 * only the end of all shows */
	const char *noun;
	uint64_t line;      /* from 1; 0: no text file */
	uint64_t column;    /* of a finding, in characters from 1; 0: unknown */
	const char *action; /* "": the event has none */
};

struct val_sum {
	uint64_t events, errors, warnings;
	uint64_t known; /* findings that the baseline has */
};

struct val_out {
	const struct val_out_ops *ops;
	FILE *to;
	bool color;
	hsa_rc rc;            /* the first error of a write; set by ops */
	struct hsa_buf b;     /* of the format */
	struct hsa_buf aside; /* findings that come behind others */
	FILE *spool;
	bool more;         /* something came before */
	uint64_t findings; /* of the event at hand */
	uint64_t tests, failures;
};

struct val_out_ops {
	const char *name; /* of --format */
	void (*begin)(struct val_out *o);
	/* an event begins; after its findings, ends. So does what is none and
	 * has findings. */
	void (*event)(struct val_out *o, const struct val_place *p);
	void (*finding)(struct val_out *o, const struct val_place *p,
	    const struct val_finding *f);
	void (*event_end)(struct val_out *o, const struct val_place *p);
	void (*end)(struct val_out *o, const struct val_sum *s);
};

/* val_out_find(name) - NULL: no such format. val_out_free(o) - repeatable. */
const struct val_out_ops *val_out_find(const char *name);
void val_out_free(struct val_out *o);

extern const struct val_out_ops val_out_text, val_out_json, val_out_junit,
    val_out_sarif, val_out_tap;

/* ---- for the formats ----------------------------------------------------- */

/*
 * val_out_line(b, s) - append what an event or a file's name says, as one line
 * that no terminal, line reader or XML parser takes for more: control
 * characters and the like as \u001b, bytes that are no UTF-8 as U+FFFD.
 */
void val_out_line(struct hsa_buf *b, const char *s);

/* val_out_put(o) - write o->b to o->to and empty it.
 * val_level_text(l) - "error", "warning". */
void val_out_put(struct val_out *o);
const char *val_level_text(enum val_level l);

#endif
