#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "hsa_hash.h"
#include "tiles.h"

static char base[64], log_dir[96], pub[96], to[96];
static struct helper_vfy_log l;
static struct hsa_buf out, err, file;

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(log_dir, sizeof(log_dir), "%s/log", base);
	(void)snprintf(pub, sizeof(pub), "%s/pub", base);
	(void)snprintf(to, sizeof(to), "%s/tiles", base);
	helper_vfy_init(&l, 1);
	helper_vfy_put_file(base, "pub", l.key_line, strlen(l.key_line));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&l);
	hsa_buf_free(&out);
	hsa_buf_free(&err);
	hsa_buf_free(&file);
	helper_vfy_rmdir(base);
	return 0;
}

/* The log with n records and a checkpoint at the end, exported. */
static void
grow(size_t n)
{
	if (l.files == 0) {
		helper_vfy_segment(&l);
		helper_vfy_start(&l);
	}
	while (l.n < n)
		helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, log_dir);
}

static int export(void)
{
	hsa_buf_reset(&out);
	hsa_buf_reset(&err);
	return helper_vfy_run(cmd_export.run,
	    ARGS("export", "--tlog-tiles", to, "--key", pub, log_dir), &out,
	    &err);
}

static bool
says(struct hsa_buf *text, const char *part)
{
	return strstr(hsa_buf_cstr(text), part) != NULL;
}

static bool
get(const char *path)
{
	char whole[256];
	uint8_t part[4096];
	size_t n;
	FILE *f;

	hsa_buf_reset(&file);
	(void)snprintf(whole, sizeof(whole), "%s/%s", to, path);
	f = fopen(whole, "rb");
	if (f == NULL)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(&file, part, n);
	(void)fclose(f);
	return true;
}

static void
mth(uint8_t root[32], size_t from, size_t n)
{
	struct hsa_buf in = {0};
	uint8_t pair[65] = {1};
	size_t k = 1;

	if (n == 1) {
		hsa_buf_u8(&in, 0);
		hsa_buf_put(&in, l.leaf[from].p, l.leaf[from].len);
		assert_int_equal(hsa_sha256(root, in.p, in.len).v, 0);
		hsa_buf_free(&in);
		return;
	}
	while (2 * k < n)
		k *= 2;
	mth(pair + 1, from, k);
	mth(pair + 33, from + k, n - k);
	assert_int_equal(hsa_sha256(root, pair, sizeof(pair)).v, 0);
}

/* By the formula of the specification. */
static void
check_tile(const char *path, size_t each, size_t n, size_t width)
{
	uint8_t want[32];

	assert_true(get(path));
	assert_int_equal(file.len, width * 32);
	for (size_t i = 0; i < width; i++) {
		mth(want, (n * 256 + i) * each, each);
		assert_memory_equal(file.p + 32 * i, want, 32);
	}
}

static void
check_bundle(const char *path, size_t n, size_t width)
{
	size_t at = 0;

	assert_true(get(path));
	for (size_t i = n * 256; i < n * 256 + width; i++) {
		assert_true(at + 2 + l.leaf[i].len <= file.len);
		assert_int_equal(
		    file.p[at] << 8 | file.p[at + 1], l.leaf[i].len);
		assert_memory_equal(
		    file.p + at + 2, l.leaf[i].p, l.leaf[i].len);
		at += 2 + l.leaf[i].len;
	}
	assert_int_equal(at, file.len);
}

static void
test_tiles__paths_are_those_of_the_specification(void **state)
{
	char p[TILES_PATH_MAX];

	(void)state;
	tiles_path(p, 0, 1234067, 0);
	assert_string_equal(p, "tile/0/x001/x234/067");
	tiles_path(p, 63, 0, 255);
	assert_string_equal(p, "tile/63/000.p/255");
	tiles_path(p, -1, 999, 1);
	assert_string_equal(p, "tile/entries/999.p/1");
	tiles_path(p, 1, 1000, 0);
	assert_string_equal(p, "tile/1/x001/000");
	tiles_path(p, -1, UINT64_MAX / 256, 255);
	assert_string_equal(
	    p, "tile/entries/x072/x057/x594/x037/x927/935.p/255");
}

