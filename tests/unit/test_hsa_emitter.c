#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper_emitter.h"

static struct helper_emitter h;

static int
setup(void **state)
{
	(void)state;
	helper_emitter_init(&h, HSA_EMITTER_SEALED);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_emitter_free(&h);
	return 0;
}

static void
refused(hsa_rc rc, int32_t want, const struct hsa_diag *diag, const char *word)
{
	if (rc.v != want || strstr(diag->text, word) == NULL)
		(void)fprintf(stderr, "%s: %s\n", hsa_err_name(rc), diag->text);
	assert_int_equal(rc.v, want);
	assert_non_null(strstr(diag->text, word));
}

/* ---- what comes out ------------------------------------------------------ */

struct seen {
	struct hsa_emitter_receipt receipt;
	char name[16][32];
	size_t names;
	unsigned int found, events, lost_events, ring_lost;
	uint64_t calls;
};

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct seen *s = ctx;

	(void)raw;
	(void)n;
	if (r->body == HSA_BODY_SPECIAL) {
		const struct hsa_field *f =
		    hsa_data_find(&r->special.details, "calls");

		if (s->names < 16)
			(void)snprintf(
			    s->name[s->names++], 32, "%s", r->special.name);
		s->lost_events += strcmp(r->special.name, "LOST_EVENTS") == 0;
		s->ring_lost += strcmp(r->special.name, "RING_LOST") == 0;
		if (f != NULL)
			s->calls = (uint64_t)f->integer;
		return HSA_OK;
	}
	s->events++;
	if (memcmp(r->event.id, s->receipt.event_id, HSA_UUID_LEN) != 0)
		return HSA_OK;
	s->found++;
	assert_int_equal(r->source_sequence, s->receipt.number);
	assert_true(s->receipt.sequence == HSA_EMITTER_NOT_YET ||
		    s->receipt.sequence == r->sequence);
	assert_int_equal(r->event.event_time_ns, s->receipt.time_ns);
	assert_string_equal(r->event.action_name, "hs-crypto.secrets.rotate");
	assert_string_equal(r->event.outcome, "success");
	assert_string_equal(r->event.severity, "warning");
	assert_string_equal(r->event.target_type_uri, "hs-crypto/secrets");
	assert_string_equal(r->event.target_name, "payments");
	assert_string_equal(r->event.message,
	    "Hyper Protect Crypto Services: rotate secrets payments");
	assert_string_equal(r->event.initiator.host_agent, "helper/1");
	assert_string_equal(
	    hsa_data_find(&r->event.request, "requestURI")->text,
	    "/api/v2/keys/payments");
	return HSA_OK;
}

static bool
has_special(const struct seen *s, const char *name)
{
	for (size_t i = 0; i < s->names; i++)
		if (strcmp(s->name[i], name) == 0)
			return true;
	return false;
}

static void
test_hsa_emitter__gives_back_the_event_that_the_log_holds(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	struct hsa_emitter_status st;
	struct hsa_emitter_event ev;
	struct vfy_result res;
	struct seen s = {0};
	char id[HSA_UUID_TEXT];

	(void)state;
	helper_emitter_event(&ev);
	assert_true(hsa_is_ok(hsa_emitter_emit(c, &s.receipt, &ev, NULL)));
	/* sealed: there before the call returned, and the log is open still */
	helper_emitter_check(&h, &res, look, &s);
	assert_int_equal(s.found, 1);
	hsa_uuid_text(id, s.receipt.event_id);
	assert_string_equal(id, s.receipt.event_id_text);
	assert_true(hsa_is_ok(hsa_emitter_flush(e, NULL)));
	hsa_emitter_status(e, &st);
	assert_int_equal(st.emitted, 1);
	assert_int_equal(st.refused + st.unrecorded + st.not_sealed, 0);
	assert_int_equal(st.epoch, 1);
	assert_int_equal(st.log_size, res.sealed);
	assert_memory_equal(st.log_root, res.root, 32);
	assert_string_equal(st.halted, "");
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	s.found = 0;
	s.names = 0;
	helper_emitter_check(&h, &res, look, &s);
	assert_int_equal(s.found, 1);
	assert_true(has_special(&s, "UNIT_START"));
	assert_true(has_special(&s, "UNIT_STOP"));
}

