/* Hashing in parts against OpenSSL's EVP digests, at every split, through the
 * saved form; and the bytes of operation states. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_hash.h"
#include "ep11_op.h"
#include "ep11_state.h"
#include "hsa_buf.h"

static const struct {
	CK_MECHANISM_TYPE type;
	const char *name;
	size_t len, block;
} hashes[] = {{CKM_SHA_1, "SHA1", 20, 64}, {CKM_SHA224, "SHA224", 28, 64},
    {CKM_SHA256, "SHA256", 32, 64}, {CKM_SHA384, "SHA384", 48, 128},
    {CKM_SHA512, "SHA512", 64, 128}};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

static uint8_t text[400];

static void
want(uint8_t *out, size_t i, size_t n)
{
	unsigned len = 0;

	assert_int_equal(EVP_Digest(text, n, out, &len,
			     EVP_get_digestbyname(hashes[i].name), NULL),
	    1);
	assert_int_equal(len, hashes[i].len);
}

/* Out and in again, as between two calls. */
static void
carry(struct ep11_hash *h)
{
	uint8_t saved[EP11_HASH_SAVED];

	ep11_hash_save(saved, h);
	memset(h, 0xa5, sizeof(*h));
	assert_int_equal(ep11_hash_decode(h, saved).v, 0);
}

static void
test_hash__split_anywhere_is_the_same_digest(void **state)
{
	size_t n_all = sizeof(text), checks = 0;

	(void)state;
	for (size_t i = 0; i < HASHES; i++)
		for (size_t n = 0; n <= n_all; n += n < 260 ? 1 : 70)
			for (size_t cut = 0; cut <= n; cut++) {
				uint8_t a[64], b[64];
				struct ep11_hash h;

				want(a, i, n);
				ep11_hash_init(&h, hashes[i].type);
				ep11_hash_update(&h, text, cut);
				carry(&h);
				ep11_hash_update(&h, text + cut, n - cut);
				carry(&h);
				ep11_hash_final(&h, b);
				assert_memory_equal(a, b, hashes[i].len);
				checks++;
			}
	printf("COUNT digests in two parts: %zu\n", checks);
}

static void
test_hash__byte_by_byte_is_the_same_digest(void **state)
{
	(void)state;
	for (size_t i = 0; i < HASHES; i++) {
		uint8_t a[64], b[64];
		struct ep11_hash h;

		want(a, i, sizeof(text));
		ep11_hash_init(&h, hashes[i].type);
		for (size_t j = 0; j < sizeof(text); j++) {
			ep11_hash_update(&h, text + j, 1);
			carry(&h);
		}
		ep11_hash_final(&h, b);
		assert_memory_equal(a, b, hashes[i].len);
	}
}

static void
test_hash__lengths_are_the_standards(void **state)
{
	(void)state;
	for (size_t i = 0; i < HASHES; i++) {
		assert_int_equal(ep11_hash_len(hashes[i].type), hashes[i].len);
		assert_int_equal(
		    ep11_hash_block(hashes[i].type), hashes[i].block);
	}
	assert_int_equal(ep11_hash_len(CKM_MD5), 0);
	assert_int_equal(ep11_hash_block(CKM_MD5), 0);
}

/* Whatever save does not write is refused: types, counts, spare bytes. */
static void
test_hash__other_bytes_are_refused(void **state)
{
	uint8_t good[EP11_HASH_SAVED], bad[EP11_HASH_SAVED];
	struct ep11_hash h;

	(void)state;
	ep11_hash_init(&h, CKM_SHA_1);
	ep11_hash_update(&h, text, 70);
	ep11_hash_save(good, &h);
	for (size_t i = 0; i < sizeof(good); i++) {
		/* words of 32 bits in 64: five of them for SHA-1; six bytes
		 * held */
		bool value = (i >= 12 && i < 52 && (i - 12) % 8 >= 4) ||
			     (i >= 76 && i < 82);

		memcpy(bad, good, sizeof(bad));
		bad[i] ^= 0x80;
		if (i >= 5 && i < 12)
			continue; /* another count of whole blocks */
		assert_int_equal(ep11_hash_decode(&h, bad).v == 0, value);
	}
	memcpy(bad, good, sizeof(bad));
	bad[11]--; /* a byte too many held */
	assert_int_not_equal(ep11_hash_decode(&h, bad).v, 0);
}

/* ---- the bytes of a state ------------------------------------------------ */

static const struct hsa_mech mech = {.type = 0x80010007u,
    .kind = HSA_MECH_GCM,
    .a = {(const uint8_t *)"iv", 2},
    .b = {(const uint8_t *)"aad", 3},
    .hash = 1,
    .mgf = 2,
    .source_type = 3,
    .salt_len = 4,
    .kdf = 5,
    .tag_bits = 6};
static const struct hsa_slice key = {(const uint8_t *)"blob", 4};

