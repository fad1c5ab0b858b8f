#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "col_loop.h"
#include "sink_run.h"

struct collect_args {
	const char *listen[COL_LISTEN_MAX];
	size_t listens;
	const char *out, *key;
	const char *sink[SINK_MAX + 1];
	size_t sinks;
	struct sink_options kafka;
	struct hsa_buf events; /* the address that --events stands for */
	struct col_options opt;
};

/* One collector for a folder, whatever its socket. */
static int
lock_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* What a kill left behind is put right now, not when the unit comes back. */
static void
recover(struct col_hub *h)
{
	struct hsa_diag diag = {{0}};
	struct hsa_buf path = {0};
	struct col_unit *u;
	struct stat st;

	for (size_t i = 0; i < h->len; i++) {
		hsa_buf_reset(&path);
		hsa_buf_printf(&path, "%s/%s", h->dir, h->unit[i].name);
		if (lstat(hsa_buf_cstr(&path), &st) != 0)
			continue;
		if (!hsa_is_ok(
			col_hub_unit(&u, h, h->unit[i].key->origin, &diag)))
			(void)cmd_error(&cmd_collect,
			    "%s (this unit is refused until then)", diag.text);
	}
	hsa_buf_free(&path);
}

static hsa_rc
open_sinks(struct sink_set **to, const struct collect_args *a,
    const struct col_hub *h, struct hsa_diag *diag)
{
	const char **unit = calloc(h->len + 1, sizeof(*unit));
	struct sink_set_config cfg = {.dir = a->out,
	    .unit = unit,
	    .units = h->len,
	    .address = a->sink,
	    .addresses = a->sinks,
	    .kafka = &a->kafka,
	    .quiet = a->opt.quiet};
	hsa_rc rc;

	if (unit == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	for (size_t i = 0; i < h->len; i++)
		unit[i] = h->unit[i].name;
	rc = sink_set_open(to, &cfg, diag);
	free(unit);
	return rc;
}

/* Where standard output belongs to a sink, it is events and nothing else. */
static int
say_ready(const struct col_hub *h, struct col_listen *l, size_t n,
    const struct sink_set *sinks)
{
	FILE *f = sink_set_uses_stdout(sinks) ? stderr : stdout;

	(void)fprintf(f, "hsa collect: ready on");
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s %s", i == 0 ? "" : " and",
		    hsa_buf_cstr(&l[i].address));
	(void)fprintf(
	    f, ", keys of %zu unit%s\n", h->len, h->len == 1 ? "" : "s");
	return cmd_flush(&cmd_collect, CMD_OK);
}

/* The files of TLS are looked at before anybody connects. */
static hsa_rc
open_sockets(struct col_listen *l, size_t *n, const struct collect_args *a,
    struct hsa_diag *diag)
{
	struct col_tls *tls = NULL;
	bool any = false;
	hsa_rc rc = HSA_OK;

	for (; *n < a->listens; ++*n) {
		HSA_TRY(rc, col_listen_open(&l[*n], a->listen[*n], diag));
		any = any || l[*n].tls;
	}
	if (any && (a->opt.tls.ca == NULL || a->opt.tls.identity == NULL))
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "tls: needs --ca FILE and --identity FILE: "
		    "tls/ca.pem and tls/collector-NAME.pem of the "
		    "installation");
	else if (any)
		rc = col_tls_new(&tls, &a->opt.tls, -1, diag);
	col_tls_free(tls);
out:
	return rc;
}

