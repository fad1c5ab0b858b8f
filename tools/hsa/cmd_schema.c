#include "cmd.h"
#include "hsa_buf.h"
#include "val_schema.h"

struct wish {
	const char *profile;
	bool strict, lenient, reach, warnings, private_network;
};

static void
reach(struct hsa_buf *b)
{
	static const char *const text[] = {
	    [VAL_REACH_ALL] = "all",
	    [VAL_REACH_PART] = "part",
	    [VAL_REACH_NONE] = "none",
	};
	const char *beyond;
	size_t i;

	for (i = 0; i < VAL_CHECKS; i++) {
		enum val_reach r = val_schema_reach(&beyond, (enum val_check)i);

		hsa_buf_printf(b, "%s\t%s\t%s\n",
		    val_check_row((enum val_check)i)->id, text[r], beyond);
	}
}

static int
print(const struct wish *w)
{
	struct val_config cfg = {.private_network = w->private_network};
	struct hsa_buf b = {0};
	int code = CMD_USAGE;

	if (!val_profile_find(&cfg.profile, w->profile) ||
	    (cfg.profile != VAL_IBM_AT && cfg.profile != VAL_AT_EXPORT))
		return cmd_usage(&cmd_schema,
		    "no schema for profile %s: ibm-at or at-export",
		    w->profile);
	if (w->strict && w->lenient)
		return cmd_usage(
		    &cmd_schema, "--strict or --lenient, not both");
	cfg.strict = w->strict || (!w->lenient && cfg.profile != VAL_AT_EXPORT);
	if (w->reach) {
		reach(&b);
	} else {
		val_schema(&b, &cfg, w->warnings);
		hsa_buf_u8(&b, '\n');
	}
	if (cmd_print(&cmd_schema, &b))
		code = cmd_flush(&cmd_schema, CMD_OK);
	hsa_buf_free(&b);
	return code;
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"profile", required_argument, NULL, 'p'},
	    {"strict", no_argument, NULL, 's'},
	    {"lenient", no_argument, NULL, 'l'},
	    {"private-network", no_argument, NULL, 'n'},
	    {"warnings", no_argument, NULL, 'w'},
	    {"reach", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct wish w = {.profile = "ibm-at"};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "p:slnwrh", longs, NULL)) != -1)
		switch (o) {
		case 'p':
			w.profile = optarg;
			break;
		case 's':
			w.strict = true;
			break;
		case 'l':
			w.lenient = true;
			break;
		case 'n':
			w.private_network = true;
			break;
		case 'w':
			w.warnings = true;
			break;
		case 'r':
			w.reach = true;
			break;
		case 'h':
			return cmd_help(&cmd_schema);
		default:
			return cmd_bad_option(&cmd_schema, argv);
		}
	if (optind != argc)
		return cmd_usage(
		    &cmd_schema, "%s: takes no argument", argv[optind]);
	return print(&w);
}

const struct cmd cmd_schema = {
    .name = "schema",
    .run = run,
    .summary = "what validate checks of one event, as a JSON Schema",
    .help =
	"usage: hsa schema [options]\n\n"
	"A JSON Schema, draft 2020-12, made from the tables of hsa validate. "
	"It "
	"takes an\nevent exactly when the checks that a schema can say find no "
	"error in it. $comment\nof a subschema is the id of its check.\n\n"
	"  -p, --profile P    ibm-at (default): events as the service emits "
	"them;\n                     at-export: as a collector exports them\n"
	"  -s, --strict       the documented form and no other (default but "
	"for at-export)\n"
	"  -l, --lenient      also what samples of the real service show\n"
	"  -n, --private-network  requests came through one: no host address "
	"is right\n"
	"  -w, --warnings     also what hsa validate only warns of\n"
	"  -r, --reach        instead, for each check: its id, tab, whether "
	"all, part or\n                     none of it is in the schema, tab, "
	"what is beyond\n\n"
	"Exit code 0: good, 2: wrong usage.\n",
};
