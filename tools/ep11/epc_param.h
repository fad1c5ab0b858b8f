/* epc_param.h - a mechanism and its parameter, from --mechanism and --param. */
#ifndef EPC_PARAM_H
#define EPC_PARAM_H
#include "ep11_mech.h"
#include "ep11_pkcs11.h"
#include "epc_cli.h"
#include "hsa_buf.h"
#include "hsa_err.h"

struct epc_mech {
	CK_MECHANISM m;
	const struct ep11_mech_row *row; /* NULL: a number without a row */
	union {
		CK_RSA_PKCS_OAEP_PARAMS oaep;
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_ECDH1_DERIVE_PARAMS ecdh;
		CK_GCM_PARAMS gcm;
		CK_AES_CTR_PARAMS ctr;
		CK_ULONG number;
	} param;
	struct hsa_buf a, b; /* what the parameter points to */
};

/*
 * epc_mech_set(to, name, params, diag) - E_ARG with the fix for a name or
 * member that is none, for one that the mechanism does not take, and for one
 * that it needs. to: zeroed, stays where it is, freed by epc_mech_free.
 * epc_mech_type(type, name, diag) - the number alone.
 */
HSA_MUST_USE hsa_rc epc_mech_set(struct epc_mech *to, const char *name,
    const struct opt_list *params, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_mech_type(
    CK_MECHANISM_TYPE *type, const char *name, struct hsa_diag *diag);
void epc_mech_free(struct epc_mech *m);

#endif
