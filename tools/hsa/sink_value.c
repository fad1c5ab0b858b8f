#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_json.h"
#include "sink_value.h"

static const char *const name_of[] = {
    [SINK_IBM_AT] = "ibm-at",
    [SINK_ENVELOPE] = "envelope",
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
	return f != SINK_IBM_AT || r->body == HSA_BODY_EVENT;
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
copy(char *to, size_t room, const char *p, size_t n)
{
	if (n >= room)
		n = 0; /* no part of one is better than half of it */
	memcpy(to, p, n);
	to[n] = '\0';
}

/* us-south-2 lies in us-south. */
static size_t
region_of(const char *location)
{
	const char *dash = strrchr(location, '-');

	if (dash == NULL || dash[1] == '\0' ||
	    strspn(dash + 1, "0123456789") != strlen(dash + 1))
		return strlen(location);
	return (size_t)(dash - location);
}

void
sink_value_origin(struct sink_origin *o, const char *crn)
{
	const char *at = crn == NULL ? "" : crn;

	*o = (struct sink_origin){{0}, {0}, {0}};
	if (strncmp(at, "crn:", 4) != 0)
		return;
	for (unsigned int i = 0; *at != '\0' && i <= 6; i++) {
		size_t n = strcspn(at, ":");

		if (i == 5)
			copy(o->location, sizeof(o->location), at, n);
		else if (i == 6 && n > 2 && strncmp(at, "a/", 2) == 0)
			copy(o->account, sizeof(o->account), at + 2, n - 2);
		at += n;
		if (*at == ':')
			at++;
	}
	copy(o->region, sizeof(o->region), o->location, region_of(o->location));
}
