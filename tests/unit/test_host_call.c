/*
 * test_host_call.c - m_ functions from their arguments to a unit's socket and
 * back: conventions of ep11-host-api 4. The unit is a socket that notes what it
 * was asked and gives the answer that the case lays down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ep11.h"
#include "ep_file.h"
#include "helper_call.h"
#include "helper_host.h"
#include "helper_left.h"
#include "hsa_buf.h"

static char dir[40];
static struct hh_unit unit;

/* What a case lays down, and what the unit saw of the last call. */
static struct {
	CK_RV rv;
	uint64_t needed;
	size_t out, out2, state; /* bytes: 'o', '2', 's' */
} say;
static struct {
	enum hsa_fn fn;
	bool length_only, limited;
	uint64_t room, number;
	size_t data, key, key2, key3, pin, nonce, signature, state;
	size_t attr, attr2, b;
	enum hsa_mech_kind kind;
	char id[80], agent[80];
	uint8_t call_id[HSA_UUID_LEN];
} saw;

static void
fill(struct hsa_buf *b, uint8_t with, size_t n)
{
	while (n-- > 0)
		hsa_buf_u8(b, with);
}

static void
answer(struct hh_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	const struct hsa_call *c = &q->call;

	(void)u;
	memset(&saw, 0, sizeof(saw));
	saw.fn = c->fn;
	saw.length_only = c->length_only;
	saw.limited = c->limited;
	saw.room = c->room;
	saw.number = c->number;
	saw.data = c->data.n;
	saw.key = c->key.n;
	saw.key2 = c->key2.n;
	saw.key3 = c->key3.n;
	saw.pin = c->pin.n;
	saw.nonce = c->nonce.n;
	saw.signature = c->signature.n;
	saw.state = c->state.n;
	saw.attr = c->attr_len;
	saw.attr2 = c->attr2_len;
	saw.b = c->mech.b.n;
	saw.kind = c->mech.kind;
	(void)snprintf(saw.id, sizeof(saw.id), "%s", q->caller.initiator.id);
	(void)snprintf(
	    saw.agent, sizeof(saw.agent), "%s", q->caller.initiator.host_agent);
	memcpy(saw.call_id, c->id, sizeof(saw.call_id));
	r->call.fn = c->fn;
	r->call.rv = say.rv;
	r->call.needed = say.needed;
	fill(&r->call.out, 'o', say.out);
	fill(&r->call.out2, '2', say.out2);
	fill(&r->call.new_state, 's', say.state);
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-host-call-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	helper_left(dir);
	unit = (struct hh_unit){.knows_location = true, .answer = answer};
	hh_start(&unit, dir, "unit.sock");
	memset(&say, 0, sizeof(say));
	memset(&saw, 0, sizeof(saw));
	(void)setenv("EP11_INITIATOR", "IBMid-1", 1);
	{
		char where[420] = "";

		(void)snprintf(where, sizeof(where), "unix:%s", unit.path);
		(void)setenv("EP11_UNIT", where, 1);
	}
	return m_init() == XCP_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)m_shutdown();
	hh_stop(&unit);
	ep_dir_clear(dir, true);
	return 0;
}

static int
calls(void)
{
	return atomic_load(&unit.calls);
}

static uint8_t key[100], in[50], out[100];
static CK_MECHANISM cbc = {CKM_AES_CBC, in, 16};

/* ---- lengths ------------------------------------------------------------- */

