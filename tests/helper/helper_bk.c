#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_bk.h"
#include "helper_left.h"

bool
helper_bk_have(void)
{
	if (bk_find_module() != NULL)
		return true;
	(void)fprintf(stderr, "skipped: no SoftHSM on this machine\n");
	return false;
}

void
helper_bk_dir(char dir[64])
{
	(void)snprintf(dir, 64, "/tmp/hsa-bk-XXXXXX");
	if (mkdtemp(dir) == NULL)
		fail_msg("cannot make a temporary folder");
	helper_left(dir);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
helper_bk_remove(const char *dir)
{
	if (dir[0] != '\0')
		(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
helper_bk_make(struct helper_bk *h)
{
	struct hsa_diag d = {""};

	memset(h, 0, sizeof(*h));
	helper_bk_dir(h->dir);
	(void)snprintf(h->unit, sizeof(h->unit), "%s/unit", h->dir);
	h->cfg = (struct bk_config){.module = bk_find_module(),
	    .dir = h->unit,
	    .label = HELPER_BK_LABEL};
	if (!hsa_is_ok(
		bk_p11_init(&h->cfg, h->oa_point, h->checkpoint_pub, &d)))
		fail_msg("bk_p11_init: %s", d.text);
}

void
helper_bk_open(struct helper_bk *h)
{
	struct hsa_diag d = {""};

	if (!hsa_is_ok(bk_p11_open(&h->b, &h->cfg, &d)))
		fail_msg("bk_p11_open: %s", d.text);
	h->be = bk_p11_backend(h->b);
}

void
helper_bk_close(struct helper_bk *h)
{
	bk_p11_close(h->b);
	h->b = NULL;
}

void
helper_bk_free(struct helper_bk *h)
{
	helper_bk_close(h);
	helper_bk_remove(h->dir);
	h->dir[0] = '\0';
}
