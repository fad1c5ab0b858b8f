/* What Set Domain Attributes may change: ep11-tke-wire 10.2, 12, 14.1. */
#include "cu_core.h"

#define LOW_KNOWN                                                              \
	(TKE_PERM_IMPORT | TKE_PERM_EXPORT | TKE_PERM_ONE_PART |               \
	    TKE_PERM_RANDOM | TKE_PERM_THRESHOLD_ONE | TKE_PERM_CP_ONE |       \
	    TKE_PERM_ZEROIZE_ONE | TKE_PERM_DO_NOT_DISTURB)
#define CHANGE_KNOWN                                                           \
	(TKE_PERM_CHANGE_IMPORT | TKE_PERM_CHANGE_EXPORT |                     \
	    TKE_PERM_CHANGE_ONE_PART | TKE_PERM_CHANGE_RANDOM |                \
	    TKE_PERM_CHANGE_SIGNATURE | TKE_PERM_CHANGE_REVOCATION |           \
	    TKE_PERM_CHANGE_THRESHOLD_ONE | TKE_PERM_CHANGE_CP_ONE |           \
	    TKE_PERM_CHANGE_ZEROIZE_ONE | TKE_PERM_CHANGE_DO_NOT_DISTURB)

/* A permission and the bit that must be set for it to change. */
static const struct {
	uint32_t permission, change;
} guards[] = {
    {TKE_PERM_IMPORT, TKE_PERM_CHANGE_IMPORT},
    {TKE_PERM_EXPORT, TKE_PERM_CHANGE_EXPORT},
    {TKE_PERM_ONE_PART, TKE_PERM_CHANGE_ONE_PART},
    {TKE_PERM_RANDOM, TKE_PERM_CHANGE_RANDOM},
    {TKE_PERM_THRESHOLD_ONE, TKE_PERM_CHANGE_THRESHOLD_ONE},
    {TKE_PERM_CP_ONE, TKE_PERM_CHANGE_CP_ONE},
    {TKE_PERM_ZEROIZE_ONE, TKE_PERM_CHANGE_ZEROIZE_ONE},
    {TKE_PERM_DO_NOT_DISTURB, TKE_PERM_CHANGE_DO_NOT_DISTURB},
};

static uint32_t
permissions_check(uint32_t was, uint32_t is)
{
	uint32_t changed = was ^ is;
	size_t i = 0;

	if ((changed & ~(LOW_KNOWN | CHANGE_KNOWN)) != 0)
		return HSA_REASON_ATTR_PROTECTED;
	if ((changed & is & CHANGE_KNOWN) != 0)
		return HSA_REASON_CHANGE_BIT_SET;
	for (i = 0; i < sizeof(guards) / sizeof(guards[0]); i++)
		if ((changed & guards[i].permission) != 0 &&
		    (was & guards[i].change) == 0)
			return HSA_REASON_ATTR_PROTECTED;
	return 0;
}

static uint32_t
thresholds_check(const struct tke_attributes *was,
    const struct tke_attributes *is, size_t admins)
{
	uint32_t s = is->signature_threshold, r = is->revocation_threshold;

	if (s != was->signature_threshold &&
	    (was->permissions & TKE_PERM_CHANGE_SIGNATURE) == 0)
		return HSA_REASON_THRESHOLD_PROTECTED;
	if (r != was->revocation_threshold &&
	    (was->permissions & TKE_PERM_CHANGE_REVOCATION) == 0)
		return HSA_REASON_THRESHOLD_PROTECTED;
	if (s == 0 && was->signature_threshold != 0)
		return HSA_REASON_SIGNATURE_ZERO;
	if (r == 0 && was->revocation_threshold != 0)
		return HSA_REASON_REVOCATION_BACK_ZERO;
	if (s != 0 && r == 0)
		return HSA_REASON_REVOCATION_ZERO;
	if (s > admins)
		return HSA_REASON_SIGNATURE_ABOVE;
	if (r > admins)
		return HSA_REASON_REVOCATION_ABOVE;
	if ((is->permissions & TKE_PERM_THRESHOLD_ONE) != 0)
		return 0;
	if ((s == 1 && was->signature_threshold == 1) ||
	    (r == 1 && was->revocation_threshold == 1))
		return HSA_REASON_ONE_IN_USE;
	if (s == 1)
		return HSA_REASON_SIGNATURE_ONE;
	if (r == 1)
		return HSA_REASON_REVOCATION_ONE;
	return 0;
}

uint32_t
cu_attributes_check(uint32_t *reason, const struct tke_attributes *was,
    const struct tke_attributes *is, size_t admins)
{
	uint32_t why = permissions_check(was->permissions, is->permissions);

	/* mode and compliance are read-only in a domain (10.1) */
	if (why == 0 && (is->operational_mode != was->operational_mode ||
			    is->standards != was->standards))
		why = HSA_REASON_ATTR_PROTECTED;
	if (why == 0)
		why = thresholds_check(was, is, admins);
	if (why == 0)
		return HSA_EP11_OK;
	*reason = why;
	return HSA_EP11_TEMPLATE_INCONSISTENT;
}
