#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_json.h"
#include "tail_line.h"
#include "vfy_utf8.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

/* Milliseconds are enough to read, and UTC is enough to say. */
static void
put_time(struct hsa_buf *b, uint64_t ns)
{
	char t[40];

	hsa_time_rfc3339(t, ns);
	if (strlen(t) > 23)
		(void)snprintf(t + 23, sizeof(t) - 23, "Z");
	hsa_buf_str(b, t);
}

static const char *
colour_of(const struct hsa_record *r)
{
	const char *severity = r->event.severity;

	if (r->body == HSA_BODY_SPECIAL)
		return r->ep11_rc != 0 ? YELLOW : DIM;
	if (r->event.outcome != NULL &&
	    strcmp(r->event.outcome, "success") != 0)
		return RED;
	return severity != NULL && strcmp(severity, "warning") == 0 ? YELLOW
								    : "";
}

static void
put_codes(struct hsa_buf *b, const struct hsa_record *r)
{
	if (r->ep11_rc != 0)
		hsa_buf_printf(
		    b, " rc=%" PRIu32 "/%" PRIu32, r->ep11_rc, r->ep11_reason);
}

static void
put_member(struct hsa_buf *b, const char *key, const char *text)
{
	if (text == NULL)
		return;
	hsa_buf_printf(b, " %s=", key);
	vfy_utf8_show(b, text);
}

/* What was called with what: the event has no field for it. */
static void
put_use(struct hsa_buf *b, const struct hsa_record *r)
{
	const struct hsa_use *u = &r->use;
	const char *name = hsa_fn_text((enum hsa_fn)u->function);
	const char *mech = hsa_mech_text(u->mechanism);

	if (name != NULL)
		hsa_buf_printf(b, " %s", name);
	else
		hsa_buf_printf(b, " fn=%" PRIu32, u->function);
	if (hsa_use_has_mech(u) && mech != NULL)
		hsa_buf_printf(b, " mech=%s", mech);
	else if (hsa_use_has_mech(u))
		hsa_buf_printf(b, " mech=0x%" PRIx64, u->mechanism);
	if (u->has_key_id) {
		hsa_buf_str(b, " key=");
		hsa_buf_hex(b, u->key_id, 4);
	}
	hsa_buf_printf(b, " rv=0x%" PRIx32, r->ep11_rc);
	if (r->ep11_reason != 0)
		hsa_buf_printf(b, "/%" PRIu32, r->ep11_reason);
}

static void
put_event(
    struct hsa_buf *b, const struct hsa_event *ev, const struct hsa_record *r)
{
	vfy_utf8_show(b, ev->action_name);
	hsa_buf_u8(b, ' ');
	vfy_utf8_show(b, ev->outcome);
	hsa_buf_printf(b, " %" PRIu32, ev->reason_code);
	if (r->has_use)
		put_use(b, r);
	else
		put_codes(b, r);
	put_member(b, "by",
	    ev->initiator.name != NULL ? ev->initiator.name : ev->initiator.id);
	put_member(b, "target", ev->target_name);
}

static void
put_special(
    struct hsa_buf *b, const struct hsa_special *sp, const struct hsa_record *r)
{
	vfy_utf8_show(b, sp->name);
	put_codes(b, r);
	if (sp->has_initiator)
		put_member(b, "by",
		    sp->initiator.name != NULL ? sp->initiator.name
					       : sp->initiator.id);
}

static void
put_ids(struct hsa_buf *b, const struct hsa_record *r)
{
	if (r->has_command_id) {
		hsa_buf_str(b, " cmd=");
		hsa_buf_hex(b, r->command_id, 4);
	}
	put_member(b, "step", r->ceremony_step);
	for (size_t i = 0; i < r->signer_len; i++) {
		hsa_buf_str(b, i == 0 ? " signers=" : ",");
		hsa_buf_hex(b, r->signer_id[i], 4);
	}
}

void
tail_line(struct hsa_buf *b, const struct hsa_record *r, const char *unit,
    bool colour)
{
	const char *paint = colour ? colour_of(r) : "";
	const char *why = r->body == HSA_BODY_EVENT ? r->event.reason_failure
						    : r->special.text;

	put_time(b, r->wall_ns);
	hsa_buf_u8(b, ' ');
	if (unit != NULL)
		vfy_utf8_show(b, unit);
	else
		hsa_buf_hex(b, r->unit_id, 4);
	hsa_buf_printf(b, " #%" PRIu64 " %s", r->sequence, paint);
	if (r->body == HSA_BODY_EVENT)
		put_event(b, &r->event, r);
	else
		put_special(b, &r->special, r);
	put_ids(b, r);
	if (why != NULL) {
		hsa_buf_str(b, ": ");
		vfy_utf8_show(b, why);
	}
	if (paint[0] != '\0')
		hsa_buf_str(b, PLAIN);
}
