/* Covers: tkc_keyfile_parse tkc_selection_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_keyfile.h"
#include "tkc_select.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is read and written again must be read as the same. */
static void
again(enum tkc_keyfile_kind kind, const struct tkc_keyfile *k)
{
	struct hsa_buf text = {0};
	struct tkc_keyfile back = {.label = ""};
	struct hsa_diag diag = {.text = ""};

	if (!hsa_is_ok(tkc_keyfile_render(&text, k)))
		abort();
	if (!hsa_is_ok(tkc_keyfile_parse(
		&back, kind, hsa_buf_cstr(&text), text.len, &diag)))
		abort();
	if (memcmp(back.id, k->id, sizeof(k->id)) != 0 ||
	    strcmp(back.label, k->label) != 0 ||
	    back.iterations != k->iterations || back.type != k->type ||
	    back.salt_len != k->salt_len ||
	    memcmp(back.salt, k->salt, k->salt_len) != 0 ||
	    back.sealed.len != k->sealed.len ||
	    memcmp(back.sealed.p, k->sealed.p, k->sealed.len) != 0)
		abort();
	tkc_keyfile_free(&back);
	hsa_buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tkc_selection selection;
	const char *text = n == 0 ? "" : (const char *)p;
	struct tkc_keyfile k = {.label = ""};
	struct hsa_diag diag = {.text = ""};
	enum tkc_keyfile_kind kind;

	for (kind = TKC_KEYFILE_SIGKEY; kind <= TKC_KEYFILE_PART; kind++)
		if (hsa_is_ok(tkc_keyfile_parse(&k, kind, text, n, &diag))) {
			again(kind, &k);
			tkc_keyfile_free(&k);
		}
	if (hsa_is_ok(tkc_selection_parse(&selection, text, n, &diag)) &&
	    (selection.units > TKC_SELECT_MAX ||
		selection.sigkeys > TKC_SELECT_MAX))
		abort();
	return 0;
}
