#!/usr/bin/env python3
"""read_exports.py DIR N - a second reading of what `hsa export` writes.

DIR holds the same N events in every format, one file each, named as the
format. Each line is made again from the envelope by what the formats'
documents say (DMTF DSP0262 1.0.0; IBM's page on the Key Usage Reporter; RFC
4180; ArcSight's Common Event Format), and compared. Exit code 1: one differs.
"""
import csv
import datetime
import json
import re
import sys

# DSP0262 1.0.0, annexes: actions, outcomes, resources
ACTIONS = set("""backup capture create configure read read/list update delete
monitor start stop deploy undeploy enable disable send receive authenticate
authenticate/login revoke renew restore evaluate allow deny notify
unknown""".split())
OUTCOMES = {"success", "failure", "pending", "unknown"}
RESOURCES = set("""service/security service/security/keymanager
service/security/account service/security/account/user data/security
data/security/key data/security/group data/security/policy
data/security/credential unknown""".split())
HTTP = ("http://www.iana.org/assignments/http-status-codes/"
        "http-status-codes.xml")
CADF_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d\Z")
AT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\+0000\Z")
COLUMNS = """serviceName region accountId instanceId keyId action outcome
reasonType reasonCode initiatorId initiatorName authId requestInstanceId
eventTime correlationId agent""".split()


def fail(where, got, want):
    sys.exit("%s:\n got  %r\n want %r" % (where, got, want))


def same(where, got, want):
    if got != want:
        fail(where, got, want)


def strict(pairs):
    names = [k for k, _ in pairs]
    same("a name twice", len(set(names)), len(names))
    return dict(pairs)


def load(text):
    return json.loads(text, object_pairs_hook=strict)


def given(d):
    """Without what the renderers leave out: nothing, or an empty text."""
    return {k: v for k, v in d.items() if v not in (None, "")}


def crn(text):
    part = text.split(":", 9) if text.startswith("crn:") else []
    return part + [""] * (10 - len(part))


def micros(at_time, cadf_time):
    """The service's time has hundredths: the same moment, more digits."""
    a = datetime.datetime.strptime(at_time, "%Y-%m-%dT%H:%M:%S.%f%z")
    c = datetime.datetime.fromisoformat(cadf_time)
    return datetime.timedelta(0) <= c - a < datetime.timedelta(milliseconds=10)


# ---- CADF -------------------------------------------------------------------

def cadf_action(name):
    verb = name.split(".")[-1]
    for pattern, node in (
            (r"use|(un)?wrap", "evaluate"), (r"list.*", "read/list"),
            (r"create.*|add|storenewkey", "create"),
            (r"read|head|retrieve", "read"),
            (r"delete.*|purge|destroy|clear|remove|reset", "delete"),
            (r"ack(-.*)?", "notify"), (r"enable|activate", "enable"),
            (r"disable|expire", "disable"), (r"revoke", "revoke"),
            (r"restore", "restore"),
            (r"rotate|rewrap|patch|write|set|(un)?setkeyfordeletion|update.*"
             r"|commit|merge", "update")):
        if re.fullmatch(pattern, verb):
            return node
    same(name, verb in ("default", "request"), True)
    return "unknown"


def cadf_type(uri):
    for pattern, node in (
            (r"ep11|tke-.*", "service/security/keymanager"),
            (r"secrets.*|keystore|kmip-.*", "data/security/key"),
            (r"key-rings", "data/security/group"),
            (r"(instance-)?policies", "data/security/policy"),
            (r"import-token|mtlscert-.*", "data/security/credential"),
            (r"registrations", "data/security")):
        if re.fullmatch("hs-crypto/(%s)" % pattern, uri):
            return node + "/" + uri
    fail("type", uri, "one of the service's")


def cadf_valid(c):
    """What DSP0262 demands of any event."""
    same("typeURI", c["typeURI"],
         "http://schemas.dmtf.org/cloud/audit/1.0/event")
    same("eventType", c["eventType"], "activity")
    same("action", c["action"] in ACTIONS, True)
    same("outcome", c["outcome"] in OUTCOMES, True)
    same("eventTime", bool(CADF_TIME.match(c["eventTime"])), True)
    for role in ("initiator", "target", "observer"):
        r = c[role]
        same("members", set(r) <= {"id", "typeURI", "name", "host"}, True)
        same("id", isinstance(r["id"], str) and r["id"] != "", True)
        node = r["typeURI"]
        while node not in RESOURCES and "/" in node:
            node = node.rsplit("/", 1)[0]
        same("type of %s: %s" % (role, r["typeURI"]), node in RESOURCES, True)
        same("host", set(r.get("host", {})) <= {"address", "agent"}, True)
    same("reason", {type(v) for v in c["reason"].values()}, {str})
    for a in c["attachments"]:
        same("attachment", set(a), {"typeURI", "name", "content"})
    same("members", set(c), {
        "typeURI", "eventType", "id", "eventTime", "name", "action",
        "outcome", "severity", "initiator", "target", "observer", "reason",
        "attachments"})


