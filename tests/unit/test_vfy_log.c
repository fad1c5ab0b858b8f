#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "vfy_log.h"
#include "vfy_note.h"

static char dir[80], base[64];

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/log", base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

static void
keys_of(struct vfy_keys *k, const struct helper_vfy_log *l)
{
	struct hsa_diag d;

	assert_int_equal(
	    vfy_keys_parse(k, l->key_line, strlen(l->key_line), &d).v, 0);
}

/* Verify what lies in dir now, with the log's own key. */
static void
verify(struct vfy_result *res, const struct helper_vfy_log *l)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct hsa_diag d = {{0}};
	hsa_rc rc;

	keys_of(&keys, l);
	rc = vfy_log(res, dir, &opt, &d);
	if (!hsa_is_ok(rc))
		print_error("%s: %s\n", hsa_err_name(rc), d.text);
	assert_int_equal(rc.v, 0);
	vfy_keys_free(&keys);
}

static void
good(const struct helper_vfy_log *l)
{
	uint8_t root[32];
	struct vfy_result res;

	helper_vfy_write(l, dir);
	verify(&res, l);
	if (res.bad)
		print_error("%s %s byte %llu: %s\n", res.rule, res.place.file,
		    (unsigned long long)res.place.offset, res.finding);
	assert_false(res.bad);
	assert_int_equal(res.records, l->n);
	assert_int_equal(res.sealed, l->n);
	assert_string_equal(res.origin, l->origin);
	assert_int_equal(res.epochs, l->epoch);
	helper_vfy_root(root, l, l->n);
	assert_memory_equal(res.root, root, 32);
}

/* The log as it is in memory is refused by this rule in this file. */
static void
bad(const struct helper_vfy_log *l, const char *rule, const char *file,
    struct vfy_result *to)
{
	struct vfy_result res;

	helper_vfy_write(l, dir);
	verify(&res, l);
	assert_true(res.bad);
	assert_string_equal(res.rule, rule);
	assert_string_equal(res.place.file, file);
	assert_true(strlen(res.finding) > 10);
	if (to != NULL)
		*to = res;
}

static void
test_log__good_logs_of_every_size_and_split_pass(void **state)
{
	static const size_t batches[] = {1, 3, 8, 100};
	static const size_t segments[] = {2, 5, 1000};

	(void)state;
	for (size_t n = 0; n <= 40; n++)
		for (size_t b = 0; b < 4; b++)
			for (size_t s = 0; s < 3; s++) {
				struct helper_vfy_log l;

				helper_vfy_init(&l, 7);
				helper_vfy_fill(&l, n, batches[b], segments[s]);
				good(&l);
				helper_vfy_free(&l);
			}
}

