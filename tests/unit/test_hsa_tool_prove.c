#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_cosign.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "hsa_hash.h"

/* base/log: 20 records, a checkpoint each four; base/pub its key.
 * base/two: a collector's folder with this one and another. */
static char base[64], log_dir[96], two[96], pub[96], file_[96], other_pub[96];
static struct helper_vfy_log a, b;
static struct hsa_buf out, err;

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int
setup(void **state)
{
	char dir[160];

	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(log_dir, sizeof(log_dir), "%s/log", base);
	(void)snprintf(two, sizeof(two), "%s/two", base);
	(void)snprintf(pub, sizeof(pub), "%s/pub", base);
	(void)snprintf(other_pub, sizeof(other_pub), "%s/other", base);
	(void)snprintf(file_, sizeof(file_), "%s/proof", base);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	helper_vfy_fill(&a, 20, 4, 8);
	helper_vfy_fill(&b, 9, 3, 100);
	helper_vfy_write(&a, log_dir);
	helper_vfy_put_file(base, "pub", a.key_line, strlen(a.key_line));
	helper_vfy_put_file(base, "other", b.key_line, strlen(b.key_line));
	assert_int_equal(mkdir(two, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/%s", two, a.unit);
	helper_vfy_write(&a, dir);
	(void)snprintf(dir, sizeof(dir), "%s/%s", two, b.unit);
	helper_vfy_write(&b, dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	hsa_buf_free(&out);
	hsa_buf_free(&err);
	helper_vfy_rmdir(base);
	return 0;
}

static int
run(const struct cmd *c, const char *const *args)
{
	hsa_buf_reset(&out);
	hsa_buf_reset(&err);
	return helper_vfy_run(c->run, args, &out, &err);
}

static bool
says(struct hsa_buf *text, const char *part)
{
	return strstr(hsa_buf_cstr(text), part) != NULL;
}

/* What the last command wrote to stdout, as base/proof. */
static int
verify_out(void)
{
	helper_vfy_put_file(base, "proof", out.p, out.len);
	return run(&cmd_verify, ARGS("verify", "--key", pub, "--proof", file_));
}

static void
test_prove__every_record_by_its_sequence(void **state)
{
	char n[24], want[48];

	(void)state;
	for (size_t i = 0; i < a.n; i++) {
		(void)snprintf(n, sizeof(n), "%zu", i);
		assert_int_equal(
		    run(&cmd_prove, ARGS("prove", "-k", pub, "-s", n, log_dir)),
		    0);
		assert_memory_equal(out.p, "c2sp.org/tlog-proof@v1\n", 23);
		assert_int_equal(verify_out(), 0);
		(void)snprintf(want, sizeof(want), "record   %zu:", i);
		assert_true(says(&out, want));
		assert_true(says(&out, "verify: 1 proof, OK\n"));
		assert_true(says(&out, a.origin));
	}
}

/* What a proof shows is what the log shows: the envelope, word by word. */
static void
test_prove__a_compact_record_is_shown_as_its_event(void **state)
{
	static const char call[] = "\"source\":\"use\"";
	struct helper_vfy_log calls;
	struct hsa_buf lines = {0}, want = {0};
	char dir[96], n[24], *line, *rest;
	unsigned int compact = 0;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/calls", base);
	helper_vfy_init(&calls, 1);
	helper_vfy_fill_calls(&calls, 60, 5, 25);
	helper_vfy_write(&calls, dir);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "envelope", dir)), 0);
	hsa_buf_put(&lines, out.p, out.len);
	(void)hsa_buf_cstr(&lines);
	line = (char *)lines.p;
	for (; *line != '\0'; line = rest + 1) {
		const char *sequence = strstr(line, "\"sequence\":");

		rest = strchr(line, '\n');
		assert_true(sequence != NULL && sequence < rest);
		*rest = '\0';
		(void)snprintf(
		    n, sizeof(n), "%lu", strtoul(sequence + 11, NULL, 10));
		assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-s",
						     n, "-o", file_, dir)),
		    0);
		assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub,
						      "-p", file_, "-j")),
		    0);
		hsa_buf_reset(&want);
		hsa_buf_printf(&want, ",\"record\":%s,", line);
		assert_true(says(&out, hsa_buf_cstr(&want)));
		if (strstr(line, call) != NULL)
			compact++;
		if (strstr(line, call) != NULL && compact % 8 == 1) {
			char event[HSA_UUID_TEXT] = {0};

			/* other ids there are no UUIDs */
			for (const char *p = strstr(line, "\"id\":\"");
			     p != NULL; p = strstr(p + 1, "\"id\":\""))
				if (strlen(p) > 42 && p[14] == '-' &&
				    p[42] == '"')
					memcpy(event, p + 6, sizeof(event) - 1);
			assert_int_equal(
			    run(&cmd_prove, ARGS("prove", "-k", pub, "-e",
						event, "-o", file_, dir)),
			    0);
		}
	}
	assert_true(compact > 20);
	printf("COUNT compact records proven and shown: %u\n", compact);
	helper_vfy_free(&calls);
	hsa_buf_free(&lines);
	hsa_buf_free(&want);
}

