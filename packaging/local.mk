# What is installed beside the programs, and what a release tarball holds.
dist_man_MANS += \
	packaging/man/tocsin-feeds.5 \
	packaging/man/tocsin.1 \
	packaging/man/tocsin.conf.5 \
	packaging/man/tocsind.8

docdir_examples = $(docdir)/examples
dist_examples_DATA = packaging/examples/tocsin.conf

EXAMPLE_LISTS = \
	packaging/examples/lists/cert-desk.txt \
	packaging/examples/lists/freemail.txt \
	packaging/examples/lists/own-domains.txt \
	packaging/examples/lists/partners.txt \
	packaging/examples/lists/protective-markings.txt \
	packaging/examples/lists/stolen-accounts.txt \
	packaging/examples/lists/trusted-sealers.txt
EXTRA_DIST += $(EXAMPLE_LISTS)
examplesdir = $(docdir_examples)

# The rules as shipped, to compare with; those in use are in policy.d.
shippedrulesdir = $(pkgdatadir)/rules
dist_shippedrules_DATA = $(SHIPPED_RULES)

# bash-completion finds it by the command's name.
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = packaging/completion/tocsin

SYSTEMD_SERVICES = \
	packaging/systemd/tocsin-feeds.service \
	packaging/systemd/tocsind.service
systemdsystemunit_DATA = $(SYSTEMD_SERVICES) packaging/systemd/tocsin-feeds.timer
$(SYSTEMD_SERVICES): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging/systemd && \
	sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		-e 's|@statedir[@]|$(localstatedir)/lib/tocsin|g' \
		'$<' >$@.new && mv $@.new $@
CLEANFILES += $(SYSTEMD_SERVICES)

# Configuration is the operator's: what is there already stays as it is.
TOCSIN_CONFDIR = $(DESTDIR)$(sysconfdir)/tocsin
install-data-local:
	$(MKDIR_P) '$(TOCSIN_CONFDIR)/policy.d' '$(TOCSIN_CONFDIR)/lists' \
		'$(TOCSIN_CONFDIR)/feeds.d' '$(DESTDIR)$(localstatedir)/lib/tocsin'
	@put() { test -e "$$2" || $(INSTALL_DATA) "$$1" "$$2"; }; \
	put '$(srcdir)/packaging/examples/tocsin.conf' \
		'$(TOCSIN_CONFDIR)/tocsin.conf' && \
	for list in $(EXAMPLE_LISTS); do \
		put "$(srcdir)/$$list" "$(TOCSIN_CONFDIR)/lists/$${list##*/}" || exit 1; \
	done && \
	for rule in $(SHIPPED_RULES); do \
		put "$(srcdir)/$$rule" "$(TOCSIN_CONFDIR)/policy.d/$${rule##*/}" || exit 1; \
	done

# Takes what nobody has changed, and leaves the operator's files and the state.
uninstall-local:
	@take() { ! cmp -s "$$1" "$$2" || rm -f "$$2"; }; \
	take '$(srcdir)/packaging/examples/tocsin.conf' \
		'$(TOCSIN_CONFDIR)/tocsin.conf'; \
	for list in $(EXAMPLE_LISTS); do \
		take "$(srcdir)/$$list" "$(TOCSIN_CONFDIR)/lists/$${list##*/}"; \
	done; \
	for rule in $(SHIPPED_RULES); do \
		take "$(srcdir)/$$rule" "$(TOCSIN_CONFDIR)/policy.d/$${rule##*/}"; \
	done
	-rmdir '$(TOCSIN_CONFDIR)/feeds.d' '$(TOCSIN_CONFDIR)/lists' \
		'$(TOCSIN_CONFDIR)/policy.d' '$(TOCSIN_CONFDIR)' 2>/dev/null

EXTRA_DIST += \
	.ci/run \
	packaging/build-package \
	packaging/debian \
	packaging/demonstration.py \
	packaging/quickstart \
	packaging/systemd/tocsin-feeds.service.in \
	packaging/systemd/tocsin-feeds.timer \
	packaging/systemd/tocsind.service.in

# A tarball holds whatever the repository holds: what no list above names is
# copied here, so that no header or test file is ever forgotten.
dist-hook:
	@cd '$(srcdir)' && \
	if test -e .git && git --version >/dev/null 2>&1; then git ls-files; \
	else find policy milter tests packaging -type f \
		! -path '*/.deps/*' ! -name .dirstamp ! -name '*.o' ! -name '*.pyc'; fi | \
	while read -r file; do \
		test -e '$(abs_builddir)/$(distdir)'/"$$file" || { \
			mkdir -p '$(abs_builddir)/$(distdir)'/"$${file%/*}" && \
			cp -p "$$file" '$(abs_builddir)/$(distdir)'/"$$file"; } || exit 1; \
	done

# The manual of the language: its frame, and the fields as the program knows
# them.
man_MANS += packaging/man/tocsin-policy.5
EXTRA_DIST += packaging/man/tocsin-policy.5.in
packaging/man/tocsin-policy.5: packaging/man/tocsin-policy.5.in tocsin$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) packaging/man && \
	./tocsin$(EXEEXT) fields --roff >$@.fields && \
	sed -e '/^@FIELDS@$$/{' -e 'r $@.fields' -e 'd' -e '}' \
		'$(srcdir)/packaging/man/tocsin-policy.5.in' >$@.new && \
	rm -f $@.fields && mv $@.new $@
CLEANFILES += packaging/man/tocsin-policy.5
