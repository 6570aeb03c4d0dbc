#include <config.h>

#include "indicator/build_limit.h"

size_t
build_limit_room(
    const struct build_request *request, const struct feed_config *config)
{
	size_t all = request->limits.entries_max;

	if (config->indicators_max != 0 && config->indicators_max < all)
		return config->indicators_max;
	return request->feed_count > 1 && config->indicators_max == 0
		   ? all - all / 2
		   : all;
}

static const char *
text_of(enum feed_limit limit)
{
	switch (limit) {
	case FEED_LIMIT_MAX_INDICATORS:
	case FEED_LIMIT_INDICATORS:
		return "indicators too many";
	case FEED_LIMIT_PER_VALUE:
		return "indicators too many of one value";
	case FEED_LIMIT_UNKEYED_PATTERNS:
		return "patterns without a value to look up too many";
	case FEED_LIMIT_YARA_RULES:
		return "YARA rules too many";
	case FEED_LIMIT_SUPPRESSED:
		return "suppressed indicators too many to be listed";
	case FEED_LIMIT_REVOKED:
		return "revoked indicators too many to be remembered";
	case FEED_LIMIT_LINE:
		return "lines or rows too long";
	case FEED_LIMIT_COLUMNS:
		return "rows too wide";
	case FEED_LIMIT_OBJECT:
		return "objects too large";
	case FEED_LIMIT_DEPTH:
		return "objects nested too deeply";
	case FEED_LIMIT_PATTERN:
		return "patterns too long";
	case FEED_LIMIT_PATTERN_TERMS:
		return "patterns with too many terms";
	case FEED_LIMIT_FILES:
		return "files too many";
	case FEED_LIMITS:
		break;
	}
	return "";
}

static uint64_t
value_of(const struct build_limits *limits, enum feed_limit limit)
{
	switch (limit) {
	case FEED_LIMIT_INDICATORS:
		return limits->entries_max;
	case FEED_LIMIT_PER_VALUE:
		return limits->same_key_max;
	case FEED_LIMIT_UNKEYED_PATTERNS:
		return limits->unkeyed_patterns_max;
	case FEED_LIMIT_YARA_RULES:
		return limits->rules_max;
	case FEED_LIMIT_SUPPRESSED:
		return limits->suppressed_max;
	case FEED_LIMIT_REVOKED:
		return limits->revoked_max;
	case FEED_LIMIT_LINE:
		return limits->feed.line_bytes_max;
	case FEED_LIMIT_COLUMNS:
		return limits->feed.columns_max;
	case FEED_LIMIT_OBJECT:
		return limits->feed.object_bytes_max;
	case FEED_LIMIT_DEPTH:
		return limits->feed.json_depth_max;
	case FEED_LIMIT_PATTERN:
		return limits->feed.pattern_bytes_max;
	case FEED_LIMIT_PATTERN_TERMS:
		return limits->feed.pattern_atoms_max;
	case FEED_LIMIT_FILES:
		return limits->feed.files_max;
	case FEED_LIMIT_MAX_INDICATORS:
	case FEED_LIMITS:
		break;
	}
	return 0;
}

const char *
build_limit_text(struct arena *arena, const struct build_request *request,
    const struct feed_config *config, enum feed_limit limit, uint64_t count)
{
	bool own = limit == FEED_LIMIT_MAX_INDICATORS;
	uint64_t value = own ? build_limit_room(request, config)
			     : value_of(&request->limits, limit);

	return arena_printf(arena, "%llu %s for %s%s { %s %llu }",
	    (unsigned long long)count, text_of(limit), own ? "feed " : "",
	    own ? config->name : "limits", feed_limit_name(limit),
	    (unsigned long long)value);
}

const char *
build_limit_steps(
    struct arena *arena, const struct exempt_config *exempt, uint64_t count)
{
	if (count == 0)
		return NULL;
	return arena_printf(arena,
	    "regular expressions of warninglists were given up %llu times: too "
	    "many steps for limits { regex-steps %u }",
	    (unsigned long long)count, exempt->limits.regex_steps_max);
}