static void
test_log__counts_events_specials_checkpoints(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	helper_vfy_init(&l, 1);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_event(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_use(&l);
	helper_vfy_special(&l);
	helper_vfy_event(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, dir);
	verify(&res, &l);
	assert_false(res.bad);
	assert_int_equal(res.events, 3);
	assert_int_equal(res.calls, 1);
	assert_int_equal(res.specials, 2);
	assert_int_equal(res.checkpoints, 2);
	assert_int_equal(res.epochs, 1);
	helper_vfy_free(&l);
}

/* ---- every byte ---------------------------------------------------------- */

static void
small_log(struct helper_vfy_log *l)
{
	helper_vfy_init(l, 9);
	helper_vfy_fill(l, 20, 5, 5);
	assert_true(l->files >= 3);
}

static uint64_t
sealed_before(const struct helper_vfy_log *l, size_t entry)
{
	for (size_t i = entry; i-- > 0;)
		if (l->entry[i].kind == HSA_ENTRY_CHECKPOINT)
			return l->entry[i].sequence;
	return 0;
}

/* The finding is at the damaged entry, or at the first checkpoint behind it. */
static void
right_place(
    const struct helper_vfy_log *l, size_t entry, const struct vfy_result *res)
{
	size_t until = entry;

	while (l->entry[until].kind == HSA_ENTRY_RECORD)
		until++;
	assert_string_equal(
	    res->place.file, l->file[l->entry[entry].file].name);
	assert_in_range(
	    res->place.offset, l->entry[entry].offset, l->entry[until].offset);
	assert_int_equal(res->sealed, sealed_before(l, entry));
	assert_in_range(res->place.sequence, l->entry[entry].sequence,
	    l->entry[until].sequence);
}

static void
flip(int fd, size_t at, uint8_t mask)
{
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
	b ^= mask;
	assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
}

static void
test_log__every_flipped_byte_is_found_at_its_place(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	struct helper_vfy_log l;
	struct vfy_result res;
	unsigned long flips = 0;
	char path[160];
	int fd;

	(void)state;
	small_log(&l);
	good(&l);
	for (size_t i = 0; i < l.entries; i++) {
		const struct helper_vfy_entry *e = &l.entry[i];

		(void)snprintf(
		    path, sizeof(path), "%s/%s", dir, l.file[e->file].name);
		fd = open(path, O_RDWR);
		assert_true(fd >= 0);
		for (size_t at = e->offset; at < e->offset + e->len; at++)
			for (size_t m = 0; m < sizeof(masks); m++) {
				flip(fd, at, masks[m]);
				verify(&res, &l);
				if (!res.bad)
					print_error("%s %zu ^%02x\n", path, at,
					    masks[m]);
				assert_true(res.bad);
				right_place(&l, i, &res);
				flip(fd, at, masks[m]);
				flips++;
			}
		(void)close(fd);
	}
	(void)snprintf(path, sizeof(path), "%s/head", dir);
	fd = open(path, O_RDWR);
	for (size_t at = 0; at < l.head.len; at++)
		for (size_t m = 0; m < sizeof(masks); m++) {
			flip(fd, at, masks[m]);
			verify(&res, &l);
			assert_true(res.bad);
			assert_string_equal(res.rule, "V8");
			assert_string_equal(res.place.file, "head");
			assert_int_equal(res.sealed, l.n);
			flip(fd, at, masks[m]);
			flips++;
		}
	(void)close(fd);
	print_message("COUNT bytes flipped, each found and its place named: "
		      "%lu\n",
	    flips);
	verify(&res, &l);
	assert_false(res.bad);
	helper_vfy_free(&l);
}

/* ---- cutting ------------------------------------------------------------- */

static void
test_log__a_tail_cut_at_any_length_is_found(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;
	struct hsa_buf *last;
	size_t whole;

	(void)state;
	small_log(&l);
	last = &l.file[l.files - 1].b;
	whole = last->len;
	for (last->len = 0; last->len < whole; last->len++) {
		helper_vfy_write(&l, dir);
		verify(&res, &l);
		assert_true(res.bad);
		assert_true(res.sealed < l.n);
	}
	helper_vfy_write(&l, dir);
	verify(&res, &l);
	assert_false(res.bad);
	helper_vfy_free(&l);
}

static void
test_log__a_tail_cut_behind_a_checkpoint_is_found_by_the_head(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	l.file[0].b.len = l.file[0].b.len;
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	l.file[0].b.len = l.entry[3].offset;
	bad(&l, "V8", "head", &res);
	assert_int_equal(res.sealed, 1);
	assert_non_null(strstr(res.finding, "cut"));
	helper_vfy_free(&l);
}

static void
test_log__what_no_checkpoint_covers_is_found(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	for (int i = 0; i < 2; i++) {
		helper_vfy_init(&l, 3);
		helper_vfy_segment(&l);
		helper_vfy_start(&l);
		helper_vfy_checkpoint(&l);
		if (i == 0)
			helper_vfy_special(&l);
		else
			helper_vfy_segment(&l);
		bad(&l, "V7", l.file[l.files - 1].name, &res);
		assert_int_equal(res.sealed, 1);
		assert_int_equal(res.place.offset, l.file[l.files - 1].b.len);
		helper_vfy_free(&l);
	}
}

static void
test_log__a_cut_with_an_old_head_is_found_by_an_anchor_only(void **state)
{
	struct helper_vfy_log l;
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d = {{0}};
	char path[160];
	size_t keep;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, dir);
	keep = l.file[0].b.len;
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	(void)snprintf(path, sizeof(path), "%s/anchor", base);
	helper_vfy_put_file(base, "anchor", l.note.p, l.note.len);
	l.file[0].b.len = keep;
	keys_of(&keys, &l);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_false(res.bad);
	opt.anchor = path;
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_true(res.bad);
	assert_string_equal(res.rule, "V9");
	/* the same as a head file */
	helper_vfy_put_file(base, "anchor", l.head.p, l.head.len);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_true(res.bad);
	vfy_keys_free(&keys);
	helper_vfy_free(&l);
}

