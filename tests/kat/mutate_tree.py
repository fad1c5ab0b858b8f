"""mutate_tree.py - changes to the tree of an event. Each takes (rng, event),
changes the event, and returns what was done or None: nothing to do it to."""
from mutate_values import NEAR, secret_text, value_like
from read_events import ACTIONS, OLD, RENAMED, VALUES, TREE
from valid_events import ORDER, Obj, Raw, text, valid

__all__ = ["CHANGES", "secret_text"]


def walk(o, path=""):
    """Each member that the event has: (object, index, path)."""
    for i, (name, value) in enumerate(o):
        here = path + name
        yield o, i, here
        if type(value) is Obj:
            yield from walk(value, here + ".")


def any_member(rng, event):
    return rng.choice(list(walk(event)) or [(None, 0, "")])


def at(event, path):
    """(object, name) of a path: where it would stand; None: nowhere."""
    *above, name = path.split(".")
    o = event
    for part in above:
        o = o.get(part)
        if type(o) is not Obj:
            return None, name
    return o, name


# ---- structure ---------------------------------------------------------------

def drop(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    del o[i]
    return path


def drop_in_data(rng, event):
    which = rng.choice(("requestData", "responseData"))
    inner = event.get(which)
    found = list(walk(inner)) if type(inner) is Obj else []
    if not found:
        return None
    o, i, path = rng.choice(found)
    del o[i]
    return which + "." + path


def duplicate(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    name, value = o[i]
    other = rng.choice((value, None, "other", 7, False, Obj(), "success"))
    o.insert(rng.choice((0, i, i + 1, len(o))), [name, other])
    return "%s as %.60s" % (path, text(other))


NAMES = ("Action", "severity ", "id", "name", "typeURI", "typeUri", "x",
         "_host", "_", "eventType", "requestData", "responseData", "outcome",
         "reasonForFailure", "correlationID", "instanceId", "", "action",
         "observer.name", "address", "location", "adminId", "adminIds",
         "masterKeyIds", "keyState", "signatureThreshold", "_line", "tags",
         "payload", "keyId", "verificationPattern", "resourceCRN", "host")


def rename(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    old = o[i][0]
    o[i][0] = rng.choice((old.lower(), old.upper(), old + "s", old[1:],
                          old + "\u00e4", rng.choice(NAMES)))
    return "%s is %s" % (path, o[i][0])


def retype(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    old = o[i][1]
    o[i][1] = rng.choice((
        None, True, False, 0, 1, 200, Raw("1.5"), "", "1", "true", "null", [],
        [old], Obj(), Obj([["a", old]]), text(old), [1, "a"],
        "200", [[]], ["00"], Obj([["id", 1]])))
    return "%s is %.80s" % (path, text(o[i][1]))


def move(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    member = o.pop(i)
    targets = [event] + [p[p_i][1] for p, p_i, _ in walk(event)
                         if type(p[p_i][1]) is Obj]
    to = rng.choice(targets)
    to.insert(rng.randrange(len(to) + 1), member)
    return path


def shuffle(rng, event):
    o, i, path = any_member(rng, event)
    if o is None:
        return None
    rng.shuffle(o)
    return "beside " + path


def add(rng, event):
    targets = [event] + [p[i][1] for p, i, _ in walk(event)
                         if type(p[i][1]) is Obj]
    to = rng.choice(targets)
    name = rng.choice(NAMES)
    value = rng.choice(("x", 1, None, Obj(), [], True, value_like(rng)))
    to.insert(rng.randrange(len(to) + 1), [name, value])
    return "%s: %.60s" % (name, text(value))


def empty_data(rng, event):
    which = rng.choice(("requestData", "responseData"))
    event.drop(which)
    new = rng.choice((None, Obj(), "", "{}", "null", "x", Raw("[]"), "[1",
                      '{"a":1,"a":2}', '"{}"', " {} ", "0", '"\\ud800"',
                      "9007199254740993", '"\\u0000"', "[1e400]", "{}\v", '{}"',
                      '{"a":"\\ud800\\ud801"}', "[" * 65 + "]" * 65,
                      '{"password":"x"}', '["Bearer eyJ"]', "NaN"))
    event.put(which, new)
    return "%s: %s" % (which, text(new))


def mix(rng, event):
    """A member of another event."""
    same = ACTIONS.get(str(event.get("action")))
    other = valid(rng, rng.choice((None, same)))
    name, value = rng.choice(other)
    event.put(name, value)
    return name


# ---- values ------------------------------------------------------------------

def near(rng, event):
    """A near miss of a documented form."""
    found = [(p, i, path) for p, i, path in walk(event)
             if path in NEAR or p[i][0] in NEAR]
    if not found:
        return None
    o, i, path = rng.choice(found)
    o[i][1] = NEAR.get(path, NEAR.get(o[i][0]))(rng, o[i][1])
    return "%s: %.120s" % (path, text(o[i][1]))


def near_key(rng, event):
    """The same, but every form as often as the others."""
    path = rng.choice(NEAR_PATHS)
    o, name = at(event, path)
    if o is None:
        return None
    o.put(name, NEAR[path](rng, o.get(name)))
    return "%s: %.120s" % (path, text(o.get(name)))


NEAR_PATHS = [p for p in NEAR if p in TREE or "." in p]


def near_field(rng, event):
    """The same of a documented field of some action, each as often as others."""
    name = rng.choice(NEAR_FIELDS)
    event[:] = valid(rng, rng.choice(WITH[name]))
    found = [(o, i, path) for o, i, path in walk(event) if o[i][0] == name]
    if not found:
        return None
    o, i, path = rng.choice(found)
    o[i][1] = NEAR[name](rng, o[i][1])
    return "%s: %s: %.120s" % (event[0][1], path, text(o[i][1]))


def documented(rng, event):
    """Another of the documented values."""
    path = rng.choice(sorted(VALUES))
    o, name = at(event, path)
    if o is None:
        return None
    o.put(name, rng.choice(sorted(VALUES[path])))
    return "%s: %s" % (path, o.get(name))


def other_action(rng, event):
    action = rng.choice(ORDER)
    event.put("action", action.name)
    what = action.name
    if rng.random() < 0.5 and type(event.get("target")) is Obj:
        event.get("target").put("typeURI", action.type_uri)
        what += " with its typeURI"
    if rng.random() < 0.5:
        event.put("severity", action.severity)
        what += " with its severity"
    return what


FORMER = {a.name: old for old, a in OLD.items()}


def former_name(rng, event):
    name = event.get("action")
    new = FORMER.get(name) if isinstance(name, str) else None
    if new is None or rng.random() < 0.3:
        new = rng.choice(sorted(OLD) + 2 * sorted(RENAMED) +
                         sorted(RENAMED.values()))
    event.put("action", new)
    return new


def other_data(rng, event):
    """requestData and responseData of another action."""
    other = valid(rng)
    for which in ("requestData", "responseData"):
        event.put(which, other.get(which))
    return other.get("action")


def private(rng, event):
    """As through a private network."""
    initiator = event.get("initiator")
    if type(initiator) is not Obj or initiator.get("host") is None:
        return None
    if rng.random() < 0.5:
        initiator.drop("host")
        return "no host"
    if type(initiator.get("host")) is not Obj:
        return None
    initiator.get("host").drop("address")
    return "no address"


# ---- Trusted Key Entry -------------------------------------------------------

def member_of_data(event, which, name):
    o = event.get(which)
    return o.get(name) if type(o) is Obj else None


def administrators(rng, event):
    one = member_of_data(event, "requestData", "adminId")
    all_ = member_of_data(event, "responseData", "adminIds")
    if type(one) is not str or type(all_) is not list:
        return None
    if one in all_:
        all_[:] = [a for a in all_ if a != one] + (
            [one.upper()] if rng.random() < 0.2 else [])
        return "adminId taken out of adminIds"
    all_.insert(rng.randrange(len(all_) + 1), one)
    return "adminId put into adminIds"


def same_location(rng, event):
    """One that is odd, but the same everywhere."""
    target, request = event.get("target"), event.get("requestData")
    if type(target) is not Obj or type(request) is not Obj:
        return None
    new = NEAR["requestData.location"](rng, request.get("location"))
    request.put("location", new)
    target.put("name", new)
    return text(new)


def key_parts(rng, event):
    for which in ("requestData", "responseData"):
        parts = member_of_data(event, which, "masterKeyIds")
        if type(parts) is list:
            n = rng.choice((0, 1, 2, 3, 4, 9))
            parts[:] = (parts * 9)[:n]
            return "%s: %d parts" % (which, n)
    return None


def thresholds(rng, event):
    which = rng.choice(("requestData", "responseData"))
    name = rng.choice(("signatureThreshold", "revocationSignatureThreshold"))
    if member_of_data(event, which, name) is None:
        return None
    event.get(which).put(name, rng.choice((-1, 0, 1, 8, 9, 255, Raw("8.0"))))
    return "%s.%s: %s" % (which, name, event.get(which).get(name))


def key_state(rng, event):
    """Of an event that has one."""
    event[:] = valid(rng, rng.choice(WITH_STATE))
    found = [(o, i, path) for o, i, path in walk(event)
             if o[i][0] == "keyState"]
    if not found:
        return None
    o, i, path = rng.choice(found)
    o[i][1] = rng.choice((-1, 0, 1, 2, 3, 4, 5, 6, "1", Raw("4.0"), None))
    return "%s: %s" % (path, text(o[i][1]))


def patterns(rng, event):
    which = rng.choice(("requestData", "responseData"))
    if type(member_of_data(event, which, "verificationPattern")) is not str:
        return None
    new = "%064x" % rng.getrandbits(256)
    event.get(which).put("verificationPattern", new)
    return "%s: another pattern" % which


def tke(change):
    """That change, done to an event of Trusted Key Entry."""
    def changed(rng, event):
        event[:] = valid(rng, rng.choice(TKE))
        what = change(rng, event)
        return None if what is None else "%s: %s" % (event[0][1], what)
    changed.__name__ = change.__name__
    return changed


def no_reason(rng, event):
    """A failure, but why?"""
    event.put("outcome", "failure")
    reason = Obj([["reasonCode", rng.choice((500, 500, 503, Raw("500.0")))]])
    for name in ("reasonType", "reasonForFailure"):
        value = rng.choice((None, "", "Internal Server Error", 7))
        if value is not None:
            reason.append([name, value])
    event.put("reason", reason)
    return text(reason)


TKE = [a for a in ORDER if a.tke]
WITH = {}
for _a in ORDER:
    for _, _p, _, _ in _a.fields:
        WITH.setdefault(_p[-1], []).append(_a)
NEAR_FIELDS = sorted(name for name in WITH if name in NEAR)
WITH_STATE = [a for a in ORDER
              if [p for _, p, _, _ in a.fields if p[-1] == "keyState"]]
CHANGES = [
    drop, drop, drop_in_data, duplicate, rename, retype, retype, move, shuffle,
    add, empty_data, mix, near, near, near, near, near_key, near_key,
    documented, other_action, former_name, other_data, private,
    tke(same_location), tke(same_location), tke(administrators),
    tke(administrators), tke(key_parts), tke(key_parts),
    near_field, near_field, near_field, no_reason, tke(no_reason),
    key_state, key_state, tke(thresholds), tke(thresholds), tke(thresholds),
    tke(patterns), tke(near), tke(near), tke(drop_in_data), tke(drop_in_data),
    tke(retype), tke(documented),
]
