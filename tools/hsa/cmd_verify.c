#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "log_set.h"
#include "verify_proof.h"
#include "verify_set.h"
#include "vfy_file.h"

/* Long enough for a unit to finish a batch that it is writing. */
#define SETTLE_MS 500

struct all {
	struct verify_args set;
	const char **proof;
	size_t proofs;
	const char *record;
	bool json, quiet;
};

static int
verify(const struct all *a)
{
	struct verify_set s = {.settle_ms = SETTLE_MS};
	struct hsa_diag diag = {{0}};
	struct hsa_buf b = {0};
	int code = CMD_USAGE;

	if (!hsa_is_ok(verify_set_run(&s, &a->set, &diag))) {
		(void)cmd_error(&cmd_verify, "%s", diag.text);
		goto out;
	}
	if (a->json)
		verify_set_json(&b, &s);
	else
		verify_set_text(&b, &s, a->quiet);
	if (!cmd_print(&cmd_verify, &b))
		goto out;
	code = cmd_flush(&cmd_verify, verify_set_bad(&s) ? CMD_FOUND : CMD_OK);
out:
	hsa_buf_free(&b);
	verify_set_free(&s);
	return code;
}

static hsa_rc
check_proofs(
    struct verify_proofs *s, const struct all *a, struct hsa_diag *diag)
{
	struct vfy_keys keys = {0}, witnesses = {0};
	struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_buf record = {0};
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < a->set.keys; i++)
		HSA_TRY(rc, log_set_keys(&keys, a->set.key[i], diag));
	HSA_TRY(rc, verify_set_witnesses(&witnesses, &opt.need, &a->set, diag));
	if (witnesses.len != 0)
		opt.witnesses = &witnesses;
	if (a->record != NULL) {
		rc = vfy_file_slurp(&record, a->record, HSA_RECORD_MAX);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(
			    diag, "%s: %s", a->record, hsa_err_text(rc));
			goto out;
		}
		opt.record = (struct hsa_slice){record.p, record.len};
	}
	rc = verify_proofs_run(s, a->proof, a->proofs, &opt, diag);
out:
	vfy_keys_free(&keys);
	vfy_keys_free(&witnesses);
	hsa_buf_free(&record);
	return rc;
}

static int
verify_proofs(const struct all *a)
{
	struct verify_proofs s = {.len = 0};
	struct hsa_diag diag = {{0}};
	struct hsa_buf b = {0};
	int code = CMD_USAGE;

	if (!hsa_is_ok(check_proofs(&s, a, &diag))) {
		(void)cmd_error(&cmd_verify, "%s", diag.text);
		goto out;
	}
	if (a->json)
		verify_proofs_json(&b, &s);
	else
		verify_proofs_text(&b, &s, a->quiet);
	if (!cmd_print(&cmd_verify, &b))
		goto out;
	code =
	    cmd_flush(&cmd_verify, verify_proofs_bad(&s) ? CMD_FOUND : CMD_OK);
out:
	hsa_buf_free(&b);
	verify_proofs_free(&s);
	return code;
}

static int
what(const struct all *a)
{
	if (a->proofs == 0 && a->record != NULL)
		return cmd_usage(
		    &cmd_verify, "--record is for a proof (--proof FILE)");
	if (a->proofs == 0 && a->set.dirs == 0)
		return cmd_usage(&cmd_verify,
		    "which folder? name a log, a collector's folder or a state "
		    "directory");
	if (a->proofs == 0)
		return verify(a);
	if (a->set.dirs != 0 || a->set.anchors != 0)
		return cmd_usage(&cmd_verify,
		    "a proof is checked without a log: no folder and no "
		    "--anchor beside --proof");
	if (a->set.keys == 0)
		return cmd_usage(&cmd_verify,
		    "no key: give the unit's checkpoint.pub with --key FILE");
	return verify_proofs(a);
}

