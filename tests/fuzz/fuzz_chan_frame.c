/* Covers: chan_conn_frame chan_window_ack */
/*
 * The input is what a collector sends, in pieces whose sizes its first byte
 * chooses. Frames must come out as if it had arrived at once, and no Ack may be
 * taken for a checkpoint that was not sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chan_conn.h"
#include "chan_window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct chan_window window;

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
ack(const struct hsa_frame *f)
{
	static const uint8_t root[HSA_SHA256_LEN];

	if (!hsa_is_ok(chan_window_ack(&window, f->sequence, f->root)))
		return;
	must(f->sequence % 3 == 0 && f->sequence <= 30);
	must(memcmp(f->root, root, sizeof(root)) == 0);
}

/* Frames taken, with how the stream ended. */
static size_t
feed(const uint8_t *p, size_t n, size_t piece, hsa_rc *end)
{
	static const uint8_t root[HSA_SHA256_LEN];
	struct chan_conn c = {.fd = -1};
	size_t frames = 0, step;

	chan_window_reset(&window);
	for (uint64_t i = 3; i <= 30; i += 3)
		chan_window_add(&window, i, root);
	*end = HSA_RC(E_NOT_FOUND);
	while (n != 0 && end->v == HSA_E_NOT_FOUND) {
		step = n < piece ? n : piece;
		hsa_buf_put(&c.in, p, step);
		p += step;
		n -= step;
		do {
			struct hsa_frame f = {0};

			*end = chan_conn_frame(&c, &f);
			frames += hsa_is_ok(*end) ? 1u : 0u;
			if (hsa_is_ok(*end) && f.kind == HSA_FRAME_ACK)
				ack(&f);
			hsa_frame_free(&f);
		} while (hsa_is_ok(*end));
	}
	chan_conn_free(&c);
	return frames;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hsa_rc at_once, in_pieces;
	size_t frames;

	if (size < 2 || size > 60000)
		return 0;
	frames = feed(data + 1, size - 1, size, &at_once);
	must(feed(data + 1, size - 1, data[0] + 1u, &in_pieces) == frames);
	must(at_once.v == in_pieces.v);
	return 0;
}
