#!/usr/bin/env python3
"""mutate_events.py - valid events, damaged; each by its seed and number.

usage: mutate_events.py SEED FIRST COUNT ibm-at|at-export CORPUS [--say]

One event a line; --say: what was done to it stands before it, and a tab. CORPUS
is a folder that `hsa corpus` wrote: a quarter of the events come from there,
the others are made of catalogue.tsv. Maker(CORPUS).make(seed, number, profile)
gives the same for one: (text, what was done).
"""
import json
import os
import random
import sys

from mutate_text import DAMAGE
from mutate_tree import CHANGES
from valid_events import ASCII, ESCAPE, Obj, obj, text, valid

# how many things are done to one event, and how often
HOW_MANY = (0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 5)


def inside(rng, done, line):
    """A text that becomes a string, damaged at times."""
    if done and rng.random() < 0.1:
        damage = rng.choice(DAMAGE)
        line, what = damage(rng, line.encode("utf-8", "surrogatepass"))
        line = line.decode("utf-8", "replace")
        done.append("inside: %s: %s" % (damage.__name__, what))
    return line


def export(rng, event, done):
    """As a collector hands it on."""
    quote = rng.choice((ESCAPE, ASCII))
    for name in ("requestData", "responseData"):
        inner = event.get(name)
        if inner is not None and rng.random() < 0.8:
            event.put(name, inside(rng, done, text(inner, quote)))
    around = obj(_host="h", _app="ibm-audit-event", _ts=1763808127319)
    if rng.random() < 0.7:
        place = rng.randrange(len(event) + 1)
        event[place:place] = around
        return event
    around.put("_line", inside(rng, done, text(event, quote)))
    return around


class Maker:
    """Of damaged events."""

    def __init__(self, folder):
        self.samples = []   # the corpus's own valid ones, as text
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
            index = json.load(f)
        for item in index:
            if item["check"] is None and item["profile"] == "ibm-at" and \
                    item["strict"] and item["file"].endswith(".json"):
                with open(os.path.join(folder, item["file"]), "rb") as f:
                    self.samples.append(f.read())

    def sample(self, rng):
        return json.loads(
            rng.choice(self.samples),
            object_pairs_hook=lambda pairs: Obj(map(list, pairs)))

    def make(self, seed, number, profile="ibm-at"):
        """(bytes, ["what was done", ...])"""
        rng = random.Random("%s:%d:%s" % (seed, number, profile))
        event = valid(rng) if rng.random() < 0.75 else self.sample(rng)
        done, on_text = [], []
        for _ in range(rng.choice(HOW_MANY) if number else 0):
            if rng.random() < 0.2:
                on_text.append(rng.choice(DAMAGE))
                continue
            change = rng.choice(CHANGES)
            what = change(rng, event)
            if what is not None:
                done.append("%s: %s" % (change.__name__, what))
        if profile == "at-export":
            event = export(rng, event, done)
        line = text(event, ASCII if rng.random() < 0.1 else ESCAPE).encode(
            "utf-8", "surrogatepass")
        for damage in on_text:
            line, what = damage(rng, line)
            done.append("%s: %s" % (damage.__name__, what))
        line = line.replace(b"\n", b" ")
        return line if line.strip(b" \t\r") else b"0", done


def main(argv):
    say = "--say" in argv
    argv = [a for a in argv if a != "--say"]
    if len(argv) != 5:
        sys.exit(__doc__)
    out = sys.stdout.buffer
    maker = Maker(argv[4])
    for number in range(int(argv[1]), int(argv[1]) + int(argv[2])):
        line, done = maker.make(argv[0], number, argv[3])
        if say:
            out.write(("%d %s\t" % (number, "; ".join(done))).encode(
                "utf-8", "backslashreplace"))
        out.write(line + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
