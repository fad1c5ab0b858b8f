/* test_ep_config.c - config.yaml: what is accepted, and the words for each
 * mistake. Every damage starts from the one good text. */
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
#include "ep_config.h"
#include "ep_template.h"
#include "helper_left.h"
#include "hsa_buf.h"

static const char good[] =
    "instance_id: \"5d00863e-ed8e-4684-822b-7fc2e55efccb\"\n"
    "account: \"6bb2b3285a3538d14df25d35c567a7d1\"\n"
    "region: us-south\n"
    "crn_prefix: crn:v1:bluemix:public:hs-crypto\n"
    "pkcs11_module: /usr/lib/softhsm/libsofthsm2.so\n"
    "admin_socket: admin.sock\n"
    "admin_listen: \"127.0.0.1:8443\"\n"
    "units:\n"
    "  - name: operational-1\n"
    "    id: c9088dde-0571-43b8-a8ea-61e3fe9c58fa\n"
    "    type: operational\n"
    "    location: \"[us-south].[AZ1-CS1].[00].[03]\"\n"
    "    serial: SIM00001\n"
    "    emission: {ep11: sealed, tke: sealed}\n"
    "  - name: recovery-1\n"
    "    id: 0ebfc18f-7006-4cf7-90b8-ed690776d20b\n"
    "    type: recovery\n"
    "    location: \"[us-south].[AZ3-CS1].[02].[05]\"\n"
    "    serial: SIM00003\n"
    "identities:\n"
    "  - id: IBMid-0000000001\n"
    "    name: custodian1@example.com\n"
    "    user: alice\n"
    "    token_sha256: "
    "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\n"
    "  - id: IBMid-0000000002\n"
    "    name: custodian2@example.com\n"
    "    user: \"*\"\n"
    "    denied: true\n"
    "collectors:\n"
    "  - name: local\n"
    "    address: unix:collect.sock\n";

/* good with the first `from` replaced by `to`; the caller frees. */
static char *
changed(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *s = malloc(sizeof(good) + strlen(to) + 1);

	assert_non_null(at);
	assert_non_null(s);
	memcpy(s, good, (size_t)(at - good));
	strcpy(s + (at - good), to);
	strcat(s, at + strlen(from));
	return s;
}

static hsa_rc
parse(struct ep_config **c, const char *text, struct hsa_diag *d)
{
	return ep_config_parse(c, text, strlen(text), d);
}

static void
test_ep_config__a_full_file_is_read(void **state)
{
	struct ep_config *c = NULL;
	struct hsa_buf b = {0};

	(void)state;
	assert_int_equal(parse(&c, good, NULL).v, 0);
	assert_int_equal(c->unit_count, 2);
	assert_string_equal(c->unit[1].name, "recovery-1");
	assert_int_equal(c->unit[0].type, EP_UNIT_OPERATIONAL);
	assert_int_equal(c->unit[1].type, EP_UNIT_RECOVERY);
	assert_int_equal(c->unit[0].emission.ep11, EP_MODE_SEALED);
	assert_int_equal(c->unit[1].emission.ep11, EP_MODE_RING);
	assert_int_equal(c->unit[0].emission.tke, EP_MODE_SEALED);
	assert_int_equal(c->unit[1].emission.keystore, EP_MODE_SEALED);
	assert_int_equal(c->identity_count, 2);
	assert_false(c->identity[0].denied);
	assert_true(c->identity[1].denied);
	assert_null(c->identity[1].token_sha256);
	assert_int_equal(c->collector_count, 1);
	assert_string_equal(c->admin_listen, "127.0.0.1:8443");
	assert_ptr_equal(ep_unit_find(c, "recovery-1"), &c->unit[1]);
	assert_null(ep_unit_find(c, "recovery-2"));
	ep_instance_crn(&b, c);
	assert_string_equal(hsa_buf_cstr(&b),
	    "crn:v1:bluemix:public:hs-crypto:us-south:"
	    "a/6bb2b3285a3538d14df25d35c567a7d1:"
	    "5d00863e-ed8e-4684-822b-7fc2e55efccb::");
	hsa_buf_reset(&b);
	ep_unit_crn(&b, c, &c->unit[0]);
	assert_string_equal(hsa_buf_cstr(&b),
	    "crn:v1:bluemix:public:hs-crypto:us-south:"
	    "a/6bb2b3285a3538d14df25d35c567a7d1:"
	    "5d00863e-ed8e-4684-822b-7fc2e55efccb:crypto-unit:"
	    "c9088dde-0571-43b8-a8ea-61e3fe9c58fa");
	hsa_buf_reset(&b);
	ep_unit_origin(&b, &c->unit[0]);
	assert_string_equal(hsa_buf_cstr(&b),
	    "cryptounit/c9088dde-0571-43b8-a8ea-61e3fe9c58fa");
	hsa_buf_free(&b);
	ep_config_free(c);
	ep_config_free(NULL);
}

