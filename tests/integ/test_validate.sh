#!/bin/sh
# test_validate.sh - `hsa validate` as a pipeline meets it: exit statuses, every
# output format read by another program, inputs of all shapes, baselines.
set -eu
. tests/helper/hsa_want.sh

# a good event, and its faults
cat >good.json <<'EOF'
{"action":"hs-crypto.secrets.rotate","outcome":"success",
 "eventTime":"2026-03-01T09:15:27.40+0000","severity":"warning",
 "message":"Hyper Protect Crypto Services: rotate secrets payroll",
 "dataEvent":true,"saveServiceCopy":true,
 "logSourceCRN":"crn:v1:bluemix:public:hs-crypto:eu-de:a/00aa:1c9f6a52-33d1-4c51-8a34-8b2f3f8f2d10::",
 "correlationId":"5d0a1c1e-6f0d-4f5e-9a43-7a3c0c6e9b21",
 "initiator":{"id":"IBMid-1","name":"a@example.com",
  "typeURI":"service/security/account/user","credential":{"type":"token"},
  "host":{"address":"192.0.2.9","addressType":"IPv4"}},
 "target":{"id":"crn:v1:bluemix:public:hs-crypto:eu-de:a/00aa:1c9f6a52-33d1-4c51-8a34-8b2f3f8f2d10:key:1",
  "name":"payroll","typeURI":"hs-crypto/secrets"},
 "observer":{"name":"ActivityTracker"},
 "reason":{"reasonCode":200,"reasonType":"OK"}}
EOF
want 0 "$hsa" validate good.json
grep -q '^1 events, ' out || fail "$(cat out)"
jq -c . good.json >good.jsonl
for _ in 1 2 3 4; do cat good.jsonl; done >four.jsonl
{
	cat good.jsonl
	echo '{"action":'
	jq -c '.reason.reasonCode = 404' good.json
	jq -c 'del(.correlationId) | .eventTime = "yesterday"' good.json
} >mixed.jsonl

# ---- shapes -------------------------------------------------------------------
jq -s . four.jsonl >array.json
jq . four.jsonl >pretty.json
gzip -k four.jsonl
python3 - <<'EOF'
import json
events = [json.loads(l) for l in open("four.jsonl")]
with open("table.tsv", "w") as f:
    f.write("timestamp\ttext\tapplication\n")
    for e in events:
        f.write("1\t" + json.dumps(e) + "\tibm-audit-event\n")
with open("export.jsonl", "w") as f:
    for e in events:
        e["requestData"] = json.dumps({"requestURI": "/api/v2/keys"})
        e.update(_host="h", _app="a", _ts=1)
        f.write(json.dumps(e) + "\n")
EOF
for f in four.jsonl array.json pretty.json four.jsonl.gz table.tsv; do
	want 0 "$hsa" validate --format json "$f"
	[ "$(jq -c 'select(.summary) | .summary' out)" = \
		'{"events":4,"errors":0,"warnings":0}' ] || fail "$f: $(cat out)"
done
want 0 sh -c "'$hsa' validate - <array.json"
want 0 "$hsa" validate --profile at-export export.jsonl
want 1 "$hsa" validate export.jsonl

# ---- findings in each format ---------------------------------------------------
want 1 "$hsa" validate --format json mixed.jsonl
jq -es '[.[] | select(.check) | [.index, .check, .level]] ==
	[[1,"E01","error"],[2,"E05","error"],[2,"W06","warning"],
	 [3,"E04","error"],[3,"E21","error"]]' out >/dev/null || fail "$(cat out)"
jq -es '.[-1].summary == {"events":4,"errors":4,"warnings":1} and
	([.[:-1][] | keys] | all(. == ["action","check","index","input",
	"level","message","path"]))' out >/dev/null || fail "$(cat out)"
cp out baseline.json
want 1 "$hsa" validate mixed.jsonl
grep -q '^mixed.jsonl:4: event 3: E04 error eventTime: yesterday' out ||
	fail "$(cat out)"
