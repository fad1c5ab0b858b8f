#!/usr/bin/env python3
"""Vectors of TKE administration from a second implementation.

Only the standard library: own DER writer, own RSA and P-521 arithmetic. All
numbers come from SHA-256 of a label, so the output never changes:

    python3 tests/kat/gen_wire.py > tests/kat/wire_generated.h
"""
import hashlib


# ---- numbers from labels ------------------------------------------------------

def stream(label, n):
    out, i = b"", 0
    while len(out) < n:
        out += hashlib.sha256(b"%s:%d" % (label.encode(), i)).digest()
        i += 1
    return out[:n]


def number(label, n):
    return int.from_bytes(stream(label, n), "big")


# ---- DER ------------------------------------------------------------------------

def tlv(tag, body):
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def os(body):
    return tlv(0x04, body)


def seq(*parts):
    return tlv(0x30, b"".join(parts))


def integer(v):
    return tlv(0x02, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def oid(dotted):
    nums = [int(x) for x in dotted.split(".")]
    out = bytes([40 * nums[0] + nums[1]])
    for v in nums[2:]:
        chunk = [v & 0x7F]
        while v > 0x7F:
            v >>= 7
            chunk.insert(0, 0x80 | v & 0x7F)
        out += bytes(chunk)
    return tlv(0x06, out)


NULL = b"\x05\x00"


# ---- RSA, X9.31 -----------------------------------------------------------------

def is_prime(n):
    if any(n % p == 0 for p in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(label, e):
    p = number(label, 128) | (3 << 1022) | 1
    while not is_prime(p) or p % e == 1:
        p += 2
    return p


def x931(message):
    block = b"\x6b" + b"\xbb" * 220 + b"\xba"
    block += hashlib.sha256(message).digest() + b"\x34\xcc"
    assert len(block) == 256
    return int.from_bytes(block, "big")


# ---- P-521 ----------------------------------------------------------------------

P = 2**521 - 1
N = int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16)
B = int("0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1"
        "56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00", 16)
G = (int("00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba"
         "a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
     int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c"
         "97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 16))


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def mul(k, a):
    out = None
    while k:
        if k & 1:
            out = add(out, a)
        a, k = add(a, a), k >> 1
    return out


def point(q):
    return b"\x04" + q[0].to_bytes(66, "big") + q[1].to_bytes(66, "big")


def ecdsa(d, k, message):
    z = int.from_bytes(hashlib.sha512(message).digest(), "big")
    r = mul(k, G)[0] % N
    return r, pow(k, -1, N) * (z + r * d) % N


# ---- the vectors ----------------------------------------------------------------

VECTORS = []


def vector(name, comment, data):
    VECTORS.append((name, comment, data.hex() if isinstance(data, bytes)
                    else data))


def block(command, domain, module, counter, data):
    return seq(os(command.to_bytes(4, "big")), os(domain), os(module),
               os(counter), os(data))


def signer_info(ski, digest, algorithm, value):
    return seq(integer(3), tlv(0x80, ski), seq(oid(digest), NULL),
               seq(oid(algorithm), NULL), os(value))


def kdf_info(ukm, null):
    wrap = oid("2.16.840.1.101.3.4.1.45") + (NULL if null else b"")
    return b"\x00\x00\x00\x01" + seq(
        seq(wrap), tlv(0xA0, os(ukm)), tlv(0xA2, os((256).to_bytes(4, "big"))))


def main():
    assert (G[1] ** 2 - G[0] ** 3 + 3 * G[0] - B) % P == 0 and not mul(N, G)

    for n in (0, 44, 45, 172, 173, 400):
        data = stream("input", n)
        vector("BLOCK_%d" % n, "admin block: command 2, input of %d bytes of "
               "the stream below" % n,
               block(2, bytes.fromhex("0000001600000002"),
                     b"SIM00001" + bytes(7) + b"\1", bytes(15) + b"\x2a",
                     data))
    vector("INPUT", "the stream", stream("input", 400))

    e = 65537
    p, q = prime("p", e), prime("q", e)
    n = p * q
    d = pow(e, -1, (p - 1) * (q - 1))
    assert n.bit_length() == 2048
    vector("RSA_N", "RSA key", n.to_bytes(256, "big"))
    vector("RSA_D", "its private exponent", d.to_bytes(256, "big"))
    spki_bits = seq(integer(n), integer(e))
    assert len(spki_bits) == 270
    ski = hashlib.sha256(spki_bits).digest()
    vector("RSA_SKI", "its SKI", ski)
    # one message whose signature is the smaller of s and n - s, one not
    found = {}
    i = 0
    while len(found) < 2:
        message = b"message %d" % i
        s = pow(x931(message), d, n)
        found.setdefault(s > n - s, (message, s))
        i += 1
    for big, name in ((False, "SMALL"), (True, "BIG")):
        message, s = found[big]
        vector("RSA_%s_MESSAGE" % name, "message whose s is the %s one"
               % ("larger" if big else "smaller"), message)
        vector("RSA_%s_SIGNER_INFO" % name, "its SignerInfo", signer_info(
            ski, "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1",
            s.to_bytes(256, "big")))
        vector("RSA_%s_OTHER" % name, "the same by n - s", signer_info(
            ski, "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1",
            (n - s).to_bytes(256, "big")))

    d = number("ec key", 66) % N
    q = point(mul(d, G))
    vector("EC_POINT", "P-521 key", q)
    vector("EC_SKI", "its SKI", hashlib.sha256(q).digest())
    # nonces until r and s are short, so that padding and its absence differ
    i = 0
    while True:
        r, s = ecdsa(d, number("nonce %d" % i, 66) % N, b"short")
        if r < 2**519 and s < 2**519:
            break
        i += 1
    sha512, alg = "2.16.840.1.101.3.4.2.3", "1.2.840.10045.4.3.4"
    ski = hashlib.sha256(q).digest()
    vector("EC_MINIMAL", "SignerInfo over \"short\" with minimal r and s",
           signer_info(ski, sha512, alg, seq(integer(r), integer(s))))
    vector("EC_PADDED", "the same, r and s padded to 66 bytes",
           signer_info(ski, sha512, alg,
                       seq(tlv(2, r.to_bytes(66, "big")),
                           tlv(2, s.to_bytes(66, "big")))))

    for n in (1, 40, 64):
        for null in (True, False):
            vector("KDF_%d%s" % (n, "_NULL" if null else ""),
                   "what follows Z, ukm = first %d bytes of the stream" % n,
                   kdf_info(stream("input", n), null))

    print("/* Written by gen_wire.py: do not edit. */")
    print("#ifndef WIRE_GENERATED_H\n#define WIRE_GENERATED_H")
    for name, comment, text in VECTORS:
        lines = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
        print("\n/* %s */\n#define WG_%s \\" % (comment, name))
        print(" \\\n".join('\t"%s"' % x for x in lines))
    print("\n#endif")


main()
