#!/usr/bin/env python3
"""gen_ep11.py > ep11_vectors.txt - published vectors for the EP11 matrix.

Inputs and outputs are as the documents named have them; every output is also
computed here by the `cryptography` package (its deterministic ECDSA and its
own key wrap), so a slip of the pen in either stops this script. Keys become
PKCS #8 and SubjectPublicKeyInfo, which is how they go into a crypto unit.

One vector is a block of lines "name value" ended by an empty line; bytes are
hex, "-" is no bytes:
  source  document and section
  do      digest, crypt, mac, sign, verify, wrap or derive
  mech    CKM_ name without the prefix
  key     secret value, PKCS #8 (sign, derive) or SPKI (verify)
  iv aad  parameter; in, out: data; peer: the other's public point
"""
from cryptography.hazmat.primitives import cmac, hashes, hmac, keywrap
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed448, ed25519, utils, x448, x25519)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:
    TripleDES = algorithms.TripleDES

H = bytes.fromhex


def put(source, **lines):
    print("source " + source)
    for k, v in lines.items():
        if isinstance(v, bytes):
            v = v.hex() or "-"
        print(k + " " + v)
    print()


def same(got, want, what):
    if got != want:
        raise SystemExit(f"{what}: {got.hex()} is not {want.hex()}")


def pkcs8(k):
    return k.private_bytes(ser.Encoding.DER, ser.PrivateFormat.PKCS8,
                           ser.NoEncryption())


def spki(k):
    return k.public_bytes(ser.Encoding.DER,
                          ser.PublicFormat.SubjectPublicKeyInfo)


