/* The words of the ep11 command: attributes, mechanisms and their parameters,
 * options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "epc_attr.h"
#include "epc_cli.h"
#include "epc_param.h"
#include "epc_rv.h"
#include "helper_proto.h"

/* ---- attributes ---------------------------------------------------------- */

static void
expect_attr(const char *text, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	struct epc_template t = {.n = 0};
	struct hsa_diag diag = {{0}};

	if (!hsa_is_ok(epc_template_add(&t, text, &diag)))
		fail_msg("%s: %s", text, diag.text);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.a[0].type, type);
	assert_int_equal(t.a[0].ulValueLen, n);
	if (n != 0)
		assert_memory_equal(t.a[0].pValue, p, n);
	epc_template_free(&t);
}

static void
expect_no_attr(const char *text, const char *words)
{
	struct epc_template t = {.n = 0};
	struct hsa_diag diag = {{0}};

	assert_rc("E_ARG", epc_template_add(&t, text, &diag));
	if (strstr(diag.text, words) == NULL)
		fail_msg("%s: \"%s\" lacks \"%s\"", text, diag.text, words);
	assert_int_equal(t.n, 0);
	epc_template_free(&t);
}

static void
test_epc_words__attributes_have_names_and_values(void **state)
{
	static const uint8_t p256[] = {
	    0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	const CK_ULONG aes = CKK_AES, secret = CKO_SECRET_KEY, n = 32;

	(void)state;
	expect_attr("CKA_SIGN=true", CKA_SIGN, "\x01", 1);
	expect_attr("sign=1", CKA_SIGN, "\x01", 1);
	expect_attr("cka_sign=false", CKA_SIGN, "\x00", 1);
	expect_attr("0x108=0", CKA_SIGN, "\x00", 1);
	expect_attr("CKA_KEY_TYPE=aes", CKA_KEY_TYPE, &aes, sizeof(aes));
	expect_attr("KEY_TYPE=0x1f", CKA_KEY_TYPE, &aes, sizeof(aes));
	expect_attr("CKA_CLASS=secret", CKA_CLASS, &secret, sizeof(secret));
	expect_attr("CKA_VALUE_LEN=32", CKA_VALUE_LEN, &n, sizeof(n));
	expect_attr("CKA_EC_PARAMS=p-256", CKA_EC_PARAMS, p256, sizeof(p256));
	expect_attr("EC_PARAMS=06082a8648ce3d030107", CKA_EC_PARAMS, p256,
	    sizeof(p256));
	expect_attr("CKA_LABEL=a=b", CKA_LABEL, "a=b", 3);
	expect_attr("CKA_ID=0aFF", CKA_ID, "\x0a\xff", 2);
	expect_attr("CKA_ID=text:id", CKA_ID, "id", 2);
	expect_attr("CKA_ID=", CKA_ID, "", 0);
	expect_attr("0x80050001=00", 0x80050001, "\0", 1);
	expect_no_attr("CKA_SIGN", "no value");
	expect_no_attr("CKA_SIGN=yes", "neither true nor false");
	expect_no_attr("CKA_SING=true", "no attribute");
	expect_no_attr("CKA_ID=0", "hexadecimal");
	expect_no_attr("CKA_ID=xy", "hexadecimal");
	expect_no_attr("CKA_CLASS=thing", "public, private or secret");
	expect_no_attr("CKA_KEY_TYPE=idea", "aes");
	expect_no_attr("CKA_EC_PARAMS=P-257", "no curve");
	expect_no_attr("CKA_VALUE_LEN=-1", "no number");
	expect_no_attr("CKA_VALUE_LEN=0x", "no number");
	expect_no_attr("CKA_VALUE_LEN=99999999999999999999", "no number");
}

static void
test_epc_words__an_attribute_shown_is_one_that_is_taken(void **state)
{
	static const char *const values[] = {"CKA_SIGN=true", "CKA_SIGN=false",
	    "CKA_KEY_TYPE=ec", "CKA_CLASS=private", "CKA_VALUE_LEN=24",
	    "CKA_EC_PARAMS=secp256k1", "CKA_LABEL=a label", "CKA_ID=00ff",
	    "0x80050001=abcd"};
	struct epc_template t = {.n = 0};
	struct hsa_buf b = {0};
	char name[48];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		hsa_buf_reset(&b);
		assert_ok(epc_template_add(&t, values[i], NULL));
		epc_attr_name(name, t.a[0].type);
		hsa_buf_printf(&b, "%s=", name);
		epc_attr_text(
		    &b, t.a[0].type, t.a[0].pValue, t.a[0].ulValueLen);
		assert_string_equal(hsa_buf_cstr(&b), values[i]);
		epc_template_free(&t);
	}
	/* what has another length than its type is shown as it is */
	hsa_buf_reset(&b);
	epc_attr_text(&b, CKA_SIGN, "\x01\x02", 2);
	assert_string_equal(hsa_buf_cstr(&b), "0102");
	hsa_buf_free(&b);
}

