/* Sweeping, listing and destroying token objects; syncing; small parts. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "bk_child.h"
#include "bk_core.h"
#include "bk_object.h"
#include "bk_sync.h"
#include "helper_bk.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

/* fsync as the program sees it: counted, recorded, made to fail. */
static struct {
	unsigned calls, fail_at;
	ino_t seen[256];
} S;

int fsync(int fd);
int
fsync(int fd)
{
	struct stat st = {0};

	if (fstat(fd, &st) == 0 && S.calls < 256)
		S.seen[S.calls] = st.st_ino;
	if (++S.calls == S.fail_at) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static bool
synced(const char *path)
{
	struct stat st = {0};

	assert_int_equal(lstat(path, &st), 0);
	for (unsigned i = 0; i < S.calls && i < 256; i++)
		if (S.seen[i] == st.st_ino)
			return true;
	return false;
}

static struct helper_bk H;

static int
setup(void **state)
{
	(void)state;
	memset(&S, 0, sizeof(S));
	helper_bk_make(&H);
	helper_bk_open(&H);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_bk_free(&H);
	return 0;
}

static struct cu_key_id
importer(void)
{
	struct cu_key_id id = {0};
	struct hsa_buf spki = {0};

	assert_int_equal(
	    H.be.ops->importer_generate(H.be.ctx, &id, &spki, TKE_IMPORTER_P521)
		.v,
	    0);
	hsa_buf_free(&spki);
	return id;
}

/* A master-key object with an id of n bytes, as a crash may leave it. */
static struct cu_key_id
master(size_t n)
{
	struct cu_key_id id = {.set = true};
	CK_OBJECT_HANDLE obj = 0;
	struct bk_attrs t = {0};
	struct bk_ses s = {0};
	uint8_t value[32];

	assert_int_equal(hsa_random(id.b, sizeof(id.b)).v, 0);
	assert_int_equal(hsa_random(value, sizeof(value)).v, 0);
	bk_attr_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	bk_attr_num(&t, CKA_KEY_TYPE, CKK_AES);
	bk_attr_bool(&t, CKA_TOKEN, true);
	bk_attr_bytes(&t, CKA_LABEL, BK_LABEL_MASTER, strlen(BK_LABEL_MASTER));
	bk_attr_bytes(&t, CKA_ID, id.b, n);
	bk_attr_bytes(&t, CKA_VALUE, value, sizeof(value));
	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_create(&s, &obj, &t).v, 0);
	bk_core_leave(H.b, &s);
	return id;
}

/* Objects of a PKCS#11 class with an id. */
static size_t
there(CK_OBJECT_CLASS cls, const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE h[8];
	struct bk_attrs t = {0};
	struct bk_ses s = {0};
	size_t n = 0;

	bk_attr_num(&t, CKA_CLASS, cls);
	bk_attr_bytes(&t, CKA_ID, id->b, sizeof(id->b));
	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_find(&s, h, &n, 8, &t).v, 0);
	bk_core_leave(H.b, &s);
	return n;
}

static void
lose(CK_OBJECT_CLASS cls, const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE h = 0;
	struct bk_ses s = {0};

	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(
	    bk_object_find(&s, &h, cls, BK_LABEL_IMPORTER, id).v, 0);
	assert_int_equal(bk_ck_destroy(&s, h).v, 0);
	bk_core_leave(H.b, &s);
}

