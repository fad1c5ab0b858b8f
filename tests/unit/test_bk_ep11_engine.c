/* What the engine holds for every call, and logins, on a real token. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_login.h"
#include "helper_ep11.h"

static struct helper_ep11 H;
static const uint8_t VALUE[32] = "known to everybody in this test";
#define USES (EP11_ENCRYPT | EP11_EXTRACTABLE)

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

static int
fresh(void **state)
{
	uint8_t cp[EP11_CP_LEN];

	(void)state;
	ep11_cp_default(cp);
	ep11_engine_control_points(H.e, cp, 0);
	helper_ep11_wk(&H, -1, -1);
	helper_ep11_wk(&H, 0, -1);
	return 0;
}

static void
cp_off(enum ep11_cp bit)
{
	uint8_t cp[EP11_CP_LEN];

	ep11_cp_default(cp);
	cp[(unsigned)bit / 8] &= (uint8_t) ~(0x80 >> (unsigned)bit % 8);
	ep11_engine_control_points(H.e, cp, 0);
}

static struct hsa_slice
text(const char *s)
{
	return (struct hsa_slice){(const uint8_t *)s, strlen(s)};
}

/* Pin blob of a login, or what was answered. */
static CK_RV
login(struct helper_ep11 *h, struct hsa_buf *blob, const char *pin,
    const char *nonce)
{
	struct hsa_call c = {.pin = text(pin), .nonce = text(nonce)};
	CK_RV rv = helper_ep11_call(h, &c, HSA_FN_LOGIN);

	hsa_buf_reset(blob);
	hsa_buf_put(blob, c.out.p, c.out.len);
	assert_int_equal(c.has_session, rv == CKR_OK);
	if (rv == CKR_OK)
		assert_memory_equal(c.session, c.out.p, 32);
	hsa_call_free(&c);
	return rv;
}

static CK_RV
logout(const struct hsa_buf *blob)
{
	struct hsa_call c = {.pin = helper_slice(blob)};
	CK_RV rv = helper_ep11_call(&H, &c, HSA_FN_LOGOUT);

	hsa_call_free(&c);
	return rv;
}

static CK_RV
usable(const struct hsa_buf *key, struct hsa_call *c)
{
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_key_get(H.e, &k, c, helper_slice(key), EP11_ENCRYPT);

	ep11_key_put(H.e, k);
	return rv;
}

/* ---- every call ---------------------------------------------------------- */

static void
test_bk_ep11_engine__random_keeps_to_room_and_length_queries(void **state)
{
	struct hsa_call c = {.number = 40};
	uint8_t first[40];

	(void)state;
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM), CKR_OK);
	assert_int_equal(c.out.len, 40);
	assert_int_equal(c.needed, 40);
	memcpy(first, c.out.p, 40);
	c.limited = true;
	c.room = 40;
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM), CKR_OK);
	assert_memory_not_equal(c.out.p, first, 40);
	c.room = 39;
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(c.needed, 40);
	assert_int_equal(c.out.len, 0);
	/* wiped, not only forgotten */
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(c.out.p[i], 0);
	c.length_only = true;
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM), CKR_OK);
	assert_int_equal(c.needed, 40);
	assert_int_equal(c.out.len, 0);
	c.length_only = false;
	c.number = HSA_CALL_DATA_MAX + 1;
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(c.needed, 0);
	c.number = 0;
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM), CKR_OK);
	hsa_call_free(&c);
}

static void
test_bk_ep11_engine__seeds_where_the_control_point_allows(void **state)
{
	struct hsa_call c = {.data = text("entropy of a host")};

	(void)state;
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_SEED_RANDOM), CKR_OK);
	cp_off(EP11_CP_RNG_SEED);
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_SEED_RANDOM),
	    CKR_FUNCTION_CANCELED);
	hsa_call_free(&c);
}

