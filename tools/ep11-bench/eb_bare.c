#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "eb_bare.h"

#define ROOM 65536u

static bool
write_batch(int fd, size_t n)
{
	static const uint8_t bytes[ROOM] = {1};
	ssize_t w;

	while (n > 0) {
		w = write(fd, bytes, n < ROOM ? n : ROOM);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		n -= (size_t)w;
	}
	return fdatasync(fd) == 0;
}

static void *
write_all(void *arg)
{
	struct eb_bare *b = arg;
	size_t n;
	bool good;

	(void)pthread_mutex_lock(&b->mutex);
	while (!b->stop) {
		if (b->waiting == 0) {
			(void)pthread_cond_wait(&b->work, &b->mutex);
			continue;
		}
		n = b->waiting * b->length;
		b->waiting = 0;
		b->batch++;
		(void)pthread_mutex_unlock(&b->mutex);
		good = write_batch(b->fd, n);
		(void)pthread_mutex_lock(&b->mutex);
		b->failed = b->failed || !good;
		b->durable++;
		(void)pthread_cond_broadcast(&b->done[b->durable & 1]);
	}
	(void)pthread_mutex_unlock(&b->mutex);
	return NULL;
}

hsa_rc
eb_bare_open(struct eb_bare *b, const char *dir, struct hsa_diag *diag)
{
	*b = (struct eb_bare){.length = 1, .batch = 1};
	b->fd = open(dir, O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: no file to compare with: %s", dir, strerror(errno));
	(void)pthread_mutex_init(&b->mutex, NULL);
	(void)pthread_cond_init(&b->work, NULL);
	(void)pthread_cond_init(&b->done[0], NULL);
	(void)pthread_cond_init(&b->done[1], NULL);
	b->running = pthread_create(&b->writer, NULL, write_all, b) == 0;
	if (b->running)
		return HSA_OK;
	(void)close(b->fd);
	b->fd = -1;
	return hsa_fail(diag, HSA_RC(E_NOMEM), "no thread to write");
}

void
eb_bare_length(struct eb_bare *b, size_t n)
{
	(void)pthread_mutex_lock(&b->mutex);
	b->length = n == 0 ? 1 : n;
	(void)pthread_mutex_unlock(&b->mutex);
}

hsa_rc
eb_bare_commit(struct eb_bare *b)
{
	uint64_t mine;
	bool failed;

	(void)pthread_mutex_lock(&b->mutex);
	mine = b->batch;
	if (b->waiting++ == 0)
		(void)pthread_cond_signal(&b->work);
	while (b->durable < mine && !b->failed)
		(void)pthread_cond_wait(&b->done[mine & 1], &b->mutex);
	failed = b->failed;
	(void)pthread_mutex_unlock(&b->mutex);
	return failed ? HSA_RC(E_IO) : HSA_OK;
}

void
eb_bare_close(struct eb_bare *b)
{
	if (!b->running)
		return;
	(void)pthread_mutex_lock(&b->mutex);
	b->stop = true;
	(void)pthread_cond_signal(&b->work);
	(void)pthread_mutex_unlock(&b->mutex);
	(void)pthread_join(b->writer, NULL);
	(void)pthread_mutex_destroy(&b->mutex);
	(void)pthread_cond_destroy(&b->work);
	(void)pthread_cond_destroy(&b->done[0]);
	(void)pthread_cond_destroy(&b->done[1]);
	(void)close(b->fd);
	b->running = false;
}
