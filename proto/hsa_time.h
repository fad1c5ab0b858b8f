/*
 * hsa_time.h - a point in time as text: RFC 3339, and with an offset without
 * its colon, as the service writes it.
 */
#ifndef HSA_TIME_H
#define HSA_TIME_H
#include <stdbool.h>
#include <stdint.h>

struct hsa_time {
	int64_t seconds; /* since 1970, UTC; those of a leap second twice */
	uint32_t ns;
	unsigned int fraction; /* digits behind the point; 0: no point */
	const char *offset;    /* "Z", "+0000", "-01:30": in the text */
};

/* hsa_time_read(t, s) - false: s is none, or of a day that does not exist. Any
 * number of digits behind the point, of which nine count. */
bool hsa_time_read(struct hsa_time *t, const char *s);

#endif
