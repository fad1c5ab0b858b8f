/*
 * record_filter.h - which records the user wants, for tail and export. What is
 * not said lets everything pass.
 */
#ifndef RECORD_FILTER_H
#define RECORD_FILTER_H
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include "hsa_event.h"

struct cmd;

#define RECORD_FILTER_ACTIONS 16

struct record_filter {
	uint64_t from, to; /* sequences, both included */
	bool has_since, has_until;
	uint64_t since_ns, until_ns; /* included, not included */
	const char *outcome;
	const char *action[RECORD_FILTER_ACTIONS]; /* any of these; patterns */
	size_t actions;
	const char *unit; /* for tail_set; not looked at here */
};

/* Its options, for the tables of getopt_long, and their lines of help. */
#define RECORD_FILTER_SHORT "u:n:N:A:O:S:U:"
#define RECORD_FILTER_LONG                                                     \
	{"unit", required_argument, NULL, 'u'},                                \
	    {"from", required_argument, NULL, 'n'},                            \
	    {"to", required_argument, NULL, 'N'},                              \
	    {"action", required_argument, NULL, 'A'},                          \
	    {"outcome", required_argument, NULL, 'O'},                         \
	    {"since", required_argument, NULL, 'S'},                           \
	{                                                                      \
		"until", required_argument, NULL, 'U'                          \
	}
#define RECORD_FILTER_HELP                                                     \
	"  -u, --unit NAME   only this unit: its name, its id, or at least "   \
	"four\n                    characters that its name or id begins "     \
	"with\n"                                                               \
	"  -n, --from N      begin with sequence N of each log\n"              \
	"  -N, --to N        end with it\n"                                    \
	"  -A, --action P    only these: an action or a special record's "     \
	"name,\n                    * and ? allowed; again for more\n"         \
	"  -O, --outcome O   only events with it: success, failure, pending\n" \
	"  -S, --since TIME  only what happened then or later: RFC 3339, or "  \
	"only\n                    its date, UTC\n"                            \
	"  -U, --until TIME  only what happened before\n"

void record_filter_init(struct record_filter *f);
/* record_filter_take(f, c, o, value) - one of the options above; value is kept.
 * CMD_OK, or CMD_USAGE with a message. */
int record_filter_take(
    struct record_filter *f, const struct cmd *c, int o, const char *value);
/* record_filter_has(f, r) - r is wanted. An event's time is its eventTime, that
 * of others the record's. */
bool record_filter_has(
    const struct record_filter *f, const struct hsa_record *r);
/* record_filter_time(ns, text) - RFC 3339, with the offset also as +hhmm, as
 * the service writes it; a date alone is its midnight. False: no time. */
bool record_filter_time(uint64_t *ns, const char *text);

#endif
