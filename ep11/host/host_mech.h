/*
 * host_mech.h - PKCS #11's mechanism parameters, native structs with pointers,
 * as struct hsa_mech, whose slices then point into the caller's memory.
 */
#ifndef HOST_MECH_H
#define HOST_MECH_H
#include "ep11_pkcs11.h"
#include "hsa_call.h"

/*
 * host_mech(to, m) - by the mechanism's number and the parameter's length:
 *   OAEP, PSS  their structs
 *   ECDH1, X25519, X448  CK_ECDH1_DERIVE_PARAMS, or the other's bare point
 *   GCM  CK_GCM_PARAMS with or without ulIvBits, told by the length
 *   mechanisms that no unit here has and whose parameter holds pointers:
 *   no parameter, so that the unit can refuse the mechanism
 *   all others  the bytes as they are (IV, CK_AES_CTR_PARAMS, MAC length ...)
 * CKR_ARGUMENTS_BAD: m is NULL. CKR_MECHANISM_PARAM_INVALID: a length that the
 * mechanism's structs do not have, or a NULL pointer with a length.
 */
CK_RV host_mech(struct hsa_mech *to, const CK_MECHANISM *m);

/* host_slice(to, p, n, max) - false: n beyond max, or NULL with a length. */
bool host_slice(struct hsa_slice *to, const void *p, uint64_t n, size_t max);

#endif
