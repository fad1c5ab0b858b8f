/* Covers: val_json_parse */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "val_in.h"
#include "val_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
take(void *ctx, const struct val_finding *f)
{
	unsigned int *n = ctx;

	must((size_t)f->check < VAL_CHECKS && f->message[0] != '\0');
	(*n)++;
}

/* The same text twice: the same findings, whatever the tree held before. */
static void
one(struct val_run *v, const void *p, size_t n)
{
	unsigned int first = 0, second = 0;
	size_t i;

	v->report.take = take;
	v->report.ctx = &first;
	must(hsa_is_ok(val_run_text(v, p, n)));
	for (i = 0; i < v->json.len; i++) {
		const struct val_node *node = &v->json.node[i];

		must(node->next == 0 || node->next > i ||
		     v->cfg.profile == VAL_AT_EXPORT);
		must(node->parent < v->json.len && node->at <= n);
	}
	v->report.ctx = &second;
	must(hsa_is_ok(val_run_text(v, p, n)));
	must(first == second);
}

static void
file(struct val_run *v, const uint8_t *data, size_t size)
{
	char path[40];
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	hsa_rc rc;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(hsa_is_ok(val_in_open(&in, path, &diag)));
	do {
		rc = val_in_next(in, &t, &diag);
		if (hsa_is_ok(rc) && t.bad == NULL)
			one(v, t.p, t.n);
	} while (hsa_is_ok(rc));
	must(rc.v == HSA_E_NOT_FOUND || diag.text[0] != '\0');
	val_in_close(in);
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct val_run v = {.cfg = {.profile = VAL_IBM_AT}};

	if (size == 0)
		return 0;
	v.cfg.strict = (data[0] & 1) != 0;
	if ((data[0] & 2) != 0)
		v.cfg.profile = VAL_AT_EXPORT;
	else if ((data[0] & 8) != 0)
		v.cfg.profile = VAL_UNIT;
	else if ((data[0] & 16) != 0)
		v.cfg.profile = VAL_CADF_1_0;
	if ((data[0] & 4) != 0)
		file(&v, data + 1, size - 1);
	else
		one(&v, data + 1, size - 1);
	val_run_free(&v);
	return 0;
}
