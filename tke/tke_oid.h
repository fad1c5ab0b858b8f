/* tke_oid.h - object identifiers of TKE administration, content bytes. */
#ifndef TKE_OID_H
#define TKE_OID_H

#define TKE_OID_EC_PUBLIC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
#define TKE_OID_SECP521R1 "\x2b\x81\x04\x00\x23"
#define TKE_OID_ECDSA_SHA512 "\x2a\x86\x48\xce\x3d\x04\x03\x04"
#define TKE_OID_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define TKE_OID_RSA_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define TKE_OID_SHA256 "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define TKE_OID_SHA512 "\x60\x86\x48\x01\x65\x03\x04\x02\x03"
#define TKE_OID_AES256_WRAP "\x60\x86\x48\x01\x65\x03\x04\x01\x2d"
#define TKE_OID_DH_SHA256_KDF "\x2b\x81\x04\x01\x0b\x01"
#define TKE_OID_ORG_UNIT "\x55\x04\x0b"
#define TKE_OID_COMMON_NAME "\x55\x04\x03"
#define TKE_OID_SUBJECT_KEY_ID "\x55\x1d\x0e"

/* Content and its length, as two arguments. */
#define TKE_OID(name) TKE_OID_##name, sizeof(TKE_OID_##name) - 1

#endif
