/*
 * val_case.h - the cases of the corpus that are not simply an action and a
 * status: good events with something particular about them, and broken ones,
 * each with what is wrong and how to mend it. Each begins as a sample
 * (val_sample.h) and is edited.
 */
#ifndef VAL_CASE_H
#define VAL_CASE_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_catalogue.h"
#include "val_check.h"
#include "val_edit.h"
#include "val_event.h"

/* What a case begins as. */
enum val_base {
	VAL_BASE_EVENT = 1, /* the event of an action and a status */
	VAL_BASE_RECORD,    /* the same in its record (--format envelope) */
	VAL_BASE_CADF,      /* the same as CADF; of Trusted Key Entry, 200 */
	VAL_BASE_STORY,     /* val_story.h: its events, edited by number */
	VAL_BASE_LOG,       /* their records, and others between them */
	VAL_BASE_KEY        /* val_story.h: the life of a key */
};

struct val_case {
	/* of a broken one: what finds it; of a good one: VAL_CHECKS */
	enum val_check check;
	enum val_profile profile;
	bool lenient;
	enum val_base base;
	unsigned int units;     /* of --units; 0: not said */
	enum hsa_action action; /* of one event; else 0, 0 */
	uint32_t status;
	const char *tag; /* in the file's name, "" or unique in the table */
	struct val_edit edit[VAL_EDITS];
	const char *what; /* what is particular or wrong */
	/* broken: how to mend it; good: what of the document shows it */
	const char *then;
	/* broken: the path of the finding, NULL: that of the first edit; good:
	 * ids of the warnings, NULL: none */
	const char *told;
};

/* val_case_good(n), val_case_broken(n) - the tables; val_case_across(n) - of
 * broken ones where no event is wrong by itself. */
const struct val_case *val_case_good(size_t *n);
const struct val_case *val_case_broken(size_t *n);
const struct val_case *val_case_across(size_t *n);

#endif
