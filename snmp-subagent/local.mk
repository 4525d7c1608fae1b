# SPDX-License-Identifier: MIT
# tallyman-agentx: a library with everything, for the daemon and for the tests,
# and a main.c. Only the files of agentx_snmp_files know net-snmp.

agentx_cppflags = -I$(srcdir)/lib -I$(srcdir)/snmp-subagent -I$(builddir)
agentx_cflags = $(AM_CFLAGS) $(AGENTX_CFLAGS) $(SYSTEMD_CFLAGS)
agentx_libs = $(AGENTX_LIBS) $(SYSTEMD_LIBS)

agentx_files = \
	snmp-subagent/agent.h \
	snmp-subagent/alarms.h \
	snmp-subagent/mib.h \
	snmp-subagent/notices.h \
	snmp-subagent/settings.h \
	snmp-subagent/sinks.h \
	snmp-subagent/view.h \
	snmp-subagent/watch.h
EXTRA_DIST += $(agentx_files)
