#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "slog_ring.h"

#define MAGIC "cuRING1\n"
#define PAGE 4096u
#define NAP_NS 20000 /* of a producer that found the ring full */
#define NAPS_PER_MS (1000000 / NAP_NS)

/* Numbers that different threads write lie on cache lines of their own. */
struct header {
	uint8_t magic[8];
	uint32_t slot, slots, contexts, context; /* sizes as compiled */
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t base;
	uint8_t pad0[80];
	_Atomic uint64_t head; /* producers */
	uint8_t pad1[120];
	_Atomic uint64_t tail; /* sealer */
	_Atomic uint64_t sealed;
	uint8_t pad2[112];
	_Atomic uint64_t unrecorded;
	uint8_t pad3[PAGE - 392];
};
_Static_assert(sizeof(struct header) == PAGE, "one page");

/* commit: position + 1 once the record that begins here is published; of other
 * slots, what an earlier lap left, which is never that. */
struct slot {
	_Atomic uint64_t commit;
	uint8_t room[SLOG_RING_ROOM];
	uint32_t n; /* first slot of a record: its bytes */
	uint8_t kind;
	uint8_t pad[3];
};
_Static_assert(sizeof(struct slot) == SLOG_RING_SLOT, "two cache lines");

struct context {
	_Atomic uint32_t n; /* bytes; 0: none. Set last */
	uint32_t pad;
	uint64_t generation;
	uint8_t p[SLOG_RING_CONTEXT_MAX];
};
_Static_assert(sizeof(struct context) == PAGE, "one page");

struct slog_ring {
	struct header *h;
	struct context *context;
	struct slot *slot;
	uint64_t mask;
	size_t bytes; /* of the mapping */
	int fd;
	char *path;
	atomic_bool stopped;
	/* places in use, and when those that were dropped are free again */
	bool used[SLOG_RING_CONTEXTS];
	uint64_t free_at[SLOG_RING_CONTEXTS];
	uint64_t generation;
	uint8_t *whole; /* a record of several slots, put together */
};

static size_t
bytes_of(uint32_t slots)
{
	return sizeof(struct header) +
	       SLOG_RING_CONTEXTS * sizeof(struct context) +
	       (size_t)slots * sizeof(struct slot);
}

static uint64_t
slots_of(size_t n)
{
	return (n + SLOG_RING_ROOM - 1) / SLOG_RING_ROOM;
}

static struct slot *
slot_at(const struct slog_ring *r, uint64_t at)
{
	return &r->slot[at & r->mask];
}

/* ---- opening ------------------------------------------------------------- */

static hsa_rc
open_file(struct slog_ring *r, struct stat *st, const char *path,
    struct hsa_diag *diag)
{
	r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd < 0)
		return hsa_fail(diag,
		    errno == ELOOP ? HSA_RC(E_AUTH) : HSA_RC(E_IO),
		    "%s: cannot open the ring: %s", path, strerror(errno));
	if (fstat(r->fd, st) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot look at the ring: %s", path, strerror(errno));
	if (!S_ISREG(st->st_mode) || st->st_uid != geteuid() ||
	    (st->st_mode & 077) != 0 || st->st_nlink != 1)
		return hsa_fail(diag, HSA_RC(E_AUTH),
		    "%s: the ring is not a file of this user's alone; find "
		    "out whose it is, then remove it",
		    path);
	if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
		return hsa_fail(diag,
		    errno == EWOULDBLOCK ? HSA_RC(E_BUSY) : HSA_RC(E_IO),
		    "%s: another process has the ring; stop it first", path);
	return HSA_OK;
}

static hsa_rc
map(struct slog_ring *r, const char *path, size_t bytes, struct hsa_diag *diag)
{
	void *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);

	if (p == MAP_FAILED)
		return hsa_fail(diag, HSA_RC(E_NOMEM),
		    "%s: cannot map the ring: %s", path, strerror(errno));
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

