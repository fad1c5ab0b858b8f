/* Covers: sink_uri_parse sink_cursor_parse sink_options_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "sink_cursor.h"
#include "sink_options.h"
#include "sink_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
uri(const char *text)
{
	struct hsa_diag d = {{0}};
	struct sink_uri u = {0};
	char *host = NULL, *port = NULL;

	if (!hsa_is_ok(sink_uri_parse(&u, text, &d))) {
		if (d.text[0] == '\0' || u.scheme != NULL)
			abort();
		return;
	}
	if (u.scheme == NULL || u.path == NULL || u.hosts != (u.host != NULL))
		abort();
	if (hsa_is_ok(sink_uri_host(&host, &port, &u, &d)) && *host == '\0')
		abort();
	free(host);
	free(port);
	sink_uri_free(&u);
}

static void
cursor(const char *text, size_t n)
{
	char name[] = "file:/var/log/events";
	struct sink_cursor c = {.name = name, .folder = -1};
	struct hsa_buf b = {0};

	if (hsa_is_ok(sink_cursor_parse(&c, text, n))) {
		sink_cursor_print(&b, &c);
		if (b.len != n || memcmp(b.p, text, n) != 0)
			abort();
	}
	hsa_buf_free(&b);
	c.name = NULL;
	sink_cursor_free(&c);
}

static void
options(const char *text, size_t n)
{
	struct hsa_diag d = {{0}};
	struct sink_options o = {0};

	if (!hsa_is_ok(sink_options_parse(&o, text, n, &d)) &&
	    d.text[0] == '\0')
		abort();
	for (size_t i = 0; i < o.len; i++)
		if (o.option[i].name[0] == '\0' || o.option[i].value == NULL)
			abort();
	sink_options_free(&o);
}

/* The first byte says which of the three reads the rest. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 3 == 0)
		uri(text);
	else if (data[0] % 3 == 2)
		options(text, size - 1);
	else
		cursor(text, size - 1);
	free(text);
	return 0;
}
