#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_tke.h"
#include "tke_wire.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

static const uint8_t payload[] = {0xde, 0xad, 0xbe, 0xef, 0x01};

/* A request around payload, as text; the caller's. */
static struct hsa_buf
request(uint32_t module, uint32_t domain)
{
	struct hsa_buf b = {0};

	OK(tke_request_encode(&b, module, domain, payload, sizeof(payload)));
	return b;
}

static const char cprb[] =
    "0020040000805434000000000000001600000000000000000000000000000005"
    "DEADBEEF01";

/* A transport string with a right length in front of these fields. */
static const char *
counted(char *to, size_t cap, const char *fields)
{
	snprintf(to, cap, "%zu%s", strlen(fields), fields);
	return to;
}

static void
refused(const char *text, const char *err, enum tke_host_error want)
{
	enum tke_host_error host = TKE_HOST_OK;
	struct tke_request q = {0};
	struct hsa_diag diag = {0};

	ERR(tke_request_decode(&q, &host, text, strlen(text), &diag), err);
	assert_int_equal(host, want);
	assert_true(strlen(diag.text) > 10);
	assert_null(q.cprb.p);
}

static void
refused_fields(const char *fields, const char *err, enum tke_host_error want)
{
	char text[1024];

	refused(counted(text, sizeof(text), fields), err, want);
}

static void
test_tke_transport__request_round_trip_at_the_edges(void **state)
{
	static const uint32_t edge[] = {0, 1, 9, 10, 85, 4294967295u};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct hsa_buf b = request(edge[i], edge[5 - i]);
		struct tke_request q = {0};
		enum tke_host_error host = TKE_HOST_BAD_HEX;

		OK(tke_request_decode(&q, &host, (char *)b.p, b.len, NULL));
		assert_int_equal(host, TKE_HOST_OK);
		assert_int_equal(q.module_index, edge[i]);
		assert_int_equal(q.domain_index, edge[5 - i]);
		assert_int_equal(q.payload.n, sizeof(payload));
		assert_memory_equal(q.payload.p, payload, sizeof(payload));
		tke_request_free(&q);
		tke_request_free(&q);
		hsa_buf_free(&b);
	}
}

static void
test_tke_transport__either_case_of_hex_is_read(void **state)
{
	struct hsa_buf b = request(3, 22);
	struct tke_request q = {0};
	enum tke_host_error host = TKE_HOST_BAD_HEX;

	(void)state;
	for (size_t i = 40; i < b.len; i++)
		if (b.p[i] >= 'A' && b.p[i] <= 'F')
			b.p[i] |= 0x20;
	assert_non_null(strstr(hsa_buf_cstr(&b), "deadbeef"));
	OK(tke_request_decode(&q, &host, (char *)b.p, b.len, NULL));
	tke_request_free(&q);
	hsa_buf_free(&b);
}

static void
test_tke_transport__length_must_count_the_rest(void **state)
{
	char text[512], fields[256];

	(void)state;
	snprintf(fields, sizeof(fields), ";PCI request;XPNUM   ;3;        ;%s",
	    cprb);
	for (int off = -2; off <= 2; off++) {
		if (off == 0)
			continue;
		snprintf(text, sizeof(text), "%zu%s",
		    strlen(fields) + (size_t)off, fields);
		refused(text, "E_FORMAT", TKE_HOST_BAD_LENGTH);
	}
	snprintf(text, sizeof(text), "0%zu%s", strlen(fields), fields);
	refused(text, "E_FORMAT", TKE_HOST_BAD_LENGTH);
	snprintf(text, sizeof(text), "+%zu%s", strlen(fields), fields);
	refused(text, "E_FORMAT", TKE_HOST_BAD_LENGTH);
	snprintf(text, sizeof(text), "18446744073709551%zu%s", strlen(fields),
	    fields);
	refused(text, "E_FORMAT", TKE_HOST_BAD_LENGTH);
	refused("", "E_FORMAT", TKE_HOST_BAD_LENGTH);
	refused("0", "E_FORMAT", TKE_HOST_BAD_LENGTH);
	refused("1;", "E_FORMAT", TKE_HOST_BAD_LENGTH);
	refused(fields, "E_FORMAT", TKE_HOST_BAD_LENGTH);
}

