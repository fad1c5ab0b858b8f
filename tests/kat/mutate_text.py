"""mutate_text.py - damage to the text of an event. Each takes (rng, bytes) and
returns (bytes, what was done)."""
import re

from mutate_tree import secret_text

NUMBER = re.compile(rb"(?<=[:\[,])-?[0-9]+")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
VALUE = re.compile(rb'(?<=:)("(?:[^"\\]|\\.)*"|[0-9]+|true|false|null)')


def splice(line, at, end, new):
    return line[:at] + new + line[end:]


def place(rng, line):
    return rng.randrange(len(line) + 1)


def flip_bit(rng, line):
    at = rng.randrange(len(line))
    new = bytes([line[at] ^ 1 << rng.randrange(8)])
    return splice(line, at, at + 1, new), "byte %d is now %r" % (at, new)


def any_byte(rng, line):
    at = rng.randrange(len(line))
    new = bytes([rng.randrange(256)])
    return splice(line, at, at + rng.randrange(2), new), \
        "%r at %d" % (new, at)


def drop_bytes(rng, line):
    at, n = place(rng, line), rng.choice((1, 1, 2, 7))
    return splice(line, at, at + n, b""), "%d at %d" % (n, at)


def truncate(rng, line):
    at = rng.choice((place(rng, line), len(line) - 1))
    return line[:at], "at %d" % at


def twice(rng, line):
    at, n = place(rng, line), rng.randrange(1, 60)
    return splice(line, at, at, line[at:at + n]), "%d at %d" % (n, at)


NUMBERS = """NaN Infinity -Infinity 1e400 -1e400 1e5 2e2 200.0 200.5 1.5 0.0 -0
-0.0 -1 01 +1 .5 1. 1e 1e+ 0x10 1_0 9007199254740991 9007199254740992
9007199254740993 -9007199254740992 -9007199254740993 18446744073709551616
9223372036854775807 9223372036854775808 -9223372036854775808
99999999999999999999999999999999999999 9007199254740993.0 9007199254740993e0
1E2 1e-2 20e1 00 - 007 1e0 1e1000000000000 nan True None""".split()


def odd_number(rng, line):
    found = list(NUMBER.finditer(line))
    new = rng.choice(NUMBERS)
    if not found or rng.random() < 0.2:
        found = list(VALUE.finditer(line))
    if not found:
        return line, "no number"
    m = rng.choice(found)
    return splice(line, m.start(), m.end(), new.encode()), \
        "%s at %d" % (new, m.start())


def big_code(rng, line):
    """A number that only reasonCode has."""
    m = re.search(rb'"reasonCode":([0-9]+)', line)
    if not m:
        return line, "no code"
    old = m.group(1).decode()
    new = rng.choice((old + ".0", old + "e0", old + "." + "0" * 20, old + "0",
                      "-" + old, old[:1] + "." + old[1:] + "e2", "0" + old,
                      old + ".5", '"%s"' % old, old + "00000000000000000000"))
    return splice(line, m.start(1), m.end(1), new.encode()), new


def deep(rng, line):
    """Around the limit of 64, as the value of some member."""
    found = list(VALUE.finditer(line))
    if not found:
        return line, "no value"
    n = rng.choice((3, 60, 61, 62, 63, 64, 65, 66, 200, 5000))
    if rng.random() < 0.6:
        left, right = b"[" * n, b"]" * n
    else:
        left, right = b'{"a":' * n, b"}" * n
    m = rng.choice(found)
    if rng.random() < 0.6 and b'"responseData":' in line:
        at = line.index(b'"responseData":') + len(b'"responseData":')
        end = at
        if line[at:at + 4] == b"null":
            end = at + 4
            left = b'{"deep":' + left
            right += b"}"
        elif line[at:at + 2] == b"{}":
            left = b'{"deep":' + left
            right += b"}"
            end = at + 2
        else:
            end = at + 1
            left = b'{"deep":' + left
            right += b","
        return splice(line, at, end, left + b"1" + right), \
            "%d in responseData" % n
    return splice(line, m.start(), m.end(), left + m.group() + right), \
        "%d at %d" % (n, m.start())


