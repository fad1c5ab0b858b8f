#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slog_found.h"
#include "slog_impl.h"
#include "slog_keep.h"
#include "slog_survey.h"

/* Numbers of one source grow by some for each record; one that is further away
 * is a number no more. */
#define STEP_MAX (UINT64_C(1) << 20)

struct walk {
	struct slog_survey *s;
	struct slog *l; /* scratch: os, key, dir, tree, note, segments */
	struct slog_note head;
	bool has_head;
	struct slog_merkle tree; /* at s->verified; hash is NULL */
};

static const struct {
	const char *said, *rule;
} rules[] = {
    {"another root", "V8"},
    {"head", "V8"},
    {"header", "V3"},
    {"source's order", "V5"},
    {"checkpoint", "V6"},
    {"record", "V4"},
    {"unsealed end", "V7"},
};

static void damage(struct walk *w, const char *rule, const char *file,
    uint64_t byte, const char *fmt, ...) HSA_PRINTF(5, 6);

static void
damage(struct walk *w, const char *rule, const char *file, uint64_t byte,
    const char *fmt, ...)
{
	struct slog_survey *s = w->s;
	va_list ap;

	s->damaged = true;
	va_start(ap, fmt);
	(void)vsnprintf(s->finding, sizeof(s->finding), fmt, ap);
	va_end(ap);
	for (size_t i = 0; rule == NULL && i < sizeof(rules) / sizeof(rules[0]);
	     i++)
		if (strstr(s->finding, rules[i].said) != NULL)
			rule = rules[i].rule;
	(void)snprintf(
	    s->rule, sizeof(s->rule), "%s", rule == NULL ? "V2" : rule);
	(void)snprintf(
	    s->place, sizeof(s->place), "%s, byte %" PRIu64, file, byte);
	s->at = s->verified;
}

/* ---- how far it is good -------------------------------------------------- */

/* The header against what was read before it; the rest of V3 is looked at when
 * the file is read. */
static hsa_rc
check_header(struct walk *w, int fd, const char *name, uint64_t bytes)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct slog_scan s = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (e == NULL)
		return rc;
	HSA_TRY(rc, slog_scan_init(&s, w->l->os, fd, 0, bytes));
	if (!hsa_is_ok(slog_scan_next(&s, e)) || e->kind != HSA_ENTRY_HEADER)
		goto out; /* said later */
	if (e->frontier_len != w->tree.len ||
	    memcmp(e->frontier, w->tree.frontier,
		w->tree.len * HSA_SHA256_LEN) != 0)
		damage(w, "V3", name, 0,
		    "the header's frontier is not that of the records before "
		    "it");
	else if (memcmp(e->source_last, w->s->last, sizeof(w->s->last)) != 0)
		damage(w, "V3", name, 0,
		    "the header's numbers of the sources are not those of the "
		    "records before it");
out:
	slog_scan_free(&s);
	free(e);
	return rc;
}

static void
take_good(struct walk *w, const struct slog_found *f)
{
	struct slog_survey *s = w->s;

	if (f->tip.end == 0)
		return;
	s->verified = f->tip.size;
	memcpy(s->root, f->tip.root, sizeof(s->root));
	memcpy(s->last, f->tip.last, sizeof(s->last));
	if (f->tip.epoch != 0)
		s->epoch = f->tip.epoch;
	w->tree = f->tree;
}

/* A start looks at the newest signatures, since a root binds what is before it.
 * Here each one counts. *end: the file, or before the first that is none. */
static hsa_rc
signatures(struct walk *w, uint64_t *end, int fd, uint64_t bytes)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct slog_note note = {0};
	struct slog_scan s = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);
	uint64_t at = 0;

	*end = bytes;
	if (e == NULL)
		return rc;
	HSA_TRY(rc, slog_scan_init(&s, w->l->os, fd, 0, bytes));
	for (; hsa_is_ok(slog_scan_next(&s, e)); at = s.at)
		if (e->kind == HSA_ENTRY_CHECKPOINT &&
		    hsa_is_ok(slog_note_parse(&note, &w->l->key, e->p, e->n)) &&
		    !hsa_is_ok(slog_note_verify(&note, &w->l->key))) {
			*end = at;
			break;
		}
out:
	slog_scan_free(&s);
	free(e);
	return rc;
}

static hsa_rc
judge_file(struct walk *w, const struct slog_found *f, int fd, const char *name,
    bool last)
{
	char what[SLOG_WHAT] = "";
	hsa_rc rc;

	take_good(w, f);
	if (last) {
		rc = slog_judge(w->l, f, fd, what);
		if (rc.v == HSA_E_NOMEM)
			return rc;
		if (!hsa_is_ok(rc))
			damage(w, NULL, name, f->stop, "%s",
			    what[0] != '\0' ? what : hsa_err_text(rc));
	} else if (f->tip.end != f->bytes) {
		damage(w, NULL, name, f->stop, "%s",
		    f->what != NULL
			? f->what
			: "a file that is not the last has an unsealed end");
	}
	return HSA_OK;
}

