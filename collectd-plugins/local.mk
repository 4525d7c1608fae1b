# SPDX-License-Identifier: MIT
# One .so per plugin; plugin_*.[ch] is what they share.

plugin_cppflags = $(COLLECTD_CFLAGS) -I$(srcdir)/lib \
	-DTALLY_STATE_DIR='"$(localstatedir)/lib/tallyman"'
plugin_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^module_register$$'

# What they share, compiled once and where somebody links it: a plugin does, and
# so does its test.
EXTRA_LTLIBRARIES = libtally_plugin.la libtally_plugin_format.la \
	libtally_plugin_outbox.la
CLEANFILES += $(EXTRA_LTLIBRARIES)
plugin_libs = libtally_plugin.la
libtally_plugin_la_CPPFLAGS = $(plugin_cppflags)
libtally_plugin_la_SOURCES = \
	collectd-plugins/plugin_aws.c \
	collectd-plugins/plugin_aws.h \
	collectd-plugins/plugin_counters.c \
	collectd-plugins/plugin_counters.h \
	collectd-plugins/plugin_endpoint.c \
	collectd-plugins/plugin_endpoint.h \
	collectd-plugins/plugin_name.c \
	collectd-plugins/plugin_name.h \
	collectd-plugins/plugin_util.c \
	collectd-plugins/plugin_util.h

# Outputs that carry values and notifications as text.
plugin_format_libs = libtally_plugin_format.la
libtally_plugin_format_la_CPPFLAGS = $(plugin_cppflags)
libtally_plugin_format_la_SOURCES = \
	collectd-plugins/plugin_format.c \
	collectd-plugins/plugin_format.h \
	collectd-plugins/plugin_format_graphite.c \
	collectd-plugins/plugin_format_influx.c \
	collectd-plugins/plugin_format_json.c

# Outputs that have an outbox.
plugin_outbox_libs = libtally_plugin_outbox.la
libtally_plugin_outbox_la_CPPFLAGS = $(plugin_cppflags)
libtally_plugin_outbox_la_SOURCES = \
	collectd-plugins/plugin_outbox.c \
	collectd-plugins/plugin_outbox.h \
	collectd-plugins/plugin_outbox_report.c

# A plugin NAME is added like this (and in configure.ac with TALLY_MODULE):
#
#   if BUILD_NAME
#   plugin_LTLIBRARIES += NAME.la
#   endif
#   NAME_la_SOURCES = collectd-plugins/NAME.c
#   NAME_la_CPPFLAGS = $(plugin_cppflags)
#   NAME_la_LDFLAGS = $(plugin_ldflags)
#   NAME_la_LIBADD = $(plugin_libs) libtallyman.la

docker_stats_files = collectd-plugins/docker_stats.c \
	collectd-plugins/docker_stats_identity.c \
	collectd-plugins/docker_stats_identity.h \
	collectd-plugins/docker_stats_types.c \
	collectd-plugins/docker_stats_types.h \
	collectd-plugins/docker_stats_values.c \
	collectd-plugins/docker_stats_values.h
if BUILD_DOCKER_STATS
plugin_LTLIBRARIES += docker_stats.la
endif
docker_stats_la_SOURCES = $(docker_stats_files)
docker_stats_la_CPPFLAGS = $(plugin_cppflags)
docker_stats_la_LDFLAGS = $(plugin_ldflags)
docker_stats_la_LIBADD = $(plugin_libs) libtallyman.la

docker_logs_files = collectd-plugins/docker_logs.c \
	collectd-plugins/docker_logs_routes.c \
	collectd-plugins/docker_logs_routes.h \
	collectd-plugins/docker_logs_sinks.c \
	collectd-plugins/docker_logs_sinks.h
if BUILD_DOCKER_LOGS
plugin_LTLIBRARIES += docker_logs.la
endif
docker_logs_la_SOURCES = $(docker_logs_files)
docker_logs_la_CPPFLAGS = $(plugin_cppflags)
docker_logs_la_LDFLAGS = $(plugin_ldflags)
docker_logs_la_LIBADD = $(plugin_outbox_libs) $(plugin_libs) libtallyman.la

