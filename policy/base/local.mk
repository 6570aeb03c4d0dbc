libpolicy_a_SOURCES += \
	policy/base/address.c policy/base/address.h \
	policy/base/arena.c policy/base/arena.h \
	policy/base/block_cache.c policy/base/block_cache.h \
	policy/base/builder.c policy/base/builder.h \
	policy/base/compose.c policy/base/compose.h \
	policy/base/diag.c policy/base/diag.h \
	policy/base/domain.c policy/base/domain.h \
	policy/base/ipaddr.c policy/base/ipaddr.h \
	policy/base/list.c policy/base/list.h \
	policy/base/log.c policy/base/log.h \
	policy/base/mime_defect.c policy/base/mime_defect.h \
	policy/base/scan_reason.c policy/base/scan_reason.h \
	policy/base/slice.c policy/base/slice.h \
	policy/base/status.c policy/base/status.h \
	policy/base/table.c policy/base/table.h \
	policy/base/url_canonical.c policy/base/url_canonical.h \
	policy/base/utf8.c policy/base/utf8.h
