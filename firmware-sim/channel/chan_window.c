#include <string.h>

#include "chan_window.h"

void
chan_window_reset(struct chan_window *w)
{
	w->from = w->len = 0;
	w->held = false;
}

bool
chan_window_full(const struct chan_window *w)
{
	return w->len == CHAN_WINDOW;
}

size_t
chan_window_open(const struct chan_window *w)
{
	return w->len - (w->held ? 1 : 0);
}

static const struct chan_point *
point(const struct chan_window *w, size_t i)
{
	return &w->point[(w->from + i) % CHAN_WINDOW];
}

void
chan_window_add(
    struct chan_window *w, uint64_t size, const uint8_t root[HSA_SHA256_LEN])
{
	struct chan_point *p = &w->point[(w->from + w->len) % CHAN_WINDOW];

	p->size = size;
	memcpy(p->root, root, sizeof(p->root));
	w->len++;
}

hsa_rc
chan_window_ack(
    struct chan_window *w, uint64_t size, const uint8_t root[HSA_SHA256_LEN])
{
	size_t low = 0, high = w->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (point(w, mid)->size < size)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == w->len || point(w, low)->size != size)
		return HSA_RC(E_NOT_FOUND);
	if (!hsa_equal_ct(point(w, low)->root, root, HSA_SHA256_LEN))
		return HSA_RC(E_SIGNATURE);
	w->from = (w->from + low) % CHAN_WINDOW;
	w->len -= low;
	w->held = true;
	return HSA_OK;
}