static int
collect(struct collect_args *a)
{
	struct col_listen l[COL_LISTEN_MAX];
	struct col_hub hub = {0};
	size_t open = 0;
	struct sink_set *sinks = NULL;
	struct hsa_diag diag = {{0}};
	struct vfy_keys keys = {0};
	int code = CMD_USAGE, lock = -1;
	sigset_t set;
	hsa_rc rc;

	HSA_TRY(rc, vfy_keys_load(&keys, a->key, &diag));
	HSA_TRY(rc, col_hub_open(&hub, a->out, &keys, &diag));
	lock = lock_folder(a->out);
	if (lock < 0) {
		rc = hsa_fail(&diag, HSA_RC(E_BUSY),
		    "%s: another collector writes there; stop it or take "
		    "another folder",
		    a->out);
		goto out;
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGPIPE); /* OpenSSL writes plainly */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	recover(&hub);
	HSA_TRY(rc, open_sinks(&sinks, a, &hub, &diag));
	HSA_TRY(rc, open_sockets(l, &open, a, &diag));
	HSA_TRY(rc, sink_set_start(sinks, &diag));
	if (say_ready(&hub, l, open, sinks) != CMD_OK)
		goto out;
	a->opt.sinks = sinks;
	rc = col_loop(&hub, l, open, &a->opt);
	code = hsa_is_ok(rc) ? CMD_OK : CMD_FOUND;
	diag = hub.why;
out:
	if (!hsa_is_ok(rc))
		(void)cmd_error(&cmd_collect, "%s", diag.text);
	else if (!a->opt.quiet)
		(void)fprintf(stderr,
		    "hsa collect: stopped, %" PRIu64 " records stored\n",
		    hub.stored);
	/* nobody connects to a collector that only drains */
	while (open > 0)
		col_listen_close(&l[--open]);
	sink_set_close(sinks);
	col_hub_close(&hub);
	vfy_keys_free(&keys);
	if (lock >= 0)
		(void)close(lock);
	return code;
}

/* --events FILE is --sink file:FILE, whatever the name of the file. */
static bool
add_events(struct collect_args *a, const char *path)
{
	struct hsa_buf *b = &a->events;

	if (b->len != 0 || a->sinks == SINK_MAX)
		return false;
	hsa_buf_str(b, "file:");
	for (; *path != '\0'; path++)
		if (*path == '%' || *path == '?')
			hsa_buf_printf(b, "%%%02x", (unsigned int)*path);
		else
			hsa_buf_u8(b, (uint8_t)*path);
	a->sink[a->sinks++] = hsa_buf_cstr(b);
	return !b->failed;
}

static int
too_many(void)
{
	return cmd_usage(
	    &cmd_collect, "at most %d sinks, and one --events FILE", SINK_MAX);
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"listen", required_argument, NULL, 'l'},
	    {"ca", required_argument, NULL, 'c'},
	    {"identity", required_argument, NULL, 'i'},
	    {"out", required_argument, NULL, 'o'},
	    {"key", required_argument, NULL, 'k'},
	    {"events", required_argument, NULL, 'e'},
	    {"sink", required_argument, NULL, 's'},
	    {"kafka-option", required_argument, NULL, 'K'},
	    {"kafka-options", required_argument, NULL, 'F'},
	    {"once", required_argument, NULL, 'n'},
	    {"quiet", no_argument, NULL, 'q'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct collect_args a = {0};
	struct hsa_diag diag = {{0}};
	char *end;
	int o, code;

	opterr = 0;
	while ((o = getopt_long(
		    argc, argv, "l:c:i:o:k:e:s:n:qh", longs, NULL)) != -1)
		switch (o) {
		case 'l':
			if (a.listens == COL_LISTEN_MAX)
				return cmd_usage(&cmd_collect,
				    "at most %d times --listen",
				    COL_LISTEN_MAX);
			a.listen[a.listens++] = optarg;
			break;
		case 'c':
			a.opt.tls.ca = optarg;
			break;
		case 'i':
			a.opt.tls.identity = optarg;
			break;
		case 'o':
			a.out = optarg;
			break;
		case 'k':
			a.key = optarg;
			break;
		case 'e':
			if (!add_events(&a, optarg))
				return too_many();
			break;
		case 's':
			if (a.sinks == SINK_MAX)
				return too_many();
			a.sink[a.sinks++] = optarg;
			break;
		case 'K':
			if (!hsa_is_ok(
				sink_options_add(&a.kafka, optarg, &diag)))
				return cmd_usage(&cmd_collect,
				    "--kafka-option: %s", diag.text);
			break;
		case 'F':
			if (!hsa_is_ok(
				sink_options_load(&a.kafka, optarg, &diag)))
				return cmd_usage(&cmd_collect,
				    "--kafka-options: %s", diag.text);
			break;
		case 'n':
			errno = 0;
			a.opt.once = strtoull(optarg, &end, 10);
			if (errno != 0 || *end != '\0' || optarg[0] < '0' ||
			    optarg[0] > '9' || a.opt.once == 0)
				return cmd_usage(&cmd_collect,
				    "--once %s: not a number of records",
				    optarg);
			break;
		case 'q':
			a.opt.quiet = true;
			break;
		case 'h':
			return cmd_help(&cmd_collect);
		default:
			return cmd_bad_option(&cmd_collect, argv);
		}
	if (optind != argc)
		return cmd_usage(
		    &cmd_collect, "%s: takes no argument", argv[optind]);
	if (a.listens == 0)
		return cmd_usage(&cmd_collect,
		    "--listen unix:PATH or tls:HOST:PORT is missing");
	if (a.out == NULL)
		return cmd_usage(&cmd_collect, "--out DIR is missing");
	if (a.key == NULL)
		return cmd_usage(&cmd_collect,
		    "--key FILE is missing: the units' checkpoint.pub");
	code = collect(&a);
	hsa_buf_free(&a.events);
	sink_options_free(&a.kafka);
	return code;
}

