"""mutate_values.py - near misses of every form that the documents have, and
values beside them that are right."""
import re

from read_events import ACTIONS, OLD, PHRASES, REGIONS, RENAMED
from valid_events import Obj, Raw, hexes, uuid

REGION = sorted(REGIONS) + ["us-west", "eu-fr2", "US-SOUTH", "us_south", "",
                            "au-syd ", "us-south1"]
CODES = [100, 101, 102, 199, 200, 201, 202, 203, 204, 299, 300, 302, 304, 307,
         399, 400, 401, 403, 404, 408, 409, 413, 418, 422, 424, 425, 429, 499,
         500, 501, 502, 503, 504, 505, 506, 507, 508, 511, 599, 600, 0, -1, 99,
         1000, 226, 208, 306]
PHRASE = sorted(set(PHRASES.values())) + ["ok", "Ok", "", " ", "OK ", "Okay",
                                          "Not found", "I'm a teapot"]


def whole(value):
    return value if type(value) is str else "x"


def typo(rng, value):
    """A character more, less, or other."""
    s = whole(value)
    i = rng.randrange(len(s) + 1)
    c = rng.choice("0aZ-.:[] /_\u00e4\u0661g")
    return rng.choice((s[:i] + c + s[i:], s[:i] + s[i + 1:],
                       s[:i] + c + s[i + 1:], s.upper(), s.lower(), s + " ",
                       " " + s, s + s, s[:i]))


def event_time(rng, value):
    day, clock = "2025-11-22", "10:42:07"
    return rng.choice((
        lambda: day + "T" + clock + rng.choice((
            ".3", ".31", ".319", ".319876543", ".3198765431", "", ".", ",31"))
        + rng.choice(("+0000", "+0000", "Z", "+00:00", "-0000", "-00:00", "z",
                      "+0100", "+00", "", " +0000", "+00000")),
        lambda: rng.choice((
            "2025-02-29", "2024-02-29", "2000-02-29", "1900-02-29",
            "2025-13-01", "2025-00-10", "2025-04-31", "2025-01-00",
            "2025-12-32", "0000-01-01", "0001-01-01", "9999-12-31",
            "25-11-22", "12025-11-22", "2025/11/22", "2100-02-29"))
        + "T" + clock + ".31+0000",
        lambda: day + rng.choice("T t_") + rng.choice((
            "24:00:00", "23:59:60", "23:59:59", "00:60:00", "12:00:60",
            "1:00:00", "00:00:61", "10:42", "10:42:7")) + ".31+0000",
        lambda: typo(rng, day + "T" + clock + ".31+0000"),
        lambda: "\u0662025-11-22T10:42:07.31+0000",
    ))()


def timestamp(rng, value):
    day, clock = "2026-01-31", "09:00:00"
    return rng.choice((
        lambda: day + rng.choice(("T", "T", "t", " ")) + clock + rng.choice((
            "", ".5", ".123456789", ".1234567890123", ".", ",5")) +
        rng.choice(("Z", "z", "+01:00", "-23:59", "+24:00", "+01:60", "+0000",
                    "", "-00:00", "+1:00")),
        lambda: rng.choice(("2025-02-29", "2024-02-29", "2026-00-01",
                            "2026-1-31", "0000-01-01", "2026-02-30")) + "T" +
        rng.choice(("09:00:00", "24:00:00", "23:59:60", "09:00:60", "9:00:00",
                    "09:61:00")) + "Z",
        lambda: typo(rng, day + "T" + clock + "Z"),
        lambda: rng.choice(("1769850000", "", "never")),
    ))()


def hash_(rng, value):
    s = whole(value)
    return rng.choice((
        s.upper(), s[:-1], s + "0", s + s, "", s[:63] + "g", s[:63] + "A",
        "0x" + s[2:], hexes(rng, 64), hexes(rng, 40), hexes(rng, 128), s + " ",
        s[:63] + "\u0661", 5, None, ["a"]))


def hashes(rng, value):
    v = list(value) if type(value) is list else []
    if v and rng.random() < 0.6:
        i = rng.randrange(len(v))
        v[i] = hash_(rng, v[i])
        return v
    return rng.choice((v + [hexes(rng, 64)], v + v, [], v[:1], v[1:],
                       hexes(rng, 64), ",".join(map(str, v)), v + [None],
                       v + [hexes(rng, 63)], None, Obj(), v + [[]]))


