/* Making and opening a unit's token; its two signing keys. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bk_child.h"
#include "bk_core.h"
#include "bk_object.h"
#include "helper_bk.h"
#include "helper_bk_part.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

/* DIR/name; valid until the next call. */
static const char *
in(const char *dir, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t
slurp(const char *path, char *to, size_t max)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(to, 1, max - 1, f);
	to[n] = '\0';
	assert_int_equal(fclose(f), 0);
	return n;
}

static void
spill(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_not_equal(fputs(text, f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Opening fails with err, and the message names each of the words. */
static void
refused(struct helper_bk *h, int err, const char *a, const char *b)
{
	struct bk_p11 *p = NULL;
	struct hsa_diag d = {""};
	hsa_rc rc = bk_p11_open(&p, &h->cfg, &d);

	if (rc.v != err)
		fail_msg("%s: %s", hsa_err_name(rc), d.text);
	assert_null(p);
	if (strstr(d.text, a) == NULL || strstr(d.text, b) == NULL)
		fail_msg("'%s' or '%s' is not in: %s", a, b, d.text);
}

static void
init_refused(const struct bk_config *cfg, int err, const char *a, const char *b)
{
	uint8_t point[TKE_POINT_LEN] = {7}, pub[32] = {7};
	struct hsa_diag d = {""};
	hsa_rc rc = bk_p11_init(cfg, point, pub, &d);

	if (rc.v != err)
		fail_msg("%s: %s", hsa_err_name(rc), d.text);
	if (strstr(d.text, a) == NULL || strstr(d.text, b) == NULL)
		fail_msg("'%s' or '%s' is not in: %s", a, b, d.text);
	assert_int_equal(point[0], 7);
	assert_int_equal(pub[0], 7);
}

/* ---- init ---------------------------------------------------------------- */

static void
test_bk_p11__init_keeps_pin_and_token_to_the_owner(void **state)
{
	struct helper_bk h;
	uint8_t raw[16];
	char pin[64], conf[512], line[128];

	(void)state;
	helper_bk_make(&h);
	assert_int_equal(mode_of(in(h.unit, "pin")), 0600);
	assert_int_equal(mode_of(in(h.unit, "token")), 0700);
	assert_int_equal(mode_of(h.unit), 0700);
	assert_int_equal(slurp(in(h.unit, "pin"), pin, sizeof(pin)), 33);
	assert_int_equal(hsa_unhex(raw, 16, pin, 32).v, 0);
	slurp(in(h.unit, "softhsm2.conf"), conf, sizeof(conf));
	(void)snprintf(
	    line, sizeof(line), "directories.tokendir = %s/token\n", h.unit);
	assert_non_null(strstr(conf, line));
	assert_non_null(strstr(conf, "objectstore.backend = file\n"));
	assert_non_null(strstr(conf, "log.level = ERROR\n"));
	helper_bk_free(&h);
}

static void
test_bk_p11__second_init_is_refused_and_changes_nothing(void **state)
{
	char before[64], after[64];
	struct helper_bk h;

	(void)state;
	helper_bk_make(&h);
	slurp(in(h.unit, "pin"), before, sizeof(before));
	init_refused(&h.cfg, HSA_E_EXISTS, h.unit, "choose another folder");
	assert_int_equal(unlink(in(h.unit, "softhsm2.conf")), 0);
	init_refused(&h.cfg, HSA_E_EXISTS, h.unit, "choose another folder");
	slurp(in(h.unit, "pin"), after, sizeof(after));
	assert_string_equal(before, after);
	helper_bk_open(&h);
	/* a PIN file alone also says that there is a unit */
	helper_bk_close(&h);
	helper_bk_remove(in(h.unit, "token"));
	init_refused(&h.cfg, HSA_E_EXISTS, "pin", "choose another folder");
	slurp(in(h.unit, "pin"), after, sizeof(after));
	assert_string_equal(before, after);
	helper_bk_free(&h);
}

static void
test_bk_p11__init_that_fails_leaves_nothing(void **state)
{
	char dir[64], unit[96], missing[96];
	struct bk_config cfg = {.dir = unit, .label = HELPER_BK_LABEL};

	(void)state;
	helper_bk_dir(dir);
	(void)snprintf(unit, sizeof(unit), "%s/u", dir);
	(void)snprintf(missing, sizeof(missing), "%s/none.so", dir);
	init_refused(&cfg, HSA_E_NOT_FOUND, "no PKCS#11 module", "install");
	cfg.module = missing;
	init_refused(&cfg, HSA_E_NOT_FOUND, missing, "install SoftHSM");
	assert_int_not_equal(access(in(unit, "token"), F_OK), 0);
	assert_int_not_equal(access(in(unit, "pin"), F_OK), 0);
	spill(missing, "not a library", 0700);
	init_refused(&cfg, HSA_E_CONFIG, missing, "name the module");
	cfg.module = "libc.so.6";
	if (access("/lib/x86_64-linux-gnu/libc.so.6", R_OK) == 0) {
		cfg.module = "/lib/x86_64-linux-gnu/libc.so.6";
		init_refused(
		    &cfg, HSA_E_CONFIG, "not a PKCS#11 module", "SoftHSM");
	}
	assert_int_not_equal(access(in(unit, "token"), F_OK), 0);
	assert_int_not_equal(access(in(unit, "pin"), F_OK), 0);
	assert_int_not_equal(access(in(unit, "softhsm2.conf"), F_OK), 0);
	/* and the folder can be used after all */
	cfg.module = bk_find_module();
	assert_int_equal(bk_p11_init(&cfg, (uint8_t[TKE_POINT_LEN]){0},
			     (uint8_t[32]){0}, NULL)
			     .v,
	    0);
	helper_bk_remove(dir);
}

static void
test_bk_p11__unusable_folders_and_labels_are_refused(void **state)
{
	static const char *const names[] = {"a#b", "a=b", "a\tb", "a\nb"};
	char dir[64], unit[1200];
	struct bk_config cfg = {
	    .module = bk_find_module(), .dir = unit, .label = HELPER_BK_LABEL};

	(void)state;
	helper_bk_dir(dir);
	(void)snprintf(unit, sizeof(unit), "%s/no/such", dir);
	init_refused(&cfg, HSA_E_IO, unit, "make the folder above");
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(unit, sizeof(unit), "%s/%s", dir, names[i]);
		init_refused(
		    &cfg, HSA_E_CONFIG, "softhsm2.conf cannot hold", "choose");
	}
	/* 200 bytes a level: SoftHSM's line would be cut */
	(void)snprintf(unit, sizeof(unit), "%s", dir);
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(unit);

		assert_int_equal(mkdir(unit, 0700) == 0 || errno == EEXIST, 1);
		unit[n] = '/';
		memset(unit + n + 1, 'x', 200);
		unit[n + 201] = '\0';
	}
	init_refused(&cfg, HSA_E_CONFIG, "at most 360 bytes", "choose");
	(void)snprintf(unit, sizeof(unit), "%s/u", dir);
	cfg.label = "";
	init_refused(&cfg, HSA_E_ARG, "label", "1 to 32");
	cfg.label = "0123456789abcdef0123456789abcdef0";
	init_refused(&cfg, HSA_E_ARG, cfg.label, "1 to 32");
	cfg.label = "a ";
	init_refused(&cfg, HSA_E_ARG, "label 'a '", "blank");
	helper_bk_remove(dir);
}

/* In a child that may not lock memory. */
static hsa_rc
without_locked_memory(void *ctx, void *out, size_t n, struct hsa_diag *diag)
{
	static const struct rlimit none = {0, 0};
	const struct bk_config *cfg = ctx;

	(void)out;
	(void)n;
	/* root may lock whatever the limit says */
	if (geteuid() == 0 && setuid(65534) != 0)
		return HSA_RC(E_AUTH);
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
		return HSA_RC(E_AUTH);
	return bk_p11_init(
	    cfg, (uint8_t[TKE_POINT_LEN]){0}, (uint8_t[32]){0}, diag);
}

static void
test_bk_p11__memory_that_cannot_be_locked_is_explained(void **state)
{
	char dir[64], unit[96];
	struct bk_config cfg = {
	    .module = bk_find_module(), .dir = unit, .label = HELPER_BK_LABEL};
	struct hsa_diag d = {""};
	hsa_rc rc;

	(void)state;
	helper_bk_dir(dir);
	assert_int_equal(chmod(dir, 0777), 0);
	(void)snprintf(unit, sizeof(unit), "%s/u", dir);
	rc = bk_child_run(NULL, 0, without_locked_memory, &cfg, &d);
	if (rc.v != HSA_E_CONFIG || strstr(d.text, "ulimit -l") == NULL)
		fail_msg("%s: %s", hsa_err_name(rc), d.text);
	assert_int_not_equal(access(in(unit, "pin"), F_OK), 0);
	helper_bk_remove(dir);
}

static void
test_bk_p11__one_process_makes_several_units(void **state)
{
	struct helper_bk h[3];

	(void)state;
	helper_bk_make(&h[0]);
	helper_bk_open(&h[0]);
	/* also while one of them is open */
	helper_bk_make(&h[1]);
	helper_bk_make(&h[2]);
	assert_memory_not_equal(h[0].oa_point, h[1].oa_point, TKE_POINT_LEN);
	assert_memory_not_equal(h[1].oa_point, h[2].oa_point, TKE_POINT_LEN);
	for (size_t i = 0; i < 3; i++) {
		uint8_t point[TKE_POINT_LEN], pub[32];

		if (i != 0)
			helper_bk_open(&h[i]);
		assert_int_equal(bk_p11_oa_point(h[i].b, point).v, 0);
		assert_memory_equal(point, h[i].oa_point, TKE_POINT_LEN);
		assert_int_equal(bk_p11_checkpoint_pub(h[i].b, pub).v, 0);
		assert_memory_equal(pub, h[i].checkpoint_pub, 32);
		helper_bk_close(&h[i]);
	}
	for (size_t i = 0; i < 3; i++)
		helper_bk_free(&h[i]);
}

static void
test_bk_p11__short_label_and_relative_folder_work(void **state)
{
	char dir[64], was[256];
	struct bk_config cfg = {
	    .module = bk_find_module(), .dir = "./u", .label = "unit 7"};
	struct hsa_diag d = {""};
	struct bk_p11 *b = NULL;

	(void)state;
	helper_bk_dir(dir);
	assert_non_null(getcwd(was, sizeof(was)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(
	    bk_p11_init(&cfg, (uint8_t[TKE_POINT_LEN]){0}, (uint8_t[32]){0}, &d)
		.v,
	    0);
	assert_int_equal(bk_p11_open(&b, &cfg, &d).v, 0);
	bk_p11_close(b);
	assert_int_equal(chdir(was), 0);
	helper_bk_remove(dir);
}

/* ---- open ---------------------------------------------------------------- */

static void
test_bk_p11__open_tells_what_is_missing(void **state)
{
	char pin[64], keep[64], away[96];
	struct helper_bk h;

	(void)state;
	bk_p11_close(NULL);
	helper_bk_make(&h);
	slurp(in(h.unit, "pin"), pin, sizeof(pin));
	assert_int_equal(unlink(in(h.unit, "pin")), 0);
	refused(&h, HSA_E_NOT_FOUND, in(h.unit, "pin"), "backup");
	spill(in(h.unit, "pin"), pin, 0640);
	refused(&h, HSA_E_CONFIG, in(h.unit, "pin"), "chmod 600");
	spill(in(h.unit, "pin"), "1234\n", 0600);
	refused(&h, HSA_E_FORMAT, in(h.unit, "pin"), "32 hex");
	(void)snprintf(keep, sizeof(keep), "%.32s\nx", pin);
	spill(in(h.unit, "pin"), keep, 0600);
	refused(&h, HSA_E_FORMAT, in(h.unit, "pin"), "32 hex");
	(void)snprintf(keep, sizeof(keep), "%s", pin);
	keep[0] = keep[0] == '0' ? '1' : '0';
	spill(in(h.unit, "pin"), keep, 0600);
	refused(&h, HSA_E_PASSWORD, in(h.unit, "pin"), "backup");
	(void)snprintf(keep, sizeof(keep), "%.32s", pin);
	spill(in(h.unit, "pin"), keep, 0600); /* no line break: fine */
	helper_bk_open(&h);
	helper_bk_close(&h);
	h.cfg.label = "fedcba9876543210fedcba9876543210";
	refused(&h, HSA_E_NOT_FOUND, h.cfg.label, "backup");
	h.cfg.label = HELPER_BK_LABEL;
	h.cfg.module = "/nonexistent/libsofthsm2.so";
	refused(&h, HSA_E_NOT_FOUND, h.cfg.module, "install SoftHSM");
	h.cfg.module = bk_find_module();
	(void)snprintf(away, sizeof(away), "%s/away", h.dir);
	assert_int_equal(rename(in(h.unit, "token"), away), 0);
	refused(&h, HSA_E_NOT_FOUND, h.unit, "backup");
	assert_int_equal(mkdir(in(h.unit, "token"), 0700), 0);
	refused(&h, HSA_E_NOT_FOUND, HELPER_BK_LABEL, "backup");
	h.cfg.dir = away;
	assert_int_equal(rename(away, in(h.unit, "old")), 0);
	refused(&h, HSA_E_NOT_FOUND, away, "make the unit");
	helper_bk_free(&h);
}

static void
test_bk_p11__moved_folder_is_explained_and_repaired(void **state)
{
	struct helper_bk h;
	char moved[80];

	(void)state;
	helper_bk_make(&h);
	(void)snprintf(moved, sizeof(moved), "%s/moved", h.dir);
	assert_int_equal(rename(h.unit, moved), 0);
	h.cfg.dir = moved;
	refused(&h, HSA_E_CONFIG, in(moved, "softhsm2.conf"), "remove");
	assert_int_equal(unlink(in(moved, "softhsm2.conf")), 0);
	helper_bk_open(&h);
	helper_bk_close(&h);
	/* the right folder must be a whole line */
	spill(in(moved, "softhsm2.conf"), "#", 0600);
	refused(&h, HSA_E_CONFIG, in(moved, "softhsm2.conf"), "remove");
	helper_bk_free(&h);
}

static void
test_bk_p11__second_open_in_a_process_is_refused(void **state)
{
	struct helper_bk a, b;
	uint8_t raw[8];

	(void)state;
	helper_bk_make(&a);
	helper_bk_make(&b);
	helper_bk_open(&a);
	refused(&b, HSA_E_BUSY, "one process per unit", "");
	refused(&a, HSA_E_BUSY, "one process per unit", "");
	assert_int_equal(a.be.ops->random(a.be.ctx, raw, sizeof(raw)).v, 0);
	helper_bk_close(&a);
	helper_bk_open(&b);
	helper_bk_free(&b);
	helper_bk_open(&a);
	helper_bk_free(&a);
}

static void
test_bk_p11__keys_survive_close_and_open(void **state)
{
	uint8_t value[2][32] = {{1}, {2}}, pattern[32], again[32], ids[2][32];
	uint8_t point[TKE_POINT_LEN], pub[32];
	struct cu_key_id importer = {0}, master = {0}, more = {0}, list[4];
	struct helper_part p[2];
	struct tke_recipient r[2];
	struct hsa_buf spki = {0};
	EVP_PKEY *key = NULL;
	struct helper_bk h;
	size_t bad = 0, n = 0;

	(void)state;
	helper_bk_make(&h);
	helper_bk_open(&h);
	assert_int_equal(h.be.ops
			     ->importer_generate(
				 h.be.ctx, &importer, &spki, TKE_IMPORTER_P521)
			     .v,
	    0);
	assert_int_equal(tke_importer_spki_parse(&key, spki.p, spki.len).v, 0);
	for (size_t i = 0; i < 2; i++) {
		helper_part(&p[i], value[i], key);
		r[i] = p[i].r;
		r[i].ukm.p = p[i].ukm;
		r[i].encrypted.p = p[i].encrypted;
	}
	assert_int_equal(h.be.ops
			     ->master_key_import(h.be.ctx, &master, pattern,
				 ids, &bad, &importer, r, 2)
			     .v,
	    0);
	assert_int_equal(h.be.ops->sync(h.be.ctx).v, 0);
	helper_bk_close(&h);
	helper_bk_open(&h);
	assert_int_equal(bk_p11_oa_point(h.b, point).v, 0);
	assert_memory_equal(point, h.oa_point, sizeof(point));
	assert_int_equal(bk_p11_checkpoint_pub(h.b, pub).v, 0);
	assert_memory_equal(pub, h.checkpoint_pub, sizeof(pub));
	assert_int_equal(h.be.ops->list(h.be.ctx, list, &n, 4).v, 0);
	assert_int_equal(n, 1);
	assert_memory_equal(list[0].b, master.b, CU_KEY_ID_LEN);
	assert_int_equal(h.be.ops->pattern(h.be.ctx, again, &master).v, 0);
	assert_memory_equal(again, pattern, 32);
	/* the importer still decrypts what was sent to it before */
	assert_int_equal(h.be.ops
			     ->master_key_import(h.be.ctx, &more, again, ids,
				 &bad, &importer, r, 2)
			     .v,
	    0);
	assert_memory_equal(again, pattern, 32);
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	helper_bk_free(&h);
}

static void
test_bk_p11__lost_signing_key_is_corrupt(void **state)
{
	static const struct {
		const char *label;
		CK_OBJECT_CLASS cls;
	} loss[] = {{"checkpoint", CKO_PUBLIC_KEY},
	    {"checkpoint", CKO_PRIVATE_KEY}, {"oa", CKO_PUBLIC_KEY},
	    {"oa", CKO_PRIVATE_KEY}};
	struct helper_bk h;

	(void)state;
	for (size_t i = 0; i < sizeof(loss) / sizeof(loss[0]); i++) {
		CK_OBJECT_HANDLE obj = 0;
		struct bk_ses s = {0};

		helper_bk_make(&h);
		helper_bk_open(&h);
		assert_int_equal(bk_core_enter(h.b, &s).v, 0);
		assert_int_equal(
		    bk_object_find(&s, &obj, loss[i].cls, loss[i].label, NULL)
			.v,
		    0);
		assert_int_equal(bk_ck_destroy(&s, obj).v, 0);
		bk_core_leave(h.b, &s);
		helper_bk_close(&h);
		refused(&h, HSA_E_CORRUPT, loss[i].label, "backup");
		helper_bk_free(&h);
	}
}

/* ---- signatures ---------------------------------------------------------- */

static int
verify(EVP_PKEY *key, const EVP_MD *md, const uint8_t *sig, size_t sn,
    const uint8_t *msg, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok;

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, md, NULL, key), 1);
	ok = EVP_DigestVerify(ctx, sig, sn, msg, n);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void
test_bk_p11__oa_signature_verifies_by_openssl(void **state)
{
	uint8_t msg[1000] = {1, 2, 3};
	EVP_PKEY *key = NULL;
	struct helper_bk h;

	(void)state;
	helper_bk_make(&h);
	helper_bk_open(&h);
	assert_int_equal(tke_key_from_point(&key, h.oa_point).v, 0);
	for (size_t n = 0; n <= sizeof(msg); n = n * 3 + 1) {
		struct hsa_buf sig = {0};

		hsa_buf_u8(&sig, 0x77); /* appended, not replaced */
		assert_int_equal(
		    h.be.ops->oa_sign(h.be.ctx, &sig, msg, n).v, 0);
		assert_in_range(sig.len, 130, 140);
		assert_int_equal(sig.p[0], 0x77);
		assert_int_equal(
		    verify(key, EVP_sha512(), sig.p + 1, sig.len - 1, msg, n),
		    1);
		sig.p[60] ^= 1;
		assert_int_not_equal(
		    verify(key, EVP_sha512(), sig.p + 1, sig.len - 1, msg, n),
		    1);
		hsa_buf_free(&sig);
	}
	EVP_PKEY_free(key);
	helper_bk_free(&h);
}

static void
test_bk_p11__checkpoint_signature_verifies_by_openssl(void **state)
{
	uint8_t msg[1000] = {3, 2, 1}, sig[64], again[64];
	EVP_PKEY *key;
	struct helper_bk h;

	(void)state;
	helper_bk_make(&h);
	helper_bk_open(&h);
	key = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, h.checkpoint_pub, 32);
	assert_non_null(key);
	for (size_t n = 0; n <= sizeof(msg); n = n * 3 + 1) {
		assert_int_equal(
		    h.be.ops->checkpoint_sign(h.be.ctx, sig, msg, n).v, 0);
		assert_int_equal(verify(key, NULL, sig, 64, msg, n), 1);
		assert_int_equal(
		    h.be.ops->checkpoint_sign(h.be.ctx, again, msg, n).v, 0);
		assert_memory_equal(sig, again, 64);
		sig[60] ^= 1;
		assert_int_not_equal(verify(key, NULL, sig, 64, msg, n), 1);
	}
	EVP_PKEY_free(key);
	helper_bk_free(&h);
}

/* The audit log goes on while an administrative operation, such as the making
 * of an RSA key, holds the lock. */
static void
test_bk_p11__checkpoints_are_signed_beside_administration(void **state)
{
	uint8_t msg[100] = {1}, sig[64];
	EVP_PKEY *key;
	struct helper_bk h;

	(void)state;
	helper_bk_make(&h);
	helper_bk_open(&h);
	key = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, h.checkpoint_pub, 32);
	assert_non_null(key);
	assert_int_equal(pthread_mutex_lock(&h.b->lock), 0);
	(void)alarm(30); /* instead of waiting for ever */
	assert_int_equal(
	    h.be.ops->checkpoint_sign(h.be.ctx, sig, msg, sizeof(msg)).v, 0);
	(void)alarm(0);
	assert_int_equal(pthread_mutex_unlock(&h.b->lock), 0);
	assert_int_equal(verify(key, NULL, sig, 64, msg, sizeof(msg)), 1);
	EVP_PKEY_free(key);
	helper_bk_free(&h);
}

