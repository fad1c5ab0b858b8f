/*
 * main.c - cryptounitd: wiring only. Reads the command line and hands over to
 * endpoint/.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_certs.h"
#include "ep_config.h"
#include "ep_front.h"
#include "ep_harden.h"
#include "ep_init.h"
#include "ep_log.h"
#include "ep_newlog.h"
#include "ep_resume.h"
#include "ep_status.h"
#include "ep_super.h"
#include "ep_unit.h"

enum {
	EXIT_DOWN = 1, /* failed, or something is down */
	EXIT_USAGE = 2
};

static const char usage_text[] =
    "usage: cryptounitd init DIR [--units operational=2,recovery=1]\n"
    "           [--region us-south] [--admin-listen HOST:PORT]\n"
    "           [--collector NAME=ADDRESS]... [--module PATH]\n"
    "       cryptounitd run DIR\n"
    "       cryptounitd status DIR [--json]\n"
    "       cryptounitd certs DIR [--days 365]\n"
    "       cryptounitd resume DIR --unit NAME\n"
    "       cryptounitd new-log DIR --unit NAME [--reason TEXT] [--force]\n"
    "       cryptounitd --help | --version\n"
    "\n"
    "Simulated crypto units, administered as an EP11 module is, with a\n"
    "sealed audit log each.\n"
    "\n"
    "  init    make a new installation in DIR, which is absent or empty\n"
    "  run     serve it until SIGTERM; prints a line with \"ready\"\n"
    "  status  what runs, and the state of every unit\n"
    "  certs   new keys and certificates for channels over TLS\n"
    "  resume  start a halted unit anew, once its cause is gone\n"
    "  new-log begin a new log for a unit whose log is damaged, and say so in "
    "it\n"
    "\n"
    "Exit status: 0 success (status: all up), 1 failure (status: something\n"
    "is down), 2 wrong use or configuration. See cryptounitd(8).\n";

static int
wrong_use(const char *what, const char *fix)
{
	(void)fprintf(stderr, "cryptounitd: %s; fix: %s\n", what, fix);
	return EXIT_USAGE;
}

static int
failed(hsa_rc rc, const struct hsa_diag *d)
{
	(void)fprintf(stderr, "cryptounitd: %s\n",
	    d->text[0] != '\0' ? d->text : hsa_err_text(rc));
	return rc.v == HSA_E_CONFIG || rc.v == HSA_E_ARG ? EXIT_USAGE
							 : EXIT_DOWN;
}

/* What a child says goes to the log, with its name. */
static int
failed_child(hsa_rc rc, const struct hsa_diag *d)
{
	ep_log("%s", d->text[0] != '\0' ? d->text : hsa_err_text(rc));
	return EXIT_DOWN;
}

/* ---- init ---------------------------------------------------------------- */

/* "NAME=ADDRESS" of argv, cut in place. */
static bool
add_collector(
    struct ep_init_options *opt, struct ep_collector *list, char *text)
{
	char *eq = strchr(text, '=');

	if (eq == NULL || opt->collector_len == EP_COLLECTORS_MAX)
		return false;
	*eq = '\0';
	list[opt->collector_len++] =
	    (struct ep_collector){.name = text, .address = eq + 1};
	return true;
}

/* How to run the first collector, on this machine. */
static void
tell_collector(const char *dir, const struct ep_init_options *opt)
{
	const struct ep_collector *c = opt->collector;
	const char *at =
	    opt->collector_len == 0 ? "unix:collect.sock" : c->address;
	bool unix_ = strncmp(at, "unix:", 5) == 0;

	(void)printf("  collect:    hsa collect --listen ");
	if (unix_ && at[5] != '/')
		(void)printf("unix:%s/%s", dir, at + 5);
	else
		(void)printf("%s", at);
	if (!unix_)
		(void)printf(" --ca %s/" EP_TLS_CA " --identity %s/" EP_TLS_DIR
			     "/collector-%s.pem",
		    dir, dir, c->name);
	(void)printf(" --out COLLECTED --key %s/checkpoint.pub\n", dir);
}

static void
tell_next(const char *dir, const struct ep_init_options *opt)
{
	(void)printf("cryptounitd: made %s with %u crypto units\n"
		     "  start it:   cryptounitd run %s\n",
	    dir, opt->operational + opt->recovery + opt->failover, dir);
	tell_collector(dir, opt);
	(void)printf("  administer: tke --state %s cryptounits\n", dir);
	if (opt->admin_listen != NULL)
		(void)printf("  token for http://%s: %s/admin.token\n",
		    opt->admin_listen, dir);
}