want 1 "$hsa" validate --format junit mixed.jsonl
python3 - <<'EOF'
import xml.etree.ElementTree as et
suite = et.parse("out").getroot().find("testsuite")
cases = suite.findall("testcase")
assert [suite.get(k) for k in ("tests", "failures")] == ["4", "3"]
assert [c.find("failure") is not None for c in cases] == [0, 1, 1, 1]
assert "W06" in cases[2].find("system-out").text
assert "E04" in cases[3].find("failure").text
assert "E21" in cases[3].find("failure").text
EOF
want 1 "$hsa" validate --format sarif mixed.jsonl
jq -e '.version == "2.1.0" and (.runs[0] as $r |
	($r.results | length) == 5 and
	([$r.results[] | $r.tool.driver.rules[.ruleIndex].id == .ruleId] | all)
	and ($r.results[3].locations[0].physicalLocation.region |
		.startLine == 4 and .startColumn > 1))' out >/dev/null ||
	fail "$(cat out)"
want 1 "$hsa" validate --format tap mixed.jsonl
[ "$(head -1 out)" = "TAP version 14" ] || fail "$(cat out)"
[ "$(grep -c '^ok ' out) $(grep -c '^not ok ' out) $(grep -c '^1\.\.4$' out)" = \
	"1 3 1" ] || fail "$(cat out)"

# what an event says stays on its line, and steers no terminal
jq -c '.action = "\u001b[31m\nx: event 9: \u0085\u202e\uffff#"' good.json \
	>'odd: 50%.jsonl'
want 1 "$hsa" validate 'odd: 50%.jsonl'
[ "$(wc -l <out)" = 2 ] || fail "$(cat out)"
grep -q '\[\\u001b\[31m\\u000ax: event 9: \\u0085\\u202e\\uffff#\]$' out ||
	fail "$(cat out)"
want 1 "$hsa" validate --format junit 'odd: 50%.jsonl'
python3 -c 'import xml.etree.ElementTree as et
assert et.parse("out").find(".//testcase").get("name").endswith("\\uffff#")' ||
	fail "$(cat out)"
want 1 "$hsa" validate --format sarif 'odd: 50%.jsonl'
jq -e '.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri ==
	"odd%3A%2050%25.jsonl"' out >/dev/null || fail "$(cat out)"
want 1 "$hsa" validate --format tap 'odd: 50%.jsonl'
[ "$(grep -c '^not ok 1 - .*\\#$' out) $(wc -l <out)" = "1 11" ] ||
	fail "$(cat out)"

# ---- what people do with it ----------------------------------------------------
want 0 "$hsa" validate --disable E01,E04,E05,E21 mixed.jsonl
want 0 "$hsa" validate --baseline baseline.json mixed.jsonl
grep -q '5 known' out || fail "$(cat out)"
cat mixed.jsonl mixed.jsonl >twice.jsonl
mv twice.jsonl mixed.jsonl
want 1 "$hsa" validate --baseline baseline.json mixed.jsonl
grep -q '8 events, 4 errors' out || fail "$(cat out)"
jq -c 'del(.initiator.host)' good.json >private.json
want 1 "$hsa" validate private.json
want 0 "$hsa" validate --lenient private.json
want 0 "$hsa" validate --private-network private.json

# ---- events together -----------------------------------------------------------
want 0 "$hsa" corpus samples
want 0 "$hsa" validate --units 2 samples/valid/ceremony.jsonl
want 0 "$hsa" validate --units 2 samples/valid/ceremony.envelope.jsonl
sed 32d samples/valid/ceremony.jsonl >without.jsonl
want 1 "$hsa" validate --format json --units 2 without.jsonl
jq -es '[.[] | select(.check) | [.index, .check]] ==
	[[32,"E19"]]' out >/dev/null || fail "$(cat out)"
want 0 "$hsa" validate without.jsonl
want 1 "$hsa" validate --units 2 without.jsonl
grep -q 'after event 32: E19 error .*register.clear at .* left no event of \[' out ||
	fail "$(cat out)"
sed -n '3,$p' samples/valid/ceremony.envelope.jsonl |
	sed '31d;$s/"epoch":1/"epoch":2/' >gap.jsonl
printf '%s\n' "$(sed -n 1p samples/valid/ceremony.envelope.jsonl)" |
	sed 's/"epoch": *1/"epoch":9/' >>gap.jsonl
want 1 "$hsa" validate --format junit --units 2 gap.jsonl
python3 - <<'EOF'
import xml.etree.ElementTree as et
cases = et.parse("out").getroot().find("testsuite").findall("testcase")
failed = [c for c in cases if c.find("failure") is not None]
assert [c.get("name").split(" line")[0] for c in failed][-2:] == [
    "before event %d" % (len(cases) - 2), "after event %d" % (len(cases) - 3)], [
    c.get("name") for c in failed]
