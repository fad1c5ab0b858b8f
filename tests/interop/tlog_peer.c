/*
 * tlog_peer.c - this project's side of tests/interop/test_tlog.sh, for what
 * would be too many processes with hsa: the same functions, all records and
 * all pairs of checkpoints of a log.
 *
 *   tlog_peer seal DIR RECORDS BATCH   a log by the real sealer: DIR/log,
 *                                      DIR/pub, a checkpoint each BATCH
 *   tlog_peer calls DIR RECORDS        one with compact records, a checkpoint
 *                                      each record
 *   tlog_peer prove DIR                DIR/ours: every record in every
 *                                      checkpoint, every pair of checkpoints;
 *                                      DIR/records
 *   tlog_peer cosign DIR               DIR/cosigned.c, DIR/witness.c: the
 *                                      witness of the unit tests
 *   tlog_peer check PUB RECORDS FILE   proofs by others: each holds, and each
 *                                      with a bit flipped does not
 *
 * FILE and DIR/ours: kind (I or C), index or old size, length, the proof file;
 * RECORDS: length, bytes; numbers of 32 bits, big-endian.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "helper_cosign.h"
#include "helper_slog.h"
#include "helper_vfy.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_cur.h"
#include "hsa_proof.h"
#include "slog_note.h"
#include "vfy_log.h"
#include "vfy_note.h"
#include "vfy_path.h"
#include "vfy_proof.h"
#include "vfy_proven.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			exit(1);                                               \
		}                                                              \
	} while (0)

static void
path_to(char to[512], const char *dir, const char *name)
{
	MUST(snprintf(to, 512, "%s/%s", dir, name) < 512);
}

static void
read_file(struct hsa_buf *b, const char *path)
{
	uint8_t part[65536];
	FILE *f = fopen(path, "rb");
	size_t n;

	MUST(f != NULL);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(b, part, n);
	MUST(ferror(f) == 0 && hsa_is_ok(hsa_buf_rc(b)));
	(void)fclose(f);
}

/* ---- logs ---------------------------------------------------------------- */

static int
make_sealed(const char *dir, size_t records, size_t batch)
{
	struct helper_slog h;
	struct slog_key key;
	struct hsa_buf pub = {0};
	char log[512];
	struct slog *l;

	helper_slog_init(&h);
	path_to(log, dir, "log");
	h.cfg.dir = log;
	l = helper_slog_open(&h);
	for (size_t n = 1; n <= records; n += batch)
		helper_slog_batch(l, n,
		    records - n + 1 < batch ? records - n + 1 : batch, n % 90);
	slog_close(l);
	MUST(hsa_is_ok(slog_key_init(&key, h.cfg.origin, h.cfg.public_key)));
	slog_key_text(&pub, &key);
	hsa_buf_u8(&pub, '\n');
	helper_vfy_put_file(dir, "pub", pub.p, pub.len);
	hsa_buf_free(&pub);
	h.cfg.dir = h.dir;
	helper_slog_free(&h);
	return 0;
}

static int
make_calls(const char *dir, size_t records)
{
	static struct helper_vfy_log l;
	char log[512];

	helper_vfy_init(&l, 5);
	helper_vfy_fill_calls(&l, records, 1, 100);
	path_to(log, dir, "log");
	helper_vfy_write(&l, log);
	helper_vfy_put_file(dir, "pub", l.key_line, strlen(l.key_line));
	helper_vfy_free(&l);
	return 0;
}

/* ---- ours ---------------------------------------------------------------- */

struct prover {
	struct vfy_path *leaf, *size; /* by index; by size */
	struct hsa_buf *raw, *note;   /* by index; by size, empty: none */
	size_t cap;
	uint64_t newest;
	FILE *out;
	uint64_t inclusion, consistency;
};

static hsa_rc
on_node(void *ctx, const struct vfy_node *n)
{
	struct prover *p = ctx;

	MUST(n->level != 0 || n->index + 1 < p->cap);
	for (size_t i = 0; i < p->cap; i++) {
		vfy_path_node(&p->leaf[i], n);
		vfy_path_node(&p->size[i], n);
	}
	return HSA_OK;
}

static hsa_rc
on_leaf(void *ctx, const struct vfy_tree *t, const uint8_t *raw, size_t n)
{
	struct prover *p = ctx;

	hsa_buf_put(&p->raw[t->size - 1], raw, n);
	return hsa_buf_rc(&p->raw[t->size - 1]);
}

