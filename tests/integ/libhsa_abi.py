"""libhsa_abi.py LIBRARY DIR - emits through libhsa.so by ctypes alone, from
several threads, and prints the ids of the events: the ABI as a program in
another language sees it. Structures as hsa_emitter.h has them."""
import ctypes as C
import sys
import threading

u8, u32, u64, i64 = C.c_uint8, C.c_uint32, C.c_uint64, C.c_int64
text, ptr = C.c_char_p, C.c_void_p


class Rc(C.Structure):
    _fields_ = [("v", C.c_int32)]


class Diag(C.Structure):
    _fields_ = [("text", C.c_char * 1024)]


class Config(C.Structure):
    _fields_ = [("dir", text), ("name", text), ("mode", C.c_int),
                ("measuring", C.c_bool), ("wait_ms", C.c_int),
                ("drain_ms", C.c_int), ("ring_dir", text),
                ("ring_bytes", C.c_size_t), ("sign", ptr), ("sign_ctx", ptr),
                ("public_key", ptr), ("emitter_id", ptr),
                ("reserved", u64 * 8)]


class Context(C.Structure):
    _fields_ = [("mode", C.c_int)] + [(n, text) for n in (
        "log_source_crn", "target_id", "target_name", "correlation_id",
        "initiator_id", "initiator_name", "initiator_type",
        "credential_type", "host_address", "host_address_type",
        "host_agent")] + [("reserved", u64 * 8)]


class Field(C.Structure):
    _fields_ = [("member", C.c_int), ("form", C.c_int), ("name", text),
                ("text", text), ("bytes", ptr), ("len", C.c_size_t),
                ("count", C.c_size_t), ("number", i64)]


class Event(C.Structure):
    _fields_ = [("action", C.c_int), ("action_name", text), ("status", u32),
                ("reason", text), ("target_id", text), ("target_name", text),
                ("correlation_id", text), ("time_ns", u64),
                ("field", C.POINTER(Field)), ("reserved", u64 * 4)]


class Receipt(C.Structure):
    _fields_ = [("event_id", u8 * 16), ("event_id_text", C.c_char * 37),
                ("time_ns", u64), ("sequence", u64), ("number", u64)]


hsa = C.CDLL(sys.argv[1])
for f in ("open", "context", "emit", "flush"):
    getattr(hsa, "hsa_emitter_" + f).restype = Rc
for f in ("close", "context_free"):
    getattr(hsa, "hsa_emitter_" + f).restype = None
    getattr(hsa, "hsa_emitter_" + f).argtypes = [ptr]
hsa.hsa_err_name.restype = text
hsa.hsa_err_name.argtypes = [Rc]
REQUEST, RESPONSE, TEXT, INTEGER = 1, 2, 1, 2
SEALED, RING = 1, 2


def ok(rc, diag, what):
    if rc.v:
        sys.exit(f"{what}: {hsa.hsa_err_name(rc).decode()}: "
                 f"{diag.text.decode()}")


def emit(context, fields, **members):
    diag, receipt = Diag(), Receipt()
    table = (Field * (len(fields) + 1))(*fields)
    event = Event(field=table, **members)
    rc = hsa.hsa_emitter_emit(context, C.byref(receipt), C.byref(event),
                              C.byref(diag))
    return rc, diag, receipt


def main():
    diag, emitter, context = Diag(), ptr(), ptr()
    crn = (b"crn:v1:bluemix:public:hs-crypto:us-south:"
           b"a/0123456789abcdef0123456789abcdef:"
           b"11111111-2222-4333-8444-555555555555::")
    ok(hsa.hsa_emitter_open(
        C.byref(emitter), C.byref(Config(
            dir=sys.argv[2].encode(), name=b"python", mode=RING)),
        C.byref(diag)), diag, "open")
    ok(hsa.hsa_emitter_context(
        C.byref(context), emitter, C.byref(Context(
            log_source_crn=crn, target_id=crn, target_name=b"payments",
            correlation_id=b"8c2d5a51-9b6c-4a53-8f0e-0f5e3c1b2a10",
            initiator_id=b"CertificateID-ab12", initiator_name=b"vcenter",
            initiator_type=b"service/security/client/certificateid",
            credential_type=b"certificate")), C.byref(diag)), diag, "context")
    ids, lock = [], threading.Lock()

    def work():
        for _ in range(25):
            rc, why, receipt = emit(
                context, [Field(REQUEST, TEXT, b"requestURI", b"/kmip")],
                action_name=b"hs-crypto.kmip-key.activate", status=200)
            ok(rc, why, "emit")
            with lock:
                ids.append(receipt.event_id_text.decode())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    # a refusal is told, and costs nothing
    rc, why, _ = emit(context, [Field(RESPONSE, INTEGER, b"keyState",
                                      None, None, 0, 0, 1)],
                      action_name=b"hs-crypto.kmip-key.destroy", status=200)
    if hsa.hsa_err_name(rc) != b"E_ARG" or b"keyState" not in why.text:
        sys.exit(f"a wrong event gave {rc.v}: {why.text.decode()}")
    ok(hsa.hsa_emitter_flush(emitter, C.byref(diag)), diag, "flush")
    hsa.hsa_emitter_context_free(context)
    hsa.hsa_emitter_close(emitter)
    if len(set(ids)) != 100:
        sys.exit(f"{len(set(ids))} ids")
    print("\n".join(ids))


main()
