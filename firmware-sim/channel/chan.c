#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "chan_impl.h"

#define SCHEME "unix:"
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000

int64_t
chan_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Status is shown and encoded: one line of ASCII, wherever it came from. */
static void
plain(char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < ' ' || (uint8_t)*s >= 0x7f)
			*s = '?';
}

void
chan_show(struct chan *c, bool lasting, const char *fmt, ...)
{
	char text[sizeof(c->status.last_error)] = {0};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	plain(text);
	c->lasting = lasting;
	(void)pthread_mutex_lock(&c->mutex);
	memcpy(c->status.last_error, text, sizeof(text));
	(void)pthread_mutex_unlock(&c->mutex);
}

void
chan_show_connected(struct chan *c, bool connected)
{
	(void)pthread_mutex_lock(&c->mutex);
	c->status.connected = connected;
	if (connected && !c->lasting)
		c->status.last_error[0] = '\0';
	(void)pthread_mutex_unlock(&c->mutex);
}

uint64_t
chan_log_size(const struct chan *c)
{
	struct cu_sink sink = slog_sink(c->l);
	uint8_t root[32];
	uint64_t size = 0;

	sink.ops->head(sink.ctx, &size, root);
	return size;
}

bool
chan_finished(struct chan *c, int *left)
{
	int64_t until;
	bool stopping, connected;

	(void)pthread_mutex_lock(&c->mutex);
	stopping = c->stopping;
	until = c->drain_until;
	connected = c->status.connected;
	(void)pthread_mutex_unlock(&c->mutex);
	*left = -1;
	if (!stopping)
		return false;
	until -= chan_now_ms();
	if (until <= 0 || (connected && c->held >= chan_log_size(c)))
		return true;
	*left = until < INT32_MAX ? (int)until : INT32_MAX;
	return false;
}

int
chan_sooner(int a, int b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

void
chan_pause_reset(struct chan *c)
{
	c->pause = chan_sooner(PAUSE_MIN_MS, c->pause_max);
}

static void
pause_for(struct chan *c, int ms)
{
	int64_t until = chan_now_ms() + ms;
	struct pollfd p = {.fd = c->stop, .events = POLLIN};
	int left = -1;

	while (chan_now_ms() < until && !chan_finished(c, &left)) {
		p.fd = left < 0 ? c->stop : -1;
		(void)poll(
		    &p, 1, chan_sooner((int)(until - chan_now_ms()), left));
	}
}

static void *
chan_main(void *arg)
{
	struct chan *c = arg;
	int left = -1, err = 0;
	hsa_rc rc;

	chan_pause_reset(c);
	while (!chan_finished(c, &left)) {
		rc = chan_conn_open(&c->conn, &err, c->path);
		if (hsa_is_ok(rc)) {
			rc = chan_session(c);
			if (hsa_is_ok(rc))
				break;
		} else if (!c->lasting)
			chan_show(c, false, "%s: %s; start the collector there",
			    c->path, strerror(err));
		if (c->lasting) /* it will not go away by itself */
			c->pause = c->pause_max;
		pause_for(c, c->pause);
		c->pause = chan_sooner(2 * c->pause, c->pause_max);
	}
	return NULL;
}

static void
chan_free(struct chan *c)
{
	if (c->stop >= 0)
		(void)close(c->stop);
	chan_conn_free(&c->conn);
	hsa_buf_free(&c->records);
	free(c->span);
	free(c->slice);
	free(c->name);
	free(c->path);
	free(c->origin);
	free(c);
}

static hsa_rc
thread_start(struct chan *c)
{
	sigset_t all, before;
	int e;

	if (pthread_mutex_init(&c->mutex, NULL) != 0)
		return HSA_RC(E_NOMEM);
	/* signals are for the program's own threads */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&c->thread, NULL, chan_main, c);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e != 0)
		(void)pthread_mutex_destroy(&c->mutex);
	return e == 0 ? HSA_OK : HSA_RC(E_NOMEM);
}

hsa_rc
chan_start(struct chan **out, const struct chan_config *cfg, struct slog *l)
{
	const size_t scheme = sizeof(SCHEME) - 1;
	struct sockaddr_un longest;
	struct chan *c;
	hsa_rc rc;

	if (strncmp(cfg->address, SCHEME, scheme) != 0)
		return HSA_RC(E_UNSUPPORTED);
	if (cfg->address[scheme] == '\0' || cfg->origin[0] == '\0' ||
	    strlen(cfg->address + scheme) >= sizeof(longest.sun_path))
		return HSA_RC(E_ARG);
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return HSA_RC(E_NOMEM);
	c->conn.fd = -1;
	c->l = l;
	c->epoch = cfg->epoch;
	c->pause_max = cfg->pause_max_ms > 0 ? cfg->pause_max_ms : PAUSE_MAX_MS;
	memcpy(c->unit_id, cfg->unit_id, sizeof(c->unit_id));
	c->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->stop < 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	HSA_TRY(rc, hsa_strdup_opt(&c->name, cfg->name));
	HSA_TRY(rc, hsa_strdup_opt(&c->path, cfg->address + scheme));
	HSA_TRY(rc, hsa_strdup_opt(&c->origin, cfg->origin));
	c->span = calloc(CHAN_BATCH_RECORDS, sizeof(*c->span));
	c->slice = calloc(CHAN_BATCH_RECORDS, sizeof(*c->slice));
	if (c->span == NULL || c->slice == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	(void)snprintf(c->status.name, sizeof(c->status.name), "%s",
	    c->name == NULL ? "" : c->name);
	plain(c->status.name);
	HSA_TRY(rc, thread_start(c));
	*out = c;
	return rc;
out:
	chan_free(c);
	return rc;
}

void
chan_stop(struct chan *c, int drain_ms)
{
	const uint64_t one = 1;
	ssize_t put;

	if (c == NULL)
		return;
	(void)pthread_mutex_lock(&c->mutex);
	c->stopping = true;
	c->drain_until = chan_now_ms() + (drain_ms > 0 ? drain_ms : 0);
	(void)pthread_mutex_unlock(&c->mutex);
	do
		put = write(c->stop, &one, sizeof(one));
	while (put < 0 && errno == EINTR);
	(void)pthread_join(c->thread, NULL);
	(void)pthread_mutex_destroy(&c->mutex);
	chan_free(c);
}

void
chan_status(struct chan *c, struct hsa_collector_status *st)
{
	(void)pthread_mutex_lock(&c->mutex);
	*st = c->status;
	(void)pthread_mutex_unlock(&c->mutex);
}