static void
test_log__anchors_of_this_history_pass_of_another_do_not(void **state)
{
	struct helper_vfy_log l, other;
	struct vfy_keys keys = {0};
	struct vfy_anchor a[2];
	struct vfy_options opt = {.keys = &keys, .anchors = a};
	struct vfy_point point = {.size = 5};
	struct vfy_result res;
	struct hsa_diag d = {{0}};
	char path[160];
	uint8_t root[32];
	struct hsa_buf note = {0};

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 13, 4, 100);
	helper_vfy_write(&l, dir);
	keys_of(&keys, &l);
	(void)snprintf(path, sizeof(path), "%s/a", base);
	/* between two checkpoints, too: a witness may have been asked there */
	helper_vfy_root(root, &l, 6);
	helper_vfy_note(&note, l.origin, 6, root, l.key);
	helper_vfy_put_file(base, "a", note.p, note.len);
	assert_int_equal(vfy_anchor_load(&a[0], path, &keys, &d).v, 0);
	assert_int_equal(a[0].size, 6);
	opt.anchors_len = 1;
	opt.points = &point;
	opt.points_len = 1;
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_false(res.bad);
	assert_true(point.reached);
	helper_vfy_root(root, &l, 5);
	assert_memory_equal(point.root, root, 32);
	/* a second history under the same key */
	helper_vfy_init(&other, 3);
	helper_vfy_segment(&other);
	for (size_t i = 0; i < 6; i++)
		helper_vfy_special(&other);
	helper_vfy_checkpoint(&other);
	helper_vfy_put_file(base, "a", other.note.p, other.note.len);
	assert_int_equal(vfy_anchor_load(&a[0], path, &keys, &d).v, 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_true(res.bad);
	assert_string_equal(res.rule, "V9");
	helper_vfy_free(&other);
	/* by another key under this name, or by a stranger: no anchor at all */
	helper_vfy_init(&other, 4);
	note.len = 0;
	helper_vfy_note(&note, l.origin, 6, root, other.key);
	helper_vfy_put_file(base, "a", note.p, note.len);
	assert_int_equal(
	    vfy_anchor_load(&a[0], path, &keys, &d).v, HSA_E_SIGNATURE);
	note.len = 0;
	helper_vfy_note(&note, other.origin, 6, root, other.key);
	helper_vfy_put_file(base, "a", note.p, note.len);
	assert_int_equal(vfy_anchor_load(&a[0], path, &keys, &d).v, HSA_E_KEY);
	hsa_buf_free(&note);
	vfy_keys_free(&keys);
	helper_vfy_free(&other);
	helper_vfy_free(&l);
}

/* ---- records ------------------------------------------------------------- */

/* A log of 6 records in one batch, record 3 left out; renumber: the later
 * records take the freed numbers. Checkpoint and head as signed before. */
static void
without_one(struct helper_vfy_log *l, bool renumber)
{
	struct helper_vfy_log full;
	struct hsa_record r;

	helper_vfy_init(&full, 5);
	helper_vfy_fill(&full, 6, 6, 100);
	helper_vfy_init(l, 5);
	helper_vfy_segment(l);
	for (size_t i = 0; i < 6; i++) {
		if (i == 3)
			continue;
		assert_int_equal(
		    hsa_record_decode(&r, full.leaf[i].p, full.leaf[i].len).v,
		    0);
		helper_vfy_put(l, &r, renumber ? l->n : i);
		hsa_record_free(&r);
	}
	hsa_entry_encode_checkpoint(&l->file[0].b, full.note.p, full.note.len);
	hsa_buf_put(&l->head, full.head.p, full.head.len);
	helper_vfy_free(&full);
}

