# sources of policy/indicator
libpolicy_a_SOURCES += \
	policy/indicator/broad_pattern.c policy/indicator/broad_pattern.h \
	policy/indicator/broad_sample.c policy/indicator/broad_sample.h \
	policy/indicator/build.c policy/indicator/build.h \
	policy/indicator/build_explain.c \
	policy/indicator/build_generation.c \
	policy/indicator/build_generation.h \
	policy/indicator/build_history.c policy/indicator/build_history.h \
	policy/indicator/build_image.c policy/indicator/build_image.h \
	policy/indicator/build_limit.c policy/indicator/build_limit.h \
	policy/indicator/build_rules.c policy/indicator/build_rules.h \
	policy/indicator/build_run.c \
	policy/indicator/build_versions.c \
	policy/indicator/exempt.c policy/indicator/exempt.h \
	policy/indicator/feed.c policy/indicator/feed.h \
	policy/indicator/feed_file.c policy/indicator/feed_file.h \
	policy/indicator/feed_folder.c policy/indicator/feed_folder.h \
	policy/indicator/feed_form.c policy/indicator/feed_form.h \
	policy/indicator/feed_reader.c policy/indicator/feed_reader.h \
	policy/indicator/feed_column.c policy/indicator/feed_column.h \
	policy/indicator/feed_csv.c \
	policy/indicator/feed_json.c \
	policy/indicator/feed_list.c \
	policy/indicator/feed_misp.c \
	policy/indicator/feed_row.c \
	policy/indicator/feed_rule.c policy/indicator/feed_rule.h \
	policy/indicator/feed_stix.c \
	policy/indicator/feed_type.c policy/indicator/feed_type.h \
	policy/indicator/json_split.c policy/indicator/json_split.h \
	policy/indicator/kind.c policy/indicator/kind.h \
	policy/indicator/match.c policy/indicator/match.h \
	policy/indicator/match_query.c policy/indicator/match_query.h \
	policy/indicator/normal.c policy/indicator/normal.h \
	policy/indicator/overlay.c policy/indicator/overlay.h \
	policy/indicator/overlay_file.c policy/indicator/overlay_file.h \
	policy/indicator/overlay_lines.c policy/indicator/overlay_lines.h \
	policy/indicator/store.c policy/indicator/store.h \
	policy/indicator/stix_expressions.c \
	policy/indicator/stix_expressions.h \
	policy/indicator/stix_field.c policy/indicator/stix_field.h \
	policy/indicator/stix_judge.c policy/indicator/stix_judge.h \
	policy/indicator/stix_marking.c policy/indicator/stix_marking.h \
	policy/indicator/stix_pattern.c policy/indicator/stix_pattern.h \
	policy/indicator/stix_program.c policy/indicator/stix_program.h \
	policy/indicator/stix_view.c policy/indicator/stix_view.h \
	policy/indicator/store_format.h \
	policy/indicator/warninglist.c policy/indicator/warninglist.h