static void
test_bk_ep11_engine__refuses_what_is_too_long_for_any_call(void **state)
{
	static const uint8_t much[HSA_CALL_DATA_MAX + 1];
	static const struct hsa_attr attr[HSA_CALL_ATTR_MAX + 1];
	const struct hsa_slice data = {much, sizeof(much)};
	const struct hsa_slice blob = {much, HSA_BLOB_MAX + 1};
	const struct {
		struct hsa_call c;
		CK_RV rv;
	} row[] = {
	    {{.data = data}, CKR_DATA_LEN_RANGE},
	    {{.key = blob}, CKR_IBM_BLOB_ERROR},
	    {{.key2 = blob}, CKR_IBM_BLOB_ERROR},
	    {{.key3 = blob}, CKR_IBM_BLOB_ERROR},
	    {{.state = blob}, CKR_SAVED_STATE_INVALID},
	    {{.signature = blob}, CKR_SIGNATURE_LEN_RANGE},
	    {{.pin = blob}, CKR_PIN_LEN_RANGE},
	    {{.nonce = blob}, CKR_ARGUMENTS_BAD},
	    {{.attr = attr, .attr_len = HSA_CALL_ATTR_MAX + 1},
		CKR_ARGUMENTS_BAD},
	    {{.attr2 = attr, .attr2_len = HSA_CALL_ATTR_MAX + 1},
		CKR_ARGUMENTS_BAD},
	    {{.mech = {.b = data}}, CKR_MECHANISM_PARAM_INVALID},
	    {{.mech2 = {.a = data}}, CKR_MECHANISM_PARAM_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hsa_call c = row[i].c;

		c.number = 8;
		assert_int_equal(
		    helper_ep11_call(&H, &c, HSA_FN_GENERATE_RANDOM),
		    row[i].rv);
		assert_int_equal(c.out.len, 0);
		hsa_call_free(&c);
	}
}

static void
test_bk_ep11_engine__tells_of_what_it_serves_and_nothing_else(void **state)
{
	struct hsa_call c = {0};
	uint8_t mask[16];
	size_t served = 0;

	(void)state;
	ep11_engine_functions(mask);
	for (unsigned fn = 0; fn < 300; fn++) {
		bool told = fn < 128 && (mask[fn / 8] >> (7 - fn % 8) & 1) != 0;
		CK_RV rv = helper_ep11_call(&H, &c, (enum hsa_fn)fn);

		if (fn != HSA_FN_REWRAP_KEY_BLOB)
			assert_int_equal(
			    told, rv != CKR_FUNCTION_NOT_SUPPORTED);
		served += told;
	}
	assert_true(served >= 6);
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_LOGIN_EXTENDED),
	    CKR_FUNCTION_NOT_SUPPORTED);
	hsa_call_free(&c);
}

/* ---- logins -------------------------------------------------------------- */

