/*
 * main.c - ep11-bench: what an hs-crypto.ep11.use event costs the caller of an
 * EP11 operation. Embeds one unit of an installation that is not being served.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "eb_case.h"
#include "eb_print.h"
#include "eb_run.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2
};

#define CASES_MAX 32

static const char usage_text[] =
    "usage: ep11-bench --state DIR [--unit NAME]... [--case NAME]...\n"
    "           [--rounds N] [--slice-us N] [--threads N | --callers N]\n"
    "           [--no-direct] [--lttng] [--json]\n"
    "       ep11-bench --list | --help | --version\n"
    "\n"
    "Measures EP11 operations of one crypto unit in this process, in\n"
    "interleaved slices: by direct Cryptoki on its token, through the unit\n"
    "without events, the same over a socket, with every event in the ring,\n"
    "and with every event sealed. The unit needs a master key, and\n"
    "cryptounitd must not be running on DIR.\n"
    "\n"
    "  --state DIR    installation made by `cryptounitd init`\n"
    "  --unit NAME    one of its units (default: the first); others that are\n"
    "                 named after it are busy in processes of their own while\n"
    "                 it is measured what the sealer takes: as many as there\n"
    "                 are cores, and longer slices\n"
    "  --case NAME    measure this only; may be given again\n"
    "  --rounds N     rounds of slices, 3 to 1000 (default 40)\n"
    "  --slice-us N   microseconds of work in a slice (default 1000)\n"
    "  --threads N    callers at once, 1 to 256 (default 1); give as many as\n"
    "                 there are cores, and longer slices, to see what the\n"
    "                 sealer takes from them\n"
    "  --callers N    the same, and hold sealing against a bare write and\n"
    "                 fdatasync of as many bytes\n"
    "  --lttng        and against an LTTng-UST tracepoint; run through\n"
    "                 with-lttng.sh\n"
    "  --no-direct    leave the direct Cryptoki calls out\n"
    "\n"
    "Turning emission off and on leaves records of its own in the unit's log.\n"
    "Exit status: 0 measured, 1 failed, 2 wrong use. See ep11-bench(1).\n";

struct options {
	const char *state;
	const char *unit[1 + EB_OTHERS_MAX];
	size_t unit_len;
	const char *only[CASES_MAX];
	size_t only_len;
	struct eb_plan plan;
	bool json, direct, lttng, bare;
};

static int
wrong_use(const char *what)
{
	(void)fprintf(stderr, "ep11-bench: %s; fix: ep11-bench --help\n", what);
	return EXIT_USAGE;
}

static bool
number(unsigned int *to, const char *s, unsigned long min, unsigned long max)
{
	char *end = NULL;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v < min || v > max)
		return false;
	*to = (unsigned int)v;
	return true;
}

static const struct eb_case *
find_case(const char *name)
{
	size_t n = 0;
	const struct eb_case *all = eb_cases(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static int
list(void)
{
	size_t n = 0;
	const struct eb_case *all = eb_cases(&n);

	for (size_t i = 0; i < n; i++)
		(void)printf("%-22s %s\n", all[i].name, all[i].what);
	return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

/* 0: go on; else the exit status plus one. */
static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
	    {"state", required_argument, NULL, 's'},
	    {"unit", required_argument, NULL, 'u'},
	    {"case", required_argument, NULL, 'c'},
	    {"rounds", required_argument, NULL, 'r'},
	    {"slice-us", required_argument, NULL, 'l'},
	    {"threads", required_argument, NULL, 't'},
	    {"callers", required_argument, NULL, 'C'},
	    {"lttng", no_argument, NULL, 'T'},
	    {"no-direct", no_argument, NULL, 'd'},
	    {"json", no_argument, NULL, 'j'},
	    {"list", no_argument, NULL, 'L'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	bool good = true;
	int c = 0;

	while (good && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 's':
			o->state = optarg;
			break;
		case 'u':
			good = o->unit_len < 1 + EB_OTHERS_MAX;
			if (good)
				o->unit[o->unit_len++] = optarg;
			break;
		case 'c':
			good = o->only_len < CASES_MAX &&
			       find_case(optarg) != NULL;
			if (good)
				o->only[o->only_len++] = optarg;
			break;
		case 'r':
			good = number(&o->plan.rounds, optarg, 3, 1000);
			break;
		case 'l':
			good = number(&o->plan.slice_us, optarg, 100, 1000000);
			break;
		case 't':
			good = number(&o->plan.threads, optarg, 1, 256);
			break;
		case 'C':
			good = number(&o->plan.threads, optarg, 1, 256);
			o->bare = true;
			break;
		case 'T':
			o->lttng = true;
			break;
		case 'd':
			o->direct = false;
			break;
		case 'j':
			o->json = true;
			break;
		case 'L':
			return 1 + list();
		case 'h':
			return 1 + (fputs(usage_text, stdout) < 0);
		case 'V':
			return 1 + (puts("ep11-bench " HSA_VERSION) < 0);
		default:
			good = false;
			break;
		}
	if (!good || optind != argc)
		return 1 + wrong_use("option not understood, out of its "
				     "range, or no case of that name");
	if (o->state == NULL)
		return 1 + wrong_use("which installation?");
	return 0;
}

/* ---- measuring ----------------------------------------------------------- */

static bool
wanted(const struct options *o, const char *name)
{
	for (size_t i = 0; i < o->only_len; i++)
		if (strcmp(o->only[i], name) == 0)
			return true;
	return o->only_len == 0;
}

