# SPDX-License-Identifier: MIT
# Manual pages, written in POD as collectd's are and translated at make time.
# A page NAME of section S is a line here and a file man/NAME.pod.

man_pages = \
	man/collectd-cgroup_adjust.5 \
	man/collectd-docker_events.5 \
	man/collectd-docker_logs.5 \
	man/collectd-docker_stats.5 \
	man/collectd-write_cloudwatch.5 \
	man/collectd-write_kinesis.5 \
	man/collectd-write_table.5 \
	man/tallyman-agentx.8 \
	man/tallyman-agentx.conf.5 \
	man/tallyman.7
man_pods = \
	man/collectd-cgroup_adjust.pod \
	man/collectd-docker_events.pod \
	man/collectd-docker_logs.pod \
	man/collectd-docker_stats.pod \
	man/collectd-write_cloudwatch.pod \
	man/collectd-write_kinesis.pod \
	man/collectd-write_table.pod \
	man/tallyman-agentx.pod \
	man/tallyman-agentx.conf.pod \
	man/tallyman.pod

if HAVE_POD2MAN
man_MANS += $(man_pages)
CLEANFILES += $(man_pages)
endif
EXTRA_DIST += $(man_pods)

# Paths are known at make time only: they may be given to make.
substitute_paths = $(SED) -e 's|@pkgdatadir[@]|$(pkgdatadir)|g' \
	-e 's|@datadir[@]|$(datadir)|g' \
	-e 's|@docdir[@]|$(docdir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g' \
	-e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@TALLYMAN_ROOT_OID[@]|$(TALLYMAN_ROOT_OID)|g'

pod_to_man = $(MKDIR_P) $(@D) && $(substitute_paths) $< | \
	$(POD2MAN) --utf8 --name="`basename $@ | $(SED) 's/\.[578]$$//'`" \
	  --center='tallyman' --release='$(PACKAGE_STRING)' \
	  --date='$(PACKAGE_VERSION)'

SUFFIXES = .pod .5 .7 .8
.pod.5:
	$(AM_V_GEN)$(pod_to_man) --section=5 >$@.tmp && mv $@.tmp $@
.pod.7:
	$(AM_V_GEN)$(pod_to_man) --section=7 >$@.tmp && mv $@.tmp $@
.pod.8:
	$(AM_V_GEN)$(pod_to_man) --section=8 >$@.tmp && mv $@.tmp $@

# The example configurations.
example_configurations = \
	conf/snmpd-tallyman.conf \
	conf/tallyman-agentx.conf \
	conf/tallyman.conf
doc_DATA += $(example_configurations)
CLEANFILES += $(example_configurations)
EXTRA_DIST += \
	conf/snmpd-tallyman.conf.in \
	conf/tallyman-agentx.conf.in \
	conf/tallyman.conf.in

$(example_configurations): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(substitute_paths) \
	  $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/snmpd-tallyman.conf: conf/snmpd-tallyman.conf.in
conf/tallyman-agentx.conf: conf/tallyman-agentx.conf.in
conf/tallyman.conf: conf/tallyman.conf.in