static hsa_rc
one_file(struct walk *w, size_t i)
{
	uint64_t first = w->l->segments.first[i];
	bool last = i + 1 == w->l->segments.len;
	struct slog_found f = {0};
	char name[SLOG_NAME_LEN];
	uint64_t bytes = 0;
	int fd = -1, e;
	hsa_rc rc = HSA_OK;

	slog_segment_name(name, first);
	if (first != w->s->verified) {
		damage(w, "V1", name, 0,
		    "the name says that %" PRIu64
		    " records come before it, there are %" PRIu64
		    ": a segment is missing, cut or renamed",
		    first, w->s->verified);
		return rc;
	}
	HSA_TRY(rc, slog_found_init(&f, first, w->has_head ? &w->head : NULL));
	e = w->l->os->open(w->l->os->ctx, &fd, w->l->dir, name, O_RDWR);
	if (e == 0)
		e = w->l->os->size(w->l->os->ctx, &bytes, fd);
	if (e != 0) {
		damage(
		    w, "V2", name, 0, "it cannot be opened: %s", strerror(-e));
		goto out;
	}
	if (i != 0)
		HSA_TRY(rc, check_header(w, fd, name, bytes));
	if (w->s->damaged)
		goto out;
	HSA_TRY(rc, signatures(w, &f.bytes, fd, bytes));
	rc = slog_found_read(w->l, &f, fd);
	if (rc.v == HSA_E_IO) {
		damage(w, "V2", name, f.stop, "it cannot be read: %s",
		    strerror(errno));
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	if (f.bytes == bytes || f.what != NULL) {
		rc = judge_file(w, &f, fd, name, last);
		goto out;
	}
	take_good(w, &f);
	damage(w, "V6", name, f.bytes,
	    "the checkpoint's signature does not verify");
out:
	if (fd >= 0)
		w->l->os->close(w->l->os->ctx, fd);
	slog_found_free(&f);
	return rc;
}

/* ---- what else is there -------------------------------------------------- */

static hsa_rc
count_file(struct walk *w, uint64_t first)
{
	uint64_t sequence, number, bytes = 0;
	struct slog_scan scan = {0};
	enum hsa_source source;
	char name[SLOG_NAME_LEN];
	struct hsa_entry *e = NULL;
	int fd = -1;
	hsa_rc rc = HSA_OK;

	slog_segment_name(name, first);
	if (w->l->os->open(w->l->os->ctx, &fd, w->l->dir, name, O_RDONLY) != 0)
		return rc;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		rc = HSA_RC(E_NOMEM);
	if (!hsa_is_ok(rc) || w->l->os->size(w->l->os->ctx, &bytes, fd) != 0)
		goto out;
	HSA_TRY(rc, slog_scan_init(&scan, w->l->os, fd, 0, bytes));
	while (hsa_is_ok(slog_scan_next(&scan, e))) {
		if (e->kind != HSA_ENTRY_RECORD ||
		    !hsa_is_ok(hsa_record_peek(
			&sequence, &source, &number, e->p, e->n)))
			continue;
		w->s->found++;
		if (source == HSA_SOURCE_USE && number > w->s->seen_use &&
		    number - w->s->seen_use < STEP_MAX)
			w->s->seen_use = number;
	}
out:
	slog_scan_free(&scan);
	free(e);
	w->l->os->close(w->l->os->ctx, fd);
	return rc;
}

/* ---- the whole ----------------------------------------------------------- */

static hsa_rc
look(struct walk *w, struct hsa_buf *raw, struct hsa_diag *diag)
{
	struct slog_segments *segs = &w->l->segments;
	struct hsa_diag why = {{0}};
	int e = 0;
	hsa_rc rc;

	rc = slog_segments_list(segs, &e, w->l->os, w->l->dir);
	if (rc.v == HSA_E_IO)
		hsa_diag_set(diag, "cannot list it: %s", strerror(-e));
	HSA_TRY(rc, rc);
	rc = slog_head_read(w->l, raw, &w->head, &w->has_head, &why);
	if (rc.v == HSA_E_IO) {
		damage(w, "V8", SLOG_HEAD, 0, "%.200s", why.text);
		return HSA_OK;
	}
	HSA_TRY(rc, rc);
	if (segs->len == 0) {
		if (raw->len != 0)
			damage(w, "V1", SLOG_HEAD, 0,
			    "there is a head, but no record in the folder");
		return HSA_OK;
	}
	w->s->verified = w->s->found = segs->first[0];
	if (segs->first[0] != 0 &&
	    !hsa_is_ok(slog_keep_check(w->l, segs, &why))) {
		w->s->verified = 0;
		damage(w, "V1", "", 0,
		    "it begins with record %" PRIu64 ", and nothing in it says "
		    "that those before were released",
		    segs->first[0]);
	}
	for (size_t i = 0; i < segs->len && !w->s->damaged; i++)
		HSA_TRY(rc, one_file(w, i));
	for (size_t i = 0; i < segs->len; i++)
		HSA_TRY(rc, count_file(w, segs->first[i]));
out:
	return rc;
}

hsa_rc
slog_survey(struct slog_survey *s, const char *dir, const char *origin,
    const uint8_t public_key[32], struct hsa_diag *diag)
{
	struct walk w = {.s = s, .l = calloc(1, sizeof(*w.l))};
	struct hsa_buf raw = {0};
	struct stat st;
	hsa_rc rc = HSA_RC(E_NOMEM);
	int e;

	*s = (struct slog_survey){0};
	if (w.l == NULL)
		return rc;
	w.l->os = slog_os_posix();
	w.l->dir = w.l->fd = w.l->head_fd = -1;
	HSA_TRY(rc, slog_key_init(&w.l->key, origin, public_key));
	HSA_TRY(rc, slog_merkle_init(&w.l->tree));
	HSA_TRY(rc, slog_merkle_root(&w.l->tree, s->root));
	if (lstat(dir, &st) != 0 && errno == ENOENT) {
		s->absent = true;
		damage(&w, "V1", "", 0, "there is no log");
		goto out;
	}
	e = w.l->os->dir_open(w.l->os->ctx, &w.l->dir, dir);
	if (e != 0) {
		rc = hsa_fail(diag,
		    e == -EWOULDBLOCK ? HSA_RC(E_BUSY) : HSA_RC(E_IO), "%s: %s",
		    dir,
		    e == -EWOULDBLOCK ? "another process writes this log"
				      : strerror(-e));
		goto out;
	}
	rc = look(&w, &raw, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", dir);
out:
	if (w.l->head_fd >= 0)
		w.l->os->close(w.l->os->ctx, w.l->head_fd);
	if (w.l->dir >= 0)
		w.l->os->close(w.l->os->ctx, w.l->dir);
	slog_merkle_free(&w.l->tree);
	slog_segments_free(&w.l->segments);
	hsa_buf_free(&w.l->note);
	hsa_buf_free(&raw);
	free(w.l);
	return rc;
}

hsa_rc
slog_survey_origin(char to[256], const char *dir)
{
	const struct slog_os *os = slog_os_posix();
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct slog_segments segs = {0};
	struct slog_scan scan = {0};
	char name[SLOG_NAME_LEN];
	uint64_t bytes = 0;
	int fd = -1, at = -1, err = 0;
	hsa_rc rc = HSA_RC(E_NOT_FOUND);

	if (e == NULL)
		return HSA_RC(E_NOMEM);
	/* no lock: whoever asks has the one above it */
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 || !hsa_is_ok(slog_segments_list(&segs, &err, os, at)) ||
	    segs.len == 0)
		goto out;
	slog_segment_name(name, segs.first[0]);
	if (os->open(os->ctx, &fd, at, name, O_RDONLY) != 0 ||
	    os->size(os->ctx, &bytes, fd) != 0)
		goto out;
	HSA_TRY(rc, slog_scan_init(&scan, os, fd, 0, bytes));
	rc = HSA_RC(E_NOT_FOUND);
	if (!hsa_is_ok(slog_scan_next(&scan, e)) || e->kind != HSA_ENTRY_HEADER)
		goto out;
	memcpy(to, e->origin, sizeof(e->origin));
	rc = HSA_OK;
out:
	slog_scan_free(&scan);
	slog_segments_free(&segs);
	if (fd >= 0)
		os->close(os->ctx, fd);
	if (at >= 0)
		(void)close(at);
	free(e);
	return rc;
}

hsa_rc
slog_survey_ring(bool *found, uint64_t *sealed, const char *mark,
    const char *ring, const uint8_t unit_id[HSA_UUID_LEN],
    struct hsa_diag *diag)
{
	struct slog_ring_config cfg = {.path = ring};
	enum slog_ring_found how = SLOG_RING_NEW;
	struct slog_mark m = {0};
	struct slog_ring *r = NULL;
	hsa_rc rc;

	*found = false;
	*sealed = 0;
	HSA_TRY(rc, slog_mark_load(&m, mark, diag));
	if (m.ring != NULL && access(m.ring, F_OK) == 0)
		cfg.path = m.ring;
	if (access(cfg.path, F_OK) != 0)
		goto out;
	memcpy(cfg.unit_id, unit_id, sizeof(cfg.unit_id));
	rc = slog_ring_open(&r, &how, &cfg, diag);
	/* what is no ring of this log the start will say */
	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_CORRUPT ||
	    rc.v == HSA_E_AUTH) {
		hsa_diag_set(diag, "%s", "");
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	*found = how == SLOG_RING_OLD;
	if (*found)
		*sealed = slog_ring_sealed(r);
	slog_ring_close(r, how == SLOG_RING_NEW);
out:
	slog_mark_free(&m);
	return rc;
}