static void
test_bk_ep11_engine__login_gives_a_pin_blob(void **state)
{
	/* Python: hashlib.pbkdf2_hmac('sha256', b'12345678',
	 * b'EP11-PIN' + b'\x08' + b'nonce', 10000, 32), byte 4 set to AA */
	static const uint8_t id[32] = {0x72, 0x42, 0xe3, 0x2b, 0xaa, 0x91, 0x0b,
	    0x9b, 0xea, 0xd7, 0x39, 0xb2, 0x0a, 0x56, 0xe7, 0x24, 0x8d, 0x61,
	    0xb9, 0xf0, 0xa8, 0x2b, 0xbc, 0xd1, 0x5d, 0xba, 0x0c, 0x87, 0x95,
	    0xf9, 0x43, 0xeb};
	struct hsa_buf a = {0}, b = {0};
	struct hsa_call c = {.pin = text("12345678"),
	    .nonce = text("n"),
	    .limited = true,
	    .room = 79};

	(void)state;
	assert_int_equal(login(&H, &a, "12345678", "nonce"), CKR_OK);
	assert_int_equal(a.len, 80);
	assert_memory_equal(a.p, id, 32);
	assert_memory_equal(a.p + 32, H.wk[0].pattern, 16);
	assert_int_equal(login(&H, &b, "12345678", "nonce"), CKR_OK);
	assert_memory_equal(a.p, b.p, 80);
	assert_int_equal(ep11_logins_count(H.e->logins), 1);
	assert_int_equal(login(&H, &b, "12345678", "other"), CKR_OK);
	assert_memory_not_equal(a.p, b.p, 32);
	/* where the PIN ends is part of it */
	assert_int_equal(login(&H, &a, "12345678x", "y"), CKR_OK);
	assert_int_equal(login(&H, &b, "12345678", "xy"), CKR_OK);
	assert_memory_not_equal(a.p, b.p, 32);
	/* and zeros behind it are */
	c.pin = (struct hsa_slice){(const uint8_t *)"12345678", 9};
	c.limited = false;
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_LOGIN), CKR_OK);
	assert_int_equal(login(&H, &b, "12345678", "n"), CKR_OK);
	assert_memory_not_equal(c.out.p, b.p, 32);
	c.limited = true;
	assert_int_equal(login(&H, &a, "1234567", "n"), CKR_PIN_LEN_RANGE);
	assert_int_equal(
	    login(&H, &a, "12345678123456781", "n"), CKR_PIN_LEN_RANGE);
	/* a length query logs nobody in */
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_LOGIN), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(c.needed, 80);
	c.length_only = true;
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_LOGIN), CKR_OK);
	assert_int_equal(c.needed, 80);
	assert_int_equal(ep11_logins_count(H.e->logins), 6);
	cp_off(EP11_CP_ALLOW_LOGIN_PRE_F2021);
	assert_int_equal(
	    login(&H, &a, "12345678", "nonce"), CKR_FUNCTION_CANCELED);
	helper_ep11_wk(&H, -1, -1);
	assert_int_equal(
	    login(&H, &a, "12345678", "nonce"), CKR_IBM_WK_NOT_INITIALIZED);
	hsa_call_free(&c);
	hsa_buf_free(&a);
	hsa_buf_free(&b);
}

static void
test_bk_ep11_engine__bound_key_lives_with_its_session(void **state)
{
	struct hsa_buf pin = {0}, key = {0}, again = {0};
	uint8_t session[32];
	struct hsa_call c = {0};
	size_t before;
	bool bound = false;

	(void)state;
	before = helper_ep11_objects(&H);
	assert_int_equal(login(&H, &pin, "12345678", "nonce"), CKR_OK);
	c.pin = helper_slice(&pin);
	assert_int_equal(ep11_key_session(H.e, session, &bound, &c), CKR_OK);
	assert_true(bound && c.has_session);
	assert_memory_equal(session, pin.p, 32);
	helper_ep11_secret_of(&H, &key, CKK_AES, VALUE, 32, USES, session);
	assert_memory_equal(key.p, session, 32);
	hsa_call_reset(&c);
	c.has_session = c.has_key_id = false;
	assert_int_equal(usable(&key, &c), CKR_OK);
	assert_true(c.has_session && c.has_key_id);
	assert_memory_equal(c.session, session, 32);
	assert_int_equal(helper_ep11_objects(&H), before + 1);
	assert_int_equal(logout(&pin), CKR_OK);
	/* its object is gone at once */
	assert_int_equal(helper_ep11_objects(&H), before);
	assert_int_equal(usable(&key, NULL), CKR_SESSION_CLOSED);
	assert_int_equal(logout(&pin), CKR_SESSION_CLOSED);
	c.pin = helper_slice(&pin);
	assert_int_equal(
	    ep11_key_session(H.e, session, &bound, &c), CKR_SESSION_CLOSED);
	/* another session is not this one */
	assert_int_equal(login(&H, &again, "12345678", "other"), CKR_OK);
	assert_int_equal(usable(&key, NULL), CKR_SESSION_CLOSED);
	assert_int_equal(login(&H, &again, "12345678", "nonce"), CKR_OK);
	assert_memory_equal(again.p, pin.p, 80);
	assert_int_equal(usable(&key, NULL), CKR_OK);
	hsa_call_free(&c);
	hsa_buf_free(&pin);
	hsa_buf_free(&again);
	hsa_buf_free(&key);
}

