/* Covers: hsa_addr_parse hsa_addr_text hsa_is_dns_name */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_addr.h"
#include "hsa_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What is taken is written back byte for byte, and says what it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_addr a = {0};
	struct hsa_buf s = {0}, back = {0};
	uint8_t raw[16];
	const char *text;

	if (size > 4096 || memchr(data, 0, size) != NULL)
		return 0;
	hsa_buf_put(&s, data, size);
	text = hsa_buf_cstr(&s);
	if (hsa_is_ok(hsa_addr_parse(&a, text))) {
		hsa_addr_text(&back, &a);
		must(strcmp(hsa_buf_cstr(&back), text) == 0);
		if (a.kind == HSA_ADDR_UNIX)
			must(a.path[0] != '\0');
		else if (a.numeric)
			must(inet_pton(AF_INET, a.host, raw) == 1 ||
			     inet_pton(AF_INET6, a.host, raw) == 1);
		else
			must(hsa_is_dns_name(a.host));
	} else
		must(a.kind == 0); /* untouched */
	hsa_buf_free(&s);
	hsa_buf_free(&back);
	return 0;
}
