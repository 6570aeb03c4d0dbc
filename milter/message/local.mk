# sources of milter/message
libtocsin_a_SOURCES += \
	milter/message/address.c milter/message/address.h \
	milter/message/charset.c milter/message/charset.h \
	milter/message/data_url.c milter/message/data_url.h \
	milter/message/declare.c milter/message/declare.h \
	milter/message/digest.c milter/message/digest.h \
	milter/message/encoded_word.c milter/message/encoded_word.h \
	milter/message/entity.c milter/message/entity.h \
	milter/message/escape.c milter/message/escape.h \
	milter/message/fields.c milter/message/fields.h \
	milter/message/header.c milter/message/header.h \
	milter/message/html.c milter/message/html.h \
	milter/message/html_entities.c milter/message/html_entities.h \
	milter/message/leaf.c milter/message/leaf.h \
	milter/message/line.c milter/message/line.h \
	milter/message/line_x86.c milter/message/line_x86.h \
	milter/message/message.c milter/message/message.h \
	milter/message/mime.c milter/message/mime.h \
	milter/message/multipart.c milter/message/multipart.h \
	milter/message/param.c milter/message/param.h \
	milter/message/push.c milter/message/push.h \
	milter/message/text.c milter/message/text.h \
	milter/message/transfer.c milter/message/transfer.h \
	milter/message/unfold.c milter/message/unfold.h \
	milter/message/url.c milter/message/url.h \
	milter/message/vary.c milter/message/vary.h
EXTRA_DIST += tests/support/make_html_entities