static void
test_bk_ep11_engine__pin_blobs_do_not_bend(void **state)
{
	struct hsa_buf pin = {0};

	(void)state;
	assert_int_equal(login(&H, &pin, "12345678", "nonce"), CKR_OK);
	for (size_t i = 0; i < pin.len; i++) {
		pin.p[i] ^= 1;
		assert_int_equal(logout(&pin), CKR_PIN_INCORRECT);
		pin.p[i] ^= 1;
	}
	pin.len--;
	assert_int_equal(logout(&pin), CKR_PIN_LEN_RANGE);
	pin.len = 80;
	assert_int_equal(ep11_logins_count(H.e->logins), 1);
	/* the next master key knows nobody */
	helper_ep11_wk(&H, 1, -1);
	assert_int_equal(ep11_logins_count(H.e->logins), 0);
	assert_int_equal(logout(&pin), CKR_PIN_INCORRECT);
	helper_ep11_wk(&H, 0, -1);
	assert_int_equal(logout(&pin), CKR_SESSION_CLOSED);
	hsa_buf_free(&pin);
}

/* A new next key says nothing about who is logged in. */
static void
test_bk_ep11_engine__logins_outlive_a_committed_next_key(void **state)
{
	struct hsa_buf pin = {0};

	(void)state;
	assert_int_equal(login(&H, &pin, "12345678", "nonce"), CKR_OK);
	helper_ep11_wk(&H, 0, 1);
	assert_int_equal(logout(&pin), CKR_OK);
	hsa_buf_free(&pin);
}

static void
test_bk_ep11_engine__logins_are_bounded(void **state)
{
	struct ep11_logins *l = NULL;
	uint8_t id[32] = {0};

	(void)state;
	assert_int_equal(ep11_logins_new(&l).v, 0);
	for (unsigned i = 0; i < EP11_LOGINS_MAX; i++) {
		/* many on the same slots */
		id[8] = (uint8_t)(i % 16);
		id[20] = (uint8_t)(i >> 8);
		id[21] = (uint8_t)i;
		assert_int_equal(ep11_logins_add(l, id), CKR_OK);
		assert_int_equal(ep11_logins_add(l, id), CKR_OK);
	}
	assert_int_equal(ep11_logins_count(l), EP11_LOGINS_MAX);
	id[22] = 1;
	assert_int_equal(ep11_logins_add(l, id), CKR_SESSION_COUNT);
	assert_false(ep11_logins_has(l, id));
	id[22] = 0;
	/* whoever is left is found, in whatever order others go */
	for (unsigned i = 0; i < EP11_LOGINS_MAX; i += 3) {
		id[8] = (uint8_t)(i % 16);
		id[20] = (uint8_t)(i >> 8);
		id[21] = (uint8_t)i;
		assert_int_equal(ep11_logins_remove(l, id), CKR_OK);
		assert_int_equal(ep11_logins_remove(l, id), CKR_SESSION_CLOSED);
	}
	for (unsigned i = 0; i < EP11_LOGINS_MAX; i++) {
		id[8] = (uint8_t)(i % 16);
		id[20] = (uint8_t)(i >> 8);
		id[21] = (uint8_t)i;
		assert_int_equal(ep11_logins_has(l, id), i % 3 != 0);
	}
	ep11_logins_clear(l);
	assert_int_equal(ep11_logins_count(l), 0);
	assert_false(ep11_logins_has(l, id));
	ep11_logins_free(l);
}

