# The policy library: decides. No sockets, no DNS, no threads of its own.
noinst_LIBRARIES += libpolicy.a
libpolicy_a_SOURCES =
libpolicy_a_CPPFLAGS = $(POLICY_CPPFLAGS)
POLICY_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/policy

include policy/base/local.mk
include policy/indicator/local.mk
include policy/language/local.mk
include policy/rules/local.mk
