/*
 * val_time.h - a point in time as text: RFC 3339, and with an offset without
 * its colon, as the service writes it.
 */
#ifndef VAL_TIME_H
#define VAL_TIME_H
#include <stdbool.h>
#include <stdint.h>

struct val_time {
	int64_t seconds; /* since 1970, UTC; those of a leap second twice */
	uint32_t ns;
	unsigned int fraction; /* digits behind the point; 0: no point */
	const char *offset;    /* "Z", "+0000", "-01:30": in the text */
};

/* val_time_read(t, s) - false: s is none, or of a day that does not exist. At
 * most nine digits behind the point. */
bool val_time_read(struct val_time *t, const char *s);
/* val_time_ns(ns, t) - since 1970; false: before, or after 2554. */
bool val_time_ns(uint64_t *ns, const struct val_time *t);

#endif
