#!/usr/bin/env python3
"""read_events.py - a second reading of the rules that `hsa validate` has for
single events.

Written from the documents that the checks name and from what the checks say of
themselves (`hsa validate --checks`), not from the validator: two readers who
agree on a hundred thousand damaged events have read the same rules.

usage: read_events.py [--profile ibm-at|at-export] [--strict|--lenient]
                      [--private-network] FILE|-

FILE has one event a line. Output, for each line that is not blank: its number
from 0, then each finding as CHECK/level, sorted. Exit status: 1 when an error
was found, else 0.
"""
import calendar
import ipaddress
import os
import re
import sys

import strict_json
from strict_json import Number, Object

HERE = os.path.dirname(os.path.abspath(__file__))

# ---- documents: fields (audit-landscape 1.2) ---------------------------------

ALWAYS, RULE, MAY = "always", "by a rule", "optional"
FIELDS = """
action                      string  always
outcome                     string  always
eventTime                   string  always
severity                    string  always
message                     string  always
dataEvent                   boolean always
saveServiceCopy             boolean always
logSourceCRN                string  always
correlationId               string  -
id                          string  -
observer                    object  always
observer.name               string  always
initiator                   object  always
initiator.id                string  always
initiator.name              string  always
initiator.typeURI           string  always
initiator.credential        object  always
initiator.credential.type   string  always
initiator.host              object  -
initiator.host.address      string  -
initiator.host.addressType  string  -
initiator.host.agent        string  -
initiator.authnId           string  -
initiator.authnName         string  -
target                      object  always
target.id                   string  always
target.name                 string  always
target.typeURI              string  always
target.resourceGroupId      string  -
target.alias                string  -
target.host                 object  -
target.host.address         string  -
reason                      object  always
reason.reasonCode           number  always
reason.reasonType           string  -
reason.reasonForFailure     string  -
requestData                 data    -
responseData                data    -
"""
KINDS = {
    "string": (str,), "boolean": (bool,), "object": (Object,),
    "number": (Number,), "data": (Object, type(None)),
}


def _fields():
    top = {}
    for line in FIELDS.split("\n"):
        if not line.strip():
            continue
        path, kind, need = line.split()
        level = top
        *above, name = path.split(".")
        for part in above:
            level = level[part][3]
        level[name] = (path, KINDS[kind], need == "always", {})
    return top


TREE = _fields()

# ---- documents: values -------------------------------------------------------

VALUES = {
    "outcome": {"success", "failure", "pending"},
    "severity": {"normal", "warning", "critical"},
    "initiator.typeURI": {
        "service/security/account/user", "service/security/account/serviceid",
        "service/security/client/certificateid",
        "service/security/clientid"},
    "initiator.credential.type": {
        "token", "user", "apikey", "certificate", "public-access", "hmac",
        "compute-resource", "instance-identity-token", "apikey-serviceid",
        "s2s-authorization"},
    "initiator.host.addressType": {"IPv4", "IPv6", "CSE", "subnet"},
}
USER = "service/security/account/user"
REGIONS = set("au-syd br-sao ca-tor eu-de eu-es eu-gb jp-tok us-east "
              "us-south".split())                           # Table 12
KEY_STATES = {0, 1, 2, 3, 5}
SERVICE = "Hyper Protect Crypto Services: "
# Table 21
STATUS = {401: "critical", 403: "critical", 500: "critical", 503: "critical",
          507: "critical", 400: "warning", 409: "warning", 424: "warning",
          502: "warning", 504: "warning", 505: "warning"}
