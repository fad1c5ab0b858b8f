#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hsa_buf.h"
#include "sink_run.h"
#include "vfy_log.h"
#include "vfy_utf8.h"

#define LOOK_MS 1000 /* also without a wake: a copy may be older than we */
#define LINGER_MS 10 /* after a wake: what comes together goes together */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 30000
#define SAY_EVERY_MS 60000

struct feed { /* one unit of one sink */
	char unit[SINK_UNIT_TEXT];
	char *path;
	struct vfy_follow *follow; /* NULL: not open */
	bool resumed;              /* next is what the sink says */
	bool over;                 /* never again */
	uint64_t next, delivered;
	int64_t not_before, backoff;
	bool failing, unreadable; /* the latter: the copy itself */
	int64_t said;
};

struct sink {
	struct sink_set *set;
	const struct sink_kind *kind;
	char *name; /* the address without parameters */
	void *ctx;
	struct sink_uri uri;
	struct feed *feed;
	size_t len;
	unsigned int reopened; /* value of set->reopen that was obeyed */
	pthread_t thread;
	bool running;
};

struct sink_set {
	struct sink_stop stop;
	struct sink sink[SINK_MAX];
	size_t len;
	bool quiet;
	/* guarded by m */
	pthread_mutex_t m;
	pthread_cond_t changed;
	unsigned int wake, reopen;
};

int64_t
sink_now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
sink_stop_now(const struct sink_stop *s)
{
	return atomic_load(&s->asked) &&
	       sink_now_ms() >= atomic_load(&s->deadline);
}

const struct sink_kind *
sink_kind_of(const char *scheme)
{
	static const struct sink_kind *const kinds[] = {
	    &sink_file,
	    &sink_stdout,
	    &sink_syslog_tcp,
	    &sink_syslog_tls,
	    &sink_kafka,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->scheme, scheme) == 0)
			return kinds[i];
	return NULL;
}

/* ---- words --------------------------------------------------------------- */

static void say(const struct sink *s, const char *unit, const char *fmt, ...)
    HSA_PRINTF(3, 4);

