# SPDX-License-Identifier: MIT
"""pytest plugin: one plain line per test, and nothing that needs a terminal.

The last line is `N passed, N failed`; a test whose tear-down fails counts as
failed. Skipped tests are named with their reason and count as neither."""

import os

import pytest


class _Reporter:
    def __init__(self, write):
        self._write = write
        self._outcome = {}
        self._seconds = {}

    def pytest_runtest_logreport(self, report):
        path, _, name = report.nodeid.partition("::")
        test = f"{os.path.basename(path)}::{name}"
        self._seconds[test] = self._seconds.get(test, 0) + report.duration
        if report.failed:
            self._outcome[test] = "FAILED"
            self._write(f"---- {test} ({report.when})\n{report.longreprtext}\n")
            for title, text in report.sections:
                self._write(f"-- {title}\n{text}\n")
        elif report.skipped:
            self._outcome[test] = "skipped"
            self._write(f"{report.longrepr[2]}: ")
        elif report.when == "call":
            self._outcome.setdefault(test, "passed")
        if report.when == "teardown":
            self._write(f"{self._outcome[test]:7} {self._seconds[test]:6.1f} s"
                        f"  {test}\n")

    def pytest_collectreport(self, report):
        if report.failed:
            self._outcome[report.nodeid] = "FAILED"
            self._write(f"---- {report.nodeid}\n{report.longreprtext}\n")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        outcomes = list(self._outcome.values())
        self._write(f"{outcomes.count('passed')} passed, "
                    f"{outcomes.count('FAILED')} failed\n")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if config.option.collectonly:
        return
    terminal = config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(
        _Reporter(lambda text: terminal.write(text, flush=True)),
        "plain reporter")
