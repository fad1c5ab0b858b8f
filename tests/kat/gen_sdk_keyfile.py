#!/usr/bin/env python3
"""Key files in the TKE SDK's form, made without our code: PBKDF2 with 4096
rounds, AES-256-GCM, PEM type PRIVATE KEY with SEC1 or PKCS#1 inside.

Needs the Python package "cryptography". Writes sdk_p521.sigkey and
sdk_rsa.sigkey beside itself; password: "correct horse".
"""
import base64
import hashlib
import json
import os
import pathlib

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).parent


def pem(key):
    der = key.private_bytes(ser.Encoding.DER,
                            ser.PrivateFormat.TraditionalOpenSSL,
                            ser.NoEncryption())
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *lines,
                      "-----END PRIVATE KEY-----", ""]).encode()


def ski(key):
    public = key.public_key()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        raw = public.public_bytes(ser.Encoding.X962,
                                  ser.PublicFormat.UncompressedPoint)
    else:
        raw = public.public_bytes(ser.Encoding.DER, ser.PublicFormat.PKCS1)
    return hashlib.sha256(raw).hexdigest()


def write(name, key_type, key):
    salt, nonce = os.urandom(16), os.urandom(12)
    kek = hashlib.pbkdf2_hmac("sha256", b"correct horse", salt, 4096, 32)
    sealed = nonce + AESGCM(kek).encrypt(nonce, pem(key), None)
    (HERE / name).write_text(json.dumps({
        "keyType": key_type, "ski": ski(key), "seaSalt": salt.hex(),
        "enckey": sealed.hex()}) + "\n")


write("sdk_p521.sigkey", "p521ec", ec.generate_private_key(ec.SECP521R1()))
write("sdk_rsa.sigkey", "rsa2048", rsa.generate_private_key(65537, 2048))