static void
say(const struct sink *s, const char *unit, const char *fmt, ...)
{
	struct hsa_buf b = {0};
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	hsa_buf_printf(&b, "hsa collect: sink ");
	vfy_utf8_show(&b, s->name);
	hsa_buf_printf(
	    &b, "%s%s: ", unit == NULL ? "" : ": ", unit == NULL ? "" : unit);
	vfy_utf8_show(&b, text);
	(void)fprintf(stderr, "%s\n", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

static void
trouble(const struct sink *s, struct feed *f, hsa_rc rc, const char *why)
{
	int64_t now = sink_now_ms();

	vfy_follow_free(f->follow);
	f->follow = NULL;
	f->resumed = false;
	f->backoff = f->backoff == 0 ? BACKOFF_MIN_MS : 2 * f->backoff;
	if (f->backoff > BACKOFF_MAX_MS)
		f->backoff = BACKOFF_MAX_MS;
	f->not_before = now + f->backoff;
	f->over = rc.v == HSA_E_STATE;
	if (rc.v == HSA_E_STOPPED ||
	    (f->failing && now - f->said < SAY_EVERY_MS && !f->over))
		return;
	say(s, f->unit, "%s; at record %" PRIu64 ", %s",
	    why[0] == '\0' ? hsa_err_text(rc) : why, f->next,
	    f->over ? "given up until the next start: the copy has the rest"
		    : "trying again: the copy has the rest");
	f->failing = true;
	f->said = now;
}

static void
success(const struct sink *s, struct feed *f)
{
	f->backoff = f->not_before = 0;
	if (f->failing)
		say(s, f->unit, "works again; at record %" PRIu64, f->next);
	f->failing = f->unreadable = false;
}

/* ---- a turn -------------------------------------------------------------- */

/* The sink says where to go on, and a reader stands there. */
static hsa_rc
ready(const struct sink *s, struct feed *f, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (!f->resumed) {
		HSA_TRY(rc, s->kind->resume(s->ctx, &f->next, f->unit, diag));
		f->resumed = true;
	}
	if (f->follow != NULL)
		return HSA_OK;
	rc = vfy_follow_open(&f->follow, f->path, diag);
	if (hsa_is_ok(rc))
		vfy_follow_from(f->follow, f->next);
out:
	return rc;
}

/* Up to a batch of what is there. next: behind it. */
static hsa_rc
gather(const struct sink *s, struct feed *f, uint64_t *next, bool *full,
    struct hsa_diag *diag)
{
	size_t bytes = 0, n = 0;
	struct hsa_record r;
	struct hsa_slice raw;
	struct vfy_place at;
	hsa_rc rc = HSA_OK;

	for (; n < SINK_BATCH_RECORDS && bytes < SINK_BATCH_BYTES; n++) {
		rc = vfy_follow_next(f->follow, &r, 0);
		if (!hsa_is_ok(rc))
			break;
		raw = vfy_follow_raw(f->follow);
		rc = s->kind->add(s->ctx, f->unit, &r, raw.p, raw.n);
		*next = r.sequence + 1;
		hsa_record_free(&r);
		if (!hsa_is_ok(rc))
			return rc;
		bytes += raw.n;
	}
	*full = hsa_is_ok(rc);
	if (n > 0 || rc.v == HSA_E_TIMEOUT)
		return HSA_OK; /* what else is wrong comes again */
	vfy_follow_place(f->follow, &at);
	f->unreadable = true;
	return hsa_fail(diag, rc, "%s/%s, byte %" PRIu64 ": %s", f->path,
	    at.file, at.offset, hsa_err_text(rc));
}

/* One batch of one unit. more: there may be further ones right now. */
static void
serve(const struct sink *s, struct feed *f, bool *more)
{
	struct hsa_diag diag = {{0}};
	uint64_t next;
	bool full = false;
	hsa_rc rc;

	if (f->over || sink_now_ms() < f->not_before)
		return;
	rc = ready(s, f, &diag);
	if (rc.v == HSA_E_NOT_FOUND && f->resumed)
		return; /* no copy of this unit yet */
	HSA_TRY(rc, rc);
	next = f->next;
	HSA_TRY(rc, gather(s, f, &next, &full, &diag));
	if (next == f->next) {
		if (f->failing)
			success(s, f);
		return;
	}
	HSA_TRY(rc, s->kind->put(s->ctx, f->unit, f->next, next, &diag));
	f->delivered += next - f->next;
	f->next = next;
	*more = *more || full;
	success(s, f);
out:
	if (!hsa_is_ok(rc)) {
		s->kind->drop(s->ctx);
		trouble(s, f, rc, diag.text);
	}
}

/* Is there a sink to wait for? A copy that is damaged stays so. */
static bool
behind(const struct sink *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->feed[i].failing && !s->feed[i].over &&
		    !s->feed[i].unreadable)
			return true;
	return false;
}

/* Until something was stored, or somebody else's time has come. */
static void
rest(struct sink *s, unsigned int *seen)
{
	struct sink_set *set = s->set;
	const struct timespec linger = {0, LINGER_MS * 1000000L};
	int64_t until = sink_now_ms() + LOOK_MS;
	struct timespec t;

	for (size_t i = 0; i < s->len; i++)
		if (s->feed[i].not_before != 0 && s->feed[i].not_before < until)
			until = s->feed[i].not_before;
	t = (struct timespec){until / 1000, until % 1000 * 1000000};
	(void)pthread_mutex_lock(&set->m);
	while (set->wake == *seen && set->reopen == s->reopened &&
	       !atomic_load(&set->stop.asked) &&
	       pthread_cond_timedwait(&set->changed, &set->m, &t) == 0)
		;
	*seen = set->wake;
	(void)pthread_mutex_unlock(&set->m);
	if (!atomic_load(&set->stop.asked))
		(void)nanosleep(&linger, NULL);
	else if (behind(s)) {
		/* being stopped, and still trying */
		const struct timespec nap = {0, 50 * 1000000L};

		(void)nanosleep(&nap, NULL);
	}
}

static void
obey(struct sink *s)
{
	unsigned int now;

	(void)pthread_mutex_lock(&s->set->m);
	now = s->set->reopen;
	(void)pthread_mutex_unlock(&s->set->m);
	if (now == s->reopened)
		return;
	s->reopened = now;
	s->kind->reopen(s->ctx);
	for (size_t i = 0; i < s->len; i++) {
		/* a new place may be one that works */
		s->feed[i].not_before = 0;
		s->feed[i].resumed = false;
		vfy_follow_free(s->feed[i].follow);
		s->feed[i].follow = NULL;
	}
}

static void *
work(void *arg)
{
	struct sink *s = arg;
	unsigned int seen = 0;
	bool more, last;

	for (;;) {
		/* asked before the turn: what was stored by then is seen */
		last = atomic_load(&s->set->stop.asked);
		more = false;
		obey(s);
		for (size_t i = 0; i < s->len; i++)
			serve(s, &s->feed[i], &more);
		if (sink_stop_now(&s->set->stop) ||
		    (last && !more && !behind(s)))
			break;
		if (more)
			continue;
		rest(s, &seen);
	}
	return NULL;
}

/* ---- the set ------------------------------------------------------------- */

static hsa_rc
open_sink(struct sink_set *set, const char *address,
    const struct sink_set_config *cfg, struct hsa_diag *diag)
{
	struct sink *s = &set->sink[set->len];
	struct sink_config c = {.dir = cfg->dir,
	    .uri = &s->uri,
	    .kafka = cfg->kafka,
	    .stop = &set->stop};
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	set->len++;
	s->set = set;
	s->name = strndup(address, strcspn(address, "?"));
	s->feed = calloc(cfg->units + 1, sizeof(*s->feed));
	if (s->name == NULL || s->feed == NULL)
		goto out;
	for (size_t i = 0; i + 1 < set->len; i++)
		if (strcmp(set->sink[i].name, s->name) == 0) {
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "%s: this sink is there twice", s->name);
			goto out;
		}
	HSA_TRY(rc, sink_uri_parse(&s->uri, address, diag));
	s->kind = sink_kind_of(s->uri.scheme);
	if (s->kind == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "%s: there is no such kind of sink", s->name);
		goto out;
	}
	HSA_TRY(rc, sink_uri_only(&s->uri, s->kind->params, diag));
	for (; s->len < cfg->units; s->len++) {
		struct feed *f = &s->feed[s->len];

		hsa_buf_reset(&path);
		hsa_buf_printf(&path, "%s/%s", cfg->dir, cfg->unit[s->len]);
		(void)snprintf(
		    f->unit, sizeof(f->unit), "%s", cfg->unit[s->len]);
		f->path = path.failed ? NULL : strdup(hsa_buf_cstr(&path));
		if (f->path == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
	}
	rc = s->kind->open(&s->ctx, &c, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "sink %s", s->name);
out:
	if (rc.v == HSA_E_NOMEM)
		hsa_diag_set(diag, "out of memory");
	hsa_buf_free(&path);
	return rc;
}

