# The milter library: everything that touches the world. Both programs link it,
# so that `tocsin scan` and the daemon cannot disagree.
noinst_LIBRARIES += libtocsin.a
libtocsin_a_SOURCES =
libtocsin_a_CPPFLAGS = $(MILTER_CPPFLAGS)
MILTER_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/policy -I$(top_srcdir)/milter
MILTER_LIBS = libtocsin.a libpolicy.a $(TOCSIN_LIBS)

include milter/message/local.mk
include milter/dns/local.mk
include milter/auth/local.mk
include milter/scanner/local.mk
include milter/evidence/local.mk
include milter/outcome/local.mk
include milter/session/local.mk
include milter/daemon/local.mk
include milter/tool/local.mk