static void
test_bk_object__collect_sweeps_all_that_is_not_named(void **state)
{
	struct cu_key_id m1 = master(16), m2 = master(16), i1 = importer(),
			 i2 = importer(), i3 = importer(), i4 = importer();
	struct cu_key_id keep[] = {i1, m1, {.set = false}};
	struct hsa_diag d = {""};
	uint8_t raw[4];
	size_t removed = 99;

	(void)state;
	(void)master(5);
	(void)master(0);
	lose(CKO_PUBLIC_KEY, &i3);
	lose(CKO_PRIVATE_KEY, &i4);
	assert_int_equal(
	    H.be.ops->collect(H.be.ctx, &removed, keep, 3, &d).v, 0);
	/* m2, two odd ids, both halves of i2, one of i3 and of i4 */
	assert_int_equal(removed, 7);
	assert_int_equal(there(CKO_SECRET_KEY, &m1), 1);
	assert_int_equal(there(CKO_PRIVATE_KEY, &i1), 1);
	assert_int_equal(there(CKO_PUBLIC_KEY, &i1), 1);
	assert_int_equal(there(CKO_SECRET_KEY, &m2), 0);
	assert_int_equal(there(CKO_PRIVATE_KEY, &i2), 0);
	assert_int_equal(there(CKO_PUBLIC_KEY, &i2), 0);
	assert_int_equal(there(CKO_PRIVATE_KEY, &i3), 0);
	assert_int_equal(there(CKO_PUBLIC_KEY, &i4), 0);
	assert_int_equal(
	    H.be.ops->collect(H.be.ctx, &removed, keep, 3, &d).v, 0);
	assert_int_equal(removed, 0);
	/* the signing keys are nobody's strays */
	helper_bk_close(&H);
	helper_bk_open(&H);
	assert_int_equal(
	    H.be.ops->collect(H.be.ctx, &removed, NULL, 0, &d).v, 0);
	assert_int_equal(removed, 3);
	assert_int_equal(
	    H.be.ops->checkpoint_sign(H.be.ctx, (uint8_t[64]){0}, raw, 0).v, 0);
}

static void
test_bk_object__collect_reports_what_is_missing_and_sweeps_nothing(void **state)
{
	struct cu_key_id stray = master(16), gone = master(16), i1 = importer(),
			 i2 = importer(), i3 = importer();
	struct cu_key_id *lost[] = {&gone, &i1, &i2, &i3};
	char hex[33];

	(void)state;
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_MASTER_KEY, &gone).v, 0);
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_IMPORTER, &i1).v, 0);
	lose(CKO_PUBLIC_KEY, &i2);
	lose(CKO_PRIVATE_KEY, &i3);
	for (size_t i = 0; i < 4; i++) {
		struct hsa_diag d = {""};
		size_t removed = 99;

		assert_int_equal(
		    H.be.ops->collect(H.be.ctx, &removed, lost[i], 1, &d).v,
		    HSA_E_CORRUPT);
		hsa_hex(hex, lost[i]->b, CU_KEY_ID_LEN);
		assert_non_null(strstr(d.text, hex));
		assert_non_null(strstr(d.text, "backup"));
		if (i >= 2)
			assert_non_null(strstr(
			    d.text, i == 2 ? "public half" : "private half"));
		assert_int_equal(removed, 99);
		assert_int_equal(there(CKO_SECRET_KEY, &stray), 1);
	}
}

static void
test_bk_object__list_names_the_master_keys_up_to_max(void **state)
{
	struct cu_key_id made[3], got[4] = {{.set = false}};
	size_t n = 99, hits = 0;

	(void)state;
	(void)importer();
	assert_int_equal(H.be.ops->list(H.be.ctx, got, &n, 4).v, 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < 3; i++)
		made[i] = master(16);
	assert_int_equal(H.be.ops->list(H.be.ctx, got, &n, 4).v, 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			hits += got[i].set &&
				memcmp(made[j].b, got[i].b, CU_KEY_ID_LEN) == 0;
	assert_int_equal(hits, 3);
	memset(got, 0, sizeof(got));
	assert_int_equal(H.be.ops->list(H.be.ctx, got, &n, 2).v, 0);
	assert_int_equal(n, 2);
	assert_false(got[2].set);
}

static void
test_bk_object__destroy_takes_one_object_and_absent_is_success(void **state)
{
	struct cu_key_id m = master(16), other = master(16), i = importer(),
			 unset = {.set = false};

	(void)state;
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_IMPORTER, &i).v, 0);
	assert_int_equal(there(CKO_PRIVATE_KEY, &i), 0);
	assert_int_equal(there(CKO_PUBLIC_KEY, &i), 0);
	/* the class counts, not the id alone */
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_IMPORTER, &m).v, 0);
	assert_int_equal(there(CKO_SECRET_KEY, &m), 1);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(
		    H.be.ops->destroy(H.be.ctx, CU_OBJECT_MASTER_KEY, &m).v, 0);
		assert_int_equal(there(CKO_SECRET_KEY, &m), 0);
	}
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_MASTER_KEY, &unset).v, 0);
	assert_int_equal(there(CKO_SECRET_KEY, &other), 1);
}

