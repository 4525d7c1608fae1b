# SPDX-License-Identifier: MIT
# tallyman-agentx: a library with everything, for the daemon and for the tests,
# and a main.c. A new source file is a line in one of the two lists.

agentx_cppflags = -I$(srcdir)/lib -I$(srcdir)/snmp-subagent -I$(builddir) \
	-DTALLY_STATE_DIR='"$(localstatedir)/lib/tallyman-agentx"'
agentx_cflags = $(AM_CFLAGS) $(AGENTX_CFLAGS) $(SYSTEMD_CFLAGS)
agentx_libs = $(AGENTX_LIBS) $(SYSTEMD_LIBS)

# These do not know net-snmp …
agentx_mib_files = \
	snmp-subagent/agentx.c \
	snmp-subagent/agentx.h \
	snmp-subagent/board.c \
	snmp-subagent/mib.c \
	snmp-subagent/mib.h \
	snmp-subagent/mib_alarms.c \
	snmp-subagent/mib_containers.c \
	snmp-subagent/mib_disks.c \
	snmp-subagent/mib_interfaces.c \
	snmp-subagent/mib_node.c \
	snmp-subagent/mib_private.h \
	snmp-subagent/mib_sinks.c \
	snmp-subagent/mib_value.c \
	snmp-subagent/view.c \
	snmp-subagent/view.h \
	snmp-subagent/view_private.h
agentx_files = \
	$(agentx_mib_files) \
	snmp-subagent/agent.h \
	snmp-subagent/alarms.c \
	snmp-subagent/alarms.h \
	snmp-subagent/alarms_book.c \
	snmp-subagent/alarms_book.h \
	snmp-subagent/alarms_containers.c \
	snmp-subagent/alarms_disks.c \
	snmp-subagent/alarms_node.c \
	snmp-subagent/alarms_private.h \
	snmp-subagent/alarms_sinks.c \
	snmp-subagent/limiter.c \
	snmp-subagent/limiter.h \
	snmp-subagent/log_queue.c \
	snmp-subagent/log_queue.h \
	snmp-subagent/notices.c \
	snmp-subagent/notices.h \
	snmp-subagent/service.c \
	snmp-subagent/service.h \
	snmp-subagent/settings.c \
	snmp-subagent/settings.h \
	snmp-subagent/settings_directives.c \
	snmp-subagent/settings_rules.c \
	snmp-subagent/settings_rules.h \
	snmp-subagent/settings_words.c \
	snmp-subagent/settings_words.h \
	snmp-subagent/sinks.c \
	snmp-subagent/sinks.h \
	snmp-subagent/sinks_client.c \
	snmp-subagent/sinks_client.h \
	snmp-subagent/steady.c \
	snmp-subagent/steady.h \
	snmp-subagent/text_pages.c \
	snmp-subagent/text_pages.h \
	snmp-subagent/trap_objects.c \
	snmp-subagent/trap_objects.h \
	snmp-subagent/watch.c \
	snmp-subagent/watch.h \
	snmp-subagent/watch_containers.c \
	snmp-subagent/watch_docker.c \
	snmp-subagent/watch_events.c \
	snmp-subagent/watch_images.c \
	snmp-subagent/watch_node.c \
	snmp-subagent/watch_pace.c \
	snmp-subagent/watch_private.h
# … and these are all that do.
agentx_snmp_files = \
	snmp-subagent/agent.c \
	snmp-subagent/answer.c \
	snmp-subagent/answer.h \
	snmp-subagent/answer_direct.c \
	snmp-subagent/answer_private.h \
	snmp-subagent/directives.c \
	snmp-subagent/directives.h \
	snmp-subagent/master.c \
	snmp-subagent/master.h \
	snmp-subagent/traps.c \
	snmp-subagent/traps.h

EXTRA_DIST += $(agentx_files) $(agentx_snmp_files)

if BUILD_TALLYMAN_AGENTX
noinst_LTLIBRARIES += libtallyagentx.la
endif

# Linked by whoever links it with libtallyman.la, or, for unit tests, with the
# library in which everything can be seen.
libtallyagentx_la_SOURCES = $(agentx_files) $(agentx_snmp_files)
libtallyagentx_la_CPPFLAGS = $(agentx_cppflags)
libtallyagentx_la_CFLAGS = $(agentx_cflags)
libtallyagentx_la_LIBADD = $(agentx_libs)

# The MIB module, with the root arc that was chosen. Each arc between it and
# enterprises gets a name of its own: a module may not use nodes without one.
mibsdir = $(datadir)/snmp/mibs
basicmibsdir = $(pkgdatadir)/basic-mibs
basic_mibs = \
	snmp-subagent/basic-mibs/HCNUM-TC.txt \
	snmp-subagent/basic-mibs/SNMP-FRAMEWORK-MIB.txt \
	snmp-subagent/basic-mibs/SNMPv2-CONF.txt \
	snmp-subagent/basic-mibs/SNMPv2-SMI.txt \
	snmp-subagent/basic-mibs/SNMPv2-TC.txt
EXTRA_DIST += snmp-subagent/TALLYMAN-MIB.txt.in $(basic_mibs)
CLEANFILES += snmp-subagent/TALLYMAN-MIB.txt
if BUILD_TALLYMAN_AGENTX
mibs_DATA = snmp-subagent/TALLYMAN-MIB.txt
basicmibs_DATA = $(basic_mibs)
endif

snmp-subagent/TALLYMAN-MIB.txt: snmp-subagent/TALLYMAN-MIB.txt.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && echo '$(TALLYMAN_ROOT_ARCS)' | $(AWK) '{ \
	    up = "enterprises"; \
	    for (i = 1; i < NF; i++) { \
	      nodes = nodes "tallyRoot" i " OBJECT IDENTIFIER ::= { " \
	        up " " $$i " }\\n"; \
	      up = "tallyRoot" i \
	    } \
	    print "s/@TALLYMAN_ROOT@/" up " " $$NF "/"; \
	    print "s/@TALLYMAN_ROOT_NODES@/" nodes "/" }' >$@.sed && \
	  $(SED) -f $@.sed $(srcdir)/$@.in >$@.tmp && rm $@.sed && mv $@.tmp $@

if BUILD_TALLYMAN_AGENTX
sbin_PROGRAMS += tallyman-agentx
endif
tallyman_agentx_SOURCES = snmp-subagent/main.c
tallyman_agentx_CPPFLAGS = $(agentx_cppflags)
tallyman_agentx_CFLAGS = $(agentx_cflags)
tallyman_agentx_LDADD = libtallyagentx.la libtallyman.la
tallyman_agentx_LDFLAGS = $(AM_LDFLAGS)

# For a service manager.
EXTRA_DIST += \
	snmp-subagent/tallyman-agentx.service.in \
	snmp-subagent/tallyman.sysusers
CLEANFILES += \
	snmp-subagent/tallyman-agentx.service \
	snmp-subagent/tallyman.conf
if BUILD_TALLYMAN_AGENTX
if HAVE_SYSTEMD_UNITS
systemdsystemunit_DATA = snmp-subagent/tallyman-agentx.service
endif
if HAVE_SYSUSERS
sysusers_DATA = snmp-subagent/tallyman.conf
endif
endif

snmp-subagent/tallyman-agentx.service: \
		snmp-subagent/tallyman-agentx.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(substitute_paths) \
	  $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
# The name that it has where it is installed.
snmp-subagent/tallyman.conf: snmp-subagent/tallyman.sysusers
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	  cp $(srcdir)/snmp-subagent/tallyman.sysusers $@.tmp && mv $@.tmp $@