assert {c.find("failure").get("type") for c in failed} == {"E19", "E20"}
EOF
want 1 "$hsa" validate --format tap --units 2 gap.jsonl
[ "$(tail -2 out | head -1)" = "1..$(grep -c '^\(not \)\?ok ' out)" ] ||
	fail "$(cat out)"
# single: the same of each event, whatever came before
want 1 "$hsa" validate samples/broken/E27-commit.jsonl
want 0 "$hsa" validate --single samples/broken/E27-commit.jsonl
want 2 "$hsa" validate --single --units 2 without.jsonl
want 2 "$hsa" validate --units 0 without.jsonl
want 2 "$hsa" validate --units missing-file without.jsonl
grep -q 'missing-file' err || fail "$(cat err)"

# ---- sealed logs ----------------------------------------------------------------
# a small log of the fuzzer's corpus: calls and contexts
corpus=$top/tests/fuzz/corpus/log_folder
mkdir log
python3 - "$corpus/contexts" <<'EOF'
import sys
d = open(sys.argv[1], "rb").read()
at = 0
while at + 3 <= len(d):
    n = int.from_bytes(d[at + 1:at + 3], "big")
    name = "seg-%016x.slog" % (d[at] - 1) if d[at] else "head"
    open("log/" + name, "wb").write(d[at + 3:at + 3 + n])
    at += 3 + n
EOF
key='cryptounit/01010101-0101-0101-0101-010101010101+93f1c415+'
echo "${key}AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c" >pub
want 2 "$hsa" validate log
grep -q 'no key' err || fail "$(cat err)"
want 0 "$hsa" verify --key pub log
found() { # found ARGS... - findings without the name of the input
	want 1 "$hsa" validate --single --format json "$@"
	jq -c 'if .summary then . else [.index, .action, .check, .path] end' out
}
found --key pub log >of-log
cp pub log/checkpoint.pub
found log >of-log-2
"$hsa" export log >events.jsonl
"$hsa" export --format envelope log >records.jsonl
"$hsa" export --format kur-tsv log >events.tsv
"$hsa" export --format cadf-1.0 log >events.cadf
found events.jsonl >of-events
found records.jsonl >of-records
found events.tsv >of-table
for f in of-log-2 of-events of-records of-table; do
	cmp of-log $f || fail "$f: other findings"
done
[ "$(wc -l <records.jsonl)" -gt "$(wc -l <events.jsonl)" ] ||
	fail "no records without events in the log"
# what the profiles ask for
want 1 "$hsa" validate --profile unit --format json good.json
jq -es '[.[] | select(.check) | .check] == ["E03","E36"]' out >/dev/null ||
	fail "$(cat out)"
want 1 "$hsa" validate --profile cadf-1.0 --format json events.cadf
jq -es 'all(.[] | select(.check); .check | test("E0[1-4]|E4") | not)' out \
	>/dev/null || fail "$(cat out)"
want 1 "$hsa" validate --profile cadf-1.0 good.json
want 2 "$hsa" validate --profile cadf-1.0 log
grep -q 'is no CADF' err || fail "$(cat err)"
# damage is no finding: the input ends there, the next one is read
python3 - <<'EOF'
import glob
path = sorted(glob.glob("log/seg-*"))[-1]
d = bytearray(open(path, "rb").read())
d[len(d) // 2] ^= 1
open(path, "wb").write(d)
EOF
want 2 "$hsa" validate --format json log good.json
grep -q 'damaged, V' err || fail "$(cat err)"
jq -es '.[-1].summary.events > 0 and ([.[] | select(.input == "log")] |
	length) > 0' out >/dev/null || fail "$(cat out)"

# ---- misuse --------------------------------------------------------------------
want 2 "$hsa" validate
want 2 "$hsa" validate --format xml good.json
want 2 "$hsa" validate --profile x good.json
want 2 "$hsa" validate --disable E99 good.json
want 2 "$hsa" validate --strict --lenient good.json
want 2 "$hsa" validate --baseline good.json good.json
want 2 "$hsa" validate missing.json good.json
grep -q '^1 events, ' out || fail "the other file was not read: $(cat out)"
head -c 100 four.jsonl.gz >cut.gz
want 2 "$hsa" validate cut.gz
grep -q 'too early' err || fail "$(cat err)"
want 0 "$hsa" validate --checks
grep -q '^E14 error' out || fail "$(cat out)"
want 2 sh -c "'$hsa' validate mixed.jsonl >/dev/full"
echo "COUNT runs of hsa validate: $wants"
