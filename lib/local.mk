# SPDX-License-Identifier: MIT
# libtallyman: everything that is neither collectd nor SNMP. A private shared
# library and not a convenience library, so that all plugins of one collectd
# process share one connection and one inventory per Docker endpoint.

lib_cppflags = -I$(srcdir)/lib -I$(builddir)
lib_cflags = $(AM_CFLAGS) $(CURL_CFLAGS) $(YAJL_CFLAGS) $(UUID_CFLAGS) $(ZLIB_CFLAGS) \
	$(CRYPTO_CFLAGS) $(ZSTD_CFLAGS)
lib_libs = $(CURL_LIBS) $(YAJL_LIBS) $(UUID_LIBS) $(ZLIB_LIBS) $(CRYPTO_LIBS) \
	$(ZSTD_LIBS) -lm

lib_files =
include lib/core/local.mk
include lib/docker/local.mk
include lib/cgroup/local.mk
include lib/proc/local.mk
include lib/node/local.mk
include lib/container/local.mk
include lib/delivery/local.mk
include lib/aws/local.mk
include lib/logs/local.mk

# Everything, as a convenience library: compiled once, and linked as it is by
# the unit tests, which may look at all of it.
noinst_LTLIBRARIES += libtallyman_testing.la
libtallyman_testing_la_SOURCES = $(lib_files)
libtallyman_testing_la_CPPFLAGS = $(lib_cppflags)
libtallyman_testing_la_CFLAGS = $(lib_cflags)
libtallyman_testing_la_LIBADD = $(lib_libs)

pkglib_LTLIBRARIES += libtallyman.la
libtallyman_la_SOURCES =
libtallyman_la_LIBADD = libtallyman_testing.la
# No undefined symbols: the library may not call into collectd. (A sanitizer's
# runtime comes with the program, so there it cannot be checked.)
libtallyman_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version \
	-export-symbols-regex '^tally_'
if !SANITIZED
libtallyman_la_LDFLAGS += -Wl,-z,defs
endif