static void
test_epc_words__every_attribute_of_the_table_is_found_by_name(void **state)
{
	const struct epc_attr_row *row = NULL;
	CK_ATTRIBUTE_TYPE type = 0;
	size_t i = 0;

	(void)state;
	for (i = 0; (row = epc_attr_row(i)) != NULL; i++) {
		struct epc_attr_row copy = *row; /* finding walks the table */

		assert_ok(
		    epc_attr_type(&type, copy.name, strlen(copy.name), NULL));
		assert_int_equal(type, copy.type);
		assert_int_equal(epc_attr_of(copy.type)->kind, copy.kind);
	}
	assert_true(i > 40);
}

static void
test_epc_words__a_template_takes_each_attribute_once(void **state)
{
	struct epc_template t = {.n = 0};
	struct hsa_diag diag = {{0}};
	const struct opt_list twice = {{"CKA_SIGN=true", "sign=false"}, 2};
	char text[32];

	(void)state;
	assert_rc("E_ARG", epc_template_list(&t, &twice, &diag));
	assert_non_null(strstr(diag.text, "twice"));
	epc_template_free(&t);
	/* the user's word goes before a default */
	assert_ok(epc_template_add(&t, "CKA_VALUE_LEN=16", NULL));
	assert_ok(epc_template_ulong(&t, CKA_VALUE_LEN, 32));
	assert_int_equal(t.n, 1);
	assert_int_equal(*(CK_ULONG *)t.a[0].pValue, 16);
	for (unsigned int i = 1; i < OPT_LIST_MAX; i++) {
		(void)snprintf(text, sizeof(text), "0x8005%04x=00", i);
		assert_ok(epc_template_add(&t, text, NULL));
	}
	assert_rc("E_RANGE", epc_template_ulong(&t, CKA_CLASS, 1));
	epc_template_free(&t);
}

/* ---- mechanisms ---------------------------------------------------------- */

static void
set(struct epc_mech *m, const char *name, const char *param)
{
	struct hsa_diag diag = {{0}};
	const struct opt_list params = {{param}, param == NULL ? 0 : 1};

	memset(m, 0, sizeof(*m));
	if (!hsa_is_ok(epc_mech_set(m, name, &params, &diag)))
		fail_msg("%s %s: %s", name, param, diag.text);
}

static void
no_mech(const char *name, const char *param, const char *words)
{
	struct hsa_diag diag = {{0}};
	const struct opt_list params = {{param}, param == NULL ? 0 : 1};
	struct epc_mech m = {.row = NULL};
	hsa_rc rc = epc_mech_set(&m, name, &params, &diag);

	if (rc.v != HSA_E_ARG || strstr(diag.text, words) == NULL)
		fail_msg("%s %s: %s \"%s\"", name, param, hsa_err_name(rc),
		    diag.text);
	epc_mech_free(&m);
}

