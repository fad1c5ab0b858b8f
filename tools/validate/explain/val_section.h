/*
 * val_section.h - where the document speaks of an action: its tables, and the
 * headings of val_section.def.
 */
#ifndef VAL_SECTION_H
#define VAL_SECTION_H
#include <stddef.h>
#include "hsa_catalogue.h"

struct val_family {
	const char *name;           /* hsa_action_row.family */
	unsigned int table;         /* that lists its actions */
	const char *title;          /* of that table */
	unsigned int success_table; /* with the triple of a success, or 0 */
	const char *section;        /* about all of them, or NULL */
};
/* val_family(row) - never NULL for a row of the catalogue. */
const struct val_family *val_family(const struct hsa_action_row *row);

/* val_section_next(row, at) - the next heading; *at starts at 0; NULL: no
 * more. */
const char *val_section_next(const struct hsa_action_row *row, size_t *at);

#endif
