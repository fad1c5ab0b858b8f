#!/usr/bin/env python3
"""compare_events.py - two readings of the same damaged events.

usage: compare_events.py HSA N [SEED]

N mutations (mutate_events.py) in each profile, and the events of `HSA corpus`,
are given to `HSA validate --single` and to read_events.py in every mode; for
each event both must find the same checks, at the same level, equally often,
and no error in good ones. Prints COUNT lines; exit status 1 and the
first disagreements if there are any, or if of 100,000 mutations or more less
than 50 are found by some check.
"""
import collections
import concurrent.futures
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

from mutate_events import Maker
from read_events import Object, Reading, WARNINGS

MODES = ((True, False), (False, False), (True, True), (False, True))
CHECKS = ["E%02d" % i for i in range(1, 19)] + \
    ["E%02d" % i for i in range(21, 26)] + ["E42"] + sorted(WARNINGS)
TIMEOUT = 600       # seconds; a run takes some ten at most
SHOWN = 20
PART = 5000         # events at once
RECORD = re.compile(rb'"event"\s*:\s*{')


def corpus(folder):
    """[(event on one line, profile in which it is good, strict), ...] of
    `HSA corpus`; a broken one is good in profile None."""
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    events = []
    for item in index:
        if not item["file"].endswith(".json") or item["profile"] == "unit":
            continue
        with open(os.path.join(folder, item["file"]), "rb") as f:
            line = f.read().replace(b"\n", b" ")
        if RECORD.search(line) is None:     # not an event, but around one
            good = None if item["check"] else item["profile"]
            events.append((line, good, item["strict"]))
    return events


def theirs(hsa, path, profile, strict, private):
    """{index: [(check, level, path), ...]}, how many events, exit status."""
    argv = [hsa, "validate", "--single", "--format", "json", "--profile", profile,
            "--strict" if strict else "--lenient"]
    argv += ["--private-network"] * private
    p = subprocess.run(argv + [path], stdout=subprocess.PIPE, timeout=TIMEOUT,
                       check=False)
    if p.returncode not in (0, 1):
        sys.exit("%s: exit status %d" % (" ".join(argv), p.returncode))
    found = collections.defaultdict(list)
    events = 0
    for line in p.stdout.split(b"\n"):
        if not line:
            continue
        f = json.loads(line)
        if "summary" in f:
            events = f["summary"]["events"]
        else:
            found[f["index"]].append((f["check"], f["level"], f["path"]))
    return found, events, p.returncode


def shapes(lines, readings):
    """(name, file's bytes, which lines): those that are JSON in every other
    shape that an input can have."""
    whole = [i for i, r in enumerate(readings) if r.tree is not None]
    objects = [i for i in whole if type(readings[i].tree.value) is Object and
               lines[i].startswith(b"{")]
    cells = [i for i in whole if b"\t" not in lines[i]]
    yield "array", b"[%s]" % b" ,\n".join(lines[i] for i in whole), whole
    yield "values", b"".join(
        b"{\n %s\n" % lines[i][1:] for i in objects), objects
    yield "table", b"timestamp\ttext\tapplication\n" + b"".join(
        b"1\t%s\ta\n" % (lines[i] if i % 2 else
                        b'"%s"' % lines[i].replace(b'"', b'""'))
        for i in cells), cells
    yield "gzip", gzip.compress(b"".join(
        line + b"\n" for line in lines), 1), range(len(lines))


def same_in_shapes(hsa, lines, readings, profile):
    """How many events were judged in another shape than lines."""
    judged = 0
    for name, text, which in shapes(lines, readings):
        with tempfile.NamedTemporaryFile() as f:
            f.write(text)
            f.flush()
            found, events, _ = theirs(hsa, f.name, profile, True, False)
        if events != len(which):
            sys.exit("%s: %d events, not %d" % (name, events, len(which)))
        for at, i in enumerate(which):
            mine = once(readings[i].findings(True, False))
            got = once((c, v) for c, v, _ in found[at])
            if mine != got:
                sys.exit("%s: %s, not %s: %r" % (name, got, mine, lines[i]))
        judged += events
    return judged


def once(findings):
    """Sorted. A string inside a string (at-export) is looked at in both, so
    how often E01 and E18 find it is nothing to agree about."""
    findings = sorted(findings)
    return [f for i, f in enumerate(findings)
            if f[0] not in ("E01", "E18") or f not in findings[:i]]


