#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "sink_syslog_line.h"

#define MSGID_MAX 32 /* RFC 5424, 6 */

static unsigned int
severity_of(const struct hsa_record *r)
{
	const char *s = r->event.severity;

	if (r->body != HSA_BODY_EVENT)
		return r->ep11_rc != 0 ? 4 : 5;
	if (s != NULL && strcmp(s, "critical") == 0)
		return 2;
	return s != NULL && strcmp(s, "warning") == 0 ? 4 : 6;
}

/* Printable US-ASCII without blanks; "-" for nothing. */
static void
put_word(struct hsa_buf *b, const char *s, size_t max)
{
	size_t n = 0;

	for (; s != NULL && s[n] != '\0' && n < max; n++)
		hsa_buf_u8(b, (uint8_t)(s[n] > 32 && s[n] < 127 ? s[n] : '_'));
	if (n == 0)
		hsa_buf_u8(b, '-');
}

static const char *
msgid_of(const struct hsa_record *r)
{
	static const char service[] = "hs-crypto.";
	const char *a = r->event.action_name;

	if (r->body == HSA_BODY_SPECIAL)
		return r->special.name;
	if (r->body != HSA_BODY_EVENT)
		return "CONTEXT";
	return a != NULL && strncmp(a, service, sizeof(service) - 1) == 0
		   ? a + sizeof(service) - 1
		   : a;
}

/* RFC 5424, 6.3.3: three characters are escaped, in UTF-8 text. */
static void
put_param(struct hsa_buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	hsa_buf_printf(b, " %s=\"", name);
	for (; *value != '\0'; value++) {
		if (strchr("\"\\]", *value) != NULL)
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, (uint8_t)*value);
	}
	hsa_buf_u8(b, '"');
}

static void
put_data(struct hsa_buf *b, const struct hsa_record *r, const char *sd_id)
{
	char text[HSA_UUID_TEXT];

	hsa_uuid_text(text, r->unit_id);
	hsa_buf_printf(b, "[%s", sd_id);
	put_param(b, "unit", text);
	hsa_buf_printf(b, " sequence=\"%" PRIu64 "\" epoch=\"%" PRIu64 "\"",
	    r->sequence, r->epoch);
	if (r->body == HSA_BODY_EVENT) {
		put_param(b, "action", r->event.action_name);
		put_param(b, "outcome", r->event.outcome);
		hsa_uuid_text(text, r->event.id);
		put_param(b, "id", text);
	}
	hsa_buf_u8(b, ']');
}

hsa_rc
sink_syslog_line(struct hsa_buf *to, const struct hsa_record *r,
    const struct sink_syslog_style *s)
{
	struct hsa_buf b = {0};
	char unit[HSA_UUID_TEXT], time[40];
	hsa_rc rc;

	hsa_time_rfc3339(time, r->wall_ns);
	/* "...:07.310123456Z": at most six digits are allowed */
	if (strlen(time) > 26)
		(void)snprintf(time + 26, sizeof(time) - 26, "Z");
	hsa_uuid_text(unit, r->unit_id);
	hsa_buf_printf(&b, "<%u>1 %s ", 8 * s->facility + severity_of(r), time);
	put_word(&b, s->host, 255);
	hsa_buf_printf(&b, " cryptounit %s ", unit);
	put_word(&b, msgid_of(r), MSGID_MAX);
	hsa_buf_u8(&b, ' ');
	put_data(&b, r, s->sd_id);
	hsa_buf_u8(&b, ' ');
	HSA_TRY(rc, sink_value_put(&b, s->format, r, NULL, 0));
	HSA_TRY(rc, hsa_buf_rc(&b));
	hsa_buf_printf(to, "%zu ", b.len);
	hsa_buf_put(to, b.p, b.len);
	rc = hsa_buf_rc(to);
out:
	hsa_buf_free(&b);
	return rc;
}
