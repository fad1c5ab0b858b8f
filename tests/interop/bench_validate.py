"""bench_validate.py HSA NODE_DIR PYTHON DIR - see bench_validate.sh."""
import json
import os
import re
import statistics
import subprocess
import sys

hsa, node_dir, python, where = sys.argv[1:]
EVENTS = int(os.environ.get("EVENTS", "1000000"))
AJV = int(os.environ.get("AJV_EVENTS", "100000"))
PY = int(os.environ.get("PY_EVENTS", "500"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CORE = os.environ.get("CORE", str(max(os.sched_getaffinity(0))))
LIMIT = 64  # MiB

JSONSCHEMA = """
import json, sys, time
from jsonschema import Draft202012Validator
with open(sys.argv[1]) as f:
    v = Draft202012Validator(json.load(f))
n, bad = int(sys.argv[3]), 0
with open(sys.argv[2]) as f:
    start = time.process_time()
    for _ in range(n):
        bad += not v.is_valid(json.loads(f.readline()))
    print(json.dumps({"seconds": time.process_time() - start, "refused": bad}))
"""


def templates(corpus):
    """Valid events as (before, id, between...) pieces around what each event
    has of its own: id, the resource it is about, and its time."""
    out = []
    with open(os.path.join(corpus, "index.json")) as f:
        index = json.load(f)
    for entry in index:
        if entry["check"] is not None or entry["profile"] != "ibm-at" or \
                not entry["strict"] or not entry["file"].endswith(".json"):
            continue
        with open(os.path.join(corpus, entry["file"]), encoding="utf-8") as f:
            event = json.load(f)
        # one without a host's address is right with --private-network only
        if "private-network" in entry["file"]:
            continue
        event["id"] = "@ID@"
        event["target"]["id"] = re.sub(r"[^:]*$", "@ID@", event["target"]["id"])
        event["eventTime"] = "@TIME@"
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        out.append((entry["action"], text))
    return out


def write(path, all_of):
    """EVENTS of them in turn, each with its own id, resource and time."""
    with open(path, "w", encoding="utf-8") as f:
        for i in range(EVENTS):
            s = i // 100
            stamp = "2026-01-%02dT%02d:%02d:%02d.%02d+0000" % (
                1 + s // 86400, s // 3600 % 24, s // 60 % 60, s % 60, i % 100)
            own = "%08x-0000-4000-8000-%012x" % (i * 2654435761 % 2**32, i)
            text = all_of[i % len(all_of)][1]
            f.write(text.replace("@ID@", own).replace("@TIME@", stamp) + "\n")


def run(args):
    """CPU and wall seconds, peak MiB, standard output; pinned to the core."""
    used = os.path.join(where, "used")
    # a child of ours would begin with our own peak as its own: getrusage(2)
    # keeps that over exec, time(1) is small
    got = subprocess.run(["/usr/bin/time", "-q", "-o", used, "-f",
                          "%U %S %e %M", "taskset", "-c", CORE] + args,
                         stdout=subprocess.PIPE, check=False)
    if got.returncode not in (0, 1):
        sys.exit("%s: exit %d" % (args[0], got.returncode))
    with open(used, encoding="ascii") as f:
        user, system, wall, kib = f.read().split()
    return (float(user) + float(system), float(wall), int(kib) / 1024,
            got.stdout)


def main():
    all_of = templates(os.path.join(where, "corpus"))
    path = os.path.join(where, "events.jsonl")
    write(path, all_of)
    size = os.path.getsize(path)
    schema = os.path.join(where, "schema.json")
    print("COUNT validate speed: %d events of %d names of actions, %d MiB; core %s" % (
        EVENTS, len({a for a, _ in all_of}), size >> 20, CORE))
    with open(path, "rb") as f:  # into the page cache
        while f.read(1 << 24):
            pass
    modes = {"hsa validate": [], "hsa validate --single": ["--single"]}
    runs = {name: [] for name in modes}
    ajv, slow = [], []
    for _ in range(ROUNDS):
        for name, more in modes.items():
            cpu, wall, rss, out = run([hsa, "validate", "--format", "json"] +
                                      more + [path])
            total = json.loads(out.splitlines()[-1])["summary"]
            if total["events"] != EVENTS or total["errors"] != 0:
                sys.exit("%s: %s" % (name, total))
            runs[name].append((cpu, wall, rss))
        out = json.loads(run(["node", os.path.join(node_dir, "speed.mjs"),
                              schema, path, str(min(AJV, EVENTS))])[3])
        ajv.append((out["seconds"], out["parse"]))
        other = json.loads(run([python, "-c", JSONSCHEMA, schema, path,
                                str(min(PY, EVENTS))])[3])
        slow.append(other["seconds"])
        if out["refused"] or other["refused"]:
            sys.exit("refused: Ajv %d, jsonschema %d" % (
                out["refused"], other["refused"]))
    rates = {}
    worst = 0
    for name, got in runs.items():
        cpu = statistics.median(g[0] for g in got)
        wall = statistics.median(g[1] for g in got)
        rss = max(g[2] for g in got)
        worst = max(worst, rss)
        rates[name] = EVENTS / cpu
        print("COUNT validate speed: %s: %.0f events/s of one core's time (%.2f s,"
              " %.2f s to wait), %.0f MiB/s, %.1f MiB of memory" % (
                  name, EVENTS / cpu, cpu, wall, size / cpu / 2**20, rss))
    mine = rates["hsa validate --single"]
    rate = min(AJV, EVENTS) / statistics.median(a[0] for a in ajv)
    parse = min(AJV, EVENTS) / statistics.median(a[1] for a in ajv)
    print("COUNT validate speed: Ajv on the first %d: %.0f events/s (JSON.parse"
          " alone %.0f); hsa validate --single %.1f times that" % (
              min(AJV, EVENTS), rate, parse, mine / rate))
    rate = min(PY, EVENTS) / statistics.median(slow)
    print("COUNT validate speed: python-jsonschema on the first %d: %.0f events/s;"
          " hsa validate --single %.0f times that" % (
              min(PY, EVENTS), rate, mine / rate))
    os.remove(path)
    if worst >= LIMIT:
        sys.exit("hsa validate took %.1f MiB; %d is the limit" % (worst, LIMIT))


main()
