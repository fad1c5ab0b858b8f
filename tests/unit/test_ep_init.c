/* test_ep_init.c - what init plans and certifies, and that a failed one leaves
 * nothing. A real installation is made in tests/integ/test_daemon.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ep_file.h"
#include "ep_init.h"
#include "ep_oa.h"
#include "helper_left.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

static void
test_ep_init__units_are_counted_by_type(void **state)
{
	struct ep_init_options o = {0};

	(void)state;
	assert_int_equal(
	    ep_init_units(&o, "operational=2,recovery=1", NULL).v, 0);
	assert_int_equal(o.operational, 2);
	assert_int_equal(o.recovery, 1);
	assert_int_equal(o.failover, 0);
	assert_int_equal(ep_init_units(&o, "failover=16", NULL).v, 0);
	assert_int_equal(o.operational, 0);
	assert_int_equal(o.failover, 16);
}

static void
test_ep_init__a_wrong_list_of_units_is_refused_with_the_form(void **state)
{
	static const char *const bad[] = {"", "operational",
	    "operational=", "operational=x", "operational=1x", "operational=-1",
	    "operational=+1", "operational= 1", "spare=1", "operational=1,",
	    ",operational=1", "operational=1,operational=1", "operational=0",
	    "operational=17", "operational=9,recovery=8",
	    "operational=99999999999999999999", "operational=1;recovery=1"};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_init_options o = {.operational = 7};
		struct hsa_diag d = {{0}};

		if (ep_init_units(&o, bad[i], &d).v != HSA_E_ARG ||
		    o.operational != 7 || strstr(d.text, "fix: ") == NULL)
			fail_msg("\"%s\": %s", bad[i], d.text);
	}
}

static EVP_PKEY *
key_of_pem(const struct hsa_buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->len);
	EVP_PKEY *k = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return k;
}

static void
test_ep_oa__the_chain_leads_from_the_oa_key_to_the_root(void **state)
{
	uint8_t cert[2][TKE_OA_CERT_LEN] = {{0}}, point[TKE_POINT_LEN] = {0};
	const struct tke_slice chain[2] = {
	    {cert[0], TKE_OA_CERT_LEN}, {cert[1], TKE_OA_CERT_LEN}};
	struct ep_oa_root *root = NULL, *other = NULL;
	EVP_PKEY *oa = EVP_EC_gen("P-521"), *top = NULL, *got = NULL;
	struct hsa_buf pem = {0};
	struct hsa_diag d = {{0}};
	uint8_t ski[32] = {0};
	struct tke_oa_cert c = {0};

	(void)state;
	assert_int_equal(tke_point(point, oa).v, 0);
	assert_int_equal(ep_oa_root_new(&root).v, 0);
	assert_int_equal(ep_oa_root_new(&other).v, 0);
	assert_int_equal(ep_oa_certify(cert, root, "SIM00001", point, &d).v, 0);
	assert_int_equal(ep_oa_root_pem(&pem, root).v, 0);
	top = key_of_pem(&pem);
	assert_int_equal(tke_oa_chain_verify(&got, chain, 2, top, &d).v, 0);
	assert_int_equal(EVP_PKEY_eq(got, oa), 1);
	EVP_PKEY_free(got);
	got = NULL;
	/* SKI = SHA-256 of the point, subject and signer in a chain */
	assert_int_equal(tke_oa_parse(&c, cert[0], TKE_OA_CERT_LEN).v, 0);
	assert_int_equal(hsa_sha256(ski, point, sizeof(point)).v, 0);
	assert_memory_equal(c.subject_ski, ski, 32);
	assert_memory_equal(c.point, point, sizeof(point));
	/* another installation's root certifies nothing here */
	EVP_PKEY_free(top);
	hsa_buf_reset(&pem);
	assert_int_equal(ep_oa_root_pem(&pem, other).v, 0);
	top = key_of_pem(&pem);
	assert_int_equal(
	    tke_oa_chain_verify(&got, chain, 2, top, &d).v, HSA_E_SIGNATURE);
	EVP_PKEY_free(top);
	EVP_PKEY_free(oa);
	hsa_buf_free(&pem);
	ep_oa_root_free(root);
	ep_oa_root_free(other);
	ep_oa_root_free(NULL);
}

/* A library that loads and is no PKCS#11 module. */
static const char *
wrong_module(char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs("not a library", f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
test_ep_init__a_failed_init_leaves_things_as_they_were(void **state)
{
	char base[] = "/tmp/test-ep-init-XXXXXX", dir[64] = "", lib[64] = "";
	struct ep_init_options o = {.operational = 1, .region = "us-south"};
	struct hsa_diag d = {{0}};
	bool empty = false;

	(void)state;
	assert_non_null(mkdtemp(base));
	helper_left(base);
	(void)snprintf(dir, sizeof(dir), "%s/new", base);
	(void)snprintf(lib, sizeof(lib), "%s/lib.so", base);
	o.module = wrong_module(lib);
	assert_false(hsa_is_ok(ep_init(dir, &o, &d)));
	assert_non_null(strstr(d.text, "operational-1"));
	assert_int_not_equal(access(dir, F_OK), 0);
	/* an empty folder that was there stays, empty */
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_false(hsa_is_ok(ep_init(dir, &o, &d)));
	assert_int_equal(ep_dir_empty(&empty, dir, NULL).v, 0);
	assert_true(empty);
	ep_dir_clear(base, true);
}

static void
test_ep_init__wrong_options_make_nothing(void **state)
{
	static const struct ep_collector bad_name = {
	    .name = (char *)(uintptr_t) "A",
	    .address = (char *)(uintptr_t) "unix:x"};
	static const struct ep_collector bad_address = {
	    .name = (char *)(uintptr_t) "a",
	    .address = (char *)(uintptr_t) "x"};
	static const struct {
		struct ep_init_options o;
		const char *says;
	} bad[] = {
	    {{.operational = 1, .region = "US"}, "region"},
	    {{.operational = 1, .region = "us", .module = "/none"}, "--module"},
	    {{.operational = 1, .region = "us", .module = "none.so"},
		"--module"},
	    {{.operational = 1, .region = "us", .admin_listen = "1.2.3.4:5"},
		"TLS proxy"},
	    {{.operational = 1,
		 .region = "us",
		 .collector = &bad_name,
		 .collector_len = 1},
		"--collector"},
	    {{.operational = 1,
		 .region = "us",
		 .collector = &bad_address,
		 .collector_len = 1},
		"--collector"},
	};
	char base[] = "/tmp/test-ep-init-XXXXXX", dir[64] = "";
	size_t i = 0;

	(void)state;
	assert_non_null(mkdtemp(base));
	helper_left(base);
	(void)snprintf(dir, sizeof(dir), "%s/new", base);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hsa_diag d = {{0}};

		if (hsa_is_ok(ep_init(dir, &bad[i].o, &d)) ||
		    strstr(d.text, bad[i].says) == NULL ||
		    access(dir, F_OK) == 0)
			fail_msg("%zu: %s", i, d.text);
	}
	assert_int_equal(rmdir(base), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ep_init__units_are_counted_by_type),
	    cmocka_unit_test(
		test_ep_init__a_wrong_list_of_units_is_refused_with_the_form),
	    cmocka_unit_test(
		test_ep_oa__the_chain_leads_from_the_oa_key_to_the_root),
	    cmocka_unit_test(
		test_ep_init__a_failed_init_leaves_things_as_they_were),
	    cmocka_unit_test(test_ep_init__wrong_options_make_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
