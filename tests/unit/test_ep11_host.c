/* test_ep11_host.c - the parts of the host library that need no unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ep11.h"
#include "ep_file.h"
#include "ep_sock.h"
#include "helper_left.h"
#include "helper_proto.h"
#include "host_block.h"
#include "host_id.h"
#include "host_mech.h"
#include "host_target.h"
#include "host_where.h"
#include "host_who.h"
#include "tke_wire.h"

/* ---- mechanism parameters ------------------------------------------------ */

static CK_RV
convert(struct hsa_mech *to, CK_MECHANISM_TYPE type, void *p, CK_ULONG n)
{
	const CK_MECHANISM m = {type, p, n};

	*to = (struct hsa_mech){.salt_len = 77};
	return host_mech(to, &m);
}

static void
test_host_mech__oaep_and_pss_structs_become_members(void **state)
{
	uint8_t label[3] = {1, 2, 3};
	CK_RSA_PKCS_OAEP_PARAMS o = {CKM_SHA256, CKG_MGF1_SHA384,
	    CKZ_DATA_SPECIFIED, label, sizeof(label)};
	CK_RSA_PKCS_PSS_PARAMS s = {CKM_SHA512, CKG_MGF1_SHA1, 20};
	struct hsa_mech m = {0};

	(void)state;
	assert_int_equal(convert(&m, CKM_RSA_PKCS_OAEP, &o, sizeof(o)), CKR_OK);
	assert_int_equal(m.type, CKM_RSA_PKCS_OAEP);
	assert_int_equal(m.kind, HSA_MECH_OAEP);
	assert_int_equal(m.hash, CKM_SHA256);
	assert_int_equal(m.mgf, CKG_MGF1_SHA384);
	assert_int_equal(m.source_type, CKZ_DATA_SPECIFIED);
	assert_ptr_equal(m.a.p, label);
	assert_int_equal(m.a.n, 3);
	assert_int_equal(m.salt_len, 0);
	assert_int_equal(
	    convert(&m, CKM_SHA384_RSA_PKCS_PSS, &s, sizeof(s)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_PSS);
	assert_int_equal(m.hash, CKM_SHA512);
	assert_int_equal(m.salt_len, 20);
	/* a length that no such struct has, and bytes that are not there */
	assert_int_equal(convert(&m, CKM_RSA_PKCS_OAEP, &o, sizeof(o) - 1),
	    CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(convert(&m, CKM_RSA_PKCS_PSS, &s, sizeof(s) + 1),
	    CKR_MECHANISM_PARAM_INVALID);
	o.source_data = NULL;
	assert_int_equal(convert(&m, CKM_RSA_PKCS_OAEP, &o, sizeof(o)),
	    CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(m.kind, HSA_MECH_NONE);
	o.source_data_len = 0;
	assert_int_equal(convert(&m, CKM_RSA_PKCS_OAEP, &o, sizeof(o)), CKR_OK);
	assert_int_equal(m.a.n, 0);
}

static void
test_host_mech__ecdh1_takes_the_struct_or_the_bare_point(void **state)
{
	uint8_t point[65] = {4}, shared[7] = {9};
	CK_ECDH1_DERIVE_PARAMS p = {
	    CKD_SHA1_KDF, sizeof(shared), shared, sizeof(point), point};
	struct hsa_mech m = {0};

	(void)state;
	assert_int_equal(convert(&m, CKM_ECDH1_DERIVE, &p, sizeof(p)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_ECDH1);
	assert_int_equal(m.kdf, CKD_SHA1_KDF);
	assert_ptr_equal(m.a.p, point);
	assert_int_equal(m.a.n, 65);
	assert_ptr_equal(m.b.p, shared);
	assert_int_equal(m.b.n, 7);
	assert_int_equal(
	    convert(&m, CKM_ECDH1_DERIVE, point, sizeof(point)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_ECDH1);
	assert_int_equal(m.kdf, CKD_NULL);
	assert_ptr_equal(m.a.p, point);
	assert_int_equal(m.b.n, 0);
	assert_int_equal(convert(&m, CKM_IBM_EC_X25519, point, 32), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_ECDH1);
	assert_int_equal(m.a.n, 32);
	p.shared_data = NULL;
	assert_int_equal(convert(&m, CKM_ECDH1_DERIVE, &p, sizeof(p)),
	    CKR_MECHANISM_PARAM_INVALID);
}

static void
test_host_mech__gcm_takes_both_layouts(void **state)
{
	uint8_t iv[12] = {1}, aad[5] = {2};
	CK_GCM_PARAMS p = {iv, sizeof(iv), 96, aad, sizeof(aad), 104};
	struct {
		void *iv;
		CK_ULONG iv_len;
		void *aad;
		CK_ULONG aad_len, tag_bits;
	} old = {iv, sizeof(iv), aad, sizeof(aad), 128};
	struct hsa_mech m = {0};

	(void)state;
	assert_int_equal(sizeof(p), 48);
	assert_int_equal(sizeof(old), 40);
	assert_int_equal(convert(&m, CKM_AES_GCM, &p, sizeof(p)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_GCM);
	assert_ptr_equal(m.a.p, iv);
	assert_int_equal(m.a.n, 12);
	assert_ptr_equal(m.b.p, aad);
	assert_int_equal(m.b.n, 5);
	assert_int_equal(m.tag_bits, 104);
	assert_int_equal(convert(&m, CKM_AES_GCM, &old, sizeof(old)), CKR_OK);
	assert_ptr_equal(m.a.p, iv);
	assert_ptr_equal(m.b.p, aad);
	assert_int_equal(m.b.n, 5);
	assert_int_equal(m.tag_bits, 128);
	assert_int_equal(
	    convert(&m, CKM_AES_GCM, &p, 44), CKR_MECHANISM_PARAM_INVALID);
	old.aad_len = HSA_BLOB_MAX + 1;
	assert_int_equal(convert(&m, CKM_AES_GCM, &old, sizeof(old)),
	    CKR_MECHANISM_PARAM_INVALID);
}

static void
test_host_mech__other_parameters_are_bytes_and_foreign_pointers_stay(
    void **state)
{
	CK_AES_CTR_PARAMS ctr = {.counter_bits = 32, .cb = {7}};
	CK_ULONG mac = 4; /* CK_MAC_GENERAL_PARAMS */
	uint8_t iv[16] = {0};
	struct hsa_mech m = {0};

	(void)state;
	assert_int_equal(convert(&m, CKM_AES_CBC, iv, sizeof(iv)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_BYTES);
	assert_ptr_equal(m.a.p, iv);
	assert_int_equal(convert(&m, CKM_AES_CTR, &ctr, sizeof(ctr)), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_BYTES);
	assert_int_equal(m.a.n, 24);
	assert_int_equal(
	    convert(&m, CKM_SHA256_HMAC_GENERAL, &mac, sizeof(mac)), CKR_OK);
	assert_int_equal(m.a.n, 8);
	assert_int_equal(convert(&m, CKM_AES_ECB, iv, 0), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_NONE);
	assert_int_equal(convert(&m, CKM_AES_ECB, NULL, 0), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_NONE);
	assert_int_equal(
	    convert(&m, CKM_AES_CBC, NULL, 16), CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(convert(&m, CKM_AES_CBC, iv, HSA_BLOB_MAX + 1),
	    CKR_MECHANISM_PARAM_INVALID);
	/* BTC derivation: a struct with pointers, that no unit here serves */
	assert_int_equal(
	    convert(&m, CKM_VENDOR_DEFINED + 0x70001, iv, 16), CKR_OK);
	assert_int_equal(m.kind, HSA_MECH_NONE);
	assert_int_equal(host_mech(&m, NULL), CKR_ARGUMENTS_BAD);
}

/* ---- identifiers of calls ------------------------------------------------ */

#define IDS 20000u

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, HSA_UUID_LEN);
}

static void *
draw(void *to)
{
	uint8_t(*id)[HSA_UUID_LEN] = to;
	size_t i = 0;

	for (i = 0; i < IDS; i++)
		if (!hsa_is_ok(host_id(id[i])))
			return NULL;
	return to;
}

static void
test_host_id__no_two_are_equal_over_threads_and_forks(void **state)
{
	static uint8_t id[6][IDS][HSA_UUID_LEN];
	uint8_t(*all)[HSA_UUID_LEN] = id[0];
	pthread_t t[4];
	char text[HSA_UUID_TEXT] = "";
	uint8_t back[HSA_UUID_LEN] = {0};
	int fd[2] = {-1, -1}, st = 0;
	size_t i = 0, got = 0;
	pid_t pid = 0;

	(void)state;
	assert_non_null(draw(id[0]));
	for (i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, draw, id[1 + i]), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	/* a child goes on with ids of its own; the library's fork handler is
	 * what calls this */
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		size_t put = 0;
		ssize_t n = 0;

		host_id_forked();
		if (draw(id[5]) == NULL)
			_exit(1);
		for (put = 0; put < sizeof(id[5]); put += (size_t)n) {
			n = write(
			    fd[1], (uint8_t *)id[5] + put, sizeof(id[5]) - put);
			if (n <= 0)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(fd[1]);
	while (got < sizeof(id[5])) {
		ssize_t n =
		    read(fd[0], (uint8_t *)id[5] + got, sizeof(id[5]) - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	(void)close(fd[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_non_null(draw(id[0]));
	qsort(all, 6 * IDS, HSA_UUID_LEN, by_bytes);
	for (i = 1; i < 6 * IDS; i++)
		assert_int_not_equal(by_bytes(all[i - 1], all[i]), 0);
	hsa_uuid_text(text, id[0][0]);
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
	assert_ok(hsa_uuid_parse(back, text));
}

/* ---- administrative blocks, against the unit's own reading of them ------- */

/* The unit reads a block inside the request that a TKE client makes of it. */
static void
read_block(
    struct tke_admin_request *q, struct hsa_buf *room, const void *p, long n)
{
	const struct tke_slice block = {p, (size_t)n}, none = {0};

	assert_true(n > 0);
	hsa_buf_reset(room);
	assert_ok(tke_admin_request_encode(room, 0, block, none));
	assert_ok(tke_admin_request_decode(q, room->p, room->len, NULL));
}

static void
test_host_block__a_unit_reads_what_is_written(void **state)
{
	static uint8_t payload[70000];
	const size_t len[] = {
	    0, 1, 60, 61, 62, 127, 128, 200, 255, 256, 65535, sizeof(payload)};
	const struct XCPadmresp info = {.domain = 3,
	    .domainInst = 0x01020304,
	    .module = "SIM00001INSTANCE"};
	const uint8_t counter[XCP_ADMCTR_BYTES] = {0, 9};
	struct tke_admin_request q = {0};
	struct hsa_buf room = {0};
	uint8_t *out = NULL;
	size_t i = 0;
	long n = 0;

	(void)state;
	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		n = xcpa_cmdblock(
		    NULL, 0, 0x0d, &info, counter, payload, len[i]);
		assert_true(n > (long)len[i]);
		out = test_malloc((size_t)n);
		assert_int_equal(xcpa_cmdblock(out, (size_t)n - 1, 0x0d, &info,
				     counter, payload, len[i]),
		    XCP_ESIZE);
		assert_int_equal(xcpa_cmdblock(out, (size_t)n, 0x0d, &info,
				     counter, payload, len[i]),
		    n);
		read_block(&q, &room, out, n);
		assert_int_equal(q.command, 0x0d);
		assert_int_equal(q.domain.n, 8);
		assert_memory_equal(q.domain.p, "\0\0\0\3\1\2\3\4", 8);
		assert_int_equal(q.module.n, 16);
		assert_memory_equal(q.module.p, "SIM00001INSTANCE", 16);
		assert_int_equal(q.counter.n, 16);
		assert_memory_equal(q.counter.p, counter, 16);
		assert_int_equal(q.input.n, len[i]);
		test_free(out);
	}
	hsa_buf_free(&room);
}

static void
test_host_block__queries_and_reencipher_name_neither_module_nor_counter(
    void **state)
{
	struct XCPadmresp info = {0};
	const uint8_t counter[XCP_ADMCTR_BYTES] = {1};
	struct tke_admin_request q = {0};
	struct hsa_buf room = {0};
	uint8_t out[100] = {0};
	long n = 0;

	(void)state;
	n = xcpa_queryblock(
	    out, sizeof(out), 0x10006, (uint64_t)5 << 32 | 7, NULL, 0);
	assert_true(n > 0);
	read_block(&q, &room, out, n);
	assert_int_equal(q.command, 0x10006);
	assert_memory_equal(q.domain.p, "\0\0\0\7\0\0\0\0", 8);
	assert_int_equal(q.module.n, 0);
	assert_int_equal(q.counter.n, 0);
	assert_int_equal(q.input.n, 0);
	/* what openCryptoki leaves undefined must not get into the block */
	memset(&info, 0xa5, sizeof(info));
	info.domain = 7;
	n = xcpa_cmdblock(out, sizeof(out), XCP_ADM_REENCRYPT, &info, counter,
	    (const uint8_t *)"blob", 4);
	assert_true(n > 0);
	read_block(&q, &room, out, n);
	assert_memory_equal(q.domain.p, "\0\0\0\7\0\0\0\0", 8);
	assert_int_equal(q.module.n, 0);
	assert_int_equal(q.counter.n, 0);
	assert_memory_equal(q.input.p, "blob", 4);
	assert_int_equal(
	    xcpa_cmdblock(out, sizeof(out), 25, NULL, NULL, NULL, 0), XCP_EARG);
	hsa_buf_free(&room);
}

static void
test_host_block__a_response_is_taken_apart_and_damage_is_refused(void **state)
{
	const uint8_t domain[8] = {0, 0, 0, 3, 0, 0, 0, 9};
	const uint8_t payload[6] = {0, 0, 0, 48, 1, 2};
	const uint8_t counter[16] = {0, 1};
	struct XCPadmresp info = {0}, untouched = {.fn = 99};
	struct hsa_buf b = {0};
	CK_RV rv = 77;
	size_t i = 0;

	(void)state;
	assert_ok(tke_admin_reply_block_encode(&b, 0x0d, domain,
	    (const uint8_t *)"SIM00001INSTANCE", counter, 101,
	    (struct tke_slice){payload, sizeof(payload)}));
	assert_int_equal(xcpa_internal_rv(b.p, b.len, &info, &rv), 0);
	assert_int_equal(rv, 101);
	assert_int_equal(info.fn, 0x0d);
	assert_int_equal(info.domain, 3);
	assert_int_equal(info.domainInst, 9);
	assert_memory_equal(info.module, "SIM00001INSTANCE", 16);
	assert_memory_equal(info.modNr, "SIM00001", 8);
	assert_memory_equal(info.modInst, "INSTANCE", 8);
	assert_memory_equal(info.tctr, counter, 16);
	assert_int_equal(info.rv, 101);
	assert_int_equal(info.reason, 48);
	assert_int_equal(info.pllen, 6);
	assert_in_range((uintptr_t)info.payload, (uintptr_t)b.p,
	    (uintptr_t)(b.p + b.len - 6));
	for (i = 0; i < b.len; i++)
		assert_int_equal(
		    xcpa_internal_rv(b.p, i, &untouched, &rv), XCP_ERESPONSE);
	hsa_buf_u8(&b, 0);
	assert_int_equal(
	    xcpa_internal_rv(b.p, b.len, &untouched, &rv), XCP_ERESPONSE);
	assert_int_equal(untouched.fn, 99);
	hsa_buf_reset(&b);
	assert_ok(tke_admin_reply_block_encode(&b, 0x10006, domain,
	    (const uint8_t *)"SIM00001INSTANCE", counter, 0,
	    (struct tke_slice){0}));
	assert_int_equal(xcpa_internal_rv(b.p, b.len, &info, NULL), 0);
	assert_null(info.payload);
	assert_int_equal(info.reason, 0);
	assert_int_equal(xcpa_internal_rv(NULL, 0, &info, &rv), XCP_EARG);
	hsa_buf_free(&b);
}

/* ---- targets ------------------------------------------------------------- */

static void
test_host_target__numbers_do_not_come_back_and_leave_the_flags_free(
    void **state)
{
	struct host_targets t = {0};
	uint64_t number[HOST_TARGETS_MAX] = {0}, one = 0;
	size_t i = 0;

	(void)state;
	assert_null(host_target_find(&t, 0));
	for (i = 0; i < HOST_TARGETS_MAX; i++) {
		assert_ok(host_target_new(&t, &number[i], i + 1));
		assert_true((number[i] & 0xff000000u) == 0);
		assert_true(number[i] != 0);
	}
	assert_rc("E_FULL", host_target_new(&t, &one, 1));
	for (i = 0; i < HOST_TARGETS_MAX; i++)
		assert_int_equal(
		    *host_target_find(&t, number[i] | 0xff000000u), i + 1);
	host_target_drop(&t, number[5]);
	assert_null(host_target_find(&t, number[5]));
	assert_ok(host_target_new(&t, &one, 42));
	assert_true(one != number[5]);
	assert_null(host_target_find(&t, number[5]));
	assert_int_equal(*host_target_find(&t, one), 42);
	host_targets_free(&t);
	assert_null(host_target_find(&t, one));
}

/* ---- where units are ----------------------------------------------------- */

static hsa_rc
parse(struct host_where *w, const char *text)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc = host_where_parse(w, text, strlen(text), &d);

	assert_int_equal(d.text[0] == '\0', rc.v == 0);
	return rc;
}

static void
test_host_where__names_are_sockets_folders_or_one_embedded_unit(void **state)
{
	struct host_where w = {0};
	char many[16 * 70] = "unix:a";
	size_t i = 0;

	(void)state;
	assert_ok(parse(&w, "unix:/run/a,unix:b/c"));
	assert_int_equal(w.n, 2);
	assert_string_equal(host_where_path(&w, 0), "/run/a");
	assert_string_equal(host_where_path(&w, 1), "b/c");
	assert_false(w.embedded);
	host_where_free(&w);
	assert_ok(parse(&w, "embedded:/srv/x#y#operational-1"));
	assert_true(w.embedded);
	assert_string_equal(host_where_path(&w, 0), "/srv/x#y");
	assert_string_equal(host_where_name(&w), "operational-1");
	host_where_free(&w);
	assert_ok(parse(&w, "embedded:/srv/x"));
	assert_null(host_where_name(&w));
	host_where_free(&w);
	assert_rc("E_FORMAT", parse(&w, ""));
	assert_rc("E_FORMAT", parse(&w, "unix:"));
	assert_rc("E_FORMAT", parse(&w, "unix:a,"));
	assert_rc("E_FORMAT", parse(&w, "unix:a,,unix:b"));
	assert_rc("E_FORMAT", parse(&w, "/run/a"));
	assert_rc("E_FORMAT", parse(&w, "unix:a,embedded:b"));
	assert_rc("E_FORMAT", parse(&w, "embedded:"));
	assert_rc("E_FORMAT", parse(&w, "embedded:#x"));
	assert_rc("E_FORMAT", parse(&w, "embedded:x#"));
	for (i = 1; i < HOST_UNITS_MAX; i++)
		(void)strncat(many, ",unix:a", sizeof(many) - strlen(many) - 1);
	assert_ok(parse(&w, many));
	host_where_free(&w);
	(void)strncat(many, ",unix:a", sizeof(many) - strlen(many) - 1);
	assert_rc("E_RANGE", parse(&w, many));
	assert_int_equal(w.n, 0);
}

static void
make_unit(const char *base, const char *name, bool with_socket)
{
	char path[300] = "";
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/units/%s", base, name);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/units/%s/unit.sock", base, name);
	if (with_socket) {
		assert_ok(ep_sock_listen(&fd, path, NULL));
		(void)close(fd);
	}
}

static void
test_host_where__a_folder_stands_for_its_sockets_in_order_of_names(void **state)
{
	char base[] = "/tmp/test-ep11-host-XXXXXX", text[300] = "";
	struct host_where w = {0};
	struct hsa_diag d = {{0}};

	(void)state;
	assert_non_null(mkdtemp(base));
	helper_left(base);
	(void)snprintf(text, sizeof(text), "%s/units", base);
	assert_int_equal(mkdir(text, 0700), 0);
	(void)snprintf(text, sizeof(text), "unix:/x,unix:%s,unix:/y", base);
	assert_ok(parse(&w, text));
	assert_rc("E_NOT_FOUND", host_where_look(&w, &d));
	assert_non_null(strstr(d.text, base));
	assert_int_equal(w.n, 3);
	make_unit(base, "b", true);
	make_unit(base, "c", false);
	make_unit(base, "a", true);
	assert_ok(host_where_look(&w, &d));
	assert_int_equal(w.n, 4);
	assert_string_equal(host_where_path(&w, 0), "/x");
	(void)snprintf(text, sizeof(text), "%s/units/a/unit.sock", base);
	assert_string_equal(host_where_path(&w, 1), text);
	(void)snprintf(text, sizeof(text), "%s/units/b/unit.sock", base);
	assert_string_equal(host_where_path(&w, 2), text);
	assert_string_equal(host_where_path(&w, 3), "/y");
	host_where_free(&w);
	ep_dir_clear(base, true);
}

static void
test_host_where__without_the_environment_the_systems_folders_are_tried(
    void **state)
{
	struct host_where w = {0};
	struct hsa_diag d = {{0}};
	hsa_rc rc = host_where_default(&w, &d);

	(void)state;
	/* on a machine with an installation of its own, that is found */
	if (hsa_is_ok(rc)) {
		assert_true(w.n >= 1);
		assert_non_null(strstr(host_where_path(&w, 0), "/units/"));
		assert_non_null(strstr(host_where_path(&w, 0), "/cryptounit/"));
	} else {
		assert_rc("E_NOT_FOUND", rc);
		assert_int_equal(w.n, 0);
		assert_non_null(strstr(d.text, "/run/cryptounit"));
		assert_non_null(strstr(d.text, "/var/lib/cryptounit"));
		assert_non_null(strstr(d.text, "EP11_UNIT"));
	}
	host_where_free(&w);
}

/* ---- who calls ----------------------------------------------------------- */

static void
test_host_who__names_the_login_or_who_the_environment_says(void **state)
{
	struct hsa_caller c = {0};
	struct hsa_diag d = {{0}};
	char agent[100] = "";

	(void)state;
	assert_ok(host_who(&c, NULL, &d));
	assert_int_equal(strncmp(c.initiator.id, "local-user:", 11), 0);
	assert_string_equal(c.initiator.id + 11, c.initiator.name);
	assert_string_equal(c.initiator.host_address, "127.0.0.1");
	(void)snprintf(
	    agent, sizeof(agent), "libep11/%s (test_ep11_host)", HSA_VERSION);
	assert_string_equal(c.initiator.host_agent, agent);
	assert_int_equal(c.denied, 0);
	hsa_caller_free(&c);
	assert_ok(host_who(&c, "IBMid-270000XYZ", &d));
	assert_string_equal(c.initiator.id, "IBMid-270000XYZ");
	hsa_caller_free(&c);
	assert_rc("E_ARG", host_who(&c, "", &d));
	assert_rc("E_ARG", host_who(&c, "a\nb", &d));
	assert_non_null(strstr(d.text, "EP11_INITIATOR"));
	assert_null(c.initiator.id);
}

/* ---- before m_init ------------------------------------------------------- */

static void
test_host__without_m_init_every_call_is_refused(void **state)
{
	struct XCP_Module m = {.version = 2};
	uint8_t random[4] = {0};
	target_t t = XCP_TGT_INIT;
	CK_ULONG n = sizeof(random);

	(void)state;
	assert_int_equal(
	    m_GenerateRandom(random, 4, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_int_equal(
	    m_get_xcp_info(random, &n, 5, 0, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_int_equal(m_add_module(&m, &t), XCP_EINIT);
	assert_int_equal(m_rm_module(NULL, 1), XCP_EINIT);
	assert_int_equal(m_shutdown(), XCP_OK);
	/* what the library knows of itself needs no unit */
	assert_int_equal(m_get_xcp_info(random, &n, 0xff000001, 0, 0), CKR_OK);
	assert_int_equal(n, 4);
	assert_memory_equal(random, "\0\0\4\0", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_host_mech__oaep_and_pss_structs_become_members),
	    cmocka_unit_test(
		test_host_mech__ecdh1_takes_the_struct_or_the_bare_point),
	    cmocka_unit_test(test_host_mech__gcm_takes_both_layouts),
	    cmocka_unit_test(
		test_host_mech__other_parameters_are_bytes_and_foreign_pointers_stay),
	    cmocka_unit_test(
		test_host_id__no_two_are_equal_over_threads_and_forks),
	    cmocka_unit_test(test_host_block__a_unit_reads_what_is_written),
	    cmocka_unit_test(
		test_host_block__queries_and_reencipher_name_neither_module_nor_counter),
	    cmocka_unit_test(
		test_host_block__a_response_is_taken_apart_and_damage_is_refused),
	    cmocka_unit_test(
		test_host_target__numbers_do_not_come_back_and_leave_the_flags_free),
	    cmocka_unit_test(
		test_host_where__names_are_sockets_folders_or_one_embedded_unit),
	    cmocka_unit_test(
		test_host_where__a_folder_stands_for_its_sockets_in_order_of_names),
	    cmocka_unit_test(
		test_host_where__without_the_environment_the_systems_folders_are_tried),
	    cmocka_unit_test(
		test_host_who__names_the_login_or_who_the_environment_says),
	    cmocka_unit_test(test_host__without_m_init_every_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
