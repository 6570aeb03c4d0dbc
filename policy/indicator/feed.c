#include <config.h>

#include <sys/stat.h>

#include "indicator/feed_file.h"
#include "indicator/feed_folder.h"
#include "indicator/feed_form.h"
#include "indicator/feed_reader.h"

#define LEFT_OUT_MAX      200u
#define SCRATCH_BYTES_MAX (64u << 20)

static const char *const format_names[FEED_FORMATS] = {
	[FEED_FORMAT_AUTO] = "auto",
	[FEED_FORMAT_LIST] = "list",
	[FEED_FORMAT_HOSTS] = "hosts",
	[FEED_FORMAT_LOKI] = "loki",
	[FEED_FORMAT_CSV] = "csv",
	[FEED_FORMAT_STIX] = "stix",
	[FEED_FORMAT_MISP] = "misp",
	[FEED_FORMAT_YARA] = "yara",
	[FEED_FORMAT_URLHAUS] = "urlhaus",
	[FEED_FORMAT_THREATFOX] = "threatfox",
	[FEED_FORMAT_FEODO] = "feodo",
	[FEED_FORMAT_BAZAAR] = "bazaar",
	[FEED_FORMAT_MISP_CSV] = "misp-csv",
	[FEED_FORMAT_LOCAL] = "local",
	[FEED_FORMAT_JSON] = "json",
};

static const char *const column_names[FEED_COLUMN_ROLES] = {
	[FEED_COLUMN_VALUE] = "value",
	[FEED_COLUMN_TYPE] = "type",
	[FEED_COLUMN_ID] = "id",
	[FEED_COLUMN_FIRST_SEEN] = "first-seen",
	[FEED_COLUMN_LAST_SEEN] = "last-seen",
	[FEED_COLUMN_VALID_UNTIL] = "valid-until",
	[FEED_COLUMN_SEVERITY] = "severity",
	[FEED_COLUMN_CONFIDENCE] = "confidence",
	[FEED_COLUMN_TAGS] = "tags",
	[FEED_COLUMN_DESCRIPTION] = "description",
	[FEED_COLUMN_TLP] = "tlp",
	[FEED_COLUMN_TO_IDS] = "to-ids",
};

static const struct {
	const char *name;
	const char *text;
} reasons[FEED_REASONS] = {
	[FEED_USED] = { "used", "in use" },
	[FEED_NOT_VISIBLE] = { "not-visible",
	    "of a type that mail cannot show" },
	[FEED_NOT_INDICATOR] = { "not-indicator",
	    "headings, comments, reports: not among what was read" },
	[FEED_BAD_VALUE] = { "bad-value", "the value is not of its type" },
	[FEED_BAD_OBJECT] = { "bad-object",
	    "not readable: broken JSON, a missing column or member" },
	[FEED_BAD_PATTERN] = { "bad-pattern",
	    "the STIX pattern does not parse" },
	[FEED_UNSUPPORTED_PATTERN] = { "unsupported-pattern",
	    "a pattern that a single message cannot be judged by" },
	[FEED_NO_STRONG_PART] = { "no-visible-part",
	    "a pattern that mail could never make true" },
	[FEED_REVOKED] = { "revoked", "revoked or deleted by its publisher" },
	[FEED_TO_IDS] = { "to-ids", "marked to_ids=false" },
	[FEED_KIND_OFF] = { "kind-off", "not among the kinds of this feed" },
	[FEED_LOW_CONFIDENCE] = { "low-confidence",
	    "below the feed's minimum-confidence" },
	[FEED_OLDER] = { "older", "an older version of one that we have" },
	[FEED_REPEATED] = { "repeated", "the same once more" },
	[FEED_SUPPRESSED] = { "suppressed",
	    "on a warninglist; `tocsin indicators suppressed` names them" },
	[FEED_TOO_BROAD] = { "too-broad",
	    "would match too much, or is our own; `tocsin "
	    "indicators suppressed` names them" },
	[FEED_TOO_MANY] = { "too-many", "beyond a limit" },
	[FEED_DEFANGED] = { "defanged",
	    "defanged; `refang on` undoes that in lists and CSV" },
};

