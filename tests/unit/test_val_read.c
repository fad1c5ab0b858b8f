/* Sealed logs as inputs: what is in them comes with its envelope, damage ends
 * an input, and the lines of an export say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_vfy.h"
#include "hsa_contexts.h"
#include "hsa_json.h"
#include "val_envelope.h"
#include "val_read.h"
#include "val_run.h"
#include "vfy_log.h"

static char base[64];

struct seen {
	char inputs[512]; /* "name events specials contexts; " */
	unsigned int events, specials, contexts;
	char why[512];
	struct hsa_buf texts; /* of the events, a line each */
	struct val_envelope last;
	unsigned int stop; /* refuse this event; 0: none */
};

static hsa_rc
on_input(void *ctx, const char *name)
{
	struct seen *s = ctx;
	size_t n = strlen(s->inputs);

	(void)snprintf(
	    s->inputs + n, sizeof(s->inputs) - n, "%s; ", name + strlen(base));
	return HSA_OK;
}

static hsa_rc
on_text(void *ctx, const struct val_text *t)
{
	struct seen *s = ctx;

	assert_non_null(t->envelope);
	assert_null(t->bad);
	s->last = *t->envelope;
	if (t->envelope->special) {
		assert_int_equal(t->n, 0);
		if (t->envelope->name[0] != '\0')
			s->specials++;
		else
			s->contexts++;
		return HSA_OK;
	}
	if (++s->events == s->stop)
		return HSA_RC(E_BUSY);
	hsa_buf_put(&s->texts, t->p, t->n);
	hsa_buf_u8(&s->texts, '\n');
	return HSA_OK;
}

static void
on_bad(void *ctx, const char *name, const char *why)
{
	struct seen *s = ctx;

	(void)name;
	assert_string_equal(s->why, ""); /* one is enough */
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
}

static void
again(struct seen *s)
{
	hsa_buf_free(&s->texts);
	*s = (struct seen){.events = 0};
}

static void
reads(struct seen *s, const char *path, const struct vfy_keys *keys)
{
	const struct val_taker taker = {on_input, on_text, on_bad, s};

	again(s);
	assert_ok(val_read(path, keys, &taker));
}

static void
path_of(char to[256], const char *below)
{
	(void)snprintf(to, 256, "%s/%s", base, below);
}