static void
test_ep_config__optional_keys_may_be_absent_or_empty(void **state)
{
	char *s = changed("admin_listen: \"127.0.0.1:8443\"\n", "");
	struct ep_config *c = NULL;

	(void)state;
	assert_int_equal(parse(&c, s, NULL).v, 0);
	assert_null(c->admin_listen);
	ep_config_free(c);
	free(s);
	s = changed("\"127.0.0.1:8443\"", "");
	assert_int_equal(parse(&c, s, NULL).v, 0);
	assert_true(c->admin_listen == NULL || c->admin_listen[0] == '\0');
	ep_config_free(c);
	free(s);
	s = changed("collectors:\n  - name: local\n    address: "
		    "unix:collect.sock\n",
	    "");
	assert_int_equal(parse(&c, s, NULL).v, 0);
	assert_int_equal(c->collector_count, 0);
	ep_config_free(c);
	free(s);
	s = changed("region: us-south\n",
	    "region: us-south\nlog: {max_bytes: 400000, keep_bytes: 1000, "
	    "segment_bytes: 65536, release: acknowledged, keep_days: 7}\n");
	assert_int_equal(parse(&c, s, NULL).v, 0);
	assert_int_equal(c->log.max_bytes, 400000);
	assert_int_equal(c->log.release, EP_RELEASE_ACKNOWLEDGED);
	assert_int_equal(c->log.keep_days, 7);
	ep_config_free(c);
	free(s);
}

struct mistake {
	const char *from, *to;
	const char *says; /* part of the diagnosis: the key, or the cause */
};

