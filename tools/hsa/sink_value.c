#include <string.h>

#include "cadf.h"
#include "crn.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_json.h"
#include "render.h"
#include "sink_value.h"

static const char *const name_of[] = {
    [SINK_IBM_AT] = "ibm-at",
    [SINK_ENVELOPE] = "envelope",
    [SINK_CADF] = "cadf-1.0",
    [SINK_CEF] = "cef",
    [SINK_PROTOBUF] = "protobuf",
    [SINK_LEAF] = "leaf",
};

hsa_rc
sink_value_format(enum sink_format *f, const struct sink_uri *u,
    const char *formats, struct hsa_diag *diag)
{
	const char *want = sink_uri_get(u, "format"), *at = formats;
	size_t n = want == NULL ? strcspn(at, " ") : strlen(want), k;

	for (; *at != '\0'; at += k + strspn(at + k, " ")) {
		k = strcspn(at, " ");
		if (want != NULL && (k != n || strncmp(at, want, n) != 0))
			continue;
		for (size_t i = SINK_IBM_AT; i <= SINK_LEAF; i++)
			if (strlen(name_of[i]) == k &&
			    strncmp(name_of[i], at, k) == 0) {
				*f = (enum sink_format)i;
				return HSA_OK;
			}
	}
	return hsa_fail(diag, HSA_RC(E_ARG), "%s: no format %s; there are: %s",
	    u->scheme, want == NULL ? "" : want, formats);
}

bool
sink_value_has(enum sink_format f, const struct hsa_record *r)
{
	return (f != SINK_IBM_AT && f != SINK_CADF && f != SINK_CEF) ||
	       r->body == HSA_BODY_EVENT;
}

hsa_rc
sink_value_put(struct hsa_buf *b, enum sink_format f,
    const struct hsa_record *r, const void *raw, size_t n)
{
	struct hsa_buf rest = {0};
	hsa_rc rc = HSA_OK;

	switch (f) {
	case SINK_IBM_AT:
		hsa_event_json(b, &r->event);
		break;
	case SINK_ENVELOPE:
		hsa_record_json(b, r);
		break;
	case SINK_CADF:
		cadf_put(b, r);
		break;
	case SINK_CEF:
		render_cef(b, &(const struct render_in){.r = r});
		break;
	case SINK_PROTOBUF:
		HSA_TRY(rc, hsa_record_encode(&rest, r));
		hsa_record_seal(b, r->sequence, rest.p, rest.len);
		break;
	case SINK_LEAF:
		hsa_buf_put(b, raw, n);
		break;
	}
	rc = hsa_buf_rc(b);
out:
	hsa_buf_free(&rest);
	return rc;
}

static void
copy(char *to, size_t room, struct hsa_slice s)
{
	/* no part of one is better than half of it */
	size_t n = s.n < room ? s.n : 0;

	if (n != 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

void
sink_value_origin(struct sink_origin *o, const char *crn)
{
	copy(o->account, sizeof(o->account), crn_account(crn));
	copy(o->location, sizeof(o->location), crn_part(crn, CRN_LOCATION));
	copy(o->region, sizeof(o->region), crn_region(crn));
}
