#include <string.h>

#include "val_answer.h"

static const struct val_answer_row rows[] = {
#define VAL_ANSWER(OF, status, tag, reason, meaning, advice, section)          \
	{VAL_OF_##OF, status, tag, reason, meaning, advice, section},
#include "val_answer.def"
#undef VAL_ANSWER
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct val_answer_row *
val_answer(size_t *n)
{
	*n = ROWS;
	return rows;
}

static bool
about(const struct val_answer_row *a, const struct hsa_action_row *row)
{
	switch (a->of) {
	case VAL_OF_TKE:
		return strcmp(row->family, "tke") == 0;
	case VAL_OF_DELETE:
		return row->code == HSA_ACTION_SECRETS_DELETE;
	case VAL_OF_LIFECYCLE:
		/* which ones these are is catalogue-notes 4's reading, and
		 * shows in their fields */
		return strstr(row->response_data, "resourceCRN:") != NULL;
	case VAL_OF_LIST:
		return row->code == HSA_ACTION_SECRETS_LIST;
	case VAL_OF_ANY:
	default:
		return true;
	}
}

static bool
closer(const struct hsa_action_row *row, uint32_t status)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].of != VAL_OF_ANY && rows[i].status == status &&
		    about(&rows[i], row))
			return true;
	return false;
}

const struct val_answer_row *
val_answer_next(const struct hsa_action_row *row, uint32_t status, size_t *at)
{
	while (*at < ROWS) {
		const struct val_answer_row *a = &rows[(*at)++];

		if ((status == 0 || a->status == status) && about(a, row) &&
		    (a->of != VAL_OF_ANY || !closer(row, a->status)))
			return a;
	}
	return NULL;
}
