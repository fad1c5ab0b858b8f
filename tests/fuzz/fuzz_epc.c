/* Covers: opt_parse epc_template_add epc_mech_set */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "epc_attr.h"
#include "epc_cli.h"
#include "epc_param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What a user wrote of attributes and mechanism. */
static void
words(const struct epc_options *o)
{
	struct epc_template t = {.n = 0};
	struct epc_mech m = {.row = NULL};
	struct hsa_diag diag = {{0}};
	struct hsa_buf text = {0};
	CK_ULONG i = 0;

	if (hsa_is_ok(epc_template_list(&t, &o->attr, &diag)))
		for (i = 0; i < t.n; i++)
			epc_attr_text(&text, t.a[i].type, t.a[i].pValue,
			    t.a[i].ulValueLen);
	else
		must(diag.text[0] != '\0');
	if (o->mechanism != NULL &&
	    hsa_is_ok(epc_mech_set(&m, o->mechanism, &o->param, &diag)))
		must((m.m.pParameter != NULL) || m.m.ulParameterLen == 0);
	epc_template_free(&t);
	epc_mech_free(&m);
	hsa_buf_free(&text);
}

/* The input is a command line, its words ended by NUL. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct epc_options o = {.json = false};
	struct hsa_diag diag = {{0}};
	const struct opt_verb *verb = NULL;
	char *line = malloc(size + 1), *argv[64] = {NULL};
	size_t at = 0, n = 0;

	must(line != NULL);
	if (size != 0)
		memcpy(line, data, size);
	line[size] = '\0';
	/* no files are opened for a fuzzer */
	if (memchr(line, '@', size) == NULL) {
		for (at = 0; at < size && n < 63; at += strlen(line + at) + 1)
			argv[n++] = line + at;
		verb = n == 0 ? NULL : opt_find(&epc_program, argv[0]);
	}
	if (verb != NULL) {
		if (hsa_is_ok(opt_parse(
			&epc_program, &o.line, verb, argv + 1, &diag)))
			words(&o);
		else
			must(diag.text[0] != '\0');
	}
	opt_line_free(&o.line);
	free(line);
	return 0;
}