static const char *const limit_names[FEED_LIMITS] = {
	[FEED_LIMIT_MAX_INDICATORS] = "max-indicators",
	[FEED_LIMIT_INDICATORS] = "indicators",
	[FEED_LIMIT_PER_VALUE] = "indicators-per-value",
	[FEED_LIMIT_UNKEYED_PATTERNS] = "unkeyed-patterns",
	[FEED_LIMIT_YARA_RULES] = "feed-yara-rules",
	[FEED_LIMIT_SUPPRESSED] = "suppressed-listed",
	[FEED_LIMIT_REVOKED] = "revoked-indicators",
	[FEED_LIMIT_LINE] = "feed-line",
	[FEED_LIMIT_COLUMNS] = "feed-columns",
	[FEED_LIMIT_OBJECT] = "feed-object",
	[FEED_LIMIT_DEPTH] = "feed-depth",
	[FEED_LIMIT_PATTERN] = "feed-pattern",
	[FEED_LIMIT_PATTERN_TERMS] = "feed-pattern-terms",
	[FEED_LIMIT_FILES] = "feed-files",
};

struct feed_config
feed_config_defaults(const char *name, const char *source)
{
	return (struct feed_config){
		.name = name,
		.source = source,
		.confidence = INDICATOR_CONFIDENCE_ABSENT,
	};
}

const char *
feed_format_name(enum feed_format format)
{
	return (unsigned)format < FEED_FORMATS ? format_names[format] : "";
}

bool
feed_format_parse(struct slice word, enum feed_format *format_out)
{
	for (unsigned i = 0; i < FEED_FORMATS; i++) {
		if (i != FEED_FORMAT_LOCAL &&
		    slice_equal_text_fold(word, format_names[i])) {
			*format_out = (enum feed_format)i;
			return true;
		}
	}
	return false;
}

const char *
feed_column_role_name(enum feed_column_role role)
{
	return (unsigned)role < FEED_COLUMN_ROLES ? column_names[role] : "";
}

bool
feed_column_parse(struct slice word, struct feed_column *column_out)
{
	for (unsigned i = 0; i < FEED_COLUMN_ROLES; i++) {
		if (slice_equal_text_fold(word, column_names[i])) {
			column_out->role = (enum feed_column_role)i;
			column_out->has_kind = false;
			return true;
		}
	}
	if (!indicator_kind_parse(word, &column_out->kind))
		return false;
	column_out->role = FEED_COLUMN_VALUE;
	column_out->has_kind = true;
	return true;
}

const char *
feed_reason_name(enum feed_reason reason)
{
	return (unsigned)reason < FEED_REASONS ? reasons[reason].name : "";
}

const char *
feed_reason_text(enum feed_reason reason)
{
	return (unsigned)reason < FEED_REASONS ? reasons[reason].text : "";
}

const char *
feed_limit_name(enum feed_limit limit)
{
	return (unsigned)limit < FEED_LIMITS ? limit_names[limit] : "";
}

struct feed_limits
feed_limits_defaults(void)
{
	return (struct feed_limits){
		.large_file_bytes = 8u << 20,
		.window_bytes = 4u << 20,
		.line_bytes_max = 64000,
		.columns_max = 64,
		.object_bytes_max = 16000000,
		.json_depth_max = 64,
		.pattern_bytes_max = 64000,
		.pattern_atoms_max = 4096,
		.files_max = 100000,
	};
}

/* ------------------------------------------------------------------- reading */

static bool
reader_begin(struct feed_reader *reader)
{
	reader->scratch = arena_new(SCRATCH_BYTES_MAX, NULL);
	*reader->report =
	    (struct feed_report){ .format = reader->config->format };
	return reader->scratch != NULL;
}