static void
test_epc_words__parameters_become_structures(void **state)
{
	struct epc_mech m;

	(void)state;
	set(&m, "CKM_AES_GCM",
	    "iv=000102030405060708090a0b,aad=text:hi,tag=96");
	assert_int_equal(m.m.mechanism, CKM_AES_GCM);
	assert_int_equal(m.m.ulParameterLen, sizeof(CK_GCM_PARAMS));
	assert_int_equal(m.param.gcm.ulIvLen, 12);
	assert_int_equal(m.param.gcm.ulIvBits, 96);
	assert_int_equal(m.param.gcm.pIv[11], 11);
	assert_int_equal(m.param.gcm.ulAADLen, 2);
	assert_memory_equal(m.param.gcm.pAAD, "hi", 2);
	assert_int_equal(m.param.gcm.ulTagBits, 96);
	epc_mech_free(&m);

	set(&m, "aes_cbc_pad", "iv=000102030405060708090a0b0c0d0e0f");
	assert_int_equal(m.m.ulParameterLen, 16);
	assert_int_equal(((uint8_t *)m.m.pParameter)[15], 15);
	epc_mech_free(&m);

	set(&m, "AES_CTR", "iv=000102030405060708090a0b0c0d0e0f,bits=32");
	assert_int_equal(m.m.ulParameterLen, sizeof(CK_AES_CTR_PARAMS));
	assert_int_equal(m.param.ctr.ulCounterBits, 32);
	assert_int_equal(m.param.ctr.cb[15], 15);
	epc_mech_free(&m);

	set(&m, "RSA_PKCS_OAEP", "hash=SHA256,mgf=MGF1_SHA1,source=abcd");
	assert_int_equal(m.param.oaep.hashAlg, CKM_SHA256);
	assert_int_equal(m.param.oaep.mgf, CKG_MGF1_SHA1);
	assert_int_equal(m.param.oaep.source, CKZ_DATA_SPECIFIED);
	assert_int_equal(m.param.oaep.ulSourceDataLen, 2);
	epc_mech_free(&m);
	set(&m, "RSA_PKCS_OAEP", NULL);
	assert_int_equal(m.param.oaep.hashAlg, CKM_SHA_1);
	assert_int_equal(m.param.oaep.mgf, CKG_MGF1_SHA1);
	epc_mech_free(&m);

	set(&m, "SHA384_RSA_PKCS_PSS", NULL);
	assert_int_equal(m.param.pss.hashAlg, CKM_SHA384);
	assert_int_equal(m.param.pss.mgf, CKG_MGF1_SHA384);
	assert_int_equal(m.param.pss.sLen, 48);
	epc_mech_free(&m);
	set(&m, "RSA_PKCS_PSS", "hash=CKM_SHA512,salt=0");
	assert_int_equal(m.param.pss.hashAlg, CKM_SHA512);
	assert_int_equal(m.param.pss.mgf, CKG_MGF1_SHA512);
	assert_int_equal(m.param.pss.sLen, 0);
	epc_mech_free(&m);

	set(&m, "ECDH1_DERIVE", "public=0401,shared=02,kdf=SHA256");
	assert_int_equal(m.param.ecdh.kdf, CKD_SHA256_KDF);
	assert_int_equal(m.param.ecdh.ulPublicDataLen, 2);
	assert_int_equal(m.param.ecdh.ulSharedDataLen, 1);
	epc_mech_free(&m);

	set(&m, "AES_CMAC_GENERAL", "length=4");
	assert_int_equal(m.m.ulParameterLen, sizeof(CK_ULONG));
	assert_int_equal(*(CK_ULONG *)m.m.pParameter, 4);
	epc_mech_free(&m);

	set(&m, "SHA256", NULL);
	assert_int_equal(m.m.mechanism, CKM_SHA256);
	assert_null(m.m.pParameter);
	assert_int_equal(m.m.ulParameterLen, 0);
	epc_mech_free(&m);

	set(&m, "0x80012345", "raw=0102"); /* unknown here: as it is */
	assert_int_equal(m.m.mechanism, 0x80012345);
	assert_int_equal(m.m.ulParameterLen, 2);
	epc_mech_free(&m);
}

static void
test_epc_words__wrong_parameters_are_refused_with_the_fix(void **state)
{
	(void)state;
	no_mech("AES_XTS", NULL, "see ep11 mechanisms");
	no_mech("AES_GCM", NULL, "--param iv=HEX");
	no_mech("AES_GCM", "iv", "NAME=VALUE");
	no_mech("AES_GCM", "vi=00", "NAME=VALUE");
	no_mech("AES_GCM", "iv=00,iv=01", "twice");
	no_mech("AES_GCM", "iv=00,salt=1", "has no --param salt");
	no_mech("AES_GCM", "iv=0", "hexadecimal");
	no_mech("AES_GCM", "iv=00,tag=x", "no number");
	no_mech("AES_CTR", "iv=00", "instead of 16");
	no_mech("AES_ECB", "iv=00", "has no --param iv");
	no_mech("RSA_PKCS_PSS", "hash=MD5", "SHA256");
	no_mech("ECDH1_DERIVE", NULL, "--param public=HEX");
	no_mech("AES_CMAC_GENERAL", NULL, "length=BYTES");
	no_mech(NULL, NULL, "--mechanism NAME");
}

static void
test_epc_words__every_mechanism_of_the_engine_has_its_parameter(void **state)
{
	size_t n = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		static const char iv[] = "iv=000102030405060708090a0b0c0d0e0f";
		struct epc_mech m;
		const char *param = NULL;

		if (row[i].param == HSA_MECH_GCM)
			param = iv;
		if (row[i].param == HSA_MECH_ECDH1 ||
		    row[i].family == EP11_FAMILY_DH)
			param = "public=04";
		else if (row[i].param == HSA_MECH_BYTES)
			param = row[i].family == EP11_FAMILY_MAC ? "length=8"
				: row[i].param_len == 8 ? "iv=0001020304050607"
							: iv;
		set(&m, row[i].name, param);
		assert_int_equal(m.m.mechanism, row[i].type);
		if (row[i].param_len != 0)
			assert_int_equal(m.m.ulParameterLen, row[i].param_len);
		epc_mech_free(&m);
		set(&m, row[i].name + 4, param); /* without CKM_ */
		epc_mech_free(&m);
	}
}

