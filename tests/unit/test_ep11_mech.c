/* The mechanism table against a second one, written by hand from PKCS #11's
 * numbers and ep11-host-api 9.1, 18.3 and 18.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_core.h"

#define V 0x80000000ul

/* Uses: h digest, e d encrypt, decrypt, s v sign, verify, w u wrap, unwrap,
 * g generate, p pair, x derive. Control points: of the algorithm, then by use
 * in the order of the letters (0: none). */
static const struct group {
	const char *uses;
	CK_KEY_TYPE key;
	unsigned long number[12];
	CK_ULONG min, max;
	char param; /* 0 none, b bytes, g GCM, o OAEP, p PSS, e ECDH1 */
	size_t len;
	int cp[5];
	int use_cp[8];
} expected[] = {
    {"h", EP11_KEY_NONE, {0x220, 0x255, 0x250, 0x260, 0x270}, 0, 0, 0, 0, {0},
	{0}},
    /* AES */
    {"g", CKK_AES, {0x1080}, 16, 32, 0, 0, {0}, {13}},
    {"ed", CKK_AES, {0x1081}, 16, 32, 0, 0, {0}, {5, 7}},
    {"edwu", CKK_AES, {0x1082, 0x1085}, 16, 32, 'b', 16, {0}, {5, 7, 9, 11}},
    {"ed", CKK_AES, {0x1086}, 16, 32, 'b', 24, {0}, {5, 7}},
    {"ed", CKK_AES, {0x1087}, 16, 32, 'g', 0, {0}, {5, 7}},
    {"sv", CKK_AES, {0x108a}, 16, 32, 0, 0, {0}, {3, 4}},
    {"sv", CKK_AES, {0x108b}, 16, 32, 'b', 8, {0}, {3, 4}},
    {"wu", CKK_AES, {0x2109, 0x210a}, 16, 32, 0, 0, {0}, {9, 11}},
    /* DES */
    {"g", CKK_DES2, {0x130}, 16, 16, 0, 0, {68, 69}, {13}},
    {"g", CKK_DES3, {0x131}, 24, 24, 0, 0, {68, 69}, {13}},
    {"ed", CKK_DES3, {0x132}, 16, 24, 0, 0, {68, 69}, {5, 7}},
    {"edwu", CKK_DES3, {0x133, 0x136}, 16, 24, 'b', 8, {68, 69}, {5, 7, 9, 11}},
    {"sv", CKK_DES3, {0x138}, 16, 24, 0, 0, {68, 69}, {3, 4}},
    {"sv", CKK_DES3, {0x137}, 16, 24, 'b', 8, {68, 69}, {3, 4}},
    {"sv", EP11_KEY_ANY, {V + 0x10007}, 16, 32, 0, 0, {0}, {3, 4}},
    /* generic secrets, HMAC */
    {"g", CKK_GENERIC_SECRET, {0x350}, 8, 2048, 0, 0, {0}, {13}},
    {"sv", CKK_GENERIC_SECRET, {0x221}, 10, 256, 0, 0, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x222}, 10, 256, 'b', 8, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x256}, 14, 256, 0, 0, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x257}, 14, 256, 'b', 8, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x251}, 16, 256, 0, 0, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x252}, 16, 256, 'b', 8, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x261}, 24, 256, 0, 0, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x262}, 24, 256, 'b', 8, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x271}, 32, 256, 0, 0, {0}, {3, 4}},
    {"sv", CKK_GENERIC_SECRET, {0x272}, 32, 256, 'b', 8, {0}, {3, 4}},
    {"x", CKK_GENERIC_SECRET, {0x392, 0x396, 0x393, 0x394, 0x395}, 8, 2048, 0,
	0, {47}, {13}},
    /* RSA */
    {"p", CKK_RSA, {0x0}, 1024, 4096, 0, 0, {30}, {12}},
    {"p", CKK_RSA, {0xa}, 2048, 4096, 0, 0, {30}, {12}},
    {"edsvwu", CKK_RSA, {0x1}, 1024, 4096, 0, 0, {30, 61, 68, 69},
	{0, 6, 2, 0, 8, 10}},
    {"edwu", CKK_RSA, {0x9}, 1024, 4096, 'o', 0, {30, 74}, {0, 6, 8, 10}},
    {"edsv", CKK_RSA, {0x3}, 1024, 4096, 0, 0, {30, 19}, {0, 6, 2, 0}},
    {"sv", CKK_RSA, {0x6}, 1024, 4096, 0, 0, {30, 61, 68, 69}, {2, 0}},
    {"sv", CKK_RSA, {0x46, 0x40, 0x41, 0x42}, 1024, 4096, 0, 0, {30, 61},
	{2, 0}},
    {"sv", CKK_RSA, {0xd, 0x47, 0x43, 0x44, 0x45}, 1024, 4096, 'p', 0, {30},
	{2, 0}},
    {"sv", CKK_RSA, {0xe}, 1024, 4096, 'p', 0, {30, 68, 69}, {2, 0}},
    /* EC */
    {"p", CKK_EC, {0x1040}, 160, 521, 0, 0, {32}, {12}},
    {"sv", CKK_EC,
	{0x1041, 0x1042, 0x1043, 0x1044, 0x1045, 0x1046, V + 0x10008,
	    V + 0x10009, V + 0x1000a, V + 0x1000b},
	160, 521, 0, 0, {32}, {2, 0}},
    {"x", CKK_EC, {0x1050}, 160, 521, 'e', 0, {32, 46, 47}, {13}},
    {"x", CKK_EC, {V + 0x1001b}, 255, 255, 'e', 0, {32, 46, 47, 55}, {13}},
    {"x", CKK_EC, {V + 0x1001e}, 448, 448, 'e', 0, {32, 46, 47, 55}, {13}},
    {"p", CKK_EC, {0x1055}, 255, 448, 0, 0, {32, 55}, {12}},
    {"sv", CKK_EC, {0x1057}, 255, 448, 0, 0, {32, 55}, {2, 0}},
    {"sv", CKK_EC, {V + 0x1001c}, 255, 255, 0, 0, {32, 55}, {2, 0}},
    {"sv", CKK_EC, {V + 0x1001f}, 448, 448, 0, 0, {32, 55}, {2, 0}},
    /* DSA, DH */
    {"p", CKK_DSA, {0x10}, 1024, 1024, 0, 0, {31}, {12}},
    {"sv", CKK_DSA, {0x11, 0x12, 0x13, 0x14, 0x15, 0x16}, 512, 1024, 0, 0, {31},
	{2, 0}},
    {"p", CKK_DH, {0x20}, 512, 4096, 0, 0, {46}, {12}},
    {"x", CKK_DH, {0x21}, 512, 4096, 'b', 0, {46, 47}, {13}},
    /* transport */
    {"wu", EP11_KEY_ANY, {V + 0x20004}, 0, 0, 0, 0, {0}, {0, 0}},
    {"u", EP11_KEY_NONE, {V + 0x20005}, 0, 0, 0, 0, {0}, {0}},
};
#define GROUPS (sizeof(expected) / sizeof(expected[0]))

