#include <string.h>

#include "crn.h"

struct hsa_slice
crn_part(const char *crn, enum crn_part part)
{
	const char *at = crn;
	size_t n;

	if (crn == NULL || strncmp(crn, "crn:", 4) != 0)
		return (struct hsa_slice){NULL, 0};
	for (unsigned int i = 0; i < part; i++) {
		at += strcspn(at, ":");
		if (*at == '\0')
			return (struct hsa_slice){NULL, 0};
		at++;
	}
	n = part == CRN_RESOURCE ? strlen(at) : strcspn(at, ":");
	return (struct hsa_slice){(const uint8_t *)at, n};
}

struct hsa_slice
crn_account(const char *crn)
{
	struct hsa_slice s = crn_part(crn, CRN_SCOPE);

	if (s.n < 2 || memcmp(s.p, "a/", 2) != 0)
		return (struct hsa_slice){NULL, 0};
	return (struct hsa_slice){s.p + 2, s.n - 2};
}

struct hsa_slice
crn_region(const char *crn)
{
	struct hsa_slice s = crn_part(crn, CRN_LOCATION);
	size_t n = s.n;

	while (n > 0 && s.p[n - 1] >= '0' && s.p[n - 1] <= '9')
		n--;
	if (n > 0 && n < s.n && s.p[n - 1] == '-')
		s.n = n - 1;
	return s;
}
