# The shipped rules and the manual of the language, run by the programs.
SCRIPT_TESTS += \
	tests/policy/pack_test.py \
	tests/policy/pack_mail_test.py \
	tests/policy/completion_test.py \
	tests/policy/manual_test.py \
	tests/policy/sentences_test.py
