# SPDX-License-Identifier: MIT
"""pytest plugin: one plain line per test, and nothing that needs a terminal.

At the end stand the failures once more, in a few lines each, and in the last
one `N passed, N failed`; a test whose tear-down fails counts as failed. Skipped
tests are named with their reason and count as neither."""

import os

import pytest


LINES_OF_A_FAILURE = 8


def _in_short(report):
    """Where it failed and why."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return report.longreprtext.strip().splitlines()[-LINES_OF_A_FAILURE:]
    where = f"{os.path.basename(crash.path)}:{crash.lineno}: "
    return (where + crash.message).splitlines()[:LINES_OF_A_FAILURE]


class _Reporter:
    def __init__(self, terminal_writer):
        # pytest asks its reporter for this when it explains an assertion
        self._tw = terminal_writer
        self._outcome = {}
        self._failures = []  # as they are said at the end
        self._seconds = {}

    def _write(self, text):
        self._tw.write(text, flush=True)

    def _failed(self, title, test, report):
        self._outcome[test] = "FAILED"
        self._failures.append([f"FAILED {title}", *_in_short(report)])
        self._write(f"---- {title}\n{report.longreprtext}\n")

    def pytest_runtest_logreport(self, report):
        path, _, name = report.nodeid.partition("::")
        test = f"{os.path.basename(path)}::{name}"
        self._seconds[test] = self._seconds.get(test, 0) + report.duration
        if report.failed:
            self._failed(f"{test} ({report.when})", test, report)
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
            self._failed(report.nodeid, report.nodeid, report)

    def pytest_keyboard_interrupt(self, excinfo):
        self._write(f"interrupted: {excinfo.exconly()}\n")

    def pytest_internalerror(self, excrepr):
        self._write(f"{excrepr}\n")

    def pytest_sessionfinish(self, exitstatus):
        # Interrupted, broken, or nothing collected: no passed test hides that.
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._outcome["the session"] = "FAILED"
            self._write(f"FAILED the session: {exitstatus!r}\n")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        for failure in self._failures:
            self._write("\n    ".join(failure) + "\n")
        outcomes = list(self._outcome.values())
        if "skipped" in outcomes:
            self._write(f"{outcomes.count('skipped')} skipped\n")
        self._write(f"{outcomes.count('passed')} passed, "
                    f"{outcomes.count('FAILED')} failed\n")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if config.option.collectonly:
        return
    name = "terminalreporter"
    stock = config.pluginmanager.unregister(name=name)
    config.pluginmanager.register(_Reporter(stock._tw), name)
