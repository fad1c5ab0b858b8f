"""strict_json.py - JSON texts as a reader that trusts nobody takes them.

read(text, depth=64) - the tree of one text of bytes. Raises Broken when there
is none: no JSON of RFC 8259, something behind it, deeper than 64 arrays and
objects, a value that JSON does not have. Tree: Object (members of the first
name each), list, str, bool, None, Number (as written). What a tree can be had
of but readers disagree about is noted in Tree.flaws, one entry for each:
"duplicate" name, "number" beyond 2^53, "utf-8" (a string that has none), "nul"
(a string that holds U+0000).
"""
import json
import re

DEPTH = 64
BIG = 2 ** 53
DIGITS = len(str(BIG))
# what only an escape or a byte that is no UTF-8 can bring into a string
ODD = re.compile("[\ud800-\udfff\0]")


class Broken(Exception):
    """There is no tree."""


class Number:
    """A number as written."""
    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text

    def integer(self):
        """Its value when written as an integer within 2^53, or None."""
        t = self.text
        if len(t) > DIGITS + 1 or not t.lstrip("-").isdigit():
            return None
        return int(t) if -BIG <= int(t) <= BIG else None

    def beyond(self):
        """Farther from 0 than 2^53; with fraction or exponent: as double."""
        t = self.text
        if len(t) < DIGITS and "e" not in t and "E" not in t:
            return False
        if t.lstrip("-").isdigit():
            return len(t) > DIGITS + 1 or abs(int(t)) > BIG
        return abs(float(t)) > BIG


class Object(dict):
    """Members by name, the first of each; `more`: values of later ones."""
    __slots__ = ("more",)


class Tree:
    """One text's value, and what is doubtful in it."""
    __slots__ = ("value", "flaws", "names", "strings")

    def __init__(self):
        self.value = None
        self.flaws = []
        self.names = []
        self.strings = []   # (name or None, value)


def _constant(name):
    raise Broken("%s is no JSON" % name)


def _object(pairs):
    o = Object()
    o.more = []
    for name, value in pairs:
        if name in o:
            o.more.append((name, value))
        else:
            o[name] = value
    return o


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number,
    parse_constant=_constant, strict=True)


def _walk(tree, name, value, depth, limit):
    kind = type(value)
    if kind is str:
        tree.strings.append((name, value))
    elif kind is Number:
        if value.beyond():
            tree.flaws.append("number")
    elif kind is Object:
        if depth >= limit:
            raise Broken("too deep")
        tree.names += value
        for inner, member in value.items():
            _walk(tree, inner, member, depth + 1, limit)
        for inner, member in value.more:
            tree.flaws.append("duplicate")
            tree.names.append(inner)
            _walk(tree, inner, member, depth + 1, limit)
    elif kind is list:
        if depth >= limit:
            raise Broken("too deep")
        for member in value:
            _walk(tree, None, member, depth + 1, limit)


def read(text, limit=DEPTH):
    """The tree of one text (bytes); see above."""
    tree = Tree()
    try:
        # a byte that is no UTF-8 becomes a lone surrogate: found below when
        # it stands in a string, no JSON when it stands elsewhere
        tree.value = _DECODER.decode(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as e:
        raise Broken(str(e)) from None
    _walk(tree, None, tree.value, 0, limit)
    for s in tree.names + [value for _, value in tree.strings]:
        if not s.isascii() or "\0" in s:
            odd = set(ODD.findall(s))
            if odd:
                tree.flaws.append("nul" if odd == {"\0"} else "utf-8")
    return tree