static void
test_prove__an_event_by_its_id_in_whichever_log(void **state)
{
	char id[HSA_UUID_TEXT], keys[96];
	uint8_t raw[HSA_UUID_LEN];
	struct hsa_buf both = {0};
	json_t *whole, *j;

	(void)state;
	hsa_buf_printf(&both, "%s%s", a.key_line, b.key_line);
	helper_vfy_put_file(base, "both", both.p, both.len);
	(void)snprintf(keys, sizeof(keys), "%s/both", base);
	/* record 9 of a is an EP11 call; b has its own at 3 and 6 */
	memset(raw, 0x55, sizeof(raw));
	raw[14] = 0;
	raw[15] = 9;
	hsa_uuid_text(id, raw);
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", keys, "--event",
					     id, "--out", file_, two)),
	    0);
	assert_true(says(&out, ": record 9 of cryptounit/01010101-"));
	assert_true(says(&out, " are among its 20, 5 hashes\n"));
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", keys, "-p", file_, "--json")),
	    0);
	whole = json_loads(hsa_buf_cstr(&out), 0, NULL);
	assert_non_null(whole);
	assert_true(json_is_true(json_object_get(whole, "ok")));
	j = json_array_get(json_object_get(whole, "proofs"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(j, "kind")), "inclusion");
	assert_int_equal(json_integer_value(json_object_get(j, "sequence")), 9);
	assert_int_equal(json_integer_value(json_object_get(j, "size")), 20);
	j = json_object_get(json_object_get(j, "record"), "event");
	assert_string_equal(json_string_value(json_object_get(j, "action")),
	    "hs-crypto.ep11.use");
	json_decref(whole);
	/* no such event */
	raw[0] ^= 1;
	hsa_uuid_text(id, raw);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", keys, "-e", id, two)), 1);
	assert_true(says(&err, "there is no event "));
	assert_int_equal(out.len, 0);
	hsa_buf_free(&both);
}

static void
test_prove__every_pair_of_checkpoints_is_consistent(void **state)
{
	static const char *const size[] = {"4", "8", "12", "16", "20"};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t k = i; k < 5; k++) {
			assert_int_equal(
			    run(&cmd_prove,
				ARGS("prove", "-k", pub, "--from", size[i],
				    "--to", size[k], log_dir)),
			    0);
			assert_memory_equal(
			    out.p, "cryptounit/consistency-proof@v1\n", 32);
			assert_int_equal(verify_out(), 0);
		}
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", "8", log_dir)), 0);
	assert_int_equal(verify_out(), 0);
	assert_true(says(&out, "checkpoint over 20 records, 1 signature\n"));
	assert_true(says(&out, "begins with the 8 records of root "));
	/* backwards, where none is, beyond the end */
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-f", "12",
					     "-t", "8", log_dir)),
	    1);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", "9", log_dir)), 1);
	assert_true(says(&err, "no checkpoint over 9 records; the one before "
			       "is over 8, the next is over 12"));
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-f", "8",
					     "-t", "18", log_dir)),
	    1);
	assert_true(says(&err,
	    "over 18 records; the one before is over 16, the next is over 20"));
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", "21", log_dir)), 1);
	assert_true(says(&err, "20 sealed records, not 21"));
}

