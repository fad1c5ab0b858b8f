/*
 * crn.h - the parts of a Cloud Resource Name: "crn:v1:cloud:type:service:
 * location:scope:instance:resource type:resource" (audit-landscape 1.2).
 */
#ifndef CRN_H
#define CRN_H
#include "hsa_buf.h"

enum crn_part {
	CRN_SERVICE = 4,
	CRN_LOCATION,
	CRN_SCOPE, /* "a/" and the account */
	CRN_INSTANCE,
	CRN_TYPE,
	CRN_RESOURCE /* all that follows, colons too */
};

/* crn_part(crn, part) - within crn; empty when it has none, is no CRN, or is
 * NULL. crn_account(crn) - the scope, when it is an account. */
struct hsa_slice crn_part(const char *crn, enum crn_part part);
struct hsa_slice crn_account(const char *crn);
/* crn_region(crn) - the location, without the number of a zone: us-south-2
 * lies in us-south. */
struct hsa_slice crn_region(const char *crn);

#endif
