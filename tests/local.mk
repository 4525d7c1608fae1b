# SPDX-License-Identifier: MIT
# The rings that `make check` runs. tests/system, tests/vm and tests/bench need
# real daemons and are run by ./quickstart check.

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; \
	TALLY_SRCDIR='$(abs_top_srcdir)'; TALLY_BUILDDIR='$(abs_top_builddir)'; \
	TALLY_PLUGINS='$(plugin_LTLIBRARIES)'; TALLY_SANITIZER='$(SANITIZER)'; \
	export CMOCKA_MESSAGE_OUTPUT TALLY_SRCDIR TALLY_BUILDDIR TALLY_PLUGINS \
	TALLY_SANITIZER;

# What the system tests run beside the daemons; `make check` makes it too. In a
# make of its own after `all`, which is one too: side by side both would make the
# library.
system_tools =
system-tools: all
	@$(MAKE) $(system_tools)
.PHONY: system-tools

# A million lines through everything that goes wrong (ten minutes, as root).
soak: system-tools
	TALLYMAN_BUILD='$(abs_builddir)' /usr/bin/python3 $(srcdir)/tests/system/soak.py
.PHONY: soak

# `make check` of those that start threads, and of no more than they need: what
# ThreadSanitizer is for.
threaded_tests = \
	tests/unit/aws_blame_test \
	tests/unit/aws_cache_test \
	tests/unit/aws_client_test \
	tests/unit/aws_keys_test \
	tests/unit/aws_metadata_test \
	tests/unit/cloudwatch_logs_test \
	tests/unit/cloudwatch_logs_trouble_test \
	tests/unit/cloudwatch_send_test \
	tests/unit/delivery_outbox_test \
	tests/unit/docker_hostile_test \
	tests/unit/docker_http_test \
	tests/unit/docker_inventory_test \
	tests/unit/docker_logs_reader_test \
	tests/unit/docker_logs_rotation_test \
	tests/unit/kinesis_aggregate_test \
	tests/unit/kinesis_compress_test \
	tests/unit/kinesis_fault_test \
	tests/unit/kinesis_outbox_test \
	tests/unit/kinesis_send_test \
	tests/unit/kinesis_shards_test \
	tests/unit/log_queue_test \
	tests/unit/logs_feed_test \
	tests/unit/logs_sinks_test \
	tests/unit/mounts_test \
	tests/unit/notices_test \
	tests/unit/proc_test \
	tests/unit/view_test \
	tests/unit/watch_test \
	tests/plugin/cgroup_adjust_test \
	tests/plugin/docker_events_test \
	tests/plugin/docker_stats_test \
	tests/plugin/plugin_outbox_test \
	tests/plugin/write_cloudwatch_test \
	tests/plugin/write_kinesis_test \
	tests/plugin/write_table_test
check-threads:
	@$(MAKE) $(AM_MAKEFLAGS) \
	  $(filter $(threaded_tests),$(check_PROGRAMS))
	@$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
	  TESTS='$(filter $(threaded_tests),$(TESTS))' \
	  check_PROGRAMS= dist_check_SCRIPTS=
.PHONY: check-threads

include tests/unit/local.mk
include tests/plugin/local.mk
include tests/lighter/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk

# pytest leaves its byte code beside what it ran.
EXTRA_DIST += tests/check tests/emulators tests/system tests/vm
dist-hook:
	rm -rf $(distdir)/tests/system/__pycache__