def region(rng, value):
    """Another region, wherever the value has one."""
    s = whole(value)
    return re.sub("(?<=:hs-crypto:)[^:]*|(?<=^\\[)[^]]*",
                  lambda m: rng.choice(REGION), s)


def crn(rng, value):
    s = whole(value)
    part = s.split(":")
    which = rng.randrange(12)
    if which < 10 and which < len(part):
        part[which] = rng.choice((
            "", "x", part[which].upper(), part[which] + "0", uuid(rng), "a/",
            "crn", "v2", "a/" + hexes(rng, 32), "staging", "kms", " "))
        return ":".join(part)
    return rng.choice((s + ":", s[:-1], ":".join(part[:9]), s.replace(":", "/"),
                       s + ":x", "", "crn:v1:bluemix:public:hs-crypto", " " + s,
                       "crn" + ":" * 9, ":" * 9, "crn:v1" + ":" * 8,
                       ":".join(part[:8]) + "::", region(rng, s), typo(rng, s)))


ADDRESSES = """192.0.2.7 0.0.0.0 255.255.255.255 256.0.0.1 1.2.3 1.2.3.4.5
01.2.3.4 1.2.3.004 1.2.3.4:443 1.2.3.4/24 0x7f.0.0.1 2130706433 127.1 ::
::1 2001:db8::1 2001:DB8::A 2001:db8::1::2 2001:db8:1:2:3:4:5:6:7
1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 ::ffff:1.2.3.4 ::ffff:1.2.3.256 ::1.2.3.4
fe80::1%eth0 [::1] 12345::1 g::1 :1 1: ::: localhost host.example.com
1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4 ::01.2.3.4 2001:db8::/32 10.0.0.0/8
1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1::2:3:4:5:6:7:8 ::00001 1.2.3.-4 1.2.3.+4
::ffff:1.2.3.04 0:0:0:0:0:0:0:0 1.2..3 .1.2.3 1.2.3.""".split() + [
    "", " ", " 1.2.3.4", "1.2.3.4 ", "1.2.3.\u0664", "::1 "]


def address(rng, value):
    return rng.choice(ADDRESSES)


def address_type(rng, value):
    return rng.choice(("IPv4", "IPv6", "CSE", "subnet", "ipv4", "IPV6", "",
                       "IPv5", "Subnet", "cse"))


LOCATIONS = """[us-south].[AZ1-CS4].[00].[03] us-south.AZ1-CS4.00.03
[us-south].[AZ1-CS4].[0].[3] [us-south].[AZ1-CS4].[000].[03]
[us-south].[AZ1-CS4].[00] [us-south].[AZ1-CS4].[00].[03].[01]
[us-south][AZ1-CS4][00][03] [us-south].[].[00].[03] [].[AZ1-CS4].[00].[03]
[us-south].[AZ1-CS4].[0a].[03] [us-south].[AZ1.CS4].[00].[03]
[us-south].[AZ1-CS4].[00].[03 us-south].[AZ1-CS4].[00].[03]
[us-east].[AZ2-CSSTAG2].[03].[22] [US-SOUTH].[AZ1-CS4].[00].[03]
[us-south].[az1].[00].[03] [us-south].[AZ1_CS4].[00].[03]
[us-south].[[AZ1]].[00].[03] [us-south].[AZ1-CS4].[-1].[03]
[us-south].[-].[00].[03] [eu_de].[AZ1-CS4].[00].[03] [-].[a].[00].[99]
[us-south].[AZ1/CS4].[00].[03] [us.south].[AZ1-CS4].[00].[03]""".split() + [
    "", "[us-south].[AZ1 CS4].[00].[03]", "[us-south].[AZ\u00e4].[00].[03]",
    "[us-south].[AZ1-CS4].[\u0660\u0661].[03]", "[us-south].[AZ1-CS4].[00].[03]\n"]


def location(rng, value):
    return rng.choice((lambda: rng.choice(LOCATIONS), lambda: typo(rng, value),
                       lambda: region(rng, value)))()


