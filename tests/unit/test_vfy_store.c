#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "vfy_log.h"
#include "vfy_store.h"

static char dir[80], base[64];

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/copy", base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

static struct vfy_key
key_of(const struct helper_vfy_log *l)
{
	struct vfy_key k;
	struct hsa_diag d;

	assert_int_equal(
	    vfy_key_parse(&k, l->key_line, strlen(l->key_line) - 1, &d).v, 0);
	return k;
}

static hsa_rc
try_open(struct vfy_store **s, const struct helper_vfy_log *l, size_t segment,
    struct hsa_diag *d)
{
	struct vfy_key k = key_of(l);

	d->text[0] = '\0';
	return vfy_store_open(s, dir, &k, segment, d);
}

static struct vfy_store *
open_store(const struct helper_vfy_log *l, size_t segment)
{
	struct vfy_store *s = NULL;
	struct hsa_diag d;
	hsa_rc rc = try_open(&s, l, segment, &d);

	if (!hsa_is_ok(rc))
		print_error("%s: %s\n", hsa_err_name(rc), d.text);
	assert_int_equal(rc.v, 0);
	return s;
}

/* Append what l has behind the store's end, at most `batches` of them. */
static void
feed(struct vfy_store *s, const struct helper_vfy_log *l, size_t batches,
    bool sync)
{
	struct vfy_state next = *vfy_store_state(s);
	struct hsa_buf b = {0};
	struct vfy_why why;
	struct hsa_diag d;
	struct hsa_entry e;
	size_t used;

	for (size_t i = 0; i < l->entries && batches > 0; i++) {
		const struct helper_vfy_entry *at = &l->entry[i];
		const uint8_t *p = l->file[at->file].b.p + at->offset;

		assert_int_equal(hsa_entry_decode(&e, &used, p, at->len).v, 0);
		if (e.kind == HSA_ENTRY_RECORD &&
		    at->sequence == next.tree.size) {
			assert_int_equal(
			    vfy_state_record(&next, e.p, e.n, &why).v, 0);
			hsa_buf_put(&b, p, at->len);
		} else if (e.kind == HSA_ENTRY_CHECKPOINT &&
			   (b.len != 0 ||
			       (!next.sealed && at->sequence == 0))) {
			assert_int_equal(
			    vfy_state_checkpoint(&next, e.p, e.n, &why).v, 0);
			hsa_buf_put(&b, p, at->len);
			assert_int_equal(
			    vfy_store_append(s, &next, b.p, b.len, e.p, e.n, &d)
				.v,
			    0);
			hsa_buf_reset(&b);
			batches--;
		}
	}
	if (sync)
		assert_int_equal(vfy_store_sync(s, &d).v, 0);
	hsa_buf_free(&b);
}

static void
verify_is(const struct helper_vfy_log *l, uint64_t size)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d;
	uint8_t root[32];

	assert_int_equal(
	    vfy_keys_parse(&keys, l->key_line, strlen(l->key_line), &d).v, 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	if (res.bad)
		print_error(
		    "%s: %s %s\n", res.rule, res.place.file, res.finding);
	assert_false(res.bad);
	assert_int_equal(res.sealed, size);
	helper_vfy_root(root, l, (size_t)size);
	assert_memory_equal(root, res.root, 32);
	vfy_keys_free(&keys);
}

static void
test_store__a_copy_verifies_at_every_size_and_split(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 30; n += 3)
		for (size_t seg = 1; seg < 3000; seg = seg * 3 + 200) {
			struct helper_vfy_log l;
			struct vfy_store *s;

			helper_vfy_rmdir(dir);
			helper_vfy_init(&l, 3);
			helper_vfy_fill(&l, n, 4, 9);
			s = open_store(&l, seg);
			feed(s, &l, 1000, true);
			vfy_store_free(s);
			verify_is(&l, n);
			helper_vfy_free(&l);
		}
}

static void
test_store__nothing_is_made_before_the_first_batch(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s;
	struct stat st;

	(void)state;
	helper_vfy_init(&l, 3);
	s = open_store(&l, 0);
	assert_int_not_equal(stat(dir, &st), 0);
	assert_int_equal(vfy_store_state(s)->tree.size, 0);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	feed(s, &l, 1, true);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	vfy_store_free(s);
	helper_vfy_free(&l);
}

static void
test_store__goes_on_after_each_reopening(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 30, 2, 100);
	for (uint64_t done = 0; done < 30; done += 2) {
		s = open_store(&l, 700);
		assert_int_equal(vfy_store_state(s)->tree.size, done);
		feed(s, &l, 1, true);
		vfy_store_free(s);
		verify_is(&l, done + 2);
	}
	helper_vfy_free(&l);
}