static void
test_tke_transport__field_texts_are_exact(void **state)
{
	(void)state;
	refused_fields(";PCI Request;XPNUM   ;3;        ;00", "E_FORMAT",
	    TKE_HOST_BAD_LENGTH);
	refused_fields(";PCI request ;XPNUM   ;3;        ;00", "E_FORMAT",
	    TKE_HOST_BAD_LENGTH);
	refused_fields(";PCI request;XPNUM;3;        ;00", "E_FORMAT",
	    TKE_HOST_BAD_LENGTH);
	refused_fields(";PCI request;XPNUM   ;3;       ;00", "E_FORMAT",
	    TKE_HOST_BAD_LENGTH);
	refused_fields(";PCI request;XPNUM   ;3;        ", "E_TRUNCATED",
	    TKE_HOST_BAD_LENGTH);
	refused_fields(";PCI request;XPNUM   ;3;        ;00;", "E_TRAILING",
	    TKE_HOST_BAD_LENGTH);
}

static void
test_tke_transport__module_index_is_plain_decimal(void **state)
{
	static const char *const bad[] = {"", "03", "-1", "+1", " 3", "3 ",
	    "0x3", "4294967296", "99999999999", "A"};
	char fields[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(fields, sizeof(fields),
		    ";PCI request;XPNUM   ;%s;        ;%s", bad[i], cprb);
		refused_fields(fields, "E_FORMAT", TKE_HOST_MODULE_NUMBER);
	}
}

static void
test_tke_transport__bad_and_odd_hex_have_their_own_codes(void **state)
{
	char fields[512];

	(void)state;
	snprintf(fields, sizeof(fields), ";PCI request;XPNUM   ;3;        ;%s0",
	    cprb);
	refused_fields(fields, "E_FORMAT", TKE_HOST_ODD_HEX);
	snprintf(fields, sizeof(fields),
	    ";PCI request;XPNUM   ;3;        ;%s0g", cprb);
	refused_fields(fields, "E_FORMAT", TKE_HOST_BAD_HEX);
	snprintf(fields, sizeof(fields),
	    ";PCI request;XPNUM   ;3;        ;%s 0", cprb);
	refused_fields(fields, "E_FORMAT", TKE_HOST_BAD_HEX);
}

/* The good CPRB with one hex digit pair replaced. */
static void
cprb_byte(size_t at, const char *pair, const char *err)
{
	char fields[512], hex[sizeof(cprb)];

	memcpy(hex, cprb, sizeof(cprb));
	memcpy(hex + 2 * at, pair, 2);
	snprintf(
	    fields, sizeof(fields), ";PCI request;XPNUM   ;3;        ;%s", hex);
	refused_fields(fields, err, TKE_HOST_BAD_LENGTH);
}

static void
test_tke_transport__cprb_header_is_checked(void **state)
{
	(void)state;
	cprb_byte(1, "21", "E_FORMAT"); /* header length */
	cprb_byte(0, "01", "E_FORMAT");
	cprb_byte(2, "03", "E_FORMAT"); /* version */
	cprb_byte(6, "53", "E_FORMAT"); /* subtype */
	cprb_byte(7, "35", "E_FORMAT");
	cprb_byte(17, "01", "E_FORMAT");   /* a reply's codes */
	cprb_byte(31, "04", "E_TRAILING"); /* payload length */
	cprb_byte(31, "06", "E_TRUNCATED");
	cprb_byte(28, "FF", "E_TRUNCATED");
	refused_fields(";PCI request;XPNUM   ;3;        ;", "E_TRUNCATED",
	    TKE_HOST_BAD_LENGTH);
}