static const struct mistake mistakes[] = {
    {"region: us-south\n", "", "region"},
    {"region: us-south\n", "region: us-south\ncolour: red\n", "colour"},
    {"region: us-south\n", "region: us-south\nregion: eu-de\n", "region"},
    {"region: us-south\n", "region: us-south\nlog: {segment_bytes: 100}\n",
	"log.segment_bytes"},
    {"region: us-south\n", "region: us-south\nlog: {max_bytes: 100000}\n",
	"log.max_bytes"},
    {"region: us-south\n", "region: us-south\nlog: {ring_slots: 1500}\n",
	"log.ring_slots"},
    {"region: us-south\n", "region: us-south\nlog: {keep_days: 40000}\n",
	"log.keep_days"},
    {"region: us-south\n", "region: us-south\nlog: {release: soon}\n",
	"release"},
    {"region: us-south\n", "region: us-south\nlog: {overwrite: 1}\n",
	"overwrite"},
    {"region: us-south", "region:", "region"},
    {"region: us-south", "region: US South", "region"},
    {"region: us-south", "region: [us-south]", "region"},
    {"region: us-south", "region: \"a:b\"", "region"},
    {"5d00863e-", "", "instance_id"},
    {"6bb2b3285a35", "6BB2B3285A35", "account"},
    {"6bb2b3285a35", "", "account"},
    {"crn:v1:bluemix:public:hs-crypto", "crn:v1:bluemix", "crn_prefix"},
    {"crn:v1:bluemix:public:hs-crypto", "v1:a:b:c:d", "crn_prefix"},
    {"/usr/lib/softhsm/", "softhsm/", "pkcs11_module"},
    {"admin.sock", "../admin.sock", "admin_socket"},
    {"admin.sock", ".admin", "admin_socket"},
    {"127.0.0.1:8443", "0.0.0.0:8443", "TLS proxy"},
    {"127.0.0.1:8443", "192.168.1.5:8443", "TLS proxy"},
    {"127.0.0.1:8443", "[2001:db8::1]:8443", "TLS proxy"},
    {"127.0.0.1:8443", "example.com:8443", "admin_listen"},
    {"127.0.0.1:8443", "127.0.0.1", "admin_listen"},
    {"127.0.0.1:8443", "127.0.0.1:0", "admin_listen"},
    {"127.0.0.1:8443", "127.0.0.1:65536", "admin_listen"},
    {"127.0.0.1:8443", "::1:8443", "admin_listen"},
    {"    token_sha256: "
     "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\n",
	"", "admin_listen"},
    {"8f434346", "8F434346", "token_sha256"},
    {"8f434346", "", "token_sha256"},
    {"name: operational-1", "name: Operational-1", "units[0].name"},
    {"name: operational-1", "name: ../x", "units[0].name"},
    {"name: operational-1", "name: recovery-1", "same name"},
    {"c9088dde-0571-43b8-a8ea-61e3fe9c58fa",
	"0ebfc18f-7006-4cf7-90b8-ed690776d20b", "same id"},
    {"c9088dde-", "", "units[0].id"},
    {"type: operational", "type: 1", "type"},
    {"type: operational", "type: spare", "type"},
    {"[00].[03]", "[00].[256]", "units[0].location"},
    {"[00].[03]", "[00].[3x]", "units[0].location"},
    {"[00].[03]", "[00]", "units[0].location"},
    {"[00].[03]", "[00].[03].[04]", "units[0].location"},
    {"[00].[03]", "[02].[03]", "module index"},
    {"[AZ1-CS1]", "[AZ1.CS1]", "units[0].location"},
    {"[AZ1-CS1]", "[]", "units[0].location"},
    {"SIM00001", "SIM0001", "units[0].serial"},
    {"SIM00001", "sim00001", "units[0].serial"},
    {"SIM00001", "SIM00003", "same serial"},
    {"admin_socket: ", "ring_dir: shm\nadmin_socket: ", "ring_dir"},
    {"{ep11: sealed", "{ep11: off",
	"no unit that is in use leaves calls without a record"},
    {"{ep11: sealed", "{ep11: fast", "emission"},
    {"tke: sealed", "tke: ring", "units[0].emission.tke is not sealed"},
    {"SIM00003\n", "SIM00003\n    emission: {keystore: off}\n",
	"units[1].emission.keystore is not sealed"},
    {"tke: sealed", "other: ring", "other"},
    {"{ep11: sealed, tke: sealed}", "ring", "emission"},
    {"    user: \"*\"\n", "", "identities[1]"},
    {"denied: true", "denied: maybe", "denied"},
    {"denied: true", "denied: 2", "denied"},
    {"custodian1@example.com", "\"a\\nb\"", "identities[0]"},
    {"user: alice", "user: \"a\\tb\"", "identities[0].user"},
    {"name: local", "name: Local", "collectors[0].name"},
    {"unix:collect.sock", "tcp:1.2.3.4:5", "collectors[0].address"},
    {"unix:collect.sock", "\"unix:\"", "collectors[0].address"},
    {"unix:collect.sock", "tls:host", "collectors[0].address"},
    {"unix:collect.sock", "tls:host:0", "collectors[0].address"},
    {"unix:collect.sock", "\"tls:[::1:1\"", "collectors[0].address"},
    {"unix:collect.sock\n", "tls:h:1\n    tls_name: \"*.h\"\n",
	"collectors[0].tls_name"},
    {"unix:collect.sock\n",
	"unix:collect.sock\n  - name: other\n    address: unix:collect.sock\n",
	"same name or address"},
    {"units:\n", "units: [\n", "YAML"},
    {"region: us-south", "region: *r", "lias"},
};

