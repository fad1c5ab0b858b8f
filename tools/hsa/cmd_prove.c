#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "log_set.h"
#include "prove_make.h"
#include "vfy_file.h"
#include "vfy_note.h"
#include "vfy_proven.h"
#include "vfy_put.h"
#include "vfy_utf8.h"

#define SETTLE_MS 500

struct args {
	struct log_set_args logs;
	const char *event, *sequence, *from, *to, *out;
	bool request, json;
};

static bool
number(uint64_t *v, const char *s)
{
	char *end;

	errno = 0;
	*v = strtoull(s, &end, 10);
	return errno == 0 && s[0] >= '0' && s[0] <= '9' && *end == '\0';
}

/* ---- which proof --------------------------------------------------------- */

static hsa_rc
end_of(struct prove_end *e, const char *what, const char *s,
    const struct vfy_keys *keys, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	if (s == NULL)
		return rc;
	if (number(&e->size, s)) {
		e->kind = PROVE_SIZE;
		return rc;
	}
	e->kind = PROVE_NOTE;
	HSA_TRY(rc, vfy_anchor_load(&e->anchor, s, keys, diag));
	e->size = e->anchor.size;
	rc = vfy_file_slurp(&e->note, s, VFY_COSIGNED_MAX);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s %s: %s", what, s, hsa_err_text(rc));
out:
	return rc;
}

/* Is this log the one that the user's checkpoints are of? */
static bool
is_of(const struct prove_end *e, const struct vfy_result *r)
{
	return e->kind != PROVE_NOTE ||
	       strcmp(e->anchor.origin, r->origin) == 0;
}

static int
damaged(const char *path, const struct vfy_result *r, bool made)
{
	(void)cmd_error(&cmd_prove,
	    "%s: the log is damaged%s, %s: %s (%s, byte %" PRIu64
	    ", at record %" PRIu64 ")",
	    path, made ? " behind what is proven" : "", r->rule, r->finding,
	    r->place.file, r->place.offset, r->place.sequence);
	return CMD_FOUND;
}

/* ---- what is said of it -------------------------------------------------- */

static void
json(struct hsa_buf *b, const struct prove_made *m, const struct args *a,
    const struct hsa_buf *text)
{
	struct hsa_buf copy = {0};
	struct hsa_jw w = {.b = b};

	hsa_jw_object(&w, NULL);
	if (m->proof.kind == VFY_PROOF_INCLUSION) {
		hsa_jw_text(&w, "kind", "inclusion");
		hsa_jw_text(&w, "origin", m->log.origin);
		hsa_jw_uint(&w, "sequence", m->proof.from);
	} else {
		hsa_jw_text(&w, "kind", "consistency");
		hsa_jw_text(&w, "origin", m->log.origin);
		hsa_jw_uint(&w, "from", m->proof.from);
	}
	hsa_jw_uint(&w, "size", m->size);
	hsa_jw_uint(&w, "hashes", m->proof.way.n);
	if (a->out != NULL)
		hsa_jw_text(&w, "file", a->out);
	else {
		hsa_buf_put(&copy, text->p, text->len);
		hsa_jw_text(&w, "proof", hsa_buf_cstr(&copy));
		b->failed = b->failed || copy.failed;
		hsa_buf_free(&copy);
	}
	hsa_jw_bool(&w, "logOk", !m->log.bad);
	hsa_jw_end(&w);
	hsa_buf_u8(b, '\n');
}

static void
line(struct hsa_buf *b, const struct prove_made *m, const char *file)
{
	vfy_utf8_show(b, file);
	if (m->proof.kind == VFY_PROOF_INCLUSION)
		hsa_buf_printf(b, ": record %" PRIu64 " of ", m->proof.from);
	else
		hsa_buf_printf(
		    b, ": the first %" PRIu64 " records of ", m->proof.from);
	vfy_utf8_show(b, m->log.origin);
	hsa_buf_printf(b, " are among its %" PRIu64 ", %zu hashes\n", m->size,
	    m->proof.way.n);
}

/* What is given away is what `hsa verify --proof` takes. */
static hsa_rc
prove_it(const struct prove_job *j, const struct hsa_buf *text,
    struct hsa_diag *diag)
{
	const struct vfy_proven_options opt = {.keys = j->keys};
	struct vfy_proven v;
	hsa_rc rc;

	HSA_TRY(rc, vfy_proven_check(&v, &opt, text->p, text->len, diag));
	if (v.bad)
		rc = hsa_fail(diag, HSA_RC(E_STATE),
		    "the proof does not verify (%s: %s): nothing was written",
		    v.rule, v.finding);
out:
	vfy_proven_free(&v);
	return rc;
}

