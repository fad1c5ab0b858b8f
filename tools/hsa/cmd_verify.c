#include <stdlib.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "verify_set.h"

/* Long enough for a unit to finish a batch that it is writing. */
#define SETTLE_MS 500

static int
verify(const struct verify_args *args, bool json, bool quiet)
{
	struct verify_set s = {.settle_ms = SETTLE_MS};
	struct hsa_diag diag = {{0}};
	struct hsa_buf b = {0};
	int code = CMD_USAGE;

	if (!hsa_is_ok(verify_set_run(&s, args, &diag))) {
		(void)cmd_error(&cmd_verify, "%s", diag.text);
		goto out;
	}
	if (json)
		verify_set_json(&b, &s);
	else
		verify_set_text(&b, &s, quiet);
	if (!cmd_print(&cmd_verify, &b))
		goto out;
	code = cmd_flush(&cmd_verify, verify_set_bad(&s) ? CMD_FOUND : CMD_OK);
out:
	hsa_buf_free(&b);
	verify_set_free(&s);
	return code;
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"anchor", required_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'},
	    {"quiet", no_argument, NULL, 'q'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct verify_args args = {0};
	bool json = false, quiet = false;
	int o, code = CMD_USAGE;

	/* no more of either than there are arguments */
	args.key = calloc((size_t)argc, sizeof(*args.key));
	args.anchor = calloc((size_t)argc, sizeof(*args.anchor));
	if (args.key == NULL || args.anchor == NULL) {
		(void)cmd_error(&cmd_verify, "out of memory");
		goto out;
	}
	opterr = 0;
	while ((o = getopt_long(argc, argv, "k:a:jqh", longs, NULL)) != -1)
		switch (o) {
		case 'k':
			args.key[args.keys++] = optarg;
			break;
		case 'a':
			args.anchor[args.anchors++] = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'h':
			code = cmd_help(&cmd_verify);
			goto out;
		default:
			code = cmd_bad_option(&cmd_verify, argv);
			goto out;
		}
	args.dir = argv + optind;
	args.dirs = argc - optind;
	code = args.dirs == 0
		   ? cmd_usage(&cmd_verify, "which folder? name a log, a "
					    "collector's folder or a state "
					    "directory")
		   : verify(&args, json, quiet);
out:
	free(args.key);
	free(args.anchor);
	return code;
}

const struct cmd cmd_verify = {
    .name = "verify",
    .run = run,
    .summary = "check logs: complete, unaltered, signed",
    .help =
	"usage: hsa verify [--key FILE]... [--anchor FILE]... [--json] "
	"[--quiet] DIR...\n\n"
	"DIR is a log folder, a collector's folder or a state directory. "
	"Each log is\nchecked by the rules V1 to V9 of FORMAT.md; copies of "
	"the same log (a unit's and\na collector's) are compared. Works on a "
	"log that is being written.\n\n"
	"  -k, --key FILE     the units' checkpoint.pub, from a place that "
	"you trust;\n                     repeatable. Default: those in the "
	"state directories named\n"
	"  -a, --anchor FILE  a checkpoint kept elsewhere: the log must "
	"contain it.\n                     Finds a cut tail whose head was "
	"put back; repeatable\n"
	"  -j, --json         the report as one JSON object\n"
	"  -q, --quiet        only what is wrong, and the last line\n\n"
	"Exit code 0: all good, 1: damage found, 2: wrong usage or "
	"unreadable.\n",
};
