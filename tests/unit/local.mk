# cmocka programs, one .mk per area. A program NAME is tests/unit/NAME.c.
include tests/unit/base.mk
include tests/unit/indicator.mk
include tests/unit/language.mk
include tests/unit/message.mk
include tests/unit/dns.mk
include tests/unit/auth.mk
include tests/unit/scanner.mk
include tests/unit/evidence.mk
include tests/unit/daemon.mk