static int
give(
    const struct prove_job *j, const struct prove_made *m, const struct args *a)
{
	struct hsa_buf text = {0}, said = {0};
	struct hsa_diag diag = {{0}};
	int code = CMD_USAGE;

	if (a->request)
		vfy_proof_request(&text, &m->proof);
	else
		vfy_proof_write(&text, &m->proof);
	if (!hsa_is_ok(hsa_buf_rc(&text)))
		(void)cmd_error(&cmd_prove, "out of memory");
	else if (!a->request && !hsa_is_ok(prove_it(j, &text, &diag)))
		(void)cmd_error(&cmd_prove, "%s", diag.text);
	else if (a->out != NULL && !hsa_is_ok(vfy_put_file(AT_FDCWD, a->out,
				       text.p, text.len, true)))
		(void)cmd_error(
		    &cmd_prove, "cannot write %s: %s", a->out, strerror(errno));
	else {
		if (a->json)
			json(&said, m, a, &text);
		else if (a->out != NULL)
			line(&said, m, a->out);
		else
			hsa_buf_put(&said, text.p, text.len);
		if (cmd_print(&cmd_prove, &said))
			code = cmd_flush(&cmd_prove, CMD_OK);
	}
	hsa_buf_free(&text);
	hsa_buf_free(&said);
	return code;
}

/* ---- which log ----------------------------------------------------------- */

static int
search(const struct prove_job *j, const struct log_set *s, const struct args *a)
{
	struct prove_made m = {.done = false};
	struct hsa_diag diag = {{0}};
	int code = CMD_OK;
	bool given = false;

	for (size_t i = 0; i < s->len && !given && code != CMD_USAGE; i++) {
		const char *path = s->log[i].path;
		hsa_rc rc = prove_make(&m, j, path, &diag);

		if (!hsa_is_ok(rc) && rc.v != HSA_E_NOT_FOUND)
			code = cmd_error(&cmd_prove, "%s", diag.text);
		else if (hsa_is_ok(rc) && is_of(&j->from, &m.log) &&
			 is_of(&j->to, &m.log)) {
			if (m.log.bad)
				code = damaged(path, &m.log, m.done);
			if (m.done && give(j, &m, a) != CMD_OK)
				code = CMD_USAGE;
			given = m.done;
		}
		prove_made_free(&m);
	}
	if (given || code != CMD_OK)
		return code;
	(void)cmd_error(&cmd_prove, "%s",
	    diag.text[0] != '\0' ? diag.text
				 : "no log there is the checkpoint's");
	return CMD_FOUND;
}

static int
prove(const struct args *a)
{
	struct log_set set = {0};
	struct prove_job j = {.what = a->event != NULL  ? PROVE_EVENT
				      : a->from != NULL ? PROVE_SIZES
							: PROVE_SEQUENCE,
	    .keys = &set.keys,
	    .settle_ms = SETTLE_MS};
	struct hsa_diag diag = {{0}};
	int code = CMD_USAGE;
	hsa_rc rc;

	if (a->event != NULL && !hsa_is_ok(hsa_uuid_parse(j.event, a->event)))
		return cmd_usage(
		    &cmd_prove, "--event %s: not the id of an event", a->event);
	if (a->sequence != NULL && !number(&j.sequence, a->sequence))
		return cmd_usage(&cmd_prove,
		    "--sequence %s: not a sequence number", a->sequence);
	rc = log_set_gather(&set, &a->logs, &diag);
	if (hsa_is_ok(rc))
		rc = end_of(&j.from, "--from", a->from, &set.keys, &diag);
	if (hsa_is_ok(rc))
		rc = end_of(&j.to, "--to", a->to, &set.keys, &diag);
	if (!hsa_is_ok(rc)) {
		(void)cmd_error(&cmd_prove, "%s", diag.text);
		if (rc.v == HSA_E_SIGNATURE || rc.v == HSA_E_FORMAT)
			code = CMD_FOUND;
	} else if (j.what == PROVE_SIZES && j.from.size == 0 && !a->request)
		code = cmd_usage(&cmd_prove,
		    "--from 0: nothing can be shown of no records; only a "
		    "witness is asked so (--request)");
	else if (set.len > 1 && j.what != PROVE_EVENT &&
		 j.from.kind != PROVE_NOTE && j.to.kind != PROVE_NOTE)
		code = cmd_usage(&cmd_prove,
		    "%zu logs are there: say which with --unit", set.len);
	else
		code = search(&j, &set, a);
	hsa_buf_free(&j.from.note);
	hsa_buf_free(&j.to.note);
	log_set_free(&set);
	return code;
}

