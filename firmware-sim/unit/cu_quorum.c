/* Who signed, is the counter fresh, is that enough. */
#include <string.h>

#include "cu_core.h"

struct verdict {
	bool malformed, stranger, bad;
};

static void
remember(struct cu_cmd *c, const uint8_t ski[TKE_SKI_LEN])
{
	size_t i = 0;

	for (i = 0; i < c->signer_len; i++)
		if (memcmp(c->signer[i], ski, TKE_SKI_LEN) == 0)
			return;
	memcpy(c->signer[c->signer_len++], ski, TKE_SKI_LEN);
}

static hsa_rc
verify_one(bool *good, const struct cu_admin *a,
    const struct tke_signer_info *s, struct tke_slice block)
{
	struct tke_admin_cert cert = {0};
	hsa_rc rc;

	*good = false;
	HSA_TRY(rc, tke_admin_cert_parse(&cert, a->cert, a->cert_len));
	rc = tke_verify(s, cert.key, block.p, block.n);
	*good = hsa_is_ok(rc);
	if (rc.v == HSA_E_SIGNATURE || rc.v == HSA_E_FORMAT)
		rc = HSA_OK;
out:
	tke_admin_cert_free(&cert);
	return rc;
}

/* One concatenation of SignerInfos over one block; count: administrators
 * whose signature holds, each once however often it stands there. */
static hsa_rc
verify_list(struct cu_cmd *c, uint32_t *count, struct verdict *v,
    struct tke_slice block, struct tke_slice list)
{
	const struct cu_state *now = &c->u->now;
	bool counted[CU_ADMINS_MAX] = {false};
	size_t at = 0, n = 0, who = 0;
	hsa_rc rc = HSA_OK;

	while (at < list.n && !v->malformed) {
		struct tke_signer_info s = {0};
		bool good = false;

		if (n++ == CU_SIGNERS_MAX ||
		    !hsa_is_ok(
			tke_signer_info_parse(&s, list.p + at, list.n - at))) {
			v->malformed = true;
			break;
		}
		at += s.used;
		who = cu_state_admin(now, s.ski);
		if (who == now->admin_len) {
			v->stranger = true;
			continue;
		}
		HSA_TRY(rc, verify_one(&good, &now->admin[who], &s, block));
		if (!good) {
			v->bad = true;
			continue;
		}
		remember(c, s.ski);
		if (!counted[who])
			(*count)++;
		counted[who] = true;
	}
out:
	return rc;
}

hsa_rc
cu_quorum_signatures(struct cu_cmd *c)
{
	struct verdict v = {false, false, false};
	size_t i = 0;
	hsa_rc rc;

	HSA_TRY(rc,
	    verify_list(c, &c->outer_signers, &v, c->q.block, c->q.signatures));
	for (i = 0; i < c->in.part_len; i++) {
		struct cu_part *p = &c->in.part[i];

		HSA_TRY(rc, verify_list(c, &p->signers, &v, p->q.block,
				p->q.signatures));
	}
	if (v.malformed)
		return cu_cmd_refuse(c, HSA_EP11_SIGNATURE_LEN_RANGE,
		    HSA_REASON_SIGNATURE_REJECTED);
	if (v.stranger)
		return cu_cmd_refuse(c, HSA_EP11_USER_NOT_LOGGED_IN,
		    HSA_REASON_SIGNATURE_REJECTED);
	if (v.bad)
		return cu_cmd_refuse(c, HSA_EP11_SIGNATURE_INVALID,
		    HSA_REASON_SIGNATURE_REJECTED);
out:
	return rc;
}

void
cu_quorum_counter(struct cu_cmd *c)
{
	const struct cu_state *now = &c->u->now;
	struct tke_slice counter = c->q.counter;

	if (counter.n != TKE_COUNTER_LEN) {
		(void)cu_cmd_refuse(
		    c, HSA_EP11_PIN_EXPIRED, HSA_REASON_COUNTER_MALFORMED);
		return;
	}
	if (tke_counter_compare(counter.p, now->counter) <= 0) {
		(void)cu_cmd_refuse(
		    c, HSA_EP11_PIN_EXPIRED, HSA_REASON_COUNTER_PASSED);
		return;
	}
	if (c->signer_len > 0 || now->attr.signature_threshold == 0)
		memcpy(c->u->next.counter, counter.p, counter.n);
}

void
cu_quorum_enough(struct cu_cmd *c)
{
	uint32_t need = cu_fsm_need(c->row->who, &c->u->now.attr, &c->in.attr);
	size_t i = 0;

	if (c->outer_signers < need)
		(void)cu_cmd_refuse(c, HSA_EP11_TEMPLATE_INCOMPLETE,
		    HSA_REASON_TOO_FEW_SIGNATURES);
	for (i = 0; c->row->who == CU_WHO_EACH_PART && i < c->in.part_len; i++)
		if (c->in.part[i].signers == 0)
			(void)cu_cmd_refuse(c, HSA_EP11_TEMPLATE_INCOMPLETE,
			    HSA_REASON_NO_INNER_SIGNATURE);
}
