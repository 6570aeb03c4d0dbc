# What tests are made of: TAP, scripted DNS, signer, milter client, Postfix.
SCRIPT_TESTS += tests/support/support_test.py
EXTRA_DIST += \
	tests/support/dkim_signer.py \
	tests/support/dns_server.py \
	tests/support/filter.py \
	tests/support/milter_client.py \
	tests/support/postfix.py \
	tests/support/run_tests \
	tests/support/samples.py \
	tests/support/sendmail.py \
	tests/support/tap.py \
	tests/support/wrap.py \
	tests/support/wrap_doc.py \
	tests/support/wrap_hidden.py \
	tests/support/wrap_zip.py

# GMime, for a differential test and a row of the bench.
OTHER_READER = tests/support/other_reader.c tests/support/other_reader.h
if GMIME
OTHER_READER_CPPFLAGS = -DWITH_GMIME $(GMIME_CFLAGS)
else
OTHER_READER_CPPFLAGS =
endif