static void
test_log__a_removed_record_is_found(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	without_one(&l, false);
	bad(&l, "V4", l.file[0].name, &res);
	assert_int_equal(res.place.sequence, 3);
	assert_int_equal(res.place.offset, l.entry[4].offset);
	assert_int_equal(res.records, 3);
	assert_int_equal(res.sealed, 0);
	helper_vfy_free(&l);
}

static void
test_log__a_removed_record_is_found_although_renumbered(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	without_one(&l, true);
	bad(&l, "V6", l.file[0].name, NULL);
	helper_vfy_free(&l);
}

static void
test_log__two_swapped_records_are_found(void **state)
{
	struct helper_vfy_log a, l;

	(void)state;
	for (int renumber = 0; renumber <= 1; renumber++) {
		struct hsa_record r;

		helper_vfy_init(&a, 5);
		helper_vfy_fill(&a, 6, 6, 100);
		helper_vfy_init(&l, 5);
		helper_vfy_segment(&l);
		for (size_t i = 0; i < 6; i++) {
			size_t from = i == 2 ? 4 : i == 4 ? 2 : i;

			assert_int_equal(hsa_record_decode(&r, a.leaf[from].p,
					     a.leaf[from].len)
					     .v,
			    0);
			/* even with the order of sources repaired */
			if (renumber)
				r.source_sequence = i + 1;
			r.epoch = l.n == 0 ? 1 : l.epoch + (i == 4 ? 0 : 0);
			helper_vfy_put(&l, &r, renumber ? i : r.sequence);
			hsa_record_free(&r);
		}
		hsa_entry_encode_checkpoint(&l.file[0].b, a.note.p, a.note.len);
		hsa_buf_put(&l.head, a.head.p, a.head.len);
		bad(&l, renumber ? "V6" : "V4", l.file[0].name, NULL);
		helper_vfy_free(&a);
		helper_vfy_free(&l);
	}
}

/* The writer itself is wrong here: everything is signed, and still refused. */
static void
signed_but(const char *rule, void (*change)(struct hsa_record *r))
{
	struct helper_vfy_log l;
	struct vfy_result res;
	struct hsa_record r;

	helper_vfy_init(&l, 6);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_special(&l);
	helper_vfy_use(&l);
	helper_vfy_make(&l, &r);
	change(&r);
	helper_vfy_put(&l, &r, l.n);
	hsa_record_free(&r);
	helper_vfy_checkpoint(&l);
	bad(&l, rule, l.file[0].name, &res);
	assert_int_equal(res.place.sequence, 3);
	assert_int_equal(res.place.offset, l.entry[4].offset);
	helper_vfy_free(&l);
}

static void
epoch_falls(struct hsa_record *r)
{
	r->epoch = 0;
}
static void
epoch_rises(struct hsa_record *r)
{
	r->epoch++;
}
static void
epoch_jumps(struct hsa_record *r)
{
	r->epoch += 2;
	strcpy(r->special.name, "UNIT_START");
}
static void
source_repeats(struct hsa_record *r)
{
	r->source_sequence--;
}
/* Each source has an order of its own. */
static void
use_repeats(struct hsa_record *r)
{
	static char action[] = "hs-crypto.ep11.use";

	free(r->special.name);
	free(r->special.text);
	r->special = (struct hsa_special){0};
	r->body = HSA_BODY_EVENT;
	r->event.action_name = strdup(action);
	r->source = HSA_SOURCE_USE;
	r->source_sequence = 1;
}
static void
other_unit(struct hsa_record *r)
{
	r->unit_id[0] ^= 1;
}

static void
test_log__signed_records_against_the_rules_are_refused(void **state)
{
	(void)state;
	signed_but("V5", epoch_falls);
	signed_but("V5", epoch_rises);
	signed_but("V5", epoch_jumps);
	signed_but("V5", source_repeats);
	signed_but("V5", use_repeats);
	signed_but("V4", other_unit);
}

static void
test_log__the_first_epoch_must_be_1(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	helper_vfy_init(&l, 6);
	l.epoch = 1;
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	bad(&l, "V5", l.file[0].name, NULL);
	helper_vfy_free(&l);
}