static const struct {
	char letter;
	CK_FLAGS flag;
} letters[] = {{'h', CKF_DIGEST}, {'e', CKF_ENCRYPT}, {'d', CKF_DECRYPT},
    {'s', CKF_SIGN}, {'v', CKF_VERIFY}, {'w', CKF_WRAP}, {'u', CKF_UNWRAP},
    {'g', CKF_GENERATE}, {'p', CKF_GENERATE_KEY_PAIR}, {'x', CKF_DERIVE}};

static CK_FLAGS
flag_of(char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == letter)
			return letters[i].flag;
	fail_msg("no use %c", letter);
	return 0;
}

static CK_FLAGS
flags_of(const char *uses)
{
	CK_FLAGS f = 0;

	for (; *uses != '\0'; uses++)
		f |= flag_of(*uses);
	return f;
}

/* CKM_RSA_PKCS_KEY_PAIR_GEN is number 0, so a 0 ends a list but begins it. */
static size_t
numbers(const struct group *g)
{
	size_t n = 1;

	while (n < 12 && g->number[n] != 0)
		n++;
	return n;
}

static const struct group *
group_of(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (size_t j = 0; j < numbers(&expected[i]); j++)
			if (expected[i].number[j] == type)
				return &expected[i];
	return NULL;
}

