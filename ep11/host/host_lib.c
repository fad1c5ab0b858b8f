/* host_lib.c - see host_lib.h: the state, and what fork does to it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host_conn.h"
#include "host_id.h"
#include "host_lib_impl.h"
#include "host_where.h"
#include "host_who.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static struct host_lib *lib;        /* NULL: not initialised */
static struct host_targets targets; /* numbers outlive a shutdown */
static bool embed_inherited;        /* a parent's embedded unit is in here */

void
host_lib_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

void
host_lib_unlock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/* ---- fork ---------------------------------------------------------------- */

/*
 * Connections are the parent's: closing the child's copies leaves them be.
 * Threads that were inside a call are not in the child, nor are the references
 * that they held.
 */
static void
in_child(void)
{
	size_t i = 0;

	/* who held it is not in here, nor is what was being built */
	opening = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	host_id_forked();
	if (lib != NULL) {
		for (i = 0; i < lib->n; i++)
			host_unit_forked(&lib->unit[i]);
		lib->refs = 1;
		lib->forked = true;
		embed_inherited = embed_inherited || lib->embed != NULL;
	}
	host_lib_unlock();
}

static void
register_fork(void)
{
	(void)pthread_atfork(host_lib_lock, host_lib_unlock, in_child);
}

/* ---- open, close --------------------------------------------------------- */

static void
destroy(struct host_lib *l)
{
	size_t i = 0;

	for (i = 0; i < l->n; i++)
		host_unit_free(&l->unit[i]);
	/* in a child it is the parent's, and cannot be closed */
	if (!l->forked)
		host_embed_close(l->embed);
	hsa_caller_free(&l->caller);
	free(l);
}

static hsa_rc
timeout_of(int *ms, const char *text, struct hsa_diag *diag)
{
	char *end = NULL;
	unsigned long v = HOST_TIMEOUT_MS;

	if (text != NULL) {
		errno = 0;
		v = strtoul(text, &end, 10);
		if (errno != 0 || end == text || *end != '\0' || v == 0 ||
		    v > 3600000)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "EP11_TIMEOUT_MS is not a number from 1 to "
			    "3600000; fix: milliseconds, or unset it");
	}
	*ms = (int)v;
	return HSA_OK;
}

/* At least one must answer; what the others are is learned when needed. */
static hsa_rc
reach(struct host_lib *l, struct hsa_diag *diag)
{
	struct hsa_buf tried = {0};
	hsa_rc rc = HSA_OK;
	size_t i = 0;

	if (host_lib_probe(l, HOST_UNITS_ALL) != 0)
		return HSA_OK;
	for (i = 0; i < l->n; i++)
		hsa_buf_printf(
		    &tried, "%s%s", i == 0 ? "" : ", ", l->unit[i].path);
	rc = hsa_fail(diag, HSA_RC(E_CLOSED),
	    "no crypto unit answers at %.700s; fix: cryptounitd run DIR as "
	    "this "
	    "user",
	    hsa_buf_cstr(&tried));
	hsa_buf_free(&tried);
	return rc;
}

