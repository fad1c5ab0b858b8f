/*
 * test_daemon.c - the real cryptounitd: init, run, HTTP, processes that die,
 * status. Each case makes its own installation, so none depends on another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ep_config.h"
#include "ep_file.h"
#include "helper_daemon.h"
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "tke_oa.h"

#define UNITS "operational=1,recovery=1"
#define UNIT "operational-1"

/* The installation of the case that runs; clean() ends what a failed case
 * leaves running. */
static struct hd d;

static int
clean(void **state)
{
	(void)state;
	hd_free(&d);
	return 0;
}

static void
nap(long ms)
{
	const struct timespec t = {
	    .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* ---- programs ---- */

/* Run cryptounitd to its end; its exit status, output in out. */
static int
run_tool(struct hsa_buf *out, const char *a, const char *b, const char *c,
    const char *e)
{
	char prog[256] = "", line[1200] = "";
	char room[4096];
	size_t n = 0;
	FILE *p = NULL;
	int st = 0;

	hd_program(prog, sizeof(prog), "cryptounitd");
	(void)snprintf(
	    line, sizeof(line), "%s %s %s %s %s 2>&1", prog, a, b, c, e);
	p = popen(line, "r");
	assert_non_null(p);
	while ((n = fread(room, 1, sizeof(room), p)) > 0)
		hsa_buf_put(out, room, n);
	st = pclose(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* Processes whose command line names this folder. */
static unsigned int
processes_of(const char *folder)
{
	char path[300] = "", text[4096];
	const struct dirent *e = NULL;
	DIR *proc = opendir("/proc");
	unsigned int count = 0;

	assert_non_null(proc);
	while ((e = readdir(proc)) != NULL) {
		ssize_t n = 0, i = 0;
		int fd = -1;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		(void)snprintf(
		    path, sizeof(path), "/proc/%.20s/cmdline", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
		for (i = 0; i < n; i++)
			if (text[i] == '\0')
				text[i] = ' ';
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, folder) != NULL)
			count++;
	}
	(void)closedir(proc);
	return count;
}

static bool
comes_true(bool (*f)(const struct hd *, long), const struct hd *of, long arg)
{
	int i = 0;

	for (i = 0; i < 1500; i++) {
		if (f(of, arg))
			return true;
		nap(10);
	}
	return false;
}

static bool
unit_has_new_pid(const struct hd *of, long old)
{
	pid_t now = hd_unit_pid(of, UNIT);

	return now != 0 && now != old && kill(now, 0) == 0;
}

/* One installation's worth with two units: the old ones are gone. */
static bool
four_run(const struct hd *of, long unused)
{
	(void)unused;
	return processes_of(of->root) == 4;
}

static bool
nothing_runs(const struct hd *of, long unused)
{
	(void)unused;
	return processes_of(of->root) == 0;
}

/* ---- HTTP ---- */

struct site {
	const struct hd *d;
	struct ep_config *cfg;
	struct hsa_buf body, head; /* of the last answer */
	const char *header[4];     /* to send, NULL ends */
	unsigned int port;         /* 0: the unix socket */
};

static size_t
keep(char *p, size_t one, size_t n, void *to)
{
	hsa_buf_put(to, p, one * n);
	return one * n;
}

/* method NULL: GET, or POST when there is a body. */
static long
http(struct site *s, const char *method, const char *path, const char *body,
    size_t n)
{
	char sock[200] = "", url[400] = "";
	struct curl_slist *list = NULL;
	CURL *c = curl_easy_init();
	long status = 0;
	int i = 0;

	assert_non_null(c);
	hsa_buf_reset(&s->body);
	hsa_buf_reset(&s->head);
	(void)snprintf(sock, sizeof(sock), "%s/admin.sock", s->d->state);
	if (s->port == 0) {
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, sock);
		(void)snprintf(url, sizeof(url), "http://localhost%s", path);
	} else {
		(void)snprintf(
		    url, sizeof(url), "http://127.0.0.1:%u%s", s->port, path);
	}
	for (i = 0; i < 4 && s->header[i] != NULL; i++)
		list = curl_slist_append(list, s->header[i]);
	list = curl_slist_append(list, "Content-Type: application/json");
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, (void *)&s->body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, (void *)&s->head);
	if (body != NULL) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)n);
	}
	if (method != NULL)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
	return status;
}