static void
test_log__signed_bytes_that_are_no_record_are_refused(void **state)
{
	/* sequence 1, then: nothing, schema 2, an unknown field, a second
	 * sequence */
	static const uint8_t raw[][14] = {
	    {9, 1},
	    {9, 1, 0, 0, 0, 0, 0, 0, 0, 16, 2},
	    {9, 1, 0, 0, 0, 0, 0, 0, 0, 16, 1, 0xf8, 7, 1},
	    {9, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1},
	};
	static const size_t len[] = {9, 11, 14, 11};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct helper_vfy_log l;

		helper_vfy_init(&l, 6);
		helper_vfy_segment(&l);
		helper_vfy_start(&l);
		helper_vfy_raw(&l, raw[i], len[i]);
		helper_vfy_checkpoint(&l);
		bad(&l, "V4", l.file[0].name, NULL);
		helper_vfy_free(&l);
	}
}

/* ---- checkpoints --------------------------------------------------------- */

static void
forged(const char *rule, int which)
{
	struct helper_vfy_log l, other;
	uint8_t root[32];

	helper_vfy_init(&l, 6);
	helper_vfy_init(&other, 8);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_special(&l);
	helper_vfy_root(root, &l, l.n);
	switch (which) {
	case 0: /* another key, same name */
		helper_vfy_forge(&l, l.origin, l.n, root, other.key);
		break;
	case 1: /* root altered by the key's owner */
		root[31] ^= 1;
		helper_vfy_forge(&l, l.origin, l.n, root, l.key);
		break;
	case 2: /* size */
		helper_vfy_forge(&l, l.origin, l.n + 1, root, l.key);
		break;
	case 3:
		helper_vfy_forge(&l, l.origin, l.n - 1, root, l.key);
		break;
	case 4: /* another log's name */
		helper_vfy_forge(&l, other.origin, l.n, root, l.key);
		break;
	case 5: /* the same size twice */
		helper_vfy_checkpoint(&l);
		helper_vfy_checkpoint(&l);
		break;
	}
	bad(&l, rule, l.file[0].name, NULL);
	helper_vfy_free(&other);
	helper_vfy_free(&l);
}

static void
test_log__forged_checkpoints_are_found(void **state)
{
	(void)state;
	for (int i = 0; i <= 5; i++)
		forged("V6", i);
}

static void
test_log__witness_lines_are_kept_and_pass(void **state)
{
	struct helper_vfy_log l;
	struct hsa_buf note = {0};

	(void)state;
	helper_vfy_init(&l, 6);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	hsa_buf_put(&note, l.note.p, l.note.len);
	hsa_buf_str(&note, "\xe2\x80\x94 witness.example/w1 AAAAAAE=\n");
	l.file[0].b.len = l.entry[2].offset;
	hsa_entry_encode_checkpoint(&l.file[0].b, note.p, note.len);
	good(&l);
	hsa_buf_free(&note);
	helper_vfy_free(&l);
}

/* ---- headers and files --------------------------------------------------- */

static void
reheader(struct helper_vfy_log *l, const char *origin, uint64_t first,
    const uint8_t (*f)[32], size_t n, const uint64_t *last)
{
	struct hsa_buf b = {0}, old = l->file[1].b;

	assert_int_equal(
	    hsa_entry_encode_header(&b, origin, first, f, n, last).v, 0);
	for (size_t i = 0; i < l->entries; i++)
		if (l->entry[i].file == 1) {
			hsa_buf_put(&b, old.p + l->entry[i].len,
			    old.len - l->entry[i].len);
			break;
		}
	hsa_buf_free(&old);
	l->file[1].b = b;
}

static void
test_log__an_altered_header_is_found(void **state)
{
	static const uint8_t wrong[1][32] = {{1}};
	struct helper_vfy_log l;

	(void)state;
	for (int i = 0; i < 4; i++) {
		helper_vfy_init(&l, 2);
		helper_vfy_fill(&l, 8, 2, 4);
		if (i == 0)
			reheader(&l, "cryptounit/x", 4, wrong, 1, NULL);
		else if (i == 1)
			reheader(&l, l.origin, 5, wrong, 1, NULL);
		else if (i == 2)
			reheader(&l, l.origin, 4, wrong, 1, NULL);
		else
			reheader(&l, l.origin, 4, wrong, 0, NULL);
		bad(&l, i == 1 ? "V1" : "V3", l.file[1].name, NULL);
		helper_vfy_free(&l);
	}
}