static void
test_hsa_emitter__opens_again_with_a_new_epoch_and_the_same_key(void **state)
{
	struct hsa_emitter_status st;
	struct hsa_emitter_event ev;
	struct vfy_result res;
	uint8_t id[HSA_UUID_LEN];
	uint64_t number = 0;

	(void)state;
	helper_emitter_event(&ev);
	for (unsigned int i = 1; i <= 3; i++) {
		struct hsa_emitter_receipt r;
		struct hsa_emitter *e = helper_emitter_open(&h);
		struct hsa_emitter_context *c = helper_emitter_context(e, 0);

		hsa_emitter_status(e, &st);
		assert_int_equal(st.epoch, i);
		if (i > 1)
			assert_memory_equal(st.emitter_id, id, sizeof(id));
		memcpy(id, st.emitter_id, sizeof(id));
		assert_true(hsa_is_ok(hsa_emitter_emit(c, &r, &ev, NULL)));
		assert_true(r.number > number);
		number = r.number;
		/* contexts may outlive the emitter, and do nothing then */
		hsa_emitter_close(e);
		assert_int_equal(
		    hsa_emitter_emit(c, &r, &ev, NULL).v, HSA_E_CLOSED);
		hsa_emitter_context_free(c);
	}
	helper_emitter_check(&h, &res, NULL, NULL);
	assert_int_equal(res.epochs, 3);
	assert_int_equal(res.events, 3);
}

#define THREADS 8
#define EACH 50

static void *
emit_many(void *arg)
{
	struct hsa_emitter_event ev;

	helper_emitter_event(&ev);
	for (int i = 0; i < EACH; i++)
		if (!hsa_is_ok(hsa_emitter_emit(arg, NULL, &ev, NULL)))
			return arg;
	return NULL;
}

static void
test_hsa_emitter__takes_events_of_many_threads_at_once(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	pthread_t thread[THREADS];
	struct vfy_result res;
	void *bad = NULL;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, emit_many, c), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, NULL, NULL);
	assert_int_equal(res.events, THREADS * EACH);
}

/* ---- what is refused ----------------------------------------------------- */

static void
test_hsa_emitter__names_what_is_wrong_with_an_event(void **state)
{
	static const struct hsa_emitter_field nowhere[] = {
	    HSA_REQUEST_TEXT("colour", "red"), HSA_FIELDS_END};
	static const struct hsa_emitter_field wrong_type[] = {
	    HSA_REQUEST_INTEGER("requestURI", 4), HSA_FIELDS_END};
	static const struct hsa_emitter_field twice[] = {
	    HSA_REQUEST_TEXT("requestURI", "/a"),
	    HSA_REQUEST_TEXT("requestURI", "/b"), HSA_FIELDS_END};
	static const struct hsa_emitter_field no_utf8[] = {
	    HSA_REQUEST_TEXT("requestURI", "/\xff"), HSA_FIELDS_END};
	static const struct hsa_emitter_field no_name[] = {
	    HSA_REQUEST_TEXT(NULL, "x"), HSA_FIELDS_END};
	static const struct hsa_emitter_field no_form[] = {
	    {.member = HSA_EMITTER_REQUEST, .name = "requestURI"},
	    HSA_FIELDS_END};
	static const struct hsa_emitter_field past[] = {
	    HSA_REQUEST_TIME("requestURI", -1), HSA_FIELDS_END};
	static char longer[5000];
	const struct {
		struct hsa_emitter_event ev;
		const char *word;
		int32_t rc;
	} bad[] = {
	    {{.status = 200}, "catalogue", HSA_E_ARG},
	    {{.action_name = "hs-crypto.secrets.paint", .status = 200},
		"hs-crypto.secrets.paint", HSA_E_ARG},
	    {{.action_name = "hs-crypto.keyrings.list", .status = 200},
		"hs-crypto.key-rings.list", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE, .status = 302}, "status 302",
		HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE, .status = 409},
		"without a reason", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_CREATE, .status = 201},
		"keyType is missing", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = nowhere},
		"colour is not documented", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = wrong_type},
		"requestURI has the wrong form", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = twice},
		"requestURI is there twice", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = no_utf8},
		"requestURI is not UTF-8", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = no_name},
		"no name", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = no_form},
		"no form", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .field = past},
		"before 1970", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 409,
		 .reason = "a\nb"},
		"control character at byte 1", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .target_name = longer},
		"target_name is longer than 4096", HSA_E_RANGE},
	    {{.action = HSA_ACTION_TKE_RESET,
		 .status = 400,
		 .reason = "x",
		 .correlation_id = "y"},
		"no correlationId", HSA_E_ARG},
	    {{.action = HSA_ACTION_SECRETS_ROTATE,
		 .status = 204,
		 .reserved = {1}},
		"start from zeros", HSA_E_ARG},
	};
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	struct hsa_emitter_receipt r = {.number = 77};
	struct hsa_emitter_status st;
	struct hsa_diag diag;
	struct vfy_result res;

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hsa_rc rc = hsa_emitter_emit(c, &r, &bad[i].ev, &diag);

		refused(rc, bad[i].rc, &diag, bad[i].word);
		assert_int_equal(r.number, 77);
	}
	hsa_emitter_status(e, &st);
	assert_int_equal(st.refused, sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(st.emitted + st.unrecorded, 0);
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, NULL, NULL);
	assert_int_equal(res.events, 0);
}

