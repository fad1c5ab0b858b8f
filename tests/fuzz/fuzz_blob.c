/* Covers: ep11_blob_decode ep11_spki_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
inside(const uint8_t *data, size_t size, struct hsa_slice s)
{
	must(s.n <= size);
	must(s.n == 0 || (s.p >= data && s.p + s.n <= data + size));
}

static void
key(const uint8_t *data, size_t size)
{
	struct ep11_blob b = {0};
	struct hsa_buf again = {0};

	if (!hsa_is_ok(ep11_blob_decode(&b, data, size)))
		return;
	must(!ep11_is_spki(data, size));
	inside(data, size, b.params);
	inside(data, size, b.spki);
	inside(data, size, b.wrapped);
	must(hsa_is_ok(ep11_blob_encode(&again, &b)));
	must(again.len + EP11_MAC_LEN == size);
	must(memcmp(again.p, data, again.len) == 0);
	ep11_blob_set_bools(again.p, ~b.bools);
	must(memcmp(again.p, data, again.len) != 0);
	hsa_buf_free(&again);
}

static void public(const uint8_t *data, size_t size)
{
	struct ep11_spki s = {0};
	struct hsa_buf again = {0};
	size_t maced = 1;

	if (!hsa_is_ok(ep11_spki_decode(&s, &maced, data, size)))
		return;
	must(ep11_is_spki(data, size));
	inside(data, size, s.spki);
	if (s.maced) {
		must(maced + 2 + EP11_MAC_LEN == size);
		must(hsa_is_ok(ep11_spki_encode(&again, &s)));
		must(again.len == maced);
		must(memcmp(again.p, data, maced) == 0);
	} else
		must(maced == 0 && s.spki.n == size);
	hsa_buf_free(&again);
}

/* Whatever is taken is written back byte for byte. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	key(data, size);
	public(data, size);
	return 0;
}
