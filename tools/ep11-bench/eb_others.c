#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "eb_others.h"
#include "eb_stats.h"
#include "ep11_pkcs11.h"

#define WAIT_NS UINT64_C(60000000000) /* keys of every kind take a while */
#define LOOK 64u                      /* calls between two looks at orders */

/* What the units are to do. Orders are numbered; a unit says which one it
 * follows. */
enum order {
	REST = 1,
	WORK,
	END
};
struct unit {
	_Atomic uint64_t follows;
	pid_t pid;
	_Atomic int failed; /* an error; then why says it */
	struct hsa_diag why;
};
struct board { /* shared memory */
	_Atomic uint64_t number;
	enum order order;
	enum cryptounit_emission mode;
	const struct eb_case *what; /* the same address in every process */
	struct unit unit[EB_OTHERS_MAX];
};

struct eb_others {
	struct board *board;
	size_t n;
};

static void
nap(void)
{
	const struct timespec t = {.tv_nsec = 1000000};

	(void)nanosleep(&t, NULL);
}

/* ---- in a unit's process ------------------------------------------------- */

struct self {
	struct board *board;
	struct unit *me;
	struct cryptounit *u;
	struct hsa_caller caller;
	struct eb_keys *keys;
};

static hsa_rc
work(struct self *s, uint64_t number)
{
	struct eb_call *c = calloc(1, sizeof(*c));
	uint64_t rv = CKR_OK;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (c == NULL)
		return rc;
	eb_call_set(c, s->board->what, s->u, &s->caller, s->keys);
	HSA_TRY(rc, cryptounit_emission(s->u, s->board->mode));
	atomic_store(&s->me->follows, number);
	while (rv == CKR_OK && atomic_load(&s->board->number) == number)
		for (unsigned int i = 0; i < LOOK && rv == CKR_OK; i++)
			rv = eb_call_once(c);
	if (rv != CKR_OK)
		rc = hsa_fail(&s->me->why, HSA_RC(E_KEY),
		    "%s: the unit answered 0x%llx", s->board->what->name,
		    (unsigned long long)rv);
out:
	hsa_call_free(&c->c);
	free(c);
	return rc;
}

static hsa_rc
obey(struct self *s)
{
	uint64_t done = 0, number;
	hsa_rc rc = HSA_OK;

	for (;;) {
		number = atomic_load(&s->board->number);
		if (number == done) {
			nap();
			continue;
		}
		done = number;
		if (s->board->order == END)
			return rc;
		if (s->board->order == WORK)
			HSA_TRY(rc, work(s, number));
		else
			atomic_store(&s->me->follows, number);
	}
out:
	return rc;
}

static hsa_rc
live(struct self *s, const char *state, const char *name, bool many)
{
	struct hsa_diag *why = &s->me->why;
	hsa_rc rc;

	HSA_TRY(rc, cryptounit_open(&s->u, state, name, why));
	s->keys = calloc(1, sizeof(*s->keys));
	if (s->keys == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	HSA_TRY(rc, eb_caller_make(&s->caller));
	HSA_TRY(rc, eb_keys_make(s->keys, s->u, &s->caller, many, why));
	rc = obey(s);
out:
	/* the log must not stay without events */
	if (s->u != NULL &&
	    !hsa_is_ok(cryptounit_emission(s->u, CRYPTOUNIT_SEALED)) &&
	    hsa_is_ok(rc))
		rc = HSA_RC(E_IO);
	cryptounit_close(s->u);
	if (s->keys != NULL)
		eb_keys_free(s->keys);
	free(s->keys);
	hsa_caller_free(&s->caller);
	return rc;
}

static _Noreturn void
be(struct board *b, size_t i, const char *state, const char *name, bool many)
{
	struct self s = {.board = b, .me = &b->unit[i]};
	hsa_rc rc;

	/* nobody else would tell it to end */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	rc = live(&s, state, name, many);
	if (!hsa_is_ok(rc)) {
		if (s.me->why.text[0] == '\0')
			hsa_diag_set(&s.me->why, "%s", hsa_err_text(rc));
		hsa_diag_wrap(&s.me->why, "unit %s", name);
		atomic_store(&s.me->failed, rc.v);
	}
	exit(hsa_is_ok(rc) ? 0 : 1);
}

/* ---- in the process that measures ---------------------------------------- */

static hsa_rc
look(struct unit *u, struct hsa_diag *diag)
{
	int failed = atomic_load(&u->failed), status = 0;

	if (failed == 0 && waitpid(u->pid, &status, WNOHANG) == u->pid) {
		u->pid = 0;
		failed = atomic_load(&u->failed);
		if (failed == 0)
			return hsa_fail(diag, HSA_RC(E_STOPPED),
			    "the process of another unit ended, status 0x%x",
			    (unsigned int)status);
	}
	if (failed == 0)
		return HSA_OK;
	*diag = u->why;
	return (hsa_rc){failed};
}

static hsa_rc
give(struct eb_others *o, enum order order, const struct eb_case *what,
    enum cryptounit_emission mode, struct hsa_diag *diag)
{
	struct board *b = o->board;
	uint64_t number = atomic_load(&b->number) + 1;
	uint64_t until = eb_now() + WAIT_NS;
	hsa_rc rc = HSA_OK;
	size_t i;

	b->order = order;
	b->what = what;
	b->mode = mode;
	atomic_store(&b->number, number);
	for (i = 0; i < o->n; i++)
		while (atomic_load(&b->unit[i].follows) != number) {
			HSA_TRY(rc, look(&b->unit[i], diag));
			if (eb_now() > until) {
				rc = hsa_fail(diag, HSA_RC(E_TIMEOUT),
				    "the process of another unit does not "
				    "follow");
				goto out;
			}
			nap();
		}
out:
	return rc;
}

hsa_rc
eb_others_start(struct eb_others **to, const char *state,
    const char *const *names, size_t n, bool many, struct hsa_diag *diag)
{
	struct eb_others *o = calloc(1, sizeof(*o));
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (o == NULL)
		return rc;
	o->board = mmap(NULL, sizeof(*o->board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (o->board == MAP_FAILED) {
		o->board = NULL;
		goto out;
	}
	for (; o->n < n; o->n++) {
		pid_t pid = fork();

		if (pid == 0)
			be(o->board, o->n, state, names[o->n], many);
		if (pid < 0) {
			rc = hsa_fail(diag, HSA_RC(E_NOMEM), "cannot fork: %s",
			    strerror(errno));
			goto out;
		}
		o->board->unit[o->n].pid = pid;
	}
	HSA_TRY(rc, eb_others_rest(o, diag));
	*to = o;
	o = NULL;
out:
	eb_others_stop(o);
	return rc;
}

hsa_rc
eb_others_work(struct eb_others *o, const struct eb_case *what,
    enum cryptounit_emission mode, struct hsa_diag *diag)
{
	return give(o, WORK, what, mode, diag);
}

hsa_rc
eb_others_rest(struct eb_others *o, struct hsa_diag *diag)
{
	return give(o, REST, NULL, CRYPTOUNIT_OFF, diag);
}

void
eb_others_stop(struct eb_others *o)
{
	size_t i;

	if (o == NULL)
		return;
	if (o->board != NULL) {
		o->board->order = END;
		(void)atomic_fetch_add(&o->board->number, 1);
		for (i = 0; i < o->n; i++)
			if (o->board->unit[i].pid != 0)
				(void)waitpid(o->board->unit[i].pid, NULL, 0);
		(void)munmap(o->board, sizeof(*o->board));
	}
	free(o);
}