static void
test_hsa_emitter__drops_a_shared_correlation_where_there_is_none(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	struct hsa_emitter_event ev = {.action = HSA_ACTION_TKE_RESET,
	    .status = 400,
	    .reason = "not in this life"};
	struct hsa_diag diag;

	(void)state;
	assert_true(hsa_is_ok(hsa_emitter_emit(c, NULL, &ev, &diag)));
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
}

static void
test_hsa_emitter__names_what_is_wrong_with_a_context(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = NULL;
	struct hsa_emitter_context_config good, cfg;
	struct hsa_diag diag;

	(void)state;
	helper_emitter_context_config(&good);
	cfg = good;
	cfg.initiator_id = NULL;
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "initiator_id is missing");
	cfg = good;
	cfg.credential_type = "";
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "credential_type is empty");
	cfg = good;
	cfg.log_source_crn = "arn:aws:1";
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "no CRN");
	cfg = good;
	cfg.host_agent = "\xc3(";
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "host_agent is not UTF-8");
	cfg = good;
	cfg.mode = HSA_EMITTER_OFF;
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "emitter's mode");
	cfg = good;
	cfg.reserved[7] = 1;
	refused(hsa_emitter_context(&c, e, &cfg, &diag), HSA_E_ARG, &diag,
	    "start from zeros");
	assert_null(c);
	hsa_emitter_close(e);
}

static void
test_hsa_emitter__names_what_is_wrong_with_a_configuration(void **state)
{
	static const uint8_t key[32];
	struct hsa_emitter_config good = h.cfg, *cfg = &h.cfg;
	struct hsa_emitter *e = NULL;
	struct hsa_diag diag;

	(void)state;
	cfg->dir = NULL;
	refused(
	    hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag, "no folder");
	*cfg = good;
	cfg->name = "";
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag, "no name");
	*cfg = good;
	cfg->mode = 0;
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag, "mode 0");
	*cfg = good;
	cfg->mode = HSA_EMITTER_OFF;
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_CONFIG, &diag,
	    "records nothing");
	*cfg = good;
	cfg->wait_ms = -1;
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag, "negative");
	*cfg = good;
	cfg->public_key = key;
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag, "set both");
	*cfg = good;
	cfg->reserved[0] = 1;
	refused(hsa_emitter_open(&e, cfg, &diag), HSA_E_ARG, &diag,
	    "start from zeros");
	*cfg = good;
	cfg->dir = "/proc/none/audit";
	refused(
	    hsa_emitter_open(&e, cfg, &diag), HSA_E_IO, &diag, "cannot make");
	*cfg = good;
	assert_int_equal(access(h.dir, F_OK), -1);
	assert_null(e);
}

/* ---- the folder ---------------------------------------------------------- */

static void
made(void)
{
	hsa_emitter_close(helper_emitter_open(&h));
}

static hsa_rc
try_open(struct hsa_diag *diag)
{
	struct hsa_emitter *e = NULL;
	hsa_rc rc = hsa_emitter_open(&e, &h.cfg, diag);

	hsa_emitter_close(e);
	return rc;
}

