# SPDX-License-Identifier: MIT
"""A wrong configuration keeps collectd from starting, and says which option
and which value are wrong."""

import pytest

# plugin, configuration, what the message has to name
WRONG = [
    ("docker_stats", 'Endpont "unix:///x"', ["Endpont"]),
    ("docker_stats", 'Container "/(/"', ["Container", "/(/"]),
    ("docker_stats", 'Image "/[/"', ["Image", "/[/"]),
    ("docker_stats", 'Label "/a**(/"', ["Label", "/a**(/"]),
    ("docker_stats", 'MetaLabel "/*(/"', ["MetaLabel", "/*(/"]),
    ("docker_stats", 'IgnoreSelected "perhaps"', ["IgnoreSelected", "perhaps"]),
    ("docker_stats", 'Endpoint "ftp://host"', ["Endpoint", "ftp://host"]),
    ("docker_stats", 'Endpoint ""', ["Endpoint"]),
    ("docker_stats", 'Endpoint "tcp://host:99999"',
     ["Endpoint", "tcp://host:99999"]),
    ("docker_stats", 'Endpoint "unix:///a" "unix:///b"', ["Endpoint"]),
    ("docker_stats", 'HostFormat "uuid"', ["HostFormat", "uuid"]),
    ("docker_stats", 'TcpConnections 3', ["TcpConnections", "3"]),
    ("docker_stats", 'Load "maybe"', ["Load", "maybe"]),
    ("docker_stats", 'Instance "a/b"', ["Instance", "a/b"]),
    ("docker_stats", ['Instance "a"', 'Instance "a"'], ["Instance", "a"]),
    ("docker_stats", ["", ""], ["Instance"]),
]


@pytest.mark.parametrize("plugin, blocks, names", WRONG)
def test_wrong_configuration(collectd, plugin, blocks, names):
    status, output = collectd(**{plugin: blocks}).check_config()
    assert status != 0
    said = [line for line in output.splitlines()
            if f"{plugin} plugin:" in line]
    assert any(all(name in line for name in names) for line in said), output