/* ---- sync ---------------------------------------------------------------- */

static char Deep[3][128];

/* dir/a/b/file, dir/file, dir/link -> elsewhere */
static void
small_tree(char dir[64])
{
	char link[96];
	int fd;

	helper_bk_dir(dir);
	(void)snprintf(Deep[0], sizeof(Deep[0]), "%s/a", dir);
	assert_int_equal(mkdir(Deep[0], 0700), 0);
	(void)snprintf(Deep[0], sizeof(Deep[0]), "%s/a/b", dir);
	assert_int_equal(mkdir(Deep[0], 0700), 0);
	(void)snprintf(Deep[1], sizeof(Deep[1]), "%s/a/b/file", dir);
	(void)snprintf(Deep[2], sizeof(Deep[2]), "%s/file", dir);
	for (size_t i = 1; i < 3; i++) {
		fd = open(Deep[i], O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0);
		assert_int_equal(close(fd), 0);
	}
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("/etc", link), 0);
}

static void
test_bk_sync__every_file_and_folder_and_no_link(void **state)
{
	char dir[64];

	(void)state;
	small_tree(dir);
	memset(&S, 0, sizeof(S));
	assert_int_equal(bk_sync_tree(dir).v, 0);
	assert_int_equal(S.calls, 5);
	for (size_t i = 0; i < 3; i++)
		assert_true(synced(Deep[i]));
	assert_true(synced(dir));
	assert_false(synced("/etc"));
	/* a folder comes after what is in it */
	struct stat st = {0};
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(S.seen[4], st.st_ino);
	helper_bk_remove(dir);
}

static void
test_bk_sync__each_failure_is_reported(void **state)
{
	char dir[64];

	(void)state;
	small_tree(dir);
	for (unsigned at = 1; at <= 5; at++) {
		memset(&S, 0, sizeof(S));
		S.fail_at = at;
		assert_int_equal(bk_sync_tree(dir).v, HSA_E_IO);
	}
	memset(&S, 0, sizeof(S));
	assert_int_equal(bk_sync_path(dir).v, 0);
	S.fail_at = 2;
	assert_int_equal(bk_sync_path(dir).v, HSA_E_IO);
	helper_bk_remove(dir);
	assert_int_equal(bk_sync_tree(dir).v, HSA_E_IO);
	assert_int_equal(bk_sync_path(dir).v, HSA_E_IO);
}

static void
test_bk_object__sync_reaches_a_new_key(void **state)
{
	char token[128];

	(void)state;
	(void)master(16);
	memset(&S, 0, sizeof(S));
	assert_int_equal(H.be.ops->sync(H.be.ctx).v, 0);
	(void)snprintf(token, sizeof(token), "%s/token", H.unit);
	assert_true(synced(token));
	/* five objects (two signing pairs, one key), each with a lock file */
	assert_in_range(S.calls, 5 * 2 + 2, 64);
	S.fail_at = S.calls + 3;
	assert_int_equal(H.be.ops->sync(H.be.ctx).v, HSA_E_IO);
}

/* ---- child --------------------------------------------------------------- */

enum {
	WORK_OK,
	WORK_FAIL,
	WORK_KILLED,
	WORK_EXIT
};

static hsa_rc
work(void *ctx, void *out, size_t n, struct hsa_diag *diag)
{
	int kind = *(int *)ctx;

	memset(out, 0x5a, n);
	if (kind == WORK_FAIL)
		return hsa_fail(diag, HSA_RC(E_PASSWORD), "wrong %d%%", 100);
	if (kind == WORK_KILLED)
		(void)raise(SIGKILL);
	if (kind == WORK_EXIT)
		_exit(3);
	*(int *)ctx = 77; /* in the child only */
	return HSA_OK;
}