static void
test_ep_config__a_collector_over_tls_has_a_name_of_its_own(void **state)
{
	struct ep_config *c = NULL;
	struct hsa_diag d = {{0}};
	char *s = changed("unix:collect.sock\n",
	    "\"tls:[2001:db8::1]:6514\"\n    tls_name: audit.example.org\n"
	    "  - name: two\n    address: tls:localhost:6514\n");

	(void)state;
	if (!hsa_is_ok(ep_config_parse(&c, s, strlen(s), &d)))
		fail_msg("%s", d.text);
	assert_int_equal(c->collector_count, 2);
	assert_string_equal(
	    ep_collector_tls_name(&c->collector[0]), "audit.example.org");
	assert_string_equal(ep_collector_tls_name(&c->collector[1]), "two");
	ep_config_free(c);
	free(s);
}

static void
test_ep_config__each_mistake_is_named_with_its_fix(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char *s = changed(mistakes[i].from, mistakes[i].to);
		struct ep_config *c = NULL;
		struct hsa_diag d = {{0}};
		hsa_rc rc = parse(&c, s, &d);

		if (rc.v != HSA_E_CONFIG || c != NULL ||
		    strstr(d.text, mistakes[i].says) == NULL ||
		    strstr(d.text, "fix: ") == NULL)
			fail_msg("mistake %zu (%s -> %s): %d, \"%s\"", i,
			    mistakes[i].from, mistakes[i].to, rc.v, d.text);
		free(s);
	}
}

static void
test_ep_config__no_units_too_many_units_and_no_identities_are_refused(
    void **state)
{
	struct hsa_buf b = {0};
	struct ep_config *c = NULL;
	struct hsa_diag d = {{0}};
	const char *units = strstr(good, "units:"),
		   *ids = strstr(good, "identities:");
	int i = 0;

	(void)state;
	hsa_buf_put(&b, good, (size_t)(units - good));
	hsa_buf_str(&b, "units: []\n");
	hsa_buf_str(&b, ids);
	assert_int_equal(parse(&c, hsa_buf_cstr(&b), &d).v, HSA_E_CONFIG);
	hsa_buf_reset(&b);
	hsa_buf_put(&b, good, (size_t)(units - good));
	hsa_buf_str(&b, "units:\n");
	for (i = 0; i < EP_UNITS_MAX + 1; i++)
		hsa_buf_printf(&b,
		    "  - {name: u-%d, id: c9088dde-0571-43b8-a8ea-"
		    "61e3fe9c58%02x, type: failover, location: "
		    "\"[a].[b].[%d].[0]\", serial: SIM000%02d}\n",
		    i, (unsigned int)i, i, i);
	hsa_buf_str(&b, ids);
	assert_int_equal(parse(&c, hsa_buf_cstr(&b), &d).v, HSA_E_CONFIG);
	assert_non_null(strstr(d.text, "units"));
	hsa_buf_reset(&b);
	hsa_buf_put(&b, good, (size_t)(ids - good));
	assert_int_equal(parse(&c, hsa_buf_cstr(&b), &d).v, HSA_E_CONFIG);
	assert_non_null(strstr(d.text, "identities"));
	hsa_buf_free(&b);
}

static void
test_ep_config__every_prefix_is_refused_or_whole(void **state)
{
	size_t n = 0;

	(void)state;
	for (n = 0; n < sizeof(good) - 1; n++) {
		struct ep_config *c = NULL;
		struct hsa_diag d = {{0}};
		hsa_rc rc = ep_config_parse(&c, good, n, &d);

		if (!hsa_is_ok(rc))
			assert_true(d.text[0] != '\0');
		ep_config_free(c);
	}
}

static void
test_ep_config__too_long_a_file_is_refused_unread(void **state)
{
	size_t n = EP_CONFIG_MAX + 1;
	char *s = malloc(n);
	struct ep_config *c = NULL;
	struct hsa_diag d = {{0}};

	(void)state;
	assert_non_null(s);
	memset(s, '#', n);
	assert_int_equal(ep_config_parse(&c, s, n, &d).v, HSA_E_CONFIG);
	assert_non_null(strstr(d.text, "shorten"));
	free(s);
}