/* Every number of the file before it is used. */
static hsa_rc
attach(struct slog_ring *r, const struct slog_ring_config *cfg,
    const struct stat *st, struct hsa_diag *diag)
{
	const struct header *h;
	const char *what = NULL;
	uint64_t head, tail;
	hsa_rc rc;

	HSA_TRY(rc, map(r, cfg->path, (size_t)st->st_size, diag));
	h = r->h;
	head = atomic_load(&h->head);
	tail = atomic_load(&h->tail);
	/* whoever seals a context knows it by its number: ours go on behind
	 * those of the processes before */
	for (uint32_t i = 0; i < SLOG_RING_CONTEXTS; i++)
		if (r->context[i].generation > r->generation)
			r->generation = r->context[i].generation;
	if (h->slot != SLOG_RING_SLOT || h->contexts != SLOG_RING_CONTEXTS ||
	    h->context != SLOG_RING_CONTEXT_MAX || !power_of_two(h->slots) ||
	    h->slots < SLOG_RING_SLOTS_MIN || h->slots > SLOG_RING_SLOTS_MAX ||
	    bytes_of(h->slots) != r->bytes)
		what = "was made by another version, or is damaged";
	else if (memcmp(h->unit_id, cfg->unit_id, sizeof(h->unit_id)) != 0)
		what = "is that of another unit";
	else if (tail < h->base || head < tail || head - tail > h->slots ||
		 r->generation > UINT64_MAX / 2)
		what = "has positions that cannot be";
	if (what != NULL)
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
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
	if ((size_t)st.st_size < sizeof(struct header) ||
	    pread(r->fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	    memcmp(magic, MAGIC, sizeof(magic)) != 0) {
		static const uint8_t none[8];

		if (memcmp(magic, none, sizeof(magic)) != 0) {
			rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
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
	r->mask = r->h->slots - 1;
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

/* ---- producers ----------------------------------------------------------- */

static void
nap(void)
{
	const struct timespec t = {.tv_nsec = NAP_NS};

	(void)nanosleep(&t, NULL);
}

/* Off the way that everybody takes. */
static hsa_rc
full(struct slog_ring *r, uint64_t *left)
{
	if (*left == 0) {
		(void)atomic_fetch_add(&r->h->unrecorded, 1);
		return HSA_RC(E_TIMEOUT);
	}
	nap();
	(*left)--;
	return HSA_OK;
}

hsa_rc
slog_ring_reserve(
    struct slog_ring *r, struct slog_ring_place *p, size_t n, int wait_ms)
{
	uint64_t k = slots_of(n), naps = 0, head;
	bool waited = false;
	hsa_rc rc = HSA_OK;

	if (n == 0 || n > SLOG_RING_RECORD_MAX)
		return HSA_RC(E_RANGE);
	head = atomic_load_explicit(&r->h->head, memory_order_relaxed);
	for (;;) {
		if (atomic_load_explicit(&r->stopped, memory_order_relaxed))
			return HSA_RC(E_CLOSED);
		/* acquire: what the sealer read there is read */
		if (head + k -
			atomic_load_explicit(
			    &r->h->tail, memory_order_acquire) >
		    r->mask + 1) {
			if (!waited)
				naps = (uint64_t)(wait_ms < 0 ? 0 : wait_ms) *
				       NAPS_PER_MS;
			waited = true;
			HSA_TRY(rc, full(r, &naps));
			head = atomic_load_explicit(
			    &r->h->head, memory_order_relaxed);
			continue;
		}
		if (atomic_compare_exchange_weak_explicit(&r->h->head, &head,
			head + k, memory_order_relaxed, memory_order_relaxed))
			break;
	}
	p->at = head;
	p->n = (uint32_t)n;
out:
	return rc;
}

void *
slog_ring_room(struct slog_ring *r, const struct slog_ring_place *p, size_t i)
{
	return slot_at(r, p->at + i)->room;
}

void
slog_ring_fill(
    struct slog_ring *r, const struct slog_ring_place *p, const void *rec)
{
	const uint8_t *from = rec;
	size_t i, left = p->n, n;

	for (i = 0; left > 0; i++) {
		n = left < SLOG_RING_ROOM ? left : SLOG_RING_ROOM;
		memcpy(slog_ring_room(r, p, i), from, n);
		from += n;
		left -= n;
	}
}

void
slog_ring_publish(
    struct slog_ring *r, const struct slog_ring_place *p, uint8_t kind)
{
	struct slot *s = slot_at(r, p->at);

	s->n = p->n;
	s->kind = kind;
	atomic_store_explicit(&s->commit, p->at + 1, memory_order_release);
}

void
slog_ring_stop(struct slog_ring *r)
{
	atomic_store(&r->stopped, true);
}

hsa_rc
slog_ring_context_put(
    struct slog_ring *r, uint32_t *handle, const void *p, size_t n)
{
	uint64_t tail = slog_ring_tail(r);
	struct context *c;
	uint32_t i;

	if (n == 0 || n > SLOG_RING_CONTEXT_MAX)
		return HSA_RC(E_RANGE);
	for (i = 0; i < SLOG_RING_CONTEXTS; i++)
		if (!r->used[i] && r->free_at[i] <= tail)
			break;
	if (i == SLOG_RING_CONTEXTS)
		return HSA_RC(E_BUSY);
	c = &r->context[i];
	atomic_store_explicit(&c->n, 0, memory_order_relaxed);
	memcpy(c->p, p, n);
	c->generation = ++r->generation;
	/* who publishes a record that refers to it publishes this too */
	atomic_store_explicit(&c->n, (uint32_t)n, memory_order_release);
	r->used[i] = true;
	*handle = i;
	return HSA_OK;
}

void
slog_ring_context_drop(struct slog_ring *r, uint32_t handle)
{
	if (handle >= SLOG_RING_CONTEXTS)
		return;
	r->used[handle] = false;
	r->free_at[handle] = slog_ring_head(r);
}

/* ---- the sealer ---------------------------------------------------------- */

uint64_t
slog_ring_tail(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->tail, memory_order_acquire);
}

uint64_t
slog_ring_head(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->head, memory_order_acquire);
}

void
slog_ring_release(struct slog_ring *r, uint64_t upto, uint64_t last)
{
	/* a kill in between: what is sealed is known, and skipped then */
	atomic_store_explicit(&r->h->sealed, last, memory_order_release);
	atomic_store_explicit(&r->h->tail, upto, memory_order_release);
}

uint64_t
slog_ring_sealed(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->sealed, memory_order_acquire);
}

static const uint8_t *
whole(struct slog_ring *r, uint64_t at, size_t n)
{
	size_t i, done = 0;

	if (n <= SLOG_RING_ROOM)
		return slot_at(r, at)->room;
	for (i = 0; done < n; i++, done += SLOG_RING_ROOM)
		memcpy(
		    r->whole + done, slot_at(r, at + i)->room, SLOG_RING_ROOM);
	return r->whole;
}

hsa_rc
slog_ring_next(struct slog_ring *r, struct slog_ring_item *it, uint64_t *cursor,
    bool orphans)
{
	uint64_t at = *cursor, head = slog_ring_head(r);
	const struct slot *s;

	for (;; at++) {
		if (at >= head)
			break;
		s = slot_at(r, at);
		if (atomic_load_explicit(&s->commit, memory_order_acquire) ==
		    at + 1)
			break;
		if (!orphans)
			return HSA_RC(E_NOT_FOUND);
	}
	if (at >= head) {
		*cursor = at;
		return HSA_RC(E_NOT_FOUND);
	}
	if (s->n == 0 || s->n > SLOG_RING_RECORD_MAX || s->kind == 0 ||
	    slots_of(s->n) > head - at)
		return HSA_RC(E_CORRUPT);
	it->at = at;
	it->end = at + slots_of(s->n);
	it->kind = s->kind;
	it->n = s->n;
	it->p = whole(r, at, s->n);
	*cursor = it->end;
	return HSA_OK;
}

hsa_rc
slog_ring_context(struct slog_ring *r, uint32_t handle, uint64_t *generation,
    const uint8_t **p, size_t *n)
{
	const struct context *c;
	uint32_t len;

	if (handle >= SLOG_RING_CONTEXTS)
		return HSA_RC(E_CORRUPT);
	c = &r->context[handle];
	len = atomic_load_explicit(&c->n, memory_order_acquire);
	if (len == 0 || len > SLOG_RING_CONTEXT_MAX)
		return HSA_RC(E_CORRUPT);
	*generation = c->generation;
	*p = c->p;
	*n = len;
	return HSA_OK;
}

uint32_t
slog_ring_slots(const struct slog_ring *r)
{
	return (uint32_t)(r->mask + 1);
}

uint64_t
slog_ring_unrecorded(const struct slog_ring *r)
{
	return atomic_load(&r->h->unrecorded);
}

void
slog_ring_unrecorded_told(struct slog_ring *r, uint64_t n)
{
	(void)atomic_fetch_sub(&r->h->unrecorded, n);
}
