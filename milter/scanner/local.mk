libtocsin_a_SOURCES += \
	milter/scanner/answer.c milter/scanner/answer.h \
	milter/scanner/carrier.c milter/scanner/carrier.h \
	milter/scanner/document.c milter/scanner/document.h \
	milter/scanner/embedded.c milter/scanner/embedded.h \
	milter/scanner/entry_name.c milter/scanner/entry_name.h \
	milter/scanner/forms.c milter/scanner/forms.h \
	milter/scanner/found.h \
	milter/scanner/guess.c milter/scanner/guess.h \
	milter/scanner/jail.c milter/scanner/jail.h \
	milter/scanner/members.c milter/scanner/members.h \
	milter/scanner/nested.c milter/scanner/nested.h \
	milter/scanner/office.c milter/scanner/office.h \
	milter/scanner/ole.c milter/scanner/ole.h \
	milter/scanner/pdf.c milter/scanner/pdf.h \
	milter/scanner/rar_files.c milter/scanner/rar_files.h \
	milter/scanner/reason.c milter/scanner/reason.h \
	milter/scanner/rtf.c milter/scanner/rtf.h \
	milter/scanner/rules.c milter/scanner/rules.h \
	milter/scanner/scanner.c milter/scanner/scanner.h \
	milter/scanner/template.c milter/scanner/template.h \
	milter/scanner/unpack.c milter/scanner/unpack.h \
	milter/scanner/wire.c milter/scanner/wire.h \
	milter/scanner/worker.c milter/scanner/worker.h \
	milter/scanner/zip_names.c milter/scanner/zip_names.h \
	milter/scanner/zygote.c milter/scanner/zygote.h
