# SPDX-License-Identifier: MIT
"""A wrong configuration keeps collectd from starting, and says which option
and which value are wrong."""

import pytest

# What several plugins have in common: configuration, what has to be named.
WATCHING = [
    ('Endpont "unix:///x"', ["Endpont"]),
    ('Endpoint "ftp://host"', ["Endpoint", "ftp://host"]),
    ('Endpoint "tcp://host:99999"', ["Endpoint", "tcp://host:99999"]),
    ('Endpoint ""', ["Endpoint"]),
    ('Endpoint "tcp://host"\nCertDir "/nowhere"', ["tcp://host", "/nowhere"]),
    ('Endpoint "unix:///a" "unix:///b"', ["Endpoint"]),
    ('Container "/(/"', ["Container", "/(/"]),
    ('Image "/[/"', ["Image", "/[/"]),
    ('Label "/a{2,1}/"', ["Label", "/a{2,1}/"]),
    ('IgnoreSelected "perhaps"', ["IgnoreSelected", "perhaps"]),
    ('Instance "a/b"', ["Instance", "a/b"]),
    (['Instance "a"', 'Instance "a"'], ["Instance", "a"]),
    (["", ""], ["Instance"]),
]

OWN = {
    "docker_stats": [
        ('MetaLabel "/*(/"', ["MetaLabel", "/*(/"]),
        ('HostFormat "uuid"', ["HostFormat", "uuid"]),
        ('TcpConnections 3', ["TcpConnections", "3"]),
        ('Load "maybe"', ["Load", "maybe"]),
        ('RootFS 1', ["RootFS", "1"]),
    ],
    "docker_events": [
        ('EventType "/+(/"', ["EventType", "/+(/"]),
        ('IgnoreAction "/[/"', ["IgnoreAction", "/[/"]),
        ('StopWindow "soon"', ["StopWindow", "soon"]),
        ('StopWindow -1', ["StopWindow", "-1"]),
        ('Counters "many"', ["Counters", "many"]),
        ('StateDir ""', ["StateDir"]),
    ],
    "docker_logs": [
        ('SpoolLimit 0', ["SpoolLimit", "0", "spool"]),
        ('<Route>\nFile "/x"\n</Route>', ["Route"]),
        ('<Route "a">\n</Route>', ["Route", "a", "sink"]),
        ('<Route "a">\nFile "x"\n</Route>', ["File", "x"]),
        ('<Route "a">\nFile "/x"\nFormat "xml"\n</Route>',
         ["Format", "xml"]),
        ('<Route "a">\nFile "/x"\nMultiline "("\n</Route>',
         ["Multiline", "("]),
        ('<Kinesis>\nEndpoint "ftp://x"\n</Kinesis>', ["Endpoint", "ftp://x"]),
        ('<Kinesis>\nOrder "any"\n</Kinesis>', ["Order", "any"]),
        ('<CloudWatchLogs>\nRetention 4\n</CloudWatchLogs>',
         ["Retention", "4"]),
        ('<File>\nRotateKeep -1\n</File>', ["RotateKeep", "-1"]),
    ],
    "cgroup_adjust": [
        ('Method "magic"', ["Method", "magic"]),
        ('DryRun "wet"', ["DryRun", "wet"]),
        ('MemoryMax "64m"', ["MemoryMax"]),
        ('<Rule>\nPidsMax 3\n</Rule>', ["Rule"]),
        ('<Rule "a">\n</Rule>\n<Rule "a">\n</Rule>', ["Rule", "a"]),
        ('<Rule "a">\nMemoryMax "64q"\n</Rule>', ["MemoryMax", "64q"]),
        ('<Rule "a">\nMemoryMax 4096\n</Rule>', ["MemoryMax", "4096"]),
        ('<Rule "a">\nSwapMax "-1"\n</Rule>', ["SwapMax", "-1"]),
        ('<Rule "a">\nCpuWeight 10001\n</Rule>', ["CpuWeight", "10001"]),
        ('<Rule "a">\nCpuMax 0\n</Rule>', ["CpuMax", "0"]),
        ('<Rule "a">\nPidsMax "a few"\n</Rule>', ["PidsMax", "a few"]),
        ('<Rule "a">\nIoWeight 0\n</Rule>', ["IoWeight", "0"]),
        ('<Rule "a">\nImage "/(/"\n</Rule>', ["Image", "/(/"]),
        ('<Rule "a">\nColour "red"\n</Rule>', ["Colour"]),
    ],
    "write_table": [
        ('File 3', ["File", "3"]),
        ('File ""', ["File"]),
        ('Flie "/tmp/x"', ["Flie"]),
    ],
}

CASES = [(plugin, blocks, names) for plugin, own in OWN.items()
         for blocks, names in own + ([] if plugin == "write_table"
                                     else WATCHING)]


def case_name(plugin, blocks):
    """On one line."""
    text = " + ".join(blocks) if isinstance(blocks, list) else blocks
    return f"{plugin} {' '.join(text.split())}"


@pytest.mark.parametrize("plugin, blocks, names", CASES, ids=[
    case_name(plugin, blocks) for plugin, blocks, _ in CASES])
def test_wrong_configuration(collectd, plugin, blocks, names):
    status, output = collectd(**{plugin: blocks}).check_config()
    assert status != 0
    said = [line for line in output.splitlines()
            if f"{plugin} plugin:" in line]
    assert any(all(name in line for name in names) for line in said), output


def test_right_configuration(collectd):
    """The control: everything that is wrong above is accepted when right."""
    daemon = collectd()
    watching = """
        Endpoint "unix:///nowhere/docker.sock"
        Container "/^(a|b)/"
        Image "/[ab]/"
        Label "/a{1,2}/"
        IgnoreSelected false
        Instance "a" """
    state = f'\nStateDir "{daemon.path("state")}"'
    daemon.plugins = {
        "docker_stats": [watching + """
            MetaLabel "/^x/"
            HostFormat "container"
            TcpConnections true
            Load false
            RootFS "/" """, 'Instance "b"'],
        "docker_events": [watching + state + """
            EventType "/^c/"
            IgnoreAction "/^exec/"
            StopWindow 5
            Counters true"""],
        "docker_logs": [watching + state + """
            SpoolLimit 16
            <Route "a">
              LogGroup "/x"
              Format json
              Streams stderr
              Multiline "^(x|y)"
            </Route>
            <Kinesis>
              Endpoint "http://127.0.0.1:1"
              Order none
              Aggregate true
            </Kinesis>
            <CloudWatchLogs>
              Retention 14
            </CloudWatchLogs>
            <File>
              RotateSize 1
            </File>"""],
        "cgroup_adjust": [watching + state + """
            Method "engine"
            DryRun true
            <Rule "a">
              Image "/^x/"
              MemoryMax "64m"
              SwapMax 0
              CpuWeight 10000
              CpuMax 0.5
              PidsMax 3
              IoWeight 1
            </Rule>
            <Rule "b">
            </Rule>"""],
        "write_table": f'File "{daemon.path("table")}"'}
    status, output = daemon.check_config()
    assert status == 0, output
