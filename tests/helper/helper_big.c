#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "helper_big.h"
#include "helper_vfy.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_hash.h"
#include "vfy_merkle.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

#define SEGMENT (64u * 1024u * 1024u)
#define CONTEXT_EACH 10000u

struct big {
	const struct helper_vfy_log *l;
	const char *dir;
	FILE *f;
	struct hsa_sha256 *h;
	struct vfy_tree tree;
	uint64_t last[HSA_SOURCES + 1];
	size_t written;
	struct hsa_buf b, note;
	struct helper_vfy_log *small; /* makes the few records of other kinds */
};

static void
flush(struct big *g)
{
	MUST(hsa_is_ok(hsa_buf_rc(&g->b)));
	MUST(fwrite(g->b.p, 1, g->b.len, g->f) == g->b.len);
	g->written += g->b.len;
	hsa_buf_reset(&g->b);
}

static void
put(struct big *g, const void *p, size_t n)
{
	hsa_entry_encode_record(&g->b, p, n);
	MUST(hsa_is_ok(vfy_tree_add(&g->tree, p, n)));
	if (g->b.len > 1024 * 1024)
		flush(g);
}

/* One of helper_vfy's records, put behind the others. */
static void
other(struct big *g, void (*make)(struct helper_vfy_log *l),
    enum hsa_source source)
{
	struct helper_vfy_log *s = g->small;
	const struct hsa_buf *raw;
	struct hsa_buf whole = {0};

	s->files = s->entries = 0;
	helper_vfy_segment(s);
	make(s);
	raw = &s->leaf[s->n - 1];
	hsa_record_seal(&whole, g->tree.size, raw->p + 9, raw->len - 9);
	MUST(hsa_is_ok(hsa_buf_rc(&whole)));
	put(g, whole.p, whole.len);
	g->last[source] = s->source_last[source];
	hsa_buf_free(&whole);
	hsa_buf_free(&s->file[0].b);
}

static void
segment(struct big *g)
{
	char name[64];

	if (g->f != NULL) {
		flush(g);
		MUST(fclose(g->f) == 0);
	}
	(void)snprintf(name, sizeof(name), "%s/seg-%016" PRIx64 ".slog", g->dir,
	    g->tree.size);
	g->f = fopen(name, "wb");
	MUST(g->f != NULL);
	g->written = 0;
	MUST(
	    hsa_is_ok(hsa_entry_encode_header(&g->b, g->l->origin, g->tree.size,
		(const uint8_t(*)[32])g->tree.hash, g->tree.depth, g->last)));
	other(g, helper_vfy_opened, HSA_SOURCE_SEALER);
	if (g->tree.size == 1)
		other(g, helper_vfy_start, HSA_SOURCE_OUTBOX);
}

static void
call(struct big *g, uint64_t context)
{
	struct hsa_compact_record c = {
	    .sequence = g->tree.size,
	    .source_sequence = ++g->last[HSA_SOURCE_USE],
	    .wall_ns = UINT64_C(1763807400000000000) + g->tree.size * 1000,
	    .mono_ns = UINT64_C(100000000000) + g->tree.size * 1000,
	    .has_use = true,
	    .use = {.function = 19,
		.mechanism = 0x1085,
		.has_key_id = true,
		.bytes_in = 1024,
		.bytes_out = 1040,
		.duration_ns = 31415},
	    .compact = {.context = context, .has_correlation_id = true},
	};
	uint8_t raw[HSA_COMPACT_MAX];

	memset(c.use.key_id, 0x66, sizeof(c.use.key_id));
	memset(c.compact.correlation_id, (int)(c.sequence & 0xff), 16);
	put(g, raw, hsa_compact_put(raw, &c));
}

static void
checkpoint(struct big *g)
{
	uint8_t root[32];

	MUST(hsa_is_ok(vfy_tree_root(&g->tree, root)));
	hsa_buf_reset(&g->note);
	helper_vfy_note(&g->note, g->l->origin, g->tree.size, root, g->l->key);
	hsa_entry_encode_checkpoint(&g->b, g->note.p, g->note.len);
}

void
helper_big_write(const struct helper_vfy_log *l, const char *dir,
    uint64_t records, uint64_t batch)
{
	struct big g = {.l = l, .dir = dir, .h = hsa_sha256_new()};
	uint64_t context = 0;

	g.small = calloc(1, sizeof(*g.small));
	MUST(g.h != NULL && g.small != NULL && mkdir(dir, 0700) == 0);
	helper_vfy_init(g.small, l->unit_id[0]);
	vfy_tree_init(&g.tree, g.h);
	while (g.tree.size < records) {
		if (g.tree.size % batch == 0 &&
		    (g.f == NULL || g.written > SEGMENT)) {
			segment(&g);
			context = 0;
		}
		if (context == 0 || g.tree.size % CONTEXT_EACH == 0) {
			context = g.tree.size;
			other(&g, helper_vfy_context, HSA_SOURCE_SEALER);
		} else
			call(&g, context);
		if (g.tree.size % batch == 0 || g.tree.size == records)
			checkpoint(&g);
	}
	flush(&g);
	MUST(fclose(g.f) == 0);
	helper_vfy_put_file(dir, "head", g.note.p, g.note.len);
	hsa_buf_free(&g.b);
	hsa_buf_free(&g.note);
	hsa_sha256_free(g.h);
	helper_vfy_free(g.small);
	free(g.small);
}
