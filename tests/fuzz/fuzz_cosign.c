/* Covers: vfy_cosigned_parse vfy_witness_parse vfy_witnesses_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vfy_cosign.h"
#include "vfy_log.h"
#include "vfy_note.h"
#include "vfy_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* A strict note is a cosigned one, too, and says the same. */
static void
both_readers(const struct vfy_cosigned *c, const uint8_t *data, size_t size)
{
	struct vfy_note n;

	if (!hsa_is_ok(vfy_note_parse(&n, data, size, NULL)))
		return;
	must(c->size == n.size && strcmp(c->origin, n.origin) == 0);
	must(memcmp(c->root, n.root, sizeof(n.root)) == 0);
	must(c->text_len == n.text_len && c->signatures == n.witnesses + 1);
}

/* With the keys of the corpus, so that all of the check is reached. */
static void
signatures(const struct vfy_cosigned *c)
{
	static const char own[] =
	    "cryptounit/01010101-0101-0101-0101-010101010101+93f1c415+"
	    "AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
	static const char witness[] =
	    "w.example/1+8aa3aa34+BNYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4";
	struct hsa_diag diag = {{0}};
	struct vfy_keys k = {0};
	struct vfy_key key;
	size_t count = 0;

	must(hsa_is_ok(vfy_key_parse(&key, own, strlen(own), &diag)));
	if (hsa_is_ok(vfy_cosigned_own(c, &key)))
		must(strcmp(c->origin, key.origin) == 0);
	must(hsa_is_ok(
	    vfy_witnesses_parse(&k, witness, strlen(witness), &diag)));
	if (hsa_is_ok(vfy_cosigned_count(c, &k, &count, &diag)))
		must(count <= 1);
	vfy_keys_free(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	struct vfy_keys k = {0};
	struct vfy_cosigned c;
	struct vfy_key one;

	if (hsa_is_ok(vfy_cosigned_parse(&c, data, size, &diag))) {
		must(c.text == data && c.text[c.text_len] == '\n');
		must(c.lines + c.lines_len == data + size);
		must(c.signatures != 0 && vfy_utf8(data, size));
		both_readers(&c, data, size);
		signatures(&c);
	} else {
		must(diag.text[0] != '\0');
		must(!hsa_is_ok(vfy_note_parse(
		    &(struct vfy_note){.size = 0}, data, size, NULL)));
	}
	if (hsa_is_ok(vfy_witness_parse(&one, (const char *)data, size, &diag)))
		must(hsa_is_ok(vfy_witnesses_parse(
			 &k, (const char *)data, size, &diag)) &&
		     k.len == 1);
	else if (hsa_is_ok(
		     vfy_witnesses_parse(&k, (const char *)data, size, &diag)))
		must(k.len != 0);
	vfy_keys_free(&k);
	return 0;
}