static bool
parse_need(size_t *to, const char *s)
{
	size_t n = strlen(s), v = 0;

	if (n == 0 || n > 4 || s[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = 10 * v + (size_t)(s[i] - '0');
	}
	*to = v;
	return true;
}

/* -1: go on. */
static int
options(struct all *a, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"anchor", required_argument, NULL, 'a'},
	    {"proof", required_argument, NULL, 'p'},
	    {"record", required_argument, NULL, 'r'},
	    {"witness", required_argument, NULL, 'w'},
	    {"witnesses", required_argument, NULL, 'n'},
	    {"json", no_argument, NULL, 'j'},
	    {"quiet", no_argument, NULL, 'q'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int o;

	opterr = 0;
	while (
	    (o = getopt_long(argc, argv, "k:a:p:r:w:n:jqh", longs, NULL)) != -1)
		switch (o) {
		case 'k':
			a->set.key[a->set.keys++] = optarg;
			break;
		case 'a':
			a->set.anchor[a->set.anchors++] = optarg;
			break;
		case 'p':
			a->proof[a->proofs++] = optarg;
			break;
		case 'r':
			a->record = optarg;
			break;
		case 'w':
			a->set.witness[a->set.witnesses++] = optarg;
			break;
		case 'n':
			if (!parse_need(&a->set.need, optarg))
				return cmd_usage(&cmd_verify,
				    "--witnesses %s: not a number from 1",
				    optarg);
			break;
		case 'j':
			a->json = true;
			break;
		case 'q':
			a->quiet = true;
			break;
		case 'h':
			return cmd_help(&cmd_verify);
		default:
			return cmd_bad_option(&cmd_verify, argv);
		}
	a->set.dir = argv + optind;
	a->set.dirs = argc - optind;
	return -1;
}

static int
run(int argc, char **argv)
{
	/* no more of any than there are arguments */
	size_t n = (size_t)argc;
	const char **list = calloc(4 * n, sizeof(*list));
	struct all a = {.json = false};
	int code;

	if (list == NULL)
		return cmd_error(&cmd_verify, "out of memory");
	a.set.key = list;
	a.set.anchor = list + n;
	a.set.witness = list + 2 * n;
	a.proof = list + 3 * n;
	code = options(&a, argc, argv);
	if (code < 0)
		code = what(&a);
	free(list);
	return code;
}

const struct cmd cmd_verify = {
    .name = "verify",
    .run = run,
    .summary = "check logs: complete, unaltered, signed",
    .help =
	"usage: hsa verify [--key FILE]... [--anchor FILE]... [--witness "
	"FILE]...\n                  [--witnesses N] [--json] [--quiet] "
	"DIR...\n"
	"       hsa verify --proof FILE... --key FILE... [--record FILE] "
	"[--witness FILE]...\n                  [--witnesses N] [--json] "
	"[--quiet]\n\n"
	"DIR is a log folder, a collector's folder or a state directory. "
	"Each log is\nchecked by the rules V1 to V11 of FORMAT.md; copies of "
	"the same log (a unit's and\na collector's) are compared. Works on a "
	"log that is being written.\n\n"
	"  -k, --key FILE     the units' checkpoint.pub, from a place that "
	"you trust;\n                     repeatable. Default: those in the "
	"state directories named\n"
	"  -a, --anchor FILE  a checkpoint kept elsewhere: the log must "
	"contain it.\n                     Finds a cut tail whose head was "
	"put back; repeatable\n"
	"  -p, --proof FILE   check a proof instead, with the keys alone "
	"(rules P1 to P5);\n                     repeatable\n"
	"  -r, --record FILE  the record that it proves, when it does not "
	"bring it\n"
	"  -w, --witness FILE keys of witnesses; each log needs a checkpoint "
	"from elsewhere\n                     (--anchor), a proof its own, "
	"that they cosigned; repeatable\n"
	"  -n, --witnesses N  so many of them are enough. Default: all\n"
	"  -j, --json         the report as one JSON object\n"
	"  -q, --quiet        only what is wrong, and the last line\n\n"
	"Exit code 0: all good, 1: damage found or not proven, 2: wrong "
	"usage or "
	"unreadable.\n",
};
