#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>

#include "tke_der.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

/* Length n in our header and in OpenSSL's. */
static void
header_is_openssls(size_t n)
{
	uint8_t want[16] = {0}, *to = want;
	struct hsa_buf b = {0};

	ASN1_put_object(&to, 0, (int)n, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
	tke_der_header(&b, TKE_DER_OCTETS, n);
	assert_int_equal(b.len, (size_t)(to - want));
	assert_memory_equal(b.p, want, b.len);
	hsa_buf_free(&b);
}

static void
test_tke_der__headers_are_those_of_openssl(void **state)
{
	static const size_t edges[] = {0, 1, 127, 128, 129, 255, 256, 257,
	    65535, 65536, 65537, 0xffffff, 0x1000000, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		header_is_openssls(edges[i]);
}

static void
test_tke_der__what_is_written_is_read_back(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
	uint8_t *bytes = calloc(1, 70000);

	(void)state;
	memset(bytes, 0x5a, 70000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct hsa_buf b = {0}, w = {0};
		struct tke_slice v = {0};
		struct hsa_cur c;

		tke_der_put(&b, TKE_DER_OCTETS, bytes, sizes[i]);
		/* wrap makes the same of bytes that are there already */
		hsa_buf_u8(&w, 0x77);
		hsa_buf_put(&w, bytes, sizes[i]);
		tke_der_wrap(&w, 1, TKE_DER_OCTETS);
		assert_int_equal(w.len, b.len + 1);
		assert_int_equal(w.p[0], 0x77);
		assert_memory_equal(w.p + 1, b.p, b.len);
		c = hsa_cur_of(b.p, b.len);
		OK(tke_der_value(&c, &v, TKE_DER_OCTETS));
		OK(hsa_cur_end(&c));
		assert_int_equal(v.n, sizes[i]);
		assert_memory_equal(v.p, bytes, v.n);
		hsa_buf_free(&b);
		hsa_buf_free(&w);
	}
	free(bytes);
}

/* rc of reading one octet string; *n its length. */
static hsa_rc
read_octets(const void *p, size_t size, size_t *n)
{
	struct hsa_cur c = hsa_cur_of(p, size), before = c;
	struct tke_slice v = {0};
	hsa_rc rc = tke_der_value(&c, &v, TKE_DER_OCTETS);

	if (!hsa_is_ok(rc))
		assert_ptr_equal(c.p, before.p);
	*n = v.n;
	return rc;
}

static void
test_tke_der__surplus_length_bytes_are_read(void **state)
{
	static const struct {
		uint8_t p[8];
		size_t size;
	} spelling[] = {
	    {{0x04, 0x02, 0xaa, 0xbb}, 4},
	    {{0x04, 0x81, 0x02, 0xaa, 0xbb}, 5},
	    {{0x04, 0x82, 0x00, 0x02, 0xaa, 0xbb}, 6},
	    {{0x04, 0x83, 0x00, 0x00, 0x02, 0xaa, 0xbb}, 7},
	    {{0x04, 0x84, 0x00, 0x00, 0x00, 0x02, 0xaa, 0xbb}, 8},
	};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		OK(read_octets(spelling[i].p, spelling[i].size, &n));
		assert_int_equal(n, 2);
		for (size_t cut = 0; cut < spelling[i].size; cut++)
			ERR(read_octets(spelling[i].p, cut, &n), "E_TRUNCATED");
	}
}

static void
test_tke_der__indefinite_and_five_byte_lengths_are_refused(void **state)
{
	static const uint8_t indefinite[] = {0x04, 0x80, 0xaa, 0x00, 0x00};
	static const uint8_t five[] = {0x04, 0x85, 0, 0, 0, 0, 1, 0xaa};
	static const uint8_t reserved[] = {0x04, 0xff, 0xaa};
	static const uint8_t huge[] = {0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0};
	size_t n = 0;

	(void)state;
	ERR(read_octets(indefinite, sizeof(indefinite), &n), "E_FORMAT");
	ERR(read_octets(five, sizeof(five), &n), "E_FORMAT");
	ERR(read_octets(reserved, sizeof(reserved), &n), "E_FORMAT");
	ERR(read_octets(huge, sizeof(huge), &n), "E_TRUNCATED");
}

static void
test_tke_der__another_tag_or_size_is_refused(void **state)
{
	static const uint8_t five[] = {0x04, 0x05, 0, 0, 0, 0, 1};
	static const uint8_t seq[] = {0x30, 0x04, 0, 0, 0, 1};
	const uint8_t *p = NULL;
	uint32_t v = 7;
	struct hsa_cur c = hsa_cur_of(five, sizeof(five));

	(void)state;
	ERR(tke_der_u32(&c, &v), "E_FORMAT");
	assert_int_equal(v, 7);
	OK(tke_der_fixed(&c, &p, TKE_DER_OCTETS, 5));
	c = hsa_cur_of(seq, sizeof(seq));
	ERR(tke_der_u32(&c, &v), "E_FORMAT");
	assert_int_equal(tke_der_peek(&c), TKE_DER_SEQ);
	c = hsa_cur_of(NULL, 0);
	assert_int_equal(tke_der_peek(&c), 0);
	ERR(tke_der_u32(&c, &v), "E_TRUNCATED");
}

static hsa_rc
read_unsigned(const void *p, size_t n, struct tke_slice *v, size_t max)
{
	struct hsa_cur c = hsa_cur_of(p, n);

	return tke_der_unsigned(&c, v, max);
}

static void
test_tke_der__integers_are_unsigned_without_leading_zeros(void **state)
{
	static const uint8_t padded[] = {0x02, 0x04, 0, 0, 0x12, 0x34};
	static const uint8_t top[] = {0x02, 0x02, 0x80, 0x01};
	static const uint8_t zero[] = {0x02, 0x02, 0, 0};
	static const uint8_t empty[] = {0x02, 0x00};
	struct tke_slice v = {0};

	(void)state;
	OK(read_unsigned(padded, sizeof(padded), &v, 2));
	assert_int_equal(v.n, 2);
	assert_int_equal(v.p[0], 0x12);
	ERR(read_unsigned(padded, sizeof(padded), &v, 1), "E_FORMAT");
	OK(read_unsigned(top, sizeof(top), &v, 2));
	assert_int_equal(v.n, 2);
	OK(read_unsigned(zero, sizeof(zero), &v, 2));
	assert_int_equal(v.n, 0);
	ERR(read_unsigned(empty, sizeof(empty), &v, 2), "E_FORMAT");
}

static void
integer_is(const void *p, size_t n, const void *want, size_t wn)
{
	struct hsa_buf b = {0};

	tke_der_put_unsigned(&b, p, n);
	assert_int_equal(b.len, wn);
	assert_memory_equal(b.p, want, wn);
	hsa_buf_free(&b);
}

static void
test_tke_der__integers_are_written_minimal_and_positive(void **state)
{
	(void)state;
	integer_is("\0\0\x12", 3, "\x02\x01\x12", 3);
	integer_is("\x80", 1, "\x02\x02\0\x80", 4);
	integer_is("\0\xff\x00", 3, "\x02\x03\0\xff\x00", 5);
	integer_is("\0\0", 2, "\x02\x01\0", 3);
	integer_is("", 0, "\x02\x01\0", 3);
}

static void
test_tke_der__algorithm_parameters_are_null_or_absent(void **state)
{
	static const uint8_t absent[] = {0x30, 4, 6, 2, 0x55, 0x04};
	static const uint8_t null[] = {0x30, 6, 6, 2, 0x55, 0x04, 5, 0};
	static const uint8_t twice[] = {0x30, 8, 6, 2, 0x55, 4, 5, 0, 5, 0};
	static const uint8_t other[] = {0x30, 6, 6, 2, 0x55, 0x04, 4, 0};
	struct hsa_cur c = hsa_cur_of(absent, sizeof(absent));

	(void)state;
	OK(tke_der_algorithm(&c, "\x55\x04", 2));
	OK(hsa_cur_end(&c));
	c = hsa_cur_of(null, sizeof(null));
	ERR(tke_der_algorithm(&c, "\x55\x05", 2), "E_FORMAT");
	OK(tke_der_algorithm(&c, "\x55\x04", 2));
	c = hsa_cur_of(twice, sizeof(twice));
	ERR(tke_der_algorithm(&c, "\x55\x04", 2), "E_TRAILING");
	c = hsa_cur_of(other, sizeof(other));
	ERR(tke_der_algorithm(&c, "\x55\x04", 2), "E_FORMAT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tke_der__headers_are_those_of_openssl),
	    cmocka_unit_test(test_tke_der__what_is_written_is_read_back),
	    cmocka_unit_test(test_tke_der__surplus_length_bytes_are_read),
	    cmocka_unit_test(
		test_tke_der__indefinite_and_five_byte_lengths_are_refused),
	    cmocka_unit_test(test_tke_der__another_tag_or_size_is_refused),
	    cmocka_unit_test(
		test_tke_der__integers_are_unsigned_without_leading_zeros),
	    cmocka_unit_test(
		test_tke_der__integers_are_written_minimal_and_positive),
	    cmocka_unit_test(
		test_tke_der__algorithm_parameters_are_null_or_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