static void
test_bk_p11__random_bytes_differ(void **state)
{
	uint8_t a[4096] = {0}, b[4096] = {0};
	struct helper_bk h;
	size_t same = 0;

	(void)state;
	helper_bk_make(&h);
	helper_bk_open(&h);
	assert_int_equal(h.be.ops->random(h.be.ctx, NULL, 0).v, 0);
	assert_int_equal(h.be.ops->random(h.be.ctx, a, sizeof(a)).v, 0);
	assert_int_equal(h.be.ops->random(h.be.ctx, b, sizeof(b)).v, 0);
	for (size_t i = 0; i < sizeof(a); i++)
		same += a[i] == b[i];
	assert_in_range(same, 0, 100); /* 16 expected */
	helper_bk_free(&h);
}

static void
test_bk_find_module__own_module_wins_when_it_exists(void **state)
{
	const char *found = bk_find_module();
	char *was = getenv("SOFTHSM2_MODULE");

	(void)state;
	assert_non_null(found);
	if (was != NULL)
		was = strdup(was);
	assert_int_equal(setenv("SOFTHSM2_MODULE", "/dev/null", 1), 0);
	assert_string_equal(bk_find_module(), "/dev/null");
	assert_int_equal(setenv("SOFTHSM2_MODULE", "/nonexistent", 1), 0);
	assert_non_null(bk_find_module());
	assert_string_not_equal(bk_find_module(), "/nonexistent");
	assert_int_equal(unsetenv("SOFTHSM2_MODULE"), 0);
	if (was != NULL)
		assert_int_equal(setenv("SOFTHSM2_MODULE", was, 1), 0);
	free(was);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    /* first: what is locked once stays so */
	    cmocka_unit_test(
		test_bk_p11__memory_that_cannot_be_locked_is_explained),
	    cmocka_unit_test(
		test_bk_p11__init_keeps_pin_and_token_to_the_owner),
	    cmocka_unit_test(
		test_bk_p11__second_init_is_refused_and_changes_nothing),
	    cmocka_unit_test(test_bk_p11__init_that_fails_leaves_nothing),
	    cmocka_unit_test(
		test_bk_p11__unusable_folders_and_labels_are_refused),
	    cmocka_unit_test(test_bk_p11__one_process_makes_several_units),
	    cmocka_unit_test(test_bk_p11__short_label_and_relative_folder_work),
	    cmocka_unit_test(test_bk_p11__open_tells_what_is_missing),
	    cmocka_unit_test(
		test_bk_p11__moved_folder_is_explained_and_repaired),
	    cmocka_unit_test(test_bk_p11__second_open_in_a_process_is_refused),
	    cmocka_unit_test(test_bk_p11__keys_survive_close_and_open),
	    cmocka_unit_test(test_bk_p11__lost_signing_key_is_corrupt),
	    cmocka_unit_test(test_bk_p11__oa_signature_verifies_by_openssl),
	    cmocka_unit_test(
		test_bk_p11__checkpoint_signature_verifies_by_openssl),
	    cmocka_unit_test(
		test_bk_p11__checkpoints_are_signed_beside_administration),
	    cmocka_unit_test(test_bk_p11__random_bytes_differ),
	    cmocka_unit_test(
		test_bk_find_module__own_module_wins_when_it_exists),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