def integer(rng, value):
    return rng.choice((-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2 ** 53, 2 ** 53 + 1,
                       -2 ** 53 - 1, "1", Raw("1.0"), Raw("1.5"), Raw("1e0"),
                       Raw("8.5"), Raw("1e400"), None, True, 10 ** 30, [1],
                       Raw("-0"), 255))


def boolean(rng, value):
    return rng.choice((True, False, "true", 0, 1, None, "false", "", [True]))


def code(rng, value):
    return rng.choice((rng.choice(CODES), rng.choice(CODES), rng.choice(CODES),
                       str(value), Raw("200.0"), Raw("200.5"), Raw("2e2"),
                       None, 2 ** 53 + 1, Raw("404.0")))


def reason_type(rng, value):
    return rng.choice((rng.choice(PHRASE), typo(rng, value)))


def severity(rng, value):
    return rng.choice(("normal", "warning", "critical", "normal", "warning",
                       "critical", "Critical", "high", "", "info", "error"))


def outcome(rng, value):
    return rng.choice(("success", "failure", "pending", "unknown", "Success",
                       "", "failed", "SUCCESS", "success "))


def action(rng, value):
    names = sorted(ACTIONS)
    return rng.choice((
        rng.choice(names), rng.choice(sorted(OLD)),
        rng.choice(sorted(RENAMED)), rng.choice(sorted(RENAMED.values())),
        typo(rng, rng.choice(names)), whole(value).replace("hs-crypto", "kms"),
        "hs-crypto.tke-cryptounit-foo.bar", "hs-crypto.kmip-key.foo", "",
        "hs-crypto.hs-crypto.instance-policies.write",
        whole(value).split(".")[0], "power-iaas.tenant.read"))


def message(rng, value):
    s = whole(value)
    return rng.choice((
        "", " ", s.lower(), s.replace("Hyper", "Hyped"), "Hyper Protect Crypto "
        "Services", "Hyper Protect Crypto Services:", s.replace(": ", " "),
        "Hyper Protect Crypto Services: ", s.replace(":", ""),
        s.replace(" -failure", ""), s.replace("failure", "Failure"),
        s + " -failure", " " + s, "Key Protect: rotate secret a", s + "failure",
        s.replace("failure", "failed"), "Hyper Protect Crypto Services:x",
        "Hyper Protect Crypto Services failure", s.replace(": ", ":\t"),
        "Hyper Protect Crypto Services:\t \u00a0", s.replace(":", " :"),
        "Hyper Protect Crypto Services: \u2003", s.replace(": ", ":"),
        "failure " + s, "Hyper Protect Crypto Services-failure"))


def uuid_(rng, value):
    u = uuid(rng)
    return rng.choice((u.upper(), u[:-1], u + "0", u.replace("-", ""), "",
                       "{%s}" % u, "urn:uuid:" + u, u[:-1] + "g", typo(rng, u),
                       hexes(rng, 36), "00000000-0000-0000-0000-000000000000",
                       u.replace("-", "_"), u[:9] + u[8:-1]))


URIS = """/api/v2/keys /api/v2/keys?limit=2 / // ? https://a.example/b https://
http: api/v2/keys ../keys /a%20b /a%2 /a%zz /a#b urn:x:y 1http://a :/ /a|b /a^b
/"a" /a{b} /<a> mailto:a@b https:/x h-t+t.p:x /a\\b https://[::1]/ /a[0]""".split()
URIS += ["", " ", "/a b", "/\u00e4", "/a\tb", "https://\u00e4.example/", "/\x7f"]


def uri(rng, value):
    return rng.choice((rng.choice(URIS), typo(rng, value)))


def type_uri(rng, value):
    s = whole(value)
    return rng.choice((
        s + "/add", s.replace("tke-cryptounit/", "tke-cryptounit-"),
        s.replace("-", "/"), "hs-crypto", s + "/", "", s.upper(),
        rng.choice(sorted({a.type_uri for a in ACTIONS.values()})),
        typo(rng, s)))


def initiator_type(rng, value):
    return rng.choice((
        "service/security/account/user", "service/security/account/serviceid",
        "service/security/client/certificateid", "service/security/clientid",
        "service/security/account/user/", "service/security/client", "user",
        "", "Service/security/account/user"))


def credential(rng, value):
    return rng.choice(("token", "user", "apikey", "certificate", "hmac",
                       "public-access", "compute-resource", "Token", "", "key",
                       "instance-identity-token", "apikey-serviceid",
                       "s2s-authorization", "password", "bearer"))