static void
test_prove__to_a_checkpoint_from_elsewhere(void **state)
{
	struct hsa_buf note = {0}, w = {0};
	char cosigned[96], keys[96], more[96];
	uint8_t root[32];

	(void)state;
	/* over 10 records, where the log itself has none, and cosigned */
	helper_vfy_root(root, &a, 10);
	helper_vfy_note(&note, a.origin, 10, root, a.key);
	helper_cosign_line(&note, note.p, note.len, "w.example/1", 101, 9);
	helper_cosign_line(&note, note.p, note.len, "unknown.example", 3, 9);
	helper_vfy_put_file(base, "cosigned", note.p, note.len);
	helper_cosign_key(&w, "w.example/1", 101, 4);
	helper_vfy_put_file(base, "w1", w.p, w.len);
	hsa_buf_reset(&w);
	helper_cosign_key(&w, "w.example/2", 102, 4);
	helper_vfy_put_file(base, "w2", w.p, w.len);
	(void)snprintf(cosigned, sizeof(cosigned), "%s/cosigned", base);
	(void)snprintf(keys, sizeof(keys), "%s/w1", base);
	(void)snprintf(more, sizeof(more), "%s/w2", base);
	for (unsigned int by = 0; by < 3; by++) {
		static const char *const event =
		    "55555555-5555-5555-5555-555555550009";
		const char *const which[3][7] = {
		    {"prove", "-k", pub, "-s", "9", "-t", cosigned},
		    {"prove", "-k", pub, "-e", event, "-t", cosigned},
		    {"prove", "-k", pub, "-f", "8", "-t", cosigned}};
		const char *args[10] = {NULL};

		memcpy(args, which[by], sizeof(which[by]));
		args[7] = log_dir;
		assert_int_equal(run(&cmd_prove, args), 0);
		/* every line is in it word by word */
		assert_true(says(&out, hsa_buf_cstr(&note)));
		assert_int_equal(verify_out(), 0);
		assert_true(says(&out, "over 10 records, 3 signatures\n"));
		assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub,
						      "-p", file_, "-w", keys)),
		    0);
		assert_true(says(&out, ", 1 of the witnesses asked for"));
		assert_int_equal(
		    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", file_,
					 "-w", keys, "-w", more)),
		    1);
		assert_true(says(&out, "BAD P1: 1 of the witnesses"));
		assert_int_equal(
		    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", file_,
					 "-w", keys, "-w", more, "-n", "1")),
		    0);
	}
	/* as the beginning of a proof, too */
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", cosigned, two)), 0);
	assert_int_equal(verify_out(), 0);
	assert_true(says(&out, "begins with the 10 records of root "));
	/* record 10 is not in it */
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-s", "10",
					     "-t", cosigned, log_dir)),
	    1);
	assert_true(says(&err, "not among the first 10 of the checkpoint"));
	/* a second history */
	note.len = 0;
	root[0] ^= 1;
	helper_vfy_note(&note, a.origin, 10, root, a.key);
	helper_vfy_put_file(base, "cosigned", note.p, note.len);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", cosigned, log_dir)),
	    1);
	assert_true(says(&err, "V9"));
	hsa_buf_free(&note);
	hsa_buf_free(&w);
}

static void
test_prove__a_witness_gets_what_it_takes(void **state)
{
	struct hsa_buf want = {0};

	(void)state;
	/* its first: no proof, the newest checkpoint */
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "--from", "0",
					     "--request", log_dir)),
	    0);
	hsa_buf_printf(&want, "old 0\n\n%s", hsa_buf_cstr(&a.note));
	assert_string_equal(hsa_buf_cstr(&out), hsa_buf_cstr(&want));
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "--from",
					     "12", "--request", log_dir)),
	    0);
	assert_memory_equal(out.p, "old 12\n", 7);
	assert_true(says(&out, hsa_buf_cstr(&a.note)));
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-k", pub, "--from", "0", log_dir)),
	    2);
	hsa_buf_free(&want);
}