static void
test_hsa_emitter__keeps_its_key_to_its_user(void **state)
{
	char key[112], away[112];
	struct hsa_diag diag;
	struct stat st;

	(void)state;
	made();
	(void)snprintf(key, sizeof(key), "%s/checkpoint.key", h.dir);
	(void)snprintf(away, sizeof(away), "%s/away", h.base);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(h.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(key, 0640), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "chmod 600");
	assert_int_equal(chmod(key, 0600), 0);
	assert_true(hsa_is_ok(try_open(&diag)));
	assert_int_equal(chmod(h.dir, 0720), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "chmod 700");
	assert_int_equal(chmod(h.dir, 0700), 0);
	/* gone: a new key would begin a log that nobody asked for */
	assert_int_equal(rename(key, away), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "put it back");
	assert_int_equal(access(key, F_OK), -1);
	/* no key at all, and a link */
	assert_int_equal(symlink(away, key), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "of this user alone");
	assert_int_equal(unlink(key), 0);
	assert_int_equal(link(h.pub, key), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "no Ed25519 private key");
	assert_int_equal(unlink(key), 0);
	assert_int_equal(rename(away, key), 0);
	assert_true(hsa_is_ok(try_open(&diag)));
}

static void
test_hsa_emitter__refuses_a_verifier_key_of_another_log(void **state)
{
	char away[112];
	struct hsa_diag diag;
	struct stat st;
	FILE *f = NULL;

	(void)state;
	made();
	(void)snprintf(away, sizeof(away), "%s/away", h.base);
	assert_int_equal(rename(h.pub, away), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "there is a log");
	/* the same with one more byte, and with one less */
	assert_int_equal(rename(away, h.pub), 0);
	assert_int_equal(stat(h.pub, &st), 0);
	f = fopen(h.pub, "a");
	assert_non_null(f);
	(void)fputc('x', f);
	(void)fclose(f);
	refused(try_open(&diag), HSA_E_KEY, &diag, "not of this log's key");
	assert_int_equal(truncate(h.pub, st.st_size - 1), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "not of this log's key");
	assert_int_equal(truncate(h.pub, 20), 0);
	refused(try_open(&diag), HSA_E_KEY, &diag, "no verifier key");
}

static void
test_hsa_emitter__is_one_process_to_a_folder(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_diag diag;

	(void)state;
	refused(try_open(&diag), HSA_E_BUSY, &diag, "another process");
	hsa_emitter_close(e);
	assert_true(hsa_is_ok(try_open(&diag)));
}

static void
test_hsa_emitter__keeps_the_id_that_it_was_made_with(void **state)
{
	static const uint8_t id[HSA_UUID_LEN] = {
	    1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};
	static const uint8_t other[HSA_UUID_LEN] = {
	    9, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};
	struct hsa_emitter_status st;
	struct hsa_emitter *e;
	struct hsa_diag diag;

	(void)state;
	h.cfg.emitter_id = id;
	made();
	h.cfg.emitter_id = NULL;
	e = helper_emitter_open(&h);
	hsa_emitter_status(e, &st);
	assert_memory_equal(st.emitter_id, id, sizeof(id));
	hsa_emitter_close(e);
	h.cfg.emitter_id = other;
	refused(try_open(&diag), HSA_E_CONFIG, &diag, "emitter_id");
}

/* ---- a key elsewhere ----------------------------------------------------- */

static unsigned int signs, fail_at;

static hsa_rc
hsm_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 64;
	bool good;

	if (++signs == fail_at) {
		EVP_MD_CTX_free(c);
		return HSA_RC(E_TOKEN);
	}
	good = EVP_DigestSignInit(c, NULL, NULL, NULL, ctx) == 1 &&
	       EVP_DigestSign(c, sig, &len, msg, n) == 1;
	EVP_MD_CTX_free(c);
	return good ? HSA_OK : HSA_RC(E_CRYPTO);
}