# RFC 9110 and the registry of HTTP status codes
PHRASES = dict((int(line[:3]), line[4:]) for line in """\
100 Continue
101 Switching Protocols
102 Processing
103 Early Hints
200 OK
201 Created
202 Accepted
203 Non-Authoritative Information
204 No Content
205 Reset Content
206 Partial Content
207 Multi-Status
208 Already Reported
226 IM Used
300 Multiple Choices
301 Moved Permanently
302 Found
303 See Other
304 Not Modified
305 Use Proxy
307 Temporary Redirect
308 Permanent Redirect
400 Bad Request
401 Unauthorized
402 Payment Required
403 Forbidden
404 Not Found
405 Method Not Allowed
406 Not Acceptable
407 Proxy Authentication Required
408 Request Timeout
409 Conflict
410 Gone
411 Length Required
412 Precondition Failed
413 Content Too Large
414 URI Too Long
415 Unsupported Media Type
416 Range Not Satisfiable
417 Expectation Failed
421 Misdirected Request
422 Unprocessable Content
423 Locked
424 Failed Dependency
425 Too Early
426 Upgrade Required
428 Precondition Required
429 Too Many Requests
431 Request Header Fields Too Large
451 Unavailable For Legal Reasons
500 Internal Server Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
504 Gateway Timeout
505 HTTP Version Not Supported
506 Variant Also Negotiates
507 Insufficient Storage
508 Loop Detected
510 Not Extended
511 Network Authentication Required""".split("\n"))
# Table 1: former names whose current name no table of actions has
RENAMED = {
    "hs-crypto.governance.configread": "hs-crypto.governance-config.read",
    "hs-crypto.instance.readallowedipport":
        "hs-crypto.instance-allowed-ip-port.read",
    "hs-crypto.instance.readipwhitelistport":
        "hs-crypto.instance-ip-allowlist-port.read",
    "hs-crypto.secrets.defaultalias": "hs-crypto.secrets-alias.request",
}


class Action:
    """One row of the catalogue."""

    def __init__(self, row):
        self.name = row["action"]
        self.family = row["family"]
        self.tke = self.family == "tke"
        self.kmip = self.family == "kmip"
        self.listed = row["listed"] == "table"
        self.type_uri = row["target_type_uri"]
        self.severity = row["severity"]
        self.fallback = row["severity_source"] == "fallback"
        self.exact = row["success_code"] == "200"
        self.old_name = row["old_name"]
        self.fields = []    # (member of the event, path in it, type, optional)
        for data in ("request", "response"):
            for spec in filter(None, row[data + "_data"].split(",")):
                path, kind = spec.split(":")
                self.fields.append((data + "Data", path.split("."),
                                    kind.rstrip("?"), kind.endswith("?")))


def _catalogue():
    with open(os.path.join(HERE, "catalogue.tsv"), encoding="utf-8") as f:
        head = f.readline().rstrip("\n").split("\t")
        rows = [Action(dict(zip(head, line.rstrip("\n").split("\t"))))
                for line in f]
    return (dict((a.name, a) for a in rows),
            dict((a.old_name, a) for a in rows if a.old_name))


ACTIONS, OLD = _catalogue()

# ---- documents: forms --------------------------------------------------------

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HEX64 = re.compile(r"[0-9a-f]{64}")
LOCATION = re.compile(
    r"\[([A-Za-z0-9][A-Za-z0-9-]*)\]\.\[[A-Za-z0-9][A-Za-z0-9-]*\]\."
    r"\[[0-9]{2}\]\.\[[0-9]{2}\]")
URI = re.compile(r"/[^\0- \x7f]*|[A-Za-z][A-Za-z0-9+.-]*:[^\0- \x7f]+")
DAY_TIME = r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
AT_TIME = re.compile(DAY_TIME + r"\.[0-9]{2}\+0000")
LENIENT_TIME = re.compile(DAY_TIME + r"(?:\.[0-9]{1,9})?(?:\+0000|Z|\+00:00)")
RFC3339 = re.compile(
    DAY_TIME + r"(?:\.[0-9]+)?(?:Z|[+-]([0-9]{2}):([0-9]{2}))")
VCENTER = re.compile("CertificateID-[0-9a-fA-F:]+")
SECRET = re.compile("PRIVATE KEY-----|[Bb]earer ey|[Pp]assword=")
SECRET_NAMES = {"password", "passphrase", "secret", "apikey", "privatekey",
                "payload", "plaintext", "pin"}


