/* host_who.c - see host_who.h. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host_who.h"

#define TYPE_USER "service/security/account/user"
#define ID_MAX 255u

static bool
printable(const char *s, size_t n)
{
	size_t i = 0;

	for (i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

static void
login(char *to, size_t n)
{
	char room[4096] = "";
	struct passwd pw = {0}, *got = NULL;
	uid_t uid = geteuid();

	if (getpwuid_r(uid, &pw, room, sizeof(room), &got) == 0 && got != NULL)
		(void)snprintf(to, n, "%s", pw.pw_name);
	else
		(void)snprintf(to, n, "#%u", (unsigned int)uid);
}

static hsa_rc
copy(char **to, const char *s)
{
	*to = strdup(s);
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

hsa_rc
host_who(struct hsa_caller *c, const char *initiator, struct hsa_diag *diag)
{
	struct hsa_caller got = {0};
	struct hsa_initiator *i = &got.initiator;
	const char *program = program_invocation_short_name;
	char name[256] = "", id[300] = "", agent[128] = "";
	size_t n = 0;
	hsa_rc rc = HSA_OK;

	login(name, sizeof(name));
	(void)snprintf(id, sizeof(id), "local-user:%s", name);
	if (initiator != NULL) {
		n = strnlen(initiator, ID_MAX + 1);
		if (n == 0 || n > ID_MAX || !printable(initiator, n))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "EP11_INITIATOR is not 1 to %u printable ASCII "
			    "characters; fix: set the identity that events are "
			    "to name, or unset it",
			    ID_MAX);
		(void)snprintf(id, sizeof(id), "%s", initiator);
	}
	if (!printable(program, strlen(program)))
		program = "?";
	(void)snprintf(
	    agent, sizeof(agent), "libep11/%s (%.64s)", HSA_VERSION, program);
	HSA_TRY(rc, copy(&i->id, id));
	HSA_TRY(rc, copy(&i->name, name));
	HSA_TRY(rc, copy(&i->type_uri, TYPE_USER));
	HSA_TRY(rc, copy(&i->credential_type, "user"));
	HSA_TRY(rc, copy(&i->host_address, "127.0.0.1"));
	HSA_TRY(rc, copy(&i->host_address_type, "IPv4"));
	HSA_TRY(rc, copy(&i->host_agent, agent));
	*c = got;
	got = (struct hsa_caller){0};
out:
	hsa_caller_free(&got);
	return rc;
}
