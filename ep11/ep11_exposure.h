/*
 * ep11_exposure.h - ep11_exposure.def as an enum: what a caller of
 * ep11_key_value must name, so that no value leaves the token without its row.
 */
#ifndef EP11_EXPOSURE_H
#define EP11_EXPOSURE_H
#include <stdbool.h>
#include <stddef.h>

enum ep11_exposure {
#define EP11_EXPOSURE(name, value, what, why, instead) EP11_EXPOSURE_##name,
#include "ep11_exposure.def"
#undef EP11_EXPOSURE
	EP11_EXPOSURE_END
};

struct ep11_exposure_row {
	const char *name;
	bool value; /* a key's value passes through locked memory */
	const char *what, *why, *instead;
};

/* Rows in the order of the enum. */
const struct ep11_exposure_row *ep11_exposure_rows(size_t *n);

#endif
