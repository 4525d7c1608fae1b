# SPDX-License-Identifier: MIT
"""The short version of `make soak`."""

import pytest

import soak


@pytest.mark.timeout(180)
def test_no_line_is_lost_and_none_changes_places():
    soak.judge(soak.run(lines=60000, rate=4000))
