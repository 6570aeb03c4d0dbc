# sources of policy/indicator
libpolicy_a_SOURCES += \
	policy/indicator/kind.c policy/indicator/kind.h
