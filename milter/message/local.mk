# sources of milter/message
libtocsin_a_SOURCES += \
	milter/message/address.h \
	milter/message/charset.h \
	milter/message/digest.h \
	milter/message/encoded_word.h \
	milter/message/header.h \
	milter/message/html.h \
	milter/message/message.h \
	milter/message/mime.h \
	milter/message/param.h \
	milter/message/transfer.h \
	milter/message/url.h
