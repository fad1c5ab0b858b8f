#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec_wire.h"
#include "hsa_utf8.h"

/* One block holds a usual record. */
#define BLOCK 8192

struct hsa_pool_block {
	struct hsa_pool_block *next;
	size_t cap, len;
	alignas(max_align_t) uint8_t p[];
};

static struct hsa_pool_block *
block_add(struct hsa_pool *p, size_t n)
{
	size_t cap = n > BLOCK ? n : BLOCK;
	struct hsa_pool_block *b = malloc(sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	b->next = p->block;
	b->cap = cap;
	b->len = 0;
	p->block = b;
	return b;
}

void *
hsa_pool_get(struct hsa_pool *p, size_t n)
{
	const size_t unit = alignof(max_align_t);
	struct hsa_pool_block *b = p->block;
	void *at;

	p->failed = p->failed || n > SIZE_MAX / 2;
	if (p->failed)
		return NULL;
	n = (n + unit - 1) / unit * unit;
	if (b == NULL || b->cap - b->len < n)
		b = block_add(p, n);
	p->failed = b == NULL;
	if (p->failed)
		return NULL;
	at = b->p + b->len;
	b->len += n;
	memset(at, 0, n);
	return at;
}

char *
hsa_pool_text(struct hsa_pool *p, const char *s)
{
	struct hsa_buf clean = {0};
	char *text = NULL;
	size_t n;

	if (s == NULL)
		s = "";
	n = strlen(s);
	if (hsa_utf8_valid(s, n)) {
		/* protobuf-c has no const here; packing only reads */
		memcpy(&text, &s, sizeof(s));
		return text;
	}
	hsa_utf8_clean(&clean, s, n);
	text = hsa_pool_get(p, clean.len + 1);
	if (text != NULL && clean.failed)
		p->failed = true;
	else if (text != NULL)
		memcpy(text, clean.p, clean.len);
	hsa_buf_free(&clean);
	return text;
}

void *
hsa_pool_array(struct hsa_pool *p, size_t n, size_t size)
{
	uint8_t *pointers, *m;
	void *at;

	if (n == 0)
		return NULL;
	if (n > SIZE_MAX / 4 / (size + sizeof(at))) {
		p->failed = true;
		return NULL;
	}
	pointers = hsa_pool_get(p, n * sizeof(at));
	m = hsa_pool_get(p, n * size);
	if (pointers == NULL || m == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		/* the array is of some other pointer type: copy, not store */
		at = m + i * size;
		memcpy(pointers + i * sizeof(at), &at, sizeof(at));
	}
	return pointers;
}

void
hsa_pool_free(struct hsa_pool *p)
{
	struct hsa_pool_block *b = p->block, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	*p = (struct hsa_pool){0};
}
