#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "export_tiles.h"
#include "hsa_buf.h"
#include "tail_line.h"
#include "tail_set.h"

#define CHUNK (64u * 1024u)
#define NAP_MS 50
#define LOOK_EVERY 20 /* naps: for units that appear later */

struct job {
	const struct cmd *cmd;
	struct tail_set set;
	enum tail_format format;
	bool follow, colour;
	char **dirs;
	int dirs_len;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int
show_damage(const struct job *j, const struct tail_log *l, hsa_rc rc)
{
	struct vfy_place at;

	vfy_follow_place(l->follow, &at);
	if (rc.v == HSA_E_IO) {
		(void)cmd_error(
		    j->cmd, "%s/%s: %s", l->path, at.file, strerror(errno));
		return CMD_USAGE;
	}
	(void)cmd_error(j->cmd,
	    "%s/%s: no more log from record %" PRIu64
	    " on (%s); `hsa verify` says where and what",
	    l->path, at.file, at.sequence, hsa_err_text(rc));
	return CMD_FOUND;
}

/* All that is sealed of one log now. */
static int
drain(struct job *j, struct tail_log *l, struct hsa_buf *b)
{
	struct hsa_record r = {0};
	hsa_rc rc;

	while (!stopped) {
		rc = vfy_follow_next(l->follow, &r, 0);
		if (rc.v == HSA_E_TIMEOUT)
			break;
		if (!hsa_is_ok(rc)) {
			(void)cmd_print(j->cmd, b);
			return show_damage(j, l, rc);
		}
		tail_line(b, &r, j->format, l->unit[0] == '\0' ? NULL : l->unit,
		    j->colour);
		hsa_record_free(&r);
		if ((b->len >= CHUNK || b->failed) && !cmd_print(j->cmd, b))
			return CMD_USAGE;
	}
	return cmd_print(j->cmd, b) ? CMD_OK : CMD_USAGE;
}

static int
look(struct job *j, bool first)
{
	struct hsa_diag diag = {{0}};
	hsa_rc rc;

	for (int i = 0; i < j->dirs_len; i++) {
		rc = tail_set_look(&j->set, j->dirs[i], &diag);
		/* a collector's folder may be empty when we begin to follow */
		if (rc.v == HSA_E_NOT_FOUND && j->follow &&
		    access(j->dirs[i], F_OK) == 0)
			continue;
		if (!hsa_is_ok(rc) && (first || rc.v != HSA_E_NOT_FOUND))
			return cmd_error(j->cmd, "%s", diag.text);
	}
	if (first && j->set.len == 0 && j->set.unit != NULL && !j->follow)
		return cmd_error(j->cmd, "no unit %s there", j->set.unit);
	return CMD_OK;
}

static int
once(struct job *j, struct hsa_buf *b)
{
	struct hsa_diag diag = {{0}};
	int code = CMD_OK, now;
	hsa_rc rc;

	for (size_t i = 0; i < j->set.len && !stopped; i++) {
		struct tail_log *l = &j->set.log[i];

		rc = tail_set_open(l, j->set.from, &diag);
		if (rc.v == HSA_E_NOT_FOUND)
			continue; /* a unit that has not started yet */
		now = hsa_is_ok(rc) ? drain(j, l, b)
				    : cmd_error(j->cmd, "%s", diag.text);
		if (now == CMD_USAGE || (now != CMD_OK && j->follow))
			return now;
		code = now > code ? now : code;
	}
	return code;
}

static int
work(struct job *j)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	struct sigaction sa = {.sa_handler = on_stop};
	struct hsa_buf b = {0};
	int code;

	code = look(j, true);
	if (j->follow) {
		(void)sigaction(SIGINT, &sa, NULL);
		(void)sigaction(SIGTERM, &sa, NULL);
	}
	for (unsigned int n = 1; code == CMD_OK; n++) {
		code = once(j, &b);
		if (!j->follow || stopped || code != CMD_OK)
			break;
		code = cmd_flush(j->cmd, code);
		(void)nanosleep(&nap, NULL);
		if (n % LOOK_EVERY == 0 && code == CMD_OK)
			code = look(j, false);
	}
	hsa_buf_free(&b);
	tail_set_free(&j->set);
	return cmd_flush(j->cmd, code);
}

static bool
parse_format(enum tail_format *f, const char *s)
{
	if (strcmp(s, "text") == 0)
		*f = TAIL_TEXT;
	else if (strcmp(s, "json") == 0 || strcmp(s, "ibm-at") == 0)
		*f = TAIL_JSON;
	else if (strcmp(s, "envelope") == 0)
		*f = TAIL_ENVELOPE;
	else
		return false;
	return true;
}

static bool
parse_number(uint64_t *v, const char *s)
{
	char *end;

	errno = 0;
	*v = strtoull(s, &end, 10);
	return errno == 0 && s[0] >= '0' && s[0] <= '9' && *end == '\0';
}