static char
letter_of(enum hsa_mech_kind kind)
{
	switch (kind) {
	case HSA_MECH_NONE:
		return 0;
	case HSA_MECH_BYTES:
		return 'b';
	case HSA_MECH_GCM:
		return 'g';
	case HSA_MECH_OAEP:
		return 'o';
	case HSA_MECH_PSS:
		return 'p';
	case HSA_MECH_ECDH1:
		return 'e';
	default:
		return '?';
	}
}

#define CURVES (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

static void
test_mech__table_is_what_is_expected(void **state)
{
	size_t n = 0, seen = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);

	(void)state;
	for (size_t i = 0; i < GROUPS; i++)
		seen += numbers(&expected[i]);
	assert_int_equal(n, seen);
	for (size_t i = 0; i < n; i++) {
		const struct group *g = group_of(row[i].type);

		if (g == NULL)
			fail_msg("%s is not expected", row[i].name);
		assert_int_equal(row[i].flags & ~CURVES, flags_of(g->uses));
		assert_int_equal(row[i].key_type, g->key);
		assert_int_equal(row[i].min, g->min);
		assert_int_equal(row[i].max, g->max);
		assert_int_equal(letter_of(row[i].param), g->param);
		assert_int_equal(row[i].param_len, g->len);
		assert_int_equal(
		    (row[i].flags & CURVES) != 0, row[i].key_type == CKK_EC);
		for (size_t j = 0; j < 5; j++) {
			if (g->cp[j] == 0) {
				assert_int_equal(row[i].cp[j], -1);
				break;
			}
			assert_int_equal(row[i].cp[j], g->cp[j]);
			assert_true(g->cp[j] <= EP11_CP_LAST);
		}
	}
	printf("COUNT mechanisms: %zu\n", n);
}

static void
test_mech__numbers_and_names_find_their_row(void **state)
{
	size_t n = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(ep11_mech_find(row[i].type), &row[i]);
		assert_ptr_equal(ep11_mech_find_name(row[i].name), &row[i]);
		assert_string_equal(ep11_mech_name(row[i].type), row[i].name);
		assert_memory_equal(row[i].name, "CKM_", 4);
		/* and readers of records call it the same */
		assert_non_null(hsa_mech_text(row[i].type));
		assert_string_equal(hsa_mech_text(row[i].type), row[i].name);
	}
	assert_string_equal(ep11_mech_name(0x1082), "CKM_AES_CBC");
	assert_string_equal(ep11_mech_name(0x220), "CKM_SHA_1");
	assert_string_equal(
	    ep11_mech_name(V + 0x20005), "CKM_IBM_TRANSPORTKEY");
#define HSA_MECH_NAME(number, name) n--;
#include "ep11_mech_name.def"
#undef HSA_MECH_NAME
	assert_int_equal(n, 0);
	assert_null(hsa_mech_text(0x210));
	/* MD5, AES-CFB, SHA-3, RSA X9.31 signatures, Dilithium */
	assert_null(ep11_mech_find(0x210));
	assert_null(ep11_mech_find(0x2107));
	assert_null(ep11_mech_find(V + 0x10001));
	assert_null(ep11_mech_find(0xb));
	assert_null(ep11_mech_find(V + 0x10023));
	assert_null(ep11_mech_name(0x210));
	assert_null(ep11_mech_find_name("CKM_MD5"));
	assert_null(ep11_mech_find_name("AES_CBC"));
}

