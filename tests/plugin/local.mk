# SPDX-License-Identifier: MIT
# The plugins, each linked with a collectd that records (see mock.h).

mock_files = \
	tests/plugin/mock.h \
	tests/plugin/mock_cache.c \
	tests/plugin/mock_config.c \
	tests/plugin/mock_daemon.c \
	tests/plugin/mock_meta.c \
	tests/plugin/mock_private.h \
	tests/plugin/mock_record.c \
	tests/plugin/mock_types.c

plugin_test_cppflags = $(plugin_cppflags) -I$(srcdir)/collectd-plugins \
	-I$(srcdir)/tests/plugin
plugin_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
plugin_test_libs = $(plugin_outbox_libs) $(plugin_format_libs) $(plugin_libs) \
	libtally_mock.la libtally_scenes.la libtallyman_testing.la $(CMOCKA_LIBS)

plugin_tests =
if HAVE_PLUGIN_TESTS
check_LTLIBRARIES += libtally_mock.la
plugin_tests += \
	tests/plugin/cgroup_adjust_test \
	tests/plugin/docker_events_test \
	tests/plugin/docker_logs_test \
	tests/plugin/docker_stats_identity_test \
	tests/plugin/docker_stats_test \
	tests/plugin/docker_stats_values_test \
	tests/plugin/plugin_aws_test \
	tests/plugin/plugin_format_test \
	tests/plugin/plugin_outbox_test \
	tests/plugin/plugin_util_test \
	tests/plugin/write_cloudwatch_config_test \
	tests/plugin/write_cloudwatch_test \
	tests/plugin/write_kinesis_config_test \
	tests/plugin/write_kinesis_test \
	tests/plugin/write_table_format_test \
	tests/plugin/write_table_test
endif

libtally_mock_la_SOURCES = $(mock_files)
libtally_mock_la_CPPFLAGS = $(plugin_test_cppflags)
libtally_mock_la_CFLAGS = $(plugin_test_cflags)

# A test of the plugin NAME links the plugin's own sources:
#   tests_plugin_NAME_test_SOURCES = tests/plugin/NAME_test.c $(NAME_files)
tests_plugin_plugin_aws_test_SOURCES = tests/plugin/plugin_aws_test.c
tests_plugin_plugin_aws_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_plugin_aws_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_plugin_aws_test_LDADD = $(plugin_test_libs)

tests_plugin_plugin_format_test_SOURCES = tests/plugin/plugin_format_test.c
tests_plugin_plugin_format_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_plugin_format_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_plugin_format_test_LDADD = $(plugin_test_libs)

tests_plugin_plugin_outbox_test_SOURCES = tests/plugin/plugin_outbox_test.c
tests_plugin_plugin_outbox_test_CPPFLAGS = $(plugin_test_cppflags) \
	-I$(srcdir)/tests/unit
tests_plugin_plugin_outbox_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_plugin_outbox_test_LDADD = $(plugin_test_libs)

tests_plugin_plugin_util_test_SOURCES = tests/plugin/plugin_util_test.c
tests_plugin_plugin_util_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_plugin_util_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_plugin_util_test_LDADD = $(plugin_test_libs)

tests_plugin_docker_stats_identity_test_SOURCES = \
	tests/plugin/docker_stats_identity_test.c $(docker_stats_files)
tests_plugin_docker_stats_identity_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_docker_stats_identity_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_docker_stats_identity_test_LDADD = $(plugin_test_libs)

tests_plugin_docker_stats_test_SOURCES = \
	tests/plugin/docker_stats_test.c $(docker_stats_files)
tests_plugin_docker_stats_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_docker_stats_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_docker_stats_test_LDADD = $(plugin_test_libs)

tests_plugin_docker_stats_values_test_SOURCES = \
	tests/plugin/docker_stats_values_test.c $(docker_stats_files)
tests_plugin_docker_stats_values_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_docker_stats_values_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_docker_stats_values_test_LDADD = $(plugin_test_libs)

kinesis_fake_files = tests/plugin/kinesis_fake.c tests/plugin/kinesis_fake.h
tests_plugin_write_kinesis_config_test_SOURCES = \
	tests/plugin/write_kinesis_config_test.c $(kinesis_fake_files) \
	$(write_kinesis_files)
tests_plugin_write_kinesis_config_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_kinesis_config_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_kinesis_config_test_LDADD = $(plugin_test_libs)

tests_plugin_write_kinesis_test_SOURCES = tests/plugin/write_kinesis_test.c \
	$(kinesis_fake_files) $(write_kinesis_files)
tests_plugin_write_kinesis_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_kinesis_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_kinesis_test_LDADD = $(plugin_test_libs)

tests_plugin_write_table_format_test_SOURCES = \
	tests/plugin/write_table_format_test.c \
	collectd-plugins/write_table_format.c \
	collectd-plugins/write_table_format.h
tests_plugin_write_table_format_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_table_format_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_table_format_test_LDADD = $(plugin_test_libs)

tests_plugin_write_table_test_SOURCES = tests/plugin/write_table_test.c \
	$(write_table_files)
tests_plugin_write_table_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_table_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_table_test_LDADD = $(plugin_test_libs)

tests_plugin_write_cloudwatch_config_test_SOURCES = tests/plugin/write_cloudwatch_config_test.c \
	$(write_cloudwatch_files)
tests_plugin_write_cloudwatch_config_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_cloudwatch_config_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_cloudwatch_config_test_LDADD = $(plugin_test_libs)

tests_plugin_write_cloudwatch_test_SOURCES = tests/plugin/write_cloudwatch_test.c \
	$(write_cloudwatch_files)
tests_plugin_write_cloudwatch_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_write_cloudwatch_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_write_cloudwatch_test_LDADD = $(plugin_test_libs)

tests_plugin_cgroup_adjust_test_SOURCES = tests/plugin/cgroup_adjust_test.c \
	$(cgroup_adjust_files)
tests_plugin_cgroup_adjust_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_cgroup_adjust_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_cgroup_adjust_test_LDADD = $(plugin_test_libs)

tests_plugin_docker_events_test_SOURCES = tests/plugin/docker_events_test.c \
	$(docker_events_files)
tests_plugin_docker_events_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_docker_events_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_docker_events_test_LDADD = $(plugin_test_libs)

tests_plugin_docker_logs_test_SOURCES = tests/plugin/docker_logs_test.c \
	$(docker_logs_files)
tests_plugin_docker_logs_test_CPPFLAGS = $(plugin_test_cppflags)
tests_plugin_docker_logs_test_CFLAGS = $(plugin_test_cflags)
tests_plugin_docker_logs_test_LDADD = $(plugin_test_libs)

check_PROGRAMS += $(plugin_tests)
plugin_scripts = tests/plugin/manual_test tests/plugin/symbols_test
TESTS += $(plugin_tests) $(plugin_scripts)
dist_check_SCRIPTS += $(plugin_scripts)