def time_ok(form, text):
    """A moment that there is, in that form."""
    m = form.fullmatch(text)
    if not m:
        return False
    year, month, day, hour, minute, second, *offset = \
        (int(g) for g in m.groups() if g is not None)
    if offset and (offset[0] > 23 or offset[1] > 59):
        return False
    return (1 <= month <= 12 and
            1 <= day <= calendar.monthrange(year or 4, month)[1] and
            hour < 24 and minute < 60 and second <= 60)


def crn(text):
    """The ten parts of a CRN, or None."""
    part = text.split(":", 9)
    return part if len(part) == 10 and part[:2] == ["crn", "v1"] and \
        all(part[2:5]) else None


def secret(name, text):
    return (SECRET.search(text) is not None or
            ("eyJ" in text and ".eyJ" in text) or
            (name is not None and text != "" and
             name.lower() in SECRET_NAMES))


def is_hash(value):
    return type(value) is str and HEX64.fullmatch(value) is not None


def address_ok(kind, text):
    try:
        if kind == "IPv6":
            return "%" not in text and ipaddress.IPv6Address(text) is not None
        if kind not in ("CSE", "subnet"):
            ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


# ---- the reading -------------------------------------------------------------

WARNINGS = {"W01", "W02", "W03", "W04", "W05", "W06"}
LENIENT_WARNINGS = WARNINGS | {"E17", "E24", "E25", "E42"}