def check_cadf(line, envelope):
    e, c = envelope["event"], load(line)
    i, t = e["initiator"], e["target"]
    host = i.get("host", {})
    cadf_valid(c)
    same("moment", micros(e["eventTime"], c["eventTime"]), True)
    initiator = given({
        "id": i["id"] or i["name"] or "unknown", "typeURI": i["typeURI"],
        "name": i["name"], "host": given({
            "address": host.get("address"), "agent": host.get("agent")})})
    if not initiator["host"]:
        del initiator["host"]
    http = e["reason"]
    record = {"sequence": envelope["sequence"], "epoch": envelope["epoch"]}
    for k in ("commandId", "ceremonyId", "ceremonyStep", "use"):
        if k in envelope:
            record[k] = envelope[k]
    for k, name in (("rc", "ep11Rc"), ("reason", "ep11Reason")):
        if envelope.get("ep11", {}).get(k):
            record[name] = envelope["ep11"][k]
    rest = given({
        "correlationId": e.get("correlationId"),
        "credentialType": i["credential"]["type"],
        "addressType": "IPv4", "reasonType": http.get("reasonType"),
        "reasonForFailure": http.get("reasonForFailure")})
    for k in ("message", "dataEvent", "saveServiceCopy", "logSourceCRN",
              "requestData", "responseData"):
        if k in e:
            rest[k] = e[k]
    same("cadf", c, {
        "typeURI": c["typeURI"], "eventType": "activity", "id": e["id"],
        "eventTime": c["eventTime"], "name": e["action"],
        "action": cadf_action(e["action"]), "outcome": e["outcome"],
        "severity": e["severity"], "initiator": initiator,
        "target": given({
            "id": t["id"] or t["name"] or "unknown",
            "typeURI": cadf_type(t["typeURI"]), "name": t["name"]}),
        "observer": {
            "id": envelope["unit"], "name": e["observer"]["name"],
            "typeURI": "service/security/keymanager"},
        "reason": {"reasonType": HTTP,
                   "reasonCode": str(http["reasonCode"])},
        "attachments": [
            {"typeURI": "urn:cryptounit:hs-crypto-event:1", "name": "event",
             "content": rest},
            {"typeURI": "urn:cryptounit:record:1", "name": "record",
             "content": record}]})


# ---- KUR --------------------------------------------------------------------

def check_tsv(line, envelope, text):
    e = envelope["event"]
    cell = line.split("\t")
    same("tsv cells", len(cell), 5)
    same("tsv text", cell[4], text)
    same("tsv", cell[1:4], [
        e["severity"], "ibm-audit-event",
        "hs-crypto:" + crn(e["logSourceCRN"])[7]])
    same("tsv time", cell[0][:22] + "+0000", e["eventTime"])


def key(e):
    part = crn(e["target"]["id"])
    if part[8] == "key":
        return part[9]
    for side in ("requestData", "responseData"):
        v = e.get(side, {}).get("keyId", "")
        if isinstance(v, str) and v:
            return v
    return ""


def unguard(cell):
    if cell.startswith("'"):
        return cell[1:]
    same("a formula", cell[:1] in tuple("=+-@\t\r\n"), False)
    return cell


def check_csv(cells, envelope, agent):
    e = envelope["event"]
    part = crn(e["logSourceCRN"])
    request = e.get("requestData", {})
    same("csv cells", len(cells), len(COLUMNS))
    same("csv", dict(zip(COLUMNS, map(unguard, cells))), {
        "serviceName": part[4], "region": re.sub(r"-\d+\Z", "", part[5]),
        "accountId": part[6][2:], "instanceId": part[7], "keyId": key(e),
        "action": e["action"], "outcome": e["outcome"],
        "reasonType": e["reason"].get("reasonType", ""),
        "reasonCode": str(e["reason"]["reasonCode"]),
        "initiatorId": e["initiator"]["id"],
        "initiatorName": e["initiator"]["name"], "authId": "",
        "requestInstanceId": request.get("instanceID", ""),
        "eventTime": e["eventTime"],
        "correlationId": e.get("correlationId", ""),
        "agent": agent})


# ---- CEF --------------------------------------------------------------------

CEF_ESCAPE = {"\\": "\\", "=": "=", "n": "\n", "r": "\r", "|": "|"}


def cef_plain(text, allowed):
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            same("escape", text[at + 1] in allowed, True)
            out.append(CEF_ESCAPE[text[at + 1]])
            at += 1
        else:
            out.append(text[at])
        at += 1
    return "".join(out)