static void
test_hsa_emitter__signs_with_a_key_of_the_callers(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *wrong = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct hsa_emitter_event ev;
	struct hsa_emitter_context *c;
	struct hsa_emitter_status st;
	struct hsa_emitter *e;
	struct hsa_diag diag;
	struct vfy_result res;
	uint8_t pub[32];
	char path[112];
	size_t n = sizeof(pub);

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, pub, &n), 1);
	h.cfg.sign = hsm_sign;
	h.cfg.sign_ctx = key;
	h.cfg.public_key = pub;
	signs = fail_at = 0;
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	helper_emitter_event(&ev);
	assert_true(hsa_is_ok(hsa_emitter_emit(c, NULL, &ev, &diag)));
	(void)snprintf(path, sizeof(path), "%s/checkpoint.key", h.dir);
	assert_int_equal(access(path, F_OK), -1);
	/* the HSM goes away: nothing is acknowledged from then on */
	fail_at = signs + 1;
	refused(hsa_emitter_emit(c, NULL, &ev, &diag), HSA_E_IO, &diag,
	    "closed for good");
	refused(hsa_emitter_emit(c, NULL, &ev, &diag), HSA_E_IO, &diag,
	    "cannot sign");
	refused(hsa_emitter_flush(e, &diag), HSA_E_IO, &diag, "fix:");
	hsa_emitter_status(e, &st);
	assert_int_equal(st.unrecorded, 2);
	assert_non_null(strstr(st.halted, "cannot sign"));
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, NULL, NULL);
	assert_int_equal(res.events, 1);
	/* the way out is to open again, with the log's own key alone; the log
	 * learns what it did not get, once */
	h.cfg.sign_ctx = wrong;
	refused(try_open(&diag), HSA_E_KEY, &diag, "");
	h.cfg.sign_ctx = key;
	fail_at = 0;
	for (int i = 0; i < 2; i++) {
		struct seen s = {0};

		assert_true(hsa_is_ok(try_open(&diag)));
		helper_emitter_check(&h, &res, look, &s);
		assert_int_equal(s.lost_events, 1);
		assert_int_equal(s.calls, 2);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(wrong);
}

/* ---- off, fork --------------------------------------------------------- */

static void
test_hsa_emitter__tells_the_log_what_it_did_not_get(void **state)
{
	struct hsa_emitter_event ev;
	struct hsa_emitter_context *c;
	struct hsa_emitter_status st;
	struct hsa_emitter *e;
	struct vfy_result res;
	struct seen s = {0};

	(void)state;
	h.cfg.mode = HSA_EMITTER_OFF;
	h.cfg.measuring = true;
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	helper_emitter_event(&ev);
	for (int i = 0; i < 5; i++)
		assert_true(hsa_is_ok(hsa_emitter_emit(c, NULL, &ev, NULL)));
	hsa_emitter_status(e, &st);
	assert_int_equal(st.not_sealed, 5);
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, look, &s);
	assert_int_equal(res.events, 0);
	assert_true(has_special(&s, "EMISSION_OFF"));
	assert_true(has_special(&s, "EMISSION_ON"));
	assert_int_equal(s.calls, 5);
}

static void
test_hsa_emitter__is_not_for_a_forked_child(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	struct hsa_emitter_event ev;
	struct vfy_result res;
	int status = 0;
	pid_t pid;

	(void)state;
	helper_emitter_event(&ev);
	pid = fork();
	if (pid == 0) {
		struct hsa_emitter_config cfg = h.cfg;
		struct hsa_emitter *own = NULL;
		char dir[96];
		int bad = 0;

		bad |= hsa_emitter_emit(c, NULL, &ev, NULL).v != HSA_E_STATE;
		bad |= hsa_emitter_flush(e, NULL).v != HSA_E_STATE;
		hsa_emitter_close(e);
		/* one of its own works */
		(void)snprintf(dir, sizeof(dir), "%s/child", h.base);
		cfg.dir = dir;
		bad |= !hsa_is_ok(hsa_emitter_open(&own, &cfg, NULL));
		hsa_emitter_close(own);
		_exit(bad);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(hsa_is_ok(hsa_emitter_emit(c, NULL, &ev, NULL)));
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, NULL, NULL);
	assert_int_equal(res.events, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_hsa_emitter__gives_back_the_event_that_the_log_holds),
	    CASE(
		test_hsa_emitter__opens_again_with_a_new_epoch_and_the_same_key),
	    CASE(test_hsa_emitter__takes_events_of_many_threads_at_once),
	    CASE(test_hsa_emitter__names_what_is_wrong_with_an_event),
	    CASE(
		test_hsa_emitter__drops_a_shared_correlation_where_there_is_none),
	    CASE(test_hsa_emitter__names_what_is_wrong_with_a_context),
	    CASE(test_hsa_emitter__names_what_is_wrong_with_a_configuration),
	    CASE(test_hsa_emitter__keeps_its_key_to_its_user),
	    CASE(test_hsa_emitter__refuses_a_verifier_key_of_another_log),
	    CASE(test_hsa_emitter__is_one_process_to_a_folder),
	    CASE(test_hsa_emitter__keeps_the_id_that_it_was_made_with),
	    CASE(test_hsa_emitter__signs_with_a_key_of_the_callers),
	    CASE(test_hsa_emitter__tells_the_log_what_it_did_not_get),
	    CASE(test_hsa_emitter__is_not_for_a_forked_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
