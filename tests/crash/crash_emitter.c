/*
 * crash_emitter.c - kill -9 of a process that emits through libhsa from several
 * threads, at seeded points: opening, emitting, closing, and making the folder
 * for the first time. Every event whose call returned is in the log exactly
 * once and as its receipt says; one whose call did not return is there once or
 * not at all; none is there that nobody emitted. KILLS_EMITTER (of each mode)
 * and SEED choose the run.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper_daemon.h"
#include "helper_emitter.h"

#define THREADS 4
#define ROUND 4096u /* events of a thread between two kills, at most */
#define CLOSING 50u /* then the emitter is closed */

enum state {
	NEVER,
	ASKED,
	ANSWERED
};

struct call {
	_Atomic uint8_t state;
	uint8_t found;
	struct hsa_emitter_receipt receipt;
};

struct shared { /* with the children */
	atomic_ulong answered;
	atomic_uint failed;
	_Atomic uint32_t next[THREADS];
	char why[1024];
	struct call call[];
};

static struct shared *s;
static uint32_t room; /* calls of a thread */
static unsigned long lost, doubled, invented, disagree;

static struct call *
call_at(unsigned int thread, uint32_t i)
{
	return &s->call[(size_t)thread * room + i];
}

/* ---- the process that is killed ------------------------------------------ */

struct worker {
	struct hsa_emitter_context *c;
	unsigned int thread;
	uint32_t events;
};

static void
fail(const char *what, hsa_rc rc, const struct hsa_diag *diag)
{
	if (atomic_fetch_add(&s->failed, 1) == 0)
		(void)snprintf(s->why, sizeof(s->why), "%s: %s: %.900s", what,
		    hsa_err_name(rc), diag->text);
}

static void *
work(void *arg)
{
	const struct worker *w = arg;
	struct hsa_emitter_event ev;
	struct hsa_diag diag = {{0}};
	char name[32];
	uint32_t i = 0;

	helper_emitter_event(&ev);
	ev.target_name = name;
	for (uint32_t n = 0; n < w->events; n++) {
		struct call *c;
		hsa_rc rc;

		i = atomic_fetch_add(&s->next[w->thread], 1);
		if (i >= room)
			break;
		c = call_at(w->thread, i);
		(void)snprintf(name, sizeof(name), "%u %u", w->thread, i);
		atomic_store(&c->state, ASKED);
		rc = hsa_emitter_emit(w->c, &c->receipt, &ev, &diag);
		if (!hsa_is_ok(rc)) {
			fail("emit", rc, &diag);
			break;
		}
		atomic_store(&c->state, ANSWERED);
		(void)atomic_fetch_add(&s->answered, 1);
	}
	return NULL;
}

static _Noreturn void
child(struct helper_emitter *h, uint32_t events, bool close)
{
	struct worker w[THREADS];
	pthread_t t[THREADS];
	struct hsa_diag diag = {{0}};
	struct hsa_emitter *e = NULL;
	hsa_rc rc = hsa_emitter_open(&e, &h->cfg, &diag);

	if (!hsa_is_ok(rc)) {
		fail("open", rc, &diag);
		_exit(1);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){
		    helper_emitter_context(e, h->cfg.mode), i, events};
		if (pthread_create(&t[i], NULL, work, &w[i]) != 0)
			_exit(2);
	}
	if (close) {
		for (unsigned int i = 0; i < THREADS; i++) {
			(void)pthread_join(t[i], NULL);
			hsa_emitter_context_free(w[i].c);
		}
		hsa_emitter_close(e);
		_exit(0);
	}
	for (;;)
		(void)pause();
}

/* ---- the one who kills --------------------------------------------------- */

