#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "hsa_json.h"
#include "val_corpus.h"
#include "vfy_file.h"
#include "vfy_put.h"

#define INDEX "index.json"
#define README "README.txt"
/* by this line a later run knows that the folder is its own */
#define MARK                                                                   \
	"Sample events of Hyper Protect Crypto Services, made by hsa corpus"

static const char readme[] = MARK
    "\n\n"
    "What IBM's document \"Auditing events for Hyper Protect Crypto "
    "Services\" says\nof the service's events, as events. Nobody has published "
    "samples of most of\nthem. These are made from tables, not taken from a "
    "service: all people,\naddresses, accounts, instances, keys and hashes are "
    "invented (example.com,\n203.0.113.0/24, 2001:db8::/32). The order of "
    "members, their forms where the\ndocument is silent, and the texts of "
    "reasons are choices of ours.\n\n"
    "valid/    Every action with every outcome that the document knows, and "
    "with what\n          it says of a status; former names, regions, and "
    "what is particular to\n          some events; whole ceremonies. hsa "
    "validate finds no error in any of\n          them. A profile other than "
    "ibm-at is in the name: at-export, as a\n          collector exports an "
    "event; cadf-1.0; unit, in the record around it.\n"
    "broken/   For every check of hsa validate, named by its id: the check "
    "finds\n          something, and no other does. Most are an event of "
    "valid/ with one thing\n          changed. W12 alone has none: it takes "
    "65,536 targets.\n"
    "index.json  An array, an object for each file: file; profile, strict and "
    "units, how\n          to validate it; check, the one that finds "
    "something, or null; action; note;\n          warnings, what is warned of "
    "in a valid "
    "one; path and fix, where a broken\n          one is found and how to "
    "mend it.\n\n"
    "A .json file has one event, a .jsonl file one in each line, in order.\n\n"
    "    hsa validate valid/secrets.create-200.json\n"
    "    hsa validate --profile at-export valid/*.at-export.json\n"
    "    hsa explain broken/E14-status.json\n\n"
    "The files are the same, byte for byte, each time that hsa corpus writes "
    "them.\n";

struct job {
	int dir;
	const char *path; /* of it, for messages */
	struct hsa_jw index;
	struct hsa_buf b; /* of index */
	size_t valid, broken;
	struct hsa_diag diag;
};

static hsa_rc
put(struct job *j, const char *file, const void *p, size_t n)
{
	if (hsa_is_ok(vfy_put_file(j->dir, file, p, n, false)))
		return HSA_OK;
	return hsa_fail(&j->diag, HSA_RC(E_IO), "%s/%s: %s", j->path, file,
	    strerror(errno));
}

static void
warnings(struct hsa_jw *w, const char *ids)
{
	char id[8];
	size_t n;

	hsa_jw_array(w, "warnings");
	for (; *ids != '\0'; ids += n + strspn(ids + n, " ")) {
		n = strcspn(ids, " ");
		(void)snprintf(id, sizeof(id), "%.*s", (int)n, ids);
		hsa_jw_text(w, NULL, id);
	}
	hsa_jw_end(w);
}

static hsa_rc
one(void *ctx, const struct val_corpus_item *i)
{
	struct job *j = ctx;
	struct hsa_jw *w = &j->index;
	struct hsa_buf note = {0};
	hsa_rc rc;

	HSA_TRY(rc, put(j, i->file, i->text.p, i->text.len));
	/* the buffer is lent, const: hsa_buf_cstr may grow it */
	hsa_buf_put(&note, i->note.p, i->note.len);
	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "file", i->file);
	hsa_jw_text(w, "profile", val_profile_name(i->profile));
	hsa_jw_bool(w, "strict", i->strict);
	if (i->units != 0)
		hsa_jw_uint(w, "units", i->units);
	if (i->check == VAL_CHECKS)
		hsa_jw_null(w, "check");
	else
		hsa_jw_text(w, "check", val_check_row(i->check)->id);
	hsa_jw_text(w, "action", i->action);
	hsa_jw_text(w, "note", hsa_buf_cstr(&note));
	if (i->check == VAL_CHECKS) {
		j->valid++;
		warnings(w, i->warnings);
	} else {
		j->broken++;
		hsa_jw_text(w, "path", i->path);
		hsa_jw_text(w, "fix", i->fix);
	}
	hsa_jw_end(w);
	rc = hsa_buf_rc(&note);
out:
	hsa_buf_free(&note);
	return rc;
}

/* ---- the folder ---------------------------------------------------------- */

static bool
starts(const struct hsa_buf *b, const char *s)
{
	return b->len > strlen(s) && memcmp(b->p, s, strlen(s)) == 0;
}

static bool
is_ours(const char *file)
{
	return (strncmp(file, "valid/", 6) == 0 ||
		   strncmp(file, "broken/", 7) == 0) &&
	       strchr(strchr(file, '/') + 1, '/') == NULL;
}

