# sources of policy/language
libpolicy_a_SOURCES += \
	policy/language/eval.h \
	policy/language/explain.h \
	policy/language/facts.h \
	policy/language/language_test.h \
	policy/language/load.h \
	policy/language/print.h \
	policy/language/program.h \
	policy/language/schema.h \
	policy/language/settings.h \
	policy/language/value.h \
	policy/language/value_list.h \
	policy/language/verdict.h
