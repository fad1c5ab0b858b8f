#include <string.h>

#include "tkc_compare.h"

static bool
same_admins(const struct tkc_state *a, const struct tkc_state *b)
{
	size_t i;

	if (a->admins != b->admins)
		return false;
	for (i = 0; i < a->admins; i++)
		if (!tkc_state_has_admin(b, a->admin[i]) ||
		    !tkc_state_has_admin(a, b->admin[i]))
			return false;
	return true;
}

static bool
same_new(const struct tke_domain_info *a, const struct tke_domain_info *b)
{
	const uint32_t mask = TKE_DOMINFO_PENDING | TKE_DOMINFO_COMMITTED;

	return (a->flags & mask) == (b->flags & mask) &&
	       memcmp(a->pending, b->pending, sizeof(a->pending)) == 0;
}

static bool
same_current(const struct tke_domain_info *a, const struct tke_domain_info *b)
{
	return (a->flags & TKE_DOMINFO_CURRENT) ==
		   (b->flags & TKE_DOMINFO_CURRENT) &&
	       memcmp(a->current, b->current, sizeof(a->current)) == 0;
}

bool
tkc_compare(bool same[TKC_ASPECTS], const struct tkc_state *s, size_t n)
{
	bool all = true;
	size_t i;

	for (i = 0; i < TKC_ASPECTS; i++)
		same[i] = true;
	for (i = 1; i < n; i++) {
		const struct tke_attributes *a = &s[0].attributes;
		const struct tke_attributes *b = &s[i].attributes;

		if (a->signature_threshold != b->signature_threshold)
			same[TKC_SAME_SIGNATURE_THRESHOLD] = false;
		if (a->revocation_threshold != b->revocation_threshold)
			same[TKC_SAME_REVOCATION_THRESHOLD] = false;
		if (a->permissions != b->permissions)
			same[TKC_SAME_PERMISSIONS] = false;
		if (!same_admins(&s[0], &s[i]))
			same[TKC_SAME_ADMINS] = false;
		if (!same_new(&s[0].info, &s[i].info))
			same[TKC_SAME_NEW_REGISTER] = false;
		if (!same_current(&s[0].info, &s[i].info))
			same[TKC_SAME_CURRENT_REGISTER] = false;
	}
	for (i = 0; i < TKC_ASPECTS; i++)
		all = all && same[i];
	return all;
}

const char *
tkc_aspect_name(enum tkc_aspect a)
{
	static const char *const names[TKC_ASPECTS] = {
	    [TKC_SAME_SIGNATURE_THRESHOLD] = "signature thresholds",
	    [TKC_SAME_REVOCATION_THRESHOLD] = "revocation thresholds",
	    [TKC_SAME_PERMISSIONS] = "permissions",
	    [TKC_SAME_ADMINS] = "administrators",
	    [TKC_SAME_NEW_REGISTER] = "new master key registers",
	    [TKC_SAME_CURRENT_REGISTER] = "current master key registers",
	};

	return names[a];
}
