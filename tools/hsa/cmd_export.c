#include "cmd.h"
#include "export_tiles.h"
#include "hsa_buf.h"
#include "render.h"
#include "tail_run.h"

static int
no_format(const char *name)
{
	struct hsa_buf b = {0};

	render_names(&b, false);
	(void)cmd_usage(
	    &cmd_export, "no format %s; there are %s", name, hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	return CMD_USAGE;
}

/* What the user said, beside the job itself. */
struct said {
	const char *tiles, *key;
	bool format;
};

static int
options(struct tail_job *j, struct said *s, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'o'},
	    {"output", required_argument, NULL, 'w'},
	    RECORD_FILTER_LONG,
	    {"tlog-tiles", required_argument, NULL, 't'},
	    {"key", required_argument, NULL, 'k'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:w:t:k:h" RECORD_FILTER_SHORT,
		    longs, NULL)) != -1)
		switch (o) {
		case 'o':
			j->format = render_find(optarg);
			/* text is for eyes */
			if (j->format == NULL || j->format == render_next(NULL))
				return no_format(optarg);
			s->format = true;
			break;
		case 'w':
			j->output = optarg;
			break;
		case 't':
			s->tiles = optarg;
			break;
		case 'k':
			s->key = optarg;
			break;
		case '?':
		case ':':
			return cmd_bad_option(&cmd_export, argv);
		case 'h':
			(void)cmd_help(&cmd_export);
			return -1;
		default:
			if (record_filter_take(
				&j->filter, &cmd_export, o, optarg) != CMD_OK)
				return CMD_USAGE;
		}
	return CMD_OK;
}

/* Tiles are of the whole log, and a folder. */
static bool
partial(const struct tail_job *j, const struct said *s)
{
	const struct record_filter *f = &j->filter;

	return s->format || j->output != NULL || f->from != 0 ||
	       f->to != UINT64_MAX || f->has_since || f->has_until ||
	       f->outcome != NULL || f->actions != 0;
}

static int
run_export(int argc, char **argv)
{
	struct tail_job j = {
	    .cmd = &cmd_export, .format = render_find("ibm-at")};
	struct said s = {NULL, NULL, false};
	int code;

	record_filter_init(&j.filter);
	code = options(&j, &s, argc, argv);
	if (code != CMD_OK)
		return code < 0 ? CMD_OK : code;
	if (optind == argc)
		return cmd_usage(&cmd_export, "which folder? name a log, a "
					      "collector's folder or a state "
					      "directory");
	j.dirs = argv + optind;
	j.dirs_len = argc - optind;
	if (s.tiles != NULL && partial(&j, &s))
		return cmd_usage(&cmd_export,
		    "--tlog-tiles writes all of a log, in one form: of the "
		    "other options it takes --key and --unit");
	if (s.tiles != NULL)
		return export_tiles(&cmd_export,
		    &(const struct log_set_args){.dir = j.dirs,
			.dirs = j.dirs_len,
			.key = &s.key,
			.keys = s.key != NULL,
			.unit = j.filter.unit},
		    s.tiles);
	if (s.key != NULL)
		return cmd_usage(&cmd_export,
		    "--key is for --tlog-tiles: nothing else is verified");
	return tail_run(&j);
}

const struct cmd cmd_export = {
    .name = "export",
    .run = run_export,
    .summary = "write events in the formats that others read",
    .help =
	"usage: hsa export [--format FORMAT] [--output FILE] [FILTER]... "
	"DIR...\n"
	"       hsa export --tlog-tiles TILES [--key FILE] [--unit NAME] "
	"DIR...\n\n"
	"Writes what is sealed, a line each, unit by unit in order. Verifies "
	"nothing: run\n`hsa verify` first.\n\n"
	"  -o, --format F    ibm-at (default): events, as the service writes "
	"them, JSON\n"
	"                    envelope: every record, with what this project "
	"adds, JSON\n"
	"                    cadf-1.0: DMTF's DSP0262, JSON\n"
	"                    kur-tsv, kur-csv: what IBM's Key Usage Reporter "
	"reads, and\n                    the columns that it writes\n"
	"                    cef: ArcSight Common Event Format\n"
	"  -w, --output FILE there with everything, or not at all. Default: "
	"standard\n                    output\n" RECORD_FILTER_HELP
	"  -t, --tlog-tiles TILES\n"
	"                    verify one log and write it there as C2SP "
	"tlog-tiles, for any\n                    web server to give "
	"away; again, and what is new is added\n"
	"  -k, --key FILE    for that, the unit's checkpoint.pub. Default: "
	"that of the\n                    state directory named\n\n"
	"Exit code 0: good, 1: a log is damaged, 2: wrong usage or "
	"unreadable.\n",
};
