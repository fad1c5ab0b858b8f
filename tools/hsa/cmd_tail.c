#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "render.h"
#include "tail_run.h"

static int
no_format(const char *name)
{
	struct hsa_buf b = {0};

	render_names(&b, true);
	(void)cmd_usage(
	    &cmd_tail, "no format %s; there are %s", name, hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	return CMD_USAGE;
}

static int
run_tail(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'o'},
	    {"follow", no_argument, NULL, 'f'},
	    RECORD_FILTER_LONG,
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *no_color = getenv("NO_COLOR");
	struct tail_job j = {.cmd = &cmd_tail, .format = render_find("text")};
	int o;

	record_filter_init(&j.filter);
	opterr = 0;
	while ((o = getopt_long(
		    argc, argv, "o:fh" RECORD_FILTER_SHORT, longs, NULL)) != -1)
		switch (o) {
		case 'o':
			j.format = render_find(optarg);
			if (j.format == NULL)
				return no_format(optarg);
			break;
		case 'f':
			j.follow = true;
			break;
		case 'h':
			return cmd_help(&cmd_tail);
		case '?':
		case ':':
			return cmd_bad_option(&cmd_tail, argv);
		default:
			if (record_filter_take(
				&j.filter, &cmd_tail, o, optarg) != CMD_OK)
				return CMD_USAGE;
		}
	if (optind == argc)
		return cmd_usage(&cmd_tail, "which folder? name a log, a "
					    "collector's folder or a state "
					    "directory");
	j.colour = isatty(STDOUT_FILENO) == 1 &&
		   (no_color == NULL || no_color[0] == '\0');
	j.dirs = argv + optind;
	j.dirs_len = argc - optind;
	return tail_run(&j);
}

const struct cmd cmd_tail = {
    .name = "tail",
    .run = run_tail,
    .summary = "show records, also while they come",
    .help =
	"usage: hsa tail [--format FORMAT] [--follow] [FILTER]... DIR...\n\n"
	"DIR is a log folder, a collector's folder or a state directory. "
	"Only records\nthat a checkpoint covers are shown; nothing is "
	"verified: that is `hsa verify`.\n\n"
	"  -o, --format F    text (default), one line a record; or one of "
	"those of\n                    `hsa export`\n"
	"  -f, --follow      go on with what comes, until "
	"interrupted\n" RECORD_FILTER_HELP
	"\nColour on a terminal only, and not when NO_COLOR is set.\n"
	"Exit code 0: good, 1: a log is damaged, 2: wrong usage or "
	"unreadable.\n",
};