static const char *
unit_path(const struct site *s)
{
	static char path[200];

	(void)snprintf(path, sizeof(path), "/v1/tke/%s/hsms/%s",
	    s->cfg->instance_id, s->cfg->unit[0].id);
	return path;
}

static long
post(struct site *s, const char *body)
{
	return http(s, NULL, unit_path(s), body, strlen(body));
}

/* Vector 18.1 (Query Domain Attributes) for this unit's indices. */
static const char *
query_body(const struct site *s)
{
	static char body[400];
	uint32_t m = 0, dom = 0;

	assert_int_equal(
	    ep_location_parse(&m, &dom, s->cfg->unit[0].location).v, 0);
	assert_true(m < 10);
	(void)snprintf(body, sizeof(body),
	    "{\"request\":\"181;PCI request;XPNUM   ;%u;        ;"
	    "0020040000805434000000000000%04X0000000000000000000000000000002A"
	    "30280404000100290404%08X0418301604040001000A0408%08X00000000"
	    "0400040004000400\"}",
	    m, dom, dom, dom);
	return body;
}

static void
open_site(struct site *s, const struct hd *of)
{
	struct hsa_diag diag = {{0}};

	*s = (struct site){.d = of};
	if (!hsa_is_ok(ep_config_load(&s->cfg, of->state, &diag)))
		fail_msg("%s", diag.text);
}

static void
close_site(struct site *s)
{
	hsa_buf_free(&s->body);
	hsa_buf_free(&s->head);
	ep_config_free(s->cfg);
}

/* `status --json` as jansson sees it; the caller releases. */
static json_t *
status_json(const struct hd *of, int expect)
{
	struct hsa_buf out = {0};
	json_t *j = NULL;

	assert_int_equal(
	    run_tool(&out, "status", of->state, "--json", ""), expect);
	j = json_loadb(
	    (const char *)out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	if (j == NULL)
		fail_msg("%s", hsa_buf_cstr(&out));
	hsa_buf_free(&out);
	return j;
}

static json_int_t
log_size(const struct hd *of, size_t unit)
{
	json_t *j = status_json(of, 0);
	json_int_t n = json_integer_value(json_object_get(
	    json_array_get(json_object_get(j, "units"), unit), "logSize"));

	json_decref(j);
	return n;
}

/* ---- init ---- */

static int strays;

static int
look_at(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	mode_t want = S_ISDIR(st->st_mode) ? 0700 : 0600;

	(void)kind;
	(void)at;
	if ((st->st_mode & 0777) != want || st->st_uid != geteuid()) {
		strays++;
		print_error("%s has mode %o\n", path,
		    (unsigned int)(st->st_mode & 0777));
	}
	return 0;
}

static void
check_chain(const struct hd *of, const char *unit)
{
	char path[300] = "";
	struct hsa_buf cert[2] = {{0}, {0}}, pem = {0};
	struct tke_slice chain[2] = {{0}};
	EVP_PKEY *root = NULL, *key = NULL;
	struct hsa_diag diag = {{0}};
	BIO *bio = NULL;
	int i = 0;

	(void)snprintf(path, sizeof(path), "%s/oa-root.pem", of->state);
	assert_int_equal(ep_file_read(&pem, path, 4096, NULL).v, 0);
	assert_null(strstr(hsa_buf_cstr(&pem), "PRIVATE"));
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	root = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_non_null(root);
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/units/%s/oa-%d.der",
		    of->state, unit, i);
		assert_int_equal(ep_file_read(&cert[i], path, 4096, NULL).v, 0);
		chain[i] = (struct tke_slice){cert[i].p, cert[i].len};
	}
	if (!hsa_is_ok(tke_oa_chain_verify(&key, chain, 2, root, &diag)))
		fail_msg("%s: %s", unit, diag.text);
	EVP_PKEY_free(key);
	EVP_PKEY_free(root);
	BIO_free(bio);
	hsa_buf_free(&pem);
	hsa_buf_free(&cert[0]);
	hsa_buf_free(&cert[1]);
}

