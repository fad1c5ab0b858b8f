/*
 * validate_args.h - the options about how events are checked, the same for the
 * commands that check any: profile, strictness, checks left out, keys of logs.
 */
#ifndef VALIDATE_ARGS_H
#define VALIDATE_ARGS_H
#include <getopt.h>
#include <stdbool.h>
#include "cmd.h"
#include "val_run.h"
#include "vfy_log.h"

struct validate_args {
	const char *profile; /* NULL: ibm-at */
	bool strict, lenient, private_network, single;
	bool off[VAL_CHECKS];
	struct vfy_keys keys;   /* none: those beside a log */
	struct val_units units; /* none: nobody says */
};

#define VALIDATE_ARGS "p:sld:nk:1u:" /* of getopt */
/* clang-format off */
#define VALIDATE_ARGS_LONG                                                     \
	{"profile", required_argument, NULL, 'p'},                             \
	{"strict", no_argument, NULL, 's'},                                    \
	{"lenient", no_argument, NULL, 'l'},                                   \
	{"disable", required_argument, NULL, 'd'},                             \
	{"private-network", no_argument, NULL, 'n'},                           \
	{"key", required_argument, NULL, 'k'},                                 \
	{"single", no_argument, NULL, '1'},                                    \
	{"units", required_argument, NULL, 'u'}
/* clang-format on */
#define VALIDATE_ARGS_HELP                                                     \
	"  -p, --profile P    ibm-at (default): events as the service emits "  \
	"them;\n"                                                              \
	"                     at-export: as a collector exports them, data "   \
	"as strings;\n"                                                        \
	"                     unit: of a crypto unit, with the record around " \
	"each;\n"                                                              \
	"                     cadf-1.0: as hsa export --format cadf-1.0 "      \
	"writes them\n"                                                        \
	"  -s, --strict       the documented form and no other (default but "  \
	"for\n                     at-export)\n"                               \
	"  -l, --lenient      also what samples of the real service show\n"    \
	"  -n, --private-network  requests came through one: no host address " \
	"is right\n"                                                           \
	"  -d, --disable IDS  checks to leave out: E14,W01\n"                  \
	"  -k, --key FILE     the units' checkpoint.pub, for logs; "           \
	"repeatable. Default:\n                     that beside the log\n"     \
	"  -1, --single       each event by itself: they are of no one "       \
	"history\n"                                                            \
	"  -u, --units N|FILE  each command went to N crypto units, or to "    \
	"those that FILE\n                     names, one a line\n"

/*
 * validate_args_take(a, c, o) - an option that getopt_long found, with optarg:
 * 1 taken, 0 not one of these, -1 not as it should be, and said so.
 * validate_args_set(a, c, run) - the wish into run, which keeps pointing to a;
 * false, and said so, when it makes no sense. validate_args_free(a) - zeroed:
 * nothing.
 */
int validate_args_take(struct validate_args *a, const struct cmd *c, int o);
bool validate_args_set(
    const struct validate_args *a, const struct cmd *c, struct val_run *run);
void validate_args_free(struct validate_args *a);

#endif