static void
free_set(struct sink_set *set)
{
	for (size_t i = 0; i < set->len; i++) {
		struct sink *s = &set->sink[i];

		if (s->ctx != NULL)
			s->kind->close(s->ctx);
		for (size_t k = 0; k < s->len; k++) {
			vfy_follow_free(s->feed[k].follow);
			free(s->feed[k].path);
		}
		free(s->feed);
		free(s->name);
		sink_uri_free(&s->uri);
	}
	(void)pthread_cond_destroy(&set->changed);
	(void)pthread_mutex_destroy(&set->m);
	free(set);
}

hsa_rc
sink_set_open(struct sink_set **to, const struct sink_set_config *cfg,
    struct hsa_diag *diag)
{
	struct sink_set *set = calloc(1, sizeof(*set));
	pthread_condattr_t attr;
	hsa_rc rc = HSA_OK;

	if (set == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	set->quiet = cfg->quiet;
	(void)pthread_mutex_init(&set->m, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&set->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (cfg->addresses > SINK_MAX) {
		rc =
		    hsa_fail(diag, HSA_RC(E_ARG), "at most %d sinks", SINK_MAX);
		goto out;
	}
	for (size_t i = 0; i < cfg->addresses; i++)
		HSA_TRY(rc, open_sink(set, cfg->address[i], cfg, diag));
	*to = set;
	set = NULL;
out:
	if (set != NULL)
		free_set(set);
	return rc;
}

hsa_rc
sink_set_start(struct sink_set *set, struct hsa_diag *diag)
{
	sigset_t pipe, old;
	int err = 0;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, &old);
	for (size_t i = 0; i < set->len && err == 0; i++) {
		err = pthread_create(
		    &set->sink[i].thread, NULL, work, &set->sink[i]);
		set->sink[i].running = err == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err == 0 ? HSA_OK
			: hsa_fail(diag, HSA_RC(E_IO), "a sink's thread: %s",
			      strerror(err));
}

bool
sink_set_uses_stdout(const struct sink_set *set)
{
	for (size_t i = 0; i < set->len; i++)
		if (set->sink[i].kind == &sink_stdout)
			return true;
	return false;
}

static void
tell(struct sink_set *set, unsigned int *what)
{
	(void)pthread_mutex_lock(&set->m);
	(*what)++;
	(void)pthread_cond_broadcast(&set->changed);
	(void)pthread_mutex_unlock(&set->m);
}

void
sink_set_wake(struct sink_set *set)
{
	if (set != NULL && set->len != 0)
		tell(set, &set->wake);
}

void
sink_set_reopen(struct sink_set *set)
{
	if (set != NULL && set->len != 0)
		tell(set, &set->reopen);
}

void
sink_set_close(struct sink_set *set)
{
	if (set == NULL)
		return;
	atomic_store(&set->stop.deadline, sink_now_ms() + SINK_DRAIN_MS);
	atomic_store(&set->stop.asked, true);
	sink_set_wake(set);
	for (size_t i = 0; i < set->len; i++) {
		struct sink *s = &set->sink[i];
		uint64_t n = 0;

		if (!s->running)
			continue;
		(void)pthread_join(s->thread, NULL);
		for (size_t k = 0; k < s->len; k++)
			n += s->feed[k].delivered;
		if (behind(s))
			say(s, NULL,
			    "stopped behind; it goes on at the next start");
		if (!set->quiet)
			say(s, NULL, "%" PRIu64 " records passed on", n);
	}
	free_set(set);
}
