#!/bin/sh
# test_host_symbols.sh - what libep11.so.4 exports: the symbols of
# ep11-host-api 3, those that it calls optional among them, and no other.
set -eu
build=${CU_BUILD:-build}
lib=$build/lib/libep11.so.4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

sort >"$tmp/want" <<END
m_init
m_shutdown
m_add_backend
m_add_module
m_rm_module
m_get_xcp_info
m_admin
xcpa_queryblock
xcpa_cmdblock
xcpa_internal_rv
m_Login
m_Logout
m_LoginExtended
m_LogoutExtended
m_GenerateRandom
m_SeedRandom
m_DigestInit
m_Digest
m_DigestUpdate
m_DigestKey
m_DigestFinal
m_DigestSingle
m_EncryptInit
m_DecryptInit
m_Encrypt
m_Decrypt
m_EncryptUpdate
m_DecryptUpdate
m_EncryptFinal
m_DecryptFinal
m_EncryptSingle
m_DecryptSingle
m_ReencryptSingle
m_SignInit
m_VerifyInit
m_Sign
m_Verify
m_SignUpdate
m_VerifyUpdate
m_SignFinal
m_VerifyFinal
m_SignSingle
m_VerifySingle
m_GenerateKey
m_GenerateKeyPair
m_WrapKey
m_UnwrapKey
m_DeriveKey
m_GetMechanismList
m_GetMechanismInfo
m_GetAttributeValue
m_SetAttributeValue
END
nm -D --defined-only "$lib" | awk '{print $3}' | sort >"$tmp/got"
if ! diff "$tmp/want" "$tmp/got"; then
	echo "exported symbols differ: < is missing, > is too much" >&2
	exit 1
fi
# all of them functions
nm -D --defined-only "$lib" | awk '$2 != "T" {print; bad = 1} END {exit bad}'
readelf -d "$lib" | grep -q 'SONAME.*\[libep11\.so\.4\]'
test "$(readlink "$build/lib/libep11.so")" = libep11.so.4
echo "COUNT symbols exported, all of the list: $(wc -l <"$tmp/got")"
