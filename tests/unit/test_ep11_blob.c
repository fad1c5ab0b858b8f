/* Key blobs and MACed public keys by offset, as hosts read them
 * (ep11-host-api 10.1, 10.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_blob.h"
#include "hsa_call.h"

static const uint8_t wrapped[40] = {0xcc, 0xcd};
static const uint8_t params[10] = {0x06, 0x08, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t bare[34] = {0x30, 0x20, 0x77};
static const uint8_t mac[EP11_MAC_LEN] = {0xee};

static struct ep11_blob
ec_key(void)
{
	struct ep11_blob b = {.session = {0x11, 0x12, 0x13, 0x14, 0xaa},
	    .wkid = {0x21, 0x22},
	    .cls = CKO_PRIVATE_KEY,
	    .type = CKK_EC,
	    .bools = 0x00123456,
	    .mode = 0x0102030405060708,
	    .iv = {0x31},
	    .form = EP11_FORM_OBJECT,
	    .bits = 256,
	    .params = {params, sizeof(params)},
	    .spki = {bare, sizeof(bare)},
	    .wrapped = {wrapped, sizeof(wrapped)}};

	return b;
}

static void
whole(struct hsa_buf *b, const struct ep11_blob *blob)
{
	hsa_buf_reset(b);
	assert_int_equal(ep11_blob_encode(b, blob).v, 0);
	hsa_buf_put(b, mac, sizeof(mac));
	assert_int_equal(hsa_buf_rc(b).v, 0);
}

static void
test_ep11_blob__lies_as_hosts_read_it(void **state)
{
	static const uint8_t words[16] = {0x03, 0, 0, 0x03, 0x56, 0x34, 0x12, 0,
	    0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01};
	static const uint8_t clear[] = {1, 0, 0, 1, 0, 0, 10};
	struct ep11_blob k = ec_key(), got = {0};
	struct hsa_buf b = {0};
	uint16_t version = 0;
	uint32_t word = 0;

	(void)state;
	whole(&b, &k);
	assert_int_equal(b.len, 80 + 7 + 10 + 2 + 34 + 40 + 32);
	assert_memory_equal(b.p, k.session, 32);
	assert_memory_equal(b.p + 32, k.wkid, 16);
	assert_memory_equal(b.p + 48, words, 16);
	/* through native words, as the host does on this machine */
	memcpy(&word, b.p + 52, 4);
	assert_int_equal(word, 0x00123456);
	memcpy(&version, b.p + 64, 2);
	assert_int_equal(version, 0x1234);
	assert_memory_equal(b.p + 66, k.iv, 14);
	assert_memory_equal(b.p + 80, clear, sizeof(clear));
	assert_memory_equal(b.p + 87, params, 10);
	assert_int_equal(b.p[97], 0);
	assert_int_equal(b.p[98], 34);
	assert_memory_equal(b.p + 99, bare, 34);
	assert_memory_equal(b.p + 133, wrapped, 40);
	assert_memory_equal(b.p + 173, mac, 32);

	assert_int_equal(ep11_blob_decode(&got, b.p, b.len).v, 0);
	assert_int_equal(got.cls, CKO_PRIVATE_KEY);
	assert_int_equal(got.type, CKK_EC);
	assert_int_equal(got.bools, k.bools);
	assert_int_equal(got.mode, k.mode);
	assert_int_equal(got.bits, 256);
	assert_int_equal(got.form, EP11_FORM_OBJECT);
	assert_ptr_equal(got.spki.p, b.p + 99);
	assert_int_equal(got.wrapped.n, 40);
	ep11_blob_set_bools(b.p, 0x00abcdef);
	assert_int_equal(ep11_blob_decode(&got, b.p, b.len).v, 0);
	assert_int_equal(got.bools, 0x00abcdef);
	assert_false(ep11_is_spki(b.p, b.len));
	hsa_buf_free(&b);
}

static void
test_ep11_blob__refuses_what_it_could_not_have_written(void **state)
{
	struct ep11_blob k = ec_key(), got = {0};
	struct hsa_buf b = {0};

	(void)state;
	k.session[0] = 0x30;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k = ec_key();
	k.spki.n = 0;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k = ec_key();
	k.cls = CKO_SECRET_KEY;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k.cls = CKO_PUBLIC_KEY;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k = ec_key();
	k.wrapped.n = 39;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k.wrapped.n = 8;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_FORMAT);
	k = ec_key();
	k.type = 0x80010023;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_RANGE);
	assert_int_equal(b.len, 0);

	k = ec_key();
	whole(&b, &k);
	for (size_t n = 0; n < b.len; n++) {
		hsa_rc rc = ep11_blob_decode(&got, b.p, n);

		/* cut in the material, what is left may still be whole blocks
		 */
		if (n < 133 + 16 + 32 || (b.len - n) % 8 != 0)
			assert_int_not_equal(rc.v, 0);
	}
	b.p[64] ^= 1;
	assert_int_equal(ep11_blob_decode(&got, b.p, b.len).v, HSA_E_FORMAT);
	b.p[64] ^= 1;
	b.p[80] = 3;
	assert_int_equal(ep11_blob_decode(&got, b.p, b.len).v, HSA_E_FORMAT);
	hsa_buf_free(&b);
}

