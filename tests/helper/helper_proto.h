/*
 * helper_proto.h - sample events and records for tests, and assertions on
 * hsa_rc. Samples hold the documented fields of their action, filled in by
 * type, so that they pass hsa_event_build.
 */
#ifndef HELPER_PROTO_H
#define HELPER_PROTO_H
#include "hsa_event.h"

/* Compare by name: a failure then reads "E_RANGE" != "E_FORMAT". For files
 * that include cmocka. */
#define assert_rc(name, f) assert_string_equal(hsa_err_name(f), (name))
#define assert_ok(f) assert_rc("OK", f)

#define HP_CRN                                                                 \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/0123456789abcdef"          \
	"0123456789abcdef:a81a5e10-8e8b-4d0f-9d0e-6a8d3f0c1b2a::"
#define HP_UNIT_CRN                                                            \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/0123456789abcdef"          \
	"0123456789abcdef:a81a5e10-8e8b-4d0f-9d0e-6a8d3f0c1b2a:crypto-unit:"   \
	"00000000-0000-4000-8000-000000000001"
#define HP_LOCATION "[us-south].[AZ1-CS4].[00].[03]"
#define HP_CORRELATION "b7c1a1de-3f46-4c8e-9a53-0f2f5c2b6e77"
#define HP_FAILURE "fewer signatures than the quorum"
#define HP_TIME UINT64_C(1763808127319876543) /* 2025-11-22T10:42:07.319... */

/* The text that stands for a value of this documented type. */
const char *hp_sample(const char *type);

/* Adds every field of a row's list to d; with optional, those too. */
void hp_fields(struct hsa_data *d, const char *list, bool optional);

/* A built event: a success when status is 2xx, else failed for HP_FAILURE;
 * a failure has request fields only. */
void hp_event(struct hsa_event *ev, enum hsa_action action, uint32_t status);

/* A record with every member set around such an event - `use` for an ep11.use
 * only, which is of that source -, and one around a special body with initiator
 * and nested details. */
void hp_record(struct hsa_record *r, enum hsa_action action, uint32_t status);
void hp_special(struct hsa_record *r);
/* A context's record, and a compact one that names sequence 41, the former's.
 */
void hp_context(struct hsa_record *r);
void hp_compact(struct hsa_record *r);

#endif
