# sources of policy/language
libpolicy_a_SOURCES += \
	policy/language/ast.h \
	policy/language/check.c policy/language/check.h \
	policy/language/check_expr.c policy/language/check_expr.h \
	policy/language/check_operand.c policy/language/check_operand.h \
	policy/language/check_settings.c policy/language/check_settings.h \
	policy/language/check_text.c policy/language/check_text.h \
	policy/language/compiled.h \
	policy/language/cursor.c policy/language/cursor.h \
	policy/language/ends.c policy/language/ends.h \
	policy/language/eval.c policy/language/eval.h \
	policy/language/eval_node.c policy/language/eval_node.h \
	policy/language/expand.c policy/language/expand.h \
	policy/language/explain.c policy/language/explain.h \
	policy/language/facts.c policy/language/facts.h \
	policy/language/foregone.c policy/language/foregone.h \
	policy/language/foreign.c policy/language/foreign.h \
	policy/language/given.c policy/language/given.h \
	policy/language/language_test.c policy/language/language_test.h \
	policy/language/lex.c policy/language/lex.h \
	policy/language/load.c policy/language/load.h \
	policy/language/lookalike.c policy/language/lookalike.h \
	policy/language/misfit.c policy/language/misfit.h \
	policy/language/moment.c policy/language/moment.h \
	policy/language/multi_search.h \
	policy/language/node.c policy/language/node.h \
	policy/language/parse.c policy/language/parse.h \
	policy/language/parse_expr.c policy/language/parse_expr.h \
	policy/language/parse_test.c policy/language/parse_test.h \
	policy/language/occurrence.c policy/language/occurrence.h \
	policy/language/pattern_set.c policy/language/pattern_set.h \
	policy/language/print.c policy/language/print.h \
	policy/language/program.c policy/language/program.h \
	policy/language/read.c policy/language/read.h \
	policy/language/regex.c policy/language/regex.h \
	policy/language/schema.c policy/language/schema.h \
	policy/language/scope.c policy/language/scope.h \
	policy/language/settings.c policy/language/settings.h \
	policy/language/superset.c policy/language/superset.h \
	policy/language/value.c policy/language/value.h \
	policy/language/value_list.c policy/language/value_list.h \
	policy/language/verdict.c policy/language/verdict.h

# Many patterns in one pass: one variant or the other (configure's
# --with-vectorscan).
if VECTORSCAN
libpolicy_a_SOURCES += policy/language/multi_search_vectorscan.c
else
libpolicy_a_SOURCES += policy/language/multi_search_none.c
endif