static void
test_store__one_writer_only(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s, *again = NULL;
	struct hsa_diag d;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 4, 2, 100);
	s = open_store(&l, 0);
	feed(s, &l, 10, true);
	assert_int_equal(try_open(&again, &l, 0, &d).v, HSA_E_BUSY);
	assert_non_null(strstr(d.text, "another collector"));
	vfy_store_free(s);
	s = open_store(&l, 0);
	vfy_store_free(s);
	helper_vfy_free(&l);
}

static void
last_file(char to[160], const struct helper_vfy_log *l)
{
	(void)snprintf(to, 160, "%s/%s", dir, l->file[l->files - 1].name);
}

/* A copy as the collector left it: 12 records, then a last batch of 4 whose
 * head was not written yet. */
static size_t
unacknowledged(struct helper_vfy_log *l, size_t *end)
{
	struct hsa_buf head = {0};
	size_t before;

	helper_vfy_init(l, 3);
	helper_vfy_fill(l, 12, 4, 6);
	hsa_buf_put(&head, l->head.p, l->head.len);
	before = l->file[l->files - 1].b.len;
	for (int i = 0; i < 4; i++)
		helper_vfy_event(l);
	helper_vfy_checkpoint(l);
	*end = l->file[l->files - 1].b.len;
	hsa_buf_reset(&l->head);
	hsa_buf_put(&l->head, head.p, head.len);
	hsa_buf_free(&head);
	return before;
}

static void
test_store__a_torn_tail_of_any_length_is_cut(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s;
	size_t from, end;
	char path[160];

	(void)state;
	from = unacknowledged(&l, &end);
	for (size_t n = from; n <= end; n++) {
		helper_vfy_write(&l, dir);
		last_file(path, &l);
		assert_int_equal(truncate(path, (off_t)n), 0);
		s = open_store(&l, 0);
		assert_int_equal(
		    vfy_store_state(s)->tree.size, n == end ? 16 : 12);
		verify_is(&l, n == end ? 16 : 12);
		feed(s, &l, 1, true);
		vfy_store_free(s);
		verify_is(&l, 16);
	}
	helper_vfy_free(&l);
}

static void
test_store__a_torn_tail_of_garbage_is_cut(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s;
	size_t from, end;
	char path[160];
	int fd;

	(void)state;
	from = unacknowledged(&l, &end);
	helper_vfy_write(&l, dir);
	last_file(path, &l);
	assert_int_equal(truncate(path, (off_t)from + 5), 0);
	/* what a power cut leaves: length known, contents not */
	assert_int_equal(truncate(path, (off_t)end), 0);
	s = open_store(&l, 0);
	assert_int_equal(vfy_store_state(s)->tree.size, 12);
	vfy_store_free(s);
	verify_is(&l, 12);
	/* a new segment that got no further than its header, or half of it */
	for (int half = 0; half <= 1; half++) {
		helper_vfy_free(&l);
		(void)unacknowledged(&l, &end);
		helper_vfy_segment(&l);
		helper_vfy_write(&l, dir);
		last_file(path, &l);
		if (half)
			assert_int_equal(truncate(path, 20), 0);
		s = open_store(&l, 0);
		assert_int_equal(vfy_store_state(s)->tree.size, 16);
		assert_int_not_equal(access(path, F_OK), 0);
		vfy_store_free(s);
		verify_is(&l, 16);
	}
	/* a torn head is written anew */
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/head", dir);
	assert_int_equal(truncate(path, 30), 0);
	s = open_store(&l, 0);
	vfy_store_free(s);
	verify_is(&l, 16);
	helper_vfy_free(&l);
}

/* A whole batch that no head tells of yet: altered anywhere, its own
 * checkpoint is the proof that it was sealed (W3). */
static void
test_store__damage_in_a_sealed_batch_is_never_cut(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s = NULL;
	struct hsa_diag d;
	struct stat st;
	size_t from, end;
	char path[160];

	(void)state;
	from = unacknowledged(&l, &end);
	last_file(path, &l);
	helper_vfy_write(&l, dir);
	for (size_t at = from; at < end; at += 5) {
		int fd = open(path, O_RDWR);
		uint8_t b;

		assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
		b ^= 0x21;
		assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
		assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, end);
		b ^= 0x21;
		assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
		(void)close(fd);
	}
	s = open_store(&l, 0);
	assert_int_equal(vfy_store_state(s)->tree.size, 16);
	vfy_store_free(s);
	helper_vfy_free(&l);
}

