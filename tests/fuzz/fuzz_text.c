/* Covers: hsa_uuid_parse hsa_unhex hsa_unbase64 hsa_json_string */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "hsa_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
uuid(const char *s)
{
	char again[HSA_UUID_TEXT];
	uint8_t id[HSA_UUID_LEN];

	if (!hsa_is_ok(hsa_uuid_parse(id, s)))
		return;
	hsa_uuid_text(again, id);
	for (size_t i = 0; i < sizeof(again); i++)
		must(again[i] == s[i] ||
		     (s[i] >= 'A' && s[i] <= 'F' && again[i] == s[i] + 32));
}

static void
base64(const char *s, size_t n)
{
	struct hsa_buf plain = {0}, again = {0};

	if (hsa_is_ok(hsa_unbase64(&plain, s, n))) {
		hsa_base64(&again, plain.p, plain.len);
		must(again.len == n && (n == 0 || memcmp(again.p, s, n) == 0));
	}
	must(hsa_is_ok(hsa_buf_rc(&plain)));
	hsa_buf_free(&plain);
	hsa_buf_free(&again);
}

static void
hex(const char *s, size_t n)
{
	uint8_t *out = malloc(n / 2 + 1);

	must(out != NULL);
	if (hsa_is_ok(hsa_unhex(out, n / 2, s, n)))
		must(n % 2 == 0 && strspn(s, "0123456789abcdefABCDEF") >= n);
	free(out);
}

/* Cleaning makes text of anything and leaves text alone; JSON of it is text
 * without a control character. */
static void
text(const char *s, size_t n)
{
	struct hsa_buf clean = {0}, json = {0};

	hsa_utf8_clean(&clean, s, n);
	must(hsa_utf8_valid((const char *)clean.p, clean.len));
	must(!hsa_utf8_valid(s, n) ||
	     (clean.len == n && (n == 0 || memcmp(clean.p, s, n) == 0)));
	hsa_json_string(&json, s, n);
	must(hsa_utf8_valid((const char *)json.p, json.len));
	for (size_t i = 0; i < json.len; i++)
		must(json.p[i] >= 0x20);
	hsa_buf_free(&clean);
	hsa_buf_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	must(s != NULL);
	if (size != 0)
		memcpy(s, data, size);
	s[size] = '\0';
	uuid(s);
	base64(s, size);
	hex(s, size);
	text(s, size);
	free(s);
	return 0;
}