class Reading:
    """What is wrong with one text. `found`: checks that fail whatever the
    mode, each as often as it fails; the others are properties of the event."""

    def __init__(self, text, profile="ibm-at"):
        self.profile = profile
        self.found = []
        self.field = {}
        self.row = None
        self.code = None
        self.time = None        # eventTime
        self.address_missing = False
        self.tree = None
        try:
            self.tree = strict_json.read(text)
        except strict_json.Broken:
            self.found.append("E01")
            return
        if profile == "at-export":
            self.unwrap()
        self.found += ["E01"] * len(self.tree.flaws)
        if type(self.tree.value) is not Object:
            self.found.append("E01")
            return
        self.members(self.tree.value, TREE)
        self.action()
        self.outcome()
        self.values()
        self.severity()
        self.message()
        self.data()
        if self.tke:
            self.trusted_key_entry()
        self.target()
        self.host()
        self.found += ["E18"] * sum(
            secret(n, v) for n, v in self.tree.strings)

    def add(self, check, wrong=True):
        if wrong:
            self.found.append(check)

    def unwrap(self):
        """Collectors make strings of data and wrap the event in a line."""
        top = self.tree.value
        if type(top) is not Object:
            return
        if type(top.get("_line")) is str and "action" not in top:
            top = self.tree.value = self.inner(top["_line"], top)
            if type(top) is not Object:
                return
        for name in ("requestData", "responseData"):
            if type(top.get(name)) is str:
                text = top[name]
                top[name] = self.inner(text, text)
                if top[name] is not text:
                    self.tree.strings.remove((name, text))

    def inner(self, text, otherwise):
        """The tree of a string, or `otherwise` when it is no JSON."""
        try:
            tree = strict_json.read(text.encode("utf-8", "surrogatepass"))
        except strict_json.Broken:
            return otherwise
        self.tree.flaws += tree.flaws
        self.tree.strings += tree.strings
        return tree.value

    def members(self, o, known):
        """E01 and E02: what stands where; fitting values go to field."""
        for name, value in [*o.items(), *o.more]:
            if known is TREE and self.profile == "at-export" and \
                    name.startswith("_"):
                continue
            if name not in known:
                self.add("E01")
                continue
            path, kinds, _, below = known[name]
            if type(value) not in kinds:
                self.add("E02")
            elif path not in self.field:    # the first of two is read
                self.field[path] = value
                if below:
                    self.members(value, below)
        for name, (_, _, always, _) in known.items():
            self.add("E02", always and name not in o)

    def action(self):
        name = self.field.get("action")
        self.tke = False
        if name is None:
            return
        self.row = ACTIONS.get(name)
        if self.row is None and name in OLD:
            self.add("W03")
            self.row = OLD[name]
        elif self.row is None and name in RENAMED:
            self.add("W03")     # and nothing more is known of it
        elif self.row is None and name in RENAMED.values():
            self.add("W04")
        elif self.row is None:
            self.add("E03")
        if self.row:
            self.tke = self.row.tke
            self.add("W04", not self.row.listed)

    def outcome(self):
        f = self.field
        self.time = f.get("eventTime")
        outcome = f.get("outcome")
        number = f.get("reason.reasonCode")
        code = self.code = number.integer() if number else None
        kind = f.get("reason.reasonType")
        if number is not None:
            c = code
            if code is None:
                self.add("E05")
            elif outcome == "success":
                self.add("E05", not 200 <= c <= 299)
            elif outcome == "failure":
                self.add("E05", not 400 <= c <= 599)
            elif outcome == "pending":
                self.add("E05", not (100 <= c <= 199 or c == 202))
        triple = self.row and self.row.exact and outcome == "success"
        if triple:
            self.add("E06", code is not None and 200 < code <= 299)
            self.add("E06", kind != "OK")
        elif kind is not None and code in PHRASES and code // 100 in (2, 4, 5):
            self.add("W06", kind != PHRASES[code])
        if outcome == "failure":
            self.add("E07", not kind)
            self.add("E07", self.tke and code == 500 and
                     not f.get("reason.reasonForFailure"))
        if self.row and not self.tke:
            self.add("E21", not f.get("correlationId"))

    def values(self):
        for path, known in VALUES.items():
            self.add("E25", path in self.field and
                     self.field[path] not in known)

    def severity(self):
        if self.row is None or "severity" not in self.field:
            return
        outcome = self.field.get("outcome")
        if self.tke:
            want = "critical"
        elif outcome == "failure" and self.code in STATUS:
            want = STATUS[self.code]
        else:
            want = self.row.severity
            self.add("W01", self.row.fallback)
        self.add("E14", self.field["severity"] != want)

    def message(self):
        message = self.field.get("message")
        if message is None:
            return
        self.add("W02", not message.startswith(SERVICE) or
                 message == SERVICE or
                 (self.field.get("outcome") == "failure" and
                  "failure" not in message))

    # -- requestData and responseData

    def look(self, data, path):
        """(there, value) of a documented field."""
        o = self.field.get(data)
        for part in path:
            if type(o) is not Object or part not in o:
                return False, None
            o = o[part]
        return True, o

    def data(self):
        if self.row is None:
            return
        success = self.field.get("outcome") == "success"
        for data, path, kind, optional in self.row.fields:
            there, value = self.look(data, path)
            if not there and path == ["instanceID"]:
                # Key Protect's sample spells it so: accept both
                there, value = self.look(data, ["instanceId"])
            if there:
                self.typed(path[-1], kind, value)
            elif success and not optional and path != ["location"]:
                self.add("E09" if self.tke else "W05")

    def typed(self, name, kind, value):
        number = value.integer() if type(value) is Number else None
        if kind == "int":
            self.add("E22", number is None)
            if name == "keyState" and number is not None:
                self.add("E23", number not in KEY_STATES)
        elif kind == "bool":
            self.add("E22", type(value) is not bool)
        elif kind == "hex64[]":
            self.add("E10", type(value) is not list or
                     not all(map(is_hash, value)))
        elif kind == "hex64":
            self.add("E10", not is_hash(value))
        elif kind == "location":
            pass                # E08
        elif type(value) is not str:
            self.add("E22")
        elif kind == "uuid":
            self.add("E22", not UUID.fullmatch(value))
        elif kind == "timestamp":
            self.add("E22", not time_ok(RFC3339, value))
        elif kind == "uri":
            self.add("E22", not URI.fullmatch(value))

    def trusted_key_entry(self):
        f = self.field
        self.add("E08", "correlationId" in f)
        there, location = self.look("requestData", ["location"])
        m = LOCATION.fullmatch(location) if type(location) is str else None
        self.add("E08", not m or f.get("target.name", location) != location)
        home = crn(f.get("logSourceCRN", ""))
        if m and home:
            self.add("E24", m.group(1) != home[5])
        if f.get("outcome") != "success":
            return
        verb = self.row.name[len("hs-crypto.tke-cryptounit"):]
        _, one = self.look("requestData", ["adminId"])
        _, all_ = self.look("responseData", ["adminIds"])
        if verb in ("-admin.add", "-admin.remove") and \
                type(one) is str and type(all_) is list:
            self.add("E11", (one in all_) != (verb == "-admin.add"))
        for data in ("requestData", "responseData"):
            for name in ("signatureThreshold", "revocationSignatureThreshold"):
                _, v = self.look(data, [name])
                v = v.integer() if type(v) is Number else None
                self.add("E12", v is not None and not 1 <= v <= 8)
            _, parts = self.look(data, ["masterKeyIds"])
            self.add("E13", type(parts) is list and len(parts) not in (2, 3))
        if verb == "-master-key-register.activate":
            _, a = self.look("requestData", ["verificationPattern"])
            _, b = self.look("responseData", ["verificationPattern"])
            self.add("E13", type(a) is str and type(b) is str and
                     a[:56] != b[:56])

    def target(self):
        f = self.field
        self.add("E15", self.row is not None and "target.typeURI" in f and
                 f["target.typeURI"] != self.row.type_uri)
        pair = []
        for path in ("logSourceCRN", "target.id"):
            parts = crn(f[path]) if path in f else None
            self.add("E16", path in f and parts is None)
            pair.append(parts)
        if pair[0]:
            self.add("E24", pair[0][5] not in REGIONS)
            if pair[1]:
                self.add("E16", pair[0][6:8] != pair[1][6:8])

    def host(self):
        f = self.field
        kmip = self.row is not None and self.row.kmip
        self.add("E42", kmip and not VCENTER.fullmatch(
            f.get("initiator.id", "CertificateID-0")))
        address = f.get("initiator.host.address")
        if address is None:
            self.address_missing = not kmip
        else:
            nobody = f.get("initiator.typeURI", USER) != USER and \
                address == ""
            self.add("E17", not nobody and (kmip or not address_ok(
                f.get("initiator.host.addressType", "IPv4"), address)))

    # -- modes

    def findings(self, strict=True, private_network=False):
        """[(check, level)] in this mode, one for each finding."""
        found = list(self.found)
        if self.time is not None:
            form = AT_TIME if strict else LENIENT_TIME
            if not time_ok(form, self.time):
                found.append("E04")
        if self.address_missing and not private_network:
            found.append("E17")
        weak = WARNINGS if strict else LENIENT_WARNINGS
        return [(c, "warning" if c in weak else "error") for c in found]


def main(argv):
    profile, strict, private, files = "ibm-at", None, False, []
    args = iter(argv)
    for a in args:
        if a == "--profile":
            profile = next(args, "")
        elif a in ("--strict", "--lenient"):
            strict = a == "--strict"
        elif a == "--private-network":
            private = True
        else:
            files.append(a)
    if profile not in ("ibm-at", "at-export") or len(files) != 1:
        sys.exit(__doc__)
    if strict is None:
        strict = profile != "at-export"
    file = sys.stdin.buffer if files[0] == "-" else open(files[0], "rb")
    errors = index = 0
    for line in file:
        if not line.strip(b" \t\r\n"):
            continue
        got = Reading(line.rstrip(b"\n"), profile).findings(strict, private)
        errors += sum(level == "error" for _, level in got)
        print(index, *sorted(set("%s/%s" % f for f in got)))
        index += 1
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
