#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "hsa_catalogue.h"
#include "hsa_json.h"

struct column {
	const char *name;
	const char *(*value)(const struct hsa_action_row *r);
};

#define TEXT(member)                                                           \
	static const char *get_##member(const struct hsa_action_row *r)        \
	{                                                                      \
		return r->member;                                              \
	}
TEXT(name)
TEXT(family)
TEXT(listed)
TEXT(description)
TEXT(type_uri)
TEXT(type_uri_source)
TEXT(severity)
TEXT(severity_source)
TEXT(request_data)
TEXT(response_data)
TEXT(old_name)
TEXT(notes)

static const char *
get_success(const struct hsa_action_row *r)
{
	return r->success_is_200 ? "200" : "2xx";
}

static const char *
get_correlation(const struct hsa_action_row *r)
{
	return r->correlation == HSA_CORRELATION_REQUIRED ? "required"
							  : "forbidden";
}

static const char *
get_data_event(const struct hsa_action_row *r)
{
	return r->data_event ? "true" : "false";
}

static const struct column columns[] = {
    {"action", get_name},
    {"family", get_family},
    {"listed", get_listed},
    {"description", get_description},
    {"target_type_uri", get_type_uri},
    {"type_uri_source", get_type_uri_source},
    {"severity", get_severity},
    {"severity_source", get_severity_source},
    {"data_event", get_data_event},
    {"success_code", get_success},
    {"correlation_id", get_correlation},
    {"request_data", get_request_data},
    {"response_data", get_response_data},
    {"old_name", get_old_name},
    {"notes", get_notes},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
tsv(struct hsa_buf *b)
{
	size_t n;
	const struct hsa_action_row *rows = hsa_catalogue(&n);

	for (size_t c = 0; c < COLUMNS; c++)
		hsa_buf_printf(b, "%s%s", c == 0 ? "" : "\t", columns[c].name);
	hsa_buf_u8(b, '\n');
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < COLUMNS; c++)
			hsa_buf_printf(b, "%s%s", c == 0 ? "" : "\t",
			    columns[c].value(&rows[i]));
		hsa_buf_u8(b, '\n');
	}
}

static void
fields(struct hsa_jw *w, const char *key, const char *list)
{
	struct hsa_field_spec spec;
	size_t at = 0;

	hsa_jw_array(w, key);
	while (hsa_field_spec_next(list, &at, &spec)) {
		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "name", spec.name);
		hsa_jw_text(w, "type", spec.type);
		hsa_jw_bool(w, "optional", spec.optional);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

static void
json(struct hsa_buf *b)
{
	struct hsa_jw w = {.b = b};
	size_t n;
	const struct hsa_action_row *r = hsa_catalogue(&n);

	hsa_jw_array(&w, NULL);
	for (const struct hsa_action_row *end = r + n; r < end; r++) {
		hsa_jw_object(&w, NULL);
		hsa_jw_uint(&w, "code", (uint64_t)r->code);
		hsa_jw_text(&w, "action", r->name);
		hsa_jw_text(&w, "family", r->family);
		hsa_jw_text(&w, "listed", r->listed);
		hsa_jw_text(&w, "description", r->description);
		hsa_jw_text(&w, "typeURI", r->type_uri);
		hsa_jw_text(&w, "typeURISource", r->type_uri_source);
		hsa_jw_text(&w, "severity", r->severity);
		hsa_jw_text(&w, "severitySource", r->severity_source);
		hsa_jw_bool(&w, "dataEvent", r->data_event);
		hsa_jw_text(&w, "success", get_success(r));
		hsa_jw_text(&w, "correlation", get_correlation(r));
		fields(&w, "requestData", r->request_data);
		fields(&w, "responseData", r->response_data);
		if (r->old_name[0] != '\0')
			hsa_jw_text(&w, "oldName", r->old_name);
		if (r->notes[0] != '\0')
			hsa_jw_text(&w, "notes", r->notes);
		hsa_jw_end(&w);
	}
	hsa_jw_end(&w);
	hsa_buf_u8(b, '\n');
}

static const struct {
	const char *name;
	void (*make)(struct hsa_buf *b);
} formats[] = {{"md", hsa_catalogue_markdown}, {"json", json}, {"tsv", tsv}};

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *format = "md";
	struct hsa_buf b = {0};
	int o, code = CMD_OK;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "f:h", longs, NULL)) != -1)
		switch (o) {
		case 'f':
			format = optarg;
			break;
		case 'h':
			return cmd_help(&cmd_catalogue);
		default:
			return cmd_bad_option(&cmd_catalogue, argv);
		}
	if (optind != argc)
		return cmd_usage(
		    &cmd_catalogue, "%s: takes no argument", argv[optind]);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(format, formats[i].name) != 0)
			continue;
		formats[i].make(&b);
		if (!cmd_print(&cmd_catalogue, &b))
			code = CMD_USAGE;
		hsa_buf_free(&b);
		return cmd_flush(&cmd_catalogue, code);
	}
	return cmd_usage(
	    &cmd_catalogue, "no format %s; there are md, json, tsv", format);
}

const struct cmd cmd_catalogue = {
    .name = "catalogue",
    .run = run,
    .summary = "the table of events: actions, fields, severities",
    .help = "usage: hsa catalogue [--format md|json|tsv]\n\n"
	    "  -f, --format F  md (default): for reading; json, tsv: for "
	    "programs\n\n"
	    "Exit code 0: good, 2: wrong usage.\n",
};
