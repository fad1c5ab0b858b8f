/* Covers: tkc_options_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Words are lines; the first one is the verb. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tkc_options o = {.args = NULL};
	struct hsa_diag diag = {.text = ""};
	const struct tkc_verb *verb = NULL;
	char text[2048], *argv[256] = {NULL}, *save = NULL, *word = NULL;
	size_t argc = 0;

	if (n >= sizeof(text))
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	word = strtok_r(text, "\n", &save);
	verb = word == NULL ? NULL : tkc_verb_find(word);
	if (verb == NULL)
		return 0;
	while (argc < 255 && (word = strtok_r(NULL, "\n", &save)) != NULL)
		argv[argc++] = word;
	if (hsa_is_ok(tkc_options_parse(&o, verb, argv, &diag))) {
		if (o.arg_count > verb->max_args)
			abort();
	} else if (diag.text[0] == '\0') {
		abort();
	}
	tkc_options_free(&o);
	return 0;
}