static void
test_log__a_header_that_miscounts_a_source_is_found(void **state)
{
	uint64_t last[HSA_SOURCES + 1];
	struct helper_vfy_log l;

	(void)state;
	for (int i = 0; i < 7; i++) {
		uint8_t root[1][32];

		helper_vfy_init(&l, 2);
		helper_vfy_fill(&l, 8, 2, 4);
		/* start, special, special, use */
		memcpy(last, (uint64_t[]){0, 3, 1, 0}, sizeof(last));
		helper_vfy_root(root[0], &l, 4);
		if (i != 0)
			last[(i + 1) / 2] += i % 2 == 0 ? 1 : (uint64_t)-1;
		reheader(&l, l.origin, 4, (const uint8_t(*)[32])root, 1, last);
		if (i == 0)
			good(&l);
		else
			bad(&l, "V3", l.file[1].name, NULL);
		helper_vfy_free(&l);
	}
}

static void
test_log__a_missing_renamed_or_exchanged_segment_is_found(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;
	char from[160], to[160];

	(void)state;
	small_log(&l);
	for (size_t i = 0; i < l.files; i++) {
		helper_vfy_write(&l, dir);
		(void)snprintf(
		    from, sizeof(from), "%s/%s", dir, l.file[i].name);
		assert_int_equal(unlink(from), 0);
		verify(&res, &l);
		assert_true(res.bad);
		assert_string_equal(res.rule, i + 1 == l.files ? "V8" : "V1");
		helper_vfy_write(&l, dir);
		(void)snprintf(
		    to, sizeof(to), "%s/seg-00000000000000ff.slog", dir);
		assert_int_equal(rename(from, to), 0);
		verify(&res, &l);
		assert_true(res.bad);
		assert_string_equal(res.rule, "V1");
	}
	/* contents exchanged */
	helper_vfy_write(&l, dir);
	helper_vfy_put_file(
	    dir, l.file[0].name, l.file[1].b.p, l.file[1].b.len);
	verify(&res, &l);
	assert_true(res.bad);
	assert_string_equal(res.place.file, l.file[0].name);
	helper_vfy_free(&l);
}

/* ---- released segments (V1, W5) ------------------------------------------ */

static void
remove_first(const struct helper_vfy_log *l, size_t files)
{
	char path[300];

	helper_vfy_write(l, dir);
	for (size_t i = 0; i < files; i++) {
		(void)snprintf(
		    path, sizeof(path), "%.200s/%.32s", dir, l->file[i].name);
		assert_int_equal(unlink(path), 0);
	}
}

static void
test_log__segments_that_were_released_may_be_missing(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	helper_vfy_init(&l, 2);
	helper_vfy_fill(&l, 23, 2, 4); /* 6 files: 0, 4, 8, ... */
	helper_vfy_released(&l, 8);
	good(&l);
	for (size_t gone = 1; gone < l.files; gone++) {
		remove_first(&l, gone);
		verify(&res, &l);
		assert_int_equal(res.bad, gone > 2);
		if (!res.bad) {
			assert_int_equal(res.first, 4 * gone);
			assert_int_equal(res.records, 24);
			assert_int_equal(res.sealed, 24);
			continue;
		}
		assert_string_equal(res.rule, "V1");
		assert_string_equal(res.place.file, l.file[gone].name);
		assert_int_equal(res.sealed, 0);
	}
	helper_vfy_free(&l);
}

static void
test_log__a_released_log_proves_the_header_it_begins_with(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;
	uint8_t root[1][32];

	(void)state;
	helper_vfy_init(&l, 2);
	helper_vfy_fill(&l, 11, 2, 4);
	helper_vfy_released(&l, 4);
	helper_vfy_root(root[0], &l, 4);
	root[0][3] ^= 1;
	reheader(&l, l.origin, 4, (const uint8_t(*)[32])root, 1,
	    (uint64_t[HSA_SOURCES + 1]){0, 1, 1, 0});
	remove_first(&l, 1);
	verify(&res, &l);
	assert_true(res.bad);
	assert_string_equal(res.rule, "V6");
	assert_int_equal(res.sealed, 0);
	helper_vfy_free(&l);
}

