# Scenes: a policy, a zone, feeds and a milter dialogue in one file each, with
# what must come of it. play.c plays them in-process.
UNIT_TESTS += tests/scenes/play
tests_scenes_play_SOURCES = tests/scenes/play.c
tests_scenes_play_CPPFLAGS = $(TEST_CPPFLAGS)
tests_scenes_play_LDADD = $(MILTER_LIBS)
EXTRA_DIST += tests/scenes/README $(SCENES)

SCENES = \
	tests/scenes/abort.scene \
	tests/scenes/clean.scene \
	tests/scenes/deadline.scene \
	tests/scenes/dispositions.scene \
	tests/scenes/early-on-error.scene \
	tests/scenes/early-rcpt.scene \
	tests/scenes/early-spf.scene \
	tests/scenes/early-tag.scene \
	tests/scenes/exempt.scene \
	tests/scenes/failure-defer.scene \
	tests/scenes/forged-results.scene \
	tests/scenes/hostile-values.scene \
	tests/scenes/indicator-defanged.scene \
	tests/scenes/indicator-domain.scene \
	tests/scenes/indicator-kinds.scene \
	tests/scenes/judge-own.scene \
	tests/scenes/limit-authors.scene \
	tests/scenes/limit.scene \
	tests/scenes/marks.scene \
	tests/scenes/null-sender.scene \
	tests/scenes/own-login.scene \
	tests/scenes/own-network.scene \
	tests/scenes/prefix-blank.scene \
	tests/scenes/preserve-quota.scene \
	tests/scenes/several-authors.scene \
	tests/scenes/shadow.scene \
	tests/scenes/slow-dns.scene \
	tests/scenes/spoof.scene \
	tests/scenes/stolen-account.scene \
	tests/scenes/temperror.scene \
	tests/scenes/trusted-relay-claims.scene \
	tests/scenes/trusted-relay.scene
