#include <inttypes.h>

#include "hsa_buf.h"
#include "hsa_catalogue.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct hsa_ep11_row returns[] = {
#define HSA_EP11(NAME, rc, status, text) {rc, #NAME, text, status},
#include "ep11_rc.def"
#undef HSA_EP11
};

static const struct hsa_reason_row reasons[] = {
#define HSA_REASON(NAME, reason, text) {reason, #NAME, text},
#include "ep11_reason.def"
#undef HSA_REASON
};

const struct hsa_ep11_row *
hsa_ep11(uint32_t rc)
{
	for (size_t i = 0; i < LEN(returns); i++)
		if (returns[i].rc == rc)
			return &returns[i];
	return NULL;
}

const struct hsa_reason_row *
hsa_reason(uint32_t reason)
{
	for (size_t i = 0; i < LEN(reasons); i++)
		if (reasons[i].reason == reason)
			return &reasons[i];
	return NULL;
}

void
hsa_ep11_text(struct hsa_buf *b, uint32_t rc, uint32_t reason)
{
	const struct hsa_ep11_row *r = hsa_ep11(rc);
	const struct hsa_reason_row *why = hsa_reason(reason);

	hsa_buf_str(b, r != NULL ? r->text : "refused");
	if (reason != 0 && why != NULL)
		hsa_buf_printf(b, ": %s", why->text);
	hsa_buf_printf(b, " (return code %" PRIu32, rc);
	if (r != NULL)
		hsa_buf_printf(b, " %s", r->name);
	if (reason != 0)
		hsa_buf_printf(b, ", reason code %" PRIu32, reason);
	hsa_buf_u8(b, ')');
}
