/* Covers: hsa_entry_decode hsa_entry_encode_header */
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

static void
encode(struct hsa_buf *b, const struct hsa_entry *e)
{
	switch (e->kind) {
	case HSA_ENTRY_HEADER:
		must(hsa_is_ok(hsa_entry_encode_header(b, e->origin,
		    e->first_sequence, (const uint8_t(*)[32])e->frontier,
		    e->frontier_len, e->source_last)));
		return;
	case HSA_ENTRY_RECORD:
		hsa_entry_encode_record(b, e->p, e->n);
		return;
	case HSA_ENTRY_CHECKPOINT:
		hsa_entry_encode_checkpoint(b, e->p, e->n);
		return;
	}
	abort();
}

/* The input is a segment: entry behind entry, until one does not decode. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hsa_entry e;
	struct hsa_buf again = {0};
	size_t used = 0;

	while (hsa_is_ok(hsa_entry_decode(&e, &used, data, size))) {
		must(used != 0 && used <= size);
		hsa_buf_reset(&again);
		encode(&again, &e);
		must(again.len == used && memcmp(again.p, data, used) == 0);
		data += used;
		size -= used;
	}
	hsa_buf_free(&again);
	return 0;
}