def compare(hsa, lines, good, profile, say):
    """Per check: mine and theirs; how many events are judged otherwise, or are
    good (in strict mode, in lenient mode) and not found so; how many were
    judged once more in other shapes."""
    count = collections.Counter(), collections.Counter()
    readings = [Reading(line, profile) for line in lines]
    differ = set()
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"".join(line + b"\n" for line in lines))
        f.flush()
        for strict, private in MODES:
            found, events, status = theirs(
                hsa, f.name, profile, strict, private)
            if events != len(lines):
                sys.exit("%d events, not %d" % (events, len(lines)))
            errors = False
            for i, reading in enumerate(readings):
                mine = once(reading.findings(strict, private))
                got = once((c, v) for c, v, _ in found[i])
                errors = errors or "error" in [v for _, v in mine]
                if strict and not private:
                    count[0].update({c for c, _ in mine})
                    count[1].update({c for c, _ in got})
                bad = private and (i in good[0] or
                                   (i in good[1] and not strict)) and \
                    "error" in [v for _, v in got]
                if (mine != got or bad) and i not in differ:
                    differ.add(i)
                    say(i, strict, private, mine, found[i])
            if status != errors and not differ:
                sys.exit("exit status %d, errors: %s" % (status, errors))
    more = 0 if differ else same_in_shapes(hsa, lines, readings, profile)
    return count, len(differ), more


def told(seed, number, profile, mode, done, mine, got, line):
    """A disagreement, for a person."""
    strict, private = mode
    return "seed %s number %d %s %s%s: %s\n  read:     %s\n" \
        "  validate: %s\n  %s" % (
            seed, number, profile, "strict" if strict else "lenient",
            " private" * private,
            done.encode("ascii", "backslashreplace").decode(),
            " ".join("%s/%s" % f for f in mine),
            " ".join("%s/%s:%s" % f for f in sorted(got)),
            line.decode("latin-1").encode(
                "ascii", "backslashreplace").decode())


def part(hsa, maker, seed, profile, first, n, samples):
    """Numbers first to first + n, and samples: counts, per check the
    events in which mine and theirs find it, disagreements for a person."""
    made = [maker.make(seed, i, profile) for i in range(first, first + n)]
    lines = [line for line, _ in made] + [s[0] for s in samples]
    shown = []

    def say(i, strict, private, mine, got):
        done = "; ".join(made[i][1]) if i < n else "corpus"
        shown.append(told(seed, first + i, profile, (strict, private), done,
                          mine, got, lines[i]))

    good = {i for i, (_, done) in enumerate(made) if not done}, set()
    for i, (_, which, strict) in enumerate(samples, n):
        if which == profile:
            good[not strict].add(i)
    checks, differ, more = compare(hsa, lines, good, profile, say)
    return collections.Counter(
        events=len(lines), valid=sum(map(len, good)), differ=differ,
        more=more), checks, shown


def parts(n, samples):
    """(profile, first, how many, samples)"""
    for profile in ("ibm-at", "at-export"):
        for first in range(0, n, PART):
            yield profile, first, min(PART, n - first), \
                [] if first else samples


def main(argv):
    if not 2 <= len(argv) <= 3:
        sys.exit(__doc__)
    hsa, n = argv[0], int(argv[1])
    seed = argv[2] if len(argv) > 2 else "1"
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.join(folder, "corpus")
        subprocess.run([hsa, "corpus", folder], stdout=subprocess.DEVNULL,
                       timeout=TIMEOUT, check=True)
        samples = corpus(folder)
        maker = Maker(folder)
    total = collections.defaultdict(collections.Counter)
    found = collections.Counter(), collections.Counter()
    shown = []
    with concurrent.futures.ProcessPoolExecutor() as pool:
        jobs = [(p[0], pool.submit(part, hsa, maker, seed, *p))
                for p in parts(n, samples)]
        for profile, job in jobs:
            count, checks, disagreements = job.result()
            total[profile] += count
            for all_, some in zip(found, checks):
                all_.update(some)
            shown += disagreements
    for profile, c in total.items():
        print("COUNT %s, seed %s: %d events (%d valid ones), in %d modes, and "
              "%d times in other shapes; both agree on %d, disagreements: %d"
              % (profile, seed, c["events"], c["valid"], len(MODES), c["more"],
                 c["events"] - c["differ"], c["differ"]))
    for at in range(0, len(CHECKS), 8):
        print("COUNT " + " ".join("%s %d/%d" % (
            c, found[0][c], found[1][c]) for c in CHECKS[at:at + 8]))
    for text in shown[:SHOWN]:
        print(text)
    rare = [c for c in sorted(set(CHECKS) | set(found[0]) | set(found[1]))
            if min(found[0][c], found[1][c]) < 50]
    if n >= 100000 and rare:
        print("found less than 50 times: " + " ".join(rare))
        return 1
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