static int
do_init(int argc, char **argv)
{
	static const struct option options[] = {
	    {"units", required_argument, NULL, 'u'},
	    {"region", required_argument, NULL, 'r'},
	    {"admin-listen", required_argument, NULL, 'l'},
	    {"collector", required_argument, NULL, 'c'},
	    {"module", required_argument, NULL, 'm'},
	    {0},
	};
	struct ep_collector list[EP_COLLECTORS_MAX] = {{0}};
	struct ep_init_options opt = {.operational = 2,
	    .recovery = 1,
	    .region = "us-south",
	    .collector = list};
	struct hsa_diag d = {{0}};
	hsa_rc rc = HSA_OK;
	int o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'u')
			rc = ep_init_units(&opt, optarg, &d);
		else if (o == 'r')
			opt.region = optarg;
		else if (o == 'l')
			opt.admin_listen = optarg;
		else if (o == 'm')
			opt.module = optarg;
		else if (o != 'c' || !add_collector(&opt, list, optarg))
			return wrong_use("init: option not understood",
			    o == 'c' ? "--collector NAME=unix:PATH or "
				       "NAME=tls:HOST:PORT, at most 8"
				     : "cryptounitd --help lists them");
		if (!hsa_is_ok(rc))
			return failed(rc, &d);
	}
	if (argc - optind != 1)
		return wrong_use("init takes one folder", "name it");
	rc = ep_harden(-1, &d);
	if (hsa_is_ok(rc))
		rc = ep_init(argv[optind], &opt, &d);
	if (!hsa_is_ok(rc))
		return failed(rc, &d);
	tell_next(argv[optind], &opt);
	return 0;
}

/* ---- run, and what it starts --------------------------------------------- */

/* The one operand, as an absolute path; NULL with a message. */
static char *
folder(int argc, char **argv, int at)
{
	char *real = NULL;

	if (argc - at != 1) {
		(void)wrong_use("one folder is needed",
		    "name the one that `cryptounitd init` made");
		return NULL;
	}
	real = realpath(argv[at], NULL);
	if (real == NULL)
		(void)fprintf(stderr,
		    "cryptounitd: %s: %s; fix: name the folder that "
		    "`cryptounitd init` made\n",
		    argv[at], strerror(errno));
	return real;
}

static int
do_run(int argc, char **argv)
{
	static const struct option options[] = {{0}};
	struct hsa_diag d = {{0}};
	char *dir = NULL;
	hsa_rc rc = HSA_OK;

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		return wrong_use("run has no options", "cryptounitd run DIR");
	dir = folder(argc, argv, optind);
	if (dir == NULL)
		return EXIT_USAGE;
	ep_log_name("supervisor");
	rc = ep_harden(-1, &d);
	if (hsa_is_ok(rc))
		rc = ep_super_run(dir, &d);
	free(dir);
	return hsa_is_ok(rc) ? 0 : failed(rc, &d);
}

/* --ready-fd=3 in front of the operands, from the supervisor only. */
static int
ready_fd(int argc, char **argv)
{
	static const struct option options[] = {
	    {"ready-fd", required_argument, NULL, 'f'}, {0}};
	int fd = -1, o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (o == 'f' && strcmp(optarg, "3") == 0)
			fd = EP_READY_FD;
	return fd;
}

/* No new attempt helps before somebody has mended what is stored. */
static bool
for_somebody(hsa_rc rc)
{
	return rc.v == HSA_E_CORRUPT || rc.v == HSA_E_IO || rc.v == HSA_E_KEY;
}

static int
do_unit(int argc, char **argv)
{
	struct hsa_diag d = {{0}};
	char who[80] = "";
	int fd = ready_fd(argc, argv);
	hsa_rc rc = HSA_OK;

	if (argc - optind != 2)
		return wrong_use(
		    "unit is for the supervisor", "cryptounitd run DIR");
	(void)snprintf(who, sizeof(who), "unit %s", argv[optind + 1]);
	ep_log_name(who);
	rc = ep_harden(fd, &d);
	if (hsa_is_ok(rc))
		rc = ep_unit_run(argv[optind], argv[optind + 1], fd, &d);
	if (hsa_is_ok(rc))
		return 0;
	(void)failed_child(rc, &d);
	return for_somebody(rc) ? EP_EXIT_HALTED : EXIT_DOWN;
}

static int
do_front(int argc, char **argv)
{
	struct hsa_diag d = {{0}};
	int fd = ready_fd(argc, argv);
	hsa_rc rc = HSA_OK;

	if (argc - optind != 1)
		return wrong_use(
		    "front is for the supervisor", "cryptounitd run DIR");
	ep_log_name("front");
	rc = ep_harden(fd, &d);
	if (hsa_is_ok(rc))
		rc = ep_front_run(argv[optind], fd, &d);
	return hsa_is_ok(rc) ? 0 : failed_child(rc, &d);
}

/* ---- status -------------------------------------------------------------- */

