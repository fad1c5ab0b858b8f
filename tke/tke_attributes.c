/* Domain attributes, ep11-tke-wire 10. */
#include "hsa_cur.h"
#include "tke_wire.h"

#define FIRST TKE_ATTR_SIGNATURE_THRESHOLD
#define LAST_SET TKE_ATTR_OPERATIONAL_MODE
#define LAST TKE_ATTR_STANDARDS

static uint32_t *
member(struct tke_attributes *a, uint32_t index)
{
	switch (index) {
	case TKE_ATTR_SIGNATURE_THRESHOLD:
		return &a->signature_threshold;
	case TKE_ATTR_REVOCATION_THRESHOLD:
		return &a->revocation_threshold;
	case TKE_ATTR_PERMISSIONS:
		return &a->permissions;
	case TKE_ATTR_OPERATIONAL_MODE:
		return &a->operational_mode;
	case TKE_ATTR_STANDARDS:
		return &a->standards;
	default:
		return NULL;
	}
}

static void
encode(struct hsa_buf *b, const struct tke_attributes *a, uint32_t last)
{
	struct tke_attributes copy = *a;

	for (uint32_t i = FIRST; i <= last; i++) {
		hsa_buf_be32(b, i);
		hsa_buf_be32(b, *member(&copy, i));
	}
}

void
tke_attributes_encode_all(struct hsa_buf *b, const struct tke_attributes *a)
{
	encode(b, a, LAST);
}

void
tke_attributes_encode_set(struct hsa_buf *b, const struct tke_attributes *a)
{
	encode(b, a, LAST_SET);
}

hsa_rc
tke_attributes_decode(struct tke_attributes *a, uint32_t *present,
    const void *p, size_t n, bool tolerant)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	struct tke_attributes to = *a;
	uint32_t seen = 0, index = 0, value = 0, *m = NULL;
	hsa_rc rc = HSA_OK;

	if (n % 8 != 0)
		return HSA_RC(E_FORMAT);
	while (hsa_cur_left(&c) != 0) {
		HSA_TRY(rc, hsa_cur_be32(&c, &index));
		HSA_TRY(rc, hsa_cur_be32(&c, &value));
		m = member(&to, index);
		if (m == NULL && !tolerant)
			return HSA_RC(E_NOT_FOUND);
		if (m == NULL)
			continue;
		if ((seen & 1u << index) != 0)
			return HSA_RC(E_EXISTS);
		seen |= 1u << index;
		*m = value;
	}
	*a = to;
	*present = seen;
out:
	return rc;
}
