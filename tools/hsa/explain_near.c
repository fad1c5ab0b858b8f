#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "explain_near.h"
#include "hsa_buf.h"
#include "hsa_catalogue.h"
#include "val_check.h"

#define LONGEST 80
#define SHOWN 5

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, leave out or replace (Levenshtein), in any case. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[LONGEST + 1], n = strlen(b), corner, above, i;

	if (strlen(a) > LONGEST || n > LONGEST)
		return SIZE_MAX;
	for (i = 0; i <= n; i++)
		row[i] = i;
	for (; *a != '\0'; a++) {
		corner = row[0]++;
		for (i = 0; i < n; i++) {
			above = row[i + 1];
			row[i + 1] = least(least(above, row[i]) + 1,
			    corner + (strncasecmp(a, b + i, 1) != 0));
			corner = above;
		}
	}
	return row[n];
}

struct found {
	const char *name[SHOWN];
	size_t far[SHOWN];
	size_t n;
};

static void
consider(struct found *f, const char *name, const char *word)
{
	const char *bare =
	    strncmp(name, "hs-crypto.", 10) == 0 ? name + 10 : name;
	size_t n = strlen(word), i;
	size_t far = least(distance(word, name), distance(word, bare));

	/* part of a name is near, however much is missing */
	if (n >= 3 && strcasestr(bare, word) != NULL)
		far = least(far, 1);
	if (far > 1 + n / 4 || name[0] == '\0')
		return;
	for (i = f->n; i > 0 && f->far[i - 1] > far; i--)
		if (i < SHOWN) {
			f->name[i] = f->name[i - 1];
			f->far[i] = f->far[i - 1];
		}
	if (i == SHOWN)
		return;
	f->name[i] = name;
	f->far[i] = far;
	if (f->n < SHOWN)
		f->n++;
}

void
explain_near(struct hsa_buf *b, const char *word)
{
	const struct hsa_action_row *row;
	struct found f = {.n = 0};
	size_t n, i;

	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++) {
		consider(&f, row[i].name, word);
		consider(&f, row[i].old_name, word);
	}
	for (i = 0; i < VAL_CHECKS; i++)
		consider(&f, val_check_row((enum val_check)i)->id, word);
	for (i = 0; i < f.n; i++)
		hsa_buf_printf(b, "%s%s",
		    i == 0        ? ""
		    : i + 1 < f.n ? ", "
				  : " or ",
		    f.name[i]);
	if (f.n > 0)
		hsa_buf_str(b, "?");
}
