#include "val_case.h"

#define GOOD VAL_CHECKS, VAL_IBM_AT, false, VAL_BASE_EVENT, 0
#define LENIENT VAL_CHECKS, VAL_IBM_AT, true, VAL_BASE_EVENT, 0
#define SET(at, to)                                                            \
	{                                                                      \
		VAL_EDIT_SET, 0, at, to                                        \
	}
#define DROP(at)                                                               \
	{                                                                      \
		VAL_EDIT_DROP, 0, at, NULL                                     \
	}

#define STATE(value, name)                                                     \
	{                                                                      \
		GOOD, HSA_ACTION_SECRETS_READ, 200, "key-state-" value,        \
		    {SET("responseData.keyState", value)},                     \
		    "A key that is " name ".", "Key action events", NULL       \
	}
#define POLICY(tag, from, to, what, section)                                   \
	{                                                                      \
		GOOD, HSA_ACTION_INSTANCE_POLICIES_WRITE, 200, tag,            \
		    {SET("requestData.initialValue", from),                    \
			SET("requestData.newValue", to)},                      \
		    what, section, NULL                                        \
	}

static const struct val_case cases[] = {
    {LENIENT, HSA_ACTION_SECRETS_CREATE, 200, "private-network",
	{DROP("initiator.host")},
	"A request through a private network: the host's address is not "
	"shown. With --private-network there is no finding at all.",
	"Common fields", "E17"},
    {GOOD, HSA_ACTION_KMIP_KEY_CREATE, 200, "host-without-address",
	{SET("initiator.host", "{\"agent\":\"vpxd\"}")},
	"KMIP: a host, but never the initiator's address.",
	"KMIP for VMware events", "W01"},
    {GOOD, HSA_ACTION_SECRETS_CREATE, 200, "ipv6",
	{SET("initiator.host.address", "\"2001:db8::7\""),
	    SET("initiator.host.addressType", "\"IPv6\"")},
	"The initiator's host has an IPv6 address.", "Common fields", NULL},
    {GOOD, HSA_ACTION_SECRETS_ROTATE, 204, "", {{0}},
	"A success with another 2xx status than 200.",
	"Event severity, by action", NULL},
    {GOOD, HSA_ACTION_SECRETS_CREATE, 201, "", {{0}},
	"A success with another 2xx status than 200.",
	"Event severity, by action", NULL},
    {GOOD, HSA_ACTION_SECRETS_CREATE, 202, "pending",
	{SET("outcome", "\"pending\""), SET("responseData", "null")},
	"Accepted, not done yet: no response fields.",
	"Fields are only certain after a success", NULL},
    {GOOD, HSA_ACTION_SECRETS_EXPIRE, 200, "by-service",
	{SET("initiator.typeURI", "\"service/security/account/serviceid\""),
	    SET("initiator.name", "\"\""),
	    SET("initiator.id",
		"\"iam-ServiceId-00000000-0000-4000-8000-000000000001\""),
	    SET("initiator.host.address", "\"\"")},
	"Begun by a service, which has no name and no address.",
	"Event Fields; Expire key", "W01"},
    {GOOD, HSA_ACTION_SECRETS_LIST, 200, "instance-id-spelling",
	{DROP("requestData.instanceID"),
	    SET("requestData.instanceId",
		"\"a81a5e10-8e8b-4d0f-9d0e-6a8d3f0c1b2a\"")},
	"instanceID as a sample of the sister service spells it.",
	"Common fields, Table 13", NULL},
    {GOOD, HSA_ACTION_SECRETS_LIST, 200, "no-request-data",
	{SET("requestData", "null")}, "requestData may be null.",
	"Common fields, Table 13", NULL},
    {GOOD, HSA_ACTION_SECRETS_READ, 200, "optional-fields",
	{SET("initiator.authnId", "\"IBMid-550000ABCD\""),
	    SET("initiator.authnName", "\"\""), SET("target.alias", "\"pay\""),
	    SET("target.resourceGroupId", "\"\"")},
	"Fields of Activity Tracker that an event may have.", "Event Fields",
	NULL},
    STATE("0", "in pre-activation"),
    STATE("1", "active"),
    STATE("2", "suspended"),
    STATE("3", "deactivated"),
    STATE("5", "destroyed"),
    {GOOD, HSA_ACTION_SECRETS_SETKEYFORDELETION, 200, "first-time",
	{DROP("responseData.initialValue")},
	"No dual authorization policy was set before.",
	"Set or unset key for deletion", NULL},
    {GOOD, HSA_ACTION_SECRETS_UNSETKEYFORDELETION, 200, "none-left",
	{DROP("responseData.newValue")},
	"No dual authorization policy is set afterwards.",
	"Set or unset key for deletion", NULL},
    POLICY("allowed-network",
	"{\"policyAllowedNetworkEnabled\":false,"
	"\"policyAllowedNetworkAttribute\":\"public-only\"}",
	"{\"policyAllowedNetworkEnabled\":true,"
	"\"policyAllowedNetworkAttribute\":\"public-and-private\"}",
	"The allowed network policy alone was changed.",
	"Allowed network policies"),
    POLICY("dual-auth-delete", "{\"policyDualAuthDeleteEnabled\":false}",
	"{\"policyDualAuthDeleteEnabled\":true}",
	"The dual authorization policy alone was changed.",
	"Dual auth delete policies"),
    POLICY("key-create-import-access",
	"{\"PolicyKCIAEnabled\":false,\"PolicyKCIAAttrCRK\":true,"
	"\"PolicyKCIAAttrCSK\":true,\"PolicyKCIAAttrIRK\":true,"
	"\"PolicyKCIAAttrISK\":true,\"PolicyKCIAAttrET\":false}",
	"{\"PolicyKCIAEnabled\":true,\"PolicyKCIAAttrCRK\":true,"
	"\"PolicyKCIAAttrCSK\":false,\"PolicyKCIAAttrIRK\":true,"
	"\"PolicyKCIAAttrISK\":false,\"PolicyKCIAAttrET\":true}",
	"The key creation and importation policy alone was changed.",
	"Key creation and importation access policies"),
};

const struct val_case *
val_case_good(size_t *n)
{
	*n = sizeof(cases) / sizeof(cases[0]);
	return cases;
}
