/* ep_keep.c - see ep_keep.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "chan.h"
#include "cu_unit.h"
#include "ep_file.h"
#include "ep_keep.h"
#include "ep_log.h"
#include "hsa_buf.h"
#include "slog.h"

#define TICK_NS 250000000
#define FILE_MAX 4096u
#define DAY_NS (INT64_C(86400) * 1000000000)

struct ep_keep {
	struct ep_keep_config c;
	struct hsa_buf path, temp; /* of the file, and beside it */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stopping;
	uint64_t has[EP_COLLECTORS_MAX];    /* acknowledged, ever */
	uint64_t stored[EP_COLLECTORS_MAX]; /* of it, in the file */
	bool said; /* that the cursors cannot be written */
};

/* ---- what collectors have ------------------------------------------------ */

/* "NAME SIZE" in each line; collectors that are not configured any more are
 * forgotten. */
static hsa_rc
load(struct ep_keep *k, struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	char *line, *rest = NULL;
	hsa_rc rc;

	rc = ep_file_read(&text, hsa_buf_cstr(&k->path), FILE_MAX, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		hsa_diag_set(diag, "%s", "");
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	hsa_buf_u8(&text, 0);
	HSA_TRY(rc, hsa_buf_rc(&text));
	for (line = strtok_r((char *)text.p, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *end = NULL, *space = strrchr(line, ' ');
		uint64_t n = space == NULL ? 0 : strtoull(space + 1, &end, 10);

		if (space == NULL || end == space + 1 || *end != '\0') {
			rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
			    "%s is damaged; fix: remove it, the collectors "
			    "say anew what they have",
			    hsa_buf_cstr(&k->path));
			goto out;
		}
		*space = '\0';
		for (unsigned int i = 0; i < k->c.cfg->collector_count; i++)
			if (strcmp(k->c.cfg->collector[i].name, line) == 0)
				k->has[i] = k->stored[i] = n;
	}
out:
	hsa_buf_free(&text);
	return rc;
}

static void
learn(struct ep_keep *k)
{
	struct hsa_collector_status st;

	for (unsigned int i = 0; i < k->c.cfg->collector_count; i++) {
		chan_status(k->c.chan[i], &st);
		(void)pthread_mutex_lock(&k->mutex);
		if (k->has[i] < st.acknowledged)
			k->has[i] = st.acknowledged;
		(void)pthread_mutex_unlock(&k->mutex);
	}
}

/* Durable before anything is released that it allows. */
static bool
store(struct ep_keep *k)
{
	struct hsa_buf text = {0};
	struct hsa_diag diag = {{0}};
	bool changed = false;
	hsa_rc rc;

	for (unsigned int i = 0; i < k->c.cfg->collector_count; i++) {
		changed = changed || k->stored[i] != k->has[i];
		hsa_buf_printf(&text, "%s %" PRIu64 "\n",
		    k->c.cfg->collector[i].name, k->has[i]);
	}
	if (!changed) {
		hsa_buf_free(&text);
		return true;
	}
	(void)unlink(hsa_buf_cstr(&k->temp));
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(rc,
	    ep_file_create(hsa_buf_cstr(&k->temp), text.p, text.len, &diag));
	if (rename(hsa_buf_cstr(&k->temp), hsa_buf_cstr(&k->path)) != 0) {
		rc = hsa_fail(&diag, HSA_RC(E_IO), "%s: %s",
		    hsa_buf_cstr(&k->path), strerror(errno));
		goto out;
	}
	HSA_TRY(rc, ep_dir_sync(k->c.folder, &diag));
	memcpy(k->stored, k->has, sizeof(k->stored));
out:
	if (!hsa_is_ok(rc) && !k->said)
		ep_log(
		    "what collectors have cannot be remembered: %s", diag.text);
	k->said = !hsa_is_ok(rc);
	hsa_buf_free(&text);
	return hsa_is_ok(rc);
}

void
ep_keep_status(
    struct ep_keep *k, unsigned int i, struct hsa_collector_status *st)
{
	(void)pthread_mutex_lock(&k->mutex);
	if (st->acknowledged < k->has[i])
		st->acknowledged = k->has[i];
	(void)pthread_mutex_unlock(&k->mutex);
}

/* ---- releasing ----------------------------------------------------------- */

static void
who_has(struct hsa_buf *b, const struct ep_keep *k)
{
	for (unsigned int i = 0; i < k->c.cfg->collector_count; i++)
		hsa_buf_printf(b, "%s%s %" PRIu64, i == 0 ? "" : ", ",
		    k->c.cfg->collector[i].name, k->stored[i]);
}

static void
release(struct ep_keep *k)
{
	const struct ep_log *want = &k->c.cfg->log;
	struct slog_policy policy = {.acknowledged = UINT64_MAX};
	struct slog_plan plan = {0};
	struct hsa_diag diag = {{0}};
	struct hsa_buf who = {0};
	struct timespec now;
	hsa_rc rc;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	policy.now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	policy.keep_ns = (int64_t)want->keep_days * DAY_NS;
	policy.keep_bytes = want->keep_bytes;
	for (unsigned int i = 0; i < k->c.cfg->collector_count; i++)
		if (k->stored[i] < policy.acknowledged)
			policy.acknowledged = k->stored[i];
	HSA_TRY(rc, slog_release_plan(k->c.log, &plan, &policy));
	if (plan.files == 0)
		goto out;
	who_has(&who, k);
	HSA_TRY(rc, hsa_buf_rc(&who));
	rc = cu_unit_released(
	    k->c.unit, plan.before, plan.bytes, hsa_buf_cstr(&who), &diag);
	if (rc.v == HSA_E_STATE) { /* halted: nothing can be said of it */
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	HSA_TRY(rc, slog_release(k->c.log, plan.before, &diag));
	ep_log("released %" PRIu64 " log files, %" PRIu64
	       " bytes: the log begins with record %" PRIu64,
	    plan.files, plan.bytes, plan.before);
out:
	if (!hsa_is_ok(rc))
		ep_log("the log's files cannot be released: %s",
		    diag.text[0] != '\0' ? diag.text : hsa_err_text(rc));
	hsa_buf_free(&who);
}

/* ---- the thread ---------------------------------------------------------- */

static bool
wait_tick(struct ep_keep *k)
{
	struct timespec t;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += TICK_NS;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	(void)pthread_mutex_lock(&k->mutex);
	while (!k->stopping &&
	       pthread_cond_timedwait(&k->wake, &k->mutex, &t) != ETIMEDOUT)
		;
	stop = k->stopping;
	(void)pthread_mutex_unlock(&k->mutex);
	return !stop;
}

static void *
keep_main(void *arg)
{
	struct ep_keep *k = arg;
	struct hsa_diag diag;
	bool good;

	while (wait_tick(k)) {
		diag.text[0] = '\0';
		good = hsa_is_ok(slog_check(k->c.log, &diag));
		cu_unit_check(k->c.unit);
		learn(k);
		if (store(k) && good &&
		    k->c.cfg->log.release == EP_RELEASE_ACKNOWLEDGED)
			release(k);
	}
	learn(k);
	(void)store(k);
	return NULL;
}

static int
thread_start(struct ep_keep *k)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int e;

	if (pthread_condattr_init(&attr) != 0)
		return -1;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&k->mutex, NULL);
	(void)pthread_cond_init(&k->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	/* signals are for the program's own threads */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&k->thread, NULL, keep_main, k);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

static void
keep_free(struct ep_keep *k)
{
	hsa_buf_free(&k->path);
	hsa_buf_free(&k->temp);
	free(k);
}

hsa_rc
ep_keep_start(struct ep_keep **to, const struct ep_keep_config *cfg,
    struct hsa_diag *diag)
{
	struct ep_keep *k = calloc(1, sizeof(*k));
	hsa_rc rc;

	if (k == NULL)
		return HSA_RC(E_NOMEM);
	k->c = *cfg;
	hsa_buf_printf(&k->path, "%s/acknowledged", cfg->folder);
	if (cfg->log_number > 1)
		hsa_buf_printf(&k->path, ".%u", cfg->log_number);
	hsa_buf_printf(&k->temp, "%s.new", hsa_buf_cstr(&k->path));
	HSA_TRY(rc, hsa_buf_rc(&k->path));
	HSA_TRY(rc, hsa_buf_rc(&k->temp));
	HSA_TRY(rc, load(k, diag));
	if (thread_start(k) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM),
		    "cannot start a thread; raise the limit of processes "
		    "(ulimit -u)");
		goto out;
	}
	*to = k;
	return rc;
out:
	keep_free(k);
	return rc;
}

void
ep_keep_stop(struct ep_keep *k)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_lock(&k->mutex);
	k->stopping = true;
	(void)pthread_cond_signal(&k->wake);
	(void)pthread_mutex_unlock(&k->mutex);
	(void)pthread_join(k->thread, NULL);
	(void)pthread_mutex_destroy(&k->mutex);
	(void)pthread_cond_destroy(&k->wake);
	keep_free(k);
}
