/* Opening and closing a ring's file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slog_ring_impl.h"

#define MAGIC "cuRING1\n"

static size_t
bytes_of(uint32_t slots)
{
	return sizeof(struct slog_ring_header) +
	       SLOG_RING_CONTEXTS * sizeof(struct slog_ring_context) +
	       (size_t)slots * sizeof(struct slog_ring_slot);
}

static hsa_rc
open_file(struct slog_ring *r, struct stat *st, const char *path,
    struct hsa_diag *diag)
{
	r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd < 0)
		return hsa_fail(diag,
		    errno == ELOOP ? HSA_RC(E_AUTH) : HSA_RC(E_IO),
		    "%s: cannot open the ring: %s", path, strerror(errno));
	/* before anything is read: who had it may have been making it, or
	 * removing it */
	if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
		return hsa_fail(diag,
		    errno == EWOULDBLOCK ? HSA_RC(E_BUSY) : HSA_RC(E_IO),
		    "%s: another process has the ring; stop it first", path);
	if (fstat(r->fd, st) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot look at the ring: %s", path, strerror(errno));
	if (S_ISREG(st->st_mode) && st->st_nlink == 0)
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another process was just removing the ring; try again",
		    path);
	if (!S_ISREG(st->st_mode) || st->st_uid != geteuid() ||
	    (st->st_mode & 077) != 0 || st->st_nlink != 1)
		return hsa_fail(diag, HSA_RC(E_AUTH),
		    "%s: the ring is not a file of this user's alone; find "
		    "out whose it is, then remove it",
		    path);
	return HSA_OK;
}

static hsa_rc
map(struct slog_ring *r, const char *path, size_t bytes, struct hsa_diag *diag)
{
	void *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);

	if (p == MAP_FAILED) {
		hsa_diag_set(
		    diag, "%s: cannot map the ring: %s", path, strerror(errno));
		return HSA_RC(E_NOMEM);
	}
	r->bytes = bytes;
	r->h = p;
	r->context = (void *)(r->h + 1);
	r->slot = (void *)(r->context + SLOG_RING_CONTEXTS);
	return HSA_OK;
}

static bool
power_of_two(uint32_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/* The magic is written last, so a file without it was never used. */
static hsa_rc
make(struct slog_ring *r, const struct slog_ring_config *cfg,
    struct hsa_diag *diag)
{
	uint32_t slots = cfg->slots == 0 ? SLOG_RING_SLOTS : cfg->slots;
	hsa_rc rc = HSA_OK;
	int e;

	if (!power_of_two(slots) || slots < SLOG_RING_SLOTS_MIN ||
	    slots > SLOG_RING_SLOTS_MAX)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "a ring has a power of two of slots, %u to %u",
		    SLOG_RING_SLOTS_MIN, SLOG_RING_SLOTS_MAX);
	if (ftruncate(r->fd, 0) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot empty the ring: %s", cfg->path,
		    strerror(errno));
	/* memory now rather than a SIGBUS later */
	e = posix_fallocate(r->fd, 0, (off_t)bytes_of(slots));
	if (e != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: no room for a ring of %zu bytes: %s", cfg->path,
		    bytes_of(slots), strerror(e));
	HSA_TRY(rc, map(r, cfg->path, bytes_of(slots), diag));
	r->h->slot = SLOG_RING_SLOT;
	r->h->slots = slots;
	r->mask = slots - 1;
	r->h->contexts = SLOG_RING_CONTEXTS;
	r->h->context = SLOG_RING_CONTEXT_MAX;
	memcpy(r->h->unit_id, cfg->unit_id, sizeof(r->h->unit_id));
	r->h->base = cfg->base;
	atomic_store(&r->h->head, cfg->base);
	atomic_store(&r->h->tail, cfg->base);
	atomic_store(&r->h->sealed, cfg->base);
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(r->h->magic, MAGIC, sizeof(r->h->magic));
out:
	return rc;
}

/*
 * Generations go on from the highest one of before: the sealer may have met
 * that. No place is free while a record in the ring may refer to it.
 */
static bool
contexts_ok(struct slog_ring *r, uint64_t head)
{
	const struct slog_ring_context *c;
	uint32_t i, n;

	for (i = 0; i < SLOG_RING_CONTEXTS; i++) {
		c = &r->context[i];
		n = atomic_load(&c->n);
		r->free_at[i] = head;
		if (n == 0)
			continue;
		if (n > SLOG_RING_CONTEXT_MAX || c->generation == 0 ||
		    c->generation > INT64_MAX)
			return false;
		if (c->generation > r->generation)
			r->generation = c->generation;
	}
	return true;
}