/* ---- the command --------------------------------------------------------- */

static int
options(struct args *a, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"event", required_argument, NULL, 'e'},
	    {"sequence", required_argument, NULL, 's'},
	    {"from", required_argument, NULL, 'f'},
	    {"to", required_argument, NULL, 't'},
	    {"request", no_argument, NULL, 'r'},
	    {"unit", required_argument, NULL, 'u'},
	    {"key", required_argument, NULL, 'k'},
	    {"out", required_argument, NULL, 'o'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int o;

	opterr = 0;
	while ((o = getopt_long(
		    argc, argv, "e:s:f:t:ru:k:o:jh", longs, NULL)) != -1)
		switch (o) {
		case 'e':
			a->event = optarg;
			break;
		case 's':
			a->sequence = optarg;
			break;
		case 'f':
			a->from = optarg;
			break;
		case 't':
			a->to = optarg;
			break;
		case 'r':
			a->request = true;
			break;
		case 'u':
			a->logs.unit = optarg;
			break;
		case 'k':
			a->logs.key[a->logs.keys++] = optarg;
			break;
		case 'o':
			a->out = optarg;
			break;
		case 'j':
			a->json = true;
			break;
		case 'h':
			return cmd_help(&cmd_prove);
		default:
			return cmd_bad_option(&cmd_prove, argv);
		}
	a->logs.dir = argv + optind;
	a->logs.dirs = argc - optind;
	if ((a->event != NULL) + (a->sequence != NULL) + (a->from != NULL) != 1)
		return cmd_usage(&cmd_prove,
		    "what is to be proven? one of --event ID, --sequence N and "
		    "--from CHECKPOINT");
	if (a->request && a->from == NULL)
		return cmd_usage(&cmd_prove,
		    "--request is of a consistency proof: --from CHECKPOINT");
	if (a->logs.dirs == 0)
		return cmd_usage(&cmd_prove,
		    "which folder? name a log, a collector's folder or a state "
		    "directory");
	return -1;
}

static int
run(int argc, char **argv)
{
	struct args a = {.json = false};
	int code;

	a.logs.key = calloc((size_t)argc, sizeof(*a.logs.key));
	if (a.logs.key == NULL)
		return cmd_error(&cmd_prove, "out of memory");
	code = options(&a, argc, argv);
	if (code < 0)
		code = prove(&a);
	free(a.logs.key);
	return code;
}

const struct cmd cmd_prove = {
    .name = "prove",
    .run = run,
    .summary = "write a proof of one event, or of two checkpoints",
    .help =
	"usage: hsa prove --event ID | --sequence N [--to CHECKPOINT] "
	"[OPTION]... DIR...\n"
	"       hsa prove --from CHECKPOINT [--to CHECKPOINT] [--request] "
	"[OPTION]... DIR...\n\n"
	"Writes a file with which anybody who has the unit's checkpoint.pub "
	"can check,\nwithout the log, that a record is in it, or that an "
	"earlier state of it is the\nbeginning of a later one: `hsa verify "
	"--proof FILE --key checkpoint.pub`, or any\nprogram that reads C2SP "
	"tlog-proof. The log is verified on the way.\n\n"
	"  -e, --event ID       the event with this id, in whichever log\n"
	"  -s, --sequence N     record N of the log\n"
	"  -f, --from C         a consistency proof from this checkpoint on: "
	"the number\n                       of its records, or a file that "
	"holds it\n"
	"  -t, --to C           the checkpoint that the proof leads to, "
	"likewise. Default:\n                       the newest of the log\n"
	"  -r, --request        of a consistency proof, only what a C2SP "
	"witness takes\n                       (tlog-witness, add-checkpoint); "
	"--from 0 for its first\n"
	"  -u, --unit NAME      only this unit: its name, its id, or at least "
	"four\n                       characters that its name or id begins "
	"with\n"
	"  -k, --key FILE       the units' checkpoint.pub; repeatable. "
	"Default: those in\n                       the state directories "
	"named\n"
	"  -o, --out FILE       write the proof there. Default: standard "
	"output\n"
	"  -j, --json           say what was written as one JSON object\n\n"
	"Exit code 0: written, 1: not there, or the log is damaged, 2: wrong "
	"usage or\nunreadable.\n",
};
