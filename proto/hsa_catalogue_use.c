#include <inttypes.h>

#include "hsa_buf.h"
#include "hsa_catalogue.h"

static const struct hsa_use_row rows[] = {
#define HSA_USE_RC(NAME, rv, status, text) {rv, "CKR_" #NAME, text, status},
#include "ep11_use_rc.def"
#undef HSA_USE_RC
};

const struct hsa_use_row *
hsa_ep11_use(uint64_t rv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

void
hsa_ep11_use_text(
    struct hsa_buf *b, const char *function, uint64_t rv, uint32_t reason)
{
	const struct hsa_use_row *r = hsa_ep11_use(rv);
	const struct hsa_reason_row *why = hsa_reason(reason);

	hsa_buf_printf(b, "%s: %s", function, r != NULL ? r->text : "refused");
	if (reason != 0 && why != NULL)
		hsa_buf_printf(b, ": %s", why->text);
	hsa_buf_u8(b, ' ');
	hsa_buf_printf(b, "(return value 0x%08" PRIx64, rv);
	if (r != NULL)
		hsa_buf_printf(b, " %s", r->name);
	if (reason != 0)
		hsa_buf_printf(b, ", reason code %" PRIu32, reason);
	hsa_buf_u8(b, ')');
}
