# SPDX-License-Identifier: MIT
"""What docker_events told of the life of containers, and that it told it
exactly once."""

from process import wait_until

LIFE = ["create", "start", "die"]


def lives(daemon):
    """{container: ["create", "start", …]} in the order of the telling."""
    found = {}
    for told in daemon.notifications():
        if ((told.plugin, told.type) == ("docker", "container")
                and told.type_instance in LIFE):
            found.setdefault(told.plugin_instance, []).append(
                told.type_instance)
    return found


def expect_lives(engine, daemon, wanted, timeout=20):
    """Exactly these, once everything has been told: a container that runs
    after all others is the last to be heard of."""
    engine.run("true", name="the-last").wait()
    wait_until(lambda: lives(daemon).get("the-last") == LIFE,
               "the last container's life", timeout)
    told = lives(daemon)
    del told["the-last"]
    wrong = {name: (told.get(name), wanted.get(name))
             for name in {*told, *wanted}
             if told.get(name) != wanted.get(name)}
    assert not wrong, f"{len(wrong)} of {len(wanted)} (told, wanted): {wrong}"
