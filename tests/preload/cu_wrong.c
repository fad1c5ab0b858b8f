/*
 * cu_wrong.c - a PKCS#11 module that computes wrongly: SoftHSM's, or whichever
 * CU_MODULE names, but while the file named by CU_WRONG is there, the first bit
 * of what "encrypt" or "digest", as it says, gives is another.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <p11-kit-1/p11-kit/pkcs11.h>

static CK_FUNCTION_LIST own;
static CK_FUNCTION_LIST_PTR real;

static bool
wanted(const char *what)
{
	const char *path = getenv("CU_WRONG");
	char text[64] = "";
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	bool yes;

	if (f == NULL)
		return false;
	yes = fgets(text, sizeof(text), f) != NULL && strcmp(text, what) == 0;
	(void)fclose(f);
	return yes;
}

static CK_RV
encrypt(CK_SESSION_HANDLE h, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out,
    CK_ULONG_PTR len)
{
	CK_RV rv = real->C_Encrypt(h, in, n, out, len);

	if (rv == CKR_OK && out != NULL && *len != 0 && wanted("encrypt"))
		out[0] ^= 0x80;
	return rv;
}

static CK_RV
digest(CK_SESSION_HANDLE h, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out,
    CK_ULONG_PTR len)
{
	CK_RV rv = real->C_Digest(h, in, n, out, len);

	if (rv == CKR_OK && out != NULL && *len != 0 && wanted("digest"))
		out[0] ^= 0x80;
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	const char *path = getenv("CU_MODULE");
	void *so = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *found = so == NULL ? NULL : dlsym(so, "C_GetFunctionList");
	CK_C_GetFunctionList get;
	CK_RV rv;

	if (found == NULL)
		return CKR_GENERAL_ERROR;
	memcpy(&get, &found, sizeof(get));
	rv = get(&real);
	if (rv != CKR_OK)
		return rv;
	own = *real;
	own.C_Encrypt = encrypt;
	own.C_Digest = digest;
	*list = &own;
	return CKR_OK;
}