IN_STRING = [
    b"\\u0041", b"\\u0000", b"\\ud800", b"\\udc00", b"\\ud83d\\udd11",
    b"\\ud83d\\u0041", b"\\ud83d\\bdd11", b"\\ud83dxudd11", b"\\uD83Dx", b"\\udd11\\ud83d", b"\\u00e4", b"\\/",
    b"\\b\\f\\n\\r\\t", b"\\\\", b'\\"', b"\\x41", b"\\u12", b"\\u12g4",
    b"\\U0041", b"\\'", b"\\0", b"\\", b"\\u+123", b"\\uFFFF", b"\\ufeff",
    b"\0", b"\x01", b"\x1f", b"\t", b"\x7f", b"\r",
    b"\xff", b"\xfe", b"\x80", b"\xc0\x80", b"\xc3", b"\xc3\xa4",
    b"\xe2\x82\xac", b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xef\xbb\xbf",
    b"\xf0\x9f\x94\x91", b"\xf0\x9f\x94", b"\xf0\x80\x80\x80",
    b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
    b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xe0\xa0\x80", b"\xc2\x85",
    b"\\ud800\\ud800", b"\\udfff", b"\\ud800\xed\xb0\x80", b"\\uDBFF\\uDFFF",
    b"\xed\xa0\x80\xed\xb0\x80", b"\\u2028", b"\xe2\x80\xa8",
]


def in_string(rng, line):
    found = list(STRING.finditer(line))
    if not found:
        return line, "no string"
    m = rng.choice(found)
    at = rng.randrange(m.start() + 1, m.end())
    while line[at - 1:at] == b"\\" and at > m.start() + 1:
        at -= 1
    new = rng.choice(IN_STRING)
    return splice(line, at, at, new), "%r at %d" % (new, at)


def escape_char(rng, line):
    """The same string, written otherwise."""
    found = [m for m in STRING.finditer(line) if b"\\" not in m.group() and
             m.end() - m.start() > 2 and m.group().isascii()]
    if not found:
        return line, "no string"
    m = rng.choice(found)
    at = rng.randrange(m.start() + 1, m.end() - 1)
    new = rng.choice((b"\\u%04x", b"\\u%04X")) % line[at]
    return splice(line, at, at + 1, new), "%r at %d" % (new, at)


def syntax(rng, line):
    """What only some readers take."""
    which = rng.randrange(16)
    end = line[:-1]
    new = (
        end + b",}", b"\xef\xbb\xbf" + line, line + b"\0", b"\0" + line,
        line + line, line + b" 1", line + b",", b"[" + line + b"]",
        b"  \t" + line + b" \t ", line.replace(b'"', b"'", 2),
        line.replace(b":", b" :\t", 3), line.replace(b",", b",,", 1),
        end + b"/* */}", b"//\r" + line, b'"' + line + b'"',
        rng.choice((b"0", b'"a"', b"null", b"[]", b"{}", b"true", b"nul", b"}",
                    b"]", b"[1,2]", b'""', b"{{}}", b"\xff", b"1e400", b"NaN",
                    b"9007199254740993", b'"\\ud800"', b"[" * 64 + b"]" * 64,
                    b"[" * 65 + b"]" * 65, b"[" * 100000, b'{"a":' * 64)),
    )[which]
    return new, "way %d" % which


BLANKS = (b"\v", b"\f", b"\r", b"\t", b" ", b"\0", b"\xc2\x85", b"\xc2\xa0",
          b"\xe2\x80\xa8", b"\x1f", b"\xef\xbb\xbf", b"\x7f", b"\x08")


def odd_blank(rng, line):
    """Between tokens, where some readers see a blank."""
    found = [m.start() for m in re.finditer(rb"[{}\[\],:]", line)]
    if not found:
        return line, "no place"
    at = rng.choice(found) + rng.randrange(2)
    new = rng.choice(BLANKS)
    return splice(line, at, at, new), "%r at %d" % (new, at)


def put_secret(rng, line):
    """In any string, names too."""
    found = list(STRING.finditer(line))
    if not found:
        return line, "no string"
    m = rng.choice(found)
    new = secret_text(rng)
    quoted = new.encode().replace(b"\n", b"\\n").replace(b'"', b'\\"')
    at = rng.choice((m.start() + 1, m.end() - 1))
    return splice(line, at, at, quoted), "%s at %d" % (new, at)


DAMAGE = [flip_bit, any_byte, drop_bytes, truncate, twice, odd_number,
          odd_number, big_code, deep, in_string, in_string, in_string,
          escape_char, syntax, put_secret, odd_blank, odd_blank]