static void
kill_after(pid_t pid, unsigned long answers, unsigned int us)
{
	const struct timespec little = {0, 50000};
	const struct timespec t = {0, (long)us * 1000};
	unsigned long until = atomic_load(&s->answered) + answers;
	int status = 0;

	/* 20 s, for a machine that is busy with something else */
	for (int i = 0; i < 400000 && atomic_load(&s->answered) < until &&
			atomic_load(&s->failed) == 0;
	     i++)
		(void)nanosleep(&little, NULL);
	(void)nanosleep(&t, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
}

static pid_t
start(struct helper_emitter *h, uint32_t events, bool close)
{
	pid_t pid = fork();

	if (pid < 0)
		exit(1);
	if (pid == 0)
		child(h, events, close);
	return pid;
}

/* Killed while it makes key, identity and log: the next open goes on. */
static void
first_opens(enum hsa_emitter_mode mode, struct hd_rng *rng, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct helper_emitter h;
		struct vfy_result res;
		pid_t pid;

		helper_emitter_init(&h, mode);
		pid = start(&h, ROUND, false);
		kill_after(pid, 0, hd_rand(rng, 4000));
		hsa_emitter_close(helper_emitter_open(&h));
		helper_emitter_check(&h, &res, NULL, NULL);
		helper_emitter_free(&h);
	}
}

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	unsigned int thread = 0;
	uint32_t i = 0;
	struct call *c;

	(void)ctx;
	(void)raw;
	(void)n;
	if (r->body != HSA_BODY_EVENT)
		return HSA_OK;
	if (sscanf(r->event.target_name, "%u %u", &thread, &i) != 2 ||
	    thread >= THREADS || i >= room ||
	    (c = call_at(thread, i))->state == NEVER) {
		invented++;
		return HSA_OK;
	}
	if (c->found != 0) {
		doubled++;
		return HSA_OK;
	}
	c->found = 1;
	if (c->state != ANSWERED)
		return HSA_OK;
	if (memcmp(c->receipt.event_id, r->event.id, HSA_UUID_LEN) != 0 ||
	    c->receipt.number != r->source_sequence ||
	    c->receipt.time_ns != r->event.event_time_ns ||
	    (c->receipt.sequence != HSA_EMITTER_NOT_YET &&
		c->receipt.sequence != r->sequence))
		disagree++;
	return HSA_OK;
}

static bool
conclude(struct helper_emitter *h, const char *mode, unsigned int kills)
{
	unsigned long answered = 0, open = 0, open_found = 0;
	struct vfy_result res;

	lost = doubled = invented = disagree = 0;
	helper_emitter_check(h, &res, look, NULL);
	for (unsigned int t = 0; t < THREADS; t++)
		for (uint32_t i = 0; i < room; i++) {
			const struct call *c = call_at(t, i);

			if (c->state == ANSWERED) {
				answered++;
				lost += c->found == 0;
			} else if (c->state == ASKED) {
				open++;
				open_found += c->found;
			}
		}
	printf("COUNT %s: kill -9 of an emitting process: %u, epochs %llu\n",
	    mode, kills, (unsigned long long)res.epochs);
	printf("COUNT %s: replied %lu, unanswered %lu (%lu of them sealed), "
	       "events %llu\n",
	    mode, answered, open, open_found, (unsigned long long)res.events);
	printf("COUNT %s: lost %lu, doubled %lu, invented %lu, disagreements "
	       "%lu\n",
	    mode, lost, doubled, invented, disagree);
	if (atomic_load(&s->failed) != 0)
		fprintf(stderr, "%s\n", s->why);
	return atomic_load(&s->failed) == 0 && answered > kills &&
	       res.events == answered + open_found &&
	       lost + doubled + invented + disagree == 0;
}

static bool
run(enum hsa_emitter_mode mode, const char *name, unsigned int kills,
    unsigned int seed)
{
	struct hd_rng rng = {seed};
	struct helper_emitter h;
	size_t bytes;
	bool good;
	int status = 0;
	pid_t pid;

	room = ROUND * (kills + 1);
	bytes = sizeof(*s) + sizeof(struct call) * THREADS * room;
	s = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s == MAP_FAILED)
		return false;
	helper_emitter_init(&h, mode);
	for (unsigned int i = 0; i < kills; i++) {
		/* some while opening, some while closing, most between */
		unsigned int where = hd_rand(&rng, 8);
		bool closing = where == 1;
		unsigned long answers = 1 + hd_rand(&rng, 400);

		if (where == 0)
			answers = 0;
		if (closing)
			answers = THREADS * CLOSING;
		pid = start(&h, closing ? CLOSING : ROUND, closing);
		kill_after(pid, answers, hd_rand(&rng, 2000));
	}
	/* and an end in order, which must find all of it */
	pid = start(&h, CLOSING, true);
	(void)waitpid(pid, &status, 0);
	good = conclude(&h, name, kills) && status == 0;
	first_opens(mode, &rng, kills / 4 + 1);
	(void)munmap(s, bytes);
	if (good)
		helper_emitter_free(&h);
	else
		fprintf(stderr, "state kept in %s\n", h.base);
	return good;
}

int
main(void)
{
	unsigned int kills = hd_env("KILLS_EMITTER", 40);
	unsigned int seed = hd_env("SEED", 1);
	bool good;

	good = run(HSA_EMITTER_SEALED, "sealed", kills, seed) &&
	       run(HSA_EMITTER_RING, "ring", kills, seed + 1);
	return good ? 0 : 1;
}
