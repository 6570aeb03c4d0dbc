# sources of milter/dns
libtocsin_a_SOURCES += \
	milter/dns/dns.c milter/dns/dns.h \
	milter/dns/lookups.c milter/dns/lookups.h \
	milter/dns/reply_cache.c milter/dns/reply_cache.h \
	milter/dns/resolver.c milter/dns/resolver.h \
	milter/dns/resolver_none.c milter/dns/resolver_none.h \
	milter/dns/resolver_unbound.c milter/dns/resolver_unbound.h \
	milter/dns/resolver_zone.c milter/dns/resolver_zone.h
