#include "hsa_call.h"
#include "hsa_event.h"

const char *
hsa_mech_text(uint64_t type)
{
	switch (type) {
#define HSA_MECH_NAME(number, name)                                            \
	case number:                                                           \
		return "CKM_" #name;
#include "ep11_mech_name.def"
#undef HSA_MECH_NAME
	default:
		return NULL;
	}
}

bool
hsa_use_has_mech(const struct hsa_use *u)
{
	return u->mechanism != 0 || u->function == HSA_FN_GENERATE_KEY_PAIR;
}