/* A commit word stands where its position belongs, and before head: else head
 * went back, and what was published would be taken for room. */
static bool
slots_ok(const struct slog_ring *r, uint64_t head)
{
	uint64_t i, commit;

	for (i = 0; i <= r->mask; i++) {
		commit = atomic_load(&r->slot[i].commit);
		if (commit > head ||
		    (commit != 0 && ((commit - 1) & r->mask) != i))
			return false;
	}
	return true;
}

/* Every number of the file before it is used. */
static hsa_rc
attach(struct slog_ring *r, const struct slog_ring_config *cfg,
    const struct stat *st, struct hsa_diag *diag)
{
	const struct slog_ring_header *h;
	const char *what = NULL;
	bool foreign = true;
	uint64_t head, tail;
	hsa_rc rc;

	HSA_TRY(rc, map(r, cfg->path, (size_t)st->st_size, diag));
	h = r->h;
	head = atomic_load(&h->head);
	tail = atomic_load(&h->tail);
	if (h->slot != SLOG_RING_SLOT || h->contexts != SLOG_RING_CONTEXTS ||
	    h->context != SLOG_RING_CONTEXT_MAX || !power_of_two(h->slots) ||
	    h->slots < SLOG_RING_SLOTS_MIN || h->slots > SLOG_RING_SLOTS_MAX ||
	    bytes_of(h->slots) != r->bytes)
		what = "was made by another version, or is damaged";
	else if (memcmp(h->unit_id, cfg->unit_id, sizeof(h->unit_id)) != 0)
		what = "is that of another unit";
	foreign = what != NULL;
	if (foreign)
		;
	else if (tail < h->base || head < tail || head - tail > h->slots ||
		 head > INT64_MAX || atomic_load(&h->sealed) > head)
		what = "has positions that cannot be";
	else if (!contexts_ok(r, head))
		what = "has contexts that cannot be";
	r->mask = h->slots - 1;
	if (what == NULL && !slots_ok(r, head))
		what = "has records where none can be";
	if (what != NULL)
		rc = hsa_fail(diag,
		    foreign ? HSA_RC(E_FORMAT) : HSA_RC(E_CORRUPT),
		    "%s: the ring %s; keep a copy as evidence, then remove it",
		    cfg->path, what);
out:
	return rc;
}

hsa_rc
slog_ring_open(struct slog_ring **to, enum slog_ring_found *found,
    const struct slog_ring_config *cfg, struct hsa_diag *diag)
{
	struct slog_ring *r = calloc(1, sizeof(*r));
	uint8_t magic[8] = {0};
	struct stat st = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (r == NULL)
		return rc;
	r->fd = -1;
	r->path = strdup(cfg->path);
	r->whole = malloc(SLOG_RING_RECORD_MAX + SLOG_RING_ROOM);
	if (r->path == NULL || r->whole == NULL)
		goto out;
	HSA_TRY(rc, open_file(r, &st, cfg->path, diag));
	*found = SLOG_RING_OLD;
	/* a short file has zeros here, or is somebody's */
	if (pread(r->fd, magic, sizeof(magic), 0) < 0 ||
	    (size_t)st.st_size < sizeof(struct slog_ring_header) ||
	    memcmp(magic, MAGIC, sizeof(magic)) != 0) {
		static const uint8_t none[8];

		if (memcmp(magic, none, sizeof(magic)) != 0) {
			rc = hsa_fail(diag, HSA_RC(E_FORMAT),
			    "%s: is no ring; find out what it is, then remove "
			    "it",
			    cfg->path);
			goto out;
		}
		*found = SLOG_RING_NEW;
		HSA_TRY(rc, make(r, cfg, diag));
	} else {
		HSA_TRY(rc, attach(r, cfg, &st, diag));
	}
	*to = r;
	r = NULL;
out:
	slog_ring_close(r, false);
	return rc;
}

void
slog_ring_close(struct slog_ring *r, bool remove)
{
	if (r == NULL)
		return;
	if (r->h != NULL && remove &&
	    atomic_load(&r->h->head) == atomic_load(&r->h->tail) &&
	    atomic_load(&r->h->unrecorded) == 0)
		(void)unlink(r->path);
	if (r->h != NULL)
		(void)munmap(r->h, r->bytes);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r->path);
	free(r->whole);
	free(r);
}
