#include "cadf.h"
#include "hsa_buf.h"
#include "hsa_event.h"
#include "hsa_json.h"
#include "val_base.h"

static hsa_rc
record(struct hsa_buf *b, enum val_base base, const struct val_sample *s,
    struct hsa_diag *diag)
{
	struct hsa_record r = {.sequence = 0};
	hsa_rc rc;

	HSA_TRY(rc, val_sample_record(&r, s, diag));
	if (base == VAL_BASE_CADF)
		cadf_put(b, &r);
	else
		hsa_record_json(b, &r);
	rc = hsa_buf_rc(b);
out:
	hsa_record_free(&r);
	return rc;
}

hsa_rc
val_base(json_t **list, enum val_base base, const struct val_sample *s,
    struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	if (base == VAL_BASE_EVENT)
		HSA_TRY(rc, val_sample_json(&b, s, diag));
	else
		HSA_TRY(rc, record(&b, base, s, diag));
	*list = json_pack("[o]", json_loads(hsa_buf_cstr(&b), 0, NULL));
	if (*list == NULL)
		rc = HSA_RC(E_NOMEM);
out:
	hsa_buf_free(&b);
	return rc;
}

void
val_base_note(struct hsa_buf *b, const struct val_sample *s)
{
	static const char *const who[] = {
	    [HSA_SEVERITY_TKE] = "as every Trusted Key Entry event is",
	    [HSA_SEVERITY_STATUS] = "Table 21, by its status",
	    [HSA_SEVERITY_ACTION] = "Table 20, by its action",
	    [HSA_SEVERITY_FALLBACK] = "by its verb: the document has none",
	};
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;
	const char *severity = hsa_severity(s->row, s->status, &rule);

	hsa_buf_printf(b, "%s. Severity %s: %s.", s->row->description, severity,
	    who[rule]);
	if (s->answer != NULL)
		hsa_buf_printf(b, " %s", s->answer->meaning);
}