/* A family is one set of handlers: these are the uses that they serve. */
static void
test_mech__flags_are_those_that_the_family_serves(void **state)
{
	static const char *const serves[] = {
	    [EP11_FAMILY_DIGEST] = "h",
	    [EP11_FAMILY_CIPHER] = "edwu",
	    [EP11_FAMILY_MAC] = "sv",
	    [EP11_FAMILY_RSA_CRYPT] = "edsvwu",
	    [EP11_FAMILY_RSA_SIGN] = "sv",
	    [EP11_FAMILY_ECDSA] = "sv",
	    [EP11_FAMILY_EDDSA] = "sv",
	    [EP11_FAMILY_DSA] = "sv",
	    [EP11_FAMILY_KEYGEN] = "g",
	    [EP11_FAMILY_PAIRGEN] = "p",
	    [EP11_FAMILY_ECDH] = "x",
	    [EP11_FAMILY_DH] = "x",
	    [EP11_FAMILY_SHA_DERIVE] = "x",
	    [EP11_FAMILY_KEY_WRAP] = "wu",
	    [EP11_FAMILY_ATTRBOUND] = "wu",
	    [EP11_FAMILY_TRANSPORT] = "u",
	};
	size_t n = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		CK_FLAGS f = row[i].flags & ~CURVES;

		assert_in_range(
		    row[i].family, EP11_FAMILY_DIGEST, EP11_FAMILY_TRANSPORT);
		assert_int_not_equal(f, 0);
		assert_int_equal(f & ~flags_of(serves[row[i].family]), 0);
	}
}

/* A use that a row promises is one that the engine has functions for. */
static void
test_mech__every_use_has_its_functions(void **state)
{
	static const struct {
		char letter;
		enum hsa_fn fn[6];
	} needs[] = {
	    {'h',
		{HSA_FN_DIGEST_INIT, HSA_FN_DIGEST_UPDATE, HSA_FN_DIGEST_FINAL,
		    HSA_FN_DIGEST, HSA_FN_DIGEST_SINGLE}},
	    {'e', {HSA_FN_ENCRYPT_INIT, HSA_FN_ENCRYPT_UPDATE,
		      HSA_FN_ENCRYPT_FINAL, HSA_FN_ENCRYPT,
		      HSA_FN_ENCRYPT_SINGLE, HSA_FN_REENCRYPT_SINGLE}},
	    {'d', {HSA_FN_DECRYPT_INIT, HSA_FN_DECRYPT_UPDATE,
		      HSA_FN_DECRYPT_FINAL, HSA_FN_DECRYPT,
		      HSA_FN_DECRYPT_SINGLE, HSA_FN_REENCRYPT_SINGLE}},
	    {'s', {HSA_FN_SIGN_INIT, HSA_FN_SIGN_UPDATE, HSA_FN_SIGN_FINAL,
		      HSA_FN_SIGN, HSA_FN_SIGN_SINGLE}},
	    {'v',
		{HSA_FN_VERIFY_INIT, HSA_FN_VERIFY_UPDATE, HSA_FN_VERIFY_FINAL,
		    HSA_FN_VERIFY, HSA_FN_VERIFY_SINGLE}},
	    {'w', {HSA_FN_WRAP_KEY}},
	    {'u', {HSA_FN_UNWRAP_KEY}},
	    {'g', {HSA_FN_GENERATE_KEY}},
	    {'p', {HSA_FN_GENERATE_KEY_PAIR}},
	    {'x', {HSA_FN_DERIVE_KEY}},
	};
	uint8_t mask[16];
	size_t seen = 0;

	(void)state;
	ep11_engine_functions(mask);
	for (size_t i = 0; i < GROUPS; i++)
		for (const char *u = expected[i].uses; *u != '\0'; u++)
			for (size_t j = 0; j < sizeof(needs) / sizeof(needs[0]);
			     j++) {
				if (needs[j].letter != *u)
					continue;
				for (size_t k = 0; k < 6; k++) {
					unsigned f = needs[j].fn[k];

					if (f != 0 &&
					    (mask[f / 8] & 0x80 >> f % 8) == 0)
						fail_msg("no function %u", f);
				}
				seen++;
			}
	assert_true(seen > GROUPS);
}