static void
test_log__what_is_no_regular_file_is_not_opened(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;
	char from[160], to[160];

	(void)state;
	small_log(&l);
	for (int i = 0; i < 3; i++) {
		helper_vfy_write(&l, dir);
		(void)snprintf(
		    from, sizeof(from), "%s/%s", dir, l.file[1].name);
		(void)snprintf(to, sizeof(to), "%s/moved", base);
		(void)unlink(to);
		assert_int_equal(rename(from, to), 0);
		if (i == 0)
			assert_int_equal(symlink(to, from), 0);
		else if (i == 1)
			assert_int_equal(mkfifo(from, 0600), 0);
		else
			assert_int_equal(mkdir(from, 0700), 0);
		verify(&res, &l);
		assert_true(res.bad);
		assert_string_equal(res.rule, "V1");
		assert_string_equal(res.place.file, l.file[1].name);
	}
	helper_vfy_free(&l);
}

static void
test_log__an_empty_folder_is_a_removed_log(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;

	(void)state;
	small_log(&l);
	assert_int_equal(mkdir(dir, 0700), 0);
	verify(&res, &l);
	assert_true(res.bad);
	assert_string_equal(res.rule, "V1");
	helper_vfy_free(&l);
}

static void
test_log__an_unreadable_folder_is_an_error(void **state)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d = {{0}};

	(void)state;
	assert_int_equal(
	    vfy_log(&res, "/nonexistent/x", &opt, &d).v, HSA_E_NOT_FOUND);
	assert_non_null(strstr(d.text, "/nonexistent/x"));
}

static void
test_log__another_key_file_verifies_nothing(void **state)
{
	struct helper_vfy_log l, other;
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d = {{0}};

	(void)state;
	small_log(&l);
	helper_vfy_init(&other, 77);
	helper_vfy_write(&l, dir);
	keys_of(&keys, &other);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_true(res.bad);
	/* the same name, another key */
	memcpy(keys.key[0].origin, l.origin, sizeof(l.origin));
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_true(res.bad);
	assert_int_equal(res.sealed, 0);
	vfy_keys_free(&keys);
	helper_vfy_free(&other);
	helper_vfy_free(&l);
}

/* ---- heads --------------------------------------------------------------- */

static void
test_log__the_head_may_be_behind_but_not_ahead_nor_elsewhere(void **state)
{
	struct helper_vfy_log l, other;
	struct hsa_buf first = {0};

	(void)state;
	helper_vfy_init(&l, 2);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	hsa_buf_put(&first, l.head.p, l.head.len);
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	hsa_buf_reset(&l.head);
	hsa_buf_put(&l.head, first.p, first.len);
	good(&l);
	/* the newer head of another history of the same unit */
	helper_vfy_init(&other, 2);
	helper_vfy_segment(&other);
	for (int i = 0; i < 3; i++)
		helper_vfy_special(&other);
	helper_vfy_checkpoint(&other);
	hsa_buf_reset(&l.head);
	hsa_buf_put(&l.head, other.head.p, other.head.len);
	bad(&l, "V8", "head", NULL);
	helper_vfy_free(&other);
	/* of the same size, but another root */
	helper_vfy_init(&other, 2);
	helper_vfy_segment(&other);
	helper_vfy_special(&other);
	helper_vfy_special(&other);
	helper_vfy_checkpoint(&other);
	hsa_buf_reset(&l.head);
	hsa_buf_put(&l.head, other.head.p, other.head.len);
	bad(&l, "V8", "head", NULL);
	/* bytes behind it, and none at all */
	hsa_buf_reset(&l.head);
	hsa_buf_put(&l.head, first.p, first.len);
	hsa_buf_u8(&l.head, 0);
	bad(&l, "V8", "head", NULL);
	hsa_buf_reset(&l.head);
	bad(&l, "V8", "head", NULL);
	hsa_buf_free(&first);
	helper_vfy_free(&other);
	helper_vfy_free(&l);
}

