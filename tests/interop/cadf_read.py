#!/usr/bin/env python3
"""cadf_read.py FILE... - lines of `hsa export -o cadf-1.0`, read by pycadf.

Each line becomes pycadf's objects, whose setters check what CADF allows, and
these, written out again, must be the line. Exit code 1: one is not.
"""
import json
import sys
import warnings

from pycadf import attachment, cadftype, event, host, reason, resource


def make_resource(d):
    d = dict(d)
    if "host" in d:
        d["host"] = host.Host(**d["host"])
    return resource.Resource(**d)


def make(d):
    d = dict(d)
    attachments = d.pop("attachments")
    if d.pop("typeURI") != event.TYPE_URI_EVENT:
        raise ValueError("typeURI")
    for role in ("initiator", "target", "observer"):
        d[role] = make_resource(d[role])
    d["reason"] = reason.Reason(**d["reason"])
    e = event.Event(**d)
    for a in attachments:
        e.add_attachment(attachment.Attachment(**a))
    return e


def main():
    # ids of IBM's users are no UUID: allowed, and said each time
    warnings.filterwarnings("ignore", message="Invalid uuid")
    n = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", newline="\n") as f:
            for line in f:
                want = json.loads(line)
                e = make(want)
                if not e.is_valid() or not cadftype.is_valid_eventType(
                        e.eventType):
                    sys.exit("not valid: " + line)
                if e.as_dict() != want:
                    sys.exit("read as %r: %s" % (e.as_dict(), line))
                n += 1
    print("COUNT %d events read and written again by pycadf" % n)
    return 0 if n else 1


sys.exit(main())