static struct hsa_mech
good_mech(const struct ep11_mech_row *row)
{
	static const uint8_t some[64];
	struct hsa_mech m = {.type = row->type, .kind = row->param};

	if (row->param == HSA_MECH_BYTES) {
		m.a.p = some;
		m.a.n = row->param_len != 0 ? row->param_len : 5;
	}
	return m;
}

static void
off(uint8_t cp[16], int bit)
{
	cp[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* Every mechanism, every use, every control point alone. */
static void
test_mech__control_points_gate_what_they_name(void **state)
{
	size_t n = 0, checks = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n), *got;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct group *g = group_of(row[i].type);
		struct hsa_mech m = good_mech(&row[i]);

		for (int bit = 0; bit < 128; bit++) {
			uint8_t cp[16];
			CK_FLAGS left = 0;
			bool algorithm = true;

			memset(cp, 0xff, 16);
			off(cp, bit);
			for (size_t j = 0; j < 5 && g->cp[j] != 0; j++)
				algorithm = algorithm && g->cp[j] != bit;
			for (size_t u = 0; g->uses[u] != '\0'; u++) {
				CK_FLAGS f = flag_of(g->uses[u]);
				bool use = bit == 0 || g->use_cp[u] != bit;
				CK_RV rv = ep11_mech_use(&got, cp, &m, f);

				if (!algorithm)
					assert_int_equal(
					    rv, CKR_MECHANISM_INVALID);
				else if (!use)
					assert_int_equal(
					    rv, CKR_FUNCTION_CANCELED);
				else {
					assert_int_equal(rv, CKR_OK);
					left |= f;
				}
				checks++;
			}
			assert_int_equal(
			    ep11_mech_flags(&row[i], cp) & ~CURVES, left);
		}
	}
	printf("COUNT mechanism uses under control points: %zu\n", checks);
}

static void
test_mech__other_uses_and_parameters_are_refused(void **state)
{
	size_t n = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n), *got;
	uint8_t cp[16];

	(void)state;
	memset(cp, 0xff, 16);
	for (size_t i = 0; i < n; i++) {
		struct hsa_mech m = good_mech(&row[i]);
		CK_FLAGS good = CKF_SIGN;

		for (size_t j = 0; j < sizeof(letters) / sizeof(letters[0]);
		     j++) {
			CK_FLAGS f = letters[j].flag;

			if ((row[i].flags & f) == 0)
				assert_int_equal(ep11_mech_use(&got, cp, &m, f),
				    CKR_MECHANISM_INVALID);
			else
				good = f;
		}
		m.kind = HSA_MECH_OTHER;
		assert_int_equal(ep11_mech_use(&got, cp, &m, good),
		    CKR_MECHANISM_PARAM_INVALID);
		m = good_mech(&row[i]);
		if (row[i].param_len != 0) {
			m.a.n++;
			assert_int_equal(ep11_mech_use(&got, cp, &m, good),
			    CKR_MECHANISM_PARAM_INVALID);
			m.a.n -= 2;
			assert_int_equal(ep11_mech_use(&got, cp, &m, good),
			    CKR_MECHANISM_PARAM_INVALID);
		}
		if (row[i].param == HSA_MECH_NONE) {
			m.kind = HSA_MECH_BYTES;
			assert_int_equal(
			    ep11_mech_use(&got, cp, &m, good), CKR_OK);
			m.a = (struct hsa_slice){(const uint8_t *)"x", 1};
			assert_int_equal(ep11_mech_use(&got, cp, &m, good),
			    CKR_MECHANISM_PARAM_INVALID);
		}
	}
}

