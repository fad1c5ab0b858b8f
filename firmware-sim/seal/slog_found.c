#include <stdlib.h>
#include <string.h>

#include "slog_found.h"
#include "slog_own.h"

/* Signatures of this many newest checkpoints are verified when a log is
 * opened; older ones only bind what the roots bind already, and each costs
 * 0.1 ms. The root and text of every checkpoint are checked. */
#define VERIFY_NEWEST 1024

/* Where a NEW_CHAIN stands, if there is one (V11); its numbers count. */
#define CHAIN_AT 1

hsa_rc
slog_found_init(
    struct slog_found *f, uint64_t first, const struct slog_note *head)
{
	*f = (struct slog_found){.head = head};
	f->tip.segment = f->tip.size = first;
	f->place = calloc(VERIFY_NEWEST, sizeof(*f->place));
	return f->place == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

void
slog_found_free(struct slog_found *f)
{
	if (f == NULL)
		return;
	free(f->place);
	f->place = NULL;
}

hsa_rc
slog_read_at(
    const struct slog *l, struct hsa_buf *b, int fd, uint64_t at, size_t n)
{
	uint8_t *to = hsa_buf_reserve(b, n == 0 ? 1 : n);
	ssize_t got;

	if (to == NULL)
		return HSA_RC(E_NOMEM);
	while (n != 0) {
		got = l->os->pread(l->os->ctx, fd, b->p + b->len, n, at);
		if (got <= 0)
			return HSA_RC(E_IO);
		b->len += (size_t)got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return HSA_OK;
}

static void
stop(struct slog_found *f, uint64_t at, const char *what, bool beyond_doubt)
{
	f->stop = at;
	f->what = what;
	f->beyond_doubt = beyond_doubt;
}

/* V8, at the one place where the head's size is reached. */
static hsa_rc
compare_head(struct slog *l, struct slog_found *f, uint64_t place, bool *go)
{
	uint8_t root[HSA_SHA256_LEN] = {0};
	hsa_rc rc;

	*go = true;
	if (f->head == NULL || f->head->size != l->tree.size)
		return HSA_OK;
	HSA_TRY(rc, slog_merkle_root(&l->tree, root));
	*go = hsa_equal_ct(f->head->root, root, sizeof(root));
	if (!*go)
		stop(f, place,
		    "the file head has another root for the "
		    "records up to here",
		    true);
out:
	return rc;
}

/* The first segment has nothing before it. */
static bool
numbers_possible(const struct hsa_entry *e)
{
	for (size_t i = 0; i <= HSA_SOURCES; i++)
		if (e->first_sequence == 0 && e->source_last[i] != 0)
			return false;
	return true;
}

/* V3; slog_recover compares the numbers of the sources. */
static hsa_rc
take_header(struct slog *l, struct slog_found *f, struct slog_tip *at,
    const struct hsa_entry *e, bool *go)
{
	uint64_t first = at->segment;

	hsa_rc rc;

	*go = false;
	if (e->kind != HSA_ENTRY_HEADER)
		stop(f, 0, "the first entry is no header", true);
	else if (strcmp(e->origin, l->key.origin) != 0)
		stop(f, 0, "the header names another log", true);
	else if (e->first_sequence != first)
		stop(f, 0, "the header disagrees with the file's name", true);
	else if (!numbers_possible(e))
		stop(
		    f, 0, "the first header says records came before it", true);
	else {
		memcpy(at->last, e->source_last, sizeof(at->last));
		memcpy(f->before, e->source_last, sizeof(f->before));
		rc = slog_merkle_set(
		    &l->tree, first, e->frontier, e->frontier_len);
		if (hsa_is_ok(rc))
			return compare_head(l, f, 0, go);
		stop(f, 0, "the header's frontier has a wrong length", true);
	}
	return HSA_OK;
}

static hsa_rc
take_record(struct slog *l, struct slog_found *f, struct slog_tip *at,
    const struct hsa_entry *e, uint64_t place, bool *go)
{
	struct hsa_look look = {0};
	hsa_rc rc = hsa_record_look(&look, e->p, e->n);

	*go = false;
	if (!hsa_is_ok(rc) || (int)look.source < 1 ||
	    (int)look.source > HSA_SOURCES)
		stop(f, place, "not a record", false);
	else if (look.sequence != l->tree.size)
		stop(f, place, "a record out of sequence", false);
	else if (look.source_sequence <= at->last[look.source])
		stop(f, place, "a record out of its source's order", false);
	else {
		at->last[look.source] = look.source_sequence;
		if (look.epoch != 0)
			at->epoch = look.epoch;
		if (look.sequence == CHAIN_AT &&
		    look.body == HSA_BODY_SPECIAL &&
		    !hsa_is_ok(slog_own_chain(at->last, e->p, e->n))) {
			stop(f, place, "a NEW_CHAIN that says nothing", false);
			return HSA_OK;
		}
		f->records_behind++;
		HSA_TRY(rc, slog_merkle_add(&l->tree, e->p, e->n));
		return compare_head(l, f, place, go);
	}
	rc = HSA_OK;
out:
	return rc;
}

/* V6 but for the signature. A crash leaves no whole checkpoint that is wrong;
 * another key does, and its log must not be cut. */
static hsa_rc
take_checkpoint(struct slog *l, struct slog_found *f, struct slog_tip *at,
    const struct hsa_entry *e, uint64_t place, uint64_t end, bool *go)
{
	uint8_t root[HSA_SHA256_LEN] = {0};
	struct slog_note note = {0};
	hsa_rc rc;

	*go = false;
	if (!hsa_is_ok(slog_note_parse(&note, &l->key, e->p, e->n))) {
		stop(f, place, "not a checkpoint by the key of this log", true);
		return HSA_OK;
	}
	HSA_TRY(rc, slog_merkle_root(&l->tree, root));
	if (note.size != l->tree.size || f->records_behind == 0 ||
	    !hsa_equal_ct(note.root, root, sizeof(root))) {
		stop(f, place,
		    "the checkpoint's size or root is not that of "
		    "the records before it",
		    true);
		return HSA_OK;
	}
	at->size = note.size;
	at->end = end;
	memcpy(at->root, root, sizeof(root));
	f->tip = *at;
	f->tree = l->tree;
	f->tree.hash = NULL;
	f->records_behind = 0;
	f->place[f->checkpoints++ % VERIFY_NEWEST] = place;
	l->note.len = 0;
	hsa_buf_put(&l->note, e->p, e->n);
	HSA_TRY(rc, hsa_buf_rc(&l->note));
	*go = true;
out:
	return rc;
}

hsa_rc
slog_found_read(struct slog *l, struct slog_found *f, int fd)
{
	struct slog_tip at = {.segment = f->tip.segment};
	struct hsa_entry *e = NULL;
	struct slog_scan s = {0};
	bool go = true;
	hsa_rc rc;

	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, slog_scan_init(&s, l->os, fd, 0, f->bytes));
	while (go) {
		uint64_t place = s.at;

		rc = slog_scan_next(&s, e);
		f->stop = place;
		if (rc.v == HSA_E_NOT_FOUND) { /* the end */
			rc = HSA_OK;
			break;
		}
		if (rc.v == HSA_E_TRUNCATED || rc.v == HSA_E_FORMAT ||
		    rc.v == HSA_E_RANGE) {
			stop(f, place,
			    rc.v == HSA_E_TRUNCATED
				? "an entry that the file's end cuts"
				: "not an entry",
			    false);
			rc = HSA_OK;
			break;
		}
		if (rc.v == HSA_E_UNSUPPORTED) { /* not ours to cut */
			stop(f, place, "a header of another version", true);
			rc = HSA_OK;
			break;
		}
		if (!hsa_is_ok(rc))
			goto out;
		if (place == 0)
			HSA_TRY(rc, take_header(l, f, &at, e, &go));
		else if (e->kind == HSA_ENTRY_RECORD)
			HSA_TRY(rc, take_record(l, f, &at, e, place, &go));
		else if (e->kind == HSA_ENTRY_CHECKPOINT)
			HSA_TRY(rc,
			    take_checkpoint(l, f, &at, e, place, s.at, &go));
		else {
			stop(f, place, "a second header", false);
			go = false;
		}
	}
out:
	slog_scan_free(&s);
	free(e);
	return rc;
}

hsa_rc
slog_found_last(const struct slog *l, uint64_t last[HSA_SOURCES + 1],
    uint64_t *place, int fd, uint64_t bytes)
{
	uint64_t number = 0, sequence = 0, now[HSA_SOURCES + 1] = {0};
	enum hsa_source source = 0;
	struct hsa_entry *e = NULL;
	struct slog_scan s = {0};
	hsa_rc rc;

	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, slog_scan_init(&s, l->os, fd, 0, bytes));
	for (;;) {
		*place = s.at;
		rc = slog_scan_next(&s, e);
		if (rc.v == HSA_E_NOT_FOUND && *place != 0) /* the end */
			break;
		if (rc.v == HSA_E_IO)
			goto out;
		if (!hsa_is_ok(rc) ||
		    (*place == 0) != (e->kind == HSA_ENTRY_HEADER)) {
			rc = HSA_RC(E_CORRUPT);
			goto out;
		}
		if (e->kind == HSA_ENTRY_HEADER)
			memcpy(now, e->source_last, sizeof(now));
		if (e->kind != HSA_ENTRY_RECORD)
			continue;
		rc = hsa_record_peek(&sequence, &source, &number, e->p, e->n);
		if (!hsa_is_ok(rc)) {
			rc = HSA_RC(E_CORRUPT);
			goto out;
		}
		now[source] = number;
		if (sequence == CHAIN_AT && source == HSA_SOURCE_SEALER &&
		    !hsa_is_ok(slog_own_chain(now, e->p, e->n))) {
			rc = HSA_RC(E_CORRUPT);
			goto out;
		}
	}
	rc = HSA_OK;
	memcpy(last, now, sizeof(now));
out:
	slog_scan_free(&s);
	free(e);
	return rc;
}

