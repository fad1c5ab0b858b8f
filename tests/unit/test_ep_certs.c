/* test_ep_certs.c - what an installation certifies, as OpenSSL's own command
 * reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ep_certs.h"
#include "ep_file.h"
#include "helper_left.h"
#include "hsa_buf.h"

static char dir[64];
static char unit_name[] = "one", id[] = "c9088dde-0571-43b8-a8ea-61e3fe9c58fa",
	    near_name[] = "near", far_name[] = "far",
	    tls_name[] = "audit.example.org",
	    instance[] = "5d00863e-ed8e-4684-822b-7fc2e55efccb";
static struct ep_unit_config unit = {.name = unit_name, .id = id};
static struct ep_collector collector[2] = {
    {.name = near_name}, {.name = far_name, .tls_name = tls_name}};
static struct ep_config config = {.instance_id = instance,
    .unit = &unit,
    .unit_count = 1,
    .collector = collector,
    .collector_count = 2};

static int
setup(void **state)
{
	char path[96];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/certs-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	helper_left(dir);
	(void)snprintf(path, sizeof(path), "%s/units", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/units/one", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ep_dir_clear(dir, true);
	return 0;
}

static void
make(unsigned int days)
{
	struct hsa_buf said = {0};
	struct hsa_diag d = {{0}};

	if (!hsa_is_ok(ep_certs_make(dir, &config, days, &said, &d)))
		fail_msg("%s", d.text);
	assert_non_null(strstr(hsa_buf_cstr(&said), "/units/one/tls.pem"));
	assert_non_null(strstr(hsa_buf_cstr(&said), "/tls/collector-far.pem"));
	hsa_buf_free(&said);
}

/* Of a shell command in the folder. */
static int
run(const char *command)
{
	char line[512];

	(void)snprintf(
	    line, sizeof(line), "cd %s && %s >/dev/null 2>&1", dir, command);
	return system(line);
}

static void
read_file(struct hsa_buf *b, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	hsa_buf_reset(b);
	assert_int_equal(ep_file_read(b, path, 65536, NULL).v, 0);
}

#define VERIFY "openssl verify -x509_strict -CAfile tls/ca.pem "

static void
test_ep_certs__each_certificate_is_for_one_end_and_one_name(void **state)
{
	static const char *const good[] = {
	    VERIFY "-purpose sslclient units/one/tls.pem",
	    VERIFY "-purpose sslserver -verify_hostname near "
		   "tls/collector-near.pem",
	    VERIFY "-purpose sslserver -verify_hostname audit.example.org "
		   "tls/collector-far.pem",
	    "openssl x509 -in units/one/tls.pem -noout -ext subjectAltName | "
	    "grep URI:urn:uuid:c9088dde-0571-43b8-a8ea-61e3fe9c58fa",
	    "openssl x509 -in units/one/tls.pem -noout -checkend 1727000",
	};
	static const char *const bad[] = {
	    VERIFY "-purpose sslserver units/one/tls.pem",
	    VERIFY "-purpose sslclient tls/collector-near.pem",
	    VERIFY "-purpose sslserver -verify_hostname far "
		   "tls/collector-far.pem",
	    "openssl x509 -in units/one/tls.pem -noout -checkend 1729000",
	};

	(void)state;
	make(20);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (run(good[i]) != 0)
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (run(bad[i]) == 0)
			fail_msg("%s", bad[i]);
}

static void
test_ep_certs__keys_are_for_nobody_else_to_read(void **state)
{
	static const char *const name[] = {"tls/ca.key", "tls/ca.pem",
	    "tls/collector-near.pem", "tls/collector-far.pem",
	    "units/one/tls.pem"};
	struct stat st;
	char path[128];

	(void)state;
	make(1);
	make(1); /* replaced, and still so */
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
	}
	(void)snprintf(path, sizeof(path), "%s/tls", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void
test_ep_certs__renewal_keeps_the_authority_and_nothing_else(void **state)
{
	struct hsa_buf ca[2] = {{0}}, one[2] = {{0}};

	(void)state;
	make(20);
	read_file(&ca[0], "tls/ca.pem");
	read_file(&one[0], "units/one/tls.pem");
	make(20);
	read_file(&ca[1], "tls/ca.pem");
	read_file(&one[1], "units/one/tls.pem");
	assert_int_equal(ca[0].len, ca[1].len);
	assert_memory_equal(ca[0].p, ca[1].p, ca[0].len);
	assert_string_not_equal(hsa_buf_cstr(&one[0]), hsa_buf_cstr(&one[1]));
	assert_int_equal(run(VERIFY "units/one/tls.pem"), 0);
	for (int i = 0; i < 2; i++) {
		hsa_buf_free(&ca[i]);
		hsa_buf_free(&one[i]);
	}
}

static void
test_ep_certs__an_authority_that_does_not_fit_is_refused(void **state)
{
	struct hsa_buf said = {0};
	struct hsa_diag d = {{0}};

	(void)state;
	make(20);
	assert_int_equal(run("openssl genpkey -algorithm EC -pkeyopt "
			     "ec_paramgen_curve:P-256 -out tls/ca.key"),
	    0);
	assert_int_equal(
	    ep_certs_make(dir, &config, 20, &said, &d).v, HSA_E_KEY);
	assert_non_null(strstr(d.text, "fix: "));
	assert_int_equal(run("rm tls/ca.key"), 0);
	assert_int_equal(
	    ep_certs_make(dir, &config, 20, &said, &d).v, HSA_E_NOT_FOUND);
	hsa_buf_free(&said);
	/* what was there is still good */
	assert_int_equal(run(VERIFY "units/one/tls.pem"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_ep_certs__each_certificate_is_for_one_end_and_one_name),
	    CASE(test_ep_certs__keys_are_for_nobody_else_to_read),
	    CASE(test_ep_certs__renewal_keeps_the_authority_and_nothing_else),
	    CASE(test_ep_certs__an_authority_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