static void
test_daemon__init_makes_a_private_and_complete_installation(void **state)
{
	char path[300] = "";
	struct hsa_buf keys = {0};
	struct site s = {0};
	size_t lines = 0, i = 0;

	(void)state;
	assert_true(hd_init(&d, "operational=2,recovery=1,failover=1"));
	strays = 0;
	assert_int_equal(nftw(d.state, look_at, 16, FTW_PHYS), 0);
	assert_int_equal(strays, 0);
	open_site(&s, &d);
	assert_int_equal(s.cfg->unit_count, 4);
	assert_string_equal(s.cfg->unit[2].name, "recovery-1");
	assert_string_equal(s.cfg->unit[3].name, "failover-1");
	for (i = 0; i < 4; i++)
		check_chain(&d, s.cfg->unit[i].name);
	(void)snprintf(path, sizeof(path), "%s/checkpoint.pub", d.state);
	assert_int_equal(ep_file_read(&keys, path, 65536, NULL).v, 0);
	for (i = 0; i < keys.len; i++)
		lines += keys.p[i] == '\n';
	assert_int_equal(lines, 4);
	for (i = 0; i < 4; i++)
		assert_non_null(strstr(hsa_buf_cstr(&keys), s.cfg->unit[i].id));
	hsa_buf_free(&keys);
	close_site(&s);
	hd_free(&d);
}

static void
test_daemon__a_second_init_is_refused_and_changes_nothing(void **state)
{
	char path[300] = "";
	struct hsa_buf before = {0}, after = {0}, out = {0};

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	(void)snprintf(path, sizeof(path), "%s/config.yaml", d.state);
	assert_int_equal(ep_file_read(&before, path, 65536, NULL).v, 0);
	assert_int_equal(run_tool(&out, "init", d.state, "", ""), 1);
	assert_non_null(strstr(hsa_buf_cstr(&out), "fix: "));
	assert_int_equal(ep_file_read(&after, path, 65536, NULL).v, 0);
	assert_string_equal(hsa_buf_cstr(&before), hsa_buf_cstr(&after));
	hsa_buf_free(&before);
	hsa_buf_free(&after);
	hsa_buf_free(&out);
	hd_free(&d);
}

static void
test_daemon__wrong_use_exits_2_and_says_what_to_do(void **state)
{
	static const char *const bad[][3] = {{"", "", ""}, {"fly", "", ""},
	    {"init", "", ""}, {"init", "/tmp/x", "--unit=3"},
	    {"init", "/tmp/x", "--units=x"}, {"run", "", ""},
	    {"run", "/nowhere", ""}, {"run", "/tmp", "--json"},
	    {"run", "/tmp", "/tmp"}, {"status", "", ""},
	    {"status", "/nowhere", ""}, {"status", "/tmp", "--jason"},
	    {"status", "/proc", ""}};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hsa_buf out = {0};
		int rc = run_tool(&out, bad[i][0], bad[i][1], bad[i][2], "");

		if (rc != 2 || strstr(hsa_buf_cstr(&out), "fix: ") == NULL)
			fail_msg("%s %s %s: %d %s", bad[i][0], bad[i][1],
			    bad[i][2], rc, hsa_buf_cstr(&out));
		hsa_buf_free(&out);
	}
}

/* ---- running ---- */

