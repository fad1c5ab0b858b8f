/*
 * val_units.h - which crypto units every command of an input went to, as far
 * as who runs the pipeline knows: their number, or their names. An event does
 * not say it.
 */
#ifndef VAL_UNITS_H
#define VAL_UNITS_H
#include <stddef.h>
#include "hsa_err.h"

#define VAL_UNITS 64           /* at most */
#define VAL_UNIT_NAME_MAX 1024 /* bytes of a name */

/* Zeroed: nobody says. */
struct val_units {
	size_t n;
	char *name[VAL_UNITS]; /* owned; all NULL: only the number is known */
};

/*
 * val_units_load(u, arg, diag) - a number from 1 to VAL_UNITS, or the path of a
 * file with a name in each line: the location (target.name) or the CRN
 * (target.id) of a unit, or its id, the end of that; empty lines and those
 * that begin with # are none. E_ARG, E_IO, E_NOT_FOUND, E_RANGE with diag.
 * val_units_parse(u, text, n, diag) - of the file's text.
 */
HSA_MUST_USE hsa_rc val_units_load(
    struct val_units *u, const char *arg, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_units_parse(
    struct val_units *u, const char *text, size_t n, struct hsa_diag *diag);
void val_units_free(struct val_units *u);

/* val_units_find(u, id, name) - the number of the unit with this target.id and
 * target.name ("" where there is none), or u->n. */
size_t val_units_find(
    const struct val_units *u, const char *id, const char *name);

#endif
