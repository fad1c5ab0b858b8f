#include "val_time.h"

#define NS 1000000000u

bool
val_time_read(struct hsa_time *t, const char *s)
{
	return hsa_time_read(t, s) && t->fraction <= 9;
}

bool
val_time_ns(uint64_t *ns, const struct hsa_time *t)
{
	if (t->seconds < 0 || (uint64_t)t->seconds >= UINT64_MAX / NS)
		return false;
	*ns = (uint64_t)t->seconds * NS + t->ns;
	return true;
}
