/* Covers: val_record_next val_run_take */
/*
 * A log without its files, as fuzz_contexts has it: records, each behind its
 * length (two bytes, big-endian). The JSON that the validator makes of calls
 * by replacing is what any reader makes of them, byte for byte, and what it
 * finds in a record is what it finds in its line of --format envelope.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_codec.h"
#include "hsa_cur.h"
#include "hsa_json.h"
#include "val_record.h"
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

	must(f->message[0] != '\0');
	n[f->check]++;
}

/* Both ways: as a record, and as its line. */
static void
validate(struct val_run *v, const struct val_envelope *e, struct hsa_slice json,
    const struct hsa_record *r)
{
	unsigned int record[VAL_CHECKS] = {0}, line[VAL_CHECKS] = {0};
	struct hsa_buf b = {0};

	v->report.ctx = record;
	must(hsa_is_ok(
	    val_run_take(v, &(const struct val_text){
				.p = json.p, .n = json.n, .envelope = e})));
	hsa_record_json(&b, r);
	v->report.ctx = line;
	must(hsa_is_ok(val_run_text(v, b.p, b.len)));
	must(v->no_event == e->special);
	/* what is no number that JSON carries is found in the line alone */
	line[VAL_E01] = record[VAL_E01] = 0;
	line[VAL_E36] = record[VAL_E36] = 0;
	if (r->sequence < (uint64_t)1 << 53 && r->epoch < (uint64_t)1 << 53 &&
	    !e->special)
		for (size_t i = 0; i < VAL_CHECKS; i++)
			must(i == VAL_E18 || line[i] == record[i]);
	hsa_buf_free(&b);
}

static void
one(struct val_records *c, struct hsa_contexts *seen, struct val_run *v,
    const uint8_t *p, size_t n)
{
	struct hsa_record r = {0};
	struct val_envelope e = {0};
	struct hsa_buf b = {0};
	struct hsa_slice json;
	hsa_rc mine, rc;

	mine = val_record_next(c, &e, &json, p, n);
	rc = hsa_record_decode(&r, p, n);
	if (hsa_is_ok(rc))
		rc = hsa_contexts_take(seen, &r);
	must(mine.v == rc.v);
	if (!hsa_is_ok(rc))
		goto out;
	must(e.special == (r.body != HSA_BODY_EVENT));
	must(e.sequence == r.sequence && e.epoch == r.epoch &&
	     memcmp(e.unit_id, r.unit_id, sizeof(e.unit_id)) == 0);
	if (!e.special) {
		hsa_event_json(&b, &r.event);
		must(json.n == b.len && memcmp(json.p, b.p, b.len) == 0);
	}
	validate(v, &e, json, &r);
out:
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct val_records *records = calloc(1, sizeof(*records));
	struct val_run v = {.cfg = {.profile = VAL_UNIT, .strict = true}};
	struct hsa_cur c = hsa_cur_of(data, size);
	struct hsa_contexts seen = {0};
	const uint8_t *p = NULL;
	uint16_t n = 0;

	must(records != NULL);
	v.report.take = take;
	while (hsa_is_ok(hsa_cur_be16(&c, &n)) &&
	       hsa_is_ok(hsa_cur_bytes(&c, &p, n)))
		one(records, &seen, &v, p, n);
	hsa_contexts_free(&seen);
	val_records_free(records);
	free(records);
	val_run_free(&v);
	return 0;
}