const struct cmd cmd_collect = {
    .name = "collect",
    .run = run,
    .summary = "receive logs from units and keep verified copies",
    .help =
	"usage: hsa collect --listen ADDRESS... --out DIR --key FILE\n"
	"                   [--ca FILE --identity FILE] [--sink ADDRESS]... "
	"[--events FILE] [--once N] "
	"[--quiet]\n\n"
	"Keeps a copy of each unit's log in DIR/<unit id>. A batch is "
	"acknowledged to the\nunit only when it is verified and on stable "
	"storage; a unit without a key in FILE\nis refused. Prints one line "
	"with the word ready once units can connect. Ends on\nSIGTERM or "
	"SIGINT; a start after any end, also kill -9, goes on where the copy "
	"ends.\n"
	"SIGHUP opens the files of sinks anew, and lets units that came over "
	"TLS connect\nagain.\n\n"
	"  -l, --listen ADDRESS    where units connect, up to 4 of:\n"
	"      unix:PATH             a socket to make, for its owner only\n"
	"      tls:HOST:PORT         TCP with TLS 1.3 and certificates on both "
	"sides\n"
	"  -c, --ca FILE           for tls: whose certificates units have "
	"(PEM)\n"
	"  -i, --identity FILE     for tls: own key and certificate (PEM, "
	"0600); both files\n                          are read again for each "
	"connection\n"
	"  -o, --out DIR           where the copies go; made when absent\n"
	"  -k, --key FILE          the units' checkpoint.pub\n"
	"  -s, --sink ADDRESS      pass on what is stored, up to 8 of:\n"
	"      file:PATH             lines of JSON, each once over any kill\n"
	"      stdout:               the same to standard output\n"
	"                            ?format=ibm-at (default), envelope, "
	"cadf-1.0, cef\n"
	"      syslog+tcp://HOST:PORT, syslog+tls://HOST:PORT   RFC 5424 "
	"messages,\n"
	"                            each at least once; ?ca=FILE&cert=FILE"
	"&key=FILE,\n"
	"                            &name=HOST of its certificate, "
	"&facility=N (13),\n"
	"                            &sd-id=NAME@NUMBER, &format=\n"
	"      kafka://HOST:PORT[,...]/TOPIC   each record once, by "
	"transactions\n"
	"                            ?format=protobuf (default), leaf or "
	"one of those;\n"
	"                            &id=NAME begins its transactional ids "
	"(hsa)\n"
	"      A sink that fails is tried again and holds up nothing.\n"
	"      --kafka-option NAME=VALUE   a setting of librdkafka's\n"
	"      --kafka-options FILE        such lines, secrets among them "
	"(chmod 600)\n"
	"  -e, --events FILE       the same as --sink file:FILE\n"
	"  -n, --once N            stop when N records were stored\n"
	"  -q, --quiet             say only what goes wrong\n\n"
	"Exit code 0: stopped on request, 1: storing failed, 2: wrong usage "
	"or cannot start.\n",
};