static void
test_daemon__units_are_listed_and_answer_queries(void **state)
{
	char path[200] = "";
	struct site s = {0};
	json_int_t before = 0;
	json_t *j = NULL;

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	assert_int_equal(http(&s, NULL, "/v1/tke", NULL, 0), 200);
	assert_non_null(strstr(hsa_buf_cstr(&s.body), s.cfg->instance_id));
	(void)snprintf(
	    path, sizeof(path), "/v1/tke/%s/hsms", s.cfg->instance_id);
	assert_int_equal(http(&s, NULL, path, NULL, 0), 200);
	j = json_loadb((const char *)s.body.p, s.body.len, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(j, "hsms")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "source_hsms")), 1);
	assert_string_equal(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(j, "hsms"), 0), "location")),
	    s.cfg->unit[0].location);
	json_decref(j);
	before = log_size(&d, 0);
	assert_int_equal(post(&s, query_body(&s)), 200);
	j = json_loadb((const char *)s.body.p, s.body.len, 0, NULL);
	assert_int_equal(json_object_size(j), 1);
	/* status type 00, and the serial number in the answer */
	assert_non_null(
	    strstr(json_string_value(json_object_get(j, "response")), ";00"));
	assert_non_null(
	    strstr(json_string_value(json_object_get(j, "response")),
		"53494d3030303031"));
	json_decref(j);
	/* a query leaves no record */
	assert_int_equal(log_size(&d, 0), before);
	close_site(&s);
	assert_int_equal(hd_stop(&d), 0);
	hd_free(&d);
}

struct refusal {
	const char *body, *header;
	long status;
	const char *says;
};

static void
test_daemon__every_refused_post_is_explained_and_leaves_one_record(void **state)
{
	static const struct refusal rows[] = {
	    {"", NULL, 400, "empty"},
	    {"garbage", NULL, 400, "not JSON"},
	    {"[]", NULL, 400, "no object"},
	    {"{\"request\":1}", NULL, 400, "no string"},
	    {"{\"request\":\"x\",\"more\":\"y\"}", NULL, 400, "other members"},
	    {"{\"request\":\"x\"}", "Cryptounit-Command-Id: 12", 400, "UUID"},
	    {"{\"request\":\"x\"}", "Cryptounit-Ceremony-Step: 1", 400,
		"Ceremony-Id"},
	    {"{\"request\":\"x\"}", "Authorization: nobody's", 401, "token"},
	    {"garbage", "Authorization: nobody's", 401, "token"},
	    /* the unit's own refusal: HTTP is fine, the transport is not */
	    {"{\"request\":\"x\"}", NULL, 200, "response"},
	    {"{\"request\":\"\"}", NULL, 200, "response"},
	};
	struct site s = {0};
	json_int_t size = 0;
	size_t i = 0;

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	size = log_size(&d, 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		long st = 0;

		s.header[0] = rows[i].header;
		st = post(&s, rows[i].body);
		if (st != rows[i].status ||
		    strstr(hsa_buf_cstr(&s.body), rows[i].says) == NULL)
			fail_msg(
			    "row %zu: %ld %s", i, st, hsa_buf_cstr(&s.body));
		if (st != 200)
			assert_non_null(strstr(hsa_buf_cstr(&s.body), "fix: "));
		if (log_size(&d, 0) != ++size)
			fail_msg("row %zu left no record, or two", i);
	}
	if (post(&s, query_body(&s)) == 401)
		fail_msg("a refused caller spoils the next");
	close_site(&s);
	hd_free(&d);
}

static void
test_daemon__a_body_that_is_too_large_is_413_and_audited(void **state)
{
	size_t n = 3u * 1024 * 1024;
	char *big = malloc(n);
	struct site s = {0};
	json_int_t size = 0;

	(void)state;
	assert_non_null(big);
	memset(big, ' ', n);
	assert_true(hd_init(&d, "operational=1"));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	size = log_size(&d, 0);
	assert_int_equal(http(&s, NULL, unit_path(&s), big, n), 413);
	assert_int_equal(log_size(&d, 0), size + 1);
	/* without a length in front */
	s.header[0] = "Transfer-Encoding: chunked";
	assert_int_equal(http(&s, NULL, unit_path(&s), big, n), 413);
	assert_int_equal(log_size(&d, 0), size + 2);
	free(big);
	close_site(&s);
	hd_free(&d);
}

