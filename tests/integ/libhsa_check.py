"""libhsa_check.py CATALOGUE.tsv RECEIPTS EXPORT - holds what `hsa export`
wrote against the catalogue's table and the receipts of libhsa_all: each action
as a success with its documented members, and as a failure, once, in order."""
import csv, json, re, sys

table = {r["action"]: r for r in
         csv.DictReader(open(sys.argv[1]), delimiter="\t", quoting=csv.QUOTE_NONE)}
receipts = [l.rstrip("\n").split("\t") for l in open(sys.argv[2])]
events = [json.loads(l) for l in open(sys.argv[3])]

FORMS = {
    "string": lambda v: isinstance(v, str),
    "uri": lambda v: v.startswith("/"),
    "uuid": lambda v: re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", v),
    "hex64": lambda v: re.fullmatch(r"[0-9a-f]{64}", v),
    "hex64[]": lambda v: len(v) == 3 and all(re.fullmatch(r"[0-9a-f]{64}", x) for x in v),
    "location": lambda v: v == "[us-south].[AZ1-CS4].[00].[03]",
    "timestamp": lambda v: re.fullmatch(r"2025-11-25T00:00:00(\.0+)?Z", v),
    "int": lambda v: type(v) is int and v == 2,
    "bool": lambda v: v is True,
}


def flat(d, at=""):
    for k, v in (d or {}).items():
        if isinstance(v, dict):
            yield from flat(v, at + k + ".")
        else:
            yield at + k, v


def members(spec):
    for s in filter(None, spec.split(",")):
        name, form = s.rstrip("?").split(":")
        yield name, form


def must(ok, *what):
    if not ok:
        sys.exit("libhsa_check: " + " ".join(map(str, what)))


fields = 0
must(len(receipts) == len(events), len(receipts), "receipts,", len(events), "events")
for (action, failed, eid, _), ev in zip(receipts, events):
    row, failed = table[action], failed == "1"
    must(ev["id"] == eid and ev["action"] == action, action, "is not in its place")
    must(ev["outcome"] == ("failure" if failed else "success"), action, ev["outcome"])
    tke = row["family"] == "tke"
    want = row["severity"] if not failed else "critical" if tke else "warning"
    must(ev["severity"] == want, action, failed, ev["severity"])
    must(ev["target"]["typeURI"] == row["target_type_uri"], action, ev["target"])
    must(ev["target"]["name"] == f"{action} {int(failed)}", action, ev["target"])
    must(ev["dataEvent"] == (row["data_event"] == "true"), action, "dataEvent")
    must(("correlationId" in ev) == (row["correlation_id"] == "required"), action, "correlationId")
    must(ev["reason"] == ({"reasonCode": 400, "reasonType": "Bad Request",
                           "reasonForFailure": 'no: "request" is not valid'} if failed
                          else {"reasonCode": 200, "reasonType": "OK"}), action, ev["reason"])
    must(ev["message"].startswith("Hyper Protect Crypto Services: ") and
         ev["message"].endswith(" -failure") == failed, action, ev["message"])
    for member, spec in (("requestData", "request_data"), ("responseData", "response_data")):
        documented = list(members(row[spec]))
        if failed:
            documented = documented[:1] if member == "requestData" else []
        got = dict(flat(ev.get(member)))
        must(sorted(got) == sorted(n for n, _ in documented), action, member, sorted(got))
        for n, form in documented:
            must(FORMS[form](got[n]), action, member, n, got[n])
            fields += 1
seen = {(r[0], r[1]) for r in receipts}
must(len(seen) == 2 * len(table) == len(receipts), len(seen), "of", 2 * len(table))
listed = sum(r["listed"] == "table" for r in table.values())
print(f"COUNT actions emitted and exported, success and failure: {len(table)} "
      f"({listed} of the tables), {fields} members checked")
