/*
 * ep11_kwp.h - AES key wrap with padding (RFC 5649) of values that are not
 * whole blocks of eight bytes. The token pads those before it wraps, so that
 * whoever unwraps gets zeros behind the key; here the token encrypts block by
 * block, and the value is exact. See KWP_EXACT in ep11_exposure.def.
 */
#ifndef EP11_KWP_H
#define EP11_KWP_H
#include "ep11_core.h"

/* v: 1 to HSA_BLOB_MAX / 2 bytes; kek: an AES key in the token. Appended. */
CK_RV ep11_kwp_wrap(struct ep11_engine *e, struct hsa_buf *out,
    CK_OBJECT_HANDLE kek, const void *v, size_t n);

#endif