static void
test_tiles__a_log_that_grows_gets_what_is_new(void **state)
{
	(void)state;
	grow(1);
	assert_int_equal(export(), 0);
	check_tile("tile/0/000.p/1", 1, 0, 1);
	check_bundle("tile/entries/000.p/1", 0, 1);
	assert_true(get("checkpoint"));
	assert_int_equal(file.len, l.note.len);
	assert_memory_equal(file.p, l.note.p, l.note.len);
	grow(200);
	assert_int_equal(export(), 0);
	assert_true(says(&out, "2 tiles written, 0 were there, 0 removed"));
	/* the partial ones of a checkpoint that was there stay */
	check_tile("tile/0/000.p/1", 1, 0, 1);
	check_tile("tile/0/000.p/200", 1, 0, 200);
	grow(256);
	assert_int_equal(export(), 0);
	assert_true(says(&out, "3 tiles written, 0 were there, 4 removed"));
	check_tile("tile/0/000", 1, 0, 256);
	check_tile("tile/1/000.p/1", 256, 0, 1);
	check_bundle("tile/entries/000", 0, 256);
	assert_false(get("tile/0/000.p/200"));
	assert_false(get("tile/0/000.p/1"));
	assert_false(get("tile/0/001.p/0"));
	grow(1000);
	assert_int_equal(export(), 0);
	assert_true(says(&out, "7 tiles written, 2 were there, 0 removed"));
	for (size_t n = 0; n < 3; n++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "tile/0/%03zu", n);
		check_tile(path, 1, n, 256);
		(void)snprintf(path, sizeof(path), "tile/entries/%03zu", n);
		check_bundle(path, n, 256);
	}
	check_tile("tile/0/003.p/232", 1, 3, 232);
	check_bundle("tile/entries/003.p/232", 3, 232);
	check_tile("tile/1/000.p/3", 256, 0, 3);
	assert_true(get("checkpoint"));
	assert_memory_equal(file.p, l.note.p, l.note.len);
	/* nothing new */
	assert_int_equal(export(), 0);
	assert_true(says(&out, "0 tiles written, 9 were there, 0 removed"));
}

/* A full tile of records that no good checkpoint covers never has its name. */
static void
test_tiles__damage_is_not_published(void **state)
{
	struct helper_vfy_entry e;
	struct hsa_buf note = {0};
	char path[160];
	FILE *f;

	(void)state;
	grow(100);
	assert_int_equal(export(), 0);
	hsa_buf_put(&note, l.note.p, l.note.len);
	grow(600);
	e = l.entry[2 + 400];
	assert_true(e.kind == HSA_ENTRY_RECORD && e.len > 5);
	(void)snprintf(
	    path, sizeof(path), "%s/%s", log_dir, l.file[e.file].name);
	f = fopen(path, "r+");
	assert_non_null(f);
	(void)fseek(f, (long)(e.offset + e.len - 3), SEEK_SET);
	(void)fputc(0x7e, f);
	(void)fclose(f);
	assert_int_equal(export(), 1);
	assert_true(says(&err, "the log is damaged, V6"));
	assert_true(get("checkpoint"));
	assert_int_equal(file.len, note.len);
	assert_memory_equal(file.p, note.p, note.len);
	assert_false(get("tile/0/000"));
	assert_false(get("tile/0/000.new"));
	assert_false(get("tile/entries/000"));
	/* repaired: on it goes */
	helper_vfy_write(&l, log_dir);
	assert_int_equal(export(), 0);
	check_tile("tile/0/001", 1, 1, 256);
	hsa_buf_free(&note);
}