static void
test_daemon__unknown_paths_are_404_and_wrong_methods_405(void **state)
{
	char path[300] = "";
	struct site s = {0};

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	assert_int_equal(http(&s, NULL, "/", NULL, 0), 404);
	assert_int_equal(http(&s, NULL, "/v1/tke/x/hsms", NULL, 0), 404);
	assert_non_null(strstr(hsa_buf_cstr(&s.body), "instance"));
	(void)snprintf(path, sizeof(path), "/v1/tke/%s/hsms/%s",
	    s.cfg->instance_id, s.cfg->instance_id);
	assert_int_equal(http(&s, NULL, path, "{}", 2), 404);
	assert_non_null(strstr(hsa_buf_cstr(&s.body), "crypto unit"));
	assert_int_equal(http(&s, NULL, unit_path(&s), NULL, 0), 405);
	assert_non_null(strstr(hsa_buf_cstr(&s.head), "Allow: POST"));
	assert_int_equal(http(&s, "DELETE", unit_path(&s), NULL, 0), 405);
	assert_int_equal(http(&s, NULL, "/v1/tke", "{}", 2), 405);
	assert_non_null(strstr(hsa_buf_cstr(&s.head), "Allow: GET"));
	close_site(&s);
	hd_free(&d);
}

static unsigned int
free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	(void)close(fd);
	return ntohs(sa.sin_port);
}

static void
test_daemon__the_port_wants_a_token(void **state)
{
	char listen[64] = "", path[300] = "", header[200] = "";
	struct hsa_buf token = {0}, out = {0};
	unsigned int port = free_port();
	struct site s = {0};

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	/* the same folder again, made with a port */
	ep_dir_clear(d.state, true);
	(void)snprintf(
	    listen, sizeof(listen), "--admin-listen=127.0.0.1:%u", port);
	if (run_tool(&out, "init", d.state, listen, "--units=operational=1"))
		fail_msg("%s", hsa_buf_cstr(&out));
	(void)snprintf(path, sizeof(path), "%s/admin.token", d.state);
	assert_int_equal(ep_file_read(&token, path, 200, NULL).v, 0);
	(void)snprintf(header, sizeof(header), "Authorization: %.*s",
	    (int)strcspn(hsa_buf_cstr(&token), "\n"), hsa_buf_cstr(&token));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	s.port = port;
	assert_int_equal(http(&s, NULL, "/v1/tke", NULL, 0), 401);
	assert_non_null(strstr(hsa_buf_cstr(&s.head), "WWW-Authenticate"));
	assert_null(strstr(hsa_buf_cstr(&s.body), s.cfg->instance_id));
	assert_int_equal(post(&s, query_body(&s)), 401);
	s.header[0] = header;
	assert_int_equal(http(&s, NULL, "/v1/tke", NULL, 0), 200);
	assert_int_equal(post(&s, query_body(&s)), 200);
	s.port = 0; /* and the socket still knows its peer */
	s.header[0] = NULL;
	assert_int_equal(http(&s, NULL, "/v1/tke", NULL, 0), 200);
	close_site(&s);
	hsa_buf_free(&token);
	hsa_buf_free(&out);
	assert_int_equal(hd_stop(&d), 0);
	hd_free(&d);
}

/* ---- processes ---- */

static void
test_daemon__a_killed_unit_comes_back_and_the_others_never_left(void **state)
{
	struct site s = {0};
	pid_t unit = 0, other = 0;
	json_t *j = NULL;
	int i = 0;

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	other = hd_unit_pid(&d, "recovery-1");
	for (i = 0; i < 4; i++) {
		unit = hd_unit_pid(&d, UNIT);
		assert_int_equal(kill(unit, SIGKILL), 0);
		assert_true(comes_true(unit_has_new_pid, &d, unit));
	}
	for (i = 0; i < 100 && post(&s, query_body(&s)) != 200; i++)
		nap(20);
	assert_int_equal(post(&s, query_body(&s)), 200);
	assert_int_equal(hd_unit_pid(&d, "recovery-1"), other);
	j = status_json(&d, 0);
	/* a new epoch for each start, and its record, behind the one that
	 * opened the log */
	assert_int_equal(
	    json_integer_value(json_object_get(
		json_array_get(json_object_get(j, "units"), 0), "epoch")),
	    5);
	assert_int_equal(
	    json_integer_value(json_object_get(
		json_array_get(json_object_get(j, "units"), 0), "logSize")),
	    6);
	json_decref(j);
	close_site(&s);
	assert_int_equal(hd_stop(&d), 0);
	hd_free(&d);
}