static void
test_ep11_blob__is_limited_with_its_mac(void **state)
{
	static const uint8_t much[HSA_BLOB_MAX];
	struct ep11_blob k = ec_key(), got = {0};
	struct hsa_buf b = {0};
	size_t room = HSA_BLOB_MAX - 133 - EP11_MAC_LEN;

	(void)state;
	k.wrapped = (struct hsa_slice){much, room - room % 8};
	whole(&b, &k);
	assert_int_equal(ep11_blob_decode(&got, b.p, b.len).v, 0);
	hsa_buf_reset(&b);
	k.wrapped.n += 8;
	assert_int_equal(ep11_blob_encode(&b, &k).v, HSA_E_RANGE);
	assert_int_equal(
	    ep11_blob_decode(&got, much, HSA_BLOB_MAX + 1).v, HSA_E_RANGE);
	hsa_buf_free(&b);
}

static void
test_ep11_blob__public_key_is_six_octet_strings_after_its_spki(void **state)
{
	struct ep11_spki s = {.spki = {bare, sizeof(bare)},
	    .wkid = {0x21},
	    .session = {0x41},
	    .salt = {0x51},
	    .mode = 2,
	    .bools = 0x00018820,
	    .maced = true};
	struct ep11_spki got = {0};
	struct hsa_buf b = {0};
	size_t maced = 0;
	uint32_t word = 0;

	(void)state;
	assert_int_equal(ep11_spki_encode(&b, &s).v, 0);
	assert_int_equal(b.len, 34 + 18 + 34 + 10 + 10 + 14);
	hsa_buf_u8(&b, 4);
	hsa_buf_u8(&b, 32);
	hsa_buf_put(&b, mac, sizeof(mac));
	assert_int_equal(b.len, 34 + EP11_SPKI_TAIL);
	assert_memory_equal(b.p, bare, 34);
	assert_int_equal(b.p[34], 4);
	assert_int_equal(b.p[35], 16);
	assert_memory_equal(b.p + 36, s.wkid, 16);
	assert_int_equal(b.p[53], 32);
	assert_memory_equal(b.p + 54, s.session, 32);
	assert_memory_equal(b.p + 88, s.salt, 8);
	assert_int_equal(b.p[98], 2);
	/* attributes: version in the low nibble, word in the second half */
	assert_int_equal(b.p[107], 12);
	assert_int_equal(b.p[108] & 0x0f, 1);
	memcpy(&word, b.p + 108 + 4 + 4, 4);
	assert_int_equal(word, 0x00018820);

	assert_int_equal(ep11_spki_decode(&got, &maced, b.p, b.len).v, 0);
	assert_true(got.maced);
	assert_int_equal(maced, b.len - 34);
	assert_memory_equal(b.p + maced + 2, mac, 32);
	assert_int_equal(got.bools, s.bools);
	assert_int_equal(got.mode, 2);
	assert_ptr_equal(got.spki.p, b.p);
	assert_int_equal(got.spki.n, 34);
	assert_true(ep11_is_spki(b.p, b.len));

	for (size_t n = 0; n < b.len; n++)
		if (n == 34) {
			assert_int_equal(
			    ep11_spki_decode(&got, &maced, b.p, n).v, 0);
			assert_false(got.maced);
			assert_int_equal(maced, 0);
		} else
			assert_int_not_equal(
			    ep11_spki_decode(&got, &maced, b.p, n).v, 0);
	hsa_buf_u8(&b, 0);
	assert_int_equal(
	    ep11_spki_decode(&got, &maced, b.p, b.len).v, HSA_E_TRAILING);
	hsa_buf_free(&b);
}

static void
test_ep11_blob__public_key_lengths_have_one_spelling(void **state)
{
	static const uint8_t long_form[] = {0x30, 0x81, 0x02, 5, 0};
	static const uint8_t longer[] = {0x30, 0x82, 0x00, 0x02, 5, 0};
	static const uint8_t endless[] = {0x30, 0x80, 0, 0};
	struct ep11_spki got = {0};
	size_t maced = 0;

	(void)state;
	assert_int_equal(
	    ep11_spki_decode(&got, &maced, long_form, sizeof(long_form)).v,
	    HSA_E_FORMAT);
	assert_int_equal(
	    ep11_spki_decode(&got, &maced, longer, sizeof(longer)).v,
	    HSA_E_FORMAT);
	assert_int_equal(
	    ep11_spki_decode(&got, &maced, endless, sizeof(endless)).v,
	    HSA_E_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ep11_blob__lies_as_hosts_read_it),
	    cmocka_unit_test(
		test_ep11_blob__refuses_what_it_could_not_have_written),
	    cmocka_unit_test(test_ep11_blob__is_limited_with_its_mac),
	    cmocka_unit_test(
		test_ep11_blob__public_key_is_six_octet_strings_after_its_spki),
	    cmocka_unit_test(
		test_ep11_blob__public_key_lengths_have_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