/* The label of the unit's token is its id without dashes. */
static hsa_rc
open_raw(struct eb_raw *raw, struct cryptounit *u, struct hsa_diag *diag)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	char label[2 * HSA_UUID_LEN + 1] = "";
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (r == NULL)
		goto out;
	HSA_TRY(rc, cryptounit_request(u, r, &q));
	hsa_hex(label, r->status.unit_id, HSA_UUID_LEN);
	HSA_TRY(rc, eb_raw_open(raw, label, diag));
out:
	if (r != NULL)
		hsa_unit_reply_free(r);
	free(r);
	return rc;
}

/* What is there besides the unit, and is given back at the end. */
struct things {
	struct eb_keys *keys;
	struct hsa_caller caller;
	struct eb_raw raw;
	struct eb_socket socket;
	struct eb_lttng lttng;
	struct eb_bare bare;
	struct hsa_buf log;
	struct eb_besides besides;
};

static bool
many(const struct options *o)
{
	size_t n = 0;
	const struct eb_case *all = eb_cases(&n);

	for (size_t i = 0; i < n; i++)
		if (all[i].uncached && wanted(o, all[i].name))
			return true;
	return false;
}

static hsa_rc
prepare(struct things *t, const struct options *o, struct cryptounit *u,
    struct hsa_diag *diag)
{
	struct eb_besides *x = &t->besides;
	hsa_rc rc = HSA_RC(E_NOMEM);

	t->keys = calloc(1, sizeof(*t->keys));
	if (t->keys == NULL)
		goto out;
	HSA_TRY(rc, eb_caller_make(&t->caller));
	HSA_TRY(rc, cryptounit_emission(u, CRYPTOUNIT_OFF));
	HSA_TRY(rc, eb_keys_make(t->keys, u, &t->caller, many(o), diag));
	HSA_TRY(rc, cryptounit_emission(u, CRYPTOUNIT_SEALED));
	if (o->direct && o->plan.threads == 1) {
		HSA_TRY(rc, open_raw(&t->raw, u, diag));
		x->raw = &t->raw;
	}
	HSA_TRY(rc, eb_socket_open(&t->socket, u, diag));
	x->socket = &t->socket;
	if (o->lttng) {
		HSA_TRY(rc, eb_lttng_open(&t->lttng, diag));
		x->lttng = &t->lttng;
	}
	if (!o->bare)
		goto out;
	hsa_buf_printf(&t->log, "%s/log", cryptounit_folder(u));
	HSA_TRY(rc, hsa_buf_rc(&t->log));
	x->log = hsa_buf_cstr(&t->log);
	HSA_TRY(rc, eb_bare_open(&t->bare, cryptounit_folder(u), diag));
	x->bare = &t->bare;
out:
	return rc;
}

static void
give_back(struct things *t)
{
	eb_bare_close(&t->bare);
	eb_lttng_close(&t->lttng);
	eb_socket_close(&t->socket);
	eb_raw_close(&t->raw);
	if (t->keys != NULL)
		eb_keys_free(t->keys);
	free(t->keys);
	hsa_caller_free(&t->caller);
	hsa_buf_free(&t->log);
}

static hsa_rc
measure(const struct options *o, struct cryptounit *u, struct eb_others *others,
    struct hsa_diag *diag)
{
	struct eb_result result[CASES_MAX] = {{0}};
	struct things t = {.besides = {.others = others}};
	size_t n = 0, done = 0;
	const struct eb_case *all = eb_cases(&n);
	hsa_rc rc;

	HSA_TRY(rc, prepare(&t, o, u, diag));
	for (size_t i = 0; i < n; i++) {
		if (!wanted(o, all[i].name))
			continue;
		HSA_TRY(rc, eb_run(&result[done], &all[i], &o->plan, u,
				&t.caller, t.keys, &t.besides, diag));
		done++;
	}
	if (!(o->json ? eb_print_json : eb_print_text)(result, done, &o->plan))
		rc = hsa_fail(diag, HSA_RC(E_IO), "cannot write the results");
out:
	give_back(&t);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options o = {
	    .plan = {.rounds = 40, .slice_us = 1000, .threads = 1},
	    .direct = true};
	struct cryptounit *u = NULL;
	struct eb_others *others = NULL;
	struct hsa_diag diag = {{0}};
	int status = read_options(&o, argc, argv);
	hsa_rc rc;

	if (status != 0)
		return status - 1;
	/* a unit cannot be open when a process divides */
	rc = o.unit_len < 2 ? HSA_OK
			    : eb_others_start(&others, o.state, o.unit + 1,
				  o.unit_len - 1, many(&o), &diag);
	if (hsa_is_ok(rc))
		rc = cryptounit_open(&u, o.state, o.unit[0], &diag);
	if (hsa_is_ok(rc))
		rc = measure(&o, u, others, &diag);
	/* whatever happened, the log must not stay without events */
	if (u != NULL &&
	    !hsa_is_ok(cryptounit_emission(u, CRYPTOUNIT_SEALED)) &&
	    hsa_is_ok(rc))
		rc = hsa_fail(&diag, HSA_RC(E_IO),
		    "the unit's log does not take events any more");
	cryptounit_close(u);
	eb_others_stop(others);
	if (hsa_is_ok(rc))
		return 0;
	(void)fprintf(stderr, "ep11-bench: %s\n",
	    diag.text[0] != '\0' ? diag.text : hsa_err_text(rc));
	return rc.v == HSA_E_CONFIG || rc.v == HSA_E_NOT_FOUND ? EXIT_USAGE
							       : EXIT_FAILED;
}