static void
test_daemon__a_unit_that_is_down_is_503_and_status_says_so(void **state)
{
	char cert[300] = "", away[300] = "";
	struct hsa_buf out = {0};
	struct site s = {0};
	pid_t unit = 0;
	json_t *j = NULL;

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	open_site(&s, &d);
	(void)snprintf(
	    cert, sizeof(cert), "%s/units/" UNIT "/oa-0.der", d.state);
	(void)snprintf(away, sizeof(away), "%s/away", d.root);
	assert_int_equal(rename(cert, away), 0);
	unit = hd_unit_pid(&d, UNIT);
	assert_int_equal(kill(unit, SIGKILL), 0);
	while (post(&s, query_body(&s)) == 200)
		nap(10);
	assert_int_equal(post(&s, query_body(&s)), 503);
	assert_non_null(strstr(hsa_buf_cstr(&s.body), "nothing happened"));
	j = status_json(&d, 1);
	assert_true(json_is_true(json_object_get(
	    json_array_get(json_object_get(j, "units"), 1), "up")));
	assert_true(json_is_false(json_object_get(
	    json_array_get(json_object_get(j, "units"), 0), "up")));
	json_decref(j);
	assert_int_equal(run_tool(&out, "status", d.state, "", ""), 1);
	assert_non_null(strstr(hsa_buf_cstr(&out), "DOWN"));
	hsa_buf_free(&out);
	/* it comes up by itself once the cause is gone */
	assert_int_equal(rename(away, cert), 0);
	assert_true(comes_true(unit_has_new_pid, &d, unit));
	close_site(&s);
	assert_int_equal(hd_stop(&d), 0);
	hd_free(&d);
}

static void
test_daemon__another_units_certificate_is_noticed_at_start(void **state)
{
	char from[300] = "", to[300] = "", prog[256] = "", run[] = "run";
	struct hsa_buf cert = {0}, out = {0};
	char *argv[] = {prog, run, d.state, NULL};

	(void)state;
	assert_true(hd_init(&d, UNITS));
	(void)snprintf(
	    from, sizeof(from), "%s/units/recovery-1/oa-0.der", d.state);
	(void)snprintf(to, sizeof(to), "%s/units/" UNIT "/oa-0.der", d.state);
	assert_int_equal(ep_file_read(&cert, from, 4096, NULL).v, 0);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(ep_file_create(to, cert.p, cert.len, NULL).v, 0);
	hd_program(prog, sizeof(prog), "cryptounitd");
	d.pid = hd_spawn(argv, "degraded");
	assert_int_not_equal(d.pid, 0);
	assert_int_equal(run_tool(&out, "status", d.state, "", ""), 1);
	d.skip_logs = true; /* the degraded unit never began one */
	assert_int_equal(hd_stop(&d), 0);
	hsa_buf_free(&cert);
	hsa_buf_free(&out);
	hd_free(&d);
}

static void
test_daemon__only_one_supervisor_runs(void **state)
{
	struct hsa_buf out = {0};
	char pid[32] = "";

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	assert_true(hd_start(&d));
	assert_int_equal(run_tool(&out, "run", d.state, "", ""), 1);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)d.pid);
	assert_non_null(strstr(hsa_buf_cstr(&out), pid));
	assert_int_equal(hd_stop(&d), 0);
	hsa_buf_free(&out);
	hd_free(&d);
}

