# SPDX-License-Identifier: MIT
# The scripted AWS of the system tests and the bench: see main.c.

system_tools += tests/lighter/lighter
check_PROGRAMS += tests/lighter/lighter

tests_lighter_lighter_SOURCES = \
	tests/lighter/aggregate.c \
	tests/lighter/aggregate.h \
	tests/lighter/cloudwatch.c \
	tests/lighter/connection.c \
	tests/lighter/connection.h \
	tests/lighter/faults.c \
	tests/lighter/faults.h \
	tests/lighter/form.c \
	tests/lighter/form.h \
	tests/lighter/http.c \
	tests/lighter/http.h \
	tests/lighter/kinesis.c \
	tests/lighter/ledger.c \
	tests/lighter/ledger.h \
	tests/lighter/logs.c \
	tests/lighter/main.c \
	tests/lighter/server.c \
	tests/lighter/server.h \
	tests/lighter/service.c \
	tests/lighter/service.h \
	tests/lighter/shards.c \
	tests/lighter/shards.h \
	tests/lighter/signature.c \
	tests/lighter/signature.h
tests_lighter_lighter_CPPFLAGS = $(lib_cppflags) -I$(srcdir)/tests/lighter
tests_lighter_lighter_CFLAGS = $(lib_cflags) $(SSL_CFLAGS)
tests_lighter_lighter_LDADD = libtallyman_testing.la $(SSL_LIBS)

# Producers for it: see the head of each.
system_tools += tests/lighter/ferry tests/lighter/put_logs
check_PROGRAMS += tests/lighter/ferry tests/lighter/put_logs

tests_lighter_ferry_SOURCES = tests/lighter/ferry.c
tests_lighter_ferry_CPPFLAGS = $(lib_cppflags)
tests_lighter_ferry_CFLAGS = $(lib_cflags)
tests_lighter_ferry_LDADD = libtallyman_testing.la

tests_lighter_put_logs_SOURCES = tests/lighter/put_logs.c
tests_lighter_put_logs_CPPFLAGS = $(lib_cppflags)
tests_lighter_put_logs_LDADD = libtallyman_testing.la