static void
test_bk_child__result_diagnosis_and_death_come_back(void **state)
{
	unsigned char out[BK_CHILD_MAX + 1] = {0};
	struct hsa_diag d = {""};
	int kind = WORK_OK;

	(void)state;
	assert_int_equal(bk_child_run(out, 3, work, &kind, &d).v, 0);
	assert_int_equal(kind, WORK_OK);
	assert_memory_equal(out, "\x5a\x5a\x5a\0", 4);
	memset(out, 0, sizeof(out));
	kind = WORK_FAIL;
	assert_int_equal(
	    bk_child_run(out, 3, work, &kind, &d).v, HSA_E_PASSWORD);
	assert_string_equal(d.text, "wrong 100%");
	kind = WORK_KILLED;
	assert_int_equal(bk_child_run(out, 3, work, &kind, &d).v, HSA_E_TOKEN);
	assert_non_null(strstr(d.text, "signal 9"));
	kind = WORK_EXIT;
	assert_int_equal(bk_child_run(out, 3, work, &kind, &d).v, HSA_E_TOKEN);
	assert_non_null(strstr(d.text, "exit status 3"));
	assert_int_equal(
	    bk_child_run(out, sizeof(out), work, &kind, &d).v, HSA_E_ARG);
	assert_int_equal(out[0], 0);
}

/* ---- small parts --------------------------------------------------------- */

static void
test_bk_attr__one_too_many_is_refused_at_the_call(void **state)
{
	CK_OBJECT_HANDLE h[1];
	struct bk_attrs t = {0};
	struct bk_ses s = {0};
	size_t n = 99;

	(void)state;
	for (size_t i = 0; i < BK_ATTR_MAX; i++)
		bk_attr_num(&t, CKA_CLASS, CKO_DATA);
	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_find(&s, h, &n, 1, &t).v, 0);
	assert_int_equal(n, 0);
	bk_attr_bool(&t, CKA_TOKEN, true);
	assert_int_equal(t.n, BK_ATTR_MAX);
	n = 99;
	assert_int_equal(bk_ck_find(&s, h, &n, 1, &t).v, HSA_E_ARG);
	assert_int_equal(n, 99);
	assert_int_equal(bk_ck_create(&s, h, &t).v, HSA_E_ARG);
	bk_core_leave(H.b, &s);
}

static void
test_bk_fault__fails_the_call_it_was_told_to(void **state)
{
	struct bk_fault f = {.inner = H.be, .rc = HSA_RC(E_TOKEN) };
	struct cu_backend be = bk_fault_backend(&f);
	struct cu_key_id m = master(16), list[4];
	uint8_t raw[4];
	size_t n = 99;

	(void)state;
	f.fail_at = 2;
	assert_int_equal(be.ops->random(be.ctx, raw, 4).v, 0);
	assert_int_equal(
	    be.ops->destroy(be.ctx, CU_OBJECT_MASTER_KEY, &m).v, HSA_E_TOKEN);
	assert_string_equal(f.failed, "destroy");
	assert_int_equal(there(CKO_SECRET_KEY, &m), 1);
	assert_int_equal(be.ops->sync(be.ctx).v, 0);
	assert_int_equal(f.calls, 3);
	f.when = BK_FAULT_AFTER;
	f.fail_at = 4;
	assert_int_equal(
	    be.ops->destroy(be.ctx, CU_OBJECT_MASTER_KEY, &m).v, HSA_E_TOKEN);
	assert_int_equal(there(CKO_SECRET_KEY, &m), 0);
	assert_int_equal(be.ops->list(be.ctx, list, &n, 4).v, 0);
	assert_int_equal(n, 0);
	f.fail_at = 6;
	f.rc = HSA_RC(E_IO);
	assert_int_equal(be.ops->sync(be.ctx).v, HSA_E_IO);
	assert_string_equal(f.failed, "sync");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_object__collect_sweeps_all_that_is_not_named),
	    CASE(
		test_bk_object__collect_reports_what_is_missing_and_sweeps_nothing),
	    CASE(test_bk_object__list_names_the_master_keys_up_to_max),
	    CASE(
		test_bk_object__destroy_takes_one_object_and_absent_is_success),
	    cmocka_unit_test(test_bk_sync__every_file_and_folder_and_no_link),
	    cmocka_unit_test(test_bk_sync__each_failure_is_reported),
	    CASE(test_bk_object__sync_reaches_a_new_key),
	    cmocka_unit_test(
		test_bk_child__result_diagnosis_and_death_come_back),
	    CASE(test_bk_attr__one_too_many_is_refused_at_the_call),
	    CASE(test_bk_fault__fails_the_call_it_was_told_to),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
