#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_addr.h"
#include "hsa_buf.h"

static void
test_addr__takes_paths_names_and_both_kinds_of_addresses(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned int port;
		bool numeric;
	} row[] = {
	    {"tls:localhost:6514", "localhost", 6514, false},
	    {"tls:a-1.Example.org:1", "a-1.Example.org", 1, false},
	    {"tls:127.0.0.1:65535", "127.0.0.1", 65535, true},
	    {"tls:[::1]:443", "::1", 443, true},
	    {"tls:[2001:db8::53]:0", "2001:db8::53", 0, true},
	};
	struct hsa_addr a;
	struct hsa_buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_ok(hsa_addr_parse(&a, row[i].text));
		assert_int_equal(a.kind, HSA_ADDR_TLS);
		assert_string_equal(a.host, row[i].host);
		assert_int_equal(a.port, row[i].port);
		assert_int_equal(a.numeric, row[i].numeric);
		hsa_addr_text(&b, &a);
		assert_string_equal(hsa_buf_cstr(&b), row[i].text);
		hsa_buf_reset(&b);
	}
	assert_ok(hsa_addr_parse(&a, "unix:a:b/c"));
	assert_int_equal(a.kind, HSA_ADDR_UNIX);
	assert_string_equal(a.path, "a:b/c");
	hsa_buf_free(&b);
}

static void
test_addr__refuses_what_could_be_read_in_two_ways(void **state)
{
	static const char *const format[] = {"tls:", "tls:host",
	    "tls:host:", "tls::1", "tls:host:65536", "tls:host:-1",
	    "tls:host:+1", "tls:host:01", "tls:host:1x", "tls:host: 1",
	    "tls:::1:443", "tls:[::1]443", "tls:[::1:443", "tls:[]:1",
	    "tls:[host]:1", "tls:[127.0.0.1]:1", "tls:[fe80::1%lo]:1",
	    "tls:1.2.3:44", "tls:1.2.3.4.5:44", "tls:256.1.1.1:1", "tls:-a:1",
	    "tls:a-:1", "tls:a..b:1", "tls:.a:1", "tls:a.:1", "tls:a_b:1",
	    "tls:a b:1", "tls:h\xc3\xb6st:1", "unix:"};
	char longest[4 + 254 + 3] = "tls:";
	struct hsa_addr a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(format) / sizeof(format[0]); i++)
		assert_rc("E_FORMAT", hsa_addr_parse(&a, format[i]));
	assert_rc("E_UNSUPPORTED", hsa_addr_parse(&a, ""));
	assert_rc("E_UNSUPPORTED", hsa_addr_parse(&a, "tcp:host:1"));
	assert_rc("E_UNSUPPORTED", hsa_addr_parse(&a, "TLS:host:1"));
	assert_int_equal(a.kind, 0);
	/* 253 characters are a name, 254 are none; nor is a label of 64 */
	for (size_t i = 0; i < 253; i++)
		longest[4 + i] = i % 50 == 49 ? '.' : 'a';
	memcpy(longest + 4 + 253, ":1", 3);
	assert_ok(hsa_addr_parse(&a, longest));
	longest[4 + 49] = 'a';
	assert_rc("E_FORMAT", hsa_addr_parse(&a, longest));
	longest[4 + 49] = '.';
	memcpy(longest + 4 + 253, "a:1", 4);
	assert_rc("E_FORMAT", hsa_addr_parse(&a, longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_addr__takes_paths_names_and_both_kinds_of_addresses),
	    cmocka_unit_test(test_addr__refuses_what_could_be_read_in_two_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
