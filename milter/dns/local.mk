# sources of milter/dns
libtocsin_a_SOURCES += \
	milter/dns/dns.h \
	milter/dns/lookups.h \
	milter/dns/resolver.h \
	milter/dns/resolver_unbound.h \
	milter/dns/resolver_zone.h
