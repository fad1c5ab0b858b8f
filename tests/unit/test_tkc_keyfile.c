/* test_tkc_keyfile.c - password-protected key files, and the ring of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "tkc_ring.h"

static char dir[64];
static char keys[96];
static struct tkc_files files = {.fd = -1};
static struct tkc_passwords passwords;
static struct tkc_ring ring;
static struct hsa_diag diag;

static void
put(const char *name, const char *text, mode_t mode)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	helper_vfy_put_file(dir, name, text, strlen(text));
	assert_int_equal(chmod(path, mode), 0);
}

static int
setup(void **state)
{
	char pw[96];

	(void)state;
	helper_vfy_tmpdir(dir);
	(void)snprintf(keys, sizeof(keys), "%s/keys", dir);
	put("pw", "correct horse\n", 0600);
	passwords = (struct tkc_passwords){.prompt = {-1, -1}};
	(void)snprintf(pw, sizeof(pw), "%s/pw", dir);
	assert_true(hsa_is_ok(tkc_passwords_add(&passwords, pw)));
	assert_true(hsa_is_ok(tkc_files_open(&files, keys, &diag)));
	assert_true(hsa_is_ok(tkc_ring_load(&ring, &files, &passwords, &diag)));
	assert_int_equal(ring.iterations, 600000);
	ring.iterations = TKC_ITERATIONS_SDK; /* the cases make many keys */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tkc_ring_free(&ring);
	tkc_files_close(&files);
	tkc_passwords_free(&passwords);
	helper_vfy_rmdir(dir);
	return 0;
}

static void
assert_rc(hsa_rc rc, enum hsa_err want)
{
	if (rc.v != (int)want)
		fail_msg("%s, expected %s: %s", hsa_err_name(rc),
		    hsa_err_name((hsa_rc){(int)want}), diag.text);
}

static struct hsa_buf
text_of(const char *s)
{
	struct hsa_buf b = {0};

	hsa_buf_str(&b, s);
	return b;
}

static struct hsa_buf
file_of(const char *path)
{
	struct hsa_buf b = {0};

	assert_rc(tkc_slurp(&b, path, TKC_FILE_MAX, false, &diag), 0);
	return b;
}

/* ---- one file ------------------------------------------------------------ */

static void
open_sdk_file(const char *path, enum tke_key_type type)
{
	struct hsa_buf text = file_of(path), good = text_of("correct horse");
	struct hsa_buf bad = text_of("correct horsE");
	struct tkc_keyfile k = {.label = ""};
	EVP_PKEY *key = NULL;
	uint8_t ski[TKE_SKI_LEN];

	assert_rc(tkc_keyfile_parse(&k, TKC_KEYFILE_SIGKEY, hsa_buf_cstr(&text),
		      text.len, &diag),
	    0);
	assert_int_equal(k.iterations, 4096);
	assert_int_equal(k.type, type);
	assert_rc(tkc_keyfile_open_key(&key, &k, &bad), HSA_E_PASSWORD);
	assert_null(key);
	assert_rc(tkc_keyfile_open_key(&key, &k, &good), 0);
	assert_rc(tke_ski(ski, key), 0);
	assert_memory_equal(ski, k.id, sizeof(ski));
	EVP_PKEY_free(key);
	tkc_keyfile_free(&k);
	hsa_buf_free(&text);
	hsa_buf_free(&good);
	hsa_buf_free(&bad);
}

static void
test_keyfile__the_sdks_form_made_by_other_code_opens(void **state)
{
	(void)state;
	open_sdk_file("tests/kat/sdk_p521.sigkey", TKE_KEY_P521);
	open_sdk_file("tests/kat/sdk_rsa.sigkey", TKE_KEY_RSA2048);
}