enum tc_status
feed_read_bytes(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits, struct slice bytes,
    const struct feed_sink *sink, struct feed_report *report_out)
{
	struct feed_reader reader = { .config = config,
		.limits = limits,
		.sink = sink,
		.report = report_out,
		.arena = arena };
	enum tc_status status;

	if (!reader_begin(&reader))
		return TC_SYSTEM;
	report_out->files = 1;
	status = feed_form_read(&reader, bytes);
	arena_free(&reader.scratch);
	return status;
}

static void
note_left_out(struct feed_reader *reader, const char *text)
{
	const char **slot = text == NULL
				? NULL
				: list_append(reader->arena,
				      &reader->report->left_out, LEFT_OUT_MAX);

	if (slot != NULL)
		*slot = text;
}

/* A file that cannot be used does not lose the others. */
static enum tc_status
read_folder(struct feed_reader *reader, const struct feed_folder *folder)
{
	struct feed_report *report = reader->report;
	size_t count = folder->names.count;
	const char *problem = NULL;

	for (size_t i = 0; i < count && !reader->stopped; i++) {
		const char *name = folder->names.items[i];
		char *path = arena_printf(
		    reader->arena, "%s/%s", reader->config->source, name);

		if (path == NULL)
			return TC_SYSTEM;
		report->problem = NULL;
		if (feed_file_read(reader, path) == TC_OK)
			continue;
		report->files_failed++;
		note_left_out(
		    reader, arena_printf(reader->arena, "%s %s", name,
				report->problem == NULL ? "cannot be used"
							: report->problem));
		if (problem == NULL && report->left_out.count > 0)
			problem =
			    report->left_out.items[report->left_out.count - 1];
	}
	for (size_t i = 0; i < folder->left_out.count; i++)
		note_left_out(reader, folder->left_out.items[i]);
	report->left_out_count = folder->left_out_count;
	report->limits[FEED_LIMIT_FILES] = folder->too_many;
	report->problem = problem;
	report->cut_off = false; /* one of many, which costs itself */
	return count == 0 || report->files_failed < count ? TC_OK : TC_INVALID;
}

uint64_t
feed_source_bytes(
    const struct feed_config *config, const struct feed_limits *limits)
{
	struct arena *arena = arena_new(0, NULL);
	struct feed_folder folder;
	struct stat info;
	uint64_t bytes = 0;

	if (arena != NULL &&
	    feed_folder_look(arena, config, limits->files_max, &folder))
		bytes = folder.bytes;
	else if (stat(config->source, &info) == 0 && S_ISREG(info.st_mode))
		bytes = (uint64_t)info.st_size;
	arena_free(&arena);
	return bytes;
}

static enum feed_reason
take_nothing(void *context, const struct feed_item *item)
{
	(void)context;
	(void)item;
	return FEED_USED;
}

const char *
feed_look(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits)
{
	const struct feed_sink sink = { .item = take_nothing };
	struct feed_report report = { 0 };
	struct feed_reader reader = { .config = config,
		.limits = limits,
		.sink = &sink,
		.report = &report,
		.arena = arena };
	enum tc_status status = TC_OK;

	if (!reader_begin(&reader))
		return NULL;
	feed_file_look(&reader, config->source, &status);
	arena_free(&reader.scratch);
	return status == TC_INVALID ? report.problem : NULL;
}

enum tc_status
feed_read(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits, const struct feed_sink *sink,
    struct feed_report *report_out)
{
	struct feed_reader reader = { .config = config,
		.limits = limits,
		.sink = sink,
		.report = report_out,
		.arena = arena };
	struct feed_folder folder;
	enum tc_status status;

	if (!reader_begin(&reader))
		return TC_SYSTEM;
	if (feed_folder_look(arena, config, limits->files_max, &folder))
		status = read_folder(&reader, &folder);
	else
		status = feed_file_read(&reader, config->source);
	arena_free(&reader.scratch);
	return status;
}