static void
test_tke_transport__beyond_the_limit_is_refused_unread(void **state)
{
	char *big = malloc(TKE_TRANSPORT_MAX + 1);
	struct tke_request q = {0};
	struct hsa_buf b = {0};
	struct tke_slice s = {0};
	enum tke_host_error host = TKE_HOST_OK;

	(void)state;
	assert_non_null(big);
	memset(big, '1', TKE_TRANSPORT_MAX + 1);
	ERR(tke_request_decode(&q, &host, big, TKE_TRANSPORT_MAX + 1, NULL),
	    "E_RANGE");
	assert_int_equal(host, TKE_HOST_BAD_LENGTH);
	ERR(tke_reply_decode(&b, &s, big, TKE_TRANSPORT_MAX + 1, NULL),
	    "E_RANGE");
	ERR(tke_request_encode(&b, 1, 1, big, TKE_TRANSPORT_MAX), "E_RANGE");
	ERR(tke_request_encode(&b, 1, 1, big, TKE_TRANSPORT_MAX / 2),
	    "E_RANGE");
	assert_int_equal(b.len, 0);
	OK(tke_request_encode(&b, 1, 1, big, TKE_TRANSPORT_MAX / 2 - 100));
	assert_true(b.len <= TKE_TRANSPORT_MAX);
	OK(tke_request_decode(&q, &host, (char *)b.p, b.len, NULL));
	tke_request_free(&q);
	hsa_buf_free(&b);
	free(big);
}

/* ---- replies ------------------------------------------------------------- */

static struct hsa_buf
reply(void)
{
	struct hsa_buf text = request(3, 22), b = {0};
	struct tke_request q = {0};
	enum tke_host_error host = TKE_HOST_OK;

	OK(tke_request_decode(&q, &host, (char *)text.p, text.len, NULL));
	OK(tke_reply_encode(&b, &q, payload, 3));
	tke_request_free(&q);
	hsa_buf_free(&text);
	return b;
}

static void
test_tke_transport__reply_echoes_the_header_and_decodes(void **state)
{
	struct hsa_buf b = reply(), got = {0};
	struct tke_slice p = {0};
	const char *text = hsa_buf_cstr(&b);
	const char *semi = strchr(text, ';');

	(void)state;
	assert_int_equal(strtoul(text, NULL, 10), strlen(semi));
	assert_memory_equal(semi + 1, "00", 2);
	assert_int_equal(strchr(semi + 1, ';') - semi - 1, 156);
	assert_string_equal(strrchr(text, ';') + 1,
	    "0020040000805434000000000000001600000000000000000000000000000003"
	    "deadbe");
	OK(tke_reply_decode(&got, &p, text, b.len, NULL));
	assert_int_equal(p.n, 3);
	assert_memory_equal(p.p, payload, 3);
	hsa_buf_free(&b);
	hsa_buf_free(&got);
}