static void
test_ep_config__the_template_reads_back_the_same(void **state)
{
	struct ep_config *c = NULL, *back = NULL;
	struct hsa_buf one = {0}, two = {0};
	char *s = changed(
	    "custodian1@example.com", "\"J\\u00fcrgen \\\"x\\\" # y: z\"");

	(void)state;
	assert_int_equal(parse(&c, s, NULL).v, 0);
	ep_template(&one, c);
	assert_int_equal(ep_config_parse(&back, one.p, one.len, NULL).v, 0);
	assert_string_equal(back->identity[0].name, c->identity[0].name);
	assert_string_equal(
	    back->identity[0].name, "J\xc3\xbcrgen \"x\" # y: z");
	assert_true(back->identity[1].denied);
	assert_int_equal(back->unit[0].emission.ep11, EP_MODE_SEALED);
	assert_int_equal(back->unit[1].emission.ep11, EP_MODE_RING);
	assert_string_equal(back->admin_listen, c->admin_listen);
	ep_template(&two, back);
	assert_string_equal(hsa_buf_cstr(&one), hsa_buf_cstr(&two));
	ep_config_free(c);
	ep_config_free(back);
	hsa_buf_free(&one);
	hsa_buf_free(&two);
	free(s);
}

/* Without the # before keys; words stand behind one or three spaces. */
static void
uncomment(struct hsa_buf *to, const char *text)
{
	static const char key[] = "abcdefghijklmnopqrstuvwxyz_";
	const char *end;

	for (; *text != '\0'; text = end + 1) {
		size_t indent = strspn(text + 1, " ");
		size_t word = strspn(text + 1 + indent, key);

		end = strchr(text, '\n');
		assert_non_null(end);
		if (*text == '#' && indent % 2 == 0 && word != 0 &&
		    text[1 + indent + word] == ':')
			text++;
		hsa_buf_put(to, text, (size_t)(end + 1 - text));
	}
}

static void
test_ep_config__every_key_that_the_template_shows_may_be_used(void **state)
{
	struct ep_config *c = NULL, *back = NULL;
	struct hsa_buf one = {0}, all = {0}, two = {0};
	struct hsa_diag d = {{0}};
	char *s = changed("admin_listen: \"127.0.0.1:8443\"\n", "");

	(void)state;
	assert_int_equal(parse(&c, s, NULL).v, 0);
	ep_template(&one, c);
	assert_int_equal(ep_config_parse(&back, one.p, one.len, NULL).v, 0);
	assert_int_equal(back->log.max_bytes, 0);
	assert_int_equal(back->log.release, 0);
	assert_null(back->ring_dir);
	ep_config_free(back);
	uncomment(&all, hsa_buf_cstr(&one));
	if (!hsa_is_ok(ep_config_parse(&back, all.p, all.len, &d)))
		fail_msg("%s\n%s", d.text, hsa_buf_cstr(&all));
	assert_non_null(back->ring_dir);
	assert_non_null(back->admin_listen);
	assert_int_equal(back->log.max_bytes, 1073741824);
	assert_int_equal(back->log.release, EP_RELEASE_ACKNOWLEDGED);
	assert_int_equal(back->log.keep_bytes, 268435456);
	assert_int_equal(back->log.keep_days, 30);
	assert_int_equal(back->log.segment_bytes, 67108864);
	assert_int_equal(back->log.ring_slots, 65536);
	assert_int_equal(back->unit[0].emission.tke, EP_MODE_SEALED);
	assert_int_equal(back->unit[1].emission.keystore, EP_MODE_SEALED);
	/* and what is used is written back */
	hsa_buf_reset(&one);
	ep_template(&one, back);
	ep_config_free(back);
	assert_int_equal(ep_config_parse(&back, one.p, one.len, NULL).v, 0);
	assert_int_equal(back->log.keep_days, 30);
	assert_int_equal(back->log.release, EP_RELEASE_ACKNOWLEDGED);
	ep_template(&two, back);
	assert_string_equal(hsa_buf_cstr(&one), hsa_buf_cstr(&two));
	ep_config_free(back);
	ep_config_free(c);
	hsa_buf_free(&one);
	hsa_buf_free(&all);
	hsa_buf_free(&two);
	free(s);
}