static int
run_tail(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'o'},
	    {"follow", no_argument, NULL, 'f'},
	    {"unit", required_argument, NULL, 'u'},
	    {"from", required_argument, NULL, 'n'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *no_color = getenv("NO_COLOR");
	struct job j = {.cmd = &cmd_tail, .format = TAIL_TEXT};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:fu:n:h", longs, NULL)) != -1)
		switch (o) {
		case 'o':
			if (!parse_format(&j.format, optarg))
				return cmd_usage(&cmd_tail,
				    "no format %s; there are text, json, "
				    "envelope",
				    optarg);
			break;
		case 'f':
			j.follow = true;
			break;
		case 'u':
			j.set.unit = optarg;
			break;
		case 'n':
			if (!parse_number(&j.set.from, optarg))
				return cmd_usage(&cmd_tail,
				    "--from %s: not a sequence number", optarg);
			break;
		case 'h':
			return cmd_help(&cmd_tail);
		default:
			return cmd_bad_option(&cmd_tail, argv);
		}
	if (optind == argc)
		return cmd_usage(&cmd_tail, "which folder? name a log, a "
					    "collector's folder or a state "
					    "directory");
	j.colour = isatty(STDOUT_FILENO) == 1 &&
		   (no_color == NULL || no_color[0] == '\0');
	j.dirs = argv + optind;
	j.dirs_len = argc - optind;
	return work(&j);
}

const struct cmd cmd_tail = {
    .name = "tail",
    .run = run_tail,
    .summary = "show records, also while they come",
    .help =
	"usage: hsa tail [--format text|json|envelope] [--follow] [--unit "
	"NAME]\n                [--from SEQUENCE] DIR...\n\n"
	"DIR is a log folder, a collector's folder or a state directory. "
	"Only records\nthat a checkpoint covers are shown; nothing is "
	"verified: that is `hsa verify`.\n\n"
	"  -o, --format F    text (default), one line a record; json: events "
	"only, as\n                    the service writes them (ibm-at); "
	"envelope: every record\n"
	"  -f, --follow      go on with what comes, until interrupted\n"
	"  -u, --unit NAME   only this unit: its name, its id, or at least "
	"four\n                    characters that its name or id begins "
	"with\n"
	"  -n, --from N      begin with sequence N of each log\n\n"
	"Colour on a terminal only, and not when NO_COLOR is set.\n"
	"Exit code 0: good, 1: a log is damaged, 2: wrong usage or "
	"unreadable.\n",
};

static int
run_export(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'o'},
	    {"unit", required_argument, NULL, 'u'},
	    {"tlog-tiles", required_argument, NULL, 't'},
	    {"key", required_argument, NULL, 'k'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct job j = {.cmd = &cmd_export, .format = TAIL_JSON};
	const char *tiles = NULL, *key = NULL;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:u:t:k:h", longs, NULL)) != -1)
		switch (o) {
		case 'o':
			if (!parse_format(&j.format, optarg) ||
			    j.format == TAIL_TEXT)
				return cmd_usage(&cmd_export,
				    "no format %s; there are ibm-at, envelope",
				    optarg);
			break;
		case 'u':
			j.set.unit = optarg;
			break;
		case 't':
			tiles = optarg;
			break;
		case 'k':
			key = optarg;
			break;
		case 'h':
			return cmd_help(&cmd_export);
		default:
			return cmd_bad_option(&cmd_export, argv);
		}
	if (optind == argc)
		return cmd_usage(&cmd_export, "which folder? name a log, a "
					      "collector's folder or a state "
					      "directory");
	j.dirs = argv + optind;
	j.dirs_len = argc - optind;
	if (tiles != NULL)
		return export_tiles(&cmd_export,
		    &(const struct log_set_args){.dir = j.dirs,
			.dirs = j.dirs_len,
			.key = &key,
			.keys = key != NULL,
			.unit = j.set.unit},
		    tiles);
	if (key != NULL)
		return cmd_usage(&cmd_export,
		    "--key is for --tlog-tiles: nothing else is verified");
	return work(&j);
}

const struct cmd cmd_export = {
    .name = "export",
    .run = run_export,
    .summary = "write all events as JSON lines",
    .help = "usage: hsa export [--format ibm-at|envelope] [--unit NAME] "
	    "DIR...\n"
	    "       hsa export --tlog-tiles TILES [--key FILE] [--unit NAME] "
	    "DIR...\n\n"
	    "Writes every sealed record to standard output, one JSON object a "
	    "line, unit by\nunit in order. Verifies nothing: run `hsa verify` "
	    "first.\n\n"
	    "  -o, --format F    ibm-at (default): events only, as the "
	    "service writes them;\n                    envelope: every "
	    "record, with what this project adds\n"
	    "  -u, --unit NAME   only this unit: its name, its id, or at "
	    "least four\n                    characters that its name or id "
	    "begins with\n"
	    "  -t, --tlog-tiles TILES\n"
	    "                    verify one log and write it there as C2SP "
	    "tlog-tiles, for any\n                    web server to give "
	    "away; again, and what is new is added\n"
	    "  -k, --key FILE    for that, the unit's checkpoint.pub. Default: "
	    "that of the\n                    state directory named\n\n"
	    "Exit code 0: good, 1: a log is damaged, 2: wrong usage or "
	    "unreadable.\n",
};
