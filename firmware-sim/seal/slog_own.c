/* Records of the log's own: source 3, made and sealed on the sealing thread. */
#include <inttypes.h>
#include <string.h>

#include "hsa_chain.h"
#include "hsa_event.h"
#include "slog_own.h"

hsa_rc
slog_own_special(struct slog *l, struct slog_batch *b,
    enum hsa_special_code code, const struct hsa_data *details)
{
	const struct hsa_special_row *row = hsa_special(code);
	struct hsa_buf rec = {0};
	struct hsa_record r = {
	    .epoch = l->sealed.epoch == 0 ? 1 : l->sealed.epoch,
	    .wall_ns = l->clock->wall_ns(l->clock->ctx),
	    .mono_ns = l->clock->mono_ns(l->clock->ctx),
	    .source = HSA_SOURCE_SEALER,
	    .source_sequence = l->sealed.last[HSA_SOURCE_SEALER] + 1,
	    .body = HSA_BODY_SPECIAL,
	};
	hsa_rc rc;

	memcpy(r.unit_id, l->unit_id, sizeof(r.unit_id));
	r.special.category = row->category;
	r.special.specific = row->specific;
	HSA_TRY(rc, hsa_strdup_opt(&r.special.name, row->name));
	HSA_TRY(rc, hsa_strdup_opt(&r.special.text, row->text));
	if (details != NULL)
		HSA_TRY(rc, hsa_data_copy(&r.special.details, details));
	HSA_TRY(rc, hsa_record_encode(&rec, &r));
	hsa_buf_reset(&l->scratch);
	hsa_record_seal(&l->scratch, l->tree.size, rec.p, rec.len);
	HSA_TRY(rc, hsa_buf_rc(&l->scratch));
	HSA_TRY(rc, slog_gather_add(l, b, l->scratch.p, l->scratch.len));
	l->sealed.last[HSA_SOURCE_SEALER]++;
	l->sealed.epoch = r.epoch;
out:
	hsa_record_free(&r);
	hsa_buf_free(&rec);
	return rc;
}

/* ---- a new log after a damaged one --------------------------------------- */

hsa_rc
slog_own_numbers(uint64_t last[HSA_SOURCES + 1], const struct hsa_data *details)
{
	struct hsa_chain c = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_chain_get(&c, details));
	last[HSA_SOURCE_OUTBOX] = c.outbox_last;
	last[HSA_SOURCE_USE] = c.use_last;
out:
	hsa_chain_free(&c);
	return rc;
}

hsa_rc
slog_own_chain(uint64_t last[HSA_SOURCES + 1], const void *p, size_t n)
{
	struct hsa_record r = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_decode(&r, p, n));
	if (r.body == HSA_BODY_SPECIAL &&
	    strcmp(r.special.name, hsa_special(HSA_SPECIAL_NEW_CHAIN)->name) ==
		0)
		rc = slog_own_numbers(last, &r.special.details);
out:
	hsa_record_free(&r);
	return rc;
}

/* ---- the clock ----------------------------------------------------------- */

/* A clock that is only corrected runs at most this much wrong. */
#define STEP_NS INT64_C(1000000000)
#define SLEW 1000 /* one in */

hsa_rc
slog_own_clock(struct slog *l, struct slog_batch *b, uint64_t *offset)
{
	uint64_t mono = l->clock->mono_ns(l->clock->ctx);
	uint64_t wall = l->clock->wall_ns(l->clock->ctx);
	struct hsa_data d = {0};
	int64_t by, bound;
	hsa_rc rc = HSA_OK;

	*offset = wall - mono;
	by = (int64_t)(*offset - l->clock_offset);
	bound = STEP_NS + (int64_t)((mono - l->clock_mono) / SLEW);
	if (l->clock_mono == 0 || (by <= bound && by >= -bound))
		goto out;
	HSA_TRY(rc,
	    hsa_data_integer(&d, "before", (int64_t)(mono + l->clock_offset)));
	HSA_TRY(rc, hsa_data_integer(&d, "after", (int64_t)wall));
	HSA_TRY(rc, hsa_data_integer(&d, "by", by));
	rc = slog_own_special(l, b, HSA_SPECIAL_CLOCK_STEP, &d);
out:
	l->clock_offset = *offset;
	l->clock_mono = mono;
	hsa_data_free(&d);
	return rc;
}
