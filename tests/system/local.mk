# SPDX-License-Identifier: MIT
# Programs that system tests run: see the head of each.

system_tools += tests/system/put_logs
check_PROGRAMS += tests/system/put_logs

tests_system_put_logs_SOURCES = tests/system/put_logs.c
tests_system_put_logs_CPPFLAGS = $(lib_cppflags)
tests_system_put_logs_LDADD = libtallyman_testing.la