static void
test_prove__a_damaged_log_proves_what_is_whole(void **state)
{
	char dir[96], path[160], n[16];
	struct helper_vfy_entry e = {.len = 0};
	FILE *f;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/damaged", base);
	helper_vfy_write(&a, dir);
	/* a byte of record 13, covered by the checkpoint over 16 */
	for (size_t i = 0; i < a.entries; i++)
		if (a.entry[i].kind == HSA_ENTRY_RECORD &&
		    a.entry[i].sequence == 13)
			e = a.entry[i];
	assert_true(e.len > 3);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, a.file[e.file].name);
	f = fopen(path, "r+");
	assert_non_null(f);
	(void)fseek(f, (long)(e.offset + e.len - 3), SEEK_SET);
	(void)fputc(0x7e, f);
	(void)fclose(f);
	for (unsigned int i = 0; i < 20; i++) {
		(void)snprintf(n, sizeof(n), "%u", i);
		assert_int_equal(
		    run(&cmd_prove, ARGS("prove", "-k", pub, "-s", n, dir)), 1);
		assert_true(says(&err, "the log is damaged"));
		assert_true(i < 12 ? out.len != 0 : out.len == 0);
		if (i < 12)
			assert_int_equal(verify_out(), 0);
	}
}

static void
test_prove__a_log_with_released_segments_proves_what_it_has(void **state)
{
	static const char *const from[] = {"4", "8", "12", "16"};
	char dir[96], path[200], n[24];
	struct helper_vfy_log c;

	(void)state;
	helper_vfy_init(&c, 1);
	helper_vfy_fill(&c, 23, 4, 4); /* files: 0, 4, 8, ... */
	helper_vfy_released(&c, 12);
	(void)snprintf(dir, sizeof(dir), "%s/released", base);
	helper_vfy_write(&c, dir);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%.32s", dir, c.file[i].name);
		assert_int_equal(unlink(path), 0);
	}
	for (size_t i = 0; i < c.n; i++) {
		(void)snprintf(n, sizeof(n), "%zu", i);
		assert_int_equal(
		    run(&cmd_prove, ARGS("prove", "-k", pub, "-s", n, dir)),
		    i < 12);
		if (i < 12)
			assert_true(says(&err, "begins with record 12: those "
					       "before it were released"));
		else
			assert_int_equal(verify_out(), 0);
	}
	/* from 12, its frontier is in the header; before, it is not */
	for (size_t i = 0; i < 4; i++) {
		struct hsa_buf note = {0};
		uint8_t root[32];
		size_t size = strtoul(from[i], NULL, 10);

		assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-f",
						     from[i], dir)),
		    size < 16);
		helper_vfy_root(root, &c, size);
		helper_vfy_note(&note, c.origin, size, root, c.key);
		helper_vfy_put_file(base, "old", note.p, note.len);
		(void)snprintf(path, sizeof(path), "%s/old", base);
		assert_int_equal(
		    run(&cmd_prove, ARGS("prove", "-k", pub, "-f", path, dir)),
		    size < 12);
		if (size >= 12)
			assert_int_equal(verify_out(), 0);
		hsa_buf_free(&note);
	}
	(void)snprintf(path, sizeof(path), "%s/tiles", base);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-k", pub, "-t", path, dir)), 2);
	assert_true(says(&err, "of a collected copy alone"));
	helper_vfy_free(&c);
}

static void
test_verify__a_bad_proof_is_named(void **state)
{
	char none[96];

	(void)state;
	(void)snprintf(none, sizeof(none), "%s/none", base);
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-k", pub, "-s", "3",
					     "-o", file_, log_dir)),
	    0);
	/* somebody else's key */
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", other_pub, "-p", file_)), 1);
	assert_true(says(&out, "for which the key file has no key"));
	assert_true(says(&out, "verify: 1 proof, NOT PROVEN\n"));
	/* not a proof at all, and as JSON */
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", pub, "-j")), 1);
	assert_true(says(&out, "\"rule\":\"P1\""));
	assert_true(says(&out, "no proof file: the first line"));
	assert_true(says(&out, "\"ok\":false"));
	/* one good, one bad: both are shown, the good one not when quiet */
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-q", "-p",
					      file_, "-p", pub)),
	    1);
	assert_false(says(&out, "record   3"));
	assert_true(says(&out, "verify: 2 proofs, NOT PROVEN\n"));
	/* cannot be read */
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", none)), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", base)), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", none, "-p", file_)), 2);
}

