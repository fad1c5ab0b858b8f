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
#include <unistd.h>

#include "helper_vfy.h"
#include "sink_options.h"
#include "sink_run.h"

/* Copies as a collector has them, and the sinks beside it; no collector. */
static char base[64], out[80], good[80], blocked[80], in_blocked[96];
static struct helper_vfy_log a, b;

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(out, sizeof(out), "%s/out", base);
	(void)snprintf(good, sizeof(good), "%s/good", base);
	(void)snprintf(blocked, sizeof(blocked), "%s/sub", base);
	(void)snprintf(in_blocked, sizeof(in_blocked), "%s/lines", blocked);
	assert_int_equal(mkdir(out, 0700), 0);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	helper_vfy_rmdir(base);
	return 0;
}

static void
write_copy(const struct helper_vfy_log *l)
{
	char dir[160];

	(void)snprintf(dir, sizeof(dir), "%s/%s", out, l->unit);
	helper_vfy_write(l, dir);
}

static struct sink_set *
open_set(const char *const *address, size_t n)
{
	const char *unit[] = {a.unit, b.unit};
	struct sink_set_config cfg = {.dir = out,
	    .unit = unit,
	    .units = 2,
	    .address = address,
	    .addresses = n,
	    .quiet = true};
	struct hsa_diag d = {{0}};
	struct sink_set *s = NULL;
	hsa_rc rc = sink_set_open(&s, &cfg, &d);

	if (!hsa_is_ok(rc))
		print_error("%s\n", d.text);
	assert_int_equal(rc.v, 0);
	assert_int_equal(sink_set_start(s, &d).v, 0);
	return s;
}

static size_t
lines(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;
	int c;

	if (f == NULL)
		return 0;
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static void
await(const char *path, size_t n)
{
	for (int i = 0; i < 600 && lines(path) < n; i++)
		(void)usleep(20000);
	assert_int_equal(lines(path), n);
}

static void
test_sinks__follow_the_copies_while_they_grow(void **state)
{
	char address[120];
	const char *list[] = {address};
	struct sink_set *s;

	(void)state;
	(void)snprintf(
	    address, sizeof(address), "file:%s?format=envelope", good);
	helper_vfy_fill(&a, 20, 5, 10);
	write_copy(&a);
	s = open_set(list, 1);
	await(good, 20);
	/* a unit that comes later */
	helper_vfy_fill(&b, 9, 3, 100);
	write_copy(&b);
	sink_set_wake(s);
	await(good, 29);
	sink_set_close(s);
	/* and the next life goes on */
	s = open_set(list, 1);
	sink_set_close(s);
	assert_int_equal(lines(good), 29);
}

/* What is stored when the end is asked for still goes out. */
static void
test_sinks__drain_at_the_end(void **state)
{
	char address[120];
	const char *list[] = {address};

	(void)state;
	(void)snprintf(
	    address, sizeof(address), "file:%s?format=envelope", good);
	helper_vfy_fill(&a, 300, 7, 100);
	write_copy(&a);
	sink_set_close(open_set(list, 1));
	assert_int_equal(lines(good), 300);
}

/* The folder of one sink's file goes away and comes back: the other sink does
 * not notice, and nothing is lost or twice. */
static void
test_sinks__one_that_fails_catches_up_and_holds_up_nobody(void **state)
{
	char first[120], second[140], gone[100];
	const char *list[] = {first, second};
	struct sink_set *s;

	(void)state;
	(void)snprintf(first, sizeof(first), "file:%s?format=envelope", good);
	(void)snprintf(
	    second, sizeof(second), "file:%s?format=envelope", in_blocked);
	(void)snprintf(gone, sizeof(gone), "%s.gone", blocked);
	assert_int_equal(mkdir(blocked, 0700), 0);
	helper_vfy_fill(&a, 12, 5, 100);
	write_copy(&a);
	s = open_set(list, 2);
	await(good, 12);
	await(in_blocked, 12);
	assert_int_equal(rename(blocked, gone), 0);
	sink_set_reopen(s); /* now it cannot open its file */
	(void)usleep(100000);
	helper_vfy_fill(&b, 50, 5, 100);
	write_copy(&b);
	sink_set_wake(s);
	await(good, 62);
	assert_int_equal(lines(in_blocked), 0);
	assert_int_equal(rename(gone, blocked), 0);
	await(in_blocked, 62);
	sink_set_close(s);
}

/* A damaged copy is its own unit's trouble. */
static void
test_sinks__pass_over_a_damaged_copy(void **state)
{
	char address[120], path[240];
	const char *list[] = {address};
	struct sink_set *s;

	(void)state;
	(void)snprintf(
	    address, sizeof(address), "file:%s?format=envelope", good);
	helper_vfy_fill(&a, 20, 5, 100);
	helper_vfy_fill(&b, 15, 5, 100);
	write_copy(&a);
	write_copy(&b);
	(void)snprintf(
	    path, sizeof(path), "%s/%s/%s", out, a.unit, a.file[0].name);
	{
		/* a byte of the first entry's length */
		int fd = open(path, O_WRONLY);
		uint8_t x = 0x7f;

		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, &x, 1, 0), 1);
		(void)close(fd);
	}
	s = open_set(list, 1);
	await(good, 15);
	sink_set_close(s);
	assert_int_equal(lines(good), 15);
}

