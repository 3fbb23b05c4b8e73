"""M13: public channel: a huge version wedges it."""

from __future__ import annotations

import pytest

from socp.channel import shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box
from socp.wire.canonical import to_members
from tests.sim.town import Town, town

HUGE = 2**50


def everybody_reads_everybody(t: Town) -> None:
    dave = t.world.add_user("dave", t.a)
    t.run(8)
    people = (*t.users, dave)
    for user in people:
        user.posts(f"{user.name} is here")
    t.run(2)
    for user in people:
        said = {f"{other.name} is here" for other in people if other is not user}
        assert said <= set(user.texts)


@pytest.mark.threat("M13")
@pytest.mark.parametrize("version", [HUGE, 1002, 5000])
def test_a_server_that_names_a_huge_version_is_not_followed(version: int) -> None:
    t = town()
    for server in (t.a, t.b):
        t.c.forge(server, "PUBLIC_CHANNEL_UPDATED", {"version": version})
        add = {"add": [t.bob.id], "if_version": version}
        t.c.forge(server, "PUBLIC_CHANNEL_ADD", add)
    t.c.forge(t.carol, "PUBLIC_CHANNEL_UPDATED", {"version": version})
    t.run(2)
    everybody_reads_everybody(t)


@pytest.mark.threat("M13")
def test_a_ladder_of_versions_leads_nowhere() -> None:
    t = town()
    for version in range(900, 900 * 40, 900):
        t.c.forge(t.carol, "PUBLIC_CHANNEL_UPDATED", {"version": version})
        t.c.forge(t.carol, "PUBLIC_CHANNEL_ADD", {"add": [t.carol.id], "if_version": version})
        t.run(0.1)
    everybody_reads_everybody(t)


@pytest.mark.threat("M13")
def test_a_member_who_makes_a_key_with_a_huge_version_is_not_followed() -> None:
    t = town()
    private = t.world.suite.generate()
    group_key = channel_box.new_group_key(t.world.suite)
    box = channel_box.seal_private(t.world.suite, group_key, private, HUGE)
    key = HeldKey(HUGE, private.public, private, group_key, box, t.carol.id)
    for reader in (t.alice, t.bob):
        payload = shares.make(t.carol.key, reader.id, reader.key.public, key)
        t.carol.forge("PUBLIC_CHANNEL_KEY_SHARE", to_members(payload), to="*", bind=False)
        t.a.forge(
            t.alice,
            "PUBLIC_CHANNEL_KEY_SHARE",
            to_members(payload),
            from_=t.carol.id,
            bind=False,
        )
    t.run(2)
    everybody_reads_everybody(t)