static hsa_rc
build(struct host_lib **to, struct hsa_diag *diag)
{
	struct host_lib *l = calloc(1, sizeof(*l));
	const char *unit = secure_getenv("EP11_UNIT");
	struct host_where w = {0};
	hsa_rc rc = HSA_OK;

	if (l == NULL)
		return HSA_RC(E_NOMEM);
	l->refs = 1;
	HSA_TRY(rc,
	    timeout_of(&l->timeout_ms, secure_getenv("EP11_TIMEOUT_MS"), diag));
	HSA_TRY(
	    rc, host_who(&l->caller, secure_getenv("EP11_INITIATOR"), diag));
	if (unit == NULL) {
		HSA_TRY(rc, host_where_default(&w, diag));
	} else {
		HSA_TRY(rc, host_where_parse(&w, unit, strlen(unit), diag));
		HSA_TRY(rc, host_where_look(&w, diag));
	}
	for (; l->n < w.n; l->n++) {
		l->unit[l->n].path = strdup(host_where_path(&w, l->n));
		if (l->unit[l->n].path == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
	}
	if (w.embedded && embed_inherited) {
		rc = hsa_fail(diag, HSA_RC(E_STATE), "%s", HOST_FORKED_TEXT);
		goto out;
	}
	if (w.embedded)
		HSA_TRY(rc, host_embed_open(&l->embed, host_where_path(&w, 0),
				host_where_name(&w), diag));
	HSA_TRY(rc, reach(l, diag));
	*to = l;
	l = NULL;
out:
	if (l != NULL)
		destroy(l);
	host_where_free(&w);
	return rc;
}

/* Builds without the state's lock, so that fork need not wait for units: only
 * a second thread that opens does. */
hsa_rc
host_lib_open(struct hsa_diag *diag)
{
	struct host_lib *l = NULL, *there = NULL;
	hsa_rc rc = HSA_OK;

	(void)pthread_once(&once, register_fork);
	there = host_lib_get();
	if (there != NULL) {
		if (there->forked && there->embed != NULL)
			rc = hsa_fail(
			    diag, HSA_RC(E_STATE), "%s", HOST_FORKED_TEXT);
		host_lib_put(there);
		return rc;
	}
	(void)pthread_mutex_lock(&opening);
	there = host_lib_get();
	if (there == NULL)
		rc = build(&l, diag);
	host_lib_put(there);
	host_lib_lock();
	if (l != NULL)
		lib = l;
	host_lib_unlock();
	(void)pthread_mutex_unlock(&opening);
	return rc;
}

void
host_lib_close(void)
{
	struct host_lib *l = NULL;

	host_lib_lock();
	l = lib;
	lib = NULL;
	host_targets_free(&targets);
	host_lib_unlock();
	host_lib_put(l);
}

struct host_lib *
host_lib_get(void)
{
	struct host_lib *l = NULL;

	host_lib_lock();
	l = lib;
	if (l != NULL)
		l->refs++;
	host_lib_unlock();
	return l;
}

void
host_lib_put(struct host_lib *l)
{
	bool last = false;

	if (l == NULL)
		return;
	host_lib_lock();
	last = --l->refs == 0;
	host_lib_unlock();
	if (last)
		destroy(l);
}

/* ---- targets ------------------------------------------------------------- */

CK_RV
host_lib_units(struct host_lib *l, host_units *units, uint64_t target)
{
	const uint64_t flags = 0xff000000u, capture = 0x30000000u;
	const host_units *found = NULL;
	CK_RV rv = CKR_IBM_TARGET_INVALID;

	(void)l;
	if (target == ~(uint64_t)0)
		return rv;
	if ((target & capture) != 0)
		return CKR_FUNCTION_NOT_SUPPORTED;
	if ((target & ~flags) == 0) {
		*units = HOST_UNITS_ALL;
		return CKR_OK;
	}
	host_lib_lock();
	found = host_target_find(&targets, target);
	if (found != NULL) {
		*units = *found;
		rv = CKR_OK;
	}
	host_lib_unlock();
	return rv;
}

hsa_rc
host_lib_target_new(uint64_t *target, host_units units)
{
	hsa_rc rc = HSA_OK;

	host_lib_lock();
	rc = host_target_new(&targets, target, units);
	host_lib_unlock();
	return rc;
}

static hsa_rc
change(uint64_t target, host_units add, host_units take)
{
	host_units *found = NULL;

	host_lib_lock();
	found = host_target_find(&targets, target);
	if (found != NULL) {
		*found = (*found | add) & ~take;
		if (*found == 0)
			host_target_drop(&targets, target);
	}
	host_lib_unlock();
	return found == NULL ? HSA_RC(E_NOT_FOUND) : HSA_OK;
}

hsa_rc
host_lib_target_add(uint64_t target, host_units units)
{
	return change(target, units, 0);
}

hsa_rc
host_lib_target_take(uint64_t target, host_units units)
{
	return change(target, 0, units);
}
