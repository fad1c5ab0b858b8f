#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper_emitter.h"

static struct helper_emitter h;
static char rings[96]; /* their folder */

static int
setup(void **state)
{
	(void)state;
	helper_emitter_init(&h, HSA_EMITTER_RING);
	(void)snprintf(rings, sizeof(rings), "%s", h.base);
	h.cfg.ring_dir = rings;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_emitter_free(&h);
	return 0;
}

struct seen {
	uint64_t numbers, last; /* of source 2 */
	unsigned int events, lost_events, ring_lost, starts;
	int64_t calls, of_epoch;
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

		if (f != NULL)
			s->calls = f->integer;
		f = hsa_data_find(&r->special.details, "ofEpoch");
		if (f != NULL)
			s->of_epoch = f->integer;
		s->lost_events += strcmp(r->special.name, "LOST_EVENTS") == 0;
		s->ring_lost += strcmp(r->special.name, "RING_LOST") == 0;
		s->starts += strcmp(r->special.name, "UNIT_START") == 0;
		return HSA_OK;
	}
	s->events++;
	if (r->source == HSA_SOURCE_USE) {
		s->numbers++;
		s->last = r->source_sequence;
	}
	return HSA_OK;
}

static struct seen
check(void)
{
	struct vfy_result res;
	struct seen s = {0};

	helper_emitter_check(&h, &res, look, &s);
	return s;
}

static size_t
ring_files(void)
{
	char pattern[128];
	glob_t g = {0};
	size_t n;

	(void)snprintf(pattern, sizeof(pattern), "%s/*.ring", rings);
	n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
	if (n == 1)
		assert_non_null(strstr(g.gl_pathv[0], "cryptounit-"));
	globfree(&g);
	return n;
}

static bool
noted(void)
{
	char path[112];

	(void)snprintf(path, sizeof(path), "%s/ring", h.dir);
	return access(path, F_OK) == 0;
}

static void
emit(struct hsa_emitter_context *c, struct hsa_emitter_receipt *r)
{
	struct hsa_emitter_event ev;
	struct hsa_diag diag = {{0}};
	hsa_rc rc;

	helper_emitter_event(&ev);
	rc = hsa_emitter_emit(c, r, &ev, &diag);
	if (!hsa_is_ok(rc))
		(void)fprintf(stderr, "%s: %s\n", hsa_err_name(rc), diag.text);
	assert_true(hsa_is_ok(rc));
}

/* A process that leaves n events and kills itself, before they are sealed or
 * behind a flush. */
static void
killed(int n, bool flush)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct hsa_emitter *e = helper_emitter_open(&h);
		struct hsa_emitter_context *c = helper_emitter_context(e, 0);

		for (int i = 0; i < n; i++)
			emit(c, NULL);
		if (flush && !hsa_is_ok(hsa_emitter_flush(e, NULL)))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
test_emitter_ring__seals_soon_and_flush_waits_for_it(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_context *c = helper_emitter_context(e, 0);
	struct hsa_emitter_context *sealed =
	    helper_emitter_context(e, HSA_EMITTER_SEALED);
	struct hsa_emitter_receipt r, before = {.number = 0};
	struct hsa_emitter_status st;
	struct seen s;

	(void)state;
	for (int i = 0; i < 100; i++) {
		emit(c, &r);
		assert_true(r.number > before.number);
		assert_true(r.sequence == HSA_EMITTER_NOT_YET);
		before = r;
	}
	assert_true(hsa_is_ok(hsa_emitter_flush(e, NULL)));
	s = check();
	assert_int_equal(s.numbers, 100);
	assert_int_equal(s.last, r.number);
	hsa_emitter_status(e, &st);
	assert_int_equal(st.ring_size, 8u << 20);
	assert_int_equal(st.ring_used, 0);
	assert_int_equal(st.emitted, 100);
	/* both ways, in the order of one thread */
	emit(c, NULL);
	emit(sealed, &r);
	s = check();
	assert_int_equal(s.events, 102);
	assert_int_equal(s.numbers, 101);
	assert_true(r.sequence >= 102);
	assert_int_equal(ring_files(), 1);
	assert_true(noted());
	hsa_emitter_context_free(sealed);
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	/* an end in order leaves no ring */
	assert_int_equal(ring_files(), 0);
	assert_false(noted());
	s = check();
	assert_int_equal(s.events, 102);
	assert_int_equal(s.lost_events + s.ring_lost, 0);
}

static void
test_emitter_ring__keeps_what_a_kill_left(void **state)
{
	struct seen s;

	(void)state;
	killed(50, false);
	assert_int_equal(ring_files(), 1);
	hsa_emitter_close(helper_emitter_open(&h));
	s = check();
	assert_int_equal(s.events, 50);
	assert_int_equal(s.ring_lost + s.lost_events, 0);
	/* and when what opens it next has no use for a ring */
	killed(7, false);
	h.cfg.mode = HSA_EMITTER_SEALED;
	h.cfg.ring_dir = NULL;
	hsa_emitter_close(helper_emitter_open(&h));
	s = check();
	assert_int_equal(s.events, 57);
	assert_int_equal(s.starts, 4);
	assert_int_equal(ring_files(), 0);
	assert_false(noted());
}