def initiator(rng, value):
    s = whole(value)
    print_ = s.replace("CertificateID-", "") or "00ff"
    return rng.choice((
        "", "CertificateID-", print_, "CertificateID-" + print_.upper(),
        "certificateID-" + print_, "CertificateID-00:ff:0A", s + "g", s + " ",
        "CertificateID:" + print_, "IBMid-550000ABCD", "CertificateID-x",
        "iam-ServiceId-1", " " + s, None, "CertificateID-\u0661",
        "CertificateID--0", "CertificateID-0\n"))


def empty(rng, value):
    return rng.choice(("", " ", "x", whole(value) + "\u00e4", None))


KEYS = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "PUBLIC KEY",
        "ENCRYPTED PRIVATE KEY", "CERTIFICATE", "OPENSSH PRIVATE KEY",
        "private key", "PGP PRIVATE KEY BLOCK", "DSA PRIVATE KEY",
        "ANY PRIVATE KEY", "PRIVATE  KEY", "PRIVATE KEYS", "X PRIVATE KEY")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0"


def secret_text(rng):
    """A secret, or what looks like one a little."""
    return rng.choice((
        lambda: "%s %s-----%s" % (rng.choice(("-----BEGIN", "-----BEGIN",
                                              "----BEGIN", "-----begin",
                                              "-----END")),
                                  rng.choice(KEYS),
                                  rng.choice(("", "\nMIIB", "x"))),
        lambda: rng.choice(("Bearer ", "bearer ", "BEARER ", "Bearer",
                            "Bearer  ", "Authorization: Bearer ", "forbearer ",
                            "Bearer\t", "Bearer:", "Basic ", "token ")) +
        rng.choice((TOKEN, "abc", "", " ", TOKEN[:20], "x" * 15, "x" * 16,
                    "of bad news", "a.b.c", "0123456789abcdefghij=", "\u00e4")),
        lambda: rng.choice(("password", "Password", "PASSWORD", "passwd",
                            "pwd", "passphrase", "pass", "my_password",
                            "db-password", "apikey", "api_key", "secret",
                            "passwords", "pin")) +
        rng.choice(("=", ": ", ":", " = ", " ", "", '":"', "=\t", "-", " is "))
        + rng.choice(("hunter2", "", " ", "x", "***", "'a'")),
        lambda: TOKEN,
    ))()


def value_like(rng):
    return rng.choice((uuid(rng), hexes(rng, 64), "2026-01-31T09:00:00Z",
                       "192.0.2.1", "some text"))


# by path where there is one, else by the name of the member
NEAR = {
    "eventTime": event_time, "severity": severity, "outcome": outcome,
    "action": action, "message": message, "logSourceCRN": crn,
    "correlationId": empty, "target.id": crn, "target.name": location,
    "target.typeURI": type_uri, "initiator.typeURI": initiator_type,
    "initiator.credential.type": credential,
    "initiator.host.address": address,
    "initiator.host.addressType": address_type,
    "reason.reasonCode": code, "reason.reasonType": reason_type,
    "reason.reasonForFailure": empty, "dataEvent": boolean,
    "saveServiceCopy": boolean, "initiator.id": initiator,
    "initiator.name": empty, "observer.name": empty,
    "requestData.location": location, "requestData.requestURI": uri,
    "requestData.instanceID": uuid_,
    "location": location, "adminId": hash_, "adminIds": hashes,
    "masterKeyIds": hashes, "verificationPattern": hash_,
    "signatureThreshold": integer, "revocationSignatureThreshold": integer,
    "keyState": integer, "totalResources": integer,
    "maxAllowedRetrievals": integer, "remainingRetrievals": integer,
    "keyId": uuid_, "keyVersionId": uuid_, "rewrappedKeyVersionId": uuid_,
    "keyVersionCreationDate": timestamp, "expirationDate": timestamp,
    "authExpiration": timestamp, "requestURI": uri, "instanceID": uuid_,
    "keyType": empty, "policyDualAuthDeleteEnabled": boolean,
    "policyAllowedNetworkEnabled": boolean, "PolicyKCIAEnabled": boolean,
    "accountId": empty, "certificateId": empty, "keyRingId": empty,
}