write_table_files = collectd-plugins/write_table.c \
	collectd-plugins/write_table_format.c \
	collectd-plugins/write_table_format.h \
	collectd-plugins/write_table_model.c \
	collectd-plugins/write_table_model.h
if BUILD_WRITE_TABLE
plugin_LTLIBRARIES += write_table.la
endif
write_table_la_SOURCES = $(write_table_files)
write_table_la_CPPFLAGS = $(plugin_cppflags)
write_table_la_LDFLAGS = $(plugin_ldflags)
write_table_la_LIBADD = $(plugin_libs) libtallyman.la -lm

docker_events_files = collectd-plugins/docker_events.c \
	collectd-plugins/docker_events_counters.c \
	collectd-plugins/docker_events_counters.h \
	collectd-plugins/docker_events_notify.c \
	collectd-plugins/docker_events_notify.h
if BUILD_DOCKER_EVENTS
plugin_LTLIBRARIES += docker_events.la
endif
docker_events_la_SOURCES = $(docker_events_files)
docker_events_la_CPPFLAGS = $(plugin_cppflags)
docker_events_la_LDFLAGS = $(plugin_ldflags)
docker_events_la_LIBADD = $(plugin_libs) libtallyman.la

cgroup_adjust_files = collectd-plugins/cgroup_adjust.c \
	collectd-plugins/cgroup_adjust_audit.c \
	collectd-plugins/cgroup_adjust_audit.h
if BUILD_CGROUP_ADJUST
plugin_LTLIBRARIES += cgroup_adjust.la
endif
cgroup_adjust_la_SOURCES = $(cgroup_adjust_files)
cgroup_adjust_la_CPPFLAGS = $(plugin_cppflags)
cgroup_adjust_la_LDFLAGS = $(plugin_ldflags)
cgroup_adjust_la_LIBADD = $(plugin_libs) libtallyman.la

write_cloudwatch_files = collectd-plugins/write_cloudwatch.c \
	collectd-plugins/write_cloudwatch_dry.c \
	collectd-plugins/write_cloudwatch_dry.h \
	collectd-plugins/write_cloudwatch_drops.c \
	collectd-plugins/write_cloudwatch_drops.h \
	collectd-plugins/write_cloudwatch_hold.c \
	collectd-plugins/write_cloudwatch_hold.h \
	collectd-plugins/write_cloudwatch_instance.c \
	collectd-plugins/write_cloudwatch_instance.h \
	collectd-plugins/write_cloudwatch_logs.c \
	collectd-plugins/write_cloudwatch_logs.h \
	collectd-plugins/write_cloudwatch_map.c \
	collectd-plugins/write_cloudwatch_rules.c \
	collectd-plugins/write_cloudwatch_rules.h \
	collectd-plugins/write_cloudwatch_template.c \
	collectd-plugins/write_cloudwatch_template.h \
	collectd-plugins/write_cloudwatch_units.c \
	collectd-plugins/write_cloudwatch_units.h \
	collectd-plugins/write_cloudwatch_values.c \
	collectd-plugins/write_cloudwatch_values.h
if BUILD_WRITE_CLOUDWATCH
plugin_LTLIBRARIES += write_cloudwatch.la
endif
write_cloudwatch_la_SOURCES = $(write_cloudwatch_files)
write_cloudwatch_la_CPPFLAGS = $(plugin_cppflags)
write_cloudwatch_la_LDFLAGS = $(plugin_ldflags)
write_cloudwatch_la_LIBADD = $(plugin_outbox_libs) $(plugin_format_libs) \
	$(plugin_libs) libtallyman.la

write_kinesis_files = collectd-plugins/write_kinesis.c \
	collectd-plugins/write_kinesis_options.c \
	collectd-plugins/write_kinesis_options.h \
	collectd-plugins/write_kinesis_stream.c \
	collectd-plugins/write_kinesis_stream.h
if BUILD_WRITE_KINESIS
plugin_LTLIBRARIES += write_kinesis.la
endif
write_kinesis_la_SOURCES = $(write_kinesis_files)
write_kinesis_la_CPPFLAGS = $(plugin_cppflags)
write_kinesis_la_LDFLAGS = $(plugin_ldflags)
write_kinesis_la_LIBADD = $(plugin_outbox_libs) $(plugin_format_libs) \
	$(plugin_libs) libtallyman.la