static void
test_tiles__another_history_is_refused(void **state)
{
	struct hsa_buf note = {0};
	char path[160];
	int fd;

	(void)state;
	grow(300);
	assert_int_equal(export(), 0);
	hsa_buf_put(&note, l.note.p, l.note.len);
	/* a tile was altered */
	(void)snprintf(path, sizeof(path), "%s/tile/0/000", to);
	assert_int_equal(truncate(path, 8191), 0);
	assert_int_equal(export(), 1);
	assert_true(says(&err, "tile/0/000 is there with other content"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(export(), 0);
	check_tile("tile/0/000", 1, 0, 256);
	/* the log is shorter than what was published, or another's */
	helper_vfy_free(&l);
	helper_vfy_init(&l, 1);
	grow(299);
	assert_int_equal(export(), 1);
	assert_true(says(&err, "V9"));
	helper_vfy_free(&l);
	helper_vfy_init(&l, 2);
	helper_vfy_put_file(base, "pub", l.key_line, strlen(l.key_line));
	grow(400);
	assert_int_equal(export(), 2);
	assert_true(says(&err, "for which the key file has no key"));
	assert_true(get("checkpoint"));
	assert_memory_equal(file.p, note.p, note.len);
	/* somebody else is at it */
	fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(export(), 2);
	assert_true(says(&err, "another export is writing there"));
	(void)close(fd);
	hsa_buf_free(&note);
}

/* Lengths in a bundle have 16 bits; a record may be one byte longer. */
static void
test_tiles__a_record_of_65536_bytes_has_no_bundle(void **state)
{
	struct hsa_record r;
	size_t n = 0;

	(void)state;
	for (unsigned int long_ = 0; long_ < 2; long_++) {
		grow(long_ == 0 ? 3 : 5);
		helper_vfy_make(&l, &r);
		free(r.special.text);
		/* as long as fits: tried out */
		for (n = 65536 - 130;; n++) {
			struct hsa_buf b = {0};
			size_t len;

			r.special.text = calloc(1, n + 1);
			assert_non_null(r.special.text);
			memset(r.special.text, 'a', n);
			assert_int_equal(hsa_record_encode(&b, &r).v, 0);
			len = b.len + 9;
			hsa_buf_free(&b);
			if (len == 65535 + long_)
				break;
			assert_true(len < 65536);
			free(r.special.text);
		}
		helper_vfy_put(&l, &r, l.n);
		hsa_record_free(&r);
		assert_int_equal(l.leaf[l.n - 1].len, 65535 + long_);
		grow(l.n);
		assert_int_equal(export(), long_ == 0 ? 0 : 2);
	}
	assert_true(says(&err, "record 5 has 65536 bytes"));
	check_bundle("tile/entries/000.p/4", 0, 4);
}

static void
test_tiles__one_log_at_a_time(void **state)
{
	struct helper_vfy_log other;
	char dir[160], two[96];

	(void)state;
	grow(5);
	helper_vfy_init(&other, 2);
	helper_vfy_fill(&other, 9, 3, 100);
	(void)snprintf(two, sizeof(two), "%s/two", base);
	assert_int_equal(mkdir(two, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/%s", two, l.unit);
	helper_vfy_write(&l, dir);
	(void)snprintf(dir, sizeof(dir), "%s/%s", two, other.unit);
	helper_vfy_write(&other, dir);
	hsa_buf_reset(&err);
	assert_int_equal(
	    helper_vfy_run(cmd_export.run,
		ARGS("export", "-t", to, "-k", pub, two), &out, &err),
	    2);
	assert_true(says(&err, "2 logs are there"));
	assert_int_equal(
	    helper_vfy_run(cmd_export.run,
		ARGS("export", "-t", to, "-k", pub, "-u", l.unit, two), &out,
		&err),
	    0);
	check_tile("tile/0/000.p/5", 1, 0, 5);
	helper_vfy_free(&other);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_tiles__paths_are_those_of_the_specification),
	    CASE(test_tiles__a_log_that_grows_gets_what_is_new),
	    CASE(test_tiles__damage_is_not_published),
	    CASE(test_tiles__another_history_is_refused),
	    CASE(test_tiles__a_record_of_65536_bytes_has_no_bundle),
	    CASE(test_tiles__one_log_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