def cef(line):
    """The header's seven fields, and the extension."""
    field = re.match(r"((?:(?:[^|\\]|\\.)*\|){7})", line, re.S)
    same("cef header", field is not None, True)
    head = re.findall(r"((?:[^|\\]|\\.)*)\|", field.group(1), re.S)
    rest = line[field.end():]
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", rest))
    pairs = []
    for k, m in enumerate(keys):
        end = keys[k + 1].start() if k + 1 < len(keys) else len(rest)
        pairs.append((m.group(1), cef_plain(rest[m.end():end], "\\=nr")))
    return [cef_plain(h, "\\|") for h in head], strict(pairs)


def check_cef(head, ext, envelope, agent):
    e = envelope["event"]
    i, t = e["initiator"], e["target"]
    same("cef version", head[:3], ["CEF:0", "cryptounit", "crypto unit"])
    same("cef id", head[4], e["action"])
    same("cef name", head[5], DESCRIPTION[e["action"]])
    same("cef severity", head[6],
         {"normal": "3", "warning": "6", "critical": "9"}[e["severity"]])
    for k, label in (("cs1", "targetId"), ("cs2", "targetName"),
                     ("cs3", "targetType"), ("cs4", "logSourceCRN"),
                     ("cs5", "correlationId"), ("cs6", "data"),
                     ("cn1", "sequence"), ("cn2", "epoch"),
                     ("cn3", "reasonCode"), ("c6a2", "sourceIPv6Address"),
                     ("flexString1", "function"),
                     ("flexString2", "mechanism")):
        same("label", ext.pop(k + "Label", None),
             label if k in ext else None)
    when = datetime.datetime.strptime(e["eventTime"], "%Y-%m-%dT%H:%M:%S.%f%z")
    ms = round(when.timestamp() * 1000)
    same("cef rt", ms <= int(ext.pop("rt")) < ms + 10, True)
    if "cs6" in ext:
        same("cef data", load(ext.pop("cs6")), {
            k: e[k] for k in ("requestData", "responseData") if k in e})
    address = i.get("host", {}).get("address", "")
    want = {
        "externalId": e["id"], "deviceExternalId": envelope["unit"],
        "act": e["action"], "cat": "data" if e["dataEvent"] else "management",
        "outcome": e["outcome"], "reason": e["reason"].get("reasonForFailure"),
        "msg": e["message"], "suid": i["id"], "suser": i["name"],
        "requestClientApplication": agent,
        "src" if "." in address else "c6a2" if ":" in address else "shost":
            address,
        "cs1": t["id"], "cs2": t["name"], "cs3": t["typeURI"],
        "cs4": e["logSourceCRN"], "cs5": e.get("correlationId"),
        "cn1": str(envelope["sequence"]), "cn2": str(envelope["epoch"]),
        "cn3": str(e["reason"]["reasonCode"])}
    if "use" in envelope:
        use = envelope["use"]
        want.update({
            "flexString1": use["functionName"],
            "flexString2": use.get("mechanismName", "0x%x" % use["mechanism"]),
            "in": str(use["bytesIn"]), "out": str(use["bytesOut"])})
    same("cef", ext, given(want))


# ---- all --------------------------------------------------------------------

def lines(name):
    with open(sys.argv[1] + "/" + name, "rb") as f:
        text = f.read().decode("utf-8")
    same("last line of " + name, text[-1], "\n")
    return text[:-1].split("\n")


def description():
    with open("tests/kat/catalogue.tsv", encoding="utf-8") as f:
        return {r["action"]: r["description"]
                for r in csv.DictReader(f, delimiter="\t",
                                        quoting=csv.QUOTE_NONE)}


DESCRIPTION = description()


def main():
    n = int(sys.argv[2])
    envelope = [load(s) for s in lines("envelope")]
    at, cadf, ceff = lines("ibm-at"), lines("cadf-1.0"), lines("cef")
    tsv = lines("kur-tsv")
    same("tsv head", tsv.pop(0).split("\t")[-1], "text")
    with open(sys.argv[1] + "/kur-csv", newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f, strict=True))
    same("csv head", rows.pop(0), COLUMNS)
    for name, part in (("envelope", envelope), ("ibm-at", at), ("tsv", tsv),
                       ("cadf", cadf), ("cef", ceff), ("csv", rows)):
        same("lines of " + name, len(part), n)
    for i in range(n):
        e = envelope[i]["event"]
        same("ibm-at", load(at[i]), e)
        same("time", bool(AT_TIME.match(e["eventTime"])), True)
        head, ext = cef(ceff[i])
        # without an address, ibm-at has no host, and no place for an agent
        agent = e["initiator"].get("host", {
            "agent": ext.get("requestClientApplication", "")}).get("agent", "")
        check_cadf(cadf[i], envelope[i])
        check_tsv(tsv[i], envelope[i], at[i])
        check_csv(rows[i], envelope[i], agent)
        check_cef(head, ext, envelope[i], agent)
    print("COUNT %d events read again in 6 formats" % n)


if __name__ == "__main__":
    main()