HASH = {"SHA_1": hashes.SHA1, "SHA224": hashes.SHA224, "SHA256": hashes.SHA256,
        "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}

print("# Made by gen_ep11.py, which says what the lines mean.\n")

# ---- digests ----------------------------------------------------------------
LONG = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
for name, want in {
        "SHA_1": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "SHA224":
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        "SHA256":
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "SHA384":
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        "8086072ba1e7cc2358baeca134c825a7",
        "SHA512":
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}.items():
    for m in (b"abc", LONG):
        d = hashes.Hash(HASH[name]())
        d.update(m)
        out = d.finalize()
        if m == b"abc":
            same(out, H(want), name)
        put("FIPS 180-4 examples", do="digest", mech=name, **{"in": m},
            out=out)

# ---- AES modes --------------------------------------------------------------
K = {16: H("2b7e151628aed2a6abf7158809cf4f3c"),
     24: H("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"),
     32: H("603deb1015ca71be2b73aef0857d7781"
           "1f352c073b6108d72d9810a30914dff4")}
P = H("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
IV = H("000102030405060708090a0b0c0d0e0f")
CTR = H("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
for mech, n, iv, want in (
        ("AES_ECB", 16, b"",
         "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
         "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"),
        ("AES_ECB", 24, b"",
         "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
         "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e"),
        ("AES_ECB", 32, b"",
         "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
         "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"),
        ("AES_CBC", 16, IV,
         "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
         "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"),
        ("AES_CBC", 24, IV,
         "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
         "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"),
        ("AES_CBC", 32, IV,
         "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
         "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"),
        ("AES_CTR", 16, CTR,
         "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
         "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"),
        ("AES_CTR", 24, CTR,
         "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
         "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"),
        ("AES_CTR", 32, CTR,
         "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
         "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6")):
    mode = {"AES_ECB": lambda v: modes.ECB(), "AES_CBC": modes.CBC,
            "AES_CTR": modes.CTR}[mech](iv)
    e = Cipher(algorithms.AES(K[n]), mode).encryptor()
    same(e.update(P) + e.finalize(), H(want), mech)
    put("NIST SP 800-38A appendix F", do="crypt", mech=mech, key=K[n], iv=iv,
        **{"in": P}, out=H(want))

GK = H("feffe9928665731c6d6a8f9467308308")
GP = H("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255")
GA = H("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GI = H("cafebabefacedbaddecaf888")
for case, key, iv, aad, text, want in (
        (1, bytes(16), bytes(12), b"", b"",
         "58e2fccefa7e3061367f1d57a4e7455a"),
        (2, bytes(16), bytes(12), b"", bytes(16),
         "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"),
        (3, GK, GI, b"", GP,
         "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
         "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
         "4d5c2af327cd64a62cf35abd2ba6fab4"),
        (4, GK, GI, GA, GP[:60],
         "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
         "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
         "5bc94fbc3221a5db94fae95ae7121a47"),
        (5, GK, GI[:8], GA, GP[:60],
         "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423"
         "73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598"
         "3612d2e79e3b0785561be14aaca2fccb"),
        (13, bytes(32), bytes(12), b"", b"",
         "530f8afbc74536b9a963b4f1c4cb738b"),
        (16, GK + GK, GI, GA, GP[:60],
         "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
         "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
         "76fc6ece0f4e1768cddf8853bb2d551b")):
    same(AESGCM(key).encrypt(iv, text, aad), H(want), f"GCM {case}")
    put(f"The Galois/Counter Mode (NIST SP 800-38D's proposal), case {case}",
        do="crypt", mech="AES_GCM", key=key, iv=iv, aad=aad, **{"in": text},
        out=H(want))

# ---- MACs -------------------------------------------------------------------
D3 = H("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5")
D2 = H("4cf15134a2850dd58a3d10ba80570d38")
for mech, key, wants in (
        ("AES_CMAC", K[16], {0: "bb1d6929e95937287fa37d129b756746",
                             16: "070a16b46b4d4144f79bdd9dd04a287c",
                             40: "dfa66747de9ae63030ca32611497c827",
                             64: "51f0bebf7e3b9d92fc49741779363cfe"}),
        ("AES_CMAC", K[24], {0: "d17ddf46adaacde531cac483de7a9367",
                             16: "9e99a7bf31e710900662f65e617c5184",
                             40: "8a1de5be2eb31aad089a82e6ee908b0e",
                             64: "a1d5df0eed790f794d77589659f39a11"}),
        ("AES_CMAC", K[32], {0: "028962f61b7bf89efc6b551f4667d983",
                             16: "28a7023f452e8f82bd4bf28d8c37c35c",
                             40: "aaf3d8f1de5640c232f5b169b9c911e6",
                             64: "e1992190549f6ed5696a2c056c315410"}),
        ("DES3_CMAC", D3, {0: "b7a688e122ffaf95", 8: "8e8f293136283797",
                           20: "743ddbe0ce2dc2ed", 32: "33e6b1092400eae5"}),
        ("DES3_CMAC", D2, {0: "bd2ebf9a3ba00361", 8: "4ff2ab813c53ce83",
                           20: "62dd1b471902bd4e", 32: "31b1e431dabc4eb8"})):
    for n, want in wants.items():
        three = key + key[:8] if len(key) == 16 else key
        c = cmac.CMAC(algorithms.AES(key) if mech == "AES_CMAC"
                      else TripleDES(three))
        c.update(P[:n])
        same(c.finalize(), H(want), f"{mech} {n}")
        for m in (mech, "IBM_CMAC"):
            put("NIST SP 800-38B appendix D", do="mac", mech=m, key=key,
                **{"in": P[:n]}, out=H(want))

TK = b"Test Using Larger Than Block-Size Key - Hash Key First"
TL = (b"This is a test using a larger than block-size key and a larger than "
      b"block-size data. The key needs to be hashed before being used by the "
      b"HMAC algorithm.")
CASES = ((1, b"\x0b" * 20, b"Hi There"),
         (2, b"Jefe", b"what do ya want for nothing?"),
         (3, b"\xaa" * 20, b"\xdd" * 50),
         (4, bytes(range(1, 26)), b"\xcd" * 50),
         (6, b"\xaa" * 131, TK), (7, b"\xaa" * 131, TL))
KNOWN = {("SHA224", 1):
         "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
         ("SHA256", 1):
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
         ("SHA256", 2):
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
         ("SHA384", 1):
         "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
         "faea9ea9076ede7f4af152e8b2fa9cb6",
         ("SHA512", 1):
         "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
         "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
         ("SHA512", 2):
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}
for name in ("SHA224", "SHA256", "SHA384", "SHA512"):
    for case, key, text in CASES:
        h = hmac.HMAC(key, HASH[name]())
        h.update(text)
        out = h.finalize()
        if (name, case) in KNOWN:
            same(out, H(KNOWN[name, case]), f"HMAC {name} {case}")
        put(f"RFC 4231 4.{case + 1}", do="mac", mech=name + "_HMAC", key=key,
            **{"in": text}, out=out)
for case, key, text, want in (
        (1, b"\x0b" * 20, b"Hi There",
         "b617318655057264e28bc0b6fb378c8ef146be00"),
        (2, b"Jefe", b"what do ya want for nothing?",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (3, b"\xaa" * 20, b"\xdd" * 50,
         "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (4, bytes(range(1, 26)), b"\xcd" * 50,
         "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
        (6, b"\xaa" * 80, TK, "aa4ae5e15272d00e95705637ce8a3b55ed402112")):
    h = hmac.HMAC(key, hashes.SHA1())
    h.update(text)
    same(h.finalize(), H(want), f"HMAC SHA-1 {case}")
    put(f"RFC 2202 3, case {case}", do="mac", mech="SHA_1_HMAC", key=key,
        **{"in": text}, out=H(want))

# ---- signatures -------------------------------------------------------------
EC = {
    192: (ec.SECP192R1, "6FAB034934E4C0FC9AE67F5B5659A9D7D1FEFD187EE09FD4"),
    224: (ec.SECP224R1,
          "F220266E1105BFE3083E03EC7A3A654651F45E37167E88600BF257C1"),
    256: (ec.SECP256R1,
          "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"),
    384: (ec.SECP384R1,
          "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
          "96D5724E4C70A825F872C9EA60D2EDF5"),
    521: (ec.SECP521R1,
          "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75"
          "CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B8"
          "3538")}
RS = {(192, "SHA_1", "sample"):
      "98C6BD12B23EAF5E2A2045132086BE3EB8EBD62ABF6698FF"
      "57A22B07DEA9530F8DE9471B1DC6624472E8E2844BC25B64",
      (224, "SHA224", "sample"):
      "1CDFE6662DDE1E4A1EC4CDEDF6A1F5A2FB7FBD9145C12113E6ABFD3E"
      "A6694FD7718A21053F225D3F46197CA699D45006C06F871808F43EBC",
      (256, "SHA256", "sample"):
      "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
      (256, "SHA256", "test"):
      "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
      "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
      (384, "SHA384", "sample"):
      "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
      "81A648152E44ACF96E36DD1E80FABE46"
      "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
      "A329C145786E679E7B82C71A38628AC8",
      (521, "SHA512", "sample"):
      "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F"
      "174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E3"
      "77FA"
      "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF"
      "282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4"
      "A67A"}
for bits, (curve, x) in EC.items():
    k = ec.derive_private_key(int(x, 16), curve())
    for name in HASH:
        for text in ("sample", "test"):
            der = k.sign(text.encode(), ec.ECDSA(
                HASH[name](), deterministic_signing=True))
            n = (bits + 7) // 8
            out = b"".join(v.to_bytes(n, "big")
                           for v in utils.decode_dss_signature(der))
            if (bits, name, text) in RS:
                same(out, H(RS[bits, name, text]), f"P-{bits} {name} {text}")
            put(f"RFC 6979 A.2, P-{bits}", do="verify",
                mech="ECDSA_" + name.replace("_", ""),
                key=spki(k.public_key()), **{"in": text.encode()}, out=out)

for kind, mech, secret, text, want in (
        (ed25519.Ed25519PrivateKey, "IBM_ED25519_SHA512",
         "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        (ed25519.Ed25519PrivateKey, "IBM_ED25519_SHA512",
         "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        (ed25519.Ed25519PrivateKey, "IBM_ED25519_SHA512",
         "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
         "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
        (ed448.Ed448PrivateKey, "IBM_ED448_SHA3",
         "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3"
         "528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b", "",
         "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f"
         "2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a"
         "9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db"
         "b61149f05a7363268c71d95808ff2e652600")):
    k = kind.from_private_bytes(H(secret))
    same(k.sign(H(text)), H(want), mech)
    for m in (mech, "EDDSA"):
        put("RFC 8032 7", do="sign", mech=m, key=pkcs8(k), **{"in": H(text)},
            out=H(want))

# ---- key wrap ---------------------------------------------------------------
W = H("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
WD = H("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
for k, n, want in (
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a93"
         "6ba814915c6762d2"),
        (32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb895"
         "8cd5d17d6b254da1"),
        (32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326"
         "cbc7f0e71a99f43bfb988b9b7a02dd21")):
    same(keywrap.aes_key_wrap(W[:k], WD[:n]), H(want), "RFC 3394")
    put("RFC 3394 4", do="wrap", mech="AES_KEY_WRAP", key=W[:k],
        **{"in": WD[:n]}, out=H(want))
PK = H("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
for text, want in (
        ("c37b7e6492584340bed12207808941155068f738",
         "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f")):
    same(keywrap.aes_key_wrap_with_padding(PK, H(text)), H(want), "RFC 5649")
    put("RFC 5649 6", do="wrap", mech="AES_KEY_WRAP_PAD", key=PK,
        **{"in": H(text)}, out=H(want))

# ---- shared secrets ---------------------------------------------------------
for curve, i, r, z in (
        (ec.SECP256R1,
         "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
         "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
         "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"),
        (ec.SECP384R1,
         "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655"
         "E35B538041E649EE3FAEF896783AB194",
         "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942"
         "E0308312916B8ED2960E4BD55A7448FC",
         "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4"
         "D603135569B9E9D09CF5D4A270F59746"),
        (ec.SECP521R1,
         "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A0"
         "95AA85A30FE1C2952C6771D937BA9777F5957B2639BAB072462F68C27A57382D"
         "4A52",
         "0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E"
         "9C677D600B343757A3BDBF2A3163E4C2F869CCA7458AA4A4EFFC311F5CB15168"
         "5EB9",
         "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04"
         "D1427E73CA4BAA240A34786859810C06B3C715A3A8CC3151F2BEE417996D19F3"
         "DDEA")):
    a = ec.derive_private_key(int(i, 16), curve())
    b = ec.derive_private_key(int(r, 16), curve())
    for one, other in ((a, b), (b, a)):
        same(one.exchange(ec.ECDH(), other.public_key()), H(z), "RFC 5903")
        put("RFC 5903 8", do="derive", mech="ECDH1_DERIVE", key=pkcs8(one),
            peer=other.public_key().public_bytes(
                ser.Encoding.X962, ser.PublicFormat.UncompressedPoint),
            out=H(z))
for kind, public, k, u, z in (
        (x25519.X25519PrivateKey, x25519.X25519PublicKey,
         "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
        (x448.X448PrivateKey, x448.X448PublicKey,
         "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c"
         "984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
         "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031"
         "ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
         "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaad"
         "eb445fc66a01b0779d98223961111e21766282f73dd96b6f")):
    one = kind.from_private_bytes(H(k))
    same(one.exchange(public.from_public_bytes(H(u))), H(z), "RFC 7748")
    put("RFC 7748 5.2", do="derive", mech="ECDH1_DERIVE", key=pkcs8(one),
        peer=H(u), out=H(z))
