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

include tests/unit/local.mk
include tests/plugin/local.mk
include tests/lighter/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk

# pytest leaves its byte code beside what it ran.
EXTRA_DIST += tests/check tests/emulators tests/system tests/vm
dist-hook:
	rm -rf $(distdir)/tests/system/__pycache__
