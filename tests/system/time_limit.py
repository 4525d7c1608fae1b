# SPDX-License-Identifier: MIT
"""pytest plugin: no test may hang. @pytest.mark.timeout(seconds) says how long
one may take, set-up and tear-down each have the same again."""

import signal

import pytest

from process import PATIENCE

DEFAULT = 60


def pytest_configure(config):
    config.addinivalue_line("markers", "timeout(seconds): limit of this test")


def _limited(item, phase):
    marker = item.get_closest_marker("timeout")
    seconds = (marker.args[0] if marker else DEFAULT) * PATIENCE

    def too_slow(_signal, _frame):
        # Not an AssertionError: a test must not catch it by accident.
        pytest.fail(f"{phase} took longer than {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    yield from _limited(item, "set-up")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from _limited(item, "the test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    yield from _limited(item, "tear-down")