static void
test_daemon__sigterm_ends_everything_with_status_0(void **state)
{
	char path[300] = "";
	struct hsa_buf out = {0};

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	/* supervisor, front, two units */
	assert_true(comes_true(four_run, &d, 0));
	assert_int_equal(run_tool(&out, "status", d.state, "", ""), 0);
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(processes_of(d.root), 0);
	assert_int_equal(hd_unit_pid(&d, UNIT), 0);
	(void)snprintf(path, sizeof(path), "%s/admin.sock", d.state);
	assert_int_not_equal(access(path, F_OK), 0);
	(void)snprintf(
	    path, sizeof(path), "%s/units/" UNIT "/unit.sock", d.state);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(run_tool(&out, "status", d.state, "", ""), 1);
	strays = 0;
	assert_int_equal(nftw(d.state, look_at, 16, FTW_PHYS), 0);
	assert_int_equal(strays, 0);
	hsa_buf_free(&out);
	hd_free(&d);
}

static void
test_daemon__children_do_not_outlive_a_killed_supervisor(void **state)
{
	pid_t sup = 0;

	(void)state;
	assert_true(hd_init(&d, UNITS));
	assert_true(hd_start(&d));
	sup = d.pid;
	assert_int_equal(kill(sup, SIGKILL), 0);
	assert_int_equal(waitpid(sup, NULL, 0), sup);
	d.pid = 0;
	/* at once again: it waits for the old ones to let go */
	assert_true(hd_start(&d));
	assert_true(comes_true(four_run, &d, 0));
	assert_int_equal(kill(d.pid, SIGKILL), 0);
	assert_int_equal(waitpid(d.pid, NULL, 0), d.pid);
	d.pid = 0;
	assert_true(comes_true(nothing_runs, &d, 0));
	hd_free(&d);
}

static void
test_daemon__no_process_can_dump_core_or_holds_foreign_files(void **state)
{
	char path[64] = "", link[256] = "", line[256] = "";
	pid_t pid = 0;
	int leak = -1, i = 0, no_core = 0;
	FILE *f = NULL;

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	/* inherited on purpose: it must be gone in the daemon */
	leak = open("/etc/passwd", O_RDONLY);
	assert_true(leak >= 0);
	assert_true(hd_start(&d));
	pid = hd_unit_pid(&d, UNIT);
	(void)snprintf(path, sizeof(path), "/proc/%ld/limits", (long)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "Max core file size", 18) == 0)
			no_core = strtol(line + 18, NULL, 10) == 0;
	(void)fclose(f);
	assert_int_equal(no_core, 1);
	for (i = 0; i < 64; i++) {
		ssize_t n = 0;

		(void)snprintf(
		    path, sizeof(path), "/proc/%ld/fd/%d", (long)pid, i);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		assert_string_not_equal(link, "/etc/passwd");
	}
	(void)close(leak);
	assert_int_equal(hd_stop(&d), 0);
	hd_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		test_daemon__init_makes_a_private_and_complete_installation,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__a_second_init_is_refused_and_changes_nothing,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__wrong_use_exits_2_and_says_what_to_do, clean),
	    cmocka_unit_test_teardown(
		test_daemon__units_are_listed_and_answer_queries, clean),
	    cmocka_unit_test_teardown(
		test_daemon__every_refused_post_is_explained_and_leaves_one_record,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__a_body_that_is_too_large_is_413_and_audited,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__unknown_paths_are_404_and_wrong_methods_405,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__the_port_wants_a_token, clean),
	    cmocka_unit_test_teardown(
		test_daemon__a_killed_unit_comes_back_and_the_others_never_left,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__a_unit_that_is_down_is_503_and_status_says_so,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__another_units_certificate_is_noticed_at_start,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__only_one_supervisor_runs, clean),
	    cmocka_unit_test_teardown(
		test_daemon__sigterm_ends_everything_with_status_0, clean),
	    cmocka_unit_test_teardown(
		test_daemon__children_do_not_outlive_a_killed_supervisor,
		clean),
	    cmocka_unit_test_teardown(
		test_daemon__no_process_can_dump_core_or_holds_foreign_files,
		clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