static void
put_proof(FILE *f, char kind, uint64_t from, const struct vfy_proof *proof)
{
	struct hsa_buf text = {0}, head = {0};

	vfy_proof_write(&text, proof);
	hsa_buf_u8(&head, (uint8_t)kind);
	hsa_buf_be32(&head, (uint32_t)from);
	hsa_buf_be32(&head, (uint32_t)text.len);
	MUST(hsa_is_ok(hsa_buf_rc(&text)) && hsa_is_ok(hsa_buf_rc(&head)));
	MUST(fwrite(head.p, 1, head.len, f) == head.len);
	MUST(fwrite(text.p, 1, text.len, f) == text.len);
	hsa_buf_free(&text);
	hsa_buf_free(&head);
}

static hsa_rc
on_checkpoint(
    void *ctx, const struct vfy_tree *t, const uint8_t *note, size_t n)
{
	struct prover *p = ctx;
	struct hsa_buf *mine = &p->note[t->size];

	hsa_buf_put(mine, note, n);
	MUST(hsa_is_ok(hsa_buf_rc(mine)));
	p->newest = t->size;
	for (uint64_t i = 0; i < t->size; i++) {
		struct vfy_proof proof = {.kind = VFY_PROOF_INCLUSION,
		    .from = i,
		    .note = {mine->p, mine->len}};

		MUST(hsa_is_ok(vfy_path_end(&p->leaf[i], t, &proof.way)));
		put_proof(p->out, 'I', i, &proof);
		p->inclusion++;
	}
	for (uint64_t m = 1; m <= t->size; m++) {
		struct vfy_proof proof = {.kind = VFY_PROOF_CONSISTENCY,
		    .from = m,
		    .note = {mine->p, mine->len},
		    .old = {p->note[m].p, p->note[m].len}};

		if (proof.old.n == 0)
			continue;
		MUST(hsa_is_ok(
		    vfy_path_consistency(&p->size[m], t, m, &proof.way)));
		put_proof(p->out, 'C', m, &proof);
		p->consistency++;
	}
	return HSA_OK;
}

static int
make_ours(const char *dir)
{
	struct prover p = {.cap = 4096};
	const struct vfy_watch watch = {.node = on_node,
	    .leaf = on_leaf,
	    .checkpoint = on_checkpoint,
	    .ctx = &p};
	struct hsa_diag diag = {{0}};
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys, .watch = &watch};
	struct vfy_result res;
	struct hsa_buf records = {0};
	char path[512];

	p.leaf = calloc(p.cap, sizeof(*p.leaf));
	p.size = calloc(p.cap, sizeof(*p.size));
	p.raw = calloc(p.cap, sizeof(*p.raw));
	p.note = calloc(p.cap, sizeof(*p.note));
	MUST(p.leaf && p.size && p.raw && p.note);
	for (uint64_t i = 0; i < p.cap; i++) {
		vfy_path_leaf(&p.leaf[i], i);
		if (i > 0)
			vfy_path_size(&p.size[i], i);
		else /* nothing is ever asked of it */
			vfy_path_leaf(&p.size[0], UINT64_MAX);
	}
	path_to(path, dir, "pub");
	MUST(hsa_is_ok(vfy_keys_load(&keys, path, &diag)));
	path_to(path, dir, "ours");
	p.out = fopen(path, "wb");
	MUST(p.out != NULL);
	path_to(path, dir, "log");
	MUST(hsa_is_ok(vfy_log(&res, path, &opt, &diag)) && !res.bad);
	MUST(fclose(p.out) == 0 && p.newest == res.records);
	for (uint64_t i = 0; i < res.records; i++) {
		hsa_buf_be32(&records, (uint32_t)p.raw[i].len);
		hsa_buf_put(&records, p.raw[i].p, p.raw[i].len);
	}
	MUST(hsa_is_ok(hsa_buf_rc(&records)));
	helper_vfy_put_file(dir, "records", records.p, records.len);
	printf("COUNT proofs written here, inclusion %" PRIu64
	       ", consistency %" PRIu64 "\n",
	    p.inclusion, p.consistency);
	for (uint64_t i = 0; i < p.cap; i++) {
		hsa_buf_free(&p.raw[i]);
		hsa_buf_free(&p.note[i]);
	}
	hsa_buf_free(&records);
	vfy_keys_free(&keys);
	free(p.leaf);
	free(p.size);
	free(p.raw);
	free(p.note);
	return 0;
}

