#include <stddef.h>

#include "ep11_pkcs11.h"
#include "epc_rv.h"
#include "hsa_ks.h"

#define ROW(code, meaning, fix)                                                \
	{                                                                      \
		code, #code, meaning, fix                                      \
	}

static const struct epc_rv_row rows[] = {
    ROW(CKR_HOST_MEMORY, "out of memory here", "free some and repeat"),
    ROW(CKR_SLOT_ID_INVALID, "no such unit", "check --unit"),
    ROW(CKR_GENERAL_ERROR, "the unit failed", "see its log"),
    ROW(CKR_FUNCTION_FAILED, "the unit could not carry it out",
	"see its log; repeat"),
    ROW(CKR_ARGUMENTS_BAD, "an argument is missing or does not fit",
	"see the verb's --help"),
    ROW(CKR_ATTRIBUTE_READ_ONLY, "only the unit sets this attribute",
	"leave it out"),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID, "no key here has such an attribute",
	"leave it out"),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID, "an attribute has no such value",
	"correct --attr"),
    ROW(CKR_DATA_INVALID,
	"the data is not of the form that the mechanism "
	"takes",
	"check the input"),
    ROW(CKR_DATA_LEN_RANGE,
	"the data has a length that the mechanism does "
	"not take",
	"pad it, hash it first, or use another mechanism"),
    ROW(CKR_DEVICE_ERROR, "the unit has halted or cannot be reached",
	"cryptounitd status; restart the unit"),
    ROW(CKR_DEVICE_MEMORY, "the unit is out of memory", "repeat later"),
    ROW(CKR_ENCRYPTED_DATA_INVALID,
	"decryption fails: other key, other "
	"parameter, or damaged data",
	"use key, IV and AAD of the encryption"),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE,
	"the ciphertext has a length that "
	"nothing encrypts to",
	"check the input"),
    ROW(CKR_FUNCTION_CANCELED, "a control point of the domain forbids it",
	"have its administrators set the control point, or use another "
	"mechanism or key"),
    ROW(CKR_FUNCTION_NOT_SUPPORTED, "this unit has no such function",
	"see ep11 mechanisms"),
    ROW(CKR_KEY_HANDLE_INVALID, "that is no key", "check --key"),
    ROW(CKR_KEY_SIZE_RANGE, "the key has a size that is not allowed here",
	"see ep11 mechanisms for the sizes"),
    ROW(CKR_KEY_TYPE_INCONSISTENT,
	"the mechanism does not take a key of "
	"this type",
	"use a key of its type"),
    ROW(CKR_KEY_NEEDED, "the mechanism needs a key", "give --key"),
    ROW(CKR_KEY_INDIGESTIBLE, "a key of this type cannot be hashed",
	"use a secret key"),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, "the key may not be used so",
	"see ep11 attributes get; use a key with that attribute"),
    ROW(CKR_KEY_NOT_WRAPPABLE, "the key cannot be wrapped by this mechanism",
	"use another mechanism"),
    ROW(CKR_KEY_UNEXTRACTABLE, "the key is not extractable",
	"none: that is what the attribute promises"),
    ROW(CKR_MECHANISM_INVALID,
	"the unit does not have this mechanism for "
	"this use",
	"see ep11 mechanisms"),
    ROW(CKR_MECHANISM_PARAM_INVALID, "the mechanism's parameter is wrong",
	"see --param in the verb's --help"),
    ROW(CKR_OPERATION_NOT_INITIALIZED, "the operation's state is not good",
	"begin again"),
    ROW(CKR_PIN_INCORRECT, "the PIN blob is of no login here",
	"ep11 login again"),
    ROW(CKR_PIN_INVALID, "such a PIN is not allowed",
	"use another one, 8 to 16 bytes"),
    ROW(CKR_PIN_LEN_RANGE, "the PIN is too short or too long",
	"use 8 to 16 bytes"),
    ROW(CKR_SESSION_CLOSED,
	"the key is bound to a session that is not "
	"logged in",
	"ep11 login with the same PIN and nonce"),
    ROW(CKR_SESSION_COUNT, "the unit has no room for another login",
	"ep11 logout others"),
    ROW(CKR_SIGNATURE_INVALID, "the signature is wrong",
	"it is of another key, mechanism or data"),
    ROW(CKR_SIGNATURE_LEN_RANGE,
	"the signature has a length that the key "
	"does not make",
	"it is of another key or mechanism"),
    ROW(CKR_TEMPLATE_INCOMPLETE, "an attribute is missing",
	"give CKA_CLASS, CKA_KEY_TYPE, CKA_VALUE_LEN or CKA_EC_PARAMS"),
    ROW(CKR_TEMPLATE_INCONSISTENT,
	"attributes contradict each other or "
	"the key",
	"correct --attr"),
    ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
	"the mechanism does not take "
	"such a wrapping key",
	"use another --kek"),
    ROW(CKR_UNWRAPPING_KEY_SIZE_RANGE, "the wrapping key has no such size",
	"use another --kek"),
    ROW(CKR_WRAPPED_KEY_INVALID, "what unwraps is no such key",
	"check --kek, --param and CKA_KEY_TYPE"),
    ROW(CKR_WRAPPED_KEY_LEN_RANGE, "the wrapped key has no such length",
	"check the input"),
    ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
	"the mechanism does not take "
	"such a wrapping key",
	"use another --kek"),
    ROW(CKR_WRAPPING_KEY_SIZE_RANGE, "the wrapping key has no such size",
	"use another --kek"),
    ROW(CKR_USER_NOT_LOGGED_IN, "the caller is not authorized",
	"ask the owner of the unit"),
    ROW(CKR_BUFFER_TOO_SMALL, "the output is longer than one call gives",
	"use less data"),
    ROW(CKR_CURVE_NOT_SUPPORTED, "the unit does not have this curve",
	"see ep11 info for its curves"),
    ROW(CKR_PUBLIC_KEY_INVALID,
	"that is no public key, or one that is "
	"on no curve",
	"check the input"),
    ROW(CKR_IBM_WKID_MISMATCH, "the key is under another master key",
	"ep11 rewrap while both are there; or use that unit"),
    ROW(CKR_IBM_INTERNAL_ERROR, "the unit failed", "see its log"),
    ROW(CKR_IBM_TRANSPORT_ERROR, "the unit was lost while it was asked",
	"whether it acted is in its audit log"),
    ROW(CKR_IBM_BLOB_ERROR, "the key blob is damaged, or was never one",
	"use the file as the unit made it"),
    ROW(CKR_IBM_BLOBKEY_CONFLICT, "the keys do not fit each other",
	"use keys of one unit"),
    ROW(CKR_IBM_MODE_CONFLICT, "the key's compliance mode forbids it",
	"make a new key"),
    ROW(CKR_IBM_NONCRT_KEY_SIZE, "the RSA key has no such size", "none"),
    ROW(CKR_IBM_WK_NOT_INITIALIZED, "the unit has no master key for this",
	"load one with tke; rewrap needs a committed new one"),
    ROW(CKR_IBM_READONLY, "the unit takes no changes now",
	"see cryptounitd status"),
    ROW(CKR_IBM_STATIC_POLICY,
	"the unit's policy forbids this size or "
	"strength",
	"use a larger key"),
    ROW(CKR_IBM_TRANSPORT_LIMIT, "the request is too large", "use less data"),
    ROW(CKR_IBM_TARGET_INVALID, "no such unit", "check --unit"),
    ROW(CKR_IBM_PARAM_NOT_SUPPORTED, "the unit does not have this parameter",
	"use another hash, curve or size"),
    ROW(CKR_IBM_ERROR_STATE, "the unit has halted", "restart it"),
};

const struct epc_rv_row *
epc_rv(uint64_t rv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

hsa_rc
epc_rv_fail(struct hsa_diag *diag, uint64_t rv, const char *what)
{
	const struct epc_rv_row *row = epc_rv(rv);
	const struct hsa_ks_rv_row *ks = hsa_ks_rv((uint32_t)rv);
	hsa_rc rc = HSA_RC(E_REMOTE);

	if (rv == CKR_OK)
		return HSA_OK;
	if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE)
		rc = HSA_RC(E_SIGNATURE);
	if (rv == CKR_HOST_MEMORY)
		rc = HSA_RC(E_NOMEM);
	if (row != NULL)
		return hsa_fail(diag, rc, "%s: %s (0x%llx): %s; fix: %s", what,
		    row->name, (unsigned long long)rv, row->meaning, row->fix);
	if (ks != NULL && rv <= UINT32_MAX)
		return hsa_fail(diag, rc, "%s: %s (0x%llx): %s", what, ks->name,
		    (unsigned long long)rv, ks->text);
	return hsa_fail(diag, rc,
	    "%s: return value 0x%llx, which PKCS #11 and EP11 do not name",
	    what, (unsigned long long)rv);
}