static void
test_emitter_ring__tells_when_a_ring_is_gone(void **state)
{
	char command[128];
	struct seen s;

	(void)state;
	(void)snprintf(command, sizeof(command), "rm %s/*.ring", rings);
	killed(5, true);
	assert_int_equal(system(command), 0);
	hsa_emitter_close(helper_emitter_open(&h));
	s = check();
	assert_int_equal(s.ring_lost, 1);
	assert_int_equal(s.events, 5);
	/* once; and not when nothing can have been in it */
	hsa_emitter_close(helper_emitter_open(&h));
	s = check();
	assert_int_equal(s.ring_lost, 1);
}

static void
test_emitter_ring__sets_aside_what_is_no_ring_of_its_own(void **state)
{
	struct hsa_emitter *e = NULL;
	struct hsa_diag diag;
	char command[256];
	struct seen s;
	hsa_rc rc;

	(void)state;
	h.cfg.ring_dir = "/proc";
	rc = hsa_emitter_open(&e, &h.cfg, &diag);
	assert_int_equal(rc.v, HSA_E_CONFIG);
	assert_non_null(strstr(diag.text, "tmpfs"));
	h.cfg.ring_dir = rings;
	h.cfg.ring_bytes = (size_t)1 << 40;
	rc = hsa_emitter_open(&e, &h.cfg, &diag);
	assert_int_equal(rc.v, HSA_E_ARG);
	h.cfg.ring_bytes = 0;
	killed(5, true);
	(void)snprintf(command, sizeof(command),
	    "for f in %s/*.ring; do printf XXXXXXXX | dd of=$f conv=notrunc "
	    "status=none; done",
	    rings);
	assert_int_equal(system(command), 0);
	/* the log says what that may have cost, and the file stays */
	hsa_emitter_close(helper_emitter_open(&h));
	s = check();
	assert_int_equal(s.ring_lost, 1);
	assert_int_equal(s.of_epoch, 1);
	assert_int_equal(ring_files(), 0);
	(void)snprintf(command, sizeof(command),
	    "grep -q XXXXXXXX %s/*.ring.aside-1", rings);
	assert_int_equal(system(command), 0);
	hsa_emitter_close(helper_emitter_open(&h));
	assert_int_equal(check().ring_lost, 1);
}

/* ---- a full ring --------------------------------------------------------- */

static EVP_PKEY *key;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static hsa_rc
slow_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 64;
	bool good;

	(void)ctx;
	(void)pthread_mutex_lock(&gate);
	(void)pthread_mutex_unlock(&gate);
	good = EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
	       EVP_DigestSign(c, sig, &len, msg, n) == 1;
	EVP_MD_CTX_free(c);
	return good ? HSA_OK : HSA_RC(E_CRYPTO);
}

static void
test_emitter_ring__full_refuses_counts_and_tells(void **state)
{
	struct hsa_emitter_status st;
	struct hsa_emitter_event ev;
	struct hsa_emitter_context *c;
	struct hsa_emitter *e;
	struct hsa_diag diag;
	unsigned int taken = 0, refused = 0;
	uint8_t pub[32];
	size_t n = sizeof(pub);
	struct seen s;
	hsa_rc rc;

	(void)state;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, pub, &n), 1);
	h.cfg.sign = slow_sign;
	h.cfg.public_key = pub;
	h.cfg.wait_ms = 30;
	h.cfg.ring_bytes = 1; /* the least there is: 1,024 slots */
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	helper_emitter_event(&ev);
	(void)pthread_mutex_lock(&gate); /* the HSM does not answer */
	while (refused < 3) {
		rc = hsa_emitter_emit(c, NULL, &ev, &diag);
		if (hsa_is_ok(rc))
			taken++;
		else {
			assert_int_equal(rc.v, HSA_E_TIMEOUT);
			assert_non_null(strstr(diag.text, "ring_bytes"));
			refused++;
		}
		assert_true(taken < 1024);
	}
	hsa_emitter_status(e, &st);
	assert_int_equal(st.ring_size, 1024 * 128);
	assert_true(st.ring_used > st.ring_size / 10 * 9);
	assert_int_equal(st.unrecorded, 3);
	assert_int_equal(st.emitted, taken);
	assert_string_equal(st.halted, "");
	(void)pthread_mutex_unlock(&gate);
	/* it goes on by itself */
	assert_true(hsa_is_ok(hsa_emitter_flush(e, NULL)));
	emit(c, NULL);
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	s = check();
	assert_int_equal(s.events, taken + 1);
	assert_int_equal(s.lost_events, 1);
	assert_int_equal(s.calls, 3);
	EVP_PKEY_free(key);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_emitter_ring__seals_soon_and_flush_waits_for_it),
	    CASE(test_emitter_ring__keeps_what_a_kill_left),
	    CASE(test_emitter_ring__tells_when_a_ring_is_gone),
	    CASE(test_emitter_ring__sets_aside_what_is_no_ring_of_its_own),
	    CASE(test_emitter_ring__full_refuses_counts_and_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
