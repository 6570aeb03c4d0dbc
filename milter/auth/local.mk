# sources of milter/auth
libtocsin_a_SOURCES += \
	milter/auth/spf.c milter/auth/spf.h \
	milter/auth/spf_engine.h \
	milter/auth/spf_libspf2.c milter/auth/spf_libspf2.h \
	milter/auth/spf_macro.c milter/auth/spf_macro.h \
	milter/auth/spf_native.c milter/auth/spf_native.h \
	milter/auth/spf_record.c milter/auth/spf_record.h

libtocsin_a_SOURCES += \
	milter/auth/arc.c milter/auth/arc.h \
	milter/auth/auth_results.c milter/auth/auth_results.h \
	milter/auth/auth_results_read.c milter/auth/auth_results_read.h \
	milter/auth/auth_results_remover.c milter/auth/auth_results_remover.h \
	milter/auth/auth_rule.c milter/auth/auth_rule.h \
	milter/auth/canonical.c milter/auth/canonical.h \
	milter/auth/dkim_engine.h \
	milter/auth/dkim_libopendkim.c milter/auth/dkim_libopendkim.h \
	milter/auth/dkim_native.c milter/auth/dkim_native.h \
	milter/auth/dkim_verify.c milter/auth/dkim_verify.h \
	milter/auth/dmarc.c milter/auth/dmarc.h \
	milter/auth/dmarc_record.c milter/auth/dmarc_record.h \
	milter/auth/signature.c milter/auth/signature.h \
	milter/auth/signing_key.c milter/auth/signing_key.h \
	milter/auth/tag_list.c milter/auth/tag_list.h