/* ---- options and answers ------------------------------------------------- */

static hsa_rc
parse(struct epc_options *o, const char *line, struct hsa_diag *diag)
{
	static char words[256];
	char *argv[32] = {NULL}, *save = NULL, *w = NULL;
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	*o = (struct epc_options){.json = false};
	return opt_parse(&epc_program, &o->line,
	    opt_find(&epc_program, argv[0]), argv + 1, diag);
}

static void
test_epc_words__options_go_to_the_verbs_that_take_them(void **state)
{
	static const struct {
		const char *line, *words;
	} bad[] = {
	    {"random 5 --key k", "no option --key"},
	    {"random", "BYTES is missing"},
	    {"random 5 6", "\"6\" is one word too many"},
	    {"sign --key", "needs a value"},
	    {"sign --key a --key b", "twice"},
	    {"sign --json=1", "takes no value"},
	    {"remove a", "is missing"},
	};
	struct epc_options o;
	struct hsa_diag diag = {{0}};

	(void)state;
	/* behind -- it is a word, and sign takes none */
	assert_rc("E_ARG", parse(&o, "sign --key=k -- --hex", &diag));
	opt_line_free(&o.line);
	assert_ok(parse(&o, "keys -- --odd", &diag));
	assert_string_equal(o.line.args[0], "--odd");
	opt_line_free(&o.line);
	assert_ok(parse(
	    &o, "sign --key=k --mechanism M --param a=b --param c=d", &diag));
	assert_string_equal(o.key, "k");
	assert_int_equal(o.param.n, 2);
	assert_string_equal(o.param.v[1], "c=d");
	opt_line_free(&o.line);
	assert_ok(parse(&o, "remove --help", &diag)); /* help asks nothing */
	assert_true(o.line.help);
	opt_line_free(&o.line);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_rc("E_ARG", parse(&o, bad[i].line, &diag));
		if (strstr(diag.text, bad[i].words) == NULL)
			fail_msg("%s: %s", bad[i].line, diag.text);
		opt_line_free(&o.line);
	}
	assert_null(opt_find(&epc_program, "frob"));
}

static void
test_epc_words__answers_are_named_with_meaning_and_fix(void **state)
{
	struct hsa_diag diag = {{0}};

	(void)state;
	assert_ok(epc_rv_fail(&diag, CKR_OK, "x"));
	assert_rc("E_REMOTE", epc_rv_fail(&diag, 0x68, "sign"));
	assert_string_equal(diag.text,
	    "sign: CKR_KEY_FUNCTION_NOT_PERMITTED (0x68): the key may not be "
	    "used so; fix: see ep11 attributes get; use a key with that "
	    "attribute");
	assert_rc("E_SIGNATURE", epc_rv_fail(&diag, 0xc0, "verify"));
	assert_rc("E_REMOTE", epc_rv_fail(&diag, 0x80040004, "store"));
	assert_non_null(strstr(diag.text, "CKR_IBM_GREP11_CONFLICT"));
	assert_rc("E_REMOTE", epc_rv_fail(&diag, 0x12345678, "x"));
	assert_non_null(strstr(diag.text, "0x12345678"));
	assert_int_equal(epc_exit_of(HSA_OK), 0);
	assert_int_equal(epc_exit_of(HSA_RC(E_REMOTE)), 1);
	assert_int_equal(epc_exit_of(HSA_RC(E_SIGNATURE)), 1);
	assert_int_equal(epc_exit_of(HSA_RC(E_ARG)), 2);
	assert_int_equal(epc_exit_of(HSA_RC(E_CLOSED)), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_epc_words__attributes_have_names_and_values),
	    cmocka_unit_test(
		test_epc_words__an_attribute_shown_is_one_that_is_taken),
	    cmocka_unit_test(
		test_epc_words__every_attribute_of_the_table_is_found_by_name),
	    cmocka_unit_test(
		test_epc_words__a_template_takes_each_attribute_once),
	    cmocka_unit_test(test_epc_words__parameters_become_structures),
	    cmocka_unit_test(
		test_epc_words__wrong_parameters_are_refused_with_the_fix),
	    cmocka_unit_test(
		test_epc_words__every_mechanism_of_the_engine_has_its_parameter),
	    cmocka_unit_test(
		test_epc_words__options_go_to_the_verbs_that_take_them),
	    cmocka_unit_test(
		test_epc_words__answers_are_named_with_meaning_and_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