static void
test_op__holds_everything(void **state)
{
	struct hsa_buf b = {0};
	struct ep11_op op = {0};

	(void)state;
	assert_int_equal(ep11_op_encode(&b, &mech, key, 7).v, 0);
	assert_int_equal(b.len, 58 + 4 + 5 + 6 + 9);
	assert_int_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	assert_false(op.fed);
	assert_int_equal(op.mech.type, mech.type);
	assert_int_equal(op.mech.kind, HSA_MECH_GCM);
	assert_memory_equal(op.mech.a.p, "iv", 2);
	assert_memory_equal(op.mech.b.p, "aad", 3);
	assert_int_equal(op.mech.hash, 1);
	assert_int_equal(op.mech.mgf, 2);
	assert_int_equal(op.mech.source_type, 3);
	assert_int_equal(op.mech.salt_len, 4);
	assert_int_equal(op.mech.kdf, 5);
	assert_int_equal(op.mech.tag_bits, 6);
	assert_memory_equal(op.key.p, "blob", 4);
	assert_int_equal(op.work_len, 7);
	assert_memory_equal(op.work, "\0\0\0\0\0\0\0", 7);
	assert_null(ep11_chain_of(&op));
	op.work[3] = 9;
	ep11_op_feed(&op, b.p);
	assert_int_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	assert_true(op.fed);
	assert_int_equal(op.work[3], 9);
	hsa_buf_free(&b);
}

static void
test_op__cut_or_longer_is_refused(void **state)
{
	struct hsa_buf b = {0};
	struct ep11_op op = {0};

	(void)state;
	assert_int_equal(ep11_op_encode(&b, &mech, key, 50).v, 0);
	for (size_t n = 0; n < b.len; n++)
		assert_int_not_equal(ep11_op_decode(&op, b.p, n).v, 0);
	hsa_buf_u8(&b, 0);
	assert_int_not_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	b.len--;
	assert_int_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	assert_non_null(ep11_chain_of(&op));
	op.work[16] = 33; /* held bytes */
	assert_null(ep11_chain_of(&op));
	op.work[16] = 32;
	op.work[17] = 2;
	assert_null(ep11_chain_of(&op));
	b.p[0] = 2;
	assert_int_not_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	b.p[0] = 0;
	b.p[9] = HSA_MECH_OTHER + 1;
	assert_int_not_equal(ep11_op_decode(&op, b.p, b.len).v, 0);
	hsa_buf_free(&b);
}

static void
test_state__bytes_lie_as_the_header_says(void **state)
{
	static const uint8_t iv[16] = "0123456789abcdef";
	static const uint8_t id[16] = "ABCDEFGHIJKLMNOP";
	struct ep11_state_head h = {0};
	struct hsa_buf b = {0};

	(void)state;
	ep11_state_head_put(&b, EP11_STATE_SIGN, iv, id, 5);
	assert_int_equal(b.len, EP11_STATE_HEAD);
	hsa_buf_put(&b, "body.", 5);
	for (int i = 0; i < EP11_MAC_LEN; i++)
		hsa_buf_u8(&b, (uint8_t)i);
	assert_int_equal(ep11_state_decode(&h, b.p, b.len).v, 0);
	assert_int_equal(h.kind, EP11_STATE_SIGN);
	assert_memory_equal(h.iv, iv, 16);
	assert_ptr_equal(h.wkid, b.p + 32);
	assert_memory_equal(h.wkid, id, 16);
	assert_memory_equal(h.body.p, "body.", 5);
	assert_ptr_equal(h.mac, b.p + EP11_STATE_HEAD + 5);
	assert_int_equal(h.maced.n, EP11_STATE_HEAD + 5);
	for (size_t n = 0; n < b.len; n++)
		assert_int_not_equal(ep11_state_decode(&h, b.p, n).v, 0);
	/* all but IV, id, body and MAC is fixed; the kind has five values */
	for (size_t i = 0; i < EP11_STATE_HEAD; i++) {
		bool fixed = i < 4 || (i >= 20 && i < 32) || i >= 48;

		b.p[i] ^= 0x80;
		assert_int_equal(
		    ep11_state_decode(&h, b.p, b.len).v != 0, fixed);
		b.p[i] ^= 0x80;
	}
	hsa_buf_u8(&b, 0);
	assert_int_not_equal(ep11_state_decode(&h, b.p, b.len).v, 0);
	hsa_buf_free(&b);
}

static void
test_state__longer_than_hosts_have_room_for_is_refused(void **state)
{
	static const uint8_t zero[EP11_STATE_MAX];
	static const struct {
		enum ep11_state_kind kind;
		size_t max;
	} kinds[] = {{EP11_STATE_DIGEST, 1024}, {EP11_STATE_VERIFY, 12288}};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t more = 0; more < 2; more++) {
			size_t n = kinds[i].max - EP11_STATE_HEAD + more;
			struct ep11_state_head h = {0};
			struct hsa_buf b = {0};

			ep11_state_head_put(
			    &b, kinds[i].kind, zero, zero, n - EP11_MAC_LEN);
			hsa_buf_put(&b, zero, n);
			assert_int_equal(
			    ep11_state_decode(&h, b.p, b.len).v == 0,
			    more == 0);
			hsa_buf_free(&b);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hash__split_anywhere_is_the_same_digest),
	    cmocka_unit_test(test_hash__byte_by_byte_is_the_same_digest),
	    cmocka_unit_test(test_hash__lengths_are_the_standards),
	    cmocka_unit_test(test_hash__other_bytes_are_refused),
	    cmocka_unit_test(test_op__holds_everything),
	    cmocka_unit_test(test_op__cut_or_longer_is_refused),
	    cmocka_unit_test(test_state__bytes_lie_as_the_header_says),
	    cmocka_unit_test(
		test_state__longer_than_hosts_have_room_for_is_refused),
	};

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
