/* Events in all the shapes that files have. */
#include <setjmp.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "val_in.h"
#include "val_json.h"

static char path[64];

static void
put(const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		assert_true(k > 0);
		p = (const char *)p + k;
		n -= (size_t)k;
	}
	assert_int_equal(close(fd), 0);
}

/* All texts of the file as "line:text|", what is bad as "line!". */
static void
all(char *to, size_t room, hsa_rc *end)
{
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	size_t n = 0;

	to[0] = '\0';
	*end = val_in_open(&in, path, &diag);
	while (hsa_is_ok(*end)) {
		*end = val_in_next(in, &t, &diag);
		if (!hsa_is_ok(*end))
			break;
		if (t.bad != NULL)
			n += (size_t)snprintf(to + n, room - n, "%llu!",
			    (unsigned long long)t.line);
		else
			n += (size_t)snprintf(to + n, room - n, "%llu:%.*s|",
			    (unsigned long long)t.line, (int)t.n,
			    (const char *)t.p);
		assert_true(n < room);
	}
	val_in_close(in);
}

static void
gives(const char *text, const char *want)
{
	char got[4096];
	hsa_rc rc;

	put(text, strlen(text));
	all(got, sizeof(got), &rc);
	assert_rc("E_NOT_FOUND", rc);
	if (strcmp(got, want) != 0)
		fail_msg("%s\ngives %s\nwant %s", text, got, want);
}

static void
test_val_in__knows_the_shapes_of_files(void **state)
{
	(void)state;
	/* lines */
	gives("", "");
	gives("\n \n\t\r\n", "");
	gives("{\"a\":1}", "1:{\"a\":1}|");
	gives("{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}",
	    "1:{\"a\":1}|2:{\"b\":2}|4:"
	    "{\"c\":3}|");
	gives("\xef\xbb\xbf{}\n{}", "1:{}|2:{}|");
	gives("oops\n{}\n", "1:oops|2:{}|");
	/* a broken first line is no reason to give up lines */
	gives("{\"a\":\n{\"b\":2}\n", "1:{\"a\":|2:{\"b\":2}|");
	/* objects over lines */
	gives("{\n  \"a\": \"}\\\"{\"\n}\n{\n \"b\": [1, {}]\n}\n",
	    "1:{\n  \"a\": \"}\\\"{\"\n}|4:{\n \"b\": [1, {}]\n}|");
	gives("{\n  \"a\": 1\n", "1:{\n  \"a\": 1\n|");
	/* an array */
	gives("[]", "");
	gives("[{\"a\":[1,2]},\n {\"b\":\"],\"}]\n", "1:{\"a\":[1,2]}|2:{\"b\":"
						     "\"],\"}|");
	gives("[{},,{}]", "1:{}|1:|1:{}|");
	gives("[{}", "1:{}|1!");
	gives("[{},{}] x", "1:{}|1:{}|1!");
	gives("[{},", "1:{}|1!");
	/* a table */
	gives("time\ttext\tapp\nt\t{\"a\":1}\tx\nt\t\"{\"\"a\"\":2}\"\tx\nt\n",
	    "2:{\"a\":1}|3:{\"a\":2}|4!");
}

static void
big(struct hsa_buf *b)
{
	for (unsigned int i = 0; i < 20000; i++)
		hsa_buf_printf(b, "{\"number\":%u,\"pad\":\"%0*u\"}\n", i,
		    (int)(i % 97) + 1, i);
	assert_ok(hsa_buf_rc(b));
}

static void
counts(unsigned int lines)
{
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	unsigned int n = 0, number = 0;

	assert_ok(val_in_open(&in, path, &diag));
	while (hsa_is_ok(val_in_next(in, &t, &diag))) {
		assert_int_equal(sscanf(t.p, "{\"number\":%u", &number), 1);
		assert_int_equal(number, n);
		assert_int_equal(t.line, ++n);
	}
	assert_int_equal(n, lines);
	val_in_close(in);
}

static hsa_rc
to_the_end(const char *why)
{
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	hsa_rc rc;

	assert_ok(val_in_open(&in, path, &diag));
	do
		rc = val_in_next(in, &t, &diag);
	while (hsa_is_ok(rc));
	if (strstr(diag.text, why) == NULL)
		fail_msg("%s", diag.text);
	val_in_close(in);
	return rc;
}

static void
test_val_in__sees_through_gzip_and_zstd(void **state)
{
	struct hsa_buf b = {0}, z = {0};
	size_t half, n;
	gzFile g;

	(void)state;
	big(&b);
	put(b.p, b.len);
	counts(20000);
	/* two members, the border inside a line */
	half = b.len / 2 + 3;
	for (int k = 0; k < 2; k++) {
		g = gzopen(path, k == 0 ? "wb" : "ab");
		assert_non_null(g);
		n = k == 0 ? half : b.len - half;
		assert_int_equal(
		    gzwrite(g, b.p + (k == 0 ? 0 : half), (unsigned int)n),
		    (int)n);
		assert_int_equal(gzclose(g), Z_OK);
	}
	counts(20000);
	assert_int_equal(truncate(path, 20000), 0);
	assert_rc("E_IO", to_the_end("too early"));
	n = ZSTD_compressBound(b.len);
	assert_non_null(hsa_buf_reserve(&z, n));
	n = ZSTD_compress(z.p, n, b.p, b.len, 1);
	assert_false(ZSTD_isError(n));
	put(z.p, n);
	counts(20000);
	z.p[n / 2] ^= 0x55;
	put(z.p, n);
	assert_rc("E_IO", to_the_end("damaged"));
	hsa_buf_free(&b);
	hsa_buf_free(&z);
}

static void
test_val_in__drops_what_is_longer_than_the_limit_and_goes_on(void **state)
{
	size_t n = VAL_TEXT_MAX + 1000000;
	char *text = malloc(n + 10);
	char got[64];
	hsa_rc rc;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	text[0] = '{';
	memcpy(text + n, "\n{}\n", 4);
	put(text, n + 4);
	all(got, sizeof(got), &rc);
	assert_rc("E_NOT_FOUND", rc);
	assert_string_equal(got, "1!2:{}|");
	free(text);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(
	    path, sizeof(path), "/dev/shm/test-val-in-%ld", (long)getpid());
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_val_in__knows_the_shapes_of_files),
	    cmocka_unit_test(test_val_in__sees_through_gzip_and_zstd),
	    cmocka_unit_test(
		test_val_in__drops_what_is_longer_than_the_limit_and_goes_on),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
