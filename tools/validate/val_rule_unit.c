/* Rules for a crypto unit's own events: what the event says and what its
 * record says of the same thing. */
#include <string.h>

#include "hsa_event.h"
#include "hsa_ks.h"
#include "val_envelope.h"
#include "val_rule.h"
#include "val_time.h"

#define TICK_NS 10000000u /* of eventTime */

static bool
family(const struct val_event *e, const char *name)
{
	return strcmp(e->row->family, name) == 0;
}

/* The unit is asked after these are out of the way. */
static bool
before_the_command(int64_t status)
{
	return status == 400 || status == 401 || status == 403;
}

/* The status that a return code has, 0: unknown. */
static int64_t
status_of(const struct val_event *e, uint32_t rc)
{
	const struct hsa_use_row *use;
	const struct hsa_ep11_row *admin;
	const struct hsa_ks_rv_row *ks;

	if (family(e, "ep11")) {
		use = hsa_ep11_use(rc);
		return use == NULL ? 500 : (int64_t)use->status;
	}
	if (family(e, "keystore")) {
		ks = hsa_ks_rv(rc);
		return ks == NULL ? 0 : (int64_t)ks->status;
	}
	admin = hsa_ep11(rc);
	return admin == NULL ? 500 : (int64_t)admin->status;
}

static void
return_code(const struct val_event *e, struct val_report *r)
{
	uint32_t rc = e->envelope->ep11_rc;
	int64_t want;

	if (e->outcome == VAL_OUTCOME_SUCCESS && rc != 0)
		val_find(r, VAL_E37, e->json, e->field[VAL_F_OUTCOME],
		    "success, but the unit's return code is %lu",
		    (unsigned long)rc);
	if (e->outcome != VAL_OUTCOME_FAILURE || !e->has_code)
		return;
	if (rc == 0) {
		if (!before_the_command(e->code))
			val_find(r, VAL_E37, e->json, e->field[VAL_F_OUTCOME],
			    "failure, but the unit's return code is 0");
		return;
	}
	want = status_of(e, rc);
	/* who may not ask is refused whatever the unit would say */
	if (want != 0 && e->code != want && e->code != 401 && e->code != 403)
		val_find(r, VAL_W13, e->json, e->field[VAL_F_REASON_CODE],
		    "%lld, but return code %lu is %lld", (long long)e->code,
		    (unsigned long)rc, (long long)want);
}

static void
time_of_record(const struct val_event *e, struct val_report *r)
{
	const char *s = val_get(e, VAL_F_EVENT_TIME);
	uint64_t wall = e->envelope->wall_ns, ns = 0;
	struct hsa_time t;

	/* E04, E36 told what is none */
	if (s == NULL || wall == 0 || !val_time_read(&t, s))
		return;
	if (!val_time_ns(&ns, &t) || ns / TICK_NS != wall / TICK_NS)
		val_find(r, VAL_E38, e->json, e->field[VAL_F_EVENT_TIME],
		    "%s is not the record's time, which is %s", s,
		    ns < wall ? "later" : "earlier");
}

/* "...:crypto-unit:<id>" (audit-landscape 1.3: ours, until IBM's is seen) */
static void
target(const struct val_event *e, struct val_report *r)
{
	const char *s = val_get(e, VAL_F_TARGET_ID), *id, *kind;
	char want[HSA_UUID_TEXT];
	uint8_t unit[HSA_UUID_LEN];

	if (s == NULL)
		return;
	hsa_uuid_text(want, e->envelope->unit_id);
	kind = strstr(s, ":crypto-unit:");
	id = kind == NULL ? "" : kind + strlen(":crypto-unit:");
	if (kind == NULL)
		val_find(r, VAL_E39, e->json, e->field[VAL_F_TARGET_ID],
		    "is not the CRN of a crypto unit, ...:crypto-unit:%s",
		    want);
	else if (!hsa_is_ok(hsa_uuid_parse(unit, id)) ||
		 memcmp(unit, e->envelope->unit_id, sizeof(unit)) != 0)
		val_find(r, VAL_E39, e->json, e->field[VAL_F_TARGET_ID],
		    "is of unit %.60s, the record of %s", id, want);
}

void
val_rule_unit(const struct val_event *e, struct val_report *r)
{
	if (e->cfg->profile != VAL_UNIT)
		return;
	if (e->row != NULL && !e->tke && !family(e, "keystore") &&
	    !family(e, "ep11"))
		val_find(r, VAL_E03, e->json, e->field[VAL_F_ACTION],
		    "a crypto unit leaves no %s: Trusted Key Entry, the "
		    "keystore and ep11.use are its own",
		    e->row->name);
	if (e->envelope == NULL) {
		val_find_at(r, VAL_E36, "",
		    "there is no record around the event: give the log, or "
		    "lines of hsa export --format envelope");
		return;
	}
	if (e->envelope->source == HSA_SOURCE_SEALER)
		val_find_at(r, VAL_E36, "source",
		    "of a record with an event is never the log's writer");
	if (e->row == NULL)
		return;
	return_code(e, r);
	time_of_record(e, r);
	target(e, r);
}