/* Files of an older corpus, by its index: what is somebody else's stays. */
static hsa_rc
remove_old(struct job *j)
{
	struct hsa_buf b = {0};
	json_t *list = NULL, *item;
	const char *file;
	hsa_rc rc;
	size_t i;

	rc = vfy_file_get(&b, j->dir, INDEX, 64u << 20);
	if (rc.v == HSA_E_NOT_FOUND) /* it was cut short */
		return HSA_OK;
	HSA_TRY(rc, rc);
	list = json_loadb((const char *)b.p, b.len, 0, NULL);
	if (!json_is_array(list))
		HSA_TRY(rc, HSA_RC(E_FORMAT));
	json_array_foreach(list, i, item)
	{
		file = json_string_value(json_object_get(item, "file"));
		if (file == NULL || !is_ours(file))
			HSA_TRY(rc, HSA_RC(E_FORMAT));
		if (unlinkat(j->dir, file, 0) != 0 && errno != ENOENT)
			rc = HSA_RC(E_IO);
		HSA_TRY(rc, rc);
	}
out:
	json_decref(list);
	hsa_buf_free(&b);
	if (!hsa_is_ok(rc))
		return hsa_fail(&j->diag, rc,
		    "%s/" INDEX ": is not what hsa corpus wrote: remove the "
		    "folder, or name another",
		    j->path);
	return rc;
}

static hsa_rc
is_empty(struct job *j, bool *empty)
{
	int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return hsa_fail(
		    &j->diag, HSA_RC(E_IO), "%s: %s", j->path, strerror(errno));
	}
	*empty = true;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*empty = false;
	(void)closedir(d);
	return HSA_OK;
}

static hsa_rc
folder(struct job *j, const char *name)
{
	if (mkdirat(j->dir, name, 0777) != 0 && errno != EEXIST)
		return hsa_fail(&j->diag, HSA_RC(E_IO), "%s/%s: %s", j->path,
		    name, strerror(errno));
	return HSA_OK;
}

static hsa_rc
prepare(struct job *j)
{
	struct hsa_buf b = {0};
	bool empty = false;
	hsa_rc rc;

	if (mkdir(j->path, 0777) != 0 && errno != EEXIST)
		return hsa_fail(
		    &j->diag, HSA_RC(E_IO), "%s: %s", j->path, strerror(errno));
	j->dir = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0)
		return hsa_fail(
		    &j->diag, HSA_RC(E_IO), "%s: %s", j->path, strerror(errno));
	HSA_TRY(rc, is_empty(j, &empty));
	if (!empty) {
		rc = vfy_file_get(&b, j->dir, README, 1u << 20);
		if (!hsa_is_ok(rc) || !starts(&b, MARK "\n"))
			HSA_TRY(rc,
			    hsa_fail(&j->diag, HSA_RC(E_EXISTS),
				"%s: holds something else than a corpus: name "
				"a new folder",
				j->path));
		HSA_TRY(rc, remove_old(j));
	}
	/* first, so that a run that is cut short can be repeated */
	HSA_TRY(rc, put(j, README, readme, sizeof(readme) - 1));
	HSA_TRY(rc, folder(j, "valid"));
	HSA_TRY(rc, folder(j, "broken"));
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
make(struct job *j)
{
	hsa_rc rc;

	HSA_TRY(rc, prepare(j));
	j->index.b = &j->b;
	hsa_jw_array(&j->index, NULL);
	HSA_TRY(rc, val_corpus_each(one, j, &j->diag));
	hsa_jw_end(&j->index);
	hsa_buf_u8(&j->b, '\n');
	HSA_TRY(rc, hsa_buf_rc(&j->b));
	rc = put(j, INDEX, j->b.p, j->b.len);
out:
	return rc;
}

/* ---- the command line ---------------------------------------------------- */

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct job j = {.dir = -1};
	struct hsa_buf b = {0};
	int code = CMD_USAGE;
	hsa_rc rc;

	opterr = 0;
	switch (getopt_long(argc, argv, "h", longs, NULL)) {
	case -1:
		break;
	case 'h':
		return cmd_help(&cmd_corpus);
	default:
		return cmd_bad_option(&cmd_corpus, argv);
	}
	if (optind + 1 != argc)
		return cmd_usage(&cmd_corpus, "name one folder to write to");
	j.path = argv[optind];
	rc = make(&j);
	if (!hsa_is_ok(rc))
		(void)cmd_error(&cmd_corpus, "%s",
		    j.diag.text[0] != '\0' ? j.diag.text : hsa_err_text(rc));
	else {
		hsa_buf_printf(&b, "%s: %zu valid, %zu broken\n", j.path,
		    j.valid, j.broken);
		if (cmd_print(&cmd_corpus, &b))
			code = cmd_flush(&cmd_corpus, CMD_OK);
	}
	if (j.dir >= 0)
		(void)close(j.dir);
	hsa_buf_free(&j.b);
	hsa_buf_free(&b);
	return code;
}

const struct cmd cmd_corpus = {
    .name = "corpus",
    .run = run,
    .summary = "write sample events: right ones, and broken ones",
    .help =
	"usage: hsa corpus DIR\n\n"
	"Writes to DIR, which is new, empty or an older corpus:\n\n"
	"  valid/      for every action events of every outcome that is "
	"documented\n"
	"  broken/     for every check of hsa validate events that it finds\n"
	"  index.json  what each file is, and how to validate it\n"
	"  README.txt  what they are for\n\n"
	"All values are invented. The same program writes the same bytes.\n\n"
	"Exit code 0: written, 2: wrong usage, or DIR cannot be written.\n",
};