static void
test_verify__a_log_with_its_witnesses(void **state)
{
	struct hsa_buf note = {0}, w = {0};
	char cosigned[96], keys[96];

	(void)state;
	helper_cosign_key(&w, "w.example/1", 101, 4);
	helper_cosign_key(&w, "w.example/2", 102, 4);
	helper_vfy_put_file(base, "w", w.p, w.len);
	(void)snprintf(keys, sizeof(keys), "%s/w", base);
	(void)snprintf(cosigned, sizeof(cosigned), "%s/cosigned", base);
	hsa_buf_put(&note, a.note.p, a.note.len);
	helper_cosign_line(&note, a.note.p, a.note.len, "w.example/1", 101, 9);
	helper_vfy_put_file(base, "cosigned", note.p, note.len);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys,
					      "-a", cosigned, log_dir)),
	    1);
	assert_true(says(&out, "BAD V9: no checkpoint of it is here"));
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys, "-n", "1",
				 "-a", cosigned, log_dir)),
	    0);
	assert_true(
	    says(&out, "witnessed 20 records, by 1 of the witnesses\n"));
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys, "-n", "1",
				 "-j", "-a", cosigned, log_dir)),
	    0);
	assert_true(says(&out, "\"witnessed\":20,\"witnesses\":1"));
	helper_cosign_line(&note, a.note.p, a.note.len, "w.example/2", 102, 9);
	helper_vfy_put_file(base, "cosigned", note.p, note.len);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys,
					      "-a", cosigned, log_dir)),
	    0);
	/* one that was made for something else */
	helper_cosign_line(&note, b.note.p, b.note.len, "w.example/2", 102, 9);
	helper_vfy_put_file(base, "cosigned", note.p, note.len);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys,
					      "-a", cosigned, log_dir)),
	    1);
	assert_true(says(&out, "witness w.example/2 is not good"));
	/* none at all, and wrong usage */
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys,
					      "-n", "1", log_dir)),
	    1);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "-w", keys,
					      "-n", "3", log_dir)),
	    2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-n", "1", log_dir)), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-w", pub, log_dir)), 2);
	hsa_buf_free(&note);
	hsa_buf_free(&w);
}

static void
test_prove__wrong_usage_is_said(void **state)
{
	(void)state;
	assert_int_equal(run(&cmd_prove, ARGS("prove", log_dir)), 2);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-s", "1", "-f", "4", log_dir)), 2);
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-s", "1")), 2);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-s", "x", "-k", pub, log_dir)), 2);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-e", "x", "-k", pub, log_dir)), 2);
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-s", "1", log_dir)), 2);
	assert_true(says(&err, "no key"));
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-s", "1", "-k", pub, two)), 2);
	assert_true(says(&err, "2 logs are there: say which with --unit"));
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-s", "1", "-k", pub,
					     "-u", a.unit, two)),
	    0);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-s", "1", "-r", "-k", pub, log_dir)),
	    2);
	assert_int_equal(
	    run(&cmd_prove, ARGS("prove", "-s", "20", "-k", pub, log_dir)), 1);
	assert_true(says(&err, "the log has 20 that are sealed"));
	assert_int_equal(run(&cmd_prove, ARGS("prove", "-s", "2", "-k", pub,
					     "-o", "/nowhere/x", log_dir)),
	    2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-p", "x", log_dir)), 2);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-p", "x")), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-r", "x", log_dir)), 2);
	assert_int_equal(run(&cmd_prove, ARGS("prove", "--help")), 0);
	assert_true(says(&out, "usage: hsa prove"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_prove__every_record_by_its_sequence),
	    CASE(test_prove__a_compact_record_is_shown_as_its_event),
	    CASE(test_prove__an_event_by_its_id_in_whichever_log),
	    CASE(test_prove__every_pair_of_checkpoints_is_consistent),
	    CASE(test_prove__to_a_checkpoint_from_elsewhere),
	    CASE(test_prove__a_witness_gets_what_it_takes),
	    CASE(test_prove__a_damaged_log_proves_what_is_whole),
	    CASE(test_prove__a_log_with_released_segments_proves_what_it_has),
	    CASE(test_verify__a_bad_proof_is_named),
	    CASE(test_verify__a_log_with_its_witnesses),
	    CASE(test_prove__wrong_usage_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
