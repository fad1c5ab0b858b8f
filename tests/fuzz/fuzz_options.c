/* Covers: tkc_options_parse tkc_options_before */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Words are lines: options, the verb, and what follows it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tkc_options o = {.args = NULL};
	struct hsa_diag diag = {.text = ""};
	const struct tkc_verb *verb = NULL;
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
	if (!hsa_is_ok(tkc_options_before(&o, &at, &diag)) || *at == NULL ||
	    (verb = tkc_verb_find(*at)) == NULL) {
		tkc_options_free(&o);
		return 0;
	}
	argv[argc] = NULL;
	at++;
	if (hsa_is_ok(tkc_options_parse(&o, verb, at, &diag))) {
		if (o.arg_count > verb->max_args)
			abort();
	} else if (diag.text[0] == '\0') {
		abort();
	}
	tkc_options_free(&o);
	return 0;
}
