#include <string.h>

#include "val_section.h"

static const struct val_family families[] = {
    {"secrets", 2, "Lifecycle key actions", 0, "Key action events"},
    {"key-rings", 3, "Key ring actions", 0, NULL},
    {"policies", 4, "Policy actions", 0, NULL},
    {"import-token", 5, "Import token actions", 0, NULL},
    {"registrations", 6, "Registration actions", 0, NULL},
    {"tke", 7, "Trusted Key Entry actions", 14, "Trusted Key Entry events"},
    {"mtlscert", 8, "Certificate manager actions", 15,
	"Certificate manager events"},
    {"kmip", 9,
	"Description of actions that generate events for the KMIP for VMware "
	"service",
	0, "KMIP for VMware events"},
    {"keystore", 10, "EP11 keystore actions", 18, "EP11 keystore events"},
    {"ep11", 11, "EP11 crypto actions", 19, "EP11 crypto events"},
};

static const struct {
	enum hsa_action action;
	const char *heading;
} sections[] = {
#define VAL_SECTION(ACTION, heading) {HSA_ACTION_##ACTION, heading},
#include "val_section.def"
#undef VAL_SECTION
};

const struct val_family *
val_family(const struct hsa_action_row *row)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strcmp(families[i].name, row->family) == 0)
			return &families[i];
	return NULL;
}

const char *
val_section_next(const struct hsa_action_row *row, size_t *at)
{
	while (*at < sizeof(sections) / sizeof(sections[0])) {
		size_t i = (*at)++;

		if (sections[i].action == row->code)
			return sections[i].heading;
	}
	return NULL;
}
