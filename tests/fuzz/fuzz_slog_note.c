/* Covers: slog_note_parse slog_note_prefix slog_segment_parse */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "slog_note.h"
#include "slog_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* What the note says, as the writer would put it. */
static hsa_rc
no_key(void *ctx, uint8_t sig[SLOG_SIG_LEN], const void *msg, size_t n)
{
	(void)msg;
	(void)n;
	memcpy(sig, ctx, SLOG_SIG_LEN);
	return HSA_OK;
}

static void
notes(const uint8_t *data, size_t size)
{
	static const uint8_t public_key[32] = {1};
	struct slog_note whole, prefix;
	struct hsa_buf b = {0};
	struct slog_key key;
	hsa_rc rc;

	must(hsa_is_ok(slog_key_init(&key, "log", public_key)));
	rc = slog_note_parse(&whole, &key, data, size);
	if (!hsa_is_ok(slog_note_prefix(&prefix, &key, data, size))) {
		must(!hsa_is_ok(rc));
		return;
	}
	/* one spelling: written again, it is what was read */
	must(prefix.used <= size && prefix.text == data);
	must(hsa_is_ok(slog_note_seal(
	    &b, &key, prefix.size, prefix.root, no_key, prefix.sig)));
	must(b.len == prefix.used && memcmp(b.p, data, b.len) == 0);
	if (hsa_is_ok(rc))
		must(whole.used == prefix.used && whole.size == prefix.size);
	(void)slog_note_verify(&prefix, &key).v;
	hsa_buf_free(&b);
}

static void
names(const uint8_t *data, size_t size)
{
	char name[64], again[SLOG_NAME_LEN];
	uint64_t first = 0;

	if (size >= sizeof(name) || memchr(data, 0, size) != NULL)
		return;
	memcpy(name, data, size);
	name[size] = '\0';
	if (!hsa_is_ok(slog_segment_parse(&first, name)))
		return;
	slog_segment_name(again, first);
	must(strcmp(again, name) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size != 0) {
		notes(data, size);
		names(data, size);
	}
	return 0;
}
