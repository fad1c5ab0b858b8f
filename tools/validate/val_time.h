/* val_time.h - a point in time as an event may have it. */
#ifndef VAL_TIME_H
#define VAL_TIME_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_time.h"

/* val_time_read(t, s) - as hsa_time_read, with at most nine digits behind the
 * point. */
bool val_time_read(struct hsa_time *t, const char *s);
/* val_time_ns(ns, t) - since 1970; false: before, or after 2554. */
bool val_time_ns(uint64_t *ns, const struct hsa_time *t);

#endif