/* Cheap to open, so that damage can be tried everywhere. */
static void
test_keyfile__no_changed_byte_ever_opens_as_another_key(void **state)
{
	struct hsa_buf text = file_of("tests/kat/sdk_p521.sigkey");
	struct hsa_buf pw = text_of("correct horse");
	size_t i, opened = 0, refused = 0;

	(void)state;
	for (i = 0; i < text.len; i++) {
		struct tkc_keyfile k = {.label = ""};
		EVP_PKEY *key = NULL;
		uint8_t was = text.p[i];
		hsa_rc rc;

		text.p[i] ^= 1;
		rc = tkc_keyfile_parse(&k, TKC_KEYFILE_SIGKEY,
		    (const char *)text.p, text.len, &diag);
		if (hsa_is_ok(rc))
			rc = tkc_keyfile_open_key(&key, &k, &pw);
		/* only blanks between members may change without harm */
		if (hsa_is_ok(rc))
			opened++;
		else
			refused++;
		EVP_PKEY_free(key);
		tkc_keyfile_free(&k);
		text.p[i] = was;
	}
	assert_int_equal(opened, 0);
	assert_int_equal(refused, text.len);
	hsa_buf_free(&text);
	hsa_buf_free(&pw);
}

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SALT "00112233445566778899aabbccddeeff"
#define SEALED SALT SALT SALT SALT
#define FILE_OF(type, id, salt, sealed, more)                                  \
	"{\"keyType\":\"" type "\",\"ski\":\"" id "\",\"seaSalt\":\"" salt     \
	"\",\"enckey\":\"" sealed "\"" more "}"

static void
test_keyfile__each_malformed_member_is_refused_and_named(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"", "JSON"},
	    {"[]", "object"},
	    {"{}", "keyType"},
	    {"{\"keyType\":1}", "keyType"},
	    {FILE_OF("aes256part", ID, SALT, SEALED, ""), "another kind"},
	    {FILE_OF("p521ec", "00", SALT, SEALED, ""), "ski"},
	    {FILE_OF("p521ec", ID "00", SALT, SEALED, ""), "ski"},
	    {FILE_OF("p521ec", ID, "0011", SEALED, ""), "seaSalt"},
	    {FILE_OF("p521ec", ID, SALT "0", SEALED, ""), "seaSalt"},
	    {FILE_OF(
		 "p521ec", ID, "zz112233445566778899aabbccddeeff", SEALED, ""),
		"seaSalt"},
	    {FILE_OF("p521ec", ID, SALT, "0011", ""), "enckey"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"iterations\":\"\""),
		"iterations"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"iterations\":\"4095\""),
		"iterations"},
	    {FILE_OF(
		 "p521ec", ID, SALT, SEALED, ",\"iterations\":\"10000001\""),
		"iterations"},
	    {FILE_OF("p521ec", ID, SALT, SEALED,
		 ",\"iterations\":\"99999999999999999999\""),
		"iterations"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"iterations\":600000"),
		"iterations"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"iterations\":\"-1\""),
		"iterations"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"name\":\"a\\nb\""),
		"name"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"name\":\"" SEALED "\""),
		"name"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, ",\"ski\":\"" ID "\""),
		"JSON"},
	    {FILE_OF("p521ec", ID, SALT, SEALED, "") "x", "JSON"},
	};
	struct tkc_keyfile k = {.label = ""};
	size_t i;

	(void)state;
	assert_rc(
	    tkc_keyfile_parse(&k, TKC_KEYFILE_SIGKEY,
		FILE_OF("p521ec", ID, SALT, SEALED, ",\"other\":{}"),
		strlen(FILE_OF("p521ec", ID, SALT, SEALED, ",\"other\":{}")),
		&diag),
	    0);
	tkc_keyfile_free(&k);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hsa_diag_set(&diag, "%s", "");
		if (hsa_is_ok(tkc_keyfile_parse(&k, TKC_KEYFILE_SIGKEY,
			rows[i].text, strlen(rows[i].text), &diag)))
			fail_msg("accepted: %s", rows[i].text);
		if (strstr(diag.text, rows[i].says) == NULL)
			fail_msg("%s: \"%s\"", rows[i].text, diag.text);
	}
}

static void
test_keyfile__ours_has_600000_iterations_and_fresh_salt_and_nonce(void **state)
{
	static const uint8_t part[TKE_PART_LEN] = {1, 2, 3};
	struct hsa_buf pw = text_of("pw");
	struct tkc_keyfile a = {.label = ""}, b = {.label = ""};

	(void)state;
	assert_rc(tkc_keyfile_seal_part(&a, part, "x", &pw, TKC_ITERATIONS), 0);
	assert_rc(tkc_keyfile_seal_part(&b, part, "x", &pw, TKC_ITERATIONS), 0);
	assert_int_equal(a.iterations, 600000);
	assert_int_equal(a.salt_len, 16);
	assert_memory_not_equal(a.salt, b.salt, 16);
	assert_memory_not_equal(a.sealed.p, b.sealed.p, 12);
	assert_int_equal(a.sealed.len, 12 + 32 + 16);
	tkc_keyfile_free(&a);
	tkc_keyfile_free(&b);
	hsa_buf_free(&pw);
}

