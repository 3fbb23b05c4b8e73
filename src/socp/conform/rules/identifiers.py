"""Section 4: ids, and what is the same frame."""

from __future__ import annotations

import uuid
from typing import Final

from socp.conform.cast import Identity, new_id
from socp.conform.expect import refused, same
from socp.conform.figures import UUID4
from socp.conform.peers import message, user_hello
from socp.conform.probe import Probe, say_first, turned_away
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect

IDS: Final[Section[Probe]] = Section(needs=(Need.USERS,))


@IDS.must(
    "4.1-server-id",
    "the server's id is a UUID v4 in lower case",
    "make a UUID v4 once, keep it, and write it in lower case",
)
async def _server_id(probe: Probe) -> None:
    server_id = (await probe.user("carol")).server_id
    if UUID4.match(server_id):
        return
    if UUID4.match(server_id.removeprefix("server_")):
        raise Dialect("server_<uuid>: such servers are linked where configuration trusts them")
    raise Breach(f"the id is {server_id!r:.60}")


@IDS.must(
    "4.2-server-stays-itself",
    "two links hear one id and one key",
    "keep id and key; a server that changes them is another server",
)
async def _stays_itself(probe: Probe) -> None:
    alice, carol = await probe.alice(), await probe.user("carol")
    same("server_id", carol.server_id, alice.server_id)
    same("the fingerprint", carol.server_key.fingerprint, alice.server_key.fingerprint)


_NO_IDS: Final = {
    "4.3-name-as-id": ("a name", lambda: "alice"),
    "4.4-upper-case-id": ("a UUID in upper case", lambda: new_id().upper()),
    "4.5-uuid1-id": ("a UUID v1", lambda: str(uuid.uuid1())),
    "4.6-bare-id": ("a UUID without hyphens", lambda: uuid.uuid4().hex),
}


def _refuses(rule_id: str, what: str, make: object) -> None:
    @IDS.must(
        rule_id,
        f"a hello of {what} is refused (BAD_FRAME)",
        "take UUID v4 in lower-case canonical text alone: signed texts need the fixed width",
    )
    async def _refused(probe: Probe) -> None:
        erin = await probe.identity("erin")
        assert callable(make)
        who = Identity("erin", make(), erin.key)
        link = await probe.connect("erin")
        await say_first(link, who, "USER_HELLO", user_hello(who))
        await refused(link, "BAD_FRAME", ref="USER_HELLO")


for _id, (_what, _make) in _NO_IDS.items():
    _refuses(_id, _what, _make)


@IDS.must(
    "4.7-reader-is-an-id",
    "a message to what is no id is refused (BAD_FRAME)",
    "look at `to` of MSG_DIRECT: a UUID v4 in lower case",
)
async def _reader_is_an_id(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    await alice.says_wrong("MSG_DIRECT", said.payload, to="localhost:8001", ts=said.ts)
    await refused(alice.link, "BAD_FRAME")


@IDS.must(
    "4.8-same-frame-once",
    "the same frame said twice is delivered once",
    "remember type, from, ts, to and payload of what passed (seen_ids), and drop it the next time",
)
async def _same_frame_once(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    frame = alice.frame("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    await alice.link.say(frame)
    await alice.link.say(frame)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@IDS.must(
    "4.9-signed-anew-once",
    "the same frame with another signature is the same frame",
    "leave sig out of the key of seen_ids: PSS is random",
)
async def _signed_anew_once(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    for _ in range(2):
        await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@IDS.should(
    "4.10-foreign-server-id",
    "a server whose id is no UUID is linked only where configuration trusts it",
    "refuse the JOIN of server_<uuid> unless its key is configured",
    needs=[Need.SERVERS],
)
async def _foreign_server_id(probe: Probe) -> None:
    north = await probe.identity("north")
    odd = Identity("odd", f"server_{north.id}", north.key)
    await turned_away(probe.linked(await probe.connect("odd"), odd))


@IDS.must(
    "4.11-own-id",
    "a server that claims this server's own id is refused",
    "refuse your own id from others (NAME_IN_USE or BAD_KEY)",
)
async def _own_id(probe: Probe) -> None:
    alice, north = await probe.alice(), await probe.identity("north")
    thief = Identity("thief", alice.server_id, north.key)
    await turned_away(probe.linked(await probe.connect("thief"), thief))
