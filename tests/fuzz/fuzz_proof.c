/* Covers: vfy_proof_parse vfy_proven_check hsa_proof_extra_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_proof.h"
#include "vfy_log.h"
#include "vfy_note.h"
#include "vfy_proof.h"
#include "vfy_proven.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
same(const struct hsa_buf *b, const uint8_t *data, size_t size)
{
	must(hsa_is_ok(hsa_buf_rc(b)));
	must(b->len == size && memcmp(b->p, data, size) == 0);
}

/* What is read is written again byte by byte. */
static void
file(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	struct vfy_proof p = {.from = 0};
	struct hsa_buf again = {0};

	if (!hsa_is_ok(vfy_proof_parse(&p, data, size, &diag))) {
		must(diag.text[0] != '\0');
		return;
	}
	must(vfy_proof_is_one(data, size));
	vfy_proof_write(&again, &p);
	same(&again, data, size);
	hsa_buf_free(&again);
	vfy_proof_free(&p);
}

static void
extra(const uint8_t *data, size_t size)
{
	static struct hsa_proof_extra x;
	struct hsa_buf again = {0};

	if (!hsa_is_ok(hsa_proof_extra_decode(&x, data, size)))
		return;
	must(hsa_is_ok(hsa_proof_extra_encode(&again, &x)));
	same(&again, data, size);
	hsa_buf_free(&again);
}

/* With the key of the corpus, so that all of the check is reached. */
static void
proven(const uint8_t *data, size_t size)
{
	static const char line[] =
	    "cryptounit/01010101-0101-0101-0101-010101010101+93f1c415+"
	    "AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n";
	struct vfy_keys keys = {0};
	const struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_diag diag = {{0}};
	struct vfy_proven v;
	hsa_rc rc;

	must(hsa_is_ok(vfy_keys_parse(&keys, line, strlen(line), &diag)));
	rc = vfy_proven_check(&v, &opt, data, size, &diag);
	must(hsa_is_ok(rc) || rc.v == HSA_E_ARG);
	must(!v.bad || (v.rule[0] == 'P' && v.finding[0] != '\0'));
	must(!hsa_is_ok(rc) || v.bad || v.kind != VFY_PROOF_INCLUSION ||
	     (v.has_record && v.record.sequence == v.from && v.from < v.size));
	vfy_proven_free(&v);
	vfy_keys_free(&keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	file(data, size);
	extra(data, size);
	proven(data, size);
	return 0;
}