static int
make_cosigned(const char *dir)
{
	static struct helper_vfy_log l;
	struct hsa_buf note = {0}, key = {0};

	helper_vfy_init(&l, 5);
	helper_vfy_fill(&l, 9, 9, 100);
	hsa_buf_put(&note, l.note.p, l.note.len);
	helper_cosign_line(
	    &note, l.note.p, l.note.len, "w.example/1", 101, 1763807400);
	helper_cosign_key(&key, "w.example/1", 101, 4);
	helper_vfy_put_file(dir, "cosigned.c", note.p, note.len);
	helper_vfy_put_file(dir, "witness.c", key.p, key.len);
	hsa_buf_free(&note);
	hsa_buf_free(&key);
	helper_vfy_free(&l);
	return 0;
}

/* ---- theirs -------------------------------------------------------------- */

static bool
holds(const struct vfy_proven_options *opt, const void *text, size_t n)
{
	struct hsa_diag diag = {{0}};
	struct vfy_proven v;
	hsa_rc rc = vfy_proven_check(&v, opt, text, n, &diag);
	bool good = hsa_is_ok(rc) && !v.bad;

	/* a flipped bit may make a proof one that does not bring its record */
	MUST(hsa_is_ok(rc) || rc.v == HSA_E_ARG);
	if (!good && getenv("VERBOSE") != NULL)
		(void)fprintf(stderr, "%s: %s\n", v.rule, v.finding);
	vfy_proven_free(&v);
	return good;
}

static int
check_theirs(const char *pub, const char *records, const char *file)
{
	struct vfy_keys keys = {0};
	struct vfy_proven_options opt = {.keys = &keys};
	uint64_t count[2] = {0, 0}, flipped = 0;
	struct hsa_diag diag = {{0}};
	struct hsa_buf raw = {0}, all = {0}, bad = {0};
	struct hsa_slice *record = NULL;
	struct hsa_cur c;
	size_t n = 0;

	MUST(hsa_is_ok(vfy_keys_load(&keys, pub, &diag)));
	read_file(&raw, records);
	read_file(&all, file);
	for (c = hsa_cur_of(raw.p, raw.len); hsa_cur_left(&c) != 0; n++) {
		uint32_t len;

		record = reallocarray(record, n + 1, sizeof(*record));
		MUST(record != NULL && hsa_is_ok(hsa_cur_be32(&c, &len)));
		record[n].n = len;
		MUST(hsa_is_ok(hsa_cur_bytes(&c, &record[n].p, len)));
	}
	for (c = hsa_cur_of(all.p, all.len); hsa_cur_left(&c) != 0;) {
		const uint8_t *text;
		uint32_t from, len;
		uint8_t kind;
		size_t at;

		MUST(hsa_is_ok(hsa_cur_u8(&c, &kind)) &&
		     hsa_is_ok(hsa_cur_be32(&c, &from)) &&
		     hsa_is_ok(hsa_cur_be32(&c, &len)) &&
		     hsa_is_ok(hsa_cur_bytes(&c, &text, len)));
		/* for those that do not bring it */
		opt.record = (struct hsa_slice){NULL, 0};
		if (kind == 'I' && memmem(text, len, "\nextra ", 7) == NULL) {
			MUST(from < n);
			opt.record = record[from];
		}
		MUST(holds(&opt, text, len));
		count[kind == 'C']++;
		/* another bit of each proof, all over the file in time */
		at = (size_t)((count[0] + count[1]) * 7919 % len);
		hsa_buf_reset(&bad);
		hsa_buf_put(&bad, text, len);
		MUST(hsa_is_ok(hsa_buf_rc(&bad)));
		bad.p[at] ^= (uint8_t)(1u << (flipped % 8));
		MUST(!holds(&opt, bad.p, bad.len));
		flipped++;
	}
	printf("COUNT proofs by others that hold here, inclusion %" PRIu64
	       ", consistency %" PRIu64 "; with a bit flipped refused %" PRIu64
	       "\n",
	    count[0], count[1], flipped);
	free(record);
	hsa_buf_free(&raw);
	hsa_buf_free(&all);
	hsa_buf_free(&bad);
	vfy_keys_free(&keys);
	return count[0] == 0 || count[1] == 0;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "seal") == 0 && argc == 5)
		return make_sealed(argv[2], strtoul(argv[3], NULL, 10),
		    strtoul(argv[4], NULL, 10));
	if (strcmp(verb, "calls") == 0 && argc == 4)
		return make_calls(argv[2], strtoul(argv[3], NULL, 10));
	if (strcmp(verb, "prove") == 0 && argc == 3)
		return make_ours(argv[2]);
	if (strcmp(verb, "cosign") == 0 && argc == 3)
		return make_cosigned(argv[2]);
	if (strcmp(verb, "check") == 0 && argc == 5)
		return check_theirs(argv[2], argv[3], argv[4]);
	(void)fprintf(stderr, "see the head of tests/interop/tlog_peer.c\n");
	return 2;
}
