/*
 * indicators_report - what `tocsin indicators` prints
 */
#ifndef TOCSIN_TOOL_INDICATORS_REPORT_H
#define TOCSIN_TOOL_INDICATORS_REPORT_H

#include "indicator/build.h"
#include "indicator/match.h"

/* `note` (or NULL): one line more for the operator. */
void indicators_report_build(
    const struct build_report *report, const char *note, bool json);

/* What the store holds, and the warninglists as they are now. */
void indicators_report_stat(const struct store *store,
    const struct exempt *exempt, int64_t now_unix, bool json);

/* Exit status: 0 when an indicator would act, 1 when none does. */
int indicators_report_query(const struct match_answers *answers,
    const char *value, const struct exempt_config *exempt, struct arena *arena,
    bool json);

/* The hand-added ones, and why some do not act. */
void indicators_report_list(const struct matcher *matcher,
    const struct overlay *overlay, struct arena *arena, int64_t now_unix,
    bool json);

/* What does not act, by the last build (NULL: none) and by what stands in
 * local.indicators now. */
void indicators_report_suppressed(const struct store *store,
    const struct overlay *overlay, struct arena *arena, bool json);

void indicators_report_explain(
    const struct build_explanation *explanation, bool json);

/* `pattern PATTERN OBSERVED.json`: prints true, false or unknown and the
 * comparison that decided; returns an exit status. */
int indicators_report_pattern(int count, char **words, bool json);

#endif
