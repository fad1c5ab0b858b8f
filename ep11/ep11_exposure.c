#include "ep11_exposure.h"

static const struct ep11_exposure_row rows[] = {
#define EP11_EXPOSURE(name, value, what, why, instead)                         \
	{#name, (value) != 0, what, why, instead},
#include "ep11_exposure.def"
#undef EP11_EXPOSURE
};

const struct ep11_exposure_row *
ep11_exposure_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