static void
test_store__damage_in_what_was_acknowledged_is_never_cut(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s = NULL;
	const struct hsa_buf *last;
	struct hsa_diag d;
	struct stat st;
	char path[160];

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 12, 4, 100);
	last = &l.file[0].b;
	last_file(path, &l);
	for (size_t at = 0; at < last->len; at += 11) {
		int fd;
		uint8_t b;

		helper_vfy_write(&l, dir);
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
		b ^= 0x11;
		assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
		(void)close(fd);
		assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
		assert_non_null(strstr(d.text, dir));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, last->len);
	}
	/* a later header, and the file that vouches for its numbers */
	helper_vfy_free(&l);
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 12, 4, 8);
	assert_int_equal(l.files, 2);
	last = &l.file[1].b;
	for (size_t at = 0; at < last->len; at++) {
		struct hsa_buf copy = {0};

		helper_vfy_write(&l, dir);
		hsa_buf_put(&copy, last->p, last->len);
		copy.p[at] ^= 0x04;
		helper_vfy_put_file(dir, l.file[1].name, copy.p, copy.len);
		hsa_buf_free(&copy);
		if (try_open(&s, &l, 0, &d).v != HSA_E_CORRUPT)
			fail_msg("byte %zu", at);
	}
	helper_vfy_write(&l, dir);
	helper_vfy_put_file(
	    dir, l.file[0].name, l.file[0].b.p, l.file[0].b.len - 1);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
	assert_non_null(strstr(d.text, l.file[0].name));
	helper_vfy_free(&l);
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 12, 4, 100);
	last = &l.file[0].b;
	/* cut, with and without its head */
	for (size_t n = 0; n < last->len; n += 29) {
		helper_vfy_write(&l, dir);
		assert_int_equal(truncate(path, (off_t)n), 0);
		assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
	}
	/* altered, and the head removed: cannot be told from a tail: refused */
	helper_vfy_write(&l, dir);
	{
		int fd = open(path, O_RDWR);

		assert_int_equal(
		    pwrite(fd, "\xff", 1, (off_t)last->len - 200), 1);
		(void)close(fd);
	}
	(void)snprintf(path, sizeof(path), "%s/head", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
	helper_vfy_free(&l);
}

static void
test_store__a_copy_of_another_unit_is_not_continued(void **state)
{
	struct helper_vfy_log l, other;
	struct vfy_store *s = NULL;
	struct hsa_diag d;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_init(&other, 4);
	helper_vfy_fill(&l, 12, 4, 100);
	helper_vfy_write(&l, dir);
	assert_int_equal(try_open(&s, &other, 0, &d).v, HSA_E_CORRUPT);
	helper_vfy_free(&l);
	helper_vfy_free(&other);
}

static void
test_store__a_failed_write_closes_it_for_good(void **state)
{
	struct helper_vfy_log l;
	struct vfy_state next;
	struct vfy_store *s;
	struct hsa_diag d;
	char path[160];

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 4, 2, 100);
	s = open_store(&l, 1);
	feed(s, &l, 1, true);
	next = *vfy_store_state(s);
	/* the next segment's name is taken */
	(void)snprintf(path, sizeof(path), "%s/seg-%016x.slog", dir, 2);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(
	    vfy_store_append(s, &next, "x", 1, "x", 1, &d).v, HSA_E_IO);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(
	    vfy_store_append(s, &next, "x", 1, "x", 1, &d).v, HSA_E_IO);
	assert_int_equal(vfy_store_sync(s, &d).v, HSA_E_IO);
	vfy_store_free(s);
	verify_is(&l, 2);
	helper_vfy_free(&l);
}

static void
test_store__a_file_in_place_of_the_folder_is_refused(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s = NULL;
	struct hsa_diag d;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_put_file(base, "copy", "x", 1);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_IO);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(symlink("/tmp", dir), 0);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_IO);
	helper_vfy_free(&l);
}

/* ---- what a start leaves out -----------------------------------------------
 */

/* The last character but one of a signature, the first (0) or last (1) of the
 * file: the offset, for sure in a checkpoint. */
static size_t
in_signature(const struct hsa_buf *file, int which)
{
	static const char dash[] = "\xe2\x80\x94 ";
	const uint8_t *at = NULL, *p = file->p;

	while ((p = memmem(p, (size_t)(file->p + file->len - p), dash, 4)) !=
	       NULL) {
		at = p++;
		if (which == 0)
			break;
	}
	assert_non_null(at);
	at = memchr(at, '\n', (size_t)(file->p + file->len - at));
	assert_non_null(at);
	return (size_t)(at - file->p) - 4;
}

/* The note that a collector makes for itself, of what is in the file. */
static void
forge(const char *name, const struct hsa_buf *file)
{
	struct hsa_buf b = {0};
	uint8_t md[HSA_SHA256_LEN];

	assert_int_equal(hsa_sha256(md, file->p, file->len).v, 0);
	hsa_buf_printf(&b, "%s %zu ", name, file->len);
	for (size_t i = 0; i < sizeof(md); i++)
		hsa_buf_printf(&b, "%02x", md[i]);
	hsa_buf_str(&b, "\n");
	helper_vfy_put_file(dir, "resume", b.p, b.len);
	hsa_buf_free(&b);
}

