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

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000
#define HELLO_MS 10000
#define STALL_MS 30000

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

void
chan_show_ends(struct chan *c, int64_t own)
{
	(void)pthread_mutex_lock(&c->mutex);
	c->status.certificate_ends = own;
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

/* stop is readable once, for whoever waits next; stopping stays. */
void
chan_hear(struct chan *c)
{
	uint64_t count;

	if (read(c->stop, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return; /* EINTR: at the next call */
}

bool
chan_renewing(struct chan *c)
{
	bool renew;

	(void)pthread_mutex_lock(&c->mutex);
	renew = c->renew;
	c->renew = false;
	(void)pthread_mutex_unlock(&c->mutex);
	return renew;
}

hsa_rc
chan_wait(struct chan *c, int fd, int events, int64_t until)
{
	struct pollfd p[2] = {
	    {.fd = fd, .events = (short)events},
	    {.fd = c->stop, .events = POLLIN},
	};
	int64_t ms = until - chan_now_ms();
	int left = -1;

	if (chan_finished(c, &left))
		return HSA_RC(E_STOPPED);
	if (ms <= 0)
		return HSA_RC(E_TIMEOUT);
	if (poll(p, 2, chan_sooner((int)ms, left)) > 0 && p[1].revents != 0)
		chan_hear(c);
	return HSA_OK;
}

static void
pause_for(struct chan *c, int ms)
{
	int64_t until = chan_now_ms() + ms;

	while (hsa_is_ok(chan_wait(c, -1, 0, until)))
		if (chan_renewing(c))
			return;
}

static void *
chan_main(void *arg)
{
	struct chan *c = arg;
	int left = -1;
	hsa_rc rc;

	chan_pause_reset(c);
	while (!chan_finished(c, &left)) {
		rc = chan_dial(c);
		if (hsa_is_ok(rc))
			rc = chan_session(c);
		if (hsa_is_ok(rc))
			break;
		chan_conn_close(&c->conn);
		if (rc.v == HSA_E_STATE) /* a renewal */
			continue;
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
	free(c->address);
	free(c->origin);
	free(c->tls_ca);
	free(c->tls_identity);
	free(c->tls_name);
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

static hsa_rc
check(const struct chan_config *cfg)
{
	struct sockaddr_un longest;
	struct hsa_addr a = {0};
	hsa_rc rc = hsa_addr_parse(&a, cfg->address);

	if (rc.v == HSA_E_FORMAT || cfg->origin[0] == '\0')
		return HSA_RC(E_ARG);
	HSA_TRY(rc, rc);
	if (a.kind == HSA_ADDR_UNIX &&
	    strlen(a.path) >= sizeof(longest.sun_path))
		return HSA_RC(E_ARG);
	if (a.kind == HSA_ADDR_TLS &&
	    (a.port == 0 || cfg->tls_ca == NULL || cfg->tls_identity == NULL ||
		cfg->tls_name == NULL || !hsa_is_dns_name(cfg->tls_name)))
		return HSA_RC(E_ARG);
out:
	return rc;
}

static hsa_rc
copy_texts(struct chan *c, const struct chan_config *cfg)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_strdup_opt(&c->name, cfg->name));
	HSA_TRY(rc, hsa_strdup_opt(&c->address, cfg->address));
	HSA_TRY(rc, hsa_strdup_opt(&c->origin, cfg->origin));
	HSA_TRY(rc, hsa_strdup_opt(&c->tls_ca, cfg->tls_ca));
	HSA_TRY(rc, hsa_strdup_opt(&c->tls_identity, cfg->tls_identity));
	HSA_TRY(rc, hsa_strdup_opt(&c->tls_name, cfg->tls_name));
	HSA_TRY(rc, hsa_addr_parse(&c->to, c->address));
	(void)snprintf(c->status.name, sizeof(c->status.name), "%s",
	    c->name == NULL ? "" : c->name);
	plain(c->status.name);
out:
	return rc;
}

hsa_rc
chan_start(struct chan **out, const struct chan_config *cfg, struct slog *l)
{
	struct chan *c = NULL;
	hsa_rc rc;

	HSA_TRY(rc, check(cfg));
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return HSA_RC(E_NOMEM);
	c->conn.fd = -1;
	c->l = l;
	c->epoch = cfg->epoch;
	c->pause_max = cfg->pause_max_ms > 0 ? cfg->pause_max_ms : PAUSE_MAX_MS;
	c->hello_ms = cfg->hello_ms > 0 ? cfg->hello_ms : HELLO_MS;
	c->stall_ms = cfg->stall_ms > 0 ? cfg->stall_ms : STALL_MS;
	c->health = cfg->health;
	c->health_ctx = cfg->health_ctx;
	memcpy(c->unit_id, cfg->unit_id, sizeof(c->unit_id));
	c->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->stop < 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	HSA_TRY(rc, copy_texts(c, cfg));
	c->span = calloc(CHAN_BATCH_RECORDS, sizeof(*c->span));
	c->slice = calloc(CHAN_BATCH_RECORDS, sizeof(*c->slice));
	if (c->span == NULL || c->slice == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	HSA_TRY(rc, thread_start(c));
	*out = c;
	return rc;
out:
	if (c != NULL)
		chan_free(c);
	return rc;
}

static void
wake(struct chan *c)
{
	const uint64_t one = 1;
	ssize_t put;

	do
		put = write(c->stop, &one, sizeof(one));
	while (put < 0 && errno == EINTR);
}

void
chan_renew(struct chan *c)
{
	if (c->to.kind != HSA_ADDR_TLS)
		return;
	(void)pthread_mutex_lock(&c->mutex);
	c->renew = true;
	(void)pthread_mutex_unlock(&c->mutex);
	wake(c);
}

void
chan_stop(struct chan *c, int drain_ms)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_lock(&c->mutex);
	c->stopping = true;
	c->drain_until = chan_now_ms() + (drain_ms > 0 ? drain_ms : 0);
	(void)pthread_mutex_unlock(&c->mutex);
	wake(c);
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