hsa_rc
slog_found_verify(
    struct slog *l, uint64_t *place, const struct slog_found *f, int fd)
{
	uint64_t n =
	    f->checkpoints < VERIFY_NEWEST ? f->checkpoints : VERIFY_NEWEST;
	struct slog_note note = {0};
	struct hsa_entry *e = NULL;
	struct slog_scan s = {0};
	hsa_rc rc;

	if (n == 0)
		return HSA_OK;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc,
	    slog_scan_init(&s, l->os, fd,
		f->place[(f->checkpoints - n) % VERIFY_NEWEST], f->tip.end));
	while (n != 0) {
		*place = s.at;
		HSA_TRY(rc, slog_scan_next(&s, e));
		if (e->kind != HSA_ENTRY_CHECKPOINT)
			continue;
		HSA_TRY(rc, slog_note_parse(&note, &l->key, e->p, e->n));
		HSA_TRY(rc, slog_note_verify(&note, &l->key));
		n--;
	}
out:
	slog_scan_free(&s);
	free(e);
	return rc;
}

hsa_rc
slog_found_search(struct slog *l, uint64_t *place, bool *sealed,
    const struct slog_found *f, int fd)
{
	const size_t window = (size_t)1024 * 1024;
	size_t origin_len = strlen(l->key.origin);
	struct hsa_buf b = {0};
	uint64_t at = f->tip.end;
	hsa_rc rc = HSA_OK;

	*sealed = false;
	while (at < f->bytes && !*sealed) {
		size_t n = f->bytes - at < window + HSA_NOTE_MAX
			       ? (size_t)(f->bytes - at)
			       : window + HSA_NOTE_MAX;
		const uint8_t *p, *end;

		hsa_buf_reset(&b);
		HSA_TRY(rc, slog_read_at(l, &b, fd, at, n));
		end = b.p + b.len;
		for (p = b.p; p != NULL && !*sealed; p = p + 1) {
			struct slog_note note = {0};

			p = memmem(
			    p, (size_t)(end - p), l->key.origin, origin_len);
			if (p == NULL)
				break;
			if (!hsa_is_ok(slog_note_prefix(
				&note, &l->key, p, (size_t)(end - p))) ||
			    note.size <= f->tip.size ||
			    !hsa_is_ok(slog_note_verify(&note, &l->key)))
				continue;
			*sealed = true;
			*place = at + (uint64_t)(p - b.p);
		}
		at += n < window ? n : window;
	}
out:
	hsa_buf_free(&b);
	return rc;
}