static void
test_mech__keys_fit_their_rows(void **state)
{
	const struct ep11_mech_row *des = ep11_mech_find(0x133);
	const struct ep11_mech_row *any = ep11_mech_find(V + 0x10007);
	const struct ep11_mech_row *aes = ep11_mech_find(0x1082);
	const struct ep11_mech_row *gen = ep11_mech_find(0x130);

	(void)state;
	assert_true(ep11_mech_key_fits(des, CKK_DES3));
	assert_true(ep11_mech_key_fits(des, CKK_DES2));
	assert_false(ep11_mech_key_fits(des, CKK_AES));
	assert_true(ep11_mech_key_fits(any, CKK_AES));
	assert_true(ep11_mech_key_fits(any, CKK_DES2));
	assert_true(ep11_mech_key_fits(any, CKK_DES3));
	assert_false(ep11_mech_key_fits(any, CKK_GENERIC_SECRET));
	assert_true(ep11_mech_key_fits(aes, CKK_AES));
	assert_false(ep11_mech_key_fits(aes, CKK_DES3));
	assert_false(ep11_mech_key_fits(gen, CKK_DES3));
}

/* ---- what hosts are told ------------------------------------------------- */

static bool
listed(const struct hsa_call *c, uint64_t type)
{
	uint64_t v;

	for (size_t at = 0; at < c->out.len; at += sizeof(v)) {
		memcpy(&v, c->out.p + at, sizeof(v));
		if (v == type)
			return true;
	}
	return false;
}

static void
test_mech__list_and_info_follow_the_control_points(void **state)
{
	struct ep11_engine e = {0};
	struct hsa_call c = {0};
	uint64_t info[3];
	size_t n = 0;

	(void)state;
	(void)ep11_mech_rows(&n);
	ep11_cp_default(e.cp);
	assert_int_equal(ep11_do_mech_list(&e, &c), CKR_OK);
	assert_int_equal(c.out.len, n * 8);
	hsa_buf_reset(&c.out);
	off(e.cp, EP11_CP_ALG_RSA);
	off(e.cp, EP11_CP_SIGN_SYMM);
	off(e.cp, EP11_CP_KEYGEN_SYMM);
	assert_int_equal(ep11_do_mech_list(&e, &c), CKR_OK);
	assert_false(listed(&c, 0x1));
	assert_false(listed(&c, 0x1080));
	assert_true(listed(&c, 0x251)); /* still verifies */
	assert_true(listed(&c, 0x1041));
	c.number = 0x251;
	hsa_buf_reset(&c.out);
	assert_int_equal(ep11_do_mech_info(&e, &c), CKR_OK);
	assert_int_equal(c.out.len, sizeof(info));
	memcpy(info, c.out.p, sizeof(info));
	assert_int_equal(info[0], 1);
	assert_int_equal(info[1], 256);
	assert_int_equal(info[2], CKF_VERIFY);
	off(e.cp, EP11_CP_KEYSZ_HMAC_ANY);
	hsa_buf_reset(&c.out);
	assert_int_equal(ep11_do_mech_info(&e, &c), CKR_OK);
	memcpy(info, c.out.p, sizeof(info));
	assert_int_equal(info[0], 16);
	hsa_buf_reset(&c.out);
	for (int i = 0; i < 3; i++) {
		static const uint64_t gone[] = {0x1, 0x1080, 0x210};

		c.number = gone[i];
		assert_int_equal(
		    ep11_do_mech_info(&e, &c), CKR_MECHANISM_INVALID);
		assert_int_equal(c.out.len, 0);
	}
	hsa_buf_free(&c.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mech__table_is_what_is_expected),
	    cmocka_unit_test(test_mech__numbers_and_names_find_their_row),
	    cmocka_unit_test(test_mech__flags_are_those_that_the_family_serves),
	    cmocka_unit_test(test_mech__every_use_has_its_functions),
	    cmocka_unit_test(test_mech__control_points_gate_what_they_name),
	    cmocka_unit_test(test_mech__other_uses_and_parameters_are_refused),
	    cmocka_unit_test(test_mech__keys_fit_their_rows),
	    cmocka_unit_test(
		test_mech__list_and_info_follow_the_control_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