static void
test_sinks__wrong_addresses_are_refused_at_the_start(void **state)
{
	static const char *const bad[] = {"tape:/dev/st0",
	    "file:", "file:/x?colour=red", "file:/x?format=leaf", "stdout:x",
	    "syslog+tcp://host", "syslog+tcp://host:1/x",
	    "syslog+tcp://host:1?facility=24", "syslog+tcp://host:1?ca=x",
	    "syslog+tcp://host:1?sd-id=x", "kafka://", "kafka://h:1",
	    "kafka://h:1/a/b", "kafka://h:1/t?id=a/b", "kafka:t"};
	const char *unit[] = {a.unit};
	struct sink_set_config cfg = {
	    .dir = out, .unit = unit, .units = 1, .addresses = 1};
	struct sink_set *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hsa_diag d = {{0}};

		cfg.address = &bad[i];
		if (sink_set_open(&s, &cfg, &d).v != HSA_E_ARG)
			fail_msg("%s: %s", bad[i], d.text);
		assert_int_not_equal(d.text[0], 0);
	}
}

static void
test_sinks__the_same_one_twice_is_refused(void **state)
{
	char first[120], second[140];
	const char *list[] = {first, second}, *unit[] = {a.unit};
	struct sink_set_config cfg = {.dir = out,
	    .unit = unit,
	    .units = 1,
	    .address = list,
	    .addresses = 2};
	struct hsa_diag d = {{0}};
	struct sink_set *s = NULL;

	(void)state;
	(void)snprintf(first, sizeof(first), "file:%s", good);
	(void)snprintf(second, sizeof(second), "file:%s?format=envelope", good);
	assert_int_equal(sink_set_open(&s, &cfg, &d).v, HSA_E_ARG);
	assert_non_null(strstr(d.text, "twice"));
}

/* ---- settings of librdkafka's ----------------------------------------------
 */

static void
test_sink_options__secrets_come_from_a_file_of_ones_own(void **state)
{
	static const char text[] = "# ours\nsasl.username=hsa\r\n\n"
				   "sasl.password=a=b c\nlinger.ms=1";
	struct sink_options o = {0};
	struct hsa_diag d = {{0}};
	char path[96];

	(void)state;
	assert_int_equal(
	    sink_options_add(&o, "sasl.password=x", &d).v, HSA_E_ARG);
	assert_null(strstr(d.text, "=x"));
	assert_int_equal(
	    sink_options_add(&o, "ssl.key.password=x", &d).v, HSA_E_ARG);
	assert_int_equal(
	    sink_options_add(&o, "security.protocol=ssl", &d).v, 0);
	(void)snprintf(path, sizeof(path), "%s/kafka", base);
	helper_vfy_put_file(base, "kafka", text, sizeof(text) - 1);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(sink_options_load(&o, path, &d).v, HSA_E_AUTH);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(sink_options_load(&o, path, &d).v, 0);
	assert_int_equal(o.len, 4);
	assert_string_equal(o.option[1].value, "hsa");
	assert_string_equal(o.option[2].name, "sasl.password");
	assert_string_equal(o.option[2].value, "a=b c");
	assert_string_equal(o.option[3].value, "1");
	sink_options_free(&o);
}

static void
test_sink_options__what_exactly_once_hangs_on_is_not_for_sale(void **state)
{
	static const char *const bad[] = {"acks=1", "transactional.id=x",
	    "enable.idempotence=false", "bootstrap.servers=h:1", "=1",
	    "linger.ms", ""};
	struct sink_options o = {0};
	struct hsa_diag d = {{0}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sink_options_add(&o, bad[i], &d).v, HSA_E_ARG);
	assert_int_equal(o.len, 0);
	sink_options_free(&o);
}

/* A setting that librdkafka does not know ends the start, by name. */
static void
test_sink_options__unknown_ones_are_refused_at_the_start(void **state)
{
	static const char *const address[] = {"kafka://127.0.0.1:1/t"};
	const char *unit[] = {a.unit};
	struct sink_options o = {0};
	struct sink_set_config cfg = {.dir = out,
	    .unit = unit,
	    .units = 1,
	    .address = address,
	    .addresses = 1,
	    .kafka = &o};
	struct hsa_diag d = {{0}};
	struct sink_set *s = NULL;

	(void)state;
	assert_int_equal(sink_options_add(&o, "no.such=1", &d).v, 0);
	assert_int_equal(sink_set_open(&s, &cfg, &d).v, HSA_E_ARG);
	assert_non_null(strstr(d.text, "no.such"));
	sink_options_free(&o);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_sinks__follow_the_copies_while_they_grow),
	    CASE(test_sinks__drain_at_the_end),
	    CASE(test_sinks__one_that_fails_catches_up_and_holds_up_nobody),
	    CASE(test_sinks__pass_over_a_damaged_copy),
	    CASE(test_sinks__wrong_addresses_are_refused_at_the_start),
	    CASE(test_sinks__the_same_one_twice_is_refused),
	    CASE(test_sink_options__secrets_come_from_a_file_of_ones_own),
	    CASE(test_sink_options__what_exactly_once_hangs_on_is_not_for_sale),
	    CASE(test_sink_options__unknown_ones_are_refused_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