static void
test_host_call__null_asks_for_the_length_and_the_unit_knows(void **state)
{
	CK_ULONG n = 7;

	(void)state;
	say.needed = 48;
	assert_int_equal(
	    m_EncryptSingle(key, sizeof(key), &cbc, in, 40, NULL, &n, 0),
	    CKR_OK);
	assert_int_equal(n, 48);
	assert_int_equal(saw.fn, HSA_FN_ENCRYPT_SINGLE);
	assert_true(saw.length_only);
	assert_false(saw.limited);
	assert_int_equal(saw.key, 100);
	assert_int_equal(saw.data, 40);
	assert_int_equal(saw.kind, HSA_MECH_BYTES);
	assert_int_equal(m_SignSingle(key, 100, &cbc, in, 40, NULL, NULL, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(calls(), 1);
}

static void
test_host_call__small_room_goes_to_the_unit_and_its_length_comes_back(
    void **state)
{
	uint8_t before[sizeof(out)] = {0};
	CK_ULONG n = 20;

	(void)state;
	memset(out, 0xee, sizeof(out));
	memcpy(before, out, sizeof(out));
	say.rv = CKR_BUFFER_TOO_SMALL;
	say.needed = 48;
	assert_int_equal(m_DecryptSingle(key, 100, &cbc, in, 40, out, &n, 0),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 48);
	assert_true(saw.limited);
	assert_int_equal(saw.room, 20);
	assert_memory_equal(out, before, sizeof(out));
	say.rv = CKR_OK;
	say.out = 48;
	n = 48;
	assert_int_equal(
	    m_DecryptSingle(key, 100, &cbc, in, 40, out, &n, 0), CKR_OK);
	assert_int_equal(n, 48);
	assert_int_equal(out[47], 'o');
	assert_int_equal(out[48], 0xee);
	/* a refusal of another kind leaves the length as it was */
	say.rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	n = 48;
	assert_int_equal(m_DecryptSingle(key, 100, &cbc, in, 40, out, &n, 0),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(n, 48);
}

static void
test_host_call__key_material_that_does_not_fit_is_told_and_not_written(
    void **state)
{
	uint8_t csum[7] = {0};
	size_t n = 60, m = 6;

	(void)state;
	memset(out, 0xee, sizeof(out));
	say.out = 60;
	say.out2 = 7;
	assert_int_equal(
	    m_GenerateKey(&cbc, NULL, 0, NULL, 0, out, &n, csum, &m, 0),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 60);
	assert_int_equal(m, 7);
	assert_int_equal(out[0], 0xee);
	assert_int_equal(csum[0], 0);
	assert_true(saw.limited);
	assert_int_equal(saw.room, 60);
	assert_int_equal(
	    m_GenerateKey(&cbc, NULL, 0, NULL, 0, out, &n, csum, &m, 0),
	    CKR_OK);
	assert_int_equal(out[59], 'o');
	assert_int_equal(csum[6], '2');
	/* who does not want a checksum gets none */
	n = sizeof(out);
	assert_int_equal(
	    m_GenerateKey(&cbc, NULL, 0, NULL, 0, out, &n, NULL, NULL, 0),
	    CKR_OK);
	assert_int_equal(n, 60);
	/* there is no length query */
	assert_int_equal(
	    m_GenerateKey(&cbc, NULL, 0, NULL, 0, NULL, &n, NULL, NULL, 0),
	    CKR_ARGUMENTS_BAD);
	m = 7;
	assert_int_equal(m_GenerateKeyPair(&cbc, NULL, 0, NULL, 0, NULL, 0, out,
			     &n, NULL, &m, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(calls(), 3);
	say.state = 90;
	n = 89;
	assert_int_equal(
	    m_SignInit(out, &n, &cbc, key, 100, 0), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 90);
	assert_int_equal(m_SignInit(out, &n, &cbc, key, 100, 0), CKR_OK);
	assert_int_equal(out[89], 's');
}

static void
test_host_call__mechanism_lists_are_counted_in_mechanisms(void **state)
{
	CK_MECHANISM_TYPE list[4] = {0};
	CK_MECHANISM_INFO info = {0};
	CK_ULONG n = 0;

	(void)state;
	unit.answer = NULL; /* a list of four, and 0x1082, 0, 0x80010007 */
	assert_int_equal(
	    m_GetMechanismList(0, list, NULL, 0), CKR_ARGUMENTS_BAD);
	n = 3;
	assert_int_equal(
	    m_GetMechanismList(0, list, &n, 0), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 4);
	assert_int_equal(list[0], 0);
	assert_int_equal(m_GetMechanismList(0, list, &n, 0), CKR_OK);
	assert_int_equal(n, 4);
	assert_int_equal(list[0], 0x1082);
	assert_true(list[3] == ~0UL);
	assert_int_equal(m_GetMechanismInfo(0, 5, &info, 0), CKR_OK);
	assert_int_equal(info.ulMinKeySize, 0x1082);
	assert_int_equal(info.flags, 0x80010007);
	unit.answer = answer;
	say.needed = 4 * sizeof(list[0]);
	assert_int_equal(m_GetMechanismList(0, NULL, &n, 0), CKR_OK);
	assert_int_equal(n, 4);
	assert_true(saw.length_only);
	/* the library's own refusal */
	assert_int_equal(
	    m_GetMechanismList(1, list, &n, 0), CKR_SLOT_ID_INVALID);
}

/* ---- absent, empty, too long --------------------------------------------- */

static void
test_host_call__absent_is_what_is_null_whatever_the_length_says(void **state)
{
	size_t n = sizeof(out);

	(void)state;
	say.out = 10;
	assert_int_equal(m_UnwrapKey(in, 32, key, 90, NULL, ~(size_t)0, NULL, 0,
			     &cbc, NULL, 0, out, &n, NULL, NULL, 0),
	    CKR_OK);
	assert_int_equal(saw.data, 32);
	assert_int_equal(saw.key2, 90);
	assert_int_equal(saw.key3, 0);
	assert_int_equal(saw.pin, 0);
	n = sizeof(out);
	assert_int_equal(m_UnwrapKey(in, 32, NULL, 0, key, 70, in, 50, &cbc,
			     NULL, 0, out, &n, NULL, NULL, 0),
	    CKR_OK);
	assert_int_equal(saw.key2, 0);
	assert_int_equal(saw.key3, 70);
	assert_int_equal(saw.pin, 50);
	n = sizeof(out);
	assert_int_equal(m_DeriveKey(&cbc, NULL, 0, key, 100, NULL, 0, NULL, 0,
			     out, &n, NULL, NULL, 0),
	    CKR_OK);
	assert_int_equal(saw.key, 100);
	assert_int_equal(saw.data, 0);
}

static void
test_host_call__data_of_no_bytes_is_data(void **state)
{
	CK_ULONG n = sizeof(out);

	(void)state;
	say.out = 12;
	assert_int_equal(
	    m_SignSingle(key, 100, &cbc, NULL, 0, out, &n, 0), CKR_OK);
	assert_int_equal(saw.fn, HSA_FN_SIGN_SINGLE);
	assert_int_equal(saw.data, 0);
	n = sizeof(out);
	assert_int_equal(
	    m_SignSingle(key, 100, &cbc, in, 0, out, &n, 0), CKR_OK);
	say.out = 0;
	assert_int_equal(
	    m_VerifySingle(key, 100, &cbc, NULL, 0, in, 12, 0), CKR_OK);
	assert_int_equal(saw.signature, 12);
}

static void
test_host_call__what_no_request_can_hold_does_not_leave_the_library(
    void **state)
{
	static uint8_t big[HSA_CALL_DATA_MAX + 1];
	CK_ATTRIBUTE many[HSA_CALL_ATTR_MAX + 1] = {{0, NULL, 0}};
	CK_ATTRIBUTE hole = {CKA_VALUE, NULL, 5};
	CK_MECHANISM no_param = {CKM_AES_CBC, NULL, 16};
	CK_ULONG n = sizeof(out);
	size_t m = sizeof(out);

	(void)state;
	assert_int_equal(m_EncryptSingle(key, 100, &cbc, NULL, 5, out, &n, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(
	    m_EncryptSingle(key, 100, &cbc, big, sizeof(big), out, &n, 0),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(
	    m_EncryptSingle(big, HSA_BLOB_MAX + 1, &cbc, in, 5, out, &n, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(m_EncryptSingle(key, 100, NULL, in, 5, out, &n, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(
	    m_EncryptSingle(key, 100, &no_param, in, 5, out, &n, 0),
	    CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(
	    m_VerifySingle(key, 100, &cbc, in, 5, big, HSA_BLOB_MAX + 1, 0),
	    CKR_SIGNATURE_LEN_RANGE);
	assert_int_equal(m_GenerateKey(&cbc, many, HSA_CALL_ATTR_MAX + 1, NULL,
			     0, out, &m, NULL, NULL, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(
	    m_GenerateKey(&cbc, &hole, 1, NULL, 0, out, &m, NULL, NULL, 0),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(
	    m_GenerateKey(&cbc, NULL, 1, NULL, 0, out, &m, NULL, NULL, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(calls(), 0);
	/* and what just fits does */
	say.out = 8;
	assert_int_equal(m_EncryptSingle(big, HSA_BLOB_MAX, &cbc, big,
			     HSA_CALL_DATA_MAX, out, &n, 0),
	    CKR_OK);
	assert_int_equal(saw.data, HSA_CALL_DATA_MAX);
	assert_int_equal(saw.key, HSA_BLOB_MAX);
}

/* ---- states and objects where they are ----------------------------------- */

static void
test_host_call__a_state_is_rewritten_in_place_and_only_by_success(void **state)
{
	uint8_t st[90] = {1}, before[90] = {1};
	CK_ULONG n = 0;

	(void)state;
	say.state = 90;
	say.needed = 16;
	assert_int_equal(m_EncryptUpdate(st, 90, in, 20, NULL, &n, 0), CKR_OK);
	assert_int_equal(n, 16);
	assert_memory_equal(st, before, 90);
	say.rv = CKR_BUFFER_TOO_SMALL;
	say.state = 0;
	n = 3;
	assert_int_equal(
	    m_EncryptUpdate(st, 90, in, 20, out, &n, 0), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 16);
	assert_memory_equal(st, before, 90);
	say.rv = CKR_OK;
	say.state = 90;
	say.out = 16;
	assert_int_equal(m_EncryptUpdate(st, 90, in, 20, out, &n, 0), CKR_OK);
	assert_int_equal(st[0], 's');
	assert_int_equal(st[89], 's');
	assert_int_equal(saw.state, 90);
	/* a state of another length is none that the caller could keep */
	memcpy(st, before, 90);
	say.state = 91;
	assert_int_equal(
	    m_EncryptUpdate(st, 90, in, 20, out, &n, 0), CKR_DEVICE_ERROR);
	assert_memory_equal(st, before, 90);
	say.out = 0;
	say.state = 90;
	assert_int_equal(m_SignUpdate(st, 90, in, 20, 0), CKR_OK);
	assert_int_equal(st[89], 's');
	memcpy(st, before, 90);
	assert_int_equal(m_DigestUpdate(st, 90, NULL, 0, 0), CKR_OK);
	assert_int_equal(st[89], 's');
	memcpy(st, before, 90);
	assert_int_equal(m_DigestKey(st, 90, key, 60, 0), CKR_OK);
	assert_int_equal(saw.key, 60);
	assert_int_equal(st[89], 's');
}

static void
test_host_call__attributes_are_set_in_the_blob_given(void **state)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t = {CKA_SIGN, &yes, 1};
	uint8_t blob[80] = {0};

	(void)state;
	say.out = 80;
	assert_int_equal(m_SetAttributeValue(blob, 80, &t, 1, 0), CKR_OK);
	assert_int_equal(blob[79], 'o');
	assert_int_equal(saw.key, 80);
	assert_int_equal(saw.attr, 1);
	memset(blob, 0, sizeof(blob));
	say.out = 79;
	assert_int_equal(
	    m_SetAttributeValue(blob, 80, &t, 1, 0), CKR_DEVICE_ERROR);
	assert_int_equal(blob[0], 0);
	say.out = 0;
	say.rv = CKR_ATTRIBUTE_READ_ONLY;
	assert_int_equal(
	    m_SetAttributeValue(blob, 80, &t, 1, 0), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(blob[0], 0);
}

static void
attributes(struct hh_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	static const CK_ULONG type = CKK_AES;
	const struct hsa_attr got[] = {
	    {.type = CKA_SIGN, .n = 1},
	    {.type = CKA_KEY_TYPE, .n = sizeof(type)},
	    {.type = CKA_VALUE, .n = HSA_ATTR_UNAVAILABLE},
	    {.type = CKA_PUBLIC_KEY_INFO, .n = 91},
	};
	struct hsa_call *c = &r->call;

	(void)u;
	assert_int_equal(q->call.attr_len, 4);
	assert_int_equal(q->call.attr[1].n, 8);
	/* "the length only": no room */
	assert_null(q->call.attr[3].p);
	c->fn = q->call.fn;
	c->rv = say.rv;
	c->got = malloc(sizeof(got));
	assert_non_null(c->got);
	memcpy(c->got, got, sizeof(got));
	c->got_len = 4;
	hsa_buf_u8(&c->out, CK_TRUE);
	hsa_buf_put(&c->out, &type, sizeof(type));
	c->got[0].p = c->out.p;
	c->got[1].p = c->out.p + 1;
}

static void
test_host_call__each_attribute_has_its_own_length(void **state)
{
	CK_BBOOL sign = CK_FALSE;
	CK_ULONG type = 0;
	uint8_t value[32] = {7};
	CK_ATTRIBUTE t[] = {
	    {CKA_SIGN, &sign, 1},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_VALUE, value, sizeof(value)},
	    {CKA_PUBLIC_KEY_INFO, NULL, 0},
	};

	(void)state;
	unit.answer = attributes;
	assert_int_equal(m_GetAttributeValue(key, 90, t, 4, 0), CKR_OK);
	assert_int_equal(sign, CK_TRUE);
	assert_int_equal(t[0].ulValueLen, 1);
	assert_int_equal(type, CKK_AES);
	assert_int_equal(t[1].ulValueLen, 8);
	assert_true(t[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(value[0], 7);
	assert_int_equal(t[3].ulValueLen, 91);
	/* the rest is there also when one is the reason for a refusal */
	sign = CK_FALSE;
	say.rv = CKR_ATTRIBUTE_SENSITIVE;
	t[2].ulValueLen = sizeof(value);
	assert_int_equal(
	    m_GetAttributeValue(key, 90, t, 4, 0), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(sign, CK_TRUE);
	assert_true(t[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	unit.answer = answer;
	assert_int_equal(
	    m_GetAttributeValue(key, 90, NULL, 1, 0), CKR_ARGUMENTS_BAD);
}

/* ---- all of them --------------------------------------------------------- */

static void
test_host_call__every_function_asks_for_itself(void **state)
{
	uint8_t st[90] = {0}, blob[90] = {0};
	CK_ULONG n = 0;
	size_t m = 0, k = 0;

	(void)state;
#define ASKS(NAME, f)                                                          \
	do {                                                                   \
		n = sizeof(out);                                               \
		m = sizeof(st);                                                \
		k = sizeof(out);                                               \
		assert_int_equal((f), CKR_OK);                                 \
		assert_int_equal(saw.fn, HSA_FN_##NAME);                       \
	} while (0)
	say.state = 90;
	ASKS(DIGEST_INIT, m_DigestInit(st, &m, &cbc, 0));
	ASKS(ENCRYPT_INIT, m_EncryptInit(st, &m, &cbc, key, 90, 0));
	ASKS(DECRYPT_INIT, m_DecryptInit(st, &m, &cbc, key, 90, 0));
	ASKS(SIGN_INIT, m_SignInit(st, &m, &cbc, key, 90, 0));
	ASKS(VERIFY_INIT, m_VerifyInit(st, &m, &cbc, key, 90, 0));
	ASKS(DIGEST_UPDATE, m_DigestUpdate(st, 90, in, 5, 0));
	ASKS(DIGEST_KEY, m_DigestKey(st, 90, key, 90, 0));
	ASKS(ENCRYPT_UPDATE, m_EncryptUpdate(st, 90, in, 5, out, &n, 0));
	ASKS(DECRYPT_UPDATE, m_DecryptUpdate(st, 90, in, 5, out, &n, 0));
	ASKS(SIGN_UPDATE, m_SignUpdate(st, 90, in, 5, 0));
	ASKS(VERIFY_UPDATE, m_VerifyUpdate(st, 90, in, 5, 0));
	say.state = 0;
	ASKS(LOGOUT, m_Logout(in, 50, 0));
	assert_int_equal(saw.pin, 50);
	ASKS(LOGOUT_EXTENDED, m_LogoutExtended(in, 9, in, 8, in, 7, 0));
	ASKS(SEED_RANDOM, m_SeedRandom(in, 5, 0));
	ASKS(VERIFY, m_Verify(st, 90, in, 5, in, 6, 0));
	assert_int_equal(saw.signature, 6);
	ASKS(VERIFY_FINAL, m_VerifyFinal(st, 90, in, 6, 0));
	ASKS(VERIFY_SINGLE, m_VerifySingle(key, 90, &cbc, in, 5, in, 6, 0));
	say.out = 90;
	ASKS(GENERATE_RANDOM, m_GenerateRandom(out, 90, 0));
	assert_int_equal(saw.number, 90);
	ASKS(LOGIN, m_Login(in, 9, in, 8, out, &k, 0));
	assert_int_equal(saw.pin, 9);
	assert_int_equal(saw.nonce, 8);
	ASKS(LOGIN_EXTENDED, m_LoginExtended(in, 9, in, 8, in, 7, out, &k, 0));
	assert_int_equal(saw.data, 7);
	ASKS(DIGEST, m_Digest(st, 90, in, 5, out, &n, 0));
	ASKS(DIGEST_FINAL, m_DigestFinal(st, 90, out, &n, 0));
	ASKS(DIGEST_SINGLE, m_DigestSingle(&cbc, in, 5, out, &n, 0));
	ASKS(ENCRYPT, m_Encrypt(st, 90, in, 5, out, &n, 0));
	ASKS(DECRYPT, m_Decrypt(st, 90, in, 5, out, &n, 0));
	ASKS(ENCRYPT_FINAL, m_EncryptFinal(st, 90, out, &n, 0));
	ASKS(DECRYPT_FINAL, m_DecryptFinal(st, 90, out, &n, 0));
	ASKS(ENCRYPT_SINGLE, m_EncryptSingle(key, 90, &cbc, in, 5, out, &n, 0));
	ASKS(DECRYPT_SINGLE, m_DecryptSingle(key, 90, &cbc, in, 5, out, &n, 0));
	ASKS(REENCRYPT_SINGLE,
	    m_ReencryptSingle(key, 90, key, 80, &cbc, &cbc, in, 5, out, &n, 0));
	assert_int_equal(saw.key, 90);
	assert_int_equal(saw.key2, 80);
	ASKS(SIGN, m_Sign(st, 90, in, 5, out, &n, 0));
	ASKS(SIGN_FINAL, m_SignFinal(st, 90, out, &n, 0));
	ASKS(SIGN_SINGLE, m_SignSingle(key, 90, &cbc, in, 5, out, &n, 0));
	ASKS(WRAP_KEY, m_WrapKey(key, 90, key, 80, key, 70, &cbc, out, &n, 0));
	assert_int_equal(saw.key, 90);
	assert_int_equal(saw.key2, 80);
	assert_int_equal(saw.key3, 70);
	ASKS(SET_ATTRIBUTE_VALUE, m_SetAttributeValue(blob, 90, NULL, 0, 0));
	say.out2 = 7;
	ASKS(GENERATE_KEY,
	    m_GenerateKey(&cbc, NULL, 0, in, 50, out, &k, st, &m, 0));
	assert_int_equal(saw.pin, 50);
	ASKS(GENERATE_KEY_PAIR, m_GenerateKeyPair(&cbc, NULL, 0, NULL, 0, in,
				    50, out, &k, st, &m, 0));
	ASKS(UNWRAP_KEY, m_UnwrapKey(in, 5, key, 90, NULL, 0, NULL, 0, &cbc,
			     NULL, 0, out, &k, st, &m, 0));
	ASKS(DERIVE_KEY, m_DeriveKey(&cbc, NULL, 0, key, 90, in, 5, NULL, 0,
			     out, &k, st, &m, 0));
	assert_int_equal(saw.data, 5);
	assert_int_equal(m, 7);
#undef ASKS
}

static void
test_host_call__each_call_has_an_id_and_the_caller(void **state)
{
	uint8_t first[HSA_UUID_LEN] = {0};

	(void)state;
	say.out = 4;
	assert_int_equal(m_GenerateRandom(out, 4, 0), CKR_OK);
	assert_string_equal(saw.id, "IBMid-1");
	assert_non_null(strstr(saw.agent, "(test_host_call)"));
	memcpy(first, saw.call_id, sizeof(first));
	assert_int_equal(m_GenerateRandom(out, 4, 0), CKR_OK);
	assert_memory_not_equal(first, saw.call_id, sizeof(first));
	/* fewer bytes than were asked for are no random bytes */
	assert_int_equal(m_GenerateRandom(out, 5, 0), CKR_DEVICE_ERROR);
}

/* ---- administration and information -------------------------------------- */

static void
block(struct hh_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	(void)u;
	if (q->kind == HSA_UNIT_INFO) {
		r->info.rv = (uint32_t)say.rv;
		fill(&r->info.data, 'i', say.rv == CKR_OK ? q->subquery : 0);
		return;
	}
	assert_int_equal(q->kind, HSA_UNIT_BLOCK);
	r->block.http_status = (uint32_t)say.needed;
	if (say.needed != 200) {
		r->block.text = strdup("because");
		return;
	}
	hsa_buf_put(&r->block.response, q->command.p, q->command.len);
	hsa_buf_put(&r->block.signature, q->signatures.p, q->signatures.len);
}

static void
test_host_call__admin_blocks_go_through_with_or_without_the_signature(
    void **state)
{
	uint8_t one[100] = {0}, two[100] = {0};
	size_t n = sizeof(one), m = sizeof(two);

	(void)state;
	unit.answer = block;
	say.needed = 200;
	assert_int_equal(m_admin(one, &n, two, &m, (const uint8_t *)"command",
			     7, (const uint8_t *)"sigs", 4, 0),
	    CKR_OK);
	assert_int_equal(n, 7);
	assert_memory_equal(one, "command", 7);
	assert_int_equal(m, 4);
	assert_memory_equal(two, "sigs", 4);
	n = sizeof(one);
	assert_int_equal(m_admin(one, &n, NULL, NULL,
			     (const uint8_t *)"command", 7, NULL, 0, 0),
	    CKR_OK);
	/* a length pointer alone is how one client says that it wants none */
	n = sizeof(one);
	m = 0;
	assert_int_equal(m_admin(one, &n, NULL, &m, (const uint8_t *)"command",
			     7, (const uint8_t *)"sigs", 4, 0),
	    CKR_OK);
	assert_int_equal(m, 4);
	n = 6;
	assert_int_equal(m_admin(one, &n, NULL, NULL,
			     (const uint8_t *)"command", 7, NULL, 0, 0),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 7);
	assert_int_equal(calls(), 4);
	assert_int_equal(m_admin(NULL, &n, NULL, NULL,
			     (const uint8_t *)"command", 7, NULL, 0, 0),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(calls(), 4);
	say.needed = 403;
	assert_int_equal(m_admin(one, &n, NULL, NULL,
			     (const uint8_t *)"command", 7, NULL, 0, 0),
	    CKR_USER_NOT_LOGGED_IN);
	say.needed = 507;
	assert_int_equal(m_admin(one, &n, NULL, NULL,
			     (const uint8_t *)"command", 7, NULL, 0, 0),
	    CKR_DEVICE_ERROR);
}

static void
test_host_call__information_is_the_units_but_for_what_is_the_librarys(
    void **state)
{
	uint8_t b[100] = {0};
	CK_ULONG n = 20;

	(void)state;
	unit.answer = block;
	assert_int_equal(m_get_xcp_info(b, &n, 1, 30, 0), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 30);
	assert_int_equal(m_get_xcp_info(b, &n, 1, 30, 0), CKR_OK);
	assert_int_equal(b[29], 'i');
	assert_int_equal(m_get_xcp_info(NULL, &n, 1, 44, 0), CKR_OK);
	assert_int_equal(n, 44);
	say.rv = CKR_FUNCTION_NOT_SUPPORTED;
	assert_int_equal(
	    m_get_xcp_info(b, &n, 8, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
	assert_int_equal(calls(), 4);
	for (unsigned int q = 0xff000000; q <= 0xff000006; q++) {
		n = sizeof(b);
		assert_int_equal(m_get_xcp_info(b, &n, q, 0, ~0UL), CKR_OK);
		assert_true(n == 4 || q == 0xff000002 || q == 0xff000004);
	}
	assert_int_equal(
	    m_get_xcp_info(b, &n, 0xff000007, 0, 0), CKR_ARGUMENTS_BAD);
	assert_int_equal(calls(), 4);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(test_host_call__null_asks_for_the_length_and_the_unit_knows),
	    CASE(
		test_host_call__small_room_goes_to_the_unit_and_its_length_comes_back),
	    CASE(
		test_host_call__key_material_that_does_not_fit_is_told_and_not_written),
	    CASE(test_host_call__mechanism_lists_are_counted_in_mechanisms),
	    CASE(
		test_host_call__absent_is_what_is_null_whatever_the_length_says),
	    CASE(test_host_call__data_of_no_bytes_is_data),
	    CASE(
		test_host_call__what_no_request_can_hold_does_not_leave_the_library),
	    CASE(
		test_host_call__a_state_is_rewritten_in_place_and_only_by_success),
	    CASE(test_host_call__attributes_are_set_in_the_blob_given),
	    CASE(test_host_call__each_attribute_has_its_own_length),
	    CASE(test_host_call__every_function_asks_for_itself),
	    CASE(test_host_call__each_call_has_an_id_and_the_caller),
	    CASE(
		test_host_call__admin_blocks_go_through_with_or_without_the_signature),
	    CASE(
		test_host_call__information_is_the_units_but_for_what_is_the_librarys),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
