#!/bin/sh
# test_explain.sh - `hsa explain` of actions, checks and events: every word that
# there is, what misspelt ones get, and the verdicts of hsa validate.
set -eu
. tests/helper/hsa_want.sh
# says TEXT... - out has each of them
says() {
	for text; do
		grep -qF -- "$text" out || fail "no \"$text\" in $(cat out)"
	done
}

# ---- actions ---------------------------------------------------------------------
"$hsa" catalogue --format json >catalogue.json
# shellcheck disable=SC2046 # names of actions
want 0 "$hsa" explain --format json \
	$(jq -r '.[] | .action, (.oldName // empty)' catalogue.json)
jq -es --slurpfile all catalogue.json 'length == 95 and
	([.[] | select(has("askedBy"))] | length == 15) and
	([.[].action] | unique) == ($all[0] | [.[].action] | unique)' out \
	>/dev/null || fail "$(cat out)"
want 0 "$hsa" explain secrets.delete
says 'Delete key' '409' 'preventKeyDeletion' '4 hours' 'Table 20' \
	'keyState: a number' 'severity critical'
want 0 "$hsa" explain hs-crypto.importtoken.create
says 'hs-crypto.import-token.create' 'its former name' 'Table 1'
want 0 "$hsa" explain hs-crypto.secrets.defaultalias
says 'hs-crypto.secrets-alias.request'
want 0 "$hsa" explain --format json secrets-event.ack tke-cryptounit-admin.add
jq -es '.[1].failures[] | select(.status == 400) |
	.severity == "critical" and (.meanings | length == 1)' out >/dev/null ||
	fail "$(cat out)"

# ---- checks ----------------------------------------------------------------------
"$hsa" validate --checks | sed -n 's/^\([EW][0-9]*\) .*/\1/p' >ids
# shellcheck disable=SC2046 # ids
want 0 "$hsa" explain --format json $(cat ids)
jq -r .check out | cmp -s - ids || fail "$(cat out)"
jq -es 'all(.why != "" and .source != "") and
	([.[].examples[] | (.findings | length) > 0 and .fix != ""] | all)' out \
	>/dev/null || fail "$(cat out)"
want 0 "$hsa" explain e14
says 'severity as documented' 'broken/E14-status.json' 'fix'

# ---- what is neither -------------------------------------------------------------
want 2 "$hsa" explain secrets.dlete
grep -q 'did you mean hs-crypto.secrets.delete' err || fail "$(cat err)"
want 2 "$hsa" explain E99
grep -q 'did you mean E' err || fail "$(cat err)"
want 2 "$hsa" explain master-key-register
grep -q 'master-key-register.add' err || fail "$(cat err)"
want 2 "$hsa" explain xyzzy
grep -q 'no action, no check, no file$' err || fail "$(cat err)"
want 2 "$hsa" explain ./missing.json
want 2 "$hsa" explain
want 2 "$hsa" explain --format xml E14
want 2 "$hsa" explain --profile x E14
want 2 "$hsa" explain --disable E99 E14
want 2 "$hsa" explain --strict --lenient E14
want 2 "$hsa" explain --wrong
want 2 sh -c "'$hsa' explain E14 >/dev/full"
want 0 "$hsa" help explain

# ---- events ----------------------------------------------------------------------
want 0 "$hsa" corpus samples
want 0 "$hsa" explain samples/valid/secrets.create-200.json
says '=> passed: 0 errors, 0 warnings' 'E06 skipped' 'Table 20 has it so'
want 1 "$hsa" explain samples/broken/E05-success.json
says 'E05 error' 'reason.reasonCode = 404' '=> error: 1 errors' 'rule: '
want 0 "$hsa" explain --disable E05 samples/broken/E05-success.json
says 'left out by --disable'
want 1 sh -c "'$hsa' explain - <samples/broken/E18-pem.json"
want 0 "$hsa" explain samples/valid/ceremony.envelope.jsonl
says '34 events, 0 errors, 0 warnings'
want 1 "$hsa" explain --format json samples/broken/E01-syntax.json
jq -es '.[0].steps[0].verdict == "error" and
	([.[0].steps[1:][] | .verdict] | unique) == ["skipped"]' out >/dev/null ||
	fail "$(cat out)"
want 1 "$hsa" explain E05 samples/broken/E05-success.json secrets.create

# the same findings and exit status as hsa validate, whatever the file
python3 - "$hsa" <<'EOP'
import json, subprocess, sys
def run(verb, profile, strict, files):
    r = subprocess.run([sys.argv[1], verb, "--format", "json", "--profile",
        profile, "--strict" if strict else "--lenient"] + files,
        stdout=subprocess.PIPE)
    return r.returncode, [json.loads(l) for l in r.stdout.splitlines()]
def known(f): # E36 comes before the event is read, so without its action
    return json.dumps([f[k] for k in ("input", "index", "check", "level", "path",
        "message")])
groups = {}
for i in json.load(open("samples/index.json")):
    # --units is about all files of a run together
    units = (i["file"], i["units"]) if "units" in i else ()
    groups.setdefault((i["profile"], i["strict"], units), []).append(i["file"])
events = findings = 0
for (profile, strict, units), files in groups.items():
    for at in range(0, len(files), 300):
        part = ["samples/" + f for f in files[at:at + 300]]
        part = ["--units=%d" % u for u in units[1:]] + part
        code, told = run("validate", profile, strict, part)
        code2, explained = run("explain", profile, strict, part)
        assert code == code2 and told[-1] == explained[-1]
        mine = [dict(f, input=e["input"], index=e["index"])
            for e in explained[:-1] for s in e["steps"] for f in s["findings"]]
        assert sorted(map(known, mine)) == sorted(map(known, told[:-1]))
        events += told[-1]["summary"]["events"]
        findings += len(mine)
print("COUNT events explained as they are validated: %d, with %d findings"
    % (events, findings))
EOP
echo "COUNT runs of hsa explain: $wants"
