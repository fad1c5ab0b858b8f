#include <string.h>

#include "val_words.h"

static const char *const outcomes[] = {"success", "failure", "pending", NULL};
static const char *const severities[] = {"normal", "warning", "critical", NULL};
static const char *const initiators[] = {VAL_PERSON,
    "service/security/account/serviceid",
    "service/security/client/certificateid", "service/security/clientid", NULL};
static const char *const credentials[] = {"token", "user", "apikey",
    "certificate", "public-access", "hmac", "compute-resource",
    "instance-identity-token", "apikey-serviceid", "s2s-authorization", NULL};
static const char *const addresses[] = {"IPv4", "IPv6", "CSE", "subnet", NULL};

static const struct val_values values[] = {
    {VAL_F_OUTCOME, outcomes, "success, failure or pending"},
    {VAL_F_SEVERITY, severities, "normal, warning or critical"},
    {VAL_F_INITIATOR_TYPE, initiators,
	"service/security/account/user or another of the four"},
    {VAL_F_CREDENTIAL_TYPE, credentials,
	"token, apikey, certificate or another of the ten"},
    {VAL_F_HOST_ADDRESS_TYPE, addresses, "IPv4, IPv6, CSE or subnet"},
};

const char *const val_regions[] = {"au-syd", "br-sao", "ca-tor", "eu-de",
    "eu-es", "eu-gb", "jp-tok", "us-east", "us-south", NULL};
const char *const val_secret_names[] = {"password", "passphrase", "secret",
    "apikey", "privateKey", "payload", "plaintext", "pin", NULL};
const char *const val_thresholds[] = {
    "signatureThreshold", "revocationSignatureThreshold", NULL};
const struct val_renamed val_orphans[] = {
    {"hs-crypto.governance.configread", "hs-crypto.governance-config.read"},
    {"hs-crypto.instance.readallowedipport",
	"hs-crypto.instance-allowed-ip-port.read"},
    {"hs-crypto.instance.readipwhitelistport",
	"hs-crypto.instance-ip-allowlist-port.read"},
    {"hs-crypto.secrets.defaultalias", "hs-crypto.secrets-alias.request"},
    {NULL, NULL},
};

const struct val_values *
val_values(size_t *n)
{
	*n = sizeof(values) / sizeof(values[0]);
	return values;
}

const char *
val_name_alias(const char *name)
{
	/* the sample of a sister service spells it so */
	return strcmp(name, "instanceID") == 0 ? "instanceId" : NULL;
}

bool
val_is_key_state(const char *name)
{
	const char *last = strrchr(name, '.');

	return strcmp(last == NULL ? name : last + 1, "keyState") == 0;
}

bool
val_key_state_fits(int64_t v)
{
	return v >= 0 && v <= 5 && v != 4;
}

bool
val_outcome_fits(enum val_outcome o, int64_t code)
{
	switch (o) {
	case VAL_OUTCOME_SUCCESS:
		return code >= 200 && code <= 299;
	case VAL_OUTCOME_FAILURE:
		return code >= 400 && code <= 599;
	case VAL_OUTCOME_PENDING:
		return (code >= 100 && code <= 199) || code == 202;
	case VAL_OUTCOME_NONE:
	default:
		return true;
	}
}