static bool
verifies(const struct helper_vfy_log *l)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d;

	assert_int_equal(
	    vfy_keys_parse(&keys, l->key_line, strlen(l->key_line), &d).v, 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	vfy_keys_free(&keys);
	return !res.bad;
}

static void
test_store__what_it_notes_for_its_start_vouches_for_nothing(void **state)
{
	struct helper_vfy_log l;
	struct vfy_store *s = NULL;
	struct hsa_buf file = {0};
	struct hsa_diag d;
	const char *name;
	size_t at;
	char path[160];

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 24, 4, 100);
	name = l.file[0].name;
	(void)snprintf(path, sizeof(path), "%s/resume", dir);
	helper_vfy_write(&l, dir);
	assert_int_not_equal(access(path, F_OK), 0);
	vfy_store_free(open_store(&l, 0));
	assert_int_equal(access(path, F_OK), 0);
	vfy_store_free(open_store(&l, 0));
	verify_is(&l, 24);
	/* an altered signature is found by the digest */
	hsa_buf_put(&file, l.file[0].b.p, l.file[0].b.len);
	at = in_signature(&file, 0);
	file.p[at] = file.p[at] == 'A' ? 'B' : 'A';
	helper_vfy_put_file(dir, name, file.p, file.len);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
	/* who makes the note fit has a copy that goes on and does not verify */
	forge(name, &file);
	s = open_store(&l, 0);
	assert_int_equal(vfy_store_state(s)->tree.size, 24);
	vfy_store_free(s);
	assert_false(verifies(&l));
	/* but for the last one, and the records, there is no way around */
	memcpy(file.p, l.file[0].b.p, file.len);
	at = in_signature(&file, 1);
	file.p[at] = file.p[at] == 'A' ? 'B' : 'A';
	helper_vfy_put_file(dir, name, file.p, file.len);
	forge(name, &file);
	assert_int_equal(try_open(&s, &l, 0, &d).v, HSA_E_CORRUPT);
	for (at = 0; at < in_signature(&l.file[0].b, 0) - 200; at += 13) {
		memcpy(file.p, l.file[0].b.p, file.len);
		file.p[at] ^= 0x10;
		helper_vfy_put_file(dir, name, file.p, file.len);
		forge(name, &file);
		if (try_open(&s, &l, 0, &d).v != HSA_E_CORRUPT)
			fail_msg("byte %zu", at);
	}
	/* nonsense in the note costs nothing but time */
	helper_vfy_write(&l, dir);
	for (unsigned int i = 0; i < 5; i++) {
		static const char *const text[] = {"", "x",
		    "seg-0000000000000000.slog 18446744073709551615 00\n",
		    "seg-0000000000000000.slog -1 \n",
		    "seg-0000000000000000.slog 10\n"};

		helper_vfy_put_file(dir, "resume", text[i], strlen(text[i]));
		s = open_store(&l, 0);
		assert_int_equal(vfy_store_state(s)->tree.size, 24);
		vfy_store_free(s);
	}
	verify_is(&l, 24);
	hsa_buf_free(&file);
	helper_vfy_free(&l);
}

static double
start_ms(const struct helper_vfy_log *l)
{
	clock_t from = clock();
	struct vfy_store *s = open_store(l, 0);

	from = clock() - from;
	assert_int_equal(vfy_store_state(s)->tree.size, l->n);
	vfy_store_free(s);
	return (double)from * 1000 / CLOCKS_PER_SEC;
}

/* Processor time, and a bound that is far off. */
static void
test_store__a_start_checks_no_signature_twice(void **state)
{
	struct helper_vfy_log l;
	double all, known;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 1600, 2, 100000);
	helper_vfy_write(&l, dir);
	all = start_ms(&l);
	known = start_ms(&l);
	printf("COUNT a start on 800 checkpoints: %.1f ms, again %.1f ms\n",
	    all, known);
	assert_true(known < all / 2);
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_store__a_copy_verifies_at_every_size_and_split),
	    CASE(test_store__nothing_is_made_before_the_first_batch),
	    CASE(test_store__goes_on_after_each_reopening),
	    CASE(test_store__one_writer_only),
	    CASE(test_store__a_torn_tail_of_any_length_is_cut),
	    CASE(test_store__a_torn_tail_of_garbage_is_cut),
	    CASE(test_store__damage_in_a_sealed_batch_is_never_cut),
	    CASE(test_store__damage_in_what_was_acknowledged_is_never_cut),
	    CASE(test_store__a_copy_of_another_unit_is_not_continued),
	    CASE(test_store__a_failed_write_closes_it_for_good),
	    CASE(test_store__a_file_in_place_of_the_folder_is_refused),
	    CASE(test_store__what_it_notes_for_its_start_vouches_for_nothing),
	    CASE(test_store__a_start_checks_no_signature_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
