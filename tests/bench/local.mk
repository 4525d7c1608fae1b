# SPDX-License-Identifier: MIT
# What it costs: `make bench`, as root. See README.md here. Not part of
# `make check`, because a number that depends on the machine is no test.

bench_cppflags = -I$(srcdir)/lib -I$(builddir)

# Programs that a bench uses, and those that are one: a bench prints one JSON
# object per line, which table.py makes a table of.
bench_tools = tests/bench/bench_cloudwatch tests/bench/bench_kinesis tests/bench/bench_outbox tests/bench/bench_sampler tests/bench/cgroup_farm
bench_commands = \
	$(abs_builddir)/tests/bench/bench_cloudwatch \
	$(abs_builddir)/tests/bench/bench_kinesis \
	$(abs_builddir)/tests/bench/bench_outbox \
	$(abs_builddir)/tests/bench/bench_sampler \
	$(abs_srcdir)/tests/bench/bench_logs.py \
	$(abs_srcdir)/tests/bench/bench_process.py \
	$(abs_srcdir)/tests/bench/bench_stats_api.py

tests_bench_bench_cloudwatch_SOURCES = tests/bench/bench_cloudwatch.c
tests_bench_bench_cloudwatch_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_cloudwatch_LDADD = libtallyman_testing.la

tests_bench_bench_kinesis_SOURCES = \
	tests/bench/bench_kinesis.c \
	tests/bench/bench_sink.c \
	tests/bench/bench_sink.h
tests_bench_bench_kinesis_CPPFLAGS = $(bench_cppflags) -I$(srcdir)/tests/bench
tests_bench_bench_kinesis_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
tests_bench_bench_kinesis_LDADD = libtallyman_testing.la $(SSL_LIBS)

tests_bench_bench_outbox_SOURCES = tests/bench/bench_outbox.c
tests_bench_bench_outbox_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_outbox_LDADD = libtallyman_testing.la

tests_bench_bench_sampler_SOURCES = tests/bench/bench_sampler.c
tests_bench_bench_sampler_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_sampler_LDADD = libtallyman_testing.la

tests_bench_cgroup_farm_SOURCES = \
	tests/bench/cgroup_farm.c \
	tests/bench/farm_cgroup.c \
	tests/bench/farm_cgroup.h \
	tests/bench/farm_process.c \
	tests/bench/farm_process.h
tests_bench_cgroup_farm_CPPFLAGS = $(bench_cppflags)

if BUILD_TALLYMAN_AGENTX
bench_tools += tests/bench/agentx_agent tests/bench/agentx_walk
bench_commands += \
	$(abs_srcdir)/tests/bench/bench_agentx.py \
	$(abs_srcdir)/tests/bench/bench_agentx_idle.py
endif

tests_bench_agentx_agent_SOURCES = tests/bench/agentx_agent.c
tests_bench_agentx_agent_CPPFLAGS = $(agentx_cppflags)
tests_bench_agentx_agent_LDADD = libtallyagentx.la libtallyman_testing.la

tests_bench_agentx_walk_SOURCES = tests/bench/agentx_walk.c
tests_bench_agentx_walk_CPPFLAGS = $(agentx_cppflags)
tests_bench_agentx_walk_LDADD = libtallyagentx.la libtallyman_testing.la

check_PROGRAMS += $(bench_tools)

# A plugin, but only for the bench.
if BUILD_DOCKER_STATS
bench_plugins = tests/bench/bench_dispatch.la
endif
check_LTLIBRARIES += $(bench_plugins)
tests_bench_bench_dispatch_la_SOURCES = tests/bench/bench_dispatch.c
tests_bench_bench_dispatch_la_CPPFLAGS = $(COLLECTD_CFLAGS)
tests_bench_bench_dispatch_la_LDFLAGS = $(plugin_ldflags) -rpath /nowhere

EXTRA_DIST += \
	tests/bench/README.md \
	tests/bench/bench_agentx.py \
	tests/bench/bench_agentx_idle.py \
	tests/bench/bench_fluent_bit.py \
	tests/bench/bench_logs.py \
	tests/bench/bench_process.py \
	tests/bench/bench_stats_api.py \
	tests/bench/measure.py \
	tests/bench/table.py

# The peer is compared with where there is one.
bench: system-tools
	@$(MAKE) $(bench_tools) $(bench_plugins)
	peer=; \
	if command -v "$${FLUENT_BIT:-fluent-bit}" > /dev/null; then \
	  peer='$(abs_srcdir)/tests/bench/bench_fluent_bit.py'; \
	fi; \
	TALLYMAN_BUILD='$(abs_builddir)' \
	  python3 $(srcdir)/tests/bench/table.py $(bench_commands) $$peer

.PHONY: bench
