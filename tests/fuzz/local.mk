# SPDX-License-Identifier: MIT
# A fuzzer for each parser of foreign text (configure --enable-fuzzers, clang).
#
#   make check-fuzz                  each for FUZZ_SECONDS, from its corpus
#   tests/fuzz/fuzz_event CORPUS     one of them for as long as you like

EXTRA_DIST += tests/fuzz/corpus
FUZZ_SECONDS = 20
fuzz_programs =

if BUILD_FUZZERS

fuzz_programs += \
	tests/fuzz/fuzz_aws \
	tests/fuzz/fuzz_cgroup \
	tests/fuzz/fuzz_cloudwatch \
	tests/fuzz/fuzz_cloudwatch_logs \
	tests/fuzz/fuzz_container \
	tests/fuzz/fuzz_event \
	tests/fuzz/fuzz_framer \
	tests/fuzz/fuzz_ini \
	tests/fuzz/fuzz_kinesis \
	tests/fuzz/fuzz_limits \
	tests/fuzz/fuzz_logs \
	tests/fuzz/fuzz_proc \
	tests/fuzz/fuzz_shipping \
	tests/fuzz/fuzz_spool
if BUILD_TALLYMAN_AGENTX
fuzz_programs += tests/fuzz/fuzz_agentx tests/fuzz/fuzz_mib
endif
if HAVE_PLUGIN_TESTS
fuzz_programs += tests/fuzz/fuzz_format
endif
noinst_PROGRAMS += $(fuzz_programs)

# The library once more, such that libFuzzer sees where an input leads.
fuzz_cflags = $(lib_cflags) -O1 -g -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -fno-omit-frame-pointer
noinst_LTLIBRARIES += libtallyman_fuzzing.la
libtallyman_fuzzing_la_SOURCES = $(lib_files)
libtallyman_fuzzing_la_CPPFLAGS = $(lib_cppflags)
libtallyman_fuzzing_la_CFLAGS = $(fuzz_cflags) -fsanitize=fuzzer-no-link
libtallyman_fuzzing_la_LIBADD = $(lib_libs)

fuzz_cppflags = $(lib_cppflags) -I$(srcdir)/tests/fuzz
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined

tests_fuzz_fuzz_cgroup_SOURCES = tests/fuzz/fuzz_cgroup.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cgroup_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_cgroup_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_cgroup_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_cgroup_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_proc_SOURCES = tests/fuzz/fuzz_proc.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_proc_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_proc_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_proc_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_proc_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_container_SOURCES = tests/fuzz/fuzz_container.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_container_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_container_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_container_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_container_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_event_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_event_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_event_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_event_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_framer_SOURCES = tests/fuzz/fuzz_framer.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_framer_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_framer_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_framer_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_framer_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_logs_SOURCES = tests/fuzz/fuzz_logs.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_logs_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_logs_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_logs_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_logs_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_shipping_SOURCES = tests/fuzz/fuzz_shipping.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_shipping_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_shipping_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_shipping_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_shipping_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_spool_SOURCES = tests/fuzz/fuzz_spool.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_spool_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_spool_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_spool_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spool_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_aws_SOURCES = tests/fuzz/fuzz_aws.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_aws_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_aws_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_aws_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_aws_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_cloudwatch_SOURCES = tests/fuzz/fuzz_cloudwatch.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cloudwatch_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_cloudwatch_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_cloudwatch_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_cloudwatch_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_cloudwatch_logs_SOURCES = tests/fuzz/fuzz_cloudwatch_logs.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cloudwatch_logs_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_cloudwatch_logs_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_cloudwatch_logs_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_cloudwatch_logs_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_ini_SOURCES = tests/fuzz/fuzz_ini.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_ini_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_ini_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_ini_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_ini_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_limits_SOURCES = tests/fuzz/fuzz_limits.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_limits_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_limits_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_limits_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_limits_LDADD = libtallyman_fuzzing.la

# With the collectd of the plugin tests.
tests_fuzz_fuzz_format_SOURCES = tests/fuzz/fuzz_format.c tests/fuzz/fuzz.h \
	$(libtally_plugin_format_la_SOURCES) $(libtally_plugin_la_SOURCES) \
	$(mock_files)
tests_fuzz_fuzz_format_CPPFLAGS = $(plugin_test_cppflags) \
	-I$(srcdir)/tests/fuzz
tests_fuzz_fuzz_format_CFLAGS = $(fuzz_cflags) -fsanitize=fuzzer-no-link \
	$(CMOCKA_CFLAGS)
tests_fuzz_fuzz_format_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_format_LDADD = libtallyman_fuzzing.la $(CMOCKA_LIBS)

tests_fuzz_fuzz_kinesis_SOURCES = tests/fuzz/fuzz_kinesis.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_kinesis_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_kinesis_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_kinesis_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_kinesis_LDADD = libtallyman_fuzzing.la

# Of the SNMP subagent, the part that knows no net-snmp.
tests_fuzz_fuzz_mib_SOURCES = tests/fuzz/fuzz_mib.c tests/fuzz/fuzz.h \
	$(agentx_mib_files)
tests_fuzz_fuzz_mib_CPPFLAGS = $(fuzz_cppflags) -I$(srcdir)/snmp-subagent
tests_fuzz_fuzz_mib_CFLAGS = $(fuzz_cflags) -fsanitize=fuzzer-no-link
tests_fuzz_fuzz_mib_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_mib_LDADD = libtallyman_fuzzing.la

tests_fuzz_fuzz_agentx_SOURCES = tests/fuzz/fuzz_agentx.c tests/fuzz/fuzz.h \
	$(agentx_mib_files)
tests_fuzz_fuzz_agentx_CPPFLAGS = $(fuzz_cppflags) -I$(srcdir)/snmp-subagent
tests_fuzz_fuzz_agentx_CFLAGS = $(fuzz_cflags) -fsanitize=fuzzer-no-link
tests_fuzz_fuzz_agentx_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_agentx_LDADD = libtallyman_fuzzing.la

endif

# What a fuzzer finds is left in build/tests/fuzz; the corpus stays as it is.
check-fuzz: $(fuzz_programs)
	@set -e; for program in $(fuzz_programs); do \
	  name=$${program##*/fuzz_}; found=tests/fuzz/found.$$name; \
	  echo "  FUZZ     $$program ($(FUZZ_SECONDS) s)"; \
	  rm -rf $$found; mkdir -p $$found; \
	  ./$$program -max_total_time=$(FUZZ_SECONDS) -timeout=5 \
	    -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=tests/fuzz/ $$found \
	    $(srcdir)/tests/fuzz/corpus/$$name; \
	done

clean-local: clean-fuzz
clean-fuzz:
	rm -rf tests/fuzz/found.*
.PHONY: check-fuzz clean-fuzz