/* ---- reading while it is written ----------------------------------------- */

static void *
finish(void *arg)
{
	const struct helper_vfy_log *l = arg;
	const struct timespec t = {0, 80000000};

	(void)nanosleep(&t, NULL);
	helper_vfy_put_file(
	    dir, l->file[0].name, l->file[0].b.p, l->file[0].b.len);
	return NULL;
}

static void
test_log__a_batch_being_written_is_waited_for(void **state)
{
	struct helper_vfy_log l;
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys, .settle_ms = 2000};
	struct vfy_result res;
	struct hsa_diag d = {{0}};
	pthread_t t;

	(void)state;
	helper_vfy_init(&l, 2);
	helper_vfy_fill(&l, 9, 3, 100);
	keys_of(&keys, &l);
	helper_vfy_write(&l, dir);
	/* all but the last 50 bytes */
	helper_vfy_put_file(
	    dir, l.file[0].name, l.file[0].b.p, l.file[0].b.len - 50);
	assert_int_equal(pthread_create(&t, NULL, finish, &l), 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_false(res.bad);
	assert_int_equal(res.sealed, 9);
	vfy_keys_free(&keys);
	helper_vfy_free(&l);
}

/* ---- the callback -------------------------------------------------------- */

static hsa_rc
count(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	uint64_t *next = ctx;

	assert_int_equal(r->sequence, (*next)++);
	assert_int_equal(raw[0], 9);
	assert_true(n > 9);
	return *next == 7 ? HSA_RC(E_STOPPED) : HSA_OK;
}

static void
test_log__records_are_shown_in_order_until_told_to_stop(void **state)
{
	struct helper_vfy_log l;
	struct vfy_keys keys = {0};
	uint64_t next = 0;
	struct vfy_options opt = {
	    .keys = &keys, .on_record = count, .ctx = &next};
	struct vfy_result res;
	struct hsa_diag d = {{0}};

	(void)state;
	small_log(&l);
	helper_vfy_write(&l, dir);
	keys_of(&keys, &l);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, HSA_E_STOPPED);
	assert_int_equal(next, 7);
	vfy_keys_free(&keys);
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_log__good_logs_of_every_size_and_split_pass),
	    CASE(test_log__counts_events_specials_checkpoints),
	    CASE(test_log__every_flipped_byte_is_found_at_its_place),
	    CASE(test_log__a_tail_cut_at_any_length_is_found),
	    CASE(test_log__a_tail_cut_behind_a_checkpoint_is_found_by_the_head),
	    CASE(test_log__what_no_checkpoint_covers_is_found),
	    CASE(test_log__a_cut_with_an_old_head_is_found_by_an_anchor_only),
	    CASE(test_log__anchors_of_this_history_pass_of_another_do_not),
	    CASE(test_log__a_removed_record_is_found),
	    CASE(test_log__a_removed_record_is_found_although_renumbered),
	    CASE(test_log__two_swapped_records_are_found),
	    CASE(test_log__signed_records_against_the_rules_are_refused),
	    CASE(test_log__the_first_epoch_must_be_1),
	    CASE(test_log__signed_bytes_that_are_no_record_are_refused),
	    CASE(test_log__forged_checkpoints_are_found),
	    CASE(test_log__witness_lines_are_kept_and_pass),
	    CASE(test_log__an_altered_header_is_found),
	    CASE(test_log__a_header_that_miscounts_a_source_is_found),
	    CASE(test_log__a_missing_renamed_or_exchanged_segment_is_found),
	    CASE(test_log__segments_that_were_released_may_be_missing),
	    CASE(test_log__a_released_log_proves_the_header_it_begins_with),
	    CASE(test_log__what_is_no_regular_file_is_not_opened),
	    CASE(test_log__an_empty_folder_is_a_removed_log),
	    CASE(test_log__an_unreadable_folder_is_an_error),
	    CASE(test_log__another_key_file_verifies_nothing),
	    CASE(test_log__the_head_may_be_behind_but_not_ahead_nor_elsewhere),
	    CASE(test_log__a_batch_being_written_is_waited_for),
	    CASE(test_log__records_are_shown_in_order_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
