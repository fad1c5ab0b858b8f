/* Covers: tkc_ceremony_parse tkc_ceremony_check tkc_c_expected */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_ceremony.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What was accepted must be safe to walk, as tkc_run does. */
static void
walk(const struct tkc_ceremony *c)
{
	size_t i, k;

	for (i = 0; i < c->steps_count; i++) {
		const struct tkc_c_step *s = &c->steps[i];
		struct tkc_c_expected e;

		if (tkc_c_verb_find(s->verb) == NULL)
			abort();
		for (k = 0; k < s->who_count; k++)
			if (tkc_c_role_find(c, s->who[k]) == NULL)
				abort();
		for (k = 0; k < s->units_count; k++)
			if (tkc_c_unit_index(c, s->units[k]) >= c->units_count)
				abort();
		for (k = 0; s->with != NULL && k < s->with->parts_count; k++)
			if (tkc_c_part_find(c, s->with->parts[k]) == NULL)
				abort();
		for (k = 0; k < c->units_count; k++)
			tkc_c_expected(&e, s, c->units[k].name);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tkc_ceremony *c = NULL;
	struct hsa_diag diag = {.text = ""};

	if (hsa_is_ok(tkc_ceremony_parse(&c, p, n, &diag))) {
		walk(c);
		tkc_ceremony_free(c);
	} else if (diag.text[0] == '\0') {
		abort(); /* a refusal says why */
	}
	return 0;
}
