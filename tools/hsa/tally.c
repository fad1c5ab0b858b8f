#include <stdlib.h>
#include <string.h>

#include "tally.h"

#define SLOTS (2u * TALLY_MAX)

/* FNV-1a, of what is compared. */
static size_t
hash(const char *s, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * UINT64_C(0x100000001b3);
	return (size_t)((h ^ h >> 32) % SLOTS);
}

static hsa_rc
start(struct tally *t)
{
	t->row = calloc(TALLY_MAX, sizeof(*t->row));
	t->slot = calloc(SLOTS, sizeof(*t->slot));
	return t->row == NULL || t->slot == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* Where name is or would go. */
static size_t
find(const struct tally *t, const char *name, size_t len)
{
	size_t at = hash(name, len);

	for (; t->slot[at] != 0; at = (at + 1) % SLOTS) {
		const char *have = t->row[t->slot[at] - 1].name;

		if (strncmp(have, name, len) == 0 && have[len] == '\0')
			break;
	}
	return at;
}

hsa_rc
tally_add(struct tally *t, const char *name, uint64_t n, uint64_t failed,
    uint64_t weight)
{
	size_t len = strnlen(name, TALLY_NAME), at;
	struct tally_row *row;
	hsa_rc rc = HSA_OK;

	if (t->slot == NULL)
		HSA_TRY(rc, start(t));
	at = find(t, name, len);
	if (t->slot[at] == 0 && t->len == TALLY_MAX) {
		t->other += n;
		return rc;
	}
	if (t->slot[at] == 0) {
		t->row[t->len].name = strndup(name, len);
		if (t->row[t->len].name == NULL)
			return HSA_RC(E_NOMEM);
		t->slot[at] = (uint16_t)++t->len;
	}
	row = &t->row[t->slot[at] - 1];
	row->n += n;
	row->failed += failed;
	row->weight += weight;
	t->failed_any = t->failed_any || failed != 0;
out:
	return rc;
}

hsa_rc
tally_merge(struct tally *to, const struct tally *from)
{
	hsa_rc rc = HSA_OK;

	to->other += from->other;
	for (size_t i = 0; i < from->len; i++)
		HSA_TRY(rc, tally_add(to, from->row[i].name, from->row[i].n,
				from->row[i].failed, from->row[i].weight));
out:
	return rc;
}

static int
order(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return strcmp(x->name, y->name);
}

void
tally_sort(struct tally *t)
{
	if (t->len != 0)
		qsort(t->row, t->len, sizeof(*t->row), order);
	free(t->slot);
	t->slot = NULL;
}

void
tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->row[i].name);
	free(t->row);
	free(t->slot);
	*t = (struct tally){0};
}
