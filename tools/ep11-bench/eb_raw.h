/*
 * eb_raw.h - the same token reached by direct Cryptoki, without a crypto unit
 * around it: the baseline. The unit, opened in this process before, has
 * loaded the module and logged in.
 */
#ifndef EB_RAW_H
#define EB_RAW_H
#include <p11-kit-1/p11-kit/pkcs11.h>
#include "hsa_err.h"

struct eb_raw {
	void *so;
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE aes, mac, ec, ec_pub, rsa; /* session objects */
};

/* eb_raw_open(r, label, diag) - a session with the token of that label, and a
 * key of each kind. eb_raw_close: repeatable. */
HSA_MUST_USE hsa_rc eb_raw_open(
    struct eb_raw *r, const char *label, struct hsa_diag *diag);
void eb_raw_close(struct eb_raw *r);

#endif
