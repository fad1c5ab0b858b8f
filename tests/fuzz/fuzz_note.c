/* Covers: vfy_note_parse vfy_key_parse vfy_keys_parse vfy_origin_unit */
#include <stdlib.h>
#include <string.h>

#include "vfy_note.h"
#include "vfy_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a parser takes has one spelling, so nothing of it is free. */
static void
parse_note(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	struct vfy_note n;
	uint8_t id[HSA_UUID_LEN];
	hsa_rc rc = vfy_note_parse(&n, data, size, &diag);

	if (!hsa_is_ok(rc)) {
		if (diag.text[0] == '\0')
			abort(); /* a refusal says why */
		return;
	}
	if (n.text != data || n.text_len >= size || data[n.text_len] != '\n' ||
	    data[n.text_len - 1] != '\n' || !vfy_utf8(data, size) ||
	    strlen(n.origin) == 0)
		abort();
	(void)!hsa_is_ok(vfy_origin_unit(id, n.origin));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	struct vfy_keys k = {0};

	parse_note(data, size);
	if (hsa_is_ok(vfy_keys_parse(&k, (const char *)data, size, &diag)) &&
	    (k.len == 0 || vfy_keys_find(&k, k.key[0].origin) != &k.key[0]))
		abort();
	vfy_keys_free(&k);
	return 0;
}