static void
folder(const char *below)
{
	char path[256];

	path_of(path, below);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
put_keys(const char *below, const struct helper_vfy_log *l)
{
	char path[256];

	path_of(path, below);
	helper_vfy_put_file(
	    path, "checkpoint.pub", l->key_line, strlen(l->key_line));
}

static void
test_val_read__gives_a_log_as_an_export_has_it(void **state)
{
	struct hsa_contexts contexts = {0};
	struct helper_vfy_log l;
	struct hsa_buf want = {0};
	struct seen s = {.events = 0};
	char path[256];

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill_calls(&l, 200, 16, 64);
	path_of(path, "log");
	helper_vfy_write(&l, path);
	put_keys("log", &l);
	reads(&s, path, NULL);
	assert_string_equal(s.why, "");
	assert_string_equal(s.inputs, "/log; ");
	assert_true(s.events > 100 && s.specials >= 4 && s.contexts > 20);
	assert_int_equal(s.events + s.specials + s.contexts, 200);
	assert_int_equal(s.last.sequence, 199);
	/* the events, read without val_read */
	for (size_t i = 0; i < l.n; i++) {
		struct hsa_record r = {0};

		assert_ok(hsa_record_decode(&r, l.leaf[i].p, l.leaf[i].len));
		assert_ok(hsa_contexts_take(&contexts, &r));
		if (r.body == HSA_BODY_EVENT) {
			hsa_event_json(&want, &r.event);
			hsa_buf_u8(&want, '\n');
		}
		hsa_record_free(&r);
	}
	assert_int_equal(want.len, s.texts.len);
	assert_memory_equal(want.p, s.texts.p, want.len);
	hsa_contexts_free(&contexts);
	hsa_buf_free(&want);
	again(&s);
	helper_vfy_free(&l);
}

static void
test_val_read__finds_logs_and_keys_where_people_have_them(void **state)
{
	struct helper_vfy_log l[2];
	struct vfy_keys keys = {0}, more = {0};
	struct hsa_diag diag = {{0}};
	struct seen s = {.events = 0};
	char path[256], both[600];

	(void)state;
	for (int i = 0; i < 2; i++) {
		helper_vfy_init(&l[i], (uint8_t)(i + 10));
		helper_vfy_fill(&l[i], 40, 8, 16);
	}
	folder("state");
	folder("state/units");
	folder("state/units/blue");
	folder("state/units/red");
	path_of(path, "state/units/blue/log");
	helper_vfy_write(&l[0], path);
	path_of(path, "state/units/red/log");
	helper_vfy_write(&l[1], path);
	path_of(path, "state");
	helper_vfy_put_file(path, "config.yaml", "units:\n", 7);
	/* no key anywhere */
	reads(&s, path, NULL);
	assert_non_null(strstr(s.why, "no key"));
	assert_int_equal(s.events, 0);
	(void)snprintf(
	    both, sizeof(both), "%s%s", l[0].key_line, l[1].key_line);
	helper_vfy_put_file(path, "checkpoint.pub", both, strlen(both));
	reads(&s, path, NULL);
	assert_string_equal(s.why, "");
	assert_string_equal(
	    s.inputs, "/state/units/blue/log; /state/units/red/log; ");
	assert_int_equal(s.events + s.specials, 80);
	path_of(path, "state/units/red");
	reads(&s, path, NULL);
	assert_string_equal(s.why, "");
	assert_string_equal(s.inputs, "/state/units/red/log; ");
	path_of(path, "state/units/red/log");
	reads(&s, path, NULL);
	assert_string_equal(s.why, "");
	/* a collector's folder: by unit id, keys from the user */
	folder("copy");
	(void)snprintf(path, sizeof(path), "%s/copy/%s", base, l[1].unit);
	helper_vfy_write(&l[1], path);
	path_of(path, "copy");
	reads(&s, path, NULL);
	assert_non_null(strstr(s.why, "no key"));
	(void)snprintf(path, sizeof(path), "%s/state/checkpoint.pub", base);
	assert_ok(vfy_keys_load(&more, path, &diag));
	assert_ok(vfy_keys_add(&keys, &more, &diag));
	path_of(path, "copy");
	reads(&s, path, &keys);
	assert_string_equal(s.why, "");
	assert_int_equal(s.events + s.specials, 40);
	/* a log that the state's own keys promise and nobody has */
	path_of(path, "state/units/blue/log");
	helper_vfy_rmdir(path);
	path_of(path, "state");
	reads(&s, path, &keys);
	assert_non_null(strstr(s.why, "blue/log"));
	vfy_keys_free(&more);
	vfy_keys_free(&keys);
	again(&s);
	for (int i = 0; i < 2; i++)
		helper_vfy_free(&l[i]);
}

static void
test_val_read__ends_an_input_where_its_log_is_damaged(void **state)
{
	struct helper_vfy_log l;
	struct seen s = {.events = 0};
	char path[256];
	size_t at;

	(void)state;
	helper_vfy_init(&l, 5);
	helper_vfy_fill(&l, 100, 10, 50);
	path_of(path, "hurt");
	helper_vfy_write(&l, path);
	put_keys("hurt", &l);
	reads(&s, path, NULL);
	assert_string_equal(s.why, "");
	/* one bit in the second segment */
	at = l.file[1].b.len / 2;
	l.file[1].b.p[at] ^= 1;
	helper_vfy_write(&l, path);
	put_keys("hurt", &l);
	reads(&s, path, NULL);
	assert_non_null(strstr(s.why, "damaged, V"));
	assert_non_null(strstr(s.why, l.file[1].name));
	assert_non_null(strstr(s.why, "; valid up to record "));
	assert_true(s.events + s.specials >= 50 && s.events < 100);
	l.file[1].b.p[at] ^= 1;
	/* cut behind the first segment: the head knows better */
	l.files = 1;
	helper_vfy_write(&l, path);
	put_keys("hurt", &l);
	reads(&s, path, NULL);
	assert_non_null(strstr(s.why, "damaged, V8"));
	assert_int_equal(s.events + s.specials, 50);
	/* another's key */
	l.key_line[strlen(l.key_line) - 10] ^= 1;
	put_keys("hurt", &l);
	reads(&s, path, NULL);
	assert_string_not_equal(s.why, "");
	assert_int_equal(s.events, 0);
	/* an empty folder, and none */
	folder("empty");
	path_of(path, "empty");
	reads(&s, path, NULL);
	assert_non_null(strstr(s.why, "no log in it"));
	again(&s);
	helper_vfy_free(&l);
}

static void
test_val_read__stops_when_the_taker_has_enough(void **state)
{
	struct seen s = {.stop = 7};
	const struct val_taker taker = {on_input, on_text, on_bad, &s};
	struct helper_vfy_log l;
	char path[256];

	(void)state;
	helper_vfy_init(&l, 6);
	helper_vfy_fill(&l, 60, 10, 30);
	path_of(path, "enough");
	helper_vfy_write(&l, path);
	put_keys("enough", &l);
	assert_rc("E_BUSY", val_read(path, NULL, &taker));
	assert_int_equal(s.events, 7);
	assert_string_equal(s.why, "");
	again(&s);
	helper_vfy_free(&l);
}

/* ---- lines --------------------------------------------------------------- */

struct found {
	char text[1024];
};

static void
take(void *ctx, const struct val_finding *f)
{
	struct found *o = ctx;
	size_t n = strlen(o->text);

	(void)snprintf(o->text + n, sizeof(o->text) - n, "%s %s; ",
	    val_check_row(f->check)->id, f->path);
}

static void
line(struct val_run *v, struct found *got, const char *text)
{
	got->text[0] = '\0';
	v->cfg = (struct val_config){.profile = VAL_IBM_AT, .strict = true};
	v->report.take = take;
	v->report.ctx = got;
	assert_ok(val_run_text(v, text, strlen(text)));
}

/* text with its first `from` made `to` */
static void
changed(struct hsa_buf *b, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		fail_msg("no %s in %s", from, text);
	hsa_buf_reset(b);
	hsa_buf_put(b, text, (size_t)(at - text));
	hsa_buf_str(b, to);
	hsa_buf_str(b, at + strlen(from));
	assert_ok(hsa_buf_rc(b));
}

static void
test_val_envelope__says_the_same_from_a_line_as_from_a_record(void **state)
{
	struct hsa_contexts contexts = {0};
	struct helper_vfy_log l;
	struct val_run v = {.cfg = {.profile = VAL_IBM_AT}};
	struct hsa_buf b = {0};
	struct found got;
	unsigned int special = 0, context = 0;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill_calls(&l, 60, 16, 30);
	for (size_t i = 0; i < l.n; i++) {
		struct hsa_record r = {0};
		struct val_envelope e;

		assert_ok(hsa_record_decode(&r, l.leaf[i].p, l.leaf[i].len));
		assert_ok(hsa_contexts_take(&contexts, &r));
		val_envelope_of(&e, &r);
		hsa_buf_reset(&b);
		hsa_record_json(&b, &r);
		line(&v, &got, hsa_buf_cstr(&b));
		assert_null(strstr(got.text, "E36"));
		assert_int_equal(v.no_event, e.special);
		assert_memory_equal(e.unit_id, v.envelope.unit_id, 16);
		assert_int_equal(e.epoch, v.envelope.epoch);
		assert_int_equal(e.sequence, v.envelope.sequence);
		assert_int_equal(e.source, v.envelope.source);
		assert_int_equal(e.source_sequence, v.envelope.source_sequence);
		assert_int_equal(e.wall_ns, v.envelope.wall_ns);
		assert_int_equal(e.mono_ns, v.envelope.mono_ns);
		assert_int_equal(e.ep11_rc, v.envelope.ep11_rc);
		assert_int_equal(e.ep11_reason, v.envelope.ep11_reason);
		assert_int_equal(e.has_command_id, v.envelope.has_command_id);
		assert_memory_equal(e.command_id, v.envelope.command_id, 16);
		assert_string_equal(e.name, v.envelope.name);
		if (e.special) {
			special += e.name[0] != '\0';
			context += e.name[0] == '\0';
			assert_string_equal(got.text, "");
			assert_null(v.event.envelope);
		} else {
			assert_ptr_equal(v.event.envelope, &v.envelope);
			assert_string_equal(val_get(&v.event, VAL_F_ACTION),
			    r.event.action_name);
		}
		hsa_record_free(&r);
	}
	assert_true(special > 1 && context > 3);
	hsa_contexts_free(&contexts);
	hsa_buf_free(&b);
	val_run_free(&v);
	helper_vfy_free(&l);
}

static void
test_val_envelope__tells_what_a_record_cannot_say(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} wrong[] = {
	    {"\"unit\":\"0", "\"unit\":\"x", "E36 unit; "},
	    {"\"unit\":", "\"unid\":", "E36 unit; "},
	    {"\"sequence\":2", "\"sequence\":-2", "E36 sequence; "},
	    {"\"sequence\":2", "\"sequence\":\"2\"", "E36 sequence; "},
	    {"\"epoch\":1", "\"epoch\":1.5", "E36 epoch; "},
	    {"\"time\":\"2", "\"time\":\"x", "E36 time; "},
	    {"\"time\":\"2025-11", "\"time\":\"2025-02", "E36 time; "},
	    {"\"bootTime\":\"", "\"bootTime\":\"-", "E36 bootTime; "},
	    {"\"source\":\"outbox", "\"source\":\"box", "E36 source; "},
	    {"\"sourceSequence\":", "\"s\":", "E36 sourceSequence; "},
	    {"\"rc\":", "\"r\":", "E36 ep11.rc; "},
	    {"\"commandId\":\"", "\"commandId\":\"-", "E36 commandId; "},
	    /* no member of a record and no event: a strange event */
	    {"\"source\":", "\"sauce\":", NULL},
	    {"\"event\":{", "\"event\":1,\"x\":{", NULL},
	};
	const char *uuid = "\"commandId\":\"5d0a1c1e-6f0d-4f5e-9a43-"
			   "7a3c0c6e9b21\",\"source\":";
	struct helper_vfy_log l;
	struct val_run v = {.cfg = {.profile = VAL_IBM_AT}};
	struct hsa_buf good = {0}, b = {0};
	struct hsa_record r = {0};
	struct found got, before;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_start(&l);
	helper_vfy_event(&l);
	assert_ok(hsa_record_decode(&r, l.leaf[2].p, l.leaf[2].len));
	r.epoch = 1;
	r.wall_ns = UINT64_C(1764460800123456789); /* 2025-11-30 */
	r.has_command_id = false;
	hsa_record_json(&b, &r);
	changed(&good, hsa_buf_cstr(&b), "\"source\":", uuid);
	line(&v, &before, hsa_buf_cstr(&good));
	assert_int_equal(v.envelope.wall_ns, r.wall_ns);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		changed(&b, hsa_buf_cstr(&good), wrong[i].from, wrong[i].to);
		line(&v, &got, hsa_buf_cstr(&b));
		if (wrong[i].want == NULL) {
			assert_non_null(strstr(got.text, "E02 action; "));
			continue;
		}
		/* and what was found before */
		if (strncmp(got.text, wrong[i].want, strlen(wrong[i].want)) !=
			0 ||
		    strcmp(got.text + strlen(wrong[i].want), before.text) != 0)
			fail_msg("%s\n%s", hsa_buf_cstr(&b), got.text);
	}
	hsa_record_free(&r);
	hsa_buf_free(&good);
	hsa_buf_free(&b);
	val_run_free(&v);
	helper_vfy_free(&l);
}

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_val_read__gives_a_log_as_an_export_has_it),
	    cmocka_unit_test(
		test_val_read__finds_logs_and_keys_where_people_have_them),
	    cmocka_unit_test(
		test_val_read__ends_an_input_where_its_log_is_damaged),
	    cmocka_unit_test(test_val_read__stops_when_the_taker_has_enough),
	    cmocka_unit_test(
		test_val_envelope__says_the_same_from_a_line_as_from_a_record),
	    cmocka_unit_test(test_val_envelope__tells_what_a_record_cannot_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
