# SPDX-License-Identifier: MIT
# Manual pages, written in POD as collectd's are and translated at make time.
# A page NAME of section S is a line here and a file man/NAME.pod.

man_pages = \
	man/collectd-cgroup_adjust.5 \
	man/collectd-docker_events.5 \
	man/collectd-docker_stats.5 \
	man/collectd-write_table.5 \
	man/tallyman.7
man_pods = \
	man/collectd-cgroup_adjust.pod \
	man/collectd-docker_events.pod \
	man/collectd-docker_stats.pod \
	man/collectd-write_table.pod \
	man/tallyman.pod

if HAVE_POD2MAN
man_MANS += $(man_pages)
CLEANFILES += $(man_pages)
endif
EXTRA_DIST += $(man_pods)

# Paths are known at make time only: they may be given to make.
substitute_paths = $(SED) -e 's|@pkgdatadir[@]|$(pkgdatadir)|g' \
	-e 's|@docdir[@]|$(docdir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g'

pod_to_man = $(MKDIR_P) $(@D) && $(substitute_paths) $< | \
	$(POD2MAN) --utf8 --name="`basename $@ | $(SED) 's/\.[57]$$//'`" \
	  --center='tallyman' --release='$(PACKAGE_STRING)' \
	  --date='$(PACKAGE_VERSION)'

SUFFIXES = .pod .5 .7
.pod.5:
	$(AM_V_GEN)$(pod_to_man) --section=5 >$@.tmp && mv $@.tmp $@
.pod.7:
	$(AM_V_GEN)$(pod_to_man) --section=7 >$@.tmp && mv $@.tmp $@

# The example configuration.
doc_DATA += conf/tallyman.conf
CLEANFILES += conf/tallyman.conf
EXTRA_DIST += conf/tallyman.conf.in
conf/tallyman.conf: conf/tallyman.conf.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(substitute_paths) \
	  $(srcdir)/conf/tallyman.conf.in >$@.tmp && mv $@.tmp $@
