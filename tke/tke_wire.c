#include <string.h>

#include "tke_der.h"
#include "tke_wire.h"

struct name {
	uint32_t id;
	const char *text;
};

static const struct name names[] = {
#define TKE_CMD(NAME, id, action, text) {(id), (text)},
#include "tke_cmd.def"
#undef TKE_CMD
#define TKE_QUERY(NAME, id, text) {(id), (text)},
#include "tke_query.def"
#undef TKE_QUERY
};

const char *
tke_command_text(uint32_t id)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].id == id)
			return names[i].text;
	return "unknown command";
}

hsa_rc
tke_payload_function(uint32_t *fn, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	uint32_t v = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &v));
	*fn = v;
out:
	return rc;
}

void
tke_counter_next(uint8_t c[TKE_COUNTER_LEN])
{
	for (size_t i = TKE_COUNTER_LEN; i > 0; i--)
		if (++c[i - 1] != 0)
			return;
}

int
tke_counter_compare(
    const uint8_t a[TKE_COUNTER_LEN], const uint8_t b[TKE_COUNTER_LEN])
{
	return memcmp(a, b, TKE_COUNTER_LEN);
}