/* A file whose id was exchanged for another's must not pass as that one. */
static void
test_keyfile__an_exchanged_id_is_found_on_opening(void **state)
{
	static const uint8_t part[TKE_PART_LEN] = {1, 2, 3};
	uint8_t out[TKE_PART_LEN] = {0};
	struct hsa_buf pw = text_of("pw");
	struct tkc_keyfile k = {.label = ""};

	(void)state;
	assert_rc(tkc_keyfile_seal_part(&k, part, "x", &pw, TKC_ITERATIONS), 0);
	k.id[0] ^= 1;
	assert_rc(tkc_keyfile_open_part(out, &k, &pw), HSA_E_CORRUPT);
	assert_int_equal(out[0], 0);
	k.id[0] ^= 1;
	assert_rc(tkc_keyfile_open_part(out, &k, &pw), 0);
	assert_memory_equal(out, part, sizeof(part));
	tkc_keyfile_free(&k);
	hsa_buf_free(&pw);
}

/* ---- the ring ------------------------------------------------------------ */

static void
test_ring__keys_survive_a_reload_and_open_only_with_their_password(void **state)
{
	struct tkc_key *k = NULL;
	uint8_t ski[TKE_SKI_LEN], id[32];
	struct stat st;
	char path[256];

	(void)state;
	assert_rc(
	    tkc_ring_add_sigkey(&ring, &k, "Ada Example", TKE_KEY_P521, &diag),
	    0);
	memcpy(ski, k->file.id, sizeof(ski));
	(void)snprintf(path, sizeof(path), "%s/%s", keys, k->file_name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(keys, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_rc(
	    tkc_ring_add_sigkey(&ring, &k, "Rsa", TKE_KEY_RSA2048, &diag), 0);
	assert_rc(tkc_ring_add_part(&ring, &k, "part 1", NULL, &diag), 0);
	memcpy(id, k->file.id, sizeof(id));
	tkc_ring_free(&ring);
	assert_rc(tkc_ring_load(&ring, &files, &passwords, &diag), 0);
	assert_int_equal(ring.sigkeys.len, 2);
	assert_int_equal(ring.parts.len, 1);
	assert_string_equal(ring.unreadable.text, "");
	k = tkc_keys_by_id(&ring.sigkeys, ski);
	assert_non_null(k);
	assert_null(k->key);
	put("pw", "another\n", 0600);
	assert_rc(tkc_ring_unlock(&ring, k, &diag), HSA_E_PASSWORD);
	assert_null(k->key);
	put("pw", "correct horse", 0600);
	assert_rc(tkc_ring_unlock(&ring, k, &diag), 0);
	assert_non_null(k->key);
	assert_rc(tkc_ring_unlock(&ring, ring.sigkeys.key[1], &diag), 0);
	k = tkc_keys_by_id(&ring.parts, id);
	assert_non_null(k);
	assert_rc(tkc_ring_unlock(&ring, k, &diag), 0);
	assert_non_null(k->part);
}

static void
test_ring__names_and_values_are_never_taken_twice(void **state)
{
	static const uint8_t value[TKE_PART_LEN] = {9};
	struct tkc_key *k = NULL, *other = NULL;

	(void)state;
	assert_rc(
	    tkc_ring_add_sigkey(&ring, &k, "Ada", TKE_KEY_P521, &diag), 0);
	assert_rc(
	    tkc_ring_add_sigkey(&ring, &other, "Ada", TKE_KEY_P521, &diag),
	    HSA_E_EXISTS);
	assert_null(other);
	assert_rc(tkc_ring_add_part(&ring, &k, "a", value, &diag), 0);
	assert_rc(
	    tkc_ring_add_part(&ring, &other, "b", value, &diag), HSA_E_EXISTS);
	assert_int_equal(ring.sigkeys.len, 1);
	assert_int_equal(ring.parts.len, 1);
}

static void
test_ring__found_by_name_number_or_prefix_and_never_by_chance(void **state)
{
	struct tkc_key k[3] = {
	    {.name = "zoe"}, {.name = "amy"}, {.name = "amy"}};
	struct tkc_key *list[3] = {&k[0], &k[1], &k[2]}, *got = NULL;
	const struct tkc_keys all = {list, 3};

	(void)state;
	memset(k[0].file.id, 0xab, 32);
	memset(k[1].file.id, 0xab, 32);
	memset(k[2].file.id, 0xcd, 32);
	k[1].file.id[2] = 0x11;
	assert_rc(tkc_keys_find(&got, &all, "key part", "zoe", &diag), 0);
	assert_ptr_equal(got, &k[0]);
	assert_rc(tkc_keys_find(&got, &all, "key part", "2", &diag), 0);
	assert_ptr_equal(got, &k[1]);
	assert_rc(tkc_keys_find(&got, &all, "key part", "ABAB11", &diag), 0);
	assert_ptr_equal(got, &k[1]);
	assert_rc(tkc_keys_find(&got, &all, "key part", "cdcd", &diag), 0);
	assert_ptr_equal(got, &k[2]);
	assert_rc(
	    tkc_keys_find(&got, &all, "key part", "amy", &diag), HSA_E_ARG);
	assert_rc(
	    tkc_keys_find(&got, &all, "key part", "abab", &diag), HSA_E_ARG);
	assert_rc(tkc_keys_find(&got, &all, "key part", "cdc", &diag),
	    HSA_E_NOT_FOUND);
	assert_rc(
	    tkc_keys_find(&got, &all, "key part", "0", &diag), HSA_E_NOT_FOUND);
	assert_rc(
	    tkc_keys_find(&got, &all, "key part", "4", &diag), HSA_E_NOT_FOUND);
	assert_rc(
	    tkc_keys_find(&got, &all, "key part", "", &diag), HSA_E_NOT_FOUND);
}

static void
test_ring__impossible_names_are_refused_before_a_key_is_made(void **state)
{
	static const char *const bad[] = {"", " a", "a ", "12", "a_b", "a@b",
	    "a\nb", "\xc3\xa4", "1234567890123456789012345678901"};
	struct tkc_key *k = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(
		    tkc_ring_add_sigkey(&ring, &k, bad[i], TKE_KEY_P521, &diag),
		    HSA_E_ARG);
	assert_rc(tkc_name_check("123456789012345678901234567890a", &diag),
	    HSA_E_ARG);
	assert_rc(tkc_name_check("Dr. O'Neil (2nd)", &diag), 0);
}

static void
test_ring__a_damaged_file_is_skipped_and_said(void **state)
{
	struct tkc_key *k = NULL;
	char name[160];

	(void)state;
	assert_rc(
	    tkc_ring_add_sigkey(&ring, &k, "Ada", TKE_KEY_P521, &diag), 0);
	(void)snprintf(name, sizeof(name), "keys/torn.sigkey");
	put(name, "{\"keyType\":", 0600);
	tkc_ring_free(&ring);
	assert_rc(tkc_ring_load(&ring, &files, &passwords, &diag), 0);
	assert_int_equal(ring.sigkeys.len, 1);
	assert_non_null(strstr(ring.unreadable.text, "torn.sigkey"));
}

static void
test_ring__a_link_out_of_the_directory_is_not_followed(void **state)
{
	char *target = realpath("tests/kat/sdk_p521.sigkey", NULL);
	char link_path[160];

	(void)state;
	assert_non_null(target);
	(void)snprintf(link_path, sizeof(link_path), "%s/x.sigkey", keys);
	assert_int_equal(symlink(target, link_path), 0);
	free(target);
	tkc_ring_free(&ring);
	assert_rc(tkc_ring_load(&ring, &files, &passwords, &diag), 0);
	assert_int_equal(ring.sigkeys.len, 0);
	assert_non_null(strstr(ring.unreadable.text, "x.sigkey"));
}

static void
test_ring__removing_deletes_the_file(void **state)
{
	struct tkc_key *a = NULL, *b = NULL;
	char path[256];

	(void)state;
	assert_rc(tkc_ring_add_part(&ring, &a, "a", NULL, &diag), 0);
	assert_rc(tkc_ring_add_part(&ring, &b, "b", NULL, &diag), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", keys, a->file_name);
	assert_rc(tkc_ring_remove(&ring, a, &diag), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(ring.parts.len, 1);
	assert_ptr_equal(ring.parts.key[0], b);
}

/* ---- the directory and password files ------------------------------------ */

static void
test_files__what_others_can_read_is_refused_with_the_chmod(void **state)
{
	struct tkc_files f = {.fd = -1};
	struct hsa_buf b = {0};
	char path[96];

	(void)state;
	assert_int_equal(chmod(keys, 0750), 0);
	assert_rc(tkc_files_open(&f, keys, &diag), HSA_E_CONFIG);
	assert_non_null(strstr(diag.text, "chmod 700"));
	assert_int_equal(chmod(keys, 0700), 0);
	put("open", "secret\n", 0640);
	(void)snprintf(path, sizeof(path), "%s/open", dir);
	assert_rc(tkc_slurp_line(&b, path, &diag), HSA_E_CONFIG);
	assert_non_null(strstr(diag.text, "chmod 600"));
	assert_int_equal(b.len, 0);
	(void)snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_rc(tkc_slurp_line(&b, path, &diag), HSA_E_CONFIG);
}

static void
test_files__a_secret_is_one_line(void **state)
{
	static const char *const bad[] = {"", "\n", "a\nb\n", "\r\n"};
	struct hsa_buf b = {0};
	char path[96];
	size_t i;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/line", dir);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("line", bad[i], 0600);
		assert_rc(tkc_slurp_line(&b, path, &diag), HSA_E_FORMAT);
	}
	put("line", "pass word\r\n", 0600);
	assert_rc(tkc_slurp_line(&b, path, &diag), 0);
	assert_string_equal(hsa_buf_cstr(&b), "pass word");
	hsa_buf_free(&b);
}

static void
test_files__create_never_replaces_and_leaves_no_temporary(void **state)
{
	struct tkc_names names = {.len = 0};
	struct hsa_buf b = {0};

	(void)state;
	assert_rc(tkc_files_create(&files, "a.sigkey", "one", 3, &diag), 0);
	assert_rc(tkc_files_create(&files, "a.sigkey", "two", 3, &diag),
	    HSA_E_EXISTS);
	assert_rc(tkc_files_read(&files, &b, "a.sigkey", &diag), 0);
	assert_string_equal(hsa_buf_cstr(&b), "one");
	assert_rc(tkc_files_replace(&files, "a.sigkey", "two", 3, &diag), 0);
	hsa_buf_reset(&b);
	assert_rc(tkc_files_read(&files, &b, "a.sigkey", &diag), 0);
	assert_string_equal(hsa_buf_cstr(&b), "two");
	hsa_buf_free(&b);
	assert_rc(tkc_files_list(&files, &names, "", &diag), 0);
	assert_int_equal(names.len, 1);
	tkc_names_free(&names);
}

static void
test_passwords__the_file_for_one_key_wins_over_the_file_for_all(void **state)
{
	struct tkc_passwords w = {.prompt = {-1, -1}};
	struct hsa_buf got = {0};
	char text[160];

	(void)state;
	put("one", "one\n", 0600);
	put("all", "all\n", 0600);
	(void)snprintf(text, sizeof(text), "%s/all", dir);
	assert_rc(tkc_passwords_add(&w, text), 0);
	(void)snprintf(text, sizeof(text), "Ada=%s/one", dir);
	assert_rc(tkc_passwords_add(&w, text), 0);
	assert_rc(
	    tkc_passwords_get(&w, &got, "signature key", "Ada", false, &diag),
	    0);
	hsa_buf_str(&got, ",");
	assert_rc(
	    tkc_passwords_get(&w, &got, "signature key", "Bo", false, &diag),
	    0);
	assert_string_equal(hsa_buf_cstr(&got), "one,all");
	hsa_buf_free(&got);
	tkc_passwords_free(&w);
	assert_rc(
	    tkc_passwords_get(&w, &got, "signature key", "Ada", false, &diag),
	    HSA_E_ARG);
	assert_non_null(strstr(diag.text, "--password-file 'Ada=FILE'"));
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_keyfile__the_sdks_form_made_by_other_code_opens),
	    WITH(test_keyfile__no_changed_byte_ever_opens_as_another_key),
	    WITH(test_keyfile__each_malformed_member_is_refused_and_named),
	    WITH(
		test_keyfile__ours_has_600000_iterations_and_fresh_salt_and_nonce),
	    WITH(test_keyfile__an_exchanged_id_is_found_on_opening),
	    WITH(
		test_ring__keys_survive_a_reload_and_open_only_with_their_password),
	    WITH(test_ring__names_and_values_are_never_taken_twice),
	    WITH(test_ring__found_by_name_number_or_prefix_and_never_by_chance),
	    WITH(test_ring__impossible_names_are_refused_before_a_key_is_made),
	    WITH(test_ring__a_damaged_file_is_skipped_and_said),
	    WITH(test_ring__a_link_out_of_the_directory_is_not_followed),
	    WITH(test_ring__removing_deletes_the_file),
	    WITH(test_files__what_others_can_read_is_refused_with_the_chmod),
	    WITH(test_files__a_secret_is_one_line),
	    WITH(test_files__create_never_replaces_and_leaves_no_temporary),
	    WITH(
		test_passwords__the_file_for_one_key_wins_over_the_file_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
