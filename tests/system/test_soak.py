# SPDX-License-Identifier: MIT
"""The short version of `make soak`."""

import pytest

import soak

pytestmark = pytest.mark.delivery


@pytest.mark.timeout(300)
def test_no_line_is_lost_and_none_changes_places():
    # How many kinds of faults fit into it depends on the machine's pace;
    # test_ferry.py has each of them
    soak.judge(soak.run(lines=60000, rate=4000), kinds=6)
