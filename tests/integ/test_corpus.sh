#!/bin/sh
# test_corpus.sh - `hsa corpus` and what hsa validate says of its files, as a
# pipeline would use them.
set -eu
. tests/helper/hsa_want.sh
kat=$top/tests/kat

# ---- the folder ----------------------------------------------------------------
want 0 "$hsa" corpus one
want 0 "$hsa" corpus two
diff -r one two || fail "two runs differ"
[ "$(jq length one/index.json)" = "$(find one/valid one/broken -type f | wc -l)" ] ||
	fail "index and files differ"
jq -r '.[].file' one/index.json | (cd one && xargs ls >/dev/null) ||
	fail "files of the index are missing"
grep -q 'example.com' one/README.txt || fail "$(cat one/README.txt)"

# an older corpus gives way to the new one, and nothing else does
echo '{}' >two/valid/older.json
jq '. + [{"file":"valid/older.json"}]' two/index.json >index
cp index two/index.json
echo mine >two/mine
want 0 "$hsa" corpus two
[ -f two/mine ] || fail "a file of somebody else is gone"
rm two/mine
diff -r one two || fail "an older corpus left something"
echo '[{"file":"valid/../../../x"}]' >two/index.json
want 2 "$hsa" corpus two
grep -q 'not what hsa corpus wrote' err || fail "$(cat err)"
rm two/index.json # as a run leaves it that was cut short
want 0 "$hsa" corpus two
diff -r one two || fail "a run that was cut short was not mended"
mkdir other
echo mine >other/notes
want 2 "$hsa" corpus other
[ "$(ls other)" = notes ] || fail "something was written to another folder"
want 2 "$hsa" corpus
want 2 "$hsa" corpus a b
want 2 "$hsa" corpus missing/folder
want 2 "$hsa" corpus --wrong
want 2 sh -c "'$hsa' corpus three >/dev/full"
want 0 "$hsa" help corpus

# ---- the table that it is made from ----------------------------------------------
want 0 "$hsa" catalogue --format tsv
cmp out "$kat/catalogue.tsv" || fail "not the table that was made by hand"
want 0 "$hsa" catalogue --format json
jq -e 'length == 80 and (map(.action) | unique | length) == 80 and
	([.[] | (.requestData, .responseData)[] |
		(.name | type) == "string" and (.optional | type) == "boolean"
	] | length == 252 and all) and
	([.[] | (.dataEvent | type) == "boolean" and (.code | type) == "number"]
		| all)' out >/dev/null || fail "$(cat out)"
want 0 "$hsa" catalogue --format md
[ "$(grep -c '^### ' out)" = 80 ] || fail "$(cat out)"

# ---- each file by what the index says of it --------------------------------------
python3 - "$hsa" <<'EOP'
import json, subprocess, sys
groups = {}
for i in json.load(open("one/index.json")):
    # --units is about all files of a run together
    units = (i["file"], i["units"]) if "units" in i else ()
    groups.setdefault((i["profile"], i["strict"], units), []).append(i)
valid = broken = 0
for (profile, strict, units), items in groups.items():
    for at in range(0, len(items), 400):
        part = items[at:at + 400]
        run = subprocess.run([sys.argv[1], "validate", "--format", "json",
            "--profile", profile, "--strict" if strict else "--lenient"] +
            ["--units=%d" % u for u in units[1:]] +
            ["one/" + i["file"] for i in part], stdout=subprocess.PIPE)
        found = [json.loads(l) for l in run.stdout.splitlines()][:-1]
        assert run.returncode == any(f["level"] == "error" for f in found)
        for i in part:
            mine = [f for f in found if f["input"] == "one/" + i["file"]]
            ids = {f["check"] for f in mine}
            if i["check"] is None:
                valid += 1
                assert ids == set(i["warnings"]), (i, mine)
            else:
                broken += 1
                assert ids == {i["check"]}, (i, mine)
                assert mine[-1]["path"] == i["path"], (i, mine)
                assert i["fix"], i
print("COUNT files of the corpus validated by the program: %d valid, %d broken"
    % (valid, broken))
EOP
# one by one, a broken event fails its pipeline, a valid one does not
want 0 "$hsa" validate one/valid/secrets.create-200.json
want 0 "$hsa" validate one/valid/ceremony.jsonl
want 1 "$hsa" validate one/broken/E14-tke.json
want 0 "$hsa" validate one/broken/W02-service.json
want 0 "$hsa" validate --private-network \
	one/valid/secrets.create-200-private-network.json
echo "COUNT runs of hsa corpus and on its files: $wants"