static int
do_status(int argc, char **argv)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'}, {0}};
	struct hsa_buf text = {0};
	struct hsa_diag d = {{0}};
	bool json = false, all_up = false;
	char *dir = NULL;
	hsa_rc rc = HSA_OK;
	int o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o != 'j')
			return wrong_use("status: option not understood",
			    "cryptounitd status DIR [--json]");
		json = true;
	}
	dir = folder(argc, argv, optind);
	if (dir == NULL)
		return EXIT_USAGE;
	rc = ep_status(&text, &all_up, dir, json, &d);
	free(dir);
	if (!hsa_is_ok(rc)) {
		hsa_buf_free(&text);
		(void)failed(rc, &d);
		return EXIT_USAGE;
	}
	if (fwrite(text.p, 1, text.len, stdout) != text.len ||
	    fflush(stdout) != 0)
		all_up = false;
	hsa_buf_free(&text);
	return all_up ? 0 : EXIT_DOWN;
}

/* ---- certs --------------------------------------------------------------- */

static int
do_certs(int argc, char **argv)
{
	static const struct option options[] = {
	    {"days", required_argument, NULL, 'd'}, {0}};
	struct hsa_buf said = {0};
	struct hsa_diag d = {{0}};
	unsigned long days = EP_TLS_DAYS;
	char *dir = NULL, *end = NULL;
	hsa_rc rc = HSA_OK;
	int o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'd')
			days = strtoul(optarg, &end, 10);
		if (o != 'd' || optarg[0] < '0' || optarg[0] > '9' ||
		    *end != '\0' || days < 1 || days > EP_TLS_DAYS_MAX)
			return wrong_use("certs: option not understood",
			    "cryptounitd certs DIR [--days 1..3650]");
	}
	dir = folder(argc, argv, optind);
	if (dir == NULL)
		return EXIT_USAGE;
	rc = ep_harden(-1, &d);
	if (hsa_is_ok(rc))
		rc = ep_certs_renew(dir, (unsigned int)days, &said, &d);
	free(dir);
	(void)fputs(hsa_buf_cstr(&said), stdout);
	hsa_buf_free(&said);
	return hsa_is_ok(rc) ? 0 : failed(rc, &d);
}

/* ---- the ways out -------------------------------------------------------- */

static int
do_resume(int argc, char **argv)
{
	static const struct option options[] = {
	    {"unit", required_argument, NULL, 'u'}, {0}};
	const char *unit = NULL;
	struct hsa_diag d = {{0}};
	char *dir = NULL;
	hsa_rc rc;
	int o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o != 'u')
			return wrong_use("resume: option not understood",
			    "cryptounitd resume DIR --unit NAME");
		unit = optarg;
	}
	if (unit == NULL)
		return wrong_use("resume: which unit?", "--unit NAME");
	dir = folder(argc, argv, optind);
	if (dir == NULL)
		return EXIT_USAGE;
	rc = ep_resume(dir, unit, &d);
	free(dir);
	if (!hsa_is_ok(rc))
		return failed(rc, &d);
	(void)printf("cryptounitd: %s works\n", unit);
	return 0;
}

static int
do_new_log(int argc, char **argv)
{
	static const struct option options[] = {
	    {"unit", required_argument, NULL, 'u'},
	    {"reason", required_argument, NULL, 'r'},
	    {"force", no_argument, NULL, 'f'}, {0}};
	struct ep_newlog_options opt = {.unit = NULL};
	struct hsa_buf said = {0};
	struct hsa_diag d = {{0}};
	char *dir = NULL;
	hsa_rc rc;
	int o = 0;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'u')
			opt.unit = optarg;
		else if (o == 'r')
			opt.reason = optarg;
		else if (o == 'f')
			opt.force = true;
		else
			return wrong_use("new-log: option not understood",
			    "cryptounitd new-log DIR --unit NAME [--reason "
			    "TEXT] [--force]");
	}
	if (opt.unit == NULL)
		return wrong_use("new-log: of which unit?", "--unit NAME");
	dir = folder(argc, argv, optind);
	if (dir == NULL)
		return EXIT_USAGE;
	rc = ep_harden(-1, &d);
	if (hsa_is_ok(rc))
		rc = ep_newlog(&said, dir, &opt, &d);
	free(dir);
	(void)fputs(hsa_buf_cstr(&said), stdout);
	hsa_buf_free(&said);
	return hsa_is_ok(rc) ? 0 : failed(rc, &d);
}

static int
do_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return fputs(usage_text, stdout) < 0 ? EXIT_DOWN : 0;
}

static int
do_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return puts("cryptounitd " HSA_VERSION) < 0 ? EXIT_DOWN : 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
    {"init", do_init},
    {"run", do_run},
    {"status", do_status},
    {"certs", do_certs},
    {"resume", do_resume},
    {"new-log", do_new_log},
    {"unit", do_unit},   /* not for people */
    {"front", do_front}, /* not for people */
    {"help", do_help},
    {"--help", do_help},
    {"-h", do_help},
    {"--version", do_version},
};

int
main(int argc, char **argv)
{
	size_t i = 0;
	int k = 0;

	if (argc < 2)
		return wrong_use("what to do?", "cryptounitd --help");
	for (k = 2; k < argc && strcmp(argv[k], "--") != 0; k++)
		if (strcmp(argv[k], "--help") == 0)
			return do_help(argc, argv);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return wrong_use("no such command", "cryptounitd --help");
}
