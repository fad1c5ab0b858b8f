/* Covers: opt_parse opt_before */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Words are lines: options, the verb, and what follows it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tkc_options o = {.json = false};
	struct hsa_diag diag = {.text = ""};
	const struct opt_verb *verb = NULL;
	char text[2048], *argv[256] = {NULL}, *save = NULL, *word = NULL;
	char **at = argv;
	size_t argc = 0;

	if (n >= sizeof(text))
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	for (word = strtok_r(text, "\n", &save); word != NULL && argc < 255;
	     word = strtok_r(NULL, "\n", &save))
		argv[argc++] = word;
	if (!hsa_is_ok(opt_before(&tkc_program, &o.line, &at, &diag)) ||
	    *at == NULL || (verb = opt_find(&tkc_program, *at)) == NULL) {
		tkc_options_free(&o);
		return 0;
	}
	argv[argc] = NULL;
	at++;
	if (hsa_is_ok(opt_parse(&tkc_program, &o.line, verb, at, &diag))) {
		if (o.line.arg_count > verb->max_args)
			abort();
	} else if (diag.text[0] == '\0') {
		abort();
	}
	tkc_options_free(&o);
	return 0;
}
