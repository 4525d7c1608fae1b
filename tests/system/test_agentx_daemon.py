# SPDX-License-Identifier: MIT
"""The life of tallyman-agentx beside a master that comes, goes and hangs."""

import os
import re
import subprocess
import time

import pytest

import snmp
from process import PATIENCE, wait_until


def test_attaches(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master).start()
    master.wait_for_subagent()
    assert master.capabilities()[snmp.root_oid()].startswith("TALLYMAN-MIB")
    agent.stop()
    assert not master.attached()
