#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "hsa_json.h"
#include "record_filter.h"
#include "stats.h"
#include "tail_run.h"
#include "tail_set.h"

#define GAP_S 60
#define TOP 10

struct job {
	struct tail_set set;
	struct record_filter filter;
	uint64_t gap_ns;
	size_t top;
	bool json;
	struct hsa_buf b;
	struct hsa_jw w;
	struct stats total;
	size_t logs;
};

static int
read_log(struct job *j, struct tail_log *l, struct stats *s)
{
	struct hsa_record r = {0};
	hsa_rc rc;

	for (;;) {
		rc = vfy_follow_next(l->follow, &r, 0);
		s->checkpoints = vfy_follow_checkpoints(l->follow);
		if (rc.v == HSA_E_TIMEOUT)
			return CMD_OK;
		if (!hsa_is_ok(rc)) {
			s->damaged = true;
			return tail_damage(&cmd_stats, l, rc);
		}
		if (r.sequence > j->filter.to) {
			hsa_record_free(&r);
			return CMD_OK;
		}
		rc = stats_add(s, &r, record_filter_has(&j->filter, &r));
		hsa_record_free(&r);
		if (!hsa_is_ok(rc))
			return cmd_error(&cmd_stats, "%s", hsa_err_text(rc));
	}
}

static int
one(struct job *j, struct tail_log *l)
{
	const char *name = l->unit[0] == '\0' ? l->path : l->unit;
	struct hsa_diag diag = {{0}};
	struct stats *s = malloc(sizeof(*s));
	int code;
	hsa_rc rc;

	if (s == NULL)
		return cmd_error(&cmd_stats, "out of memory");
	stats_init(s, j->gap_ns);
	rc = tail_set_open(l, j->filter.from, &diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		code = CMD_OK; /* a unit that has not started yet */
		goto out;
	}
	if (!hsa_is_ok(rc)) {
		code = cmd_error(&cmd_stats, "%s", diag.text);
		goto out;
	}
	code = read_log(j, l, s);
	if (code == CMD_USAGE)
		goto out;
	j->logs++;
	if (!hsa_is_ok(stats_merge(&j->total, s))) {
		code = cmd_error(&cmd_stats, "out of memory");
		goto out;
	}
	stats_end(s);
	if (j->json)
		stats_json(&j->w, s, name);
	else
		stats_text(&j->b, s, name, j->top);
	if (!cmd_print(&cmd_stats, &j->b))
		code = CMD_USAGE;
out:
	stats_free(s);
	free(s);
	return code;
}

static int
all(struct job *j, char **dirs, int n)
{
	struct hsa_diag diag = {{0}};
	int code = CMD_OK, now;

	for (int i = 0; i < n; i++)
		if (!hsa_is_ok(tail_set_look(&j->set, dirs[i], &diag)))
			return cmd_error(&cmd_stats, "%s", diag.text);
	if (j->set.len == 0 && j->set.unit != NULL)
		return cmd_error(&cmd_stats, "no unit %s there", j->set.unit);
	if (j->json) {
		hsa_jw_object(&j->w, NULL);
		hsa_jw_array(&j->w, "logs");
	}
	for (size_t i = 0; i < j->set.len; i++) {
		now = one(j, &j->set.log[i]);
		code = now > code ? now : code;
	}
	stats_end(&j->total);
	if (j->json) {
		hsa_jw_end(&j->w);
		stats_json(&j->w, &j->total, NULL);
		hsa_jw_end(&j->w);
		hsa_buf_u8(&j->b, '\n');
	} else if (j->logs > 1)
		stats_text(&j->b, &j->total, NULL, j->top);
	return cmd_print(&cmd_stats, &j->b) ? code : CMD_USAGE;
}

static bool
seconds(uint64_t *ns, const char *s)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(s, &end);
	if (errno != 0 || s[0] < '0' || s[0] > '9' || *end != '\0' ||
	    !isfinite(v) || v * 1e9 < 1 || v > 1e9)
		return false;
	*ns = (uint64_t)(v * 1e9);
	return true;
}

static int
options(struct job *j, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"gap", required_argument, NULL, 'g'},
	    {"top", required_argument, NULL, 'T'},
	    RECORD_FILTER_LONG,
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	char *end;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "jg:T:h" RECORD_FILTER_SHORT, longs,
		    NULL)) != -1)
		switch (o) {
		case 'j':
			j->json = true;
			break;
		case 'g':
			if (!seconds(&j->gap_ns, optarg))
				return cmd_usage(&cmd_stats,
				    "--gap %s: no number of seconds", optarg);
			break;
		case 'T':
			j->top = strtoul(optarg, &end, 10);
			if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0')
				return cmd_usage(&cmd_stats,
				    "--top %s: not a number", optarg);
			break;
		case 'h':
			(void)cmd_help(&cmd_stats);
			return -1;
		case '?':
		case ':':
			return cmd_bad_option(&cmd_stats, argv);
		default:
			if (record_filter_take(
				&j->filter, &cmd_stats, o, optarg) != CMD_OK)
				return CMD_USAGE;
		}
	return CMD_OK;
}

static int
run_stats(int argc, char **argv)
{
	struct job *j = calloc(1, sizeof(*j));
	int code;

	if (j == NULL)
		return cmd_error(&cmd_stats, "out of memory");
	j->gap_ns = GAP_S * UINT64_C(1000000000);
	j->top = TOP;
	j->w.b = &j->b;
	record_filter_init(&j->filter);
	code = options(j, argc, argv);
	if (code == CMD_OK && optind == argc)
		code = cmd_usage(&cmd_stats,
		    "which folder? name a log, a collector's folder or a state "
		    "directory");
	if (code == CMD_OK) {
		j->set.unit = j->filter.unit;
		stats_init(&j->total, j->gap_ns);
		code = all(j, argv + optind, argc - optind);
		stats_free(&j->total);
	}
	hsa_buf_free(&j->b);
	tail_set_free(&j->set);
	free(j);
	return cmd_flush(&cmd_stats, code < 0 ? CMD_OK : code);
}

const struct cmd cmd_stats = {
    .name = "stats",
    .run = run_stats,
    .summary = "count: rates, gaps, actions, failures, calls",
    .help =
	"usage: hsa stats [--json] [--gap SECONDS] [--top N] [FILTER]... "
	"DIR...\n\n"
	"Of each log and of all: what was recorded, how fast, where nothing "
	"came, and what\nEP11 calls were. Verifies nothing: run `hsa verify` "
	"first. Memory does not grow\nwith the log: a median and a p99 are at "
	"most 1/32 above the true ones.\n\n"
	"  -j, --json        one JSON object\n"
	"  -g, --gap S       a gap is so many seconds without an event "
	"(default 60)\n"
	"  -T, --top N       rows of each table as text (default "
	"10)\n" RECORD_FILTER_HELP
	"\nFilters choose events; specials, contexts, epochs and checkpoints "
	"are counted\nall the same.\n"
	"Exit code 0: good, 1: a log is damaged, 2: wrong usage or "
	"unreadable.\n",
};