static void
test_ep_config__a_file_that_others_can_write_is_refused(void **state)
{
	char dir[] = "/tmp/test-ep-config-XXXXXX", path[64] = "";
	struct ep_config *c = NULL;
	struct hsa_diag d = {{0}};
	FILE *f = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	helper_left(dir);
	assert_int_equal(ep_config_load(&c, dir, &d).v, HSA_E_NOT_FOUND);
	assert_non_null(strstr(d.text, "cryptounitd init"));
	(void)snprintf(path, sizeof(path), "%s/config.yaml", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(good, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(ep_config_load(&c, dir, &d).v, 0);
	ep_config_free(c);
	c = NULL;
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(ep_config_load(&c, dir, &d).v, HSA_E_CONFIG);
	assert_non_null(strstr(d.text, "chmod go-w"));
	assert_null(c);
	(void)unlink(path);
	(void)rmdir(dir);
}

static void
test_ep_config__locations_give_their_indices(void **state)
{
	uint32_t m = 9, n = 9;

	(void)state;
	assert_int_equal(
	    ep_location_parse(&m, &n, "[us-east].[AZ2-CS].[03].[22]").v, 0);
	assert_int_equal(m, 3);
	assert_int_equal(n, 22);
	assert_int_equal(ep_location_parse(&m, &n, "[a].[b].[255].[0]").v, 0);
	assert_int_equal(m, 255);
	assert_int_equal(n, 0);
	assert_int_equal(ep_location_parse(&m, &n, "").v, HSA_E_FORMAT);
	assert_int_equal(
	    ep_location_parse(&m, &n, "[a].[b].[0003].[1]").v, HSA_E_FORMAT);
	assert_int_equal(
	    ep_location_parse(&m, &n, "[a].[b].[+3].[1]").v, HSA_E_FORMAT);
	assert_int_equal(m, 255);
}

static void
test_ep_config__listen_addresses_become_numeric(void **state)
{
	char host[EP_HOST_MAX] = "";
	uint16_t port = 0;

	(void)state;
	assert_int_equal(ep_listen_parse(host, &port, "localhost:80").v, 0);
	assert_string_equal(host, "127.0.0.1");
	assert_int_equal(port, 80);
	assert_int_equal(ep_listen_parse(host, &port, "127.9.0.1:1").v, 0);
	assert_string_equal(host, "127.9.0.1");
	assert_int_equal(ep_listen_parse(host, &port, "[::1]:65535").v, 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 65535);
	assert_int_equal(
	    ep_listen_parse(host, &port, "[::]:80").v, HSA_E_UNSUPPORTED);
	assert_int_equal(ep_listen_parse(host, &port, ":80").v, HSA_E_FORMAT);
	assert_int_equal(ep_listen_parse(host, &port, "").v, HSA_E_FORMAT);
	assert_string_equal(host, "::1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ep_config__a_full_file_is_read),
	    cmocka_unit_test(
		test_ep_config__optional_keys_may_be_absent_or_empty),
	    cmocka_unit_test(
		test_ep_config__a_collector_over_tls_has_a_name_of_its_own),
	    cmocka_unit_test(
		test_ep_config__each_mistake_is_named_with_its_fix),
	    cmocka_unit_test(
		test_ep_config__no_units_too_many_units_and_no_identities_are_refused),
	    cmocka_unit_test(test_ep_config__every_prefix_is_refused_or_whole),
	    cmocka_unit_test(test_ep_config__too_long_a_file_is_refused_unread),
	    cmocka_unit_test(test_ep_config__the_template_reads_back_the_same),
	    cmocka_unit_test(
		test_ep_config__every_key_that_the_template_shows_may_be_used),
	    cmocka_unit_test(
		test_ep_config__a_file_that_others_can_write_is_refused),
	    cmocka_unit_test(test_ep_config__locations_give_their_indices),
	    cmocka_unit_test(test_ep_config__listen_addresses_become_numeric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