static void
test_tke_transport__error_reply_has_fixed_columns(void **state)
{
	struct hsa_buf b = {0}, got = {0};
	struct tke_slice p = {0};
	struct hsa_diag diag = {0};
	const char *status;
	char longest[300];

	(void)state;
	ERR(tke_reply_encode_error(&b, TKE_HOST_OK, "fine"), "E_ARG");
	OK(tke_reply_encode_error(&b, TKE_HOST_BAD_HEX, "not; hex\n\"\x80"));
	status = strchr(hsa_buf_cstr(&b), ';') + 1;
	assert_int_equal(strlen(status), 156);
	assert_null(strchr(status, ';'));
	assert_memory_equal(status, "9 12      0       ", 18);
	assert_memory_equal(status + 56, "not, hex?\"? ", 12);
	ERR(tke_reply_decode(&got, &p, (char *)b.p, b.len, &diag), "E_REMOTE");
	assert_non_null(strstr(diag.text, "type 9, code 12, reason 0"));
	assert_non_null(strstr(diag.text, "not, hex"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	hsa_buf_reset(&b);
	OK(tke_reply_encode_error(&b, TKE_HOST_DOMAIN_RANGE, longest));
	assert_int_equal(strlen(strchr(hsa_buf_cstr(&b), ';') + 1), 156);
	assert_null(got.p);
	hsa_buf_free(&b);
}

static void
reply_refused(const char *text, const char *err)
{
	struct hsa_buf got = {0};
	struct tke_slice p = {0};
	struct hsa_diag diag = {0};

	ERR(tke_reply_decode(&got, &p, text, strlen(text), &diag), err);
	assert_true(strlen(diag.text) > 10);
	assert_null(got.p);
}

static void
test_tke_transport__malformed_replies_are_refused(void **state)
{
	char text[1024], status[157];

	(void)state;
	snprintf(status, sizeof(status), "00%154s", "");
	reply_refused("", "E_FORMAT");
	reply_refused("x;00", "E_FORMAT");
	reply_refused("12", "E_FORMAT");
	reply_refused("12;00", "E_TRUNCATED");
	snprintf(text, sizeof(text), "157;%s", status);
	reply_refused(text, "E_TRUNCATED");
	snprintf(text, sizeof(text), "157;%s;", status);
	reply_refused(text, "E_TRUNCATED");
	snprintf(text, sizeof(text), "157;%s;%.62s", status, cprb);
	reply_refused(text, "E_TRUNCATED");
	snprintf(text, sizeof(text), "157;%s;%s0", status, cprb);
	reply_refused(text, "E_FORMAT");
	snprintf(text, sizeof(text), "157;%s;%s00", status, cprb);
	reply_refused(text, "E_TRAILING");
	snprintf(text, sizeof(text), "157;%s;%s;", status, cprb);
	reply_refused(text, "E_TRAILING");
	/* CPRB return code 8, reason code 72 */
	snprintf(text, sizeof(text), "157;%s;%.32s00080048%s", status, cprb,
	    cprb + 40);
	reply_refused(text, "E_REMOTE");
}

static bool
try_request(const uint8_t *p, size_t n, void *arg)
{
	enum tke_host_error host = TKE_HOST_OK;
	struct tke_request q = {0};
	hsa_rc rc = tke_request_decode(&q, &host, (const char *)p, n, NULL);

	(void)arg;
	/* a host error is what the unit answers by: never without one */
	assert_int_equal(hsa_is_ok(rc), host == TKE_HOST_OK);
	tke_request_free(&q);
	return hsa_is_ok(rc);
}

static bool
try_reply(const uint8_t *p, size_t n, void *arg)
{
	struct hsa_buf b = {0};
	struct tke_slice s = {0};
	hsa_rc rc = tke_reply_decode(&b, &s, (const char *)p, n, NULL);

	(void)arg;
	hsa_buf_free(&b);
	return hsa_is_ok(rc);
}

static void
test_tke_transport__damage_is_refused_or_harmless(void **state)
{
	struct hsa_buf b = request(3, 22), r = reply();
	struct htke_damage d;

	(void)state;
	d = htke_damage(b.p, b.len, try_request, NULL);
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	/* other hex digits and other decimal digits of the index remain */
	assert_true(d.changed < d.tried / 2);
	d = htke_damage(r.p, r.len, try_reply, NULL);
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	hsa_buf_free(&b);
	hsa_buf_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_tke_transport__request_round_trip_at_the_edges),
	    cmocka_unit_test(test_tke_transport__either_case_of_hex_is_read),
	    cmocka_unit_test(test_tke_transport__length_must_count_the_rest),
	    cmocka_unit_test(test_tke_transport__field_texts_are_exact),
	    cmocka_unit_test(test_tke_transport__module_index_is_plain_decimal),
	    cmocka_unit_test(
		test_tke_transport__bad_and_odd_hex_have_their_own_codes),
	    cmocka_unit_test(test_tke_transport__cprb_header_is_checked),
	    cmocka_unit_test(
		test_tke_transport__beyond_the_limit_is_refused_unread),
	    cmocka_unit_test(
		test_tke_transport__reply_echoes_the_header_and_decodes),
	    cmocka_unit_test(test_tke_transport__error_reply_has_fixed_columns),
	    cmocka_unit_test(test_tke_transport__malformed_replies_are_refused),
	    cmocka_unit_test(test_tke_transport__damage_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
