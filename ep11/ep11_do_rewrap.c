/* RewrapKeyBlob: administrative command 25 underneath (ep11-host-api 15.1). */
#include "ep11_core.h"

CK_RV
ep11_do_rewrap(struct ep11_engine *e, struct hsa_call *c)
{
	return ep11_key_rewrap(e, &c->out, c, c->key);
}
