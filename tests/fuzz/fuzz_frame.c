/* Covers: hsa_frame_decode hsa_frame_encode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* The input is one side of a connection: frame behind frame. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf again = {0};
	struct hsa_frame f = {0};
	size_t used = 0;

	while (hsa_is_ok(hsa_frame_decode(&f, &used, data, size))) {
		must(used != 0 && used <= size);
		hsa_buf_reset(&again);
		must(hsa_is_ok(hsa_frame_encode(&again, &f)));
		must(again.len == used && memcmp(again.p, data, used) == 0);
		hsa_frame_free(&f);
		data += used;
		size -= used;
	}
	must(f.record == NULL && f.text == NULL && f.held == NULL);
	hsa_buf_free(&again);
	return 0;
}
