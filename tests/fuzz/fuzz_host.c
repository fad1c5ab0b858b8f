/* Covers: host_block_decode host_where_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "hsa_buf.h"
#include "host_block.h"
#include "host_where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
inside(struct hsa_slice s, const uint8_t *data, size_t size)
{
	if (s.n > 0)
		must(s.p >= data && s.n <= size &&
		     (size_t)(s.p - data) <= size - s.n);
}

static void
response(const uint8_t *data, size_t size)
{
	struct host_block k = {0};

	if (!hsa_is_ok(host_block_decode(&k, data, size)))
		return;
	inside(k.module, data, size);
	inside(k.counter, data, size);
	inside(k.payload, data, size);
	must(k.module.n == 0 || k.module.n == 16);
	must(k.rv != 0 || k.reason == 0);
}

/* What was understood, written down again, is understood the same. */
static void
places(const uint8_t *data, size_t size)
{
	struct host_where w = {0}, again = {0};
	struct hsa_diag d = {{0}};
	struct hsa_buf b = {0};
	size_t i = 0;

	if (!hsa_is_ok(host_where_parse(&w, (const char *)data, size, &d))) {
		must(w.n == 0);
		return;
	}
	must(w.n >= 1 && w.n <= HOST_UNITS_MAX && (!w.embedded || w.n == 1));
	for (i = 0; i < w.n; i++) {
		hsa_buf_str(&b, w.embedded ? "embedded:"
				: i > 0    ? ",unix:"
					   : "unix:");
		hsa_buf_str(&b, host_where_path(&w, i));
	}
	if (w.named) {
		hsa_buf_str(&b, "#");
		hsa_buf_str(&b, host_where_name(&w));
	}
	must(b.len == size && memcmp(b.p, data, size) == 0);
	must(hsa_is_ok(host_where_parse(&again, (const char *)b.p, b.len, &d)));
	must(again.n == w.n);
	host_where_free(&w);
	host_where_free(&again);
	hsa_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	response(data, size);
	places(data, size);
	return 0;
}