/* Re-enciphered keys stay bound to their session, and its owner comes back to
 * it with PIN and nonce; the pin blob of the old key does not count. */
static void
test_bk_ep11_engine__bound_keys_outlive_a_change_of_master_key(void **state)
{
	struct hsa_buf pin = {0}, again = {0}, bound = {0}, moved = {0};
	struct hsa_call c = {0};

	(void)state;
	assert_int_equal(login(&H, &pin, "12345678", "nonce"), CKR_OK);
	helper_ep11_secret_of(&H, &bound, CKK_AES, VALUE, 32, USES, pin.p);
	helper_ep11_wk(&H, 0, 1);
	c.key = helper_slice(&bound);
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB), CKR_OK);
	hsa_buf_put(&moved, c.out.p, c.out.len);
	helper_ep11_wk(&H, 1, -1);
	assert_int_equal(usable(&moved, NULL), CKR_SESSION_CLOSED);
	assert_int_equal(logout(&pin), CKR_PIN_INCORRECT);
	assert_int_equal(login(&H, &again, "12345678", "other"), CKR_OK);
	assert_int_equal(usable(&moved, NULL), CKR_SESSION_CLOSED);
	assert_int_equal(login(&H, &again, "12345678", "nonce"), CKR_OK);
	assert_memory_equal(again.p, pin.p, 32);
	assert_memory_not_equal(again.p + 32, pin.p + 32, 48);
	assert_int_equal(usable(&moved, NULL), CKR_OK);
	hsa_call_free(&c);
	hsa_buf_free(&pin);
	hsa_buf_free(&again);
	hsa_buf_free(&bound);
	hsa_buf_free(&moved);
}

/* Two units of one service instance: the same master key, another token. */
static void
test_bk_ep11_engine__units_with_one_master_key_are_one(void **state)
{
	struct hsa_buf pin = {0}, other_pin = {0}, key = {0}, bound = {0};

	(void)state;
	assert_int_equal(login(&H, &pin, "12345678", "nonce"), CKR_OK);
	helper_ep11_secret(&H, &key, CKK_AES, VALUE, 32, USES);
	helper_ep11_secret_of(&H, &bound, CKK_AES, VALUE, 32, USES, pin.p);
	helper_ep11_free(&H);
	helper_ep11_make(&H, 1, 0);
	assert_int_equal(usable(&key, NULL), CKR_OK);
	assert_int_equal(usable(&bound, NULL), CKR_SESSION_CLOSED);
	assert_int_equal(login(&H, &other_pin, "12345678", "nonce"), CKR_OK);
	assert_memory_equal(pin.p, other_pin.p, 80);
	assert_int_equal(usable(&bound, NULL), CKR_OK);
	helper_ep11_free(&H);
	/* a unit of somebody else */
	helper_ep11_make(&H, 101, 0);
	assert_int_equal(usable(&key, NULL), CKR_IBM_WKID_MISMATCH);
	helper_ep11_free(&H);
	helper_ep11_make(&H, 1, 0);
	hsa_buf_free(&pin);
	hsa_buf_free(&other_pin);
	hsa_buf_free(&key);
	hsa_buf_free(&bound);
}

#define CASE(name) cmocka_unit_test_setup(test_bk_ep11_engine__##name, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(random_keeps_to_room_and_length_queries),
	    CASE(seeds_where_the_control_point_allows),
	    CASE(refuses_what_is_too_long_for_any_call),
	    CASE(tells_of_what_it_serves_and_nothing_else),
	    CASE(login_gives_a_pin_blob),
	    CASE(bound_key_lives_with_its_session),
	    CASE(pin_blobs_do_not_bend),
	    CASE(logins_outlive_a_committed_next_key),
	    CASE(logins_are_bounded),
	    CASE(bound_keys_outlive_a_change_of_master_key),
	    CASE(units_with_one_master_key_are_one),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
