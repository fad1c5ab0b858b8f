"""valid_events.py - events as the document has them, made from catalogue.tsv.

An event is a tree of Obj (a list of [name, value], so that a name can stand
there twice and members have an order), list, str, bool, int, None and Raw
(text that stands there as it is).
"""
import json
import random

from read_events import ACTIONS, PHRASES, REGIONS, STATUS


class Obj(list):
    """[[name, value], ...]"""

    def get(self, name):
        for member in self:
            if member[0] == name:
                return member[1]
        return None

    def put(self, name, value):
        for member in self:
            if member[0] == name:
                member[1] = value
                return
        self.append([name, value])

    def drop(self, name):
        self[:] = [m for m in self if m[0] != name]


class Raw(str):
    """JSON as it is."""


def obj(**members):
    return Obj([k, v] for k, v in members.items())


ESCAPE = json.encoder.encode_basestring
ASCII = json.encoder.encode_basestring_ascii


def text(value, quote=ESCAPE):
    """The tree as JSON."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is Raw:
        return value
    if kind is Obj:
        return "{%s}" % ",".join(
            quote(n) + ":" + text(v, quote) for n, v in value)
    if kind is list:
        return "[%s]" % ",".join(text(v, quote) for v in value)
    if kind is bool:
        return "true" if value else "false"
    return "null" if value is None else str(value)


def hexes(rng, n):
    return "%0*x" % (n, rng.getrandbits(4 * n))


def uuid(rng):
    h = hexes(rng, 32)
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def address(rng):
    """(addressType, address)"""
    if rng.random() < 0.7:
        return "IPv4", "%d.%d.%d.%d" % tuple(rng.choices(range(256), k=4))
    return "IPv6", rng.choice((
        "2001:db8::%x" % rng.getrandbits(16), "::1", "::ffff:192.0.2.7",
        "2001:DB8:0:1:2:3:4:5", "fe80::1:2"))


NAMES = ("", "custodian1@example.com", "J\u00fcrgen \u6797", "my-service",
         "caf\u00e9 \U0001f511")
TYPES = (("service/security/account/user", "IBMid-550000ABCD"),
         ("service/security/account/serviceid", "iam-ServiceId-1f2d"),
         ("service/security/clientid", "client-7"))
FAILURES = (400, 401, 403, 404, 408, 409, 412, 422, 424, 429, 500, 501, 502,
            503, 504, 505, 507)
TIMES = ("2026-01-31T09:00:00Z", "2024-02-29T23:59:59.5Z",
         "2026-01-31T09:00:00+01:00", "2026-12-31T00:00:00.123456789-11:30")


def value(rng, kind, name, event):
    """One of a documented type; event: what it has to agree with."""
    if kind == "location":
        return event["location"]
    if kind == "hex64":
        return event["hash"]
    if kind == "hex64[]":
        if name == "masterKeyIds":
            return [hexes(rng, 64) for _ in range(rng.choice((2, 3)))]
        return [hexes(rng, 64) for _ in range(rng.randrange(4))]
    if kind == "int":
        if name == "keyState":
            return rng.choice((0, 1, 2, 3, 5))
        if "Threshold" in name:
            return rng.randint(1, 8)
        return rng.choice((0, 1, 3, 200, 2 ** 31, 2 ** 53))
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "uuid":
        return uuid(rng)
    if kind == "timestamp":
        return rng.choice(TIMES)
    if kind == "uri":
        return rng.choice(("/api/v2/keys", "/api/v2/keys?limit=2&a=%20b",
                           "https://us-south.example.com/api/v2/keys#x"))
    return rng.choice(("root_key", "default", "", "public-and-private", "a b"))


def data(rng, action, outcome, which, ctx):
    """requestData or responseData, or None: not there."""
    o = Obj()
    for member, path, kind, optional in action.fields:
        if member != which:
            continue
        left_out = optional or outcome != "success"
        if left_out and path != ["location"] and rng.random() < 0.5:
            continue
        at = o
        for part in path[:-1]:
            if at.get(part) is None:
                at.put(part, Obj())
            at = at.get(part)
        at.put(path[-1], value(rng, kind, path[-1], ctx))
    if which == "responseData" and action.name.endswith("-admin.add"):
        if o.get("adminIds") is not None:
            o.get("adminIds").append(ctx["hash"])
    if not o and rng.random() < 0.5:
        return None
    return o


def valid(rng, action=None):
    """A valid event of that action, or of any."""
    if action is None:
        action = rng.choice(ORDER)
    outcome = rng.choice(("success", "success", "success", "failure",
                          "failure", "pending"))
    if outcome == "success":
        code = 200 if action.exact else rng.choice((200, 200, 201, 204, 206))
    else:
        code = rng.choice(FAILURES if outcome == "failure" else
                          (100, 102, 202))
    severity = action.severity
    if action.tke:
        severity = "critical"
    elif outcome == "failure":
        severity = STATUS.get(code, severity)
    region = rng.choice(REGION_ORDER)
    home = "crn:v1:bluemix:public:hs-crypto:%s:a/%s:%s:" % (
        region, hexes(rng, 32), uuid(rng))
    ctx = {"hash": hexes(rng, 64), "location": "[%s].[AZ%d-CS%d].[%02d].[%02d]"
           % (region, rng.randint(1, 3), rng.randint(1, 9),
              rng.randrange(100), rng.randrange(100))}
    type_uri, who = rng.choice(TYPES)
    host = Obj()
    if action.kmip:
        type_uri = "service/security/client/certificateid"
        who = "CertificateID-" + hexes(rng, 64)
        host = rng.choice((None, host, obj(agent="vcenter/8")))
    else:
        kind, where = address(rng)
        host.put("address", where)
        if kind == "IPv6" or rng.random() < 0.5:
            host.put("addressType", kind)
        if rng.random() < 0.5:
            host.put("agent", "tke-cli/1.4.1")
    reason = obj(reasonCode=code, reasonType=PHRASES[code])
    if outcome == "failure" and (action.tke or rng.random() < 0.5):
        reason.put("reasonForFailure", "not enough valid signatures (rc 208)")
    name = {"tke": ctx["location"], "mtlscert": "mtlscert-cert"}.get(
        action.family, rng.choice(("", "payroll", uuid(rng))))
    event = obj(
        action=action.name, outcome=outcome,
        eventTime="20%02d-%02d-%02dT%02d:%02d:%02d.%02d+0000" % (
            rng.randint(20, 30), rng.randint(1, 12), rng.randint(1, 28),
            rng.randrange(24), rng.randrange(60), rng.randrange(60),
            rng.randrange(100)),
        severity=severity,
        message="Hyper Protect Crypto Services: %s %s%s" % (
            action.name.split(".")[2], name or "it",
            " -failure" if outcome == "failure" else ""),
        dataEvent=rng.random() < 0.5, saveServiceCopy=True,
        logSourceCRN=home + ":")
    if not action.tke:
        event.put("correlationId", uuid(rng))
    if rng.random() < 0.3:
        event.put("id", uuid(rng))
    initiator = obj(id=who, name=rng.choice(NAMES), typeURI=type_uri,
                    credential=obj(type=rng.choice(("token", "apikey"))))
    if host is not None:
        initiator.put("host", host)
    if rng.random() < 0.2:
        initiator.put("authnId", who)
        initiator.put("authnName", rng.choice(NAMES))
    target = obj(id=home + rng.choice(("key:" + uuid(rng), ":"
                                       if not action.tke else "unit:1",
                                       "crypto-unit:" + uuid(rng))),
                 name=name, typeURI=action.type_uri)
    if rng.random() < 0.1:
        target.put("host", obj(address="https://hs-crypto.example.com"))
        target.put("alias", "")
        target.put("resourceGroupId", "crn:v1:x")
    event.put("initiator", initiator)
    event.put("target", target)
    event.put("observer", obj(name=rng.choice(("ActivityTracker",
                                               "IBM Cloud Logs"))))
    event.put("reason", reason)
    for which in ("requestData", "responseData"):
        d = data(rng, action, outcome, which, ctx)
        if d is not None or rng.random() < 0.5:
            event.put(which, d)
    return event


ORDER = list(ACTIONS.values())
REGION_ORDER = sorted(REGIONS)

if __name__ == "__main__":
    import sys
    for i in range(int(sys.argv[2])):
        r = random.Random("%s:%d" % (sys.argv[1], i))
        print(text(valid(r, ORDER[i % len(ORDER)])))
